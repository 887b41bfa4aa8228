/* What a stack is to be: see stack_source.h. */
#include "api/stack_source.h"

#include <errno.h>
#include <stdio.h>

#include "model/public_parameter.h"

#define SSM_TYPE "AWS::SSM::Parameter::Value<"

int stack_ssm_value(const struct scope *scope, const char *name, char **ret_value,
		    struct error *error)
{
	const struct stack_resource *own = stack_ssm_row(scope, name);
	struct public_parameter parameter;

	if (!own && !public_parameter_find(name, &parameter))
		return error_set(error, ERROR_INVALID_TEMPLATE,
				 "Unable to fetch parameters [%s] from parameter store for this "
				 "account.",
				 name);
	*ret_value = xstrdup(own ? own->memo : parameter.value);
	return 0;
}

static bool has_capability(const struct stack_source *source, const char *name)
{
	for (size_t i = 0; i < source->capability_count; i++)
		if (streq(source->capabilities[i].value, name))
			return true;
	return false;
}

int stack_template(const struct stack_source *source, struct template **ret_template,
		   struct text_lines *ret_warnings, struct error *error)
{
	const struct template_options options = {
		.skip_unsupported = has_capability(source, CAPABILITY_SKIP),
	};

	return template_parse(source->template, strlen(source->template), &options, ret_template,
			      ret_warnings, error);
}

/* ---- from a call ---- */

void call_texts(const struct call *call, const char *name, struct stack_text **texts, size_t *count)
{
	CLEANUP(freep) char *prefix = xasprintf("%s.member", name);
	CLEANUP(freep) unsigned int *indices = NULL;
	const size_t given = params_indices(call->params, prefix, &indices);

	for (size_t i = 0; i < given; i++) {
		const char *text = params_get(call->params, "%s.%u", prefix, indices[i]);

		if (text)
			stack_texts_add(texts, count, text);
	}
}

static int read_body(const struct call *call, const struct stack_source *previous,
		     struct stack_source *source, struct error *error)
{
	const char *body = call_text(call, "TemplateBody");
	const bool same = call_bool(call, "UsePreviousTemplate", false);

	if (call_text(call, "TemplateURL"))
		return error_set(error, ERROR_UNSUPPORTED_OPERATION,
				 "The parameter TemplateURL is not supported: there is no S3 here. "
				 "Send the template as TemplateBody.");
	if (same && !previous)
		return error_set(error, ERROR_INVALID_TEMPLATE,
				 "UsePreviousTemplate can't be true: there is no previous one");
	if (!same && (!body || !*body))
		return error_set(error, ERROR_INVALID_TEMPLATE,
				 "Either Template URL or Template Body must be specified.");
	source->template = xstrdup(same ? previous->template : body);
	return 0;
}

static void read_tags(const struct call *call, const struct stack_source *previous,
		      struct stack_source *source)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	const size_t count = params_indices(call->params, "Tags.member", &indices);

	for (size_t i = 0; i < count; i++) {
		const char *key = params_get(call->params, "Tags.member.%u.Key", indices[i]);
		const char *value = params_get(call->params, "Tags.member.%u.Value", indices[i]);

		*array_grow(&source->tags, &source->tag_count) =
			(struct tag){ xstrdup(key ? key : ""), xstrdup(value ? value : "") };
	}
	for (size_t i = 0; previous && !count && i < previous->tag_count; i++)
		*array_grow(&source->tags, &source->tag_count) =
			(struct tag){ xstrdup(previous->tags[i].key),
				      xstrdup(previous->tags[i].value) };
}

static void add_parameter(struct stack_source *source, const char *key, const char *value)
{
	*array_grow(&source->parameters, &source->parameter_count) =
		(struct stack_parameter){ .key = xstrdup(key), .value = xstrdup(value) };
}

