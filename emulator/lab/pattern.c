/*
 * Java's regular expressions said in POSIX's: see pattern.h. Brackets are read into sets of bytes
 * and written again, for a backslash is no escape in POSIX's. The size an expression grows to, with
 * all its repetitions written out, is bounded: glibc does write them out.
 */
#include "lab/pattern.h"

#include "base/buffer.h"

#include <errno.h>
#include <regex.h>

#define LENGTH_MAX   2048
#define DEPTH_MAX    50
#define EXPANDED_MAX 4096
#define REPEAT_MAX   4096

struct pattern {
	regex_t regex;
};

struct translation {
	const char *at;
	struct buffer posix;
	size_t sizes[DEPTH_MAX]; /* of the groups that are open */
	size_t last;		 /* of what a repetition repeats; 0: there is nothing */
	unsigned int depth;
	const char *reason;
};

typedef bool byte_set[256];

static int refuse(struct translation *translation, const char *reason)
{
	translation->reason = reason;
	return -EINVAL;
}

/* ---- sets ---- */

static void set_range(byte_set set, unsigned int from, unsigned int to)
{
	for (unsigned int c = from; c <= to; c++)
		set[c] = true;
}

static void set_texts(byte_set set, const char *bytes)
{
	for (; *bytes; bytes++)
		set[(unsigned char)*bytes] = true;
}

/* \d, \w, \s and what they are not; false: it is none of them. */
static bool set_class(byte_set set, char name)
{
	byte_set class = { false };

	if (!strchr("dDwWsS", name))
		return false;
	if (strchr("dDwW", name))
		set_range(class, '0', '9');
	if (strchr("wW", name)) {
		set_range(class, 'a', 'z');
		set_range(class, 'A', 'Z');
		set_texts(class, "_");
	}
	if (strchr("sS", name))
		set_texts(class, " \t\n\v\f\r");
	for (unsigned int c = 1; c < 256; c++)
		set[c] = set[c] || class[c] == (name >= 'a');
	return true;
}

/* A bracket in C's locale: ']' first, '^' not first, '[' before nothing that it opens a class with,
 * '-' last. */
static void put_set(struct buffer *posix, const byte_set set)
{
	unsigned int count = 0;

	for (unsigned int c = 1; c < 256; c++)
		count += set[c];
	if (count == 1 && set['^']) {
		buffer_puts(posix, "\\^");
		return;
	}
	buffer_puts(posix, set[']'] ? "[]" : "[");
	for (unsigned int c = 1; c < 256; c++)
		if (set[c] && !strchr("]^[-", (int)c))
			buffer_putc(posix, (char)c);
	buffer_puts(posix, set['['] ? "[" : "");
	buffer_puts(posix, set['^'] ? "^" : "");
	buffer_puts(posix, set['-'] ? "-]" : "]");
}

/* ---- escapes ---- */

static int hex_value(const char *text, size_t digits)
{
	char copy[5] = "";

	memcpy(copy, text, strnlen(text, digits));
	if (strspn(copy, "0123456789abcdefABCDEF") != digits)
		return -1;
	return (int)strtol(copy, NULL, 16);
}

