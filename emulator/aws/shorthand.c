/*
 * The AWS CLI's shorthand: see shorthand.h. Its grammar is told in the AWS CLI's guide ("Using
 * shorthand syntax"):
 *
 *	parameter = key "=" values *( "," key "=" values )
 *	values    = csv / "[" list "]" / "{" key "=" value … "}"
 *
 * A list without brackets ends where what follows a comma has a "=": `a=b,c,d=e` is a list of two.
 */
#include "aws/shorthand.h"

#include <ctype.h>
#include <errno.h>
#include <strings.h>

#define DEPTH_MAX 32

struct parser {
	const struct aws_reading *reading;
	const char *option;
	const char *text;
	size_t at, length;
	size_t depth;
};

static int parse_inner(struct parser *parser, json_t **ret_json);

/* The line of the text that `at` is in, with a mark below; what follows comes behind the mark. */
static int syntax_error(const struct parser *parser, const char *expected, const char *got,
			size_t at)
{
	const char *text = parser->text, *line = text;
	const char *end = strchr(text + at, '\n');

	for (const char *c = text; c < text + at; c++)
		if (*c == '\n')
			line = c + 1;
	if (!end)
		end = text + parser->length;
	return aws_fail(parser->reading->failure, AWS_USAGE,
			"Error parsing parameter '%s': Expected: '%s', received: '%s' for input:\n"
			"%.*s\n%*s^%s",
			parser->option, expected, got, (int)(end - text), text,
			(int)(text + at - line), "", end);
}

static char current(const struct parser *parser)
{
	return parser->text[parser->at];
}

static void skip_spaces(struct parser *parser)
{
	while (current(parser) && isspace((unsigned char)current(parser)))
		parser->at++;
}

static int expect(struct parser *parser, char wanted, bool spaces)
{
	const char expected[] = { wanted, '\0' };
	char got[] = { '\0', '\0' };

	if (spaces)
		skip_spaces(parser);
	got[0] = current(parser);
	if (*got != wanted)
		return syntax_error(parser, expected, *got ? got : "EOF", parser->at);
	parser->at++;
	if (spaces)
		skip_spaces(parser);
	return 0;
}

static char *parse_key(struct parser *parser)
{
	size_t length = strspn(parser->text + parser->at, "abcdefghijklmnopqrstuvwxyz"
							  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
							  "0123456789-_.#/:");
	char *key = xcalloc(length + 1, 1);

	memcpy(key, parser->text + parser->at, length);
	parser->at += length;
	return key;
}

/* May a word begin so? And go on so, the first of a list or one that follows it? */
static bool starts_word(char c)
{
	return c && !isspace((unsigned char)c) && !strchr("\"',=[{", c) &&
	       ((unsigned char)c > 0x20 && c != 0x7f);
}

static bool goes_on(char c, bool first)
{
	return c && !strchr("\"',", c) && !strchr(first ? "]}" : "=", c);
}

static bool is_escaped_comma(const struct parser *parser)
{
	return current(parser) == '\\' && parser->text[parser->at + 1] == ',';
}

/* A word without quotes: white space at its end isn't of it. false: there is none. */
static bool parse_word(struct parser *parser, bool first, struct buffer *word)
{
	if (!is_escaped_comma(parser) && !starts_word(current(parser)))
		return false;
	do {
		if (is_escaped_comma(parser))
			parser->at++;
		buffer_putc(word, parser->text[parser->at++]);
	} while (is_escaped_comma(parser) || goes_on(current(parser), first));
	while (word->length && isspace((unsigned char)word->data[word->length - 1]))
		word->data[--word->length] = '\0';
	return true;
}

static int parse_quoted(struct parser *parser, struct buffer *word)
{
	const char quote = current(parser);
	const size_t start = parser->at++;

	for (; current(parser) && current(parser) != quote; parser->at++) {
		const char next = parser->text[parser->at + 1];

		if (current(parser) == '\\' && (next == quote || next == '\\'))
			parser->at++;
		buffer_putc(word, current(parser));
	}
	if (current(parser) != quote)
		return syntax_error(parser, quote == '"' ? "<double quoted>" : "<singled quoted>",
				    "<none>", start);
	parser->at++;
	return 0;
}