/* What one of them is to be; NULL: refused. */
static const char *given_value(const char *key, const char *value, bool keeps,
			       const struct stack_source *previous, struct error *error)
{
	const struct stack_parameter *old = previous ? stack_parameter_find(previous, key) : NULL;

	if (keeps && old)
		return old->value;
	if (keeps)
		error_set(error, ERROR_INVALID_TEMPLATE,
			  "Invalid input for parameter key %s. Cannot specify usePreviousValue as "
			  "true for a parameter key not in the previous template",
			  key);
	else if (!value)
		error_set(error, ERROR_INVALID_TEMPLATE,
			  "Invalid input for parameter key %s. Need to specify a value or "
			  "usePreviousValue",
			  key);
	return keeps ? NULL : value;
}

/* Those that the call gives. */
static int read_parameters(const struct call *call, const struct stack_source *previous,
			   struct stack_source *source, struct error *error)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	const size_t count = params_indices(call->params, "Parameters.member", &indices);

	for (size_t i = 0; i < count; i++) {
		CLEANUP(freep) char *prefix = xasprintf("Parameters.member.%u", indices[i]);
		const char *key = params_get(call->params, "%s.ParameterKey", prefix);
		const char *value = params_get(call->params, "%s.ParameterValue", prefix);
		const char *same = params_get(call->params, "%s.UsePreviousValue", prefix);

		if (!key || !*key)
			return error_set(error, ERROR_INVALID_TEMPLATE,
					 "Parameters: each one needs a ParameterKey");
		if (stack_parameter_find(source, key))
			return error_set(error, ERROR_INVALID_TEMPLATE,
					 "Duplicate parameter key: %s", key);
		value = given_value(key, value, streq(same, "true"), previous, error);
		if (!value)
			return -EINVAL;
		add_parameter(source, key, value);
	}
	return 0;
}

static int answer_parameter(void *context, const char *name, char **ret_value, struct error *error)
{
	return stack_ssm_value(context, name, ret_value, error);
}

/* Every parameter of the template has its raw value recorded. */
static int complete(const struct call *call, const char *stack_name,
		    const struct template *template, struct stack_source *source,
		    struct error *error)
{
	const struct template_answers answers = {
		.context = call->scope,
		.account = call->scope->account,
		.region = call->scope->region,
		.partition = "aws",
		.url_suffix = "amazonaws.com",
		.stack_name = stack_name,
		.stack_id = "",
		.parameter = answer_parameter,
	};
	CLEANUP(template_values_clear) struct template_values values = { NULL, 0 };
	struct template_value *given = xcalloc(source->parameter_count + 1, sizeof(*given));
	int r;

	for (size_t i = 0; i < source->parameter_count; i++)
		given[i] = (struct template_value){ source->parameters[i].key,
						    source->parameters[i].value };
	r = template_check_values(template, &answers, given, source->parameter_count, &values,
				  error);
	free(given);
	for (size_t i = 0; r == 0 && i < template_parameter_count(template); i++) {
		const struct template_parameter *parameter = template_parameter_at(template, i);

		if (!stack_parameter_find(source, parameter->name))
			add_parameter(source, parameter->name,
				      parameter->fallback ? parameter->fallback : "");
		for (size_t j = 0; j < source->parameter_count; j++)
			if (streq(source->parameters[j].key, parameter->name))
				source->parameters[j].no_echo = parameter->no_echo;
	}
	return r;
}

int call_source(const struct call *call, const char *stack_name,
		const struct stack_source *previous, struct stack_source *ret_source,
		struct text_lines *ret_warnings, struct error *error)
{
	CLEANUP(template_freep) struct template *template = NULL;
	int r;

	call_texts(call, "Capabilities", &ret_source->capabilities, &ret_source->capability_count);
	read_tags(call, previous, ret_source);
	if ((r = read_body(call, previous, ret_source, error)) < 0 ||
	    (r = read_parameters(call, previous, ret_source, error)) < 0 ||
	    (r = stack_template(ret_source, &template, ret_warnings, error)) < 0)
		return r;
	return complete(call, stack_name, template, ret_source, error);
}

/* ---- comparing ---- */

