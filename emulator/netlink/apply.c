/*
 * Changes to messages: see transact.h. How a pair comes to be:
 *
 *	in the peer's namespace   create both ends, the peer's up     (1)
 *				  peer: no IPv6 address generation    (2)
 *	in our own		  the same; bridge port; up           (3)
 *
 * (1) is sent where the peer lives because only the device asked for may be created up, and because
 * then our own end, the one that a dump looks at and that no instance can reach, is set up by the
 * very last message. Until then there is no carrier, so IPv6 has not said a word.
 *
 * The peer, up before there was a carrier, drops what it is to send until the kernel gets round to
 * its link watch (net/core/link_watch.c): an ARP request, which is repeated a second later. To be
 * asked about the device makes the kernel do that at once, since Linux 6.8 (rtnl_getlink()).
 */
#include "netlink/netns.h"
#include "netlink/nft.h"
#include "netlink/route.h"
#include "netlink/skeleton.h"
#include "netlink/transact.h"

#include <errno.h>

static int step_error(const struct object *object, int result, struct error *error)
{
	return error_wrap(error, result, "%s", object_describe(object).text);
}

static enum role role_of(enum verb verb)
{
	static const enum role roles[] = {
		[VERB_ADD] = ROLE_PUT, [VERB_REPLACE] = ROLE_REPLACE, [VERB_DELETE] = ROLE_DELETE
	};

	return roles[verb];
}

/* An object that belongs to a device and is one rtnetlink message. */
static int apply_entry(struct transaction *t, size_t i, const struct object *object, enum verb verb,
		       struct error *error)
{
	const char *device = object_device(object);
	struct nlmsghdr *message;
	int index = 0, r;

	r = transaction_open(t, object->ns, NETLINK_ROUTE, verb == VERB_DELETE, error);
	if (r != 0)
		return r < 0 ? r : 0;
	if (*device)
		index = channel_ifindex(t->batch.channel, device);
	if (index == -ENODEV && verb == VERB_DELETE)
		return 0; /* it went with its device */
	if (index < 0)
		return error_sys(error, index, "%s", object_describe(object).text);
	message = batch_message(&t->batch);
	if (object->kind == OBJECT_ADDRESS)
		route_address(message, &object->address, verb, index);
	else if (object->kind == OBJECT_ROUTE)
		route_route(message, &object->route, verb, index);
	else if (object->kind == OBJECT_NEIGHBOUR)
		route_neighbour(message, &object->neighbour, verb, index);
	else if (object->kind == OBJECT_DELAY)
		route_delay(message, &object->delay, verb, index);
	else if (object->kind == OBJECT_RULE)
		route_rule(message, &object->rule, verb);
	else
		route_fdb(message, &object->fdb, verb, index);
	batch_add(&t->batch, message, i, role_of(verb));
	return 0;
}

/*
 * A kernel may change interval sets in a copy that it swaps in at the very end of the batch, a
 * moment after everything else in the batch counts (nft_set_pipapo.c does; the tree that these sets
 * are in does not so far). So what comes after such elements, and may point packets at them, gets a
 * batch of its own.
 */
static int separate_intervals(struct transaction *t, const struct object *object, bool put,
			      struct error *error)
{
	bool interval = object->kind == OBJECT_ELEMENT &&
			skeleton_set(object->element.map)->kind == SET_INTERVALS;
	int r = 0;

	if (t->intervals && !interval)
		r = transaction_flush(t, error);
	t->intervals |= interval && put;
	return r;
}

static int apply_nft(struct transaction *t, size_t i, const struct object *object, bool put,
		     struct error *error)
{
	int r = separate_intervals(t, object, put, error);

