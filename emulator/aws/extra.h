/*
 * What the AWS CLI has besides the model: options of its own ("customizations") and parameters that
 * it changes.
 */
#pragma once

#include "aws/line.h"

/* Adds an action's own options, and takes away those that they stand for. */
void aws_extra_options(struct aws_line *line);
/* One of those, as it was given, to the parameters. */
int aws_extra_apply(const struct aws_line *line, const struct aws_option *option,
		    json_t *parameters, struct aws_failure *failure);
/* Options that don't go together. */
int aws_extra_check(const struct aws_line *line, struct aws_failure *failure);
/* What is changed once all parameters are there. */
void aws_extra_finish(const struct aws_action *action, json_t *parameters);

void aws_line_add(struct aws_line *line, const char *name, enum aws_takes takes,
		  const struct aws_member *member);