/* The byte that an escape stands for, after its backslash; negative: none. */
static int read_escape(struct translation *translation)
{
	static const char names[] = "tnrfae", bytes[] = "\t\n\r\f\a\033";
	const char c = *translation->at;
	const char *name = c ? strchr(names, c) : NULL;
	const size_t digits = c == 'x' ? 2 : 4;
	int value;

	if (!c)
		return refuse(translation, "it ends with a backslash");
	if (c == 'x' || c == 'u') {
		value = hex_value(translation->at + 1, digits);
		if (value < 1 || value > 126)
			return refuse(translation, "it has an escape that is no ASCII character");
		translation->at += 1 + digits;
		return value;
	}
	if (!name && ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')))
		return refuse(translation, "it has an escape that is not supported");
	translation->at++;
	return name ? bytes[name - names] : (unsigned char)c;
}

/* ---- brackets ---- */

/* One byte of a bracket, or a class of them (0); negative: refused. */
static int read_member(struct translation *translation, byte_set set)
{
	const char c = *translation->at++;
	static const struct {
		const char *name;
		const char *ranges; /* pairs */
	} classes[] = {
		{ "p{Alnum}", "azAZ09" },  { "p{Alpha}", "azAZ" }, { "p{Digit}", "09" },
		{ "p{Lower}", "az" },	   { "p{Upper}", "AZ" },   { "p{ASCII}", "\x01\x7f" },
		{ "p{Print}", " ~" },	   { "p{Graph}", "!~" },   { "p{L}", "azAZ\x80\xff" },
		{ "p{XDigit}", "09afAF" },
	};

	if (c != '\\')
		return (unsigned char)c;
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
		if (strncmp(translation->at, classes[i].name, strlen(classes[i].name)) != 0)
			continue;
		for (const char *range = classes[i].ranges; *range; range += 2)
			set_range(set, (unsigned char)range[0], (unsigned char)range[1]);
		translation->at += strlen(classes[i].name);
		return 0;
	}
	if (*translation->at && set_class(set, *translation->at)) {
		translation->at++;
		return 0;
	}
	return read_escape(translation);
}

static int read_range(struct translation *translation, byte_set set)
{
	int from = read_member(translation, set), to = from;
	byte_set none = { false };

	if (from > 0 && *translation->at == '-' && translation->at[1] != ']' &&
	    translation->at[1]) {
		translation->at++;
		to = read_member(translation, none);
		if (to == 0)
			return refuse(translation, "it has a range that ends with a class");
	}
	if (from < 0 || to < 0)
		return -EINVAL;
	if (to < from)
		return refuse(translation, "it has a range that ends before it begins");
	if (from)
		set_range(set, (unsigned int)from, (unsigned int)to);
	return 0;
}

static int read_bracket(struct translation *translation)
{
	byte_set set = { false };
	const bool negated = *translation->at == '^';
	bool any = false;

	translation->at += negated;
	for (bool first = true; *translation->at != ']' || first; first = false) {
		if (!*translation->at)
			return refuse(translation, "it has a [ without its ]");
		if (*translation->at == '[' || strncmp(translation->at, "&&", 2) == 0)
			return refuse(translation, "it has a set of sets");
		if (read_range(translation, set) < 0)
			return -EINVAL;
	}
	translation->at++;
	for (unsigned int c = 1; c < 256; c++) {
		set[c] = set[c] != negated;
		any = any || set[c];
	}
	if (!any)
		return refuse(translation, "it has a set of no characters");
	put_set(&translation->posix, set);
	return 0;
}

/* ---- expressions ---- */

static int add_size(struct translation *translation, size_t size)
{
	size_t *all = &translation->sizes[translation->depth];

	*all += size;
	return *all > EXPANDED_MAX ? refuse(translation, "it is too large") : 0;
}

static int add_atom(struct translation *translation)
{
	translation->last = 1;
	return add_size(translation, 1);
}

static int open_group(struct translation *translation)
{
	if (translation->at[0] == '?' && translation->at[1] != ':')
		return refuse(translation, "it looks ahead or behind, or sets a flag");
	if (translation->at[0] == '?')
		translation->at += 2;
	if (++translation->depth == DEPTH_MAX)
		return refuse(translation, "it is nested too deeply");
	translation->sizes[translation->depth] = 1;
	translation->last = 0;
	buffer_putc(&translation->posix, '(');
	return 0;
}

static int close_group(struct translation *translation)
{
	if (!translation->depth)
		return refuse(translation, "it has a ) without its (");
	translation->last = translation->sizes[translation->depth--];
	buffer_putc(&translation->posix, ')');
	return add_size(translation, translation->last);
}

/* A lazy or a possessive one is the same to who wants the whole matched. */
static int end_repetition(struct translation *translation, size_t times)
{
	if (*translation->at == '?')
		translation->at++;
	else if (*translation->at == '+')
		return refuse(translation, "it has a possessive repetition");
	translation->last *= times;
	return add_size(translation, translation->last);
}

