/*
 * The AWS CLI's shorthand: "Name=vpc-id,Values=a,b", "ResourceType=vpc,Tags=[{Key=a,Value=b}]".
 */
#pragma once

#include "aws/value.h"

/* Reads one structure, with the types of the model; the option is named in what fails. */
int aws_shorthand_read(const struct aws_reading *reading, const struct aws_shape *shape,
		       const char *option, const char *text, json_t **ret_json);
