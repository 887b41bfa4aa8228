/*
 * --query: JMESPath (jmespath.org/specification), whole.
 */
#pragma once

#include "aws/value.h"

struct aws_query;

int aws_query_compile(const char *text, struct aws_query **ret_query, struct aws_failure *failure);
void aws_query_freep(struct aws_query **query);
/* What it finds in a value, null among it. Fails when a function can't have what it is given. */
int aws_query_search(const struct aws_query *query, const json_t *json, json_t **ret_found,
		     struct aws_failure *failure);