/* {2}, {2,} and {2,3} */
static int read_times(struct translation *translation)
{
	const char *start = translation->at;
	char *end;
	unsigned long from, to;

	if (*start < '0' || *start > '9')
		return refuse(translation, "it has a { that is no repetition");
	from = to = strtoul(start, &end, 10);
	if (*end == ',') {
		start = end + 1;
		to = *start == '}' ? from + 1 : strtoul(start, &end, 10);
		end += *start == '}';
	}
	if (*end != '}' || (*start < '0' || (*start > '9' && *start != '}')) || to < from)
		return refuse(translation, "it has a { that is no repetition");
	if (to > REPEAT_MAX || from > REPEAT_MAX)
		return refuse(translation, "it is too large");
	buffer_append(&translation->posix, translation->at - 1,
		      (size_t)(end + 2 - translation->at));
	translation->at = end + 1;
	return end_repetition(translation, to);
}

static int read_repetition(struct translation *translation, char c)
{
	if (!translation->last)
		return refuse(translation, "it repeats nothing");
	if (c == '{')
		return read_times(translation);
	buffer_putc(&translation->posix, c);
	return end_repetition(translation, 1);
}

static int read_backslash(struct translation *translation)
{
	byte_set set = { false };
	int c = 0;

	if (strchr("AzZ", *translation->at) && *translation->at) {
		translation->at++; /* the ends, which it is held to anyway */
		return 0;
	}
	if (strncmp(translation->at, "p{", 2) == 0) {
		translation->at--;
		c = read_member(translation, set);
	} else if (*translation->at && set_class(set, *translation->at)) {
		translation->at++;
	} else {
		c = read_escape(translation);
	}
	if (c < 0)
		return -EINVAL;
	if (c)
		set[c] = true;
	put_set(&translation->posix, set);
	return add_atom(translation);
}

static int read_one(struct translation *translation)
{
	const char c = *translation->at++;

	switch (c) {
	case '\\':
		return read_backslash(translation);
	case '[':
		return read_bracket(translation) < 0 ? -EINVAL : add_atom(translation);
	case '(':
		return open_group(translation);
	case ')':
		return close_group(translation);
	case '*':
	case '+':
	case '?':
	case '{':
		return read_repetition(translation, c);
	case '|':
	case '^':
	case '$':
		translation->last = 0;
		buffer_putc(&translation->posix, c);
		return 0;
	case '}':
		buffer_putc(&translation->posix, '\\');
		break;
	default:
		break;
	}
	buffer_putc(&translation->posix, c);
	return add_atom(translation);
}

static int translate(struct translation *translation)
{
	buffer_puts(&translation->posix, "^(");
	while (*translation->at) {
		int result = read_one(translation);

		if (result < 0)
			return result;
	}
	buffer_puts(&translation->posix, ")$");
	return translation->depth ? refuse(translation, "it has a ( without its )") : 0;
}

int pattern_compile(const char *text, struct pattern **ret_pattern, const char **ret_reason)
{
	struct translation translation = { .at = text, .posix = BUFFER_INIT };
	struct pattern *pattern;
	int result = strlen(text) > LENGTH_MAX ? refuse(&translation, "it is too large")
					       : translate(&translation);

	if (result == 0) {
		pattern = xcalloc(1, sizeof(*pattern));
		if (regcomp(&pattern->regex, translation.posix.data, REG_EXTENDED | REG_NOSUB)) {
			free(pattern);
			result = refuse(&translation, "it is no regular expression");
		} else {
			*ret_pattern = pattern;
		}
	}
	*ret_reason = translation.reason;
	buffer_clear(&translation.posix);
	return result;
}

void pattern_freep(struct pattern **pattern)
{
	if (!*pattern)
		return;
	regfree(&(*pattern)->regex);
	free(steal(pattern));
}

bool pattern_matches(const struct pattern *pattern, const char *text)
{
	return regexec(&pattern->regex, text, 0, NULL, 0) == 0;
}
