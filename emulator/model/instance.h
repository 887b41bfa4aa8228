/*
 * Instances. EC2 user guide, "Instance lifecycle"; RunInstances, Start, Stop, Reboot and
 * TerminateInstances in the API reference.
 *
 * A verb leaves an instance in a state of passage (pending, stopping, shutting-down); when the
 * kernel has done its part, instance_settle() moves it on.
 */
#pragma once

#include "model/interface.h"
#include "model/volume.h"

enum instance_state {
	INSTANCE_PENDING,
	INSTANCE_RUNNING,
	INSTANCE_SHUTTING_DOWN,
	INSTANCE_TERMINATED,
	INSTANCE_STOPPING,
	INSTANCE_STOPPED,
	INSTANCE_STATE_MAX,
};

/* What a launch says about every instance of it; text may be NULL where a default exists. */
struct instance_template {
	char *image_id, *type;
	char *user_data; /* base64 as it came; NULL for none */
	/* as of launch: the key pair may be gone since; both NULL for none */
	char *key_name;
	char *public_key; /* OpenSSH's line */
	char *client_token;
	char *token_digest; /* of the request, to tell a repetition from another use of the token */
	char *shutdown_behavior;
	bool disable_api_termination, disable_api_stop, monitoring, ebs_optimized;
	char *tenancy;
	char *cpu_credits;   /* NULL: as is usual for the type, see instance_cpu_credits() */
	char *auto_recovery; /* "disabled"; NULL or "default": not */
	/* metadata options */
	char *http_tokens, *http_endpoint, *metadata_tags, *metadata_ipv6;
	int64_t hop_limit;
	/* its private names, see struct name_request; NULL: "ip-name" */
	char *hostname_type;
	bool resource_name_a, resource_name_aaaa;
};

/*
 * How instances are called: by their address ("ip-name") or by their id ("resource-name"), and
 * whether DNS answers for the id. NULL: at launch as the subnet says, later as it is. EC2 guide,
 * "Amazon EC2 instance hostname types".
 */
struct name_request {
	const char *type; /* borrowed */
	const bool *a, *aaaa;
};

struct instance {
	struct resource resource;
	struct rid reservation;
	struct instance_template options;
	int64_t launch_index;
	int64_t launch_time;
	int64_t end_time; /* when it was terminated; it is forgotten an hour later */
	int state;	  /* enum instance_state */
	char *reason, *reason_code, *reason_message;
	struct rid subnet, vpc; /* unset once terminated */
	int64_t zone;
	struct rid_item *interfaces; /* by device index; none once terminated */
	size_t interface_count;
	struct rid_item *volumes; /* in the order they were attached; none once terminated */
	size_t volume_count;
	/* It has been running: what an interrupted launch leaves behind hasn't, and is forgotten.
	 */
	bool has_run;
	/* Its init; after termination the last one's, so that an interrupted kill can be made good.
	 */
	int64_t pid;
	int64_t start_time;
};

extern const struct resource_type instance_type;
extern const struct field instance_state_fields[];
extern const struct field instance_status_fields[];
extern const struct field instance_metadata_fields[];

struct instance *instance_get(const struct model *model, struct rid id);
/*
 * The one whose Name tag it is, in whatever account and region; terminated ones don't count. NULL
 * where none has it; ERROR_INVALID_PARAMETER_VALUE where several have.
 */
int instance_named(const struct model *model, const char *name, struct instance **ret_instance,
		   struct error *error);
/* The first interface, or NULL for a terminated instance. */
struct interface *instance_primary(const struct model *model, const struct instance *instance);
/* Its interface, for calls that take an instance and mean that. ERROR_INSTANCE_ID unless it has
 * exactly one. */
int instance_sole_interface(const struct model *model, const struct instance *instance,
			    struct interface **ret_interface, struct error *error);
/* The host's name, without a domain: "ip-10-0-1-5" or "i-0123…"; nothing once it is terminated. */
void instance_host_name(const struct model *model, const struct instance *instance,
			struct buffer *name);
