/*
 * A command line of the AWS CLI: see line.h. What is an option and how far its values go is as
 * Python's argparse has it: a word with a dash in front is one, but for numbers and what has
 * spaces.
 */
#include "aws/line.h"

#include "aws/extra.h"
#include "base/nearest.h"

#include <errno.h>

/* What every verb takes. */
enum global {
	GLOBAL_TEXT,	/* its value goes to the field */
	GLOBAL_IGNORED, /* nothing there to be done about it; with a value */
	GLOBAL_FLAG,	/* the same without a value */
	GLOBAL_PAGES,
	GLOBAL_REFUSED,
};

#define FIELD(name) offsetof(struct aws_line, name)

static const struct {
	const char *name;
	enum global kind;
	size_t field;
	const char *choices; /* "": any */
	const char *instead; /* what to do when it's refused */
} globals[] = {
	{ "region", GLOBAL_TEXT, FIELD(region), "", NULL },
	{ "profile", GLOBAL_TEXT, FIELD(profile), "", NULL },
	{ "output", GLOBAL_TEXT, FIELD(output), "json text table", NULL },
	{ "query", GLOBAL_TEXT, FIELD(query), "", NULL },
	{ "endpoint-url", GLOBAL_TEXT, FIELD(endpoint), "", NULL },
	{ "cli-binary-format", GLOBAL_TEXT, FIELD(binary_format), "base64 raw-in-base64-out",
	  NULL },
	{ "cli-input-json", GLOBAL_TEXT, FIELD(input), "", NULL },
	{ "no-paginate", GLOBAL_PAGES, 0, "", NULL },
	{ "color", GLOBAL_IGNORED, FIELD(ignored), "on off auto", NULL },
	{ "ca-bundle", GLOBAL_IGNORED, FIELD(ignored), "", NULL },
	{ "cli-read-timeout", GLOBAL_IGNORED, FIELD(ignored), "", NULL },
	{ "cli-connect-timeout", GLOBAL_IGNORED, FIELD(ignored), "", NULL },
	{ "no-cli-pager", GLOBAL_FLAG, 0, "", NULL },
	{ "no-cli-auto-prompt", GLOBAL_FLAG, 0, "", NULL },
	{ "no-verify-ssl", GLOBAL_FLAG, 0, "", NULL },
	{ "debug", GLOBAL_FLAG, 0, "", NULL },
	{ "no-sign-request", GLOBAL_REFUSED, 0, "", "leave it out" },
	{ "cli-auto-prompt", GLOBAL_REFUSED, 0, "", "leave it out" },
	{ "cli-input-yaml", GLOBAL_REFUSED, 0, "", "use --cli-input-json, or minivpc aws" },
	{ "generate-cli-skeleton", GLOBAL_REFUSED, 0, "", "use minivpc aws" },
};

struct walk {
	struct aws_model *model;
	struct aws_line *line;
	struct aws_failure *failure;
	char **words;
};

/* "minivpc: ec2 create-vpc: TEXT: try minivpc ec2 create-vpc help" */
static int usage(const struct walk *walk, const char *format, ...) PRINTF(2, 3);
static int usage(const struct walk *walk, const char *format, ...)
{
	const char *service = aws_model_name(walk->model);
	const char *verb = walk->line->action ? walk->line->action->verb : "";
	const char *wait = walk->line->waiter ? "wait " : "", *gap = *verb ? " " : "";
	CLEANUP(freep) char *text = NULL;
	va_list arguments;

	if (walk->line->waiter)
		verb = walk->line->service_word;
	va_start(arguments, format);
	text = xvasprintf(format, arguments);
	va_end(arguments);
	return aws_fail(walk->failure, AWS_USAGE,
			"minivpc: %s%s%s%s: %s%s try minivpc %s%s%s%s help", service, gap, wait,
			verb, text, text[strlen(text) - 1] == '?' ? "" : ":", service, gap, wait,
			verb);
}

void aws_line_add(struct aws_line *line, const char *name, enum aws_takes takes,
		  const struct aws_member *member)
{
	*array_grow(&line->options, &line->option_count) =
		(struct aws_option){ .name = xstrdup(name), .takes = takes, .member = member };
}

static void add_pair(struct aws_line *line, const struct aws_member *member, enum aws_takes takes)
{
	static const char *const renamed[][2] = {
		{ "no-egress", "ingress" },
		{ "no-disable-api-termination", "enable-api-termination" },
	};
	CLEANUP(freep) char *no = xasprintf("no-%s", member->option);
	const char *name = no;

	for (size_t i = 0; i < ARRAY_SIZE(renamed); i++)
		if (streq(no, renamed[i][0]))
			name = renamed[i][1];
	aws_line_add(line, member->option, takes, member);
	aws_line_add(line, name, AWS_TAKES_NO, member);
}

