/* What a shell offers at the tab key: see completion.h. */
#include "cli/completion.h"

#include "cli/tokens.h"
#include "client/client.h"

#include <ctype.h>

static const char bash[] =
	"_minivpc()\n"
	"{\n"
	"	local word about\n"
	"	COMPREPLY=()\n"
	"	while IFS=$'\\t' read -r word about; do\n"
	"		if [[ $word == :files ]]; then\n"
	"			compopt -o default 2>/dev/null\n"
	"		else\n"
	"			COMPREPLY+=(\"$word\")\n"
	"		fi\n"
	"	done < <(\"$1\" complete -- \"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null)\n"
	"}\n"
	"complete -F _minivpc minivpc\n";

static const char zsh[] =
	"#compdef minivpc\n"
	"_minivpc()\n"
	"{\n"
	"	local word about\n"
	"	local -a found\n"
	"	while IFS=$'\\t' read -r word about; do\n"
	"		if [[ $word == :files ]]; then\n"
	"			_files\n"
	"		else\n"
	"			found+=(\"${word//:/\\\\:}:$about\")\n"
	"		fi\n"
	"	done < <(\"${words[1]}\" complete -- \"${(@)words[2,CURRENT]}\" 2>/dev/null)\n"
	"	(( $#found )) && _describe minivpc found\n"
	"}\n"
	"if [[ $funcstack[1] == _minivpc ]]; then\n"
	"	_minivpc \"$@\"\n"
	"else\n"
	"	compdef _minivpc minivpc\n"
	"fi\n";

const char *completion_script(const char *shell)
{
	if (streq(shell, "bash"))
		return bash;
	return streq(shell, "zsh") ? zsh : NULL;
}

/* Where the words before the last one have led. */
struct walk {
	const struct token *tokens;
	const struct token *value_of; /* an option that waits for its value */
	size_t operands;	      /* there already */
	bool literal;		      /* after "--" */
	bool in_command;	      /* what comes belongs to a command that is run */
	const char *state;
};

/* ---- candidates ---- */

/* No shell sees anything in it but a word: whoever may name a thing may not type for others. */
static bool is_plain(const char *text)
{
	const char *c = text;

	while (isalnum((unsigned char)*c) || (*c && strchr("._-", *c)))
		c++;
	return c > text && *c == '\0' && *text != '-';
}

static void offer(struct buffer *buffer, const char *word, const char *about, const char *prefix)
{
	if (strncmp(word, prefix, strlen(prefix)) == 0)
		buffer_printf(buffer, "%s\t%s\n", word, about);
}

/* "a|b" are its values; what is written in capitals names a kind of value. */
static void offer_values(struct buffer *buffer, const char *argument, const char *prefix)
{
	while (*argument) {
		size_t length = strcspn(argument, "|");
		CLEANUP(freep) char *value = xasprintf("%.*s", (int)length, argument);

		if (islower((unsigned char)*value) && is_plain(value))
			offer(buffer, value, "", prefix);
		argument += length + (argument[length] == '|');
	}
}

/* What an operand's or an option's value may be, by its name in the tables: what the world has. */
static const struct source {
	const char *word, *action, *set, *fields[2];
} sources[] = {
	{ "INSTANCE", "ListInstances", "instanceSet", { "name", "instanceId" } },
	{ "TARGET", "ListInstances", "instanceSet", { "name", "instanceId" } },
	{ "HOST", "ListInternetHosts", "hostSet", { "name" } },
	{ "IMAGE", "ListImages", "imageSet", { "name", "imageId" } },
	{ "ID", "ListAccounts", "accountSet", { "account" } },
	{ "VPC", "GetTopology", "vpcs", { "vpcId" } },
};

/* The daemon's answer; NULL when none runs or it says no. */
static struct reply *ask(const char *state, const char *action)
{
	const struct parameter none[] = { { NULL, NULL } };
	struct error ignored = ERROR_INIT;
	struct reply *reply = NULL;
	struct client client;
	struct paths paths;

	if (paths_for(state, &paths, &ignored) < 0 || client_open(&paths, &client, &ignored) < 0 ||
	    client_call(&client, action, none, &reply, &ignored) < 0)
		return NULL;
	return reply;
}

