/* Values for a template's parameters, checked: see template.h. */
#include "lab/parameter.h"
#include "lab/pattern.h"

#include <errno.h>

#define VALUE_LENGTH_MAX 4096 /* CloudFormation quotas */

/* ---- lists ---- */

/* What is between commas, without the spaces around. */
static struct node *split_list(const char *value)
{
	CLEANUP(freep) char *copy = xstrdup(value);
	struct node *list = node_new(NODE_LIST);
	char *rest = copy, *item;

	while (*value && (item = strsep(&rest, ","))) {
		char *end;

		item += strspn(item, " \t\n\r");
		end = item + strlen(item);
		while (end > item && strchr(" \t\n\r", end[-1]))
			*--end = '\0';
		node_add(list, NULL, node_text_new(item));
	}
	return list;
}

int parameter_value(const struct template_parameter *parameter, const char *value,
		    const struct template_answers *answers, struct node **ret_node,
		    struct error *error)
{
	struct parameter_type type;
	CLEANUP(freep) char *stored = NULL;
	int result;

	if (!parameter_type_read(parameter->type, &type))
		abort(); /* parameters_read() takes no other */
	if (type.is_stored) {
		result = answers->parameter(answers->context, value, &stored, error);
		if (result < 0)
			return error_wrap(error, result, "Parameters.%s", parameter->name);
		value = stored;
	}
	*ret_node = type.is_list ? split_list(value) : node_text_new(value);
	return 0;
}

/* ---- constraints ---- */

/* A value, or one of a list's, that is looked at. */
struct candidate {
	const struct template_parameter *parameter;
	const struct template_answers *answers;
	struct parameter_type type;
	const char *value;
	struct error *error;
};

/* The template's own words, if it has some, else AWS's. */
static int fail_constraint(const struct candidate *candidate, const char *format, ...) PRINTF(2, 3);
static int fail_constraint(const struct candidate *candidate, const char *format, ...)
{
	const struct template_parameter *parameter = candidate->parameter;
	const char *words = node_get_text(parameter->node, "ConstraintDescription");
	CLEANUP(freep) char *text = NULL;
	va_list arguments;

	if (words)
		return error_set(candidate->error, ERROR_INVALID_TEMPLATE,
				 "Parameter %s failed to satisfy constraint: %s", parameter->name,
				 words);
	va_start(arguments, format);
	text = xvasprintf(format, arguments);
	va_end(arguments);
	return error_set(candidate->error, ERROR_INVALID_TEMPLATE, "Parameter '%s' %s",
			 parameter->name, text);
}

static int check_allowed(const struct candidate *candidate)
{
	const struct node *allowed = node_get(candidate->parameter->node, "AllowedValues");

	for (size_t i = 0; allowed && i < allowed->count; i++)
		if (streq(allowed->items[i]->text, candidate->value))
			return 0;
	return allowed ? fail_constraint(candidate, "must be one of AllowedValues") : 0;
}

static int check_pattern(const struct candidate *candidate)
{
	const char *text = node_get_text(candidate->parameter->node, "AllowedPattern");
	CLEANUP(pattern_freep) struct pattern *pattern = NULL;
	const char *reason;

	if (!text || pattern_compile(text, &pattern, &reason) < 0 ||
	    pattern_matches(pattern, candidate->value))
		return 0;
	return fail_constraint(candidate, "must match pattern %s", text);
}

/* Characters as a person counts them. */
static size_t count_characters(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += (*text & 0xc0) != 0x80;
	return count;
}

/* One of a parameter's bounds; false: it has none. */
static bool bound_of(const struct candidate *candidate, const char *name, double *ret_bound)
{
	const char *text = node_get_text(candidate->parameter->node, name);

	return text && parameter_number(text, ret_bound);
}

static int check_bounds(const struct candidate *candidate)
{
	const struct node *node = candidate->parameter->node;
	double number, bound;

	number = (double)count_characters(candidate->value);
	if (bound_of(candidate, "MinLength", &bound) && number < bound)
		return fail_constraint(candidate, "must contain at least %s characters",
				       node_get_text(node, "MinLength"));
	if (bound_of(candidate, "MaxLength", &bound) && number > bound)
		return fail_constraint(candidate, "must contain at most %s characters",
				       node_get_text(node, "MaxLength"));
	if (candidate->type.shape != SHAPE_NUMBER)
		return 0;
	if (!parameter_number(candidate->value, &number))
		return fail_constraint(candidate, "must be a number");
	if (bound_of(candidate, "MinValue", &bound) && number < bound)
		return fail_constraint(candidate, "must be a number not less than %s",
				       node_get_text(node, "MinValue"));
	if (bound_of(candidate, "MaxValue", &bound) && number > bound)
		return fail_constraint(candidate, "must be a number not greater than %s",
				       node_get_text(node, "MaxValue"));
	return 0;
}

/* "us-east-1a" */
static bool has_zone_shape(const char *region, const char *zone)
{
	const size_t length = strlen(region);

	return strncmp(zone, region, length) == 0 && zone[length] >= 'a' && zone[length] <= 'z' &&
	       !zone[length + 1];
}

