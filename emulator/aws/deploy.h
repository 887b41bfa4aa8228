/*
 * `cloudformation deploy`: the AWS CLI's own command, of several calls. A change set is made and
 * waited for, then executed and waited for.
 */
#pragma once

#include "aws/call.h"

/*
 * `given`: its options, as members of DeployInput in shapes.c. What it does is told on standard
 * output. Fails as the AWS CLI does.
 */
int aws_deploy(const struct aws_target *target, json_t *given, struct aws_failure *failure);
