/* The usage text: see help.h. */
#include "cli/help.h"

#define HELP_INDENT "      "

static void put_synopsis(struct buffer *buffer, const struct token *token)
{
	if (token->kind == TOKEN_HELP) {
		buffer_printf(buffer, " [%s]", token->argument);
		return;
	}
	for (const struct token *next = token->next; next->kind != TOKEN_END; next++) {
		if (next->kind == TOKEN_OPTION)
			buffer_printf(buffer, " [%s %s]", next->word, next->argument);
		else if (next->kind == TOKEN_LIST)
			buffer_printf(buffer, " [%s %s]...", next->word, next->argument);
		else if (next->kind == TOKEN_FLAG)
			buffer_printf(buffer, " [%s]", next->word);
		else if (next->kind == TOKEN_OPERAND)
			buffer_printf(buffer, next->with || next->optional ? " [%s]" : " %s",
				      next->word);
		else if (next->kind == TOKEN_COMMAND)
			buffer_printf(buffer, " %s%s", next->dashes ? "[--] " : "", next->word);
	}
}

/* One line for a verb, or one for each of its sub-verbs; `prefix` is what leads to it. */
static void put_verb(struct buffer *buffer, const char *prefix, const struct token *token)
{
	if (token->kind == TOKEN_WORD && token->verb == VERB_NONE) {
		CLEANUP(freep) char *longer = xasprintf("%s%s ", prefix, token->word);

		for (const struct token *next = token->next; next->kind != TOKEN_END; next++)
			if (next->help)
				put_verb(buffer, longer, next);
		return;
	}
	buffer_printf(buffer, "  %s%s", prefix, token->word);
	put_synopsis(buffer, token);
	buffer_printf(buffer, "\n" HELP_INDENT "%s\n", token->help ? token->help : "the same");
}

static void put_arguments(struct buffer *buffer, const struct token *tokens)
{
	for (const struct token *token = tokens; token->kind != TOKEN_END; token++) {
		if (!token->help || token->kind == TOKEN_WORD || token->kind == TOKEN_HELP)
			continue;
		buffer_printf(buffer, "  %s%s%s\n" HELP_INDENT "%s\n", token->word,
			      token->argument ? " " : "", token->argument ? token->argument : "",
			      token->help);
	}
}

/* Those of a verb, or of each sub-verb. */
static void put_examples(struct buffer *buffer, const struct token *token)
{
	if (token->kind == TOKEN_WORD && token->verb == VERB_NONE)
		for (const struct token *next = token->next; next->kind != TOKEN_END; next++)
			put_examples(buffer, next);
	for (const char *line = token->example; line && *line;) {
		size_t length = strcspn(line, "\n");

		buffer_printf(buffer, "  %.*s\n", (int)length, line);
		line += length + (line[length] == '\n');
	}
}

static void put_common(struct buffer *buffer)
{
	buffer_puts(buffer, "\nEvery verb takes:\n");
	put_arguments(buffer, token_common);
}

void help_print(struct buffer *buffer, const struct request *request)
{
	const struct token *token = request->path[0];
	CLEANUP(buffer_clear) struct buffer examples = BUFFER_INIT;
	CLEANUP(freep) char *prefix = NULL;

	buffer_puts(buffer, "usage: minivpc [--state DIR] VERB ...\n\n");
	if (!token) {
		for (token = token_verbs; token->kind != TOKEN_END; token++)
			if (token->help)
				put_verb(buffer, "", token);
		put_common(buffer);
		return;
	}
	if (request->path[1]) {
		prefix = xasprintf("%s ", token->word);
		token = request->path[1];
	}
	put_verb(buffer, prefix ? prefix : "", token);
	if (token->next->kind != TOKEN_END && token->verb != VERB_NONE) {
		buffer_puts(buffer, "\nArguments:\n");
		put_arguments(buffer, token->next);
	}
	put_examples(&examples, token);
	if (examples.length)
		buffer_printf(buffer, "\nExamples:\n%s", examples.data);
	put_common(buffer);
}