static int check_zone(const struct candidate *candidate, bool *ret_good)
{
	const struct template_answers *answers = candidate->answers;
	CLEANUP(node_freep) struct node *zones = NULL;
	int result;

	*ret_good = has_zone_shape(answers->region, candidate->value);
	if (!answers->zones)
		return 0;
	result = answers->zones(answers->context, answers->region, &zones, candidate->error);
	if (result < 0)
		return result;
	*ret_good = false;
	for (size_t i = 0; i < zones->count; i++)
		*ret_good = *ret_good || streq(zones->items[i]->text, candidate->value);
	return 0;
}

/* What names something of the account, by its shape alone. */
static int check_shape(const struct candidate *candidate)
{
	bool good = true;
	struct rid id;
	int result = 0;

	if (candidate->type.shape == SHAPE_NAME)
		good = *candidate->value != '\0';
	else if (candidate->type.shape == SHAPE_ID)
		good = rid_parse(candidate->value, candidate->type.kind, &id) == 0;
	else if (candidate->type.shape == SHAPE_ZONE)
		result = check_zone(candidate, &good);
	if (result < 0 || good)
		return result;
	return error_set(candidate->error, ERROR_INVALID_TEMPLATE,
			 "Parameter validation failed: parameter value %s for parameter name %s "
			 "does not exist",
			 candidate->value, candidate->parameter->name);
}

static int check_item(struct candidate *candidate, const char *value)
{
	int result;

	candidate->value = value;
	result = check_allowed(candidate);
	if (result == 0)
		result = check_pattern(candidate);
	if (result == 0)
		result = check_bounds(candidate);
	return result;
}

/* The constraints are of what was given, the type's of what that leads to. */
static int check_value_of(const struct template_parameter *parameter, const char *value,
			  const struct template_answers *answers, struct error *error)
{
	struct candidate candidate = { .parameter = parameter, .answers = answers, .error = error };
	CLEANUP(node_freep) struct node *node = NULL;
	int result;

	if (strlen(value) > VALUE_LENGTH_MAX)
		return error_set(error, ERROR_INVALID_TEMPLATE,
				 "Parameter '%s' must have %d bytes at most", parameter->name,
				 VALUE_LENGTH_MAX);
	if (!parameter_type_read(parameter->type, &candidate.type))
		abort();
	result = parameter_value(parameter, value, answers, &node, error);
	if (result < 0)
		return result;
	if (candidate.type.is_stored)
		return check_item(&candidate, value);
	if (node->type == NODE_TEXT)
		result = check_item(&candidate, value);
	for (size_t i = 0; i < node->count && result == 0; i++)
		result = check_item(&candidate, node->items[i]->text);
	if (result == 0 && node->type == NODE_TEXT)
		result = check_shape(&candidate);
	for (size_t i = 0; i < node->count && result == 0; i++) {
		candidate.value = node->items[i]->text;
		result = check_shape(&candidate);
	}
	return result;
}

/* ---- all of them ---- */

static const char *find_given(const struct template_value *given, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (streq(given[i].name, name))
			return given[i].value;
	return NULL;
}

/* "A, B" */
static void add_word(struct buffer *names, const char *name)
{
	buffer_printf(names, "%s%s", names->length ? ", " : "", name);
}

static int check_names(const struct template *template, const struct template_value *given,
		       size_t count, struct error *error)
{
	CLEANUP(buffer_clear) struct buffer unknown = BUFFER_INIT, missing = BUFFER_INIT;

	for (size_t i = 0; i < count; i++) {
		if (!parameter_find(template, given[i].name))
			add_word(&unknown, given[i].name);
		if (find_given(given, i, given[i].name))
			return error_set(error, ERROR_INVALID_TEMPLATE,
					 "Parameters: [%s] are given twice", given[i].name);
	}
	if (unknown.length)
		return error_set(error, ERROR_INVALID_TEMPLATE,
				 "Parameters: [%s] do not exist in the template", unknown.data);
	for (size_t i = 0; i < template->parameter_count; i++)
		if (!template->parameters[i].fallback &&
		    !find_given(given, count, template->parameters[i].name))
			add_word(&missing, template->parameters[i].name);
	if (missing.length)
		return error_set(error, ERROR_INVALID_TEMPLATE, "Parameters: [%s] must have values",
				 missing.data);
	return 0;
}

static int check_rules(const struct template *template, const struct template_values *values,
		       const struct template_answers *answers, struct error *error)
{
	CLEANUP(evaluation_freep) struct evaluation *evaluation = NULL;
	int result = evaluation_begin(template, values, answers, &evaluation, error);

	return result < 0 ? result : rules_evaluate(evaluation, error);
}

int template_check_values(const struct template *template, const struct template_answers *answers,
			  const struct template_value *given, size_t given_count,
			  struct template_values *ret_values, struct error *error)
{
	CLEANUP(template_values_clear) struct template_values values = { NULL, 0 };
	int result = check_names(template, given, given_count, error);

	for (size_t i = 0; i < template->parameter_count && result == 0; i++) {
		const struct template_parameter *parameter = &template->parameters[i];
		const char *value = find_given(given, given_count, parameter->name);
		struct template_value *added;

		value = value ? value : parameter->fallback;
		result = check_value_of(parameter, value, answers, error);
		added = array_grow(&values.items, &values.count);
		*added = (struct template_value){ xstrdup(parameter->name), xstrdup(value) };
	}
	if (result == 0)
		result = check_rules(template, &values, answers, error);
	if (result < 0)
		return result;
	*ret_values = values;
	values = (struct template_values){ NULL, 0 };
	return 0;
}
