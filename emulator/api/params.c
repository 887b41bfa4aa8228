/*
 * Parameters of a Query API call: see params.h. All names and values lie decoded in one block of
 * memory; the array beside it is sorted by name, so a look-up is a binary search and a list is a
 * run of neighbours.
 */
#include "api/params.h"

#include "base/hash.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>
#include <time.h>

#include "base/text.h"

#define INDEX_DIGITS 9

struct param {
	const char *name, *value; /* in `storage` */
};

struct params {
	char *storage;
	struct param *items;
	size_t count;
};

void params_freep(struct params **params)
{
	if (!*params)
		return;
	free((*params)->storage);
	free((*params)->items);
	free(*params);
	*params = NULL;
}

/* What a client sent, fit for an error text: cut, and without control characters. */
struct printable {
	char text[160];
};

static struct printable printable(const char *text)
{
	struct printable result;

	snprintf(result.text, sizeof(result.text), "%s", text);
	for (char *c = result.text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	return result;
}

/* One "name=value"; *end is where its decoded text goes, and moves. */
static int parse_pair(struct params *params, const char *pair, size_t length, char **end,
		      struct error *error)
{
	const char *equals = memchr(pair, '=', length);
	size_t name_length = equals ? (size_t)(equals - pair) : length;
	char *name = *end, *value = text_unescape(pair, name_length, true, name);

	if (value && equals)
		*end = text_unescape(equals + 1, length - name_length - 1, true, value);
	else if (value)
		*end = text_unescape("", 0, true, value);
	if (!value || !*end)
		return error_set(error, ERROR_MALFORMED_QUERY,
				 "The query string is malformed: a bad escape sequence");
	/* What XML can't say could never be told back. */
	if (!text_is_valid(value))
		return error_set(error, ERROR_MALFORMED_QUERY,
				 "The query string is malformed: a parameter is not UTF-8 text");
	if (name[0] == '\0')
		return error_set(error, ERROR_MALFORMED_QUERY,
				 "The query string is malformed: a parameter has no name");
	if (strncmp(name, "X-Amz-", 6) == 0)
		return 0;
	if (params->count == PARAMS_MAX)
		return error_set(error, ERROR_MALFORMED_QUERY,
				 "The request has more than %d parameters", PARAMS_MAX);
	*array_grow(&params->items, &params->count) = (struct param){ name, value };
	return 0;
}

static int parse_form(struct params *params, const char *form, size_t length, char **end,
		      struct error *error)
{
	while (length) {
		const char *separator = memchr(form, '&', length);
		size_t pair = separator ? (size_t)(separator - form) : length;
		int r = pair ? parse_pair(params, form, pair, end, error) : 0;

		if (r < 0)
			return r;
		pair += separator ? 1 : 0;
		form += pair;
		length -= pair;
	}
	return 0;
}

/* By name; of one name, the one sent first is first (`storage` is filled in that order). */
static int compare(const void *left, const void *right)
{
	const struct param *a = left, *b = right;
	int order = strcmp(a->name, b->name);

	return order ? order : a->name < b->name ? -1 : a->name > b->name;
}

static void sort(struct params *params)
{
	size_t kept = 0;

	if (params->count)
		qsort(params->items, params->count, sizeof(*params->items), compare);
	for (size_t i = 0; i < params->count; i++)
		if (i + 1 == params->count ||
		    strcmp(params->items[i].name, params->items[i + 1].name) != 0)
			params->items[kept++] = params->items[i];
	params->count = kept;
}

int params_parse(const struct http_request *request, struct params **ret_params,
		 struct error *error)
{
	CLEANUP(params_freep) struct params *params = xcalloc(1, sizeof(*params));
	size_t query = strlen(request->query);
	size_t body = streq(request->method, "POST") ? request->body_length : 0;
	char *end;
	int r;

