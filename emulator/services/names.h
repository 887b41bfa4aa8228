/*
 * What names mean, by the model as it is now: those of private addresses and instances in a VPC,
 * those of public addresses, and back. VPC user guide, "DNS attributes for your VPC"; EC2 guide,
 * "Amazon EC2 instance hostname types".
 */
#pragma once

#include "model/vpc.h"
#include "services/message.h"

/* Who asks. */
struct dns_view {
	const struct model *model;
	const struct vpc *vpc; /* NULL: the Internet */
};

void names_answer(const struct dns_view *view, const struct dns_query *query,
		  struct dns_answer *ret_answer);
