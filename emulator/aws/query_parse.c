/*
 * A query's text becomes a tree: a parser by binding powers (Pratt), as the reference
 * implementations of JMESPath are.
 */
#include "aws/query_tree.h"

#include <ctype.h>
#include <errno.h>

#define DEPTH_MAX      64
#define PROJECTION_END 10 /* what binds weaker ends a projection */

enum symbol {
	SYMBOL_END,
	SYMBOL_NAME,
	SYMBOL_QUOTED, /* a name in quotes */
	SYMBOL_VALUE,
	SYMBOL_NUMBER,
	SYMBOL_DOT,
	SYMBOL_STAR,
	SYMBOL_FILTER,	/* [? */
	SYMBOL_FLATTEN, /* [] */
	SYMBOL_LIST,	/* [ */
	SYMBOL_LIST_END,
	SYMBOL_HASH,
	SYMBOL_HASH_END,
	SYMBOL_OPEN,
	SYMBOL_CLOSE,
	SYMBOL_COMMA,
	SYMBOL_COLON,
	SYMBOL_CURRENT,
	SYMBOL_DEFER, /* & */
	SYMBOL_PIPE,
	SYMBOL_OR,
	SYMBOL_AND,
	SYMBOL_NOT,
	SYMBOL_COMPARE,
};

/* How strongly what is on the left belongs to it. */
static const int powers[] = {
	[SYMBOL_PIPE] = 1,    [SYMBOL_OR] = 2,	  [SYMBOL_AND] = 3,	[SYMBOL_COMPARE] = 5,
	[SYMBOL_FLATTEN] = 9, [SYMBOL_STAR] = 20, [SYMBOL_FILTER] = 21, [SYMBOL_DOT] = 40,
	[SYMBOL_NOT] = 45,    [SYMBOL_HASH] = 50, [SYMBOL_LIST] = 55,	[SYMBOL_OPEN] = 60,
};

struct token {
	enum symbol symbol;
	char *text;
	json_t *value;
	long number;
};

struct parser {
	const char *text;
	struct token *tokens; /* ends in SYMBOL_END */
	size_t count, at;
	size_t depth;
	char *wrong; /* the first fault */
};

static struct query_node *parse(struct parser *parser, int power);
static struct query_node *parse_each(struct parser *parser, int power);

static void fail(struct parser *parser, const char *format, ...) PRINTF(2, 3);
static void fail(struct parser *parser, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (!parser->wrong)
		parser->wrong = xvasprintf(format, arguments);
	va_end(arguments);
}

/* --- words ----------------------------------------------------------------------------------- */

/* To the closing quote; "\'" is that quote when `unescape`. NULL: there is none. */
static char *read_quoted(struct parser *parser, const char **text, bool unescape)
{
	const char quote = *(*text)++;
	struct buffer word = BUFFER_INIT;

	for (; **text && **text != quote; ++*text) {
		if (**text == '\\' && (*text)[1]) {
			if (!unescape || (*text)[1] != quote)
				buffer_putc(&word, **text);
			++*text;
		}
		buffer_putc(&word, **text);
	}
	if (**text != quote)
		fail(parser, "Unclosed %c delimiter", quote);
	else
		++*text;
	return buffer_steal(&word);
}

static void read_value(struct parser *parser, struct token *token, const char **text)
{
	const char quote = **text;
	CLEANUP(freep) char *word = read_quoted(parser, text, quote != '"');
	const char *start = word + strspn(word, " \t\n\r");
	CLEANUP(freep) char *literal = NULL;

	if (quote == '\'') {
		token->value = json_string(word);
		return;
	}
	literal = quote == '"' ? xasprintf("\"%s\"", word) : xstrdup(start);
	token->value = json_loads(literal, JSON_DECODE_ANY, NULL);
	/* Words without quotes of their own were literals once. */
	if (!token->value && quote == '`')
		token->value = json_string(start);
	if (!json_is_string(token->value) && quote == '"')
		fail(parser, "Bad quoted name %s", literal);
	if (quote == '"') {
		token->symbol = SYMBOL_QUOTED;
		token->text = xstrdup(json_is_string(token->value) ? json_string_value(token->value)
								   : "");
	}
}

