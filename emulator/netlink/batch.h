/*
 * Messages for one channel that go to the kernel together: built in place, sent by one sendmsg(),
 * answered one by one. A batch for nftables is one transaction of the kernel's: all or nothing.
 */
#pragma once

#include "netlink/channel.h"

enum role {
	ROLE_PUT,     /* the step's object comes to be; EEXIST wants a comparison */
	ROLE_REPLACE, /* `before` becomes `after` in one go */
	ROLE_DELETE,  /* the step's object goes; gone already is fine */
	ROLE_PART,    /* belongs to a ROLE_PUT of the same step before it */
	ROLE_QUIET,   /* the same, where IPv6 may be missing */
	ROLE_GROUP,   /* the device is marked for removal; gone already is fine */
};

struct batch_entry {
	size_t step; /* the caller's */
	enum role role;
	size_t offset;
	int result; /* 0 or -errno; -EPROTO: no answer, so it may have happened */
	char *text; /* owned: the kernel's own words; may be NULL */
};

struct batch {
	struct channel *channel; /* NULL while there is no batch */
	char *data;		 /* BATCH_SIZE bytes, owned */
	size_t length;
	struct batch_entry *entries; /* owned */
	size_t count;
	bool is_unsure; /* answers were lost: what was sent may have happened */
#ifdef INJECT
	size_t spoiled; /* an entry's index + 1, to be refused with: */
	int spoiled_sys;
#endif
};

/* How much one change may need at most; a skeleton is the largest. */
#define BATCH_ROOM 16384

void batch_clear(struct batch *batch);
/* Starts an empty batch for `channel`. */
void batch_begin(struct batch *batch, struct channel *channel);
/* Whether one more change fits. */
bool batch_has_room(const struct batch *batch);
/*
 * A cleared header at the end of the batch, to be completed in place and then added (or left). The
 * caller sets the type and the flags; NLM_F_REQUEST, NLM_F_ACK and the sequence are set here.
 */
struct nlmsghdr *batch_message(struct batch *batch);
void batch_add(struct batch *batch, const struct nlmsghdr *message, size_t step, enum role role);
/* Takes an entry out again, to send the rest of an nftables batch once more. */
void batch_drop(struct batch *batch, size_t index);
/*
 * Sends and collects the answers into the entries; the batch stays. An error is one of the whole
 * batch; what did happen all the same is in the entries (of an nftables batch: nothing, unless it
 * is unsure).
 */
int batch_send(struct batch *batch, struct channels *channels, struct error *error);
