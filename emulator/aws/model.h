/*
 * What the AWS CLI knows of a service: its actions, their parameters and their results, read from
 * the tables in shapes.c. Nothing but what a call needs is taken apart. In the tables stand,
 * after a first line of the protocol, the version and the target of the service, one to a line:
 *
 *	@CreateVpc INPUT OUTPUT RESULTS LIMIT	an action: two structures ("-": none); of one with
 *		[BESIDES]			pages what its pages hold, "MaxResults" or "-", and
 *						what is in each of them besides: null when
 *						it is not, unless it has a "?" before it
 *	:Vpc CidrBlock:s Tags=tagSet:*Tag …	a structure and its members, in the AWS CLI's order
 *	^VpcExists DescribeVpcs DELAY TRIES …	a waiter (between tabs), and for each thing that it
 *						looks out for: state, matcher, what is
 *						expected, path
 *
 * A member is NAME[|OPTION][=WIRE][~QUERY]:TYPE[!|#][>LEAST]: how it is typed where that isn't its
 * name in lower case; what it is called on the wire, else the name with a small letter (EC2) or the
 * name ("=" alone: the name); in requests, else the WIRE name with a capital; s(tring), i(nteger),
 * d(ouble), b(oolean), t(ime), x (bytes), m(ap of strings, in requests) or a structure, with a *
 * before it for a list; needed, or a token that is made up when it isn't given; its least value or
 * length.
 */
#pragma once

#include "base/buffer.h"

enum aws_protocol {
	AWS_PROTOCOL_EC2,
	AWS_PROTOCOL_QUERY,
	AWS_PROTOCOL_JSON,
};

struct aws_member {
	char *name;   /* "CidrBlock" */
	char *option; /* "cidr-block" */
	char *wire;   /* in replies: "cidrBlock" */
	char *query;  /* in requests: "CidrBlock" */
	char type;    /* one of "sidbtxm", or 'S': a structure */
	size_t lists; /* how many lists are around it */
	char *shape_name;
	const struct aws_shape *shape; /* of a structure; by aws_model_inside() */
	bool needed, token;
	long least; /* 0: any */
};

struct aws_shape {
	char *name;
	struct aws_member *members;
	size_t count;
};

struct aws_action {
	char *name;	      /* "DescribeVpcs" */
	char *verb;	      /* "describe-vpcs" */
	char *input, *output; /* "-": none */
	char *results;	      /* of one with pages: "ServiceDetails,ServiceNames"; else "-" */
	bool limited;	      /* takes MaxResults, with pages */
	char *besides;	      /* in each page: "StackName,Status,?New"; else "" */
};

struct aws_model;

/* The services there are, by the names the AWS CLI has for them; NULL after the last. */
const char *aws_model_service(size_t index);
/* NULL when there is no such service. */
struct aws_model *aws_model_open(const char *service);
void aws_model_freep(struct aws_model **model);

const char *aws_model_name(const struct aws_model *model); /* "ec2" */
enum aws_protocol aws_model_protocol(const struct aws_model *model);
const char *aws_model_version(const struct aws_model *model);
const char *aws_model_target(const struct aws_model *model); /* "AmazonSSM"; "-" */

/* All actions in the order of their names; NULL after the last. */
const struct aws_action *aws_model_action(const struct aws_model *model, size_t index);
/* By verb, or by name; NULL when there is none. */
const struct aws_action *aws_model_find(const struct aws_model *model, const char *word);
/* A structure; NULL for "-". It lasts as long as the model. */
const struct aws_shape *aws_model_shape(struct aws_model *model, const char *name);
/* The structure that a member is, or is a list of; NULL for the others. */
const struct aws_shape *aws_model_inside(struct aws_model *model, const struct aws_member *member);
const struct aws_member *aws_shape_member(const struct aws_shape *shape, const char *name);

/* The words of a waiter, one by one, from its name on; false when there is none so called. */
bool aws_model_waiter(const struct aws_model *model, const char *verb, char ***ret_words);
/* The verbs of all waiters, one a line. */
void aws_model_waiters(const struct aws_model *model, struct buffer *verbs);
void aws_words_freep(char ***words);
