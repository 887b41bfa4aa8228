/*
 * What can be typed behind a service, from the tables.
 */
#pragma once

#include "aws/line.h"

/* Of the line's action its options, else the verbs and waiters there are; to standard output. */
void aws_help_print(struct aws_model *model, const struct aws_line *line);