/* A structure of nothing but a `Value` that is true or false: it can do without one. */
static bool is_switch(struct aws_model *model, const struct aws_member *member)
{
	const struct aws_shape *shape = aws_model_inside(model, member);

	return shape && !member->lists && shape->count == 1 && shape->members[0].type == 'b' &&
	       streq(shape->members[0].name, "Value");
}

void aws_line_options(struct aws_model *model, struct aws_line *line)
{
	const struct aws_shape *shape = aws_model_shape(model, line->action->input);

	for (size_t i = 0; shape && i < shape->count; i++) {
		const struct aws_member *member = &shape->members[i];

		if (is_switch(model, member))
			add_pair(line, member, AWS_TAKES_MAYBE);
		else if (member->type == 'b' && !member->lists)
			add_pair(line, member, AWS_TAKES_YES);
		else
			aws_line_add(line, member->option,
				     member->lists ? AWS_TAKES_MANY : AWS_TAKES_ONE, member);
	}
	if (!streq(line->action->results, "-")) {
		aws_line_add(line, "starting-token", AWS_TAKES_ONE, NULL);
		aws_line_add(line, "max-items", AWS_TAKES_ONE, NULL);
		if (line->action->limited)
			aws_line_add(line, "page-size", AWS_TAKES_ONE, NULL);
	}
	if (streq(aws_model_name(model), "ec2"))
		aws_extra_options(line);
}

/* -1, -.5 */
static bool is_number(const char *word)
{
	size_t whole = strspn(word + 1, "0123456789");
	const char *rest = word + 1 + whole;

	if (!*rest)
		return whole > 0;
	return *rest == '.' && rest[1] && !rest[1 + strspn(rest + 1, "0123456789")];
}

static bool is_option(const char *word)
{
	const char *space = strchr(word, ' '), *equals = strchr(word, '=');

	return word[0] == '-' && word[1] && !is_number(word) &&
	       (!space || (equals && equals < space));
}

/*
 * An option by its name, or as much of its beginning as no other has: an index into the verb's
 * options, or behind them into `globals`. -ENOENT: none, -EEXIST: several.
 */
static int find_option(const struct aws_line *line, const char *name, size_t length)
{
	const size_t count = line->option_count + ARRAY_SIZE(globals);
	int found = -ENOENT;

	for (size_t i = 0; i < count; i++) {
		const char *option = i < line->option_count ? line->options[i].name
							    : globals[i - line->option_count].name;

		if (strncmp(option, name, length) != 0)
			continue;
		if (!option[length])
			return (int)i;
		found = found == -ENOENT ? (int)i : -EEXIST;
	}
	return found;
}

static int unknown_option(const struct walk *walk, const char *word)
{
	const struct aws_line *line = walk->line;
	CLEANUP(freep) char *name = xstrdup(word + strspn(word, "-"));
	struct nearest nearest = nearest_to(name);

	name[strcspn(name, "=")] = '\0';
	for (size_t i = 0; i < line->option_count; i++)
		nearest_try(&nearest, line->options[i].name);
	for (size_t i = 0; i < ARRAY_SIZE(globals); i++)
		nearest_try(&nearest, globals[i].name);
	if (nearest.word)
		return usage(walk, "unknown option --%s: did you mean --%s?", name, nearest.word);
	return usage(walk, "unknown option %s", word);
}

/* Is it one of the words? Then *ret_words is set to those that there are. */
static bool is_choice(const char *choices, const char *value)
{
	const char *found = *value ? strstr(choices, value) : NULL;
	const size_t length = strlen(value);

	return !*choices || (found && (found == choices || found[-1] == ' ') &&
			     (!found[length] || found[length] == ' '));
}

static int take_global(struct walk *walk, size_t index, const char *glued)
{
	const char *name = globals[index].name, *value = glued;

	switch (globals[index].kind) {
	case GLOBAL_REFUSED:
		return usage(walk, "--%s is not supported: %s", name, globals[index].instead);
	case GLOBAL_PAGES:
		walk->line->no_pages = true;
		return 0;
	case GLOBAL_FLAG:
		return 0;
	default:
		break;
	}
	if (!value) {
		if (!*walk->words || is_option(*walk->words))
			return usage(walk, "argument --%s: expected one argument", name);
		value = *walk->words++;
	}
	if (!is_choice(globals[index].choices, value))
		return usage(walk, "argument --%s: '%s' is none of: %s", name, value,
			     globals[index].choices);
	*(const char **)(void *)((char *)walk->line + globals[index].field) = value;
	return 0;
}

