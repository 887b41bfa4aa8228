/*
 * `ec2 wait VERB`: asks again until something is so, has failed, or the time of the AWS CLI's own
 * waiter is up. That one asks every 15 seconds mostly; a world here is faster, and asked more
 * often.
 */
#pragma once

#include "aws/call.h"

/* `waiter` as aws_model_waiter() has it. */
int aws_wait(const struct aws_target *target, char **waiter, json_t *parameters,
	     struct aws_failure *failure);
