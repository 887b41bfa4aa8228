/*
 * What a shell offers at the tab key. The scripts only ask `minivpc complete`, which walks the same
 * tables as the parser: nothing is written twice, and a new verb is known at once.
 */
#pragma once

#include "base/buffer.h"

/* For `eval "$(minivpc completion bash)"`: the script of "bash" or "zsh"; NULL for another shell.
 */
const char *completion_script(const char *shell);

/*
 * What may stand in place of the last word, the others standing before it: a line for each, with a
 * tab and what it is; ":files" for any file. `words` ends with NULL. Names of instances, hosts and
 * the like are those of the world at `state` or at the words' own --state, if its daemon runs and
 * the caller may ask it; none is started. Nothing that a shell could read as more than a word.
 */
void completion_list(char *const *words, const char *state, struct buffer *buffer);