/* The longest first. */
static const struct {
	const char *text;
	enum symbol symbol;
} signs[] = {
	{ "[?", SYMBOL_FILTER },  { "[]", SYMBOL_FLATTEN }, { "||", SYMBOL_OR },
	{ "&&", SYMBOL_AND },	  { "==", SYMBOL_COMPARE }, { "!=", SYMBOL_COMPARE },
	{ "<=", SYMBOL_COMPARE }, { ">=", SYMBOL_COMPARE }, { "<", SYMBOL_COMPARE },
	{ ">", SYMBOL_COMPARE },  { "[", SYMBOL_LIST },	    { "]", SYMBOL_LIST_END },
	{ "{", SYMBOL_HASH },	  { "}", SYMBOL_HASH_END }, { "(", SYMBOL_OPEN },
	{ ")", SYMBOL_CLOSE },	  { ",", SYMBOL_COMMA },    { ":", SYMBOL_COLON },
	{ "@", SYMBOL_CURRENT },  { "&", SYMBOL_DEFER },    { "|", SYMBOL_PIPE },
	{ "!", SYMBOL_NOT },	  { ".", SYMBOL_DOT },	    { "*", SYMBOL_STAR },
};

static void read_sign(struct parser *parser, struct token *token, const char **text)
{
	for (size_t i = 0; i < ARRAY_SIZE(signs); i++) {
		if (strncmp(*text, signs[i].text, strlen(signs[i].text)) != 0)
			continue;
		token->symbol = signs[i].symbol;
		token->text = xstrdup(signs[i].text);
		*text += strlen(signs[i].text);
		return;
	}
	fail(parser, "Unknown token %c", **text);
	++*text;
}

static bool is_name(char c, bool first)
{
	return isalpha((unsigned char)c) || c == '_' || (!first && isdigit((unsigned char)c));
}

static void read_token(struct parser *parser, struct token *token, const char **text)
{
	const char *start = *text;

	if (is_name(*start, true)) {
		while (is_name(**text, false))
			++*text;
		token->symbol = SYMBOL_NAME;
		token->text = xasprintf("%.*s", (int)(*text - start), start);
	} else if (isdigit((unsigned char)*start) ||
		   (*start == '-' && isdigit((unsigned char)start[1]))) {
		char *end;

		token->symbol = SYMBOL_NUMBER;
		token->number = strtol(start, &end, 10);
		token->text = xasprintf("%.*s", (int)(end - start), start);
		*text = end;
	} else if (strchr("'`\"", *start)) {
		token->symbol = SYMBOL_VALUE;
		read_value(parser, token, text);
	} else {
		read_sign(parser, token, text);
	}
}

static void read_tokens(struct parser *parser)
{
	const char *text = parser->text;

	for (text += strspn(text, " \t\r\n"); *text; text += strspn(text, " \t\r\n"))
		read_token(parser, array_grow(&parser->tokens, &parser->count), &text);
	array_grow(&parser->tokens, &parser->count)->symbol = SYMBOL_END;
}

/* --- the tree -------------------------------------------------------------------------------- */

void query_free(struct query_node *node)
{
	if (!node)
		return;
	for (size_t i = 0; i < node->count; i++)
		query_free(node->children[i]);
	free(node->children);
	free(node->text);
	json_decref(node->literal);
	free(node);
}

static struct query_node *node_of(enum query_kind kind, const char *text)
{
	struct query_node *node = xcalloc(1, sizeof(*node));

	node->kind = kind;
	node->text = xstrdup_null(text);
	return node;
}

static struct query_node *add(struct query_node *node, struct query_node *child)
{
	*array_grow(&node->children, &node->count) = child;
	return node;
}

static struct query_node *pair(enum query_kind kind, struct query_node *left,
			       struct query_node *right)
{
	return add(add(node_of(kind, NULL), left), right);
}

static const struct token *peek(const struct parser *parser, size_t ahead)
{
	return &parser->tokens[MIN(parser->at + ahead, parser->count - 1)];
}

static const struct token *next(struct parser *parser)
{
	const struct token *token = peek(parser, 0);

	if (token->symbol != SYMBOL_END)
		parser->at++;
	return token;
}

static bool accept(struct parser *parser, enum symbol symbol)
{
	if (peek(parser, 0)->symbol != symbol)
		return false;
	parser->at++;
	return true;
}

static void expect(struct parser *parser, enum symbol symbol, const char *what)
{
	const struct token *token = peek(parser, 0);

	if (!accept(parser, symbol))
		fail(parser, "Expecting: %s, got: %s", what, token->text ? token->text : "the end");
}

/* [a, b] and (a, b): up to `end`, the first bracket is behind us. */
static void parse_items(struct parser *parser, enum symbol end, const char *what,
			struct query_node *node)
{
	if (end == SYMBOL_CLOSE && accept(parser, end))
		return;
	do {
		add(node, parse(parser, 0));
	} while (!parser->wrong && accept(parser, SYMBOL_COMMA));
	expect(parser, end, what);
}

/* {x: a, y: b} */
static struct query_node *parse_hash(struct parser *parser)
{
	struct query_node *node = node_of(QUERY_HASH, NULL);