/* The values that follow an option, in place: they are a run of the command line's own words. */
static int take_values(struct walk *walk, struct aws_option *option, char **glued)
{
	const bool one = option->takes == AWS_TAKES_ONE || option->takes == AWS_TAKES_MAYBE;

	option->given = true;
	option->words = walk->words;
	option->count = 0;
	if (option->takes == AWS_TAKES_YES || option->takes == AWS_TAKES_NO)
		return glued ? usage(walk, "argument --%s: ignored explicit argument '%s'",
				     option->name, *glued)
			     : 0;
	if (glued) {
		option->words = glued;
		option->count = 1;
		return 0;
	}
	while (*walk->words && !is_option(*walk->words) && !(one && option->count)) {
		walk->words++;
		option->count++;
	}
	if (option->takes == AWS_TAKES_ONE && option->count == 0)
		return usage(walk, "argument --%s: expected one argument", option->name);
	return 0;
}

static int take_option(struct walk *walk)
{
	char **word = walk->words++;
	char *name = *word + strspn(*word, "-"), *equals = strchr(name, '=');
	const size_t length = equals ? (size_t)(equals - name) : strlen(name);
	int index = strncmp(*word, "--", 2) == 0 && length ? find_option(walk->line, name, length)
							   : -ENOENT;

	if (index == -EEXIST)
		return usage(walk, "ambiguous option: %s", *word);
	if (index < 0)
		return unknown_option(walk, *word);
	if ((size_t)index >= walk->line->option_count)
		return take_global(walk, (size_t)index - walk->line->option_count,
				   equals ? equals + 1 : NULL);
	/* What is glued on takes the word's place. */
	if (equals)
		*word = equals + 1;
	return take_values(walk, &walk->line->options[index], equals ? word : NULL);
}

static int unknown_verb(const struct walk *walk, const char *word)
{
	struct nearest nearest = nearest_to(word);
	const struct aws_action *action;

	for (size_t i = 0; (action = aws_model_action(walk->model, i)); i++)
		nearest_try(&nearest, action->verb);
	if (nearest.word)
		return usage(walk, "unknown verb %s: did you mean %s?", word, nearest.word);
	return usage(walk, "unknown verb %s", *word ? word : "\"\"");
}

static int take_waiter(struct walk *walk, const char *word)
{
	CLEANUP(buffer_clear) struct buffer waiters = BUFFER_INIT;
	struct nearest nearest = nearest_to(word);

	if (aws_model_waiter(walk->model, word, &walk->line->waiter)) {
		walk->line->action = aws_model_find(walk->model, walk->line->waiter[1]);
		return 0;
	}
	aws_model_waiters(walk->model, &waiters);
	for (char *line = waiters.data ? strtok(waiters.data, "\n") : NULL; line;
	     line = strtok(NULL, "\n"))
		nearest_try(&nearest, line);
	if (nearest.word)
		return usage(walk, "unknown waiter %s: did you mean %s?", word, nearest.word);
	return usage(walk, "unknown waiter %s", word);
}

/* The words that lead to an action: a verb, or "wait" and what for. */
static int take_verb(struct walk *walk, const char *word)
{
	struct aws_line *line = walk->line;
	int r = 0;

	if (streq(word, "help")) {
		line->help = true;
		return 0;
	}
	if (streq(line->service_word, "wait"))
		r = take_waiter(walk, word);
	else if (!streq(word, "wait") && !(line->action = aws_model_find(walk->model, word)))
		r = unknown_verb(walk, word);
	line->service_word = word;
	if (r == 0 && line->action)
		aws_line_options(walk->model, line);
	return r;
}

static int check_needed(const struct walk *walk)
{
	CLEANUP(buffer_clear) struct buffer missing = BUFFER_INIT;
	const struct aws_line *line = walk->line;

	for (size_t i = 0; i < line->option_count; i++) {
		const struct aws_option *option = &line->options[i];

		/* A switch can be given in two ways: the request is looked at for that. */
		if (option->member && option->member->needed && !option->given &&
		    (option->takes == AWS_TAKES_ONE || option->takes == AWS_TAKES_MANY))
			buffer_printf(&missing, "%s--%s", missing.length ? ", " : "", option->name);
	}
	if (missing.length && !line->input)
		return usage(walk, "the following arguments are required: %s", missing.data);
	return 0;
}

static int take(struct walk *walk)
{
	const char *word = *walk->words;

	if (is_option(word) && !streq(word, "--help") && !streq(word, "-h"))
		return take_option(walk);
	walk->words++;
	if (streq(word, "--help") || streq(word, "-h") ||
	    (walk->line->action && streq(word, "help")))
		walk->line->help = true;
	else if (walk->line->action)
		return usage(walk, "unexpected argument %s", *word ? word : "\"\"");
	else
		return take_verb(walk, word);
	return 0;
}