	if (r < 0)
		return r;
	r = transaction_open(t, object->ns, NETLINK_NETFILTER, !put, error);
	if (r != 0)
		return r < 0 ? r : 0;
	if (object->kind == OBJECT_SKELETON && put)
		nft_put_skeleton(&t->batch, i, object->skeleton.skeleton);
	else if (object->kind == OBJECT_SKELETON)
		nft_delete_skeleton(&t->batch, i, object->skeleton.skeleton);
	else if (put)
		nft_put_element(&t->batch, i, &object->element);
	else
		nft_delete_element(&t->batch, i, &object->element);
	return 0;
}

/* One element for another in one batch: no packet sees neither. */
static int replace_element(struct transaction *t, size_t i, struct error *error)
{
	const struct change *change = &t->changes[i];
	int r = apply_nft(t, i, &change->before, false, error);

	t->object = &change->after;
	if (r == 0 && t->batch.channel)
		nft_put_element(&t->batch, i, &change->after.element);
	return r;
}

static int send_quiet(struct transaction *t, size_t i, struct rid ns, const char *device,
		      struct error *error)
{
	struct nlmsghdr *message;
	int r;

	r = transaction_open(t, ns, NETLINK_ROUTE, false, error);
	if (r < 0)
		return r;
	message = batch_message(&t->batch);
	route_set_quiet(message, device);
	batch_add(&t->batch, message, i, ROLE_QUIET);
	return 0;
}

/* Makes the link a port; the batch is one for its namespace. */
static int send_master(struct transaction *t, size_t i, const struct object *object,
		       struct error *error)
{
	int master = channel_ifindex(t->batch.channel, object->link.master);
	int index = channel_ifindex(t->batch.channel, object->link.name);
	struct nlmsghdr *message;

	if (master < 0)
		return error_sys(error, master, "%s: %s", object_describe(object).text,
				 object->link.master);
	message = batch_message(&t->batch);
	route_set_master(message, object->link.name, master);
	batch_add(&t->batch, message, i, ROLE_PART);
	message = batch_message(&t->batch);
	route_set_port(message, index);
	batch_add(&t->batch, message, i, ROLE_PART);
	return 0;
}

/* Everything about our own end; last of all it is set up. */
static int finish_link(struct transaction *t, size_t i, const struct object *object,
		       struct error *error)
{
	struct nlmsghdr *message;
	int r;

	r = send_quiet(t, i, object->ns, object->link.name, error);
	if (r == 0 && object->link.master[0])
		r = send_master(t, i, object, error);
	if (r < 0)
		return r;
	message = batch_message(&t->batch);
	route_set_up(message, object->link.name);
	batch_add(&t->batch, message, i, ROLE_PART);
	return 0;
}

static int put_bridge(struct transaction *t, size_t i, const struct object *object,
		      struct error *error)
{
	struct nlmsghdr *message;
	int r;

	r = transaction_open(t, object->ns, NETLINK_ROUTE, false, error);
	if (r < 0)
		return r;
	message = batch_message(&t->batch);
	route_new_bridge(message, &object->link);
	batch_add(&t->batch, message, i, ROLE_PUT);
	r = transaction_flush(t, error);
	if (r < 0 || !t->steps[i].added) /* the same one was there: not ours to change */
		return r;
	r = transaction_open(t, object->ns, NETLINK_ROUTE, false, error);
	if (r < 0)
		return r;
	/*
	 * A bridge's MTU follows its ports', and is 1500 without any, unless somebody changed it;
	 * one that it was made with does not count (net/bridge/br_if.c, br_mtu_auto_adjust()).
	 */
	if (object->link.mtu) {
		message = batch_message(&t->batch);
		route_set_mtu(message, object->link.name, object->link.mtu);
		batch_add(&t->batch, message, i, ROLE_PART);
	}
	return finish_link(t, i, object, error);
}

/* What belongs to the peer follows in the same batch. */
static int await_carrier(struct transaction *t, size_t i, const struct link_object *link,
			 struct error *error)
{
	struct nlmsghdr *message;
	int r;

	r = transaction_open(t, link->peer_ns, NETLINK_ROUTE, false, error);
	if (r < 0)
		return r;
	message = batch_message(&t->batch);
	route_get_link(message, link->peer_name);
	batch_add(&t->batch, message, i, ROLE_PART);
	return 0;
}

