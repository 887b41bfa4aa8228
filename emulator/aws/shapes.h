/*
 * What the AWS CLI knows of the actions there are, as text: read by model.c alone.
 */
#pragma once

extern const char aws_shapes_cloudformation[];
extern const char aws_shapes_ec2[];
extern const char aws_shapes_ssm[];
extern const char aws_shapes_sts[];
