/*
 * A command line of the AWS CLI behind its service: a verb, its options, and those that all verbs
 * take, wherever they stand.
 */
#pragma once

#include "aws/value.h"

/* Whether a value follows an option. */
enum aws_takes {
	AWS_TAKES_ONE,
	AWS_TAKES_MANY,	 /* up to the next option; or none */
	AWS_TAKES_MAYBE, /* one, or none: true */
	AWS_TAKES_YES,	 /* none: true */
	AWS_TAKES_NO,	 /* none: false */
};

struct aws_option {
	char *name; /* "vpc-ids" */
	enum aws_takes takes;
	/* The parameter; NULL: one that the AWS CLI has besides, see extra.h. */
	const struct aws_member *member;
	bool given;
	char **words; /* of the command line */
	size_t count;
};

struct aws_line {
	const struct aws_action *action;
	char **waiter; /* of "wait VERB": see aws_model_waiter(); else NULL */
	struct aws_option *options;
	size_t option_count;
	bool help, no_pages, debug;
	const char *service_word; /* the verb as it was typed */
	const char *region, *profile, *output, *query, *endpoint, *binary_format;
	const char *input; /* --cli-input-json */
	const char *ignored;
};

/* Reads the words behind the service, which end in NULL. */
int aws_line_read(struct aws_model *model, char **words, struct aws_line *ret_line,
		  struct aws_failure *failure);
void aws_line_clear(struct aws_line *line);
/* The parameters that the options make. */
int aws_line_parameters(struct aws_model *model, const struct aws_line *line,
			json_t **ret_parameters, struct aws_failure *failure);
/* An option that was given; NULL when it wasn't. */
const struct aws_option *aws_line_given(const struct aws_line *line, const char *name);
/* All options of an action, as they are typed; whoever asks clears the line. */
void aws_line_options(struct aws_model *model, struct aws_line *line);
