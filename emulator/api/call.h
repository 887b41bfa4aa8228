/*
 * One API call on its way: from the request to the action's handler, and what handlers share.
 */
#pragma once

#include "api/params.h"
#include "api/sigv4.h"
#include "api/xml.h"
#include "http/http.h"
#include "model/model.h"

/* A process as the private actions show it; see instance/instance.h. */
struct api_process {
	int64_t pid, start_time;
};

enum api_drop_reason {
	API_DROP_SOURCE_CHECK,
	API_DROP_SECURITY_GROUP,
	API_DROP_NETWORK_ACL,
};

/* What one rule dropped of one interface's packets, since there were any. */
struct api_drop {
	struct rid interface;
	enum api_drop_reason reason;
	bool egress;  /* from the interface; else to it */
	int64_t rule; /* of a network ACL: its number, or ACL_NUMBER_LAST for "*"; else 0 */
	uint64_t packets, bytes;
};

struct api_drop_list {
	struct api_drop *items; /* owned */
	size_t count;
};

/* What a NAT gateway translates now. */
struct api_nat_counts {
	uint64_t connections;
	uint64_t busiest; /* of them go to one destination, from behind one address */
	struct address destination;
	int64_t protocol, port; /* of that destination */
	uint64_t port_errors; /* connections that found no free port, since the gateway is there */
};

enum api_drift_kind {
	API_DRIFT_MISSING,
	API_DRIFT_UNEXPECTED,
	API_DRIFT_DIFFERENT,
};

/* A difference between the model and what there is; all texts are owned. */
struct api_drift {
	enum api_drift_kind kind;
	struct rid id;	   /* the namespace's, or whose process it is */
	bool is_namespace; /* it is about the namespace itself */
	char *wanted;	   /* in words; NULL: nothing */
	char *found;	   /* the same */
	bool mended;
	char *why; /* it was not; NULL: nobody tried */
};

struct api_drift_list {
	struct api_drift *items; /* owned */
	size_t count;
};
void api_drift_list_clear(struct api_drift_list *list); /* for CLEANUP() too */

#define API_CONSOLE_MAX 65536
#define API_CONSOLE_END UINT64_MAX

/* What an instance wrote on its console. */
struct api_console {
	struct buffer text; /* owned */
	uint64_t end;	    /* the position after it, in bytes */
	int64_t time;	    /* when it was last written to, seconds since 1970; 0: never */
};

/* What has changed, a line of JSON each; see ListEvents. */
struct api_events {
	struct buffer text; /* owned */
	uint64_t next;	    /* the sequence number to go on with */
	uint64_t missed;    /* that were asked for, and are forgotten */
	bool more;	    /* the text would have been longer */
};

/* What the API asks of the rest of the daemon; wired up in world/. */
struct api_hooks {
	void *context;
	/*
	 * Stores the transaction, brings the kernel to it, and settles what was passing. On failure
	 * everything is as before and the transaction is rolled back.
	 */
	int (*commit)(void *context, struct transaction *transaction, struct error *error);
	/* Asks the init of a running instance to start over. */
	int (*reboot)(void *context, struct rid instance, struct error *error);
	/* It was asked to, and its old init has not ended yet. */
	bool (*is_rebooting)(void *context, struct rid instance);
	/*
	 * What was dropped in all subnets, of interfaces that there are, in the order of their
	 * creation, then by reason, direction and rule. The caller frees ret_drops->items.
	 */
	int (*drops)(void *context, struct api_drop_list *ret_drops, struct error *error);
	/* Of a NAT gateway that is available. */
	int (*nat_counts)(void *context, struct rid gateway, struct api_nat_counts *ret_counts,
			  struct error *error);
	/* What differs between the model and the kernel, and mends it: all that can be. */
	int (*audit)(void *context, bool repair, struct api_drift_list *ret_drifts,
		     struct error *error);
	/* Is there a directory at `path`, absolute, or anything else? ERROR_INVALID_PARAMETER_VALUE
	 * where nothing is that an image can be made of. */
	int (*look_at)(void *context, const char *path, bool *ret_directory, struct error *error);
	/* API_CONSOLE_MAX bytes at most from position `from` on (the first, if it has not got so
	 * far), or the last ones: API_CONSOLE_END. */
	int (*console)(void *context, struct rid instance, uint64_t from,
		       struct api_console *ret_console, struct error *error);
	/* From a sequence number on; 0: all that are known. The caller clears the text. */
	void (*events)(void *context, uint64_t from, struct api_events *ret_events);
	/* Makes one more account; see credentials_add(). */
	int (*create_account)(void *context, const char *account,
			      const struct credentials **ret_credentials, struct error *error);
	/* Does at once what there is to do for stacks, for some tenths of a second at most: who
	 * asks how far one has got may ask again in half a minute. */
	void (*hurry)(void *context);
};

struct action;

struct call {
	struct model *model;
	const struct api_hooks *hooks;
	const struct action *action;
	const struct params *params;
	const struct identity *identity;
	const struct credentials_list *accounts;
	bool any_account; /* any twelve digits are one */
	struct scope *scope;
	struct transaction transaction;
	struct xml *xml; /* the reply's document, inside its root */
	/* The reply, of a service that speaks JSON; then there is no document. An object of
	 * jansson's. */
	struct json_t *json;
};