/* One scalar; `first` of a list: it may be empty, and hold a "=". */
static int parse_scalar(struct parser *parser, bool first, json_t **ret_json)
{
	CLEANUP(buffer_clear) struct buffer word = BUFFER_INIT;
	const char c = current(parser);
	int r = 0;

	if (c == '\'' || c == '"')
		r = parse_quoted(parser, &word);
	else if (!parse_word(parser, first, &word) && !first)
		r = syntax_error(parser, "<second>", "<none>", parser->at);
	if (r < 0)
		return r;
	*ret_json = json_stringn(word.data ? word.data : "", word.length);
	if (*ret_json)
		return 0;
	return aws_fail(parser->reading->failure, AWS_USAGE,
			"Error parsing parameter '%s': this is not text in UTF-8", parser->option);
}

/*
 * The rest of a list without brackets, after its first comma. What turns out to be the next key
 * ends it: then we are back at the comma before that.
 */
static int parse_rest(struct parser *parser, json_t *list)
{
	for (;;) {
		json_t *item = NULL;
		size_t comma = parser->at;
		int r = parse_scalar(parser, false, &item);

		skip_spaces(parser);
		if (r == 0 && !current(parser)) {
			json_array_append_new(list, item);
			return 0;
		}
		if (r == 0)
			r = expect(parser, ',', true);
		if (r < 0) {
			json_decref(item);
			if (!current(parser))
				return r;
			parser->at = comma;
			while (parser->text[parser->at] != ',')
				parser->at--;
			return 0;
		}
		json_array_append_new(list, item);
	}
}

static int parse_csv(struct parser *parser, json_t **ret_json)
{
	CLEANUP(aws_json_freep) json_t *list = json_array();
	json_t *first = NULL;
	int r = parse_scalar(parser, true, &first);

	if (r < 0)
		return r;
	json_array_append_new(list, first);
	skip_spaces(parser);
	if (current(parser) == ',' &&
	    ((r = expect(parser, ',', true)) < 0 || (r = parse_rest(parser, list)) < 0))
		return r;
	*ret_json = json_array_size(list) == 1 ? json_incref(first) : steal(&list);
	return 0;
}

/* After a value inside brackets: a comma, unless `end` comes. */
static int parse_comma(struct parser *parser, char end)
{
	int r;

	skip_spaces(parser);
	if (current(parser) == end)
		return 0;
	if ((r = expect(parser, ',', false)) < 0)
		return r;
	skip_spaces(parser);
	return 0;
}

static int parse_list(struct parser *parser, json_t **ret_json)
{
	CLEANUP(aws_json_freep) json_t *list = json_array();
	int r = expect(parser, '[', true);

	while (r == 0 && current(parser) != ']') {
		json_t *item = NULL;

		if ((r = parse_inner(parser, &item)) == 0) {
			json_array_append_new(list, item);
			r = parse_comma(parser, ']');
		}
	}
	if (r < 0 || (r = expect(parser, ']', false)) < 0)
		return r;
	*ret_json = steal(&list);
	return 0;
}

static int parse_hash(struct parser *parser, json_t **ret_json)
{
	CLEANUP(aws_json_freep) json_t *hash = json_object();
	int r = expect(parser, '{', true);

	while (r == 0 && current(parser) != '}') {
		CLEANUP(freep) char *key = parse_key(parser);
		json_t *value = NULL;

		r = expect(parser, '=', true);
		if (r == 0 && (r = parse_inner(parser, &value)) == 0) {
			json_object_set_new(hash, key, value);
			r = parse_comma(parser, '}');
		}
	}
	if (r < 0 || (r = expect(parser, '}', false)) < 0)
		return r;
	*ret_json = steal(&hash);
	return 0;
}

/* What may stand inside brackets. */
static int parse_inner(struct parser *parser, json_t **ret_json)
{
	int r;

	if (parser->depth == DEPTH_MAX)
		return aws_fail(parser->reading->failure, AWS_USAGE,
				"Error parsing parameter '%s': brackets too deep", parser->option);
	parser->depth++;
	if (current(parser) == '[')
		r = parse_list(parser, ret_json);
	else if (current(parser) == '{')
		r = parse_hash(parser, ret_json);
	else
		r = parse_scalar(parser, true, ret_json);
	parser->depth--;
	return r;
}