/* Has it a public address by itself, as one card launched with one has: without a second card, and
 * without an Elastic IP. Whether it runs is another matter. */
bool instance_may_have_public(const struct model *model, const struct instance *instance);
/* "standard" or "unlimited"; NULL for a type without credits. */
const char *instance_cpu_credits(const struct instance *instance);
extern const char *const instance_state_names[]; /* by state; ends with NULL */
int instance_state_code(int state);
/* True while its interfaces are wired: pending, running and stopping. */
bool instance_is_live(const struct instance *instance);

/* One device of every instance that is launched. */
struct launch_interface {
	struct interface *existing;    /* or NULL, and one is made: */
	struct interface_request make; /* of an existing one only the subnet is told */
	int64_t device_index;
	bool delete_on_termination;
};

struct launch_request {
	struct instance_template options;    /* borrowed */
	struct launch_interface *interfaces; /* by device index, the first 0; one at least */
	size_t interface_count;
	struct name_request names;
	struct volume_request root;
	struct volume_request *volumes; /* beside it, each with a device of its own */
	size_t volume_count;
	const bool *public_address; /* AssociatePublicIpAddress; NULL: as the subnet says */
	int64_t minimum, maximum;   /* 1 when there is an existing interface */
};

/*
 * Makes between `minimum` and `maximum` instances, as many as the subnets have addresses for, in
 * one reservation. ERROR_INSUFFICIENT_ADDRESSES, ERROR_INSTANCE_CAPACITY; those of
 * interface_create(), attachment_check() and volume_check().
 */
int instance_launch(struct transaction *transaction, const struct launch_request *request,
		    struct rid *ret_reservation, struct error *error);
/* No-op for a running one. ERROR_INSTANCE_STATE, ERROR_INSTANCE_CAPACITY. */
int instance_start(struct transaction *transaction, struct instance *instance, struct error *error);
/* No-op for a stopped one. ERROR_INSTANCE_STATE, ERROR_OPERATION_NOT_PERMITTED. */
int instance_stop(struct transaction *transaction, struct instance *instance, struct error *error);
/* Idempotent. ERROR_OPERATION_NOT_PERMITTED (protected from it, or from being stopped). */
int instance_terminate(struct transaction *transaction, struct instance *instance,
		       struct error *error);
/*
 * Sets the metadata options that `wanted` has (NULL and 0 are none). ERROR_INSTANCE_STATE once it
 * is terminated; ERROR_INVALID_PARAMETER_VALUE: tags to be shown, and one of them can't be.
 */
int instance_set_metadata(struct transaction *transaction, struct instance *instance,
			  const struct instance_template *wanted, struct error *error);
/* ERROR_INSTANCE_STATE: another type of name while it isn't stopped, or anything once it is
 * terminated. */
int instance_set_names(struct transaction *transaction, struct instance *instance,
		       const struct name_request *wanted, struct error *error);
/* May the instance have a tag of that key? Those that metadata shows are names in a path:
 * ERROR_INVALID_PARAMETER_VALUE. */
int instance_check_tag_key(const struct instance *instance, const char *key, struct error *error);
/*
 * Another type, whose limits its interfaces must fit; known to the catalogue. ERROR_INSTANCE_STATE
 * unless it is stopped, ERROR_QUOTA.
 */
int instance_set_type(struct transaction *transaction, struct instance *instance, const char *type,
		      struct error *error);
/* For what can be changed of a stopped one alone: ERROR_INSTANCE_STATE. */
int instance_check_stopped(const struct instance *instance, struct error *error);
/* pending → running; shutting-down → terminated, interfaces released. */
void instance_settle(struct transaction *transaction, struct instance *instance);
/* Removes its record; one that never ran takes along all that was made with it. */
void instance_forget(struct transaction *transaction, struct instance *instance);
/*
 * Its init is gone: stopping → stopped as asked; otherwise stopped, with a reason that says whether
 * it shut down in order or crashed. One that was running and has shut down in order is on the way
 * to terminated when that is its shutdown behaviour.
 */
void instance_exited(struct transaction *transaction, struct instance *instance, bool orderly);