static bool tags_equal(const struct stack_source *a, const struct stack_source *b)
{
	for (size_t i = 0; i < a->tag_count && i < b->tag_count; i++)
		if (!streq(a->tags[i].key, b->tags[i].key) ||
		    !streq(a->tags[i].value, b->tags[i].value))
			return false;
	return a->tag_count == b->tag_count;
}

static bool parameters_equal(const struct stack_source *a, const struct stack_source *b)
{
	for (size_t i = 0; i < a->parameter_count; i++) {
		const struct stack_parameter *other = stack_parameter_find(b, a->parameters[i].key);

		if (!other || !streq(a->parameters[i].value, other->value))
			return false;
	}
	return a->parameter_count == b->parameter_count;
}

bool source_equal(const struct stack_source *a, const struct stack_source *b)
{
	static const char *const sections[] = { "Resources", "Outputs", "Conditions", "Mappings" };
	CLEANUP(node_freep) struct node *left = NULL;
	CLEANUP(node_freep) struct node *right = NULL;
	struct error ignored = ERROR_INIT;

	if (!tags_equal(a, b) || !parameters_equal(a, b) ||
	    node_parse(a->template, strlen(a->template), &left, &ignored) < 0 ||
	    node_parse(b->template, strlen(b->template), &right, &ignored) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		const struct node *one = node_get(left, sections[i]);
		const struct node *other = node_get(right, sections[i]);

		if (!one != !other || (one && !node_equal(one, other)))
			return false;
	}
	return true;
}

int call_stack(const struct call *call, const char *name, struct stack **ret_stack,
	       struct error *error)
{
	*ret_stack = name ? stack_find(call->scope, name) : NULL;
	if (*ret_stack)
		return 0;
	return error_set(error, ERROR_INVALID_TEMPLATE, "Stack with id %s does not exist",
			 name ? name : "");
}

/* ---- replies ---- */

void reply_texts(struct call *call, const char *name, const struct stack_text *texts, size_t count)
{
	xml_open(call->xml, name);
	for (size_t i = 0; i < count; i++)
		xml_text(call->xml, "member", texts[i].value);
	xml_close(call->xml);
}

void reply_tags(struct call *call, const struct tag *tags, size_t count)
{
	xml_open(call->xml, "Tags");
	for (size_t i = 0; i < count; i++) {
		xml_open(call->xml, "member");
		xml_text(call->xml, "Key", tags[i].key);
		xml_text(call->xml, "Value", tags[i].value);
		xml_close(call->xml);
	}
	xml_close(call->xml);
}

static bool names_ssm(const struct template *template, const char *key)
{
	for (size_t i = 0; template && i < template_parameter_count(template); i++)
		if (streq(template_parameter_at(template, i)->name, key))
			return strncmp(template_parameter_at(template, i)->type, SSM_TYPE,
				       strlen(SSM_TYPE)) == 0;
	return false;
}

void reply_parameters(struct call *call, const struct stack_source *source)
{
	CLEANUP(template_freep) struct template *template = NULL;
	struct text_lines warnings = { NULL, 0 };
	struct error ignored = ERROR_INIT;

	if (source->parameter_count)
		stack_template(source, &template, &warnings, &ignored);
	text_lines_clear(&warnings);
	xml_open(call->xml, "Parameters");
	for (size_t i = 0; i < source->parameter_count; i++) {
		const struct stack_parameter *parameter = &source->parameters[i];
		CLEANUP(freep) char *resolved = NULL;

		if (names_ssm(template, parameter->key))
			stack_ssm_value(call->scope, parameter->value, &resolved, &ignored);
		xml_open(call->xml, "member");
		xml_text(call->xml, "ParameterKey", parameter->key);
		xml_text(call->xml, "ParameterValue",
			 parameter->no_echo ? "****" : parameter->value);
		xml_text(call->xml, "ResolvedValue", resolved);
		xml_close(call->xml);
	}
	xml_close(call->xml);
}