static int parse_pair(struct parser *parser, size_t last, json_t *pairs)
{
	CLEANUP(freep) char *key = parse_key(parser);
	json_t *value = NULL;
	int r = expect(parser, '=', true);

	if (r < 0)
		return r;
	if (current(parser) == '[' || current(parser) == '{')
		r = parse_inner(parser, &value);
	else
		r = parse_csv(parser, &value);
	if (r < 0)
		return r;
	if (json_object_get(pairs, key)) {
		json_decref(value);
		return aws_fail(parser->reading->failure, AWS_USAGE,
				"Error parsing parameter '%s': Second instance of key \"%s\" "
				"encountered for input:\n%s\n%*s^\nThis is often because there is "
				"a preceding \",\" instead of a space.",
				parser->option, key, parser->text, (int)last + 1, "");
	}
	json_object_set_new(pairs, key, value);
	return 0;
}

/* A scalar, which is text still, as the type that the model has for it. */
static int convert_scalar(const struct aws_reading *reading, const struct aws_member *member,
			  json_t *json, json_t **ret_new)
{
	const char *text = json_string_value(json);
	char *end;

	if (!text)
		return 0;
	if (member->type == 'b' && strcasecmp(text, "true") == 0)
		*ret_new = json_true();
	else if (member->type == 'b' && strcasecmp(text, "false") == 0)
		*ret_new = json_false();
	if (member->type != 'i' && member->type != 'd')
		return 0;
	*ret_new = member->type == 'i' ? json_integer(strtoll(text, &end, 10))
				       : json_real(strtod(text, &end));
	if (*text && !*end)
		return 0;
	json_decref(*ret_new);
	*ret_new = NULL;
	return aws_fail(reading->failure, AWS_FAILED,
			member->type == 'i' ? "invalid literal for int() with base 10: '%s'"
					    : "could not convert string to float: '%s'",
			text);
}

static int convert(const struct aws_reading *reading, const struct aws_shape *shape, json_t *json);

/* `lists`: how many there are still around what the member is. */
static int convert_value(const struct aws_reading *reading, const struct aws_member *member,
			 size_t lists, json_t *json, json_t **ret_new)
{
	json_t *item;
	size_t i;

	if (lists && !json_is_array(json)) {
		/* "Values=a" is a list of one. What it holds stays as it was typed. */
		*ret_new = json_pack("[O]", json);
		return 0;
	}
	if (!lists)
		return member->type == 'S'
			       ? convert(reading, aws_model_inside(reading->model, member), json)
			       : convert_scalar(reading, member, json, ret_new);
	json_array_foreach(json, i, item)
	{
		json_t *new = NULL;
		int r = convert_value(reading, member, lists - 1, item, &new);

		if (r < 0)
			return r;
		if (new)
			json_array_set_new(json, i, new);
	}
	return 0;
}

static int convert(const struct aws_reading *reading, const struct aws_shape *shape, json_t *json)
{
	for (size_t i = 0; json_is_object(json) && i < shape->count; i++) {
		const struct aws_member *member = &shape->members[i];
		json_t *value = json_object_get(json, member->name), *new = NULL;
		int r = value ? convert_value(reading, member, member->lists, value, &new) : 0;

		if (r < 0)
			return r;
		if (new)
			json_object_set_new(json, member->name, new);
	}
	return 0;
}

int aws_shorthand_read(const struct aws_reading *reading, const struct aws_shape *shape,
		       const char *option, const char *text, json_t **ret_json)
{
	struct parser parser = {
		.reading = reading, .option = option, .text = text, .length = strlen(text)
	};
	CLEANUP(aws_json_freep) json_t *pairs = json_object();
	int r = parse_pair(&parser, 0, pairs);

	while (r == 0 && current(&parser)) {
		size_t last = parser.at;

		r = expect(&parser, ',', true);
		if (r == 0)
			r = parse_pair(&parser, last, pairs);
	}
	if (r < 0 || (r = convert(reading, shape, pairs)) < 0)
		return r;
	*ret_json = steal(&pairs);
	return 0;
}