static void offer_things(struct buffer *buffer, const struct source *source, const char *state,
			 const char *prefix)
{
	CLEANUP(reply_freep) struct reply *reply = ask(state, source->action);

	if (!reply)
		return;
	for (const void *item = NULL; (item = reply_next(reply, source->set, item));)
		for (size_t i = 0; i < ARRAY_SIZE(source->fields) && source->fields[i]; i++) {
			const char *text = reply_item_value(item, source->fields[i]);
			const char *other = reply_item_value(
				item, source->fields[!i] ? source->fields[!i] : "");

			if (text && is_plain(text) &&
			    !streq(reply_item_value(item, "state"), "terminated"))
				offer(buffer, text, other && is_plain(other) ? other : "", prefix);
		}
}

/* By the name that the usage text has for it. */
static void offer_named(struct buffer *buffer, const char *word, const char *state,
			const char *prefix)
{
	static const char *const files[] = { "DIR", "FILE|-", "PATH", "SRC", "DST" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (streq(files[i], word))
			buffer_puts(buffer, ":files\n");
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
		if (streq(sources[i].word, word))
			offer_things(buffer, &sources[i], state, prefix);
	offer_values(buffer, word, prefix);
}

/* ---- the way there ---- */

static const struct token *find_token(const struct token *tokens, const char *word)
{
	for (; tokens->kind != TOKEN_END; tokens++)
		if (tokens->kind != TOKEN_OPERAND && tokens->kind != TOKEN_COMMAND &&
		    streq(tokens->word, word))
			return tokens;
	return NULL;
}

/* The operand that is due, or the command; NULL when nothing is. */
static const struct token *due(const struct walk *walk)
{
	size_t operands = 0;

	for (const struct token *token = walk->tokens; token->kind != TOKEN_END; token++)
		if ((token->kind == TOKEN_OPERAND && operands++ == walk->operands) ||
		    token->kind == TOKEN_COMMAND)
			return token;
	return NULL;
}

static void take_plain(struct walk *walk)
{
	const struct token *token = due(walk);

	if (token && token->kind == TOKEN_COMMAND)
		walk->in_command = true;
	else
		walk->operands++;
}

static void take(struct walk *walk, const char *word)
{
	const struct token *token;

	if (streq(word, "=")) /* bash has cut --state=DIR into three */
		return;
	if (walk->value_of) {
		if (streq(walk->value_of->word, "--state"))
			walk->state = word;
		walk->value_of = NULL;
		return;
	}
	if (strncmp(word, "--state=", 8) == 0 && !walk->in_command) {
		walk->state = word + 8;
		return;
	}
	token = walk->in_command || walk->literal ? NULL : find_token(walk->tokens, word);
	if (!token && !walk->in_command && !walk->literal)
		token = find_token(token_common, word);
	if (streq(word, "--"))
		walk->literal = true;
	else if (!token && (*word != '-' || walk->literal))
		take_plain(walk);
	else if (token && (token->kind == TOKEN_WORD || token->kind == TOKEN_HELP))
		walk->tokens = token->next;
	else if (token && (token->kind == TOKEN_OPTION || token->kind == TOKEN_LIST))
		walk->value_of = token;
}

static void offer_tokens(struct buffer *buffer, const struct token *tokens, const char *prefix)
{
	for (; tokens->kind != TOKEN_END; tokens++)
		if (tokens->help && tokens->kind != TOKEN_OPERAND &&
		    tokens->kind != TOKEN_COMMAND && (*tokens->word == '-') == (*prefix == '-'))
			offer(buffer, tokens->word, tokens->help, prefix);
}

void completion_list(char *const *words, const char *state, struct buffer *buffer)
{
	struct walk walk = { .tokens = token_verbs, .state = state };
	const struct token *token;

	for (; words[0] && words[1]; words++)
		take(&walk, *words);
	if (!words[0])
		return;
	if (walk.value_of) {
		offer_named(buffer, walk.value_of->argument, walk.state,
			    streq(*words, "=") ? "" : *words);
		return;
	}
	if (walk.in_command) {
		buffer_puts(buffer, ":files\n");
		return;
	}
	if (!walk.literal) {
		offer_tokens(buffer, walk.tokens, *words);
		offer_tokens(buffer, token_common, *words);
	}
	token = due(&walk);
	if (token && token->kind == TOKEN_COMMAND)
		buffer_puts(buffer, ":files\n");
	else if (token && (walk.literal || **words != '-'))
		offer_named(buffer, token->word, walk.state, *words);
}
