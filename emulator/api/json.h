/*
 * The protocol of the services that speak JSON, "AWS JSON 1.1": the action in a header, parameters
 * and reply as objects. Parameters become names with dots, as the Query protocol has them: the
 * second of "Names" is Names.2.
 */
#pragma once

#include <jansson.h>

#include "api/params.h"

#define JSON_SERVICE "ssm"
#define JSON_VERSION "2014-11-06"

/* Does the request say so? */
bool json_is(const struct http_request *request);
/* ERROR_MALFORMED_QUERY: no object; ERROR_INVALID_ACTION: another service's. */
int json_params(const struct http_request *request, struct params **ret_params,
		struct error *error);
void json_reply(const struct json_t *json, struct http_reply *reply);
/* As clients of these services read it: "__type" and "message". */
void json_error(const struct error *error, struct http_reply *reply);
void json_freep(struct json_t **json);