	/* A pair of n bytes, n > 0, becomes n + 2 at most; with its '&' it took n + 1. */
	params->storage = xcalloc((query + body) / 2 + query + body + 4, 1);
	end = params->storage;
	r = parse_form(params, request->query, query, &end, error);
	if (r == 0)
		r = parse_form(params, request->body, body, &end, error);
	if (r < 0)
		return r;
	sort(params);
	*ret_params = steal(&params);
	return 0;
}

/* The first parameter whose name is not before `name`. */
static size_t lower_bound(const struct params *params, const char *name)
{
	size_t low = 0, high = params->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(params->items[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const char *find(const struct params *params, const char *name)
{
	size_t i = lower_bound(params, name);

	return i < params->count && streq(params->items[i].name, name) ? params->items[i].value
								       : NULL;
}

const char *params_get(const struct params *params, const char *format, ...)
{
	char name[512];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(name, sizeof(name), format, arguments);
	va_end(arguments);
	/* No parameter that passes params_check() has a name that long. */
	return length < 0 || (size_t)length >= sizeof(name) ? NULL : find(params, name);
}

/*
 * An index at `text`: decimal without leading zeros, 1 … 999,999,999. Returns its length or 0.
 */
static size_t parse_index(const char *text, unsigned int *ret_index)
{
	size_t length = strspn(text, "0123456789");
	unsigned int value = 0;

	if (length == 0 || length > INDEX_DIGITS || text[0] == '0')
		return 0;
	for (size_t i = 0; i < length; i++)
		value = value * 10 + (unsigned int)(text[i] - '0');
	*ret_index = value;
	return length;
}

static int compare_index(const void *left, const void *right)
{
	unsigned int a = *(const unsigned int *)left, b = *(const unsigned int *)right;

	return a < b ? -1 : a > b;
}

size_t params_indices(const struct params *params, const char *prefix, unsigned int **ret_indices)
{
	CLEANUP(freep) char *dotted = xasprintf("%s.", prefix);
	size_t length = strlen(dotted), count = 0, distinct = 0;
	unsigned int *indices = NULL;

	for (size_t i = lower_bound(params, dotted); i < params->count; i++) {
		const char *rest = params->items[i].name + length;
		unsigned int index;
		size_t digits;

		if (strncmp(params->items[i].name, dotted, length) != 0)
			break;
		digits = parse_index(rest, &index);
		/* Neighbours nearly always: "1" < "1.Key" < "1.Value" < "10" < "2". */
		if (digits == 0 || (rest[digits] != '\0' && rest[digits] != '.') ||
		    (count && indices[count - 1] == index))
			continue;
		*array_grow(&indices, &count) = index;
	}
	if (count)
		qsort(indices, count, sizeof(*indices), compare_index);
	for (size_t i = 0; i < count; i++)
		if (distinct == 0 || indices[distinct - 1] != indices[i])
			indices[distinct++] = indices[i];
	*ret_indices = indices;
	return distinct;
}

static int bad_value(struct error *error, const char *value, const char *name, const char *reason)
{
	return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
			 "Value (%s) for parameter %s is invalid. %s", printable(value).text,
			 printable(name).text, reason);
}

int params_bool(const char *value, const char *name, bool *ret_value, struct error *error)
{
	if (strcasecmp(value, "true") != 0 && strcasecmp(value, "false") != 0)
		return bad_value(error, value, name, "Expecting true or false.");
	*ret_value = strcasecmp(value, "true") == 0;
	return 0;
}

int params_int(const char *value, const char *name, long min, long max, long *ret_value,
	       struct error *error)
{
	const char *digits = value + (value[0] == '-');
	char reason[96];
	long number;

	if (digits[0] == '\0' || digits[strspn(digits, "0123456789")] != '\0')
		return bad_value(error, value, name, "Expecting an integer.");
	errno = 0;
	number = strtol(value, NULL, 10);
	if (errno == ERANGE || number < min || number > max) {
		snprintf(reason, sizeof(reason), "Expecting a value from %ld to %ld.", min, max);
		return bad_value(error, value, name, reason);
	}
	*ret_value = number;
	return 0;
}

/* ISO 8601: a date, or a date and a time with an optional fraction and zone. */
static bool is_time(const char *value)
{
	struct tm tm = { 0 };
	const char *rest = strptime(value, "%Y-%m-%dT%H:%M:%S", &tm);

	if (!rest)
		rest = strptime(value, "%Y-%m-%d", &tm);
	if (!rest)
		return false;
	if (*rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	if (*rest == '+' || *rest == '-')
		rest = strptime(rest, "%z", &tm);
	else if (*rest == 'Z')
		rest++;
	return rest && *rest == '\0';
}

static int check_value(const struct param *param, char type, struct error *error)
{
	bool truth;
	long number;

	if (param->value[0] == '\0')
		return 0;
	if (type == 'b')
		return params_bool(param->value, param->name, &truth, error);
	if (type == 'i')
		return params_int(param->value, param->name, LONG_MIN, LONG_MAX, &number, error);
	if (type == 't' && !is_time(param->value))
		return bad_value(error, param->value, param->name, "Expecting an ISO 8601 time.");
	return 0;
}

/* One word of a specification: "SecurityGroupRule.N!.ToPort:i" */
struct word {
	const char *pattern, *end; /* without the type; '!' is still in it */
	char type;		   /* the letter after ':'; NUL for none, or for a longer word */
};

/* False at the end. `*specification` moves past the word. */
static bool next_word(const char **specification, struct word *ret_word)
{
	const char *start = *specification + strspn(*specification, " ");
	size_t length = strcspn(start, " "), pattern = strcspn(start, " :");

	*specification = start + length;
	*ret_word = (struct word){ start, start + pattern,
				   pattern + 2 == length ? start[pattern + 1] : '\0' };
	return length > 0;
}

enum match {
	MATCH_NO,
	MATCH_YES,
	MATCH_LIST, /* the name of a list, without an index */
};

static const char *const filter_tails[] = { ".Name", ".Value.N", NULL };
static const char *const tag_tails[] = { "ResourceType", "Tag.N.Key", "Tag.N.Value", NULL };

static enum match match(const char *name, const char *pattern, const char *end);

static enum match match_tails(const char *name, const char *const *tails)
{
	enum match found = MATCH_NO;

	for (; found == MATCH_NO && *tails; tails++)
		found = match(name, *tails, *tails + strlen(*tails));
	return found;
}

static bool is_index_mark(const char *pattern, const char *end)
{
	return end - pattern >= 2 && pattern[0] == '.' && pattern[1] == 'N' &&
	       (end - pattern == 2 || pattern[2] == '.' || pattern[2] == '!');
}

/* Lists of other services than EC2's: "Tags.member.N". */
static bool is_member_mark(const char *pattern, const char *end)
{
	static const char mark[] = ".member.N";

	return end - pattern >= (ptrdiff_t)strlen(mark) && memcmp(pattern, mark, strlen(mark)) == 0;
}

static enum match match(const char *name, const char *pattern, const char *end)
{
	bool is_filter = end - pattern == 8 && memcmp(pattern, "Filter.N", 8) == 0;

	while (pattern < end) {
		if (*pattern == '!') {
			pattern++;
		} else if (*pattern == '*') {
			return match_tails(name, tag_tails);
		} else if (is_index_mark(pattern, end)) {
			unsigned int index;
			size_t digits = *name == '.' ? parse_index(name + 1, &index) : 0;

			if (digits == 0)
				return *name == '\0' ? MATCH_LIST : MATCH_NO;
			name += 1 + digits;
			pattern += 2;
		} else if (*name == '\0' && is_member_mark(pattern, end)) {
			return MATCH_LIST;
		} else if (*name++ != *pattern++) {
			return MATCH_NO;
		}
	}
	if (is_filter)
		return match_tails(name, filter_tails);
	return *name == '\0' ? MATCH_YES : MATCH_NO;
}

/* False when no word allows the parameter; else its type. */
static bool is_known(const struct param *param, const char *specification, char *ret_type)
{
	struct word word;

	while (next_word(&specification, &word)) {
		enum match found = match(param->name, word.pattern, word.end);

		if (found == MATCH_NO || (found == MATCH_LIST && param->value[0] != '\0'))
			continue;
		*ret_type = word.type;
		return true;
	}
	return false;
}

/* Whether the word requires nothing that isn't there: "VpcId!", "InstanceId.N!", "Tag.N!.Key". */
static int check_required(const struct params *params, const struct word *word, struct error *error)
{
	const char *mark = memchr(word->pattern, '!', (size_t)(word->end - word->pattern));
	bool is_list = mark && mark - word->pattern > 2 && is_index_mark(mark - 2, mark);
	CLEANUP(freep) char *name = NULL, *dotted = NULL;
	const char *value;
	size_t first;

	if (!mark)
		return 0;
	name = xasprintf("%.*s", (int)(mark - word->pattern - (is_list ? 2 : 0)), word->pattern);
	assert(!strstr(name, ".N."));
	dotted = xasprintf("%s.", name);
	value = find(params, name);
	first = lower_bound(params, dotted);
	if (is_list ? first < params->count &&
			      strncmp(params->items[first].name, dotted, strlen(dotted)) == 0
		    : value && value[0] != '\0')
		return 0;
	return error_set(error, ERROR_MISSING_PARAMETER,
			 "The request must contain the parameter %s", name);
}

int params_check(const struct params *params, const char *specification, struct error *error)
{
	static const char always[] = "Action Version DryRun:b AWSAccessKeyId Signature "
				     "SignatureMethod SignatureVersion Timestamp Expires "
				     "SecurityToken";
	struct error bad = ERROR_INIT;
	const char *rest = specification;
	struct word word;
	int r = 0;

	for (size_t i = 0; i < params->count; i++) {
		const struct param *param = &params->items[i];
		char type;

		if (!is_known(param, specification, &type) && !is_known(param, always, &type))
			return error_set(error, ERROR_UNKNOWN_PARAMETER,
					 "The parameter %s is not recognized",
					 printable(param->name).text);
		if (r == 0)
			r = check_value(param, type, &bad);
	}
	while (next_word(&rest, &word)) {
		int missing = check_required(params, &word, error);

		if (missing < 0)
			return missing;
	}
	if (r < 0)
		*error = bad;
	return r;
}

bool params_at(const struct params *params, size_t place, const char **ret_name,
	       const char **ret_value)
{
	if (place >= params->count)
		return false;
	*ret_name = params->items[place].name;
	*ret_value = params->items[place].value;
	return true;
}

struct params *params_make(const struct param_pair *pairs, size_t count)
{
	struct params *params = xcalloc(1, sizeof(*params));
	size_t size = 0;
	char *end;

	for (size_t i = 0; i < count; i++)
		size += strlen(pairs[i].name) + strlen(pairs[i].value) + 2;
	params->storage = end = xcalloc(size + 1, 1);
	for (size_t i = 0; i < count; i++) {
		struct param *param = array_grow(&params->items, &params->count);

		param->name = end;
		end = stpcpy(end, pairs[i].name) + 1;
		param->value = end;
		end = stpcpy(end, pairs[i].value) + 1;
	}
	sort(params);
	return params;
}

uint64_t params_digest(const struct params *params)
{
	uint64_t digest = HASH_START;

	/* The NULs too: they separate. */
	for (size_t i = 0; i < params->count; i++) {
		const struct param *item = &params->items[i];

		digest = hash_bytes(digest, item->name, strlen(item->name) + 1);
		digest = hash_bytes(digest, item->value, strlen(item->value) + 1);
	}
	return digest;
}
