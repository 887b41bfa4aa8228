/*
 * Calls on many resources that answer 200 and list, as `unsuccessful`, those on which they failed.
 */
#pragma once

#include "api/call.h"

struct failure {
	char *id;
	const char *code; /* static */
	char *message;
};

struct failures {
	struct failure *items;
	size_t count;
};

void failures_clear(struct failures *failures); /* for CLEANUP() */
void failures_add(struct failures *failures, const char *id, const struct error *error);
/* <unsuccessful>… */
void reply_failures(struct call *call, const struct failures *failures);

/*
 * Removes every resource of the kind that `name`.N names and lists those that are not there, whose
 * code is that of `subject`; replies. ERROR_MALFORMED.
 */
int call_remove_each(struct call *call, const char *name, enum kind kind, const char *subject,
		     void (*remove)(struct transaction *transaction, void *resource),
		     struct error *error);
