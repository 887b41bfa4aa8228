/* From argv to a request: see parse.h. */
#include "cli/parse.h"

#include "base/buffer.h"

struct walk {
	int argc;
	char **argv;
	int index;		    /* of the argument looked at */
	const struct token *tokens; /* what may come here */
	bool literal;		    /* after "--": nothing is an option any more */
	struct request request;
};

char *cli_path(const struct request *request)
{
	struct buffer text = BUFFER_INIT;

	for (size_t i = 0; i < TOKEN_DEPTH && request->path[i]; i++)
		buffer_printf(&text, "%s%s", i ? " " : "", request->path[i]->word);
	return buffer_steal(&text);
}

/* Puts "ps: " before the text and where to read on behind it. */
static int usage(const struct walk *walk, struct error *error, const char *text, const char *word)
{
	CLEANUP(freep) char *path = cli_path(&walk->request);

	return error_set(error, ERROR_INVALID_PARAMETER, "%s%s%s%s: try minivpc help%s%s", path,
			 *path ? ": " : "", text, word, *path ? " " : "", path);
}

static const char **text_field(struct request *request, const struct token *token)
{
	return (const char **)(void *)((char *)request + token->field);
}

static bool *flag_field(struct request *request, const struct token *token)
{
	return (bool *)(void *)((char *)request + token->field);
}

static int append_text(struct walk *walk, const struct token *token, const char *value,
		       struct error *error)
{
	struct text_list *list = (void *)((char *)&walk->request + token->field);

	if (list->count == ARRAY_SIZE(list->items))
		return usage(walk, error, "there are too many ", token->word);
	list->items[list->count++] = value;
	return 0;
}

static int set_text(struct walk *walk, const struct token *token, const char *value,
		    struct error *error)
{
	CLEANUP(freep) char *text = NULL;

	if (token->valid ? token->valid(value) : *value) {
		if (token->kind == TOKEN_LIST)
			return append_text(walk, token, value, error);
		*text_field(&walk->request, token) = value;
		return 0;
	}
	if (token->argument)
		text = xasprintf("%s takes %s, not ", token->word, token->argument);
	else if (strchr(token->word, '|'))
		text = xasprintf("takes %s, not ", token->word);
	else
		text = xasprintf("%s can't be ", token->word);
	return usage(walk, error, text, *value ? value : "\"\"");
}

/*
 * Does `argument` spell `token`? An option's value may be glued on (--state=DIR, -ojson); then
 * *ret_value is where it starts.
 */
static bool spells(const struct token *token, const char *argument, const char **ret_value)
{
	size_t length = strlen(token->word);
	bool is_long = strncmp(token->word, "--", 2) == 0;

	if (token->kind == TOKEN_OPERAND || token->kind == TOKEN_COMMAND)
		return false;
	if (streq(token->word, argument)) {
		*ret_value = NULL;
		return true;
	}
	if ((token->kind != TOKEN_OPTION && token->kind != TOKEN_LIST) ||
	    strncmp(argument, token->word, length) != 0 || (is_long && argument[length] != '='))
		return false;
	*ret_value = argument + length + is_long;
	return true;
}

static const struct token *find(const struct token *tokens, const char *argument,
				const char **ret_value)
{
	for (; tokens->kind != TOKEN_END; tokens++)
		if (spells(tokens, argument, ret_value))
			return tokens;
	return NULL;
}

static int take_word(struct walk *walk, const struct token *token)
{
	if (token->kind == TOKEN_HELP) {
		walk->request.help = true;
	} else {
		size_t depth = walk->request.path[0] ? 1 : 0;

		walk->request.path[depth] = token;
		walk->request.verb = token->verb;
	}
	walk->tokens = token->next;
	return 0;
}

static int take_option(struct walk *walk, struct error *error)
{
	const char *argument = walk->argv[walk->index], *value = NULL;
	const struct token *token = find(walk->tokens, argument, &value);

	if (!token)
		token = find(token_common, argument, &value);
	if (!token)
		return usage(walk, error, "unknown option ", argument);
	if (token->kind == TOKEN_WORD)
		return take_word(walk, token);
	if (token->kind == TOKEN_FLAG) {
		*flag_field(&walk->request, token) = true;
		return 0;
	}
	if (!value) {
		if (walk->index + 1 >= walk->argc) {
			CLEANUP(freep) char *text = xasprintf("%s needs ", token->word);

			return usage(walk, error, text, token->argument);
		}
		value = walk->argv[++walk->index];
	}
	return set_text(walk, token, value, error);
}