static int put_veth(struct transaction *t, size_t i, const struct object *object,
		    struct error *error)
{
	const struct link_object *link = &object->link;
	struct channel *own;
	struct nlmsghdr *message;
	int r;

	if (!rid_is_set(link->peer_ns) || !link->peer_name[0])
		return error_sys(error, EINVAL, "%s: a pair needs its other end",
				 object_describe(object).text);
	r = transaction_open(t, link->peer_ns, NETLINK_ROUTE, false, error);
	if (r < 0)
		return r;
	r = channel_get(t->channels, object->ns, NETLINK_ROUTE, &own, error);
	if (r < 0)
		return step_error(object, r, error);
	message = batch_message(&t->batch);
	route_new_veth(message, link, own->ns_fd);
	batch_add(&t->batch, message, i, ROLE_PUT);
	r = transaction_flush(t, error);
	if (r < 0 || !t->steps[i].added)
		return r;
	r = send_quiet(t, i, link->peer_ns, link->peer_name, error);
	if (r == 0)
		r = finish_link(t, i, object, error);
	return r < 0 ? r : await_carrier(t, i, link, error);
}

static int put_loopback(struct transaction *t, size_t i, const struct object *object,
			struct error *error)
{
	struct nlmsghdr *message;
	int r;

	r = transaction_open(t, object->ns, NETLINK_ROUTE, false, error);
	if (r < 0)
		return r;
	message = batch_message(&t->batch);
	route_set_up(message, "lo");
	batch_add(&t->batch, message, i, ROLE_PART);
	return 0;
}

static int put_link(struct transaction *t, size_t i, const struct object *object,
		    struct error *error)
{
	static int (*const put[])(struct transaction *, size_t, const struct object *,
				  struct error *) = {
		[LINK_LOOPBACK] = put_loopback, [LINK_BRIDGE] = put_bridge, [LINK_VETH] = put_veth
	};

	return put[object->link.type](t, i, object, error);
}

static int put_sysctl(struct transaction *t, size_t i, const struct object *object,
		      struct error *error)
{
	const struct sysctl_object *sysctl = &object->sysctl;
	struct channel *channel;
	int r;

	if (sysctl->path[0] == '/' || strstr(sysctl->path, ".."))
		return error_sys(error, EINVAL, "%s", object_describe(object).text);
	r = transaction_flush(t, error); /* its device may be in there */
	if (r < 0)
		return r;
	r = channel_get(t->channels, object->ns, NETLINK_ROUTE, &channel, error);
	if (r < 0)
		return step_error(object, r, error);
	r = netns_sysctl(t->channels->home, channel->ns_fd, sysctl->path, sysctl->value,
			 &t->steps[i].old_value);
	if (r < 0)
		return error_sys(error, r, "%s", object_describe(object).text);
	t->steps[i].added = t->steps[i].old_value != sysctl->value;
	return 0;
}

static int put_namespace(struct transaction *t, size_t i, const struct object *object,
			 struct error *error)
{
	int r;

	r = map_get(&t->doomed, map_key_rid(object->ns)) ? transaction_flush(t, error) : 0;
	if (r == 0)
		r = transaction_finish_namespace(t, object->ns, error);
	if (r < 0)
		return r;
	r = netns_put(t->channels->home, object->ns, object->netns_pid,
		      kernel_kept(t->kernel, object->ns), &t->steps[i].added, error);
	if (r < 0)
		return step_error(object, r, error);
	if (!object->netns_pid)
		kernel_keep(t->kernel, object->ns);
	return 0;
}

/* The name is to lead to ours again, if that is known. */
static int replace_namespace(struct transaction *t, size_t i, const struct object *object,
			     struct error *error)
{
	bool deleted;
	int r = transaction_flush(t, error);

