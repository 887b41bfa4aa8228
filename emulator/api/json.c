/* Calls in JSON: see json.h. */
#include "api/json.h"

#include "api/errors.h"

#define TARGET	     "X-Amz-Target"
#define PREFIX	     "AmazonSSM."
#define CONTENT_TYPE "application/x-amz-json-1.1"
#define DEPTH_MAX    8

void json_freep(struct json_t **json)
{
	json_decref(*json);
	*json = NULL;
}

bool json_is(const struct http_request *request)
{
	return http_header_get(request, TARGET) != NULL;
}

/* The names and values that are found; owned. */
struct pairs {
	struct param_pair *items;
	size_t count;
};

static void pairs_clear(struct pairs *pairs)
{
	for (size_t i = 0; i < pairs->count; i++) {
		freep(&pairs->items[i].name);
		freep(&pairs->items[i].value);
	}
	free(pairs->items);
}

/* Takes both over. */
static int add(struct pairs *pairs, char *name, char *value, struct error *error)
{
	*array_grow(&pairs->items, &pairs->count) = (struct param_pair){ name, value };
	if (pairs->count > PARAMS_MAX)
		return error_set(error, ERROR_MALFORMED_QUERY, "There are too many parameters");
	return 0;
}

static char *scalar(const json_t *json)
{
	if (json_is_string(json))
		return xstrdup(json_string_value(json));
	if (json_is_boolean(json))
		return xstrdup(json_is_true(json) ? "true" : "false");
	if (json_is_integer(json))
		return xasprintf("%" JSON_INTEGER_FORMAT, json_integer_value(json));
	return xasprintf("%g", json_real_value(json));
}

static int flatten(struct pairs *pairs, const char *prefix, json_t *json, int depth,
		   struct error *error)
{
	const char *dot = *prefix ? "." : "";
	const char *key;
	json_t *value;
	size_t index;
	int r = 0;

	if (depth > DEPTH_MAX)
		return error_set(error, ERROR_MALFORMED_QUERY, "%s is too deep", prefix);
	if (json_is_null(json))
		return 0;
	if (!json_is_object(json) && !json_is_array(json))
		return add(pairs, xstrdup(prefix), scalar(json), error);
	json_object_foreach(json, key, value)
	{
		CLEANUP(freep) char *name = xasprintf("%s%s%s", prefix, dot, key);

		if ((r = flatten(pairs, name, value, depth + 1, error)) < 0)
			return r;
	}
	json_array_foreach(json, index, value)
	{
		CLEANUP(freep) char *name = xasprintf("%s%s%zu", prefix, dot, index + 1);

		if ((r = flatten(pairs, name, value, depth + 1, error)) < 0)
			return r;
	}
	return 0;
}

int json_params(const struct http_request *request, struct params **ret_params, struct error *error)
{
	const char *target = http_header_get(request, TARGET);
	CLEANUP(json_freep) json_t *json = NULL;
	CLEANUP(pairs_clear) struct pairs pairs = { NULL, 0 };
	int r;

	if (strncmp(target, PREFIX, strlen(PREFIX)) != 0)
		return error_set(error, ERROR_INVALID_ACTION, "There is no %s here.", target);
	json = request->body_length ? json_loadb(request->body, request->body_length, 0, NULL)
				    : json_object();
	if (!json_is_object(json))
		return error_set(error, ERROR_MALFORMED_QUERY, "The body is no JSON object");
	if ((r = flatten(&pairs, "", json, 0, error)) < 0 ||
	    (r = add(&pairs, xstrdup("Action"), xstrdup(target + strlen(PREFIX)), error)) < 0 ||
	    (r = add(&pairs, xstrdup("Version"), xstrdup(JSON_VERSION), error)) < 0)
		return r;
	*ret_params = params_make(pairs.items, pairs.count);
	return 0;
}

void json_reply(const json_t *json, struct http_reply *reply)
{
	CLEANUP(freep) char *text = json_dumps(json, JSON_COMPACT);

	reply->content_type = CONTENT_TYPE;
	reply->status = 200;
	buffer_puts(&reply->body, text);
}

/* These services' own words; the status is 400 for whatever isn't ours to answer for. */
static const char *type_of(const struct error *error)
{
	static const struct {
		enum error_code code;
		const char *subject;
		const char *type;
	} types[] = {
		{ ERROR_NOT_FOUND, "parameter", "ParameterNotFound" },
		{ ERROR_NOT_FOUND, "parameter-version", "ParameterVersionNotFound" },
		{ ERROR_AUTH_FAILURE, "signature", "InvalidSignatureException" },
		{ ERROR_AUTH_FAILURE, NULL, "UnrecognizedClientException" },
		{ ERROR_REQUEST_EXPIRED, "token", "ExpiredTokenException" },
		{ ERROR_REQUEST_EXPIRED, NULL, "InvalidSignatureException" },
		{ ERROR_MISSING_TOKEN, NULL, "MissingAuthenticationTokenException" },
		{ ERROR_INCOMPLETE_SIGNATURE, NULL, "IncompleteSignatureException" },
		{ ERROR_INVALID_ACTION, NULL, "UnknownOperationException" },
		{ ERROR_MALFORMED_QUERY, NULL, "SerializationException" },
		{ ERROR_MISSING_PARAMETER, NULL, "ValidationException" },
		{ ERROR_UNKNOWN_PARAMETER, NULL, "ValidationException" },
		{ ERROR_INVALID_PARAMETER_VALUE, NULL, "ValidationException" },
		{ ERROR_UNSUPPORTED_OPERATION, NULL, "ValidationException" },
		{ ERROR_INVALID_NEXT_TOKEN, NULL, "InvalidNextToken" },
		{ ERROR_INTERNAL, NULL, "InternalServerError" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (error->code == types[i].code && streq(error->subject, types[i].subject))
			return types[i].type;
	return error_reply(error).code;
}

void json_error(const struct error *error, struct http_reply *reply)
{
	CLEANUP(json_freep) json_t *json = json_object();
	const char *type = type_of(error);

	json_object_set_new(json, "__type", json_string(type));
	/* What a client sent may be no UTF-8. */
	json_object_set_new(json, "message", json_string(error->text));
	json_reply(json, reply);
	reply->status = error_reply(error).status >= 500 ? 500 : 400;
}
