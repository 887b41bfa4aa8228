/*
 * The services of AWS's that VPC endpoints lead to, and the prefix lists of those that a route
 * leads to. They are names: nothing answers for them here.
 */
#pragma once

#include "model/prefix_list.h"

#define ENDPOINT_SERVICES_MAX 64

struct endpoint_service {
	const char *word;  /* "s3": "com.amazonaws.<region>.s3" */
	const char *block; /* its prefix list's entry: it takes gateway endpoints; NULL: none */
	bool by_interface; /* it takes interface endpoints */
	const char *private_dns; /* the label before "<region>.amazonaws.com"; NULL: the word */
	/* Private names only for inbound resolver endpoints, unless asked for: S3, DynamoDB. */
	bool private_dns_off;
};

const struct endpoint_service *endpoint_service_at(size_t index); /* NULL past the end */
/* By a full name in the scope's region; NULL: none. */
const struct endpoint_service *endpoint_service_find(const struct scope *scope, const char *name);
/* "com.amazonaws.us-east-1.s3" */
const char *endpoint_service_name(const struct scope *scope, const struct endpoint_service *service,
				  struct buffer *scratch);
/* "ec2.us-east-1.amazonaws.com" */
const char *endpoint_service_private_name(const struct scope *scope,
					  const struct endpoint_service *service,
					  struct buffer *scratch);
/* The prefix list of a service that takes gateway endpoints. */
struct prefix_list *endpoint_service_list(const struct scope *scope,
					  const struct endpoint_service *service);
/* Makes those of a fresh scope. */
void endpoint_service_lists_create(struct transaction *transaction, struct scope *scope);
