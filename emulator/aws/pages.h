/*
 * Results that come in pages, as the AWS CLI takes them: all of them, as one.
 */
#pragma once

#include "aws/call.h"
#include "aws/line.h"

#define PAGES_TOKEN "NextToken" /* where to go on, in a result that was cut */

/* Are pages put together, and not taken one by one? */
bool aws_pages_wanted(const struct aws_line *line);
/* Calls the action, page by page unless the line or the parameters say otherwise. */
int aws_pages_call(const struct aws_target *target, const struct aws_line *line, json_t *parameters,
		   json_t **ret_result, struct aws_failure *failure);
