/*
 * Systems Manager's parameters: the public ones, which clients ask for to find an image, and those
 * that stacks have. No call makes others.
 */
#include "api/actions.h"
#include "api/json.h"
#include "lab/node.h"
#include "model/public_parameter.h"
#include "model/stack.h"

#include <time.h>

#define NAMES_MAX 10
#define PAGE_MAX  10
#define VERSION	  "1" /* the only one */

static json_t *parameter_json(const struct call *call, const struct public_parameter *parameter)
{
	CLEANUP(freep)
	char *arn =
		xasprintf("arn:aws:ssm:%s::parameter%s", call->identity->region, parameter->name);
	struct tm tm = { 0 };

	strptime(parameter->modified, "%Y-%m-%dT%H:%M:%S", &tm);
	return json_pack("{s:s, s:s, s:s, s:i, s:f, s:s, s:s}", "Name", parameter->name, "Type",
			 "String", "Value", parameter->value, "Version", atoi(VERSION),
			 "LastModifiedDate", (double)timegm(&tm), "ARN", arn, "DataType", "text");
}

/* One that a stack of the caller's has; NULL: none does. */
static const struct stack_resource *find_own(const struct call *call, const char *name)
{
	const struct identity *identity = call->identity;

	for (size_t i = 0; i < call->model->scope_count; i++)
		if (streq(call->model->scopes[i]->account, identity->account) &&
		    streq(call->model->scopes[i]->region, identity->region))
			return stack_ssm_row(call->model->scopes[i], name);
	return NULL;
}

static json_t *own_json(const struct call *call, const struct stack_resource *row)
{
	CLEANUP(freep)
	char *arn = xasprintf("arn:aws:ssm:%s:%s:parameter%s%s", call->identity->region,
			      call->identity->account, row->physical[0] == '/' ? "" : "/",
			      row->physical);
	CLEANUP(node_freep) struct node *properties = NULL;
	struct error ignored = ERROR_INIT;
	const char *type;

	node_parse(row->properties, strlen(row->properties), &properties, &ignored);
	type = node_get_text(properties, "Type");
	return json_pack("{s:s, s:s, s:s, s:i, s:f, s:s, s:s}", "Name", row->physical, "Type",
			 type ? type : "String", "Value", row->memo, "Version", atoi(VERSION),
			 "LastModifiedDate", (double)row->time, "ARN", arn, "DataType", "text");
}

/*
 * "name", "name:version", or the same after an ARN's "arn:aws:ssm:REGION::parameter".
 * ERROR_NOT_FOUND, of the subject that is not there.
 */
static int find(const struct call *call, const char *text, json_t **ret_json, struct error *error)
{
	CLEANUP(freep) char *arn = xasprintf("arn:aws:ssm:%s::parameter", call->identity->region);
	const char *start = strncmp(text, arn, strlen(arn)) == 0 ? text + strlen(arn) : text;
	const size_t length = strcspn(start, ":");
	CLEANUP(freep) char *name = xasprintf("%.*s", (int)length, start);
	const struct stack_resource *own = find_own(call, name);
	struct public_parameter parameter;

	if (!own && !public_parameter_find(name, &parameter))
		return error_subject(error, ERROR_NOT_FOUND, "parameter", "Parameter %s not found.",
				     text);
	if (start[length] && !streq(start + length + 1, VERSION))
		return error_subject(error, ERROR_NOT_FOUND, "parameter-version",
				     "Systems Manager could not find version %s of %s. Verify the "
				     "version and try again.",
				     start + length + 1, name);
	*ret_json = own ? own_json(call, own) : parameter_json(call, &parameter);
	if (start[length])
		json_object_set_new(*ret_json, "Selector", json_string(start + length));
	return 0;
}

int get_parameter(struct call *call, struct error *error)
{
	json_t *json;
	int r = find(call, call_text(call, "Name"), &json, error);

	if (r == 0)
		json_object_set_new(call->json, "Parameter", json);
	return r;
}

int get_parameters(struct call *call, struct error *error)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	const size_t count = params_indices(call->params, "Names", &indices);
	json_t *found = json_array(), *unknown = json_array();

	json_object_set_new(call->json, "Parameters", found);
	json_object_set_new(call->json, "InvalidParameters", unknown);
	if (count > NAMES_MAX)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "1 validation error detected: Value at 'names' failed to satisfy "
				 "constraint: Member must have length less than or equal to %d",
				 NAMES_MAX);
	for (size_t i = 0; i < count; i++) {
		const char *name = params_get(call->params, "Names.%u", indices[i]);
		struct error ignored = ERROR_INIT;
		json_t *json;

		if (find(call, name, &json, &ignored) == 0)
			json_array_append_new(found, json);
		else
			json_array_append_new(unknown, json_string(name));
	}
	return 0;
}

/* Is it beneath the path, directly or (recursive) however far? */
static bool is_beneath(const char *name, const char *path, bool recursive)
{
	size_t length = strlen(path);

	while (length && path[length - 1] == '/')
		length--;
	return strncmp(name, path, length) == 0 && name[length] == '/' &&
	       (recursive || !strchr(name + length + 1, '/'));
}

/* Where a page begins, among all parameters, and how long it is. */
static int read_page(const struct call *call, long *ret_first, long *ret_most, struct error *error)
{
	const char *most = call_text(call, "MaxResults"), *token = call_text(call, "NextToken");
	struct error ignored = ERROR_INIT;

	*ret_first = 0;
	*ret_most = PAGE_MAX;
	if (token && *token && params_int(token, "", 1, INT32_MAX, ret_first, &ignored) < 0)
		return error_set(error, ERROR_INVALID_NEXT_TOKEN,
				 "The specified token isn't valid.");
	return most && *most ? params_int(most, "maxResults", 1, PAGE_MAX, ret_most, error) : 0;
}

int get_parameters_by_path(struct call *call, struct error *error)
{
	static const char *const refused[] = { "ParameterFilters", NULL };
	const char *path = call_text(call, "Path");
	const bool recursive = call_bool(call, "Recursive", false);
	json_t *found = json_array();
	struct public_parameter parameter;
	long index, most;
	int r;

	json_object_set_new(call->json, "Parameters", found);
	if ((r = call_refuse(call, refused, error)) < 0 ||
	    (r = read_page(call, &index, &most, error)) < 0)
		return r;
	if (path[0] != '/')
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "The parameter path must begin with a slash '/'.");
	for (; public_parameter_at((size_t)index, &parameter); index++) {
		if (!is_beneath(parameter.name, path, recursive))
			continue;
		if (json_array_size(found) == (size_t)most) {
			CLEANUP(freep) char *token = xasprintf("%ld", index);

			json_object_set_new(call->json, "NextToken", json_string(token));
			break;
		}
		json_array_append_new(found, parameter_json(call, &parameter));
	}
	return 0;
}
