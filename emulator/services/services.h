/*
 * Amazon's services at their addresses in every subnet that is in the kernel (model/service.h), and
 * DNS of the Internet at its router's: sockets of the daemon's own in the subnets' namespaces. No
 * process serves them but the daemon, and without it they are silent.
 */
#pragma once

#include "base/loop.h"
#include "model/model.h"

struct services;

struct services_options {
	bool uplink; /* what DNS does not know it asks the host's resolver for */
	/*
	 * Takes an accepted connection to 169.254.169.254, port 80, in that subnet, and owns it.
	 * It keeps the subnet's namespace while it is open. NULL: such connections are closed.
	 */
	void (*imds_accept)(void *context, int fd, struct rid subnet);
	void *context;
};

/* Opens the sockets that the model wants, in namespaces that must be there. */
int services_open(struct loop *loop, const struct model *model,
		  const struct services_options *options, struct services **ret_services,
		  struct error *error);
struct services *services_close(struct services *services); /* NULL is fine; always NULL */
/*
 * Opens and closes what a change of the model makes different, when the kernel has followed it; not
 * more than a look when no subnet or VPC has changed. After a failure, and after a roll-back, the
 * same call makes it right.
 */
int services_changed(struct services *services, struct error *error);

/* Tells of a socket that the model wants, in words, and that is not there or not any more. */
typedef void (*services_missing_fn)(void *context, struct rid place, const char *what);
/* Compares all sockets with what they were opened as; changes nothing. Their namespaces are there.
 */
void services_audit(const struct services *services, services_missing_fn missing, void *context);
/* Opens anew what services_audit() tells of. */
int services_repair(struct services *services, struct error *error);