	if (r < 0)
		return r;
	channels_forget(t->channels, object->ns);
	r = netns_delete(object->ns, &deleted, error);
	return r < 0 ? step_error(object, r, error) : put_namespace(t, i, object, error);
}

static int put(struct transaction *t, size_t i, const struct object *object, struct error *error)
{
	int r = transaction_finish_links(t, error);

	if (r < 0)
		return r;
	t->object = object;
	if (object->kind != OBJECT_NETNS && map_get(&t->doomed, map_key_rid(object->ns)))
		return error_sys(error, ENOENT, "%s", object_describe(object).text);
	switch (object->kind) {
	case OBJECT_NETNS:
		r = put_namespace(t, i, object, error);
		break;
	case OBJECT_LINK:
		r = put_link(t, i, object, error);
		break;
	case OBJECT_SYSCTL:
		r = put_sysctl(t, i, object, error);
		break;
	case OBJECT_SKELETON:
	case OBJECT_ELEMENT:
		r = apply_nft(t, i, object, true, error);
		break;
	case OBJECT_NONE:
	case OBJECT_FOREIGN:
		break;
	case OBJECT_ADDRESS:
	case OBJECT_ROUTE:
	case OBJECT_NEIGHBOUR:
	case OBJECT_FDB:
	case OBJECT_DELAY:
	case OBJECT_RULE:
		r = apply_entry(t, i, object, VERB_ADD, error);
		break;
	}
	return r;
}

static int delete (struct transaction *t, size_t i, const struct object *object,
		   struct error *error)
{
	t->object = object;
	switch (object->kind) {
	case OBJECT_NETNS:
		map_put(&t->doomed, map_key_rid(object->ns), &t->steps[i]);
		return 0;
	case OBJECT_LINK:
		if (object->link.type != LINK_LOOPBACK)
			*array_grow(&t->links, &t->link_count) = i;
		return 0;
	case OBJECT_SKELETON:
	case OBJECT_ELEMENT:
		return apply_nft(t, i, object, false, error);
	case OBJECT_NONE:
	case OBJECT_SYSCTL:
	case OBJECT_FOREIGN:
		return 0;
	case OBJECT_ADDRESS:
	case OBJECT_ROUTE:
	case OBJECT_NEIGHBOUR:
	case OBJECT_FDB:
	case OBJECT_DELAY:
	case OBJECT_RULE:
		break;
	}
	return apply_entry(t, i, object, VERB_DELETE, error);
}

static int replace(struct transaction *t, size_t i, struct error *error)
{
	const struct change *change = &t->changes[i];
	bool in_one_go = change->after.kind == OBJECT_ROUTE ||
			 change->after.kind == OBJECT_NEIGHBOUR ||
			 change->after.kind == OBJECT_FDB || change->after.kind == OBJECT_DELAY;
	int r;

	if (change->before.kind == OBJECT_NETNS && change->after.kind == OBJECT_NETNS)
		return replace_namespace(t, i, &change->after, error);
	if (object_same(&change->before, &change->after))
		return put(t, i, &change->after, error);
	if (in_one_go && object_compare_key(&change->before, &change->after) == 0) {
		r = transaction_finish_links(t, error);
		t->object = &change->after;
		return r < 0 ? r : apply_entry(t, i, &change->after, VERB_REPLACE, error);
	}
	if (change->after.kind == OBJECT_ELEMENT && change->before.kind == OBJECT_ELEMENT &&
	    rid_equal(change->before.ns, change->after.ns)) {
		r = transaction_finish_links(t, error);
		return r < 0 ? r : replace_element(t, i, error);
	}
	r = delete (t, i, &change->before, error);
	return r < 0 ? r : put(t, i, &change->after, error);
}

int transaction_apply(struct transaction *t, size_t i, struct error *error)
{
	const struct change *change = &t->changes[i];

	if (change->after.kind == OBJECT_NONE)
		return delete (t, i, &change->before, error);
	if (change->before.kind == OBJECT_NONE)
		return put(t, i, &change->after, error);
	return replace(t, i, error);
}
