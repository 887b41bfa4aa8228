/*
 * One call of one action, parameters and result as JSON by the names of the model.
 */
#pragma once

#include "aws/value.h"
#include "client/client.h"

struct aws_target {
	struct aws_model *model;
	const struct client *client;
	const struct aws_action *action;
};

/* The error's code when the API refuses, else NULL; the caller frees it. */
struct aws_refusal {
	char *code;
	char *message;
};

void aws_refusal_clear(struct aws_refusal *refusal);
/*
 * Checks the parameters (see aws_request_check()) and calls. What the API refuses is a failure,
 * with `ret_refusal` (or NULL) told what.
 */
int aws_call(const struct aws_target *target, json_t *parameters, json_t **ret_result,
	     struct aws_refusal *ret_refusal, struct aws_failure *failure);