	node->literal = json_array();
	do {
		const struct token *key = next(parser);

		if (key->symbol != SYMBOL_NAME && key->symbol != SYMBOL_QUOTED)
			fail(parser, "Expecting a key");
		json_array_append_new(node->literal, json_string(key->text ? key->text : ""));
		expect(parser, SYMBOL_COLON, ":");
		add(node, parse(parser, 0));
	} while (!parser->wrong && accept(parser, SYMBOL_COMMA));
	expect(parser, SYMBOL_HASH_END, "}");
	return node;
}

static struct query_node *parse_list(struct parser *parser)
{
	struct query_node *node = node_of(QUERY_LIST, NULL);

	parse_items(parser, SYMBOL_LIST_END, "]", node);
	return node;
}

/* What may follow a dot. */
static struct query_node *parse_after_dot(struct parser *parser, int power)
{
	switch (peek(parser, 0)->symbol) {
	case SYMBOL_NAME:
	case SYMBOL_QUOTED:
	case SYMBOL_STAR:
		return parse(parser, power);
	case SYMBOL_LIST:
		parser->at++;
		return parse_list(parser);
	case SYMBOL_HASH:
		parser->at++;
		return parse_hash(parser);
	default:
		fail(parser, "Expecting a name after the dot");
		return node_of(QUERY_IDENTITY, NULL);
	}
}

/* What is done with each that a projection found. */
static struct query_node *parse_each(struct parser *parser, int power)
{
	const enum symbol symbol = peek(parser, 0)->symbol;

	if (symbol == SYMBOL_LIST || symbol == SYMBOL_FILTER)
		return parse(parser, power);
	if (accept(parser, SYMBOL_DOT))
		return parse_after_dot(parser, power);
	if (powers[symbol] >= PROJECTION_END)
		fail(parser, "syntax error at %s", peek(parser, 0)->text);
	return node_of(QUERY_IDENTITY, NULL);
}

/* [0], [1:3], [::2]: the bracket is behind us, a number or a colon follows. */
static struct query_node *parse_index(struct parser *parser, struct query_node *left)
{
	struct query_node *node = node_of(QUERY_INDEX, NULL);
	size_t part = 0;

	for (;;) {
		const struct token *token = peek(parser, 0);

		if (accept(parser, SYMBOL_NUMBER)) {
			node->numbers[part] = token->number;
			node->given[part] = true;
		} else if (accept(parser, SYMBOL_COLON) && part < 2) {
			node->kind = QUERY_SLICE;
			part++;
		} else {
			break;
		}
	}
	expect(parser, SYMBOL_LIST_END, "]");
	if (node->given[2] && node->numbers[2] == 0)
		fail(parser, "Invalid slice, step cannot be 0");
	left = pair(QUERY_INTO, left, node);
	if (node->kind == QUERY_INDEX)
		return left;
	return pair(QUERY_EACH, left, parse_each(parser, powers[SYMBOL_STAR]));
}

static struct query_node *parse_filter(struct parser *parser, struct query_node *left)
{
	struct query_node *condition = parse(parser, 0), *right;

	expect(parser, SYMBOL_LIST_END, "]");
	right = peek(parser, 0)->symbol == SYMBOL_FLATTEN
			? node_of(QUERY_IDENTITY, NULL)
			: parse_each(parser, powers[SYMBOL_FILTER]);
	return add(pair(QUERY_FILTER, left, right), condition);
}

static struct query_node *parse_flatten(struct parser *parser, struct query_node *left)
{
	left = add(node_of(QUERY_FLATTEN, NULL), left);
	return pair(QUERY_EACH, left, parse_each(parser, powers[SYMBOL_FLATTEN]));
}

/* After "[": an index, "*]" or a list of several. */
static struct query_node *parse_bracket(struct parser *parser, struct query_node *left)
{
	const enum symbol symbol = peek(parser, 0)->symbol;

	if (symbol == SYMBOL_NUMBER || symbol == SYMBOL_COLON)
		return parse_index(parser, left);
	if (symbol == SYMBOL_STAR && peek(parser, 1)->symbol == SYMBOL_LIST_END) {
		parser->at += 2;
		return pair(QUERY_EACH, left, parse_each(parser, powers[SYMBOL_STAR]));
	}
	/* Several are there only where nothing stands before the bracket. */
	if (left->kind != QUERY_IDENTITY || left->text)
		fail(parser, "Expecting an index, a slice or * in brackets");
	query_free(left);
	return parse_list(parser);
}

/* An expression's beginning. */
static struct query_node *parse_first(struct parser *parser)
{
	const struct token *token = next(parser);
	struct query_node *node;