int aws_line_read(struct aws_model *model, char **words, struct aws_line *ret_line,
		  struct aws_failure *failure)
{
	struct walk walk = { model, ret_line, failure, words };
	int r;

	*ret_line = (struct aws_line){ 0 };
	while (*walk.words)
		if ((r = take(&walk)) < 0)
			return r;
	if (ret_line->help)
		return 0;
	if (!ret_line->action)
		return usage(&walk,
			     ret_line->service_word ? "needs what to wait for" : "needs a verb");
	if ((r = check_needed(&walk)) < 0)
		return r;
	return aws_extra_check(ret_line, failure);
}

void aws_line_clear(struct aws_line *line)
{
	for (size_t i = 0; i < line->option_count; i++)
		free(line->options[i].name);
	free(line->options);
	aws_words_freep(&line->waiter);
}

const struct aws_option *aws_line_given(const struct aws_line *line, const char *name)
{
	for (size_t i = 0; i < line->option_count; i++)
		if (line->options[i].given && streq(line->options[i].name, name))
			return &line->options[i];
	return NULL;
}

/* User data is text that RunInstances wants in base64. */
static int read_user_data(const struct aws_reading *reading, const struct aws_option *option,
			  json_t **ret_json)
{
	const struct aws_reading raw = { reading->model, true, reading->failure };
	struct aws_member bytes = *option->member;

	bytes.type = 'x';
	return aws_value_read(&raw, &bytes, "--user-data", option->words, option->count, ret_json);
}

static bool is_user_data(const struct aws_line *line, const struct aws_member *member)
{
	return streq(line->action->name, "RunInstances") && streq(member->name, "UserData");
}

static int read_option(const struct aws_reading *reading, const struct aws_line *line,
		       const struct aws_option *option, json_t **ret_json)
{
	const bool on = option->takes == AWS_TAKES_YES || option->takes == AWS_TAKES_MAYBE;
	CLEANUP(freep) char *dashed = xasprintf("--%s", option->name);

	if (is_user_data(line, option->member))
		return read_user_data(reading, option, ret_json);
	if (option->count || option->takes == AWS_TAKES_MANY)
		return aws_value_read(reading, option->member, dashed, option->words, option->count,
				      ret_json);
	*ret_json = option->member->type == 'S' ? json_pack("{s:b}", "Value", (int)on)
						: json_boolean(on);
	return 0;
}

/* Those of --cli-input-json that no option gives. */
static int read_input(const struct aws_reading *reading, const struct aws_line *line,
		      json_t *parameters)
{
	const struct aws_shape *shape = aws_model_shape(reading->model, line->action->input);
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;
	CLEANUP(aws_json_freep) json_t *json = NULL;
	const json_t *data;
	bool binary;
	int r = aws_value_load(reading, "--cli-input-json", line->input, &text, &binary);

	if (r < 0)
		return r;
	json = json_loads(text.data ? text.data : "", 0, NULL);
	if (!json_is_object(json))
		return aws_fail(reading->failure, AWS_USAGE,
				"Error parsing parameter 'cli-input-json': Invalid JSON received.");
	if (shape && (r = aws_value_encode(reading, shape, json)) < 0)
		return r;
	data = json_object_get(json, "UserData");
	if (json_is_string(data) && streq(line->action->name, "RunInstances"))
		json_object_set_new(
			json, "UserData",
			aws_value_base64(json_string_value(data), json_string_length(data)));
	json_object_update_missing(parameters, json);
	return 0;
}

int aws_line_parameters(struct aws_model *model, const struct aws_line *line,
			json_t **ret_parameters, struct aws_failure *failure)
{
	const struct aws_reading reading = { model, streq(line->binary_format, "raw-in-base64-out"),
					     failure };
	CLEANUP(aws_json_freep) json_t *parameters = json_object();
	int r = 0;

	for (size_t i = 0; r == 0 && i < line->option_count; i++) {
		const struct aws_option *option = &line->options[i];
		json_t *value = NULL;

		if (!option->given)
			continue;
		if (!option->member) {
			r = aws_extra_apply(line, option, parameters, failure);
			continue;
		}
		r = read_option(&reading, line, option, &value);
		if (r == 0)
			json_object_set_new(parameters, option->member->name, value);
	}
	if (r == 0 && line->input)
		r = read_input(&reading, line, parameters);
	if (r < 0)
		return r;
	aws_extra_finish(line->action, parameters);
	*ret_parameters = steal(&parameters);
	return 0;
}