static bool has_command(const struct token *tokens)
{
	while (tokens->kind != TOKEN_END && tokens->kind != TOKEN_COMMAND)
		tokens++;
	return tokens->kind == TOKEN_COMMAND;
}

/* Is the operand `token` left out? Before a command only "--" tells it from that. */
static bool is_left_out(const struct walk *walk, const struct token *token)
{
	return token->optional && has_command(walk->tokens) &&
	       (walk->index + 1 >= walk->argc || walk->argv[walk->index][0] == '-' ||
		!streq(walk->argv[walk->index + 1], "--"));
}

/* The first operand without a value, else the command, else NULL. */
static const struct token *due(struct walk *walk)
{
	for (const struct token *token = walk->tokens; token->kind != TOKEN_END; token++)
		if (token->kind == TOKEN_COMMAND ||
		    (token->kind == TOKEN_OPERAND && !*text_field(&walk->request, token) &&
		     !is_left_out(walk, token)))
			return token;
	return NULL;
}

static int take_plain(struct walk *walk, struct error *error)
{
	const char *argument = walk->argv[walk->index], *value;
	const struct token *token = find(walk->tokens, argument, &value);

	if (token)
		return take_word(walk, token);
	token = due(walk);
	if (token)
		return set_text(walk, token, argument, error);
	return usage(walk, error,
		     walk->request.verb == VERB_NONE ? "unknown verb " : "unexpected argument ",
		     *argument ? argument : "\"\"");
}

static int take_command(struct walk *walk, const struct token *token)
{
	if (token->dashes && streq(walk->argv[walk->index], "--"))
		walk->index++;
	if (walk->index < walk->argc)
		walk->request.command = walk->argv + walk->index;
	walk->index = walk->argc;
	return 0;
}

static int take(struct walk *walk, struct error *error)
{
	const char *argument = walk->argv[walk->index];
	const struct token *token = due(walk);
	const char *value;

	if (token && token->kind == TOKEN_COMMAND) {
		/* What every verb takes may stand before the command; no command is called so. */
		if (find(token_common, argument, &value) &&
		    find(token_common, argument, &value)->kind == TOKEN_OPTION)
			return take_option(walk, error);
		return take_command(walk, token);
	}
	if (!walk->literal && streq(argument, "--")) {
		walk->literal = true;
		return 0;
	}
	if (!walk->literal && argument[0] == '-' && argument[1])
		return take_option(walk, error);
	return take_plain(walk, error);
}

static int check_companions(struct walk *walk, struct error *error)
{
	for (const struct token *token = walk->tokens; token->kind != TOKEN_END; token++) {
		const struct token *flag = walk->tokens;

		if (!token->with || !*text_field(&walk->request, token))
			continue;
		while (flag->field != token->with)
			flag++;
		if (!*flag_field(&walk->request, flag)) {
			CLEANUP(freep) char *text = xasprintf("%s needs ", token->word);

			return usage(walk, error, text, flag->word);
		}
	}
	return 0;
}

static int check_complete(struct walk *walk, struct error *error)
{
	const struct token *token = due(walk);

	if (walk->request.help)
		return 0;
	if (walk->request.verb == VERB_NONE)
		return usage(walk, error,
			     walk->request.path[0] ? "needs a sub-verb" : "needs a verb", "");
	if (token && (token->kind == TOKEN_OPERAND ? !token->with && !token->optional
						   : !walk->request.command))
		return usage(walk, error, "needs ", token->word);
	return check_companions(walk, error);
}

int cli_parse(int argc, char **argv, struct request *ret_request, struct error *error)
{
	struct walk walk = { .argc = argc, .argv = argv, .index = 1, .tokens = token_verbs };
	int r;

	for (; walk.index < argc; walk.index++)
		if ((r = take(&walk, error)) < 0)
			return r;
	if ((r = check_complete(&walk, error)) < 0)
		return r;
	*ret_request = walk.request;
	return 0;
}