	switch (token->symbol) {
	case SYMBOL_VALUE:
		node = node_of(QUERY_LITERAL, NULL);
		node->literal = json_incref(token->value);
		return node;
	case SYMBOL_NAME:
	case SYMBOL_QUOTED:
		return node_of(QUERY_FIELD, token->text);
	case SYMBOL_STAR:
		return pair(QUERY_EACH_VALUE, node_of(QUERY_IDENTITY, NULL),
			    peek(parser, 0)->symbol == SYMBOL_LIST_END
				    ? node_of(QUERY_IDENTITY, NULL)
				    : parse_each(parser, powers[SYMBOL_STAR]));
	case SYMBOL_FILTER:
		return parse_filter(parser, node_of(QUERY_IDENTITY, NULL));
	case SYMBOL_FLATTEN:
		return parse_flatten(parser, node_of(QUERY_IDENTITY, NULL));
	case SYMBOL_LIST:
		return parse_bracket(parser, node_of(QUERY_IDENTITY, NULL));
	case SYMBOL_HASH:
		return parse_hash(parser);
	case SYMBOL_OPEN:
		node = parse(parser, 0);
		expect(parser, SYMBOL_CLOSE, ")");
		return node;
	case SYMBOL_NOT:
		return add(node_of(QUERY_NOT, NULL), parse(parser, powers[SYMBOL_NOT]));
	case SYMBOL_CURRENT:
		return node_of(QUERY_IDENTITY, "@");
	case SYMBOL_DEFER:
		return add(node_of(QUERY_DEFERRED, NULL), parse(parser, 0));
	default:
		fail(parser, "Invalid token: %s", token->text ? token->text : "the end");
		return node_of(QUERY_IDENTITY, NULL);
	}
}

/* name(a, b) */
static struct query_node *parse_call(struct parser *parser, struct query_node *left)
{
	if (left->kind != QUERY_FIELD)
		fail(parser, "Invalid function name");
	left->kind = QUERY_FUNCTION;
	parse_items(parser, SYMBOL_CLOSE, ")", left);
	return left;
}

/* What stands on the right of something. */
static struct query_node *parse_more(struct parser *parser, struct query_node *left)
{
	const struct token *token = next(parser);
	const int power = powers[token->symbol];
	struct query_node *node;

	switch (token->symbol) {
	case SYMBOL_DOT:
		if (accept(parser, SYMBOL_STAR))
			return pair(QUERY_EACH_VALUE, left, parse_each(parser, power));
		return pair(QUERY_INTO, left, parse_after_dot(parser, power));
	case SYMBOL_PIPE:
		return pair(QUERY_INTO, left, parse(parser, power));
	case SYMBOL_OR:
		return pair(QUERY_OR, left, parse(parser, power));
	case SYMBOL_AND:
		return pair(QUERY_AND, left, parse(parser, power));
	case SYMBOL_COMPARE:
		node = pair(QUERY_COMPARE, left, parse(parser, power));
		node->text = xstrdup(token->text);
		return node;
	case SYMBOL_OPEN:
		return parse_call(parser, left);
	case SYMBOL_FILTER:
		return parse_filter(parser, left);
	case SYMBOL_FLATTEN:
		return parse_flatten(parser, left);
	case SYMBOL_LIST:
		if (left->kind == QUERY_IDENTITY && !left->text)
			left->text = xstrdup("@");
		return parse_bracket(parser, left);
	default:
		fail(parser, "Invalid token: %s", token->text ? token->text : "the end");
		return left;
	}
}

static struct query_node *parse(struct parser *parser, int power)
{
	struct query_node *node;

	if (parser->depth == DEPTH_MAX)
		fail(parser, "too deep");
	if (parser->wrong)
		return node_of(QUERY_IDENTITY, NULL);
	parser->depth++;
	node = parse_first(parser);
	while (!parser->wrong && power < powers[peek(parser, 0)->symbol])
		node = parse_more(parser, node);
	parser->depth--;
	return node;
}

int query_parse(const char *text, struct query_node **ret_root, char **ret_wrong)
{
	struct parser parser = { .text = text };
	struct query_node *root;

	read_tokens(&parser);
	root = parse(&parser, 0);
	if (peek(&parser, 0)->symbol != SYMBOL_END)
		fail(&parser, "Unexpected token: %s",
		     peek(&parser, 0)->text ? peek(&parser, 0)->text : "a value");
	for (size_t i = 0; i < parser.count; i++) {
		free(parser.tokens[i].text);
		json_decref(parser.tokens[i].value);
	}
	free(parser.tokens);
	if (parser.wrong) {
		query_free(root);
		*ret_wrong = parser.wrong;
		return -EINVAL;
	}
	*ret_root = root;
	return 0;
}
