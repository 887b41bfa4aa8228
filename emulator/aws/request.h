/*
 * Parameters by the names of the model, as JSON, become a request: checked as the AWS CLI checks
 * them, then in the notation of the service's protocol.
 */
#pragma once

#include "aws/value.h"
#include "client/client.h"

/* Makes up the tokens that are not given. Fails as the AWS CLI does: all that is wrong, a line
 * each. */
int aws_request_check(struct aws_model *model, const struct aws_action *action, json_t *parameters,
		      struct aws_failure *failure);
/* "Action=CreateVpc&…", or JSON. */
void aws_request_write(struct aws_model *model, const struct aws_action *action,
		       const json_t *parameters, struct buffer *body);
