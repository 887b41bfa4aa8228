/* A transaction's batches and what the kernel answers: see transact.h. */
#include "netlink/nft.h"
#include "netlink/transact.h"

#include <errno.h>

/* The object a role is about. */
static const struct object *object_of(const struct transaction *t, const struct batch_entry *entry)
{
	const struct change *change = &t->changes[entry->step];

	if (entry->role == ROLE_DELETE || entry->role == ROLE_GROUP)
		return &change->before;
	return change->after.kind == OBJECT_NONE ? &change->before : &change->after;
}

/* When undoing, a failure is kept and the rest goes on. */
static int fail(struct transaction *t, int result, const struct error *error)
{
	if (!t->first_failure)
		return result;
	if (!t->first_failure->text[0])
		*t->first_failure = *error;
	return 0;
}

static int compare_objects(const void *a, const void *b)
{
	return object_compare_key(a, b);
}

static const struct object *find(const struct transaction *t, const struct object *object)
{
	if (!t->found.count)
		return NULL;
	return bsearch(object, t->found.items, t->found.count, sizeof(*object), compare_objects);
}

/* EEXIST is no success: what is there has to be the same. */
static int compare(struct transaction *t, const struct object *wanted, struct error *error)
{
	bool fresh = !rid_equal(t->found_ns, wanted->ns);
	const struct object *found;
	int r;

	if (!fresh) {
		found = find(t, wanted);
		if (found && object_same(found, wanted))
			return 0;
	}
	object_list_clear(&t->found);
	t->found_ns = wanted->ns;
	r = kernel_dump(t->kernel, wanted->ns, &t->found, error);
	if (r < 0)
		return r;
	if (t->found.count)
		qsort(t->found.items, t->found.count, sizeof(*t->found.items), compare_objects);
	found = find(t, wanted);
	if (found && object_same(found, wanted))
		return 0;
	return error_sys(error, EEXIST, "%s: there is %s", object_describe(wanted).text,
			 found ? object_describe(found).text : "another one that isn't ours");
}

static bool gone(const struct object *object, int result)
{
	/* The kernel's way to say that the device is no port of a bridge. */
	if (object->kind == OBJECT_FDB && result == -EOPNOTSUPP)
		return true;
	return result == -ENOENT || result == -ESRCH || result == -ENODEV ||
	       result == -EADDRNOTAVAIL;
}

static void mark_done(struct step *step, enum role role)
{
	step->added |= role == ROLE_PUT || role == ROLE_REPLACE;
	step->removed |= role == ROLE_DELETE || role == ROLE_REPLACE;
	step->marked |= role == ROLE_GROUP;
}

static int refuse(const struct transaction *t, const struct batch_entry *entry, struct error *error)
{
	const struct object *object = object_of(t, entry);
	const char *text = entry->text;

	if (object->kind == OBJECT_DELAY && entry->result == -ENOENT) {
		error_set(error, ERROR_UNSUPPORTED_OPERATION,
			  "this kernel has no netem (CONFIG_NET_SCH_NETEM, module sch_netem), by "
			  "which packets would be delayed");
		return -EOPNOTSUPP;
	}
	if (!text && entry->role == ROLE_PART && object->kind == OBJECT_SKELETON)
		text = "this kernel lacks something of nftables that it needs";
	return error_sys(error, entry->result, "%s%s%s", object_describe(object).text,
			 text ? ": " : "", text ? text : "");
}

/*
 * Decides about an answer that is no plain success: 0 when it is as good as one. Nothing has
 * happened then.
 */
static int judge(struct transaction *t, const struct batch_entry *entry, struct error *error)
{
	if (entry->role == ROLE_PUT && entry->result == -EEXIST)
		return compare(t, object_of(t, entry), error);
	if ((entry->role == ROLE_DELETE || entry->role == ROLE_GROUP) &&
	    gone(object_of(t, entry), entry->result))
		return 0;
	if (entry->role == ROLE_QUIET && entry->result == -EAFNOSUPPORT)
		return 0; /* no IPv6, no chatter */
	return refuse(t, entry, error);
}

/* Each rtnetlink message stands for itself. All are settled, the first failure is returned. */
static int settle_route(struct transaction *t, struct error *error)
{
	int result = batch_send(&t->batch, t->channels, error);

	if (result < 0)
		result = fail(t, result, error);
	for (size_t i = 0; i < t->batch.count; i++) {
		const struct batch_entry *entry = &t->batch.entries[i];
		struct error later = ERROR_INIT;
		int r = 0;

		if (entry->result == 0 || entry->result == -EPROTO)
			mark_done(&t->steps[entry->step], entry->role);
		if (entry->result < 0)
			r = judge(t, entry, &later);
		if (r < 0)
			r = fail(t, r, &later);
		if (r < 0 && result == 0) {
			result = r;
			*error = later;
		}
	}
	return result;
}

/* Takes out entry `i` and what belongs to it. */
static void drop_step(struct batch *batch, size_t i)
{
	size_t step = batch->entries[i].step;
	enum role role = batch->entries[i].role;

	batch_drop(batch, i);
	while (role == ROLE_PUT && i < batch->count && batch->entries[i].step == step &&
	       batch->entries[i].role == ROLE_PART)
		batch_drop(batch, i);
}

static void mark_all(struct transaction *t)
{
	for (size_t i = 0; i < t->batch.count; i++)
		mark_done(&t->steps[t->batch.entries[i].step], t->batch.entries[i].role);
}

/*
 * An nftables batch happens whole or not at all. What failed for being done already is taken out,
 * and the rest is sent again: each round takes out at least one entry.
 */
static int settle_nft(struct transaction *t, struct error *error)
{
	struct batch *batch = &t->batch;
	bool again = true;
	int r;

	while (again && batch->count) {
		again = false;
		r = batch_send(batch, t->channels, error);
		if (r < 0 && batch->is_unsure)
			mark_all(t); /* to be taken back, whether it happened or not */
		if (r < 0)
			return fail(t, r, error);
		for (size_t i = 0; i < batch->count;) {
			if (batch->entries[i].result == 0) {
				i++;
				continue;
			}
			/* The last one is silent when another one failed. */
			if (batch->entries[i].result == -EPROTO && again)
				break;
			r = judge(t, &batch->entries[i], error);
			if (r < 0)
				r = fail(t, r, error);
			if (r < 0)
				return r;
			drop_step(batch, i);
			again = true;
		}
	}
	mark_all(t);
	return 0;
}

int transaction_flush(struct transaction *t, struct error *error)
{
	int r = 0;

	if (t->batch.channel && t->batch.count)
		r = t->batch.channel->protocol == NETLINK_ROUTE ? settle_route(t, error)
								: settle_nft(t, error);
	t->batch.channel = NULL;
	t->intervals = false;
	return r;
}

int transaction_open(struct transaction *t, struct rid ns, int protocol, bool deleting,
		     struct error *error)
{
	struct channel *channel = t->batch.channel;
	int r;

	if (channel && rid_equal(channel->ns, ns) && channel->protocol == protocol &&
	    batch_has_room(&t->batch))
		return 0;
	r = transaction_flush(t, error);
	if (r < 0)
		return r;
	r = channel_get(t->channels, ns, protocol, &channel, error);
	if (r == -ENOENT && deleting)
		return 1;
	if (r < 0)
		return error_wrap(error, r, "%s", object_describe(t->object).text);
	batch_begin(&t->batch, channel);
	return 0;
}
