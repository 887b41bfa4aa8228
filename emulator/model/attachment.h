/*
 * Which interface is which device of which instance. EC2 user guide, "Elastic network interfaces";
 * AttachNetworkInterface, DetachNetworkInterface.
 *
 * Device index N is ethN inside. An interface's MAC address is its own, so it stays the same
 * wherever it goes.
 */
#pragma once

#include "model/instance.h"

#define DEVICE_INDEX_MAX 99

/*
 * Wires them up at a free device index; the caller has asked attachment_check(). On a running
 * instance the device appears at once, on a stopped one with its next start.
 */
void attachment_make(struct transaction *transaction, struct instance *instance,
		     struct interface *interface, int64_t device_index, bool delete_on_termination);
/*
 * Could it be attached there? ERROR_INTERFACE_IN_USE, ERROR_INSTANCE_STATE,
 * ERROR_INVALID_PARAMETER_VALUE (the index is taken), ERROR_INVALID_PARAMETER_COMBINATION (another
 * zone or VPC), ERROR_QUOTA (of the instance's type).
 */
int attachment_check(const struct model *model, const struct instance *instance,
		     const struct interface *interface, int64_t device_index, struct error *error);
/* The three parts of it that a launch asks before there is an instance. */
int attachment_in_use(const struct interface *interface, struct error *error); /* the refusal */
int attachment_check_free(const struct interface *interface, struct error *error);
int attachment_check_place(const struct subnet *of_instance, const struct subnet *of_interface,
			   struct error *error);
/* `addresses`: of the one interface that has most. */
int attachment_check_limits(const char *type, size_t interfaces, size_t addresses,
			    struct error *error);

/* ERROR_OPERATION_NOT_PERMITTED for the primary one. */
int attachment_check_end(const struct interface *interface, struct error *error);
/* Whatever it was attached to; a public address that came with it goes, an Elastic IP stays. */
void attachment_end(struct transaction *transaction, struct interface *interface);

/*
 * The interface as it is shown to who looks for an attachment that has ended: "detached". A copy
 * that owns nothing and is good as long as the interface is.
 */
struct interface attachment_ended_view(const struct interface *interface);

/* The interface that is attached by it, or NULL. */
struct interface *attachment_find(const struct scope *scope, struct rid attachment);
/* Can it take packets now: is it attached to a live instance, or an available NAT gateway's? */
bool attachment_is_live(const struct model *model, const struct interface *interface);
/* How many addresses the interface may have where it is now. */
size_t attachment_address_limit(const struct model *model, const struct interface *interface);