/* What an action does to packets, and to what serves instances. */
enum action_effect {
	ACTION_READ,	 /* it changes nothing */
	ACTION_RECORDED, /* what it changes is kept and told, and no packet knows of it */
	ACTION_ENFORCED, /* they obey when it is answered */
};

struct action {
	const char *service; /* "ec2", "sts", "minivpc" */
	const char *name;
	const char *parameters; /* see params_check() */
	int (*handle)(struct call *call, struct error *error);
	enum action_effect effect;
};

/* Table of all actions, sorted by nothing; ends with a NULL name. */
extern const struct action actions[];

static inline struct model *call_model(const struct call *call)
{
	return call->model;
}

/* The value of a parameter; NULL when absent. */
const char *call_text(const struct call *call, const char *name);
/* Absent: `fallback`. The values were checked against the action's specification. */
bool call_bool(const struct call *call, const char *name, bool fallback);
/* NULL when absent; else points at `storage`. */
const bool *call_optional_bool(const struct call *call, const char *name, bool *storage);

/*
 * The caller's resource named by parameter `name`. ERROR_MALFORMED, ERROR_NOT_FOUND with AWS's
 * text; ERROR_MISSING_PARAMETER.
 */
int call_resource(const struct call *call, const char *name, enum kind kind, void *ret_resource,
		  struct error *error);
/* The same for an id from anywhere. */
int call_find(const struct call *call, const char *id, enum kind kind, void *ret_resource,
	      struct error *error);
/* ERROR_MALFORMED when a parameter that takes an id has what can't be one of its kind. */
int call_check_ids(const struct call *call, struct error *error);
/* The text of ERROR_NOT_FOUND; `ids` may name several. */
int not_found(enum kind kind, const char *ids, bool several, struct error *error);
int malformed(enum kind kind, const char *id, struct error *error);
/* An IPv4 block from a parameter; ERROR_MISSING_PARAMETER, ERROR_INVALID_PARAMETER_VALUE. */
int call_cidr(const struct call *call, const char *name, struct cidr *ret_cidr,
	      struct error *error);
/* The same of AF_INET or AF_INET6. */
int call_block(const struct call *call, const char *name, int family, struct cidr *ret_cidr,
	       struct error *error);
/*
 * Does a VPC ask for an IPv6 block of Amazon's? Other sources of blocks are refused by name;
 * ERROR_UNSUPPORTED_OPERATION, ERROR_INVALID_PARAMETER_VALUE (another network border group).
 */
int call_block_source(const struct call *call, bool *ret_ipv6, struct error *error);
/* Gives the subnet the block that Ipv6CidrBlock names; errors as of call_block() and
 * subnet_associate(). */
struct block;
struct subnet;
int call_subnet_block(struct call *call, struct subnet *subnet, const struct block **ret_block,
		      struct error *error);
/* Refuses, by name, parameters (all with `prefix`, "" or ending with a dot) that ask for IPv6
 * addresses; 0 and false ask for none. */
int call_refuse_ipv6(const struct call *call, const char *prefix, struct error *error);
/* Of the whole request, to tell a repetition from another use of its client token; owned. */
char *call_digest(const struct call *call);

/*
 * The group that the call is about: GroupId, or GroupName for one of the default VPC.
 * ERROR_MISSING_PARAMETER, ERROR_INVALID_PARAMETER_COMBINATION; those of the two below.
 */
struct group;
int call_group(const struct call *call, struct group **ret_group, struct error *error);
/* A group of the default VPC by its name. ERROR_NOT_FOUND, ERROR_VPC_ID_NOT_SPECIFIED. */
int call_group_named(const struct call *call, const char *name, struct group **ret_group,
		     struct error *error);
/* The VPC peering connection that VpcPeeringConnectionId names, seen from either end; errors as of
 * call_resource(). */
struct peering;
int call_peering(const struct call *call, struct peering **ret_peering, struct error *error);
/* Appends the groups whose ids `name`.N lists to an owned array, each once. */
struct rid_item;
int call_groups(const struct call *call, const char *name, struct rid_item **groups, size_t *count,
		struct error *error);
/* Is there a parameter `name`.N or `name`.N.…? */
bool call_has_list(const struct call *call, const char *name);
/* Refuses, by name, parameters and lists of them (the names that ends with NULL) that ask for what
 * is not here. */
int call_refuse(const struct call *call, const char *const *names, struct error *error);
/* Attribute calls carry exactly one attribute; `given` says how many this one does. */
int call_check_one(size_t given, struct error *error);

/* Sets the tags that TagSpecification.N gives to resources of this kind. */
int call_tag(struct call *call, void *resource, struct error *error);

/* <return>true</return> */
int reply_true(struct call *call);
/* <name>…fields…</name> */
void reply_resource(struct call *call, const char *name, const void *resource);
/* The text of a scalar member, by its name in the descriptor, stored ones too; NULL: absent. */
const char *member_text(const struct call *call, const char *name, const void *resource,
			struct buffer *scratch);
/* One member of the resource that is shown, by its name in the descriptor. */
void reply_member(struct call *call, const char *name, const void *resource);
void reply_fields(struct call *call, const struct field *fields, const struct view *view);
