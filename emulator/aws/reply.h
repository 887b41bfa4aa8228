/*
 * What a service answers, as the AWS CLI has it: JSON by the names, types and order of the model.
 */
#pragma once

#include "aws/value.h"

/* A reply with HTTP status 200. Fails with -EINVAL when it isn't what the protocol has. */
int aws_reply_read(struct aws_model *model, const struct aws_action *action,
		   const struct buffer *body, json_t **ret_json, struct aws_failure *failure);
/* The error's code and message of any other; the caller frees them, neither is NULL. */
void aws_reply_error(struct aws_model *model, const struct buffer *body, char **ret_code,
		     char **ret_message);
