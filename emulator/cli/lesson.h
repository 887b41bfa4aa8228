/*
 * A lesson, walked through in a terminal: Markdown whose blocks fenced by ```sh are commands to
 * try.
 */
#pragma once

#include "base/error.h"

/*
 * Prints `text` up to each block of commands and asks what to do with that: run, skip, a shell,
 * quit. The commands run in /bin/sh, in `directory`; what they set, those after them have. At the
 * end of standard input the rest is printed and nothing more is run. Commands that fail are told,
 * and are no failure of ours: many are meant to.
 */
int lesson_walk(const char *text, const char *directory, struct error *error);
