/* See drops.h. */
#include "cli/drops.h"

static void clear(struct drop *drop)
{
	free(drop->interface);
	free(drop->instance);
	free(drop->name);
	free(drop->subnet);
	free(drop->reason);
	free(drop->direction);
	free(drop->rule);
	free(drop->acl);
}

void drops_clear(struct drops *drops)
{
	for (size_t i = 0; i < drops->count; i++)
		clear(&drops->items[i]);
	free(drops->items);
	*drops = (struct drops){ NULL, 0 };
}

int drops_read(const struct client *client, struct drops *ret_drops, struct error *error)
{
	static const struct parameter none[] = { { NULL, NULL } };
	CLEANUP(reply_freep) struct reply *reply = NULL;
	struct drops drops = { NULL, 0 };
	const void *item = NULL;
	int r = client_call(client, "ListDrops", none, &reply, error);

	if (r < 0)
		return r;
	while ((item = reply_next(reply, "dropSet", item))) {
		CLEANUP(freep) char *packets = reply_item_text(item, "packets");

		*array_grow(&drops.items, &drops.count) = (struct drop){
			.interface = reply_item_text(item, "networkInterfaceId"),
			.instance = reply_item_text(item, "instanceId"),
			.name = reply_item_text(item, "name"),
			.subnet = reply_item_text(item, "subnetId"),
			.reason = reply_item_text(item, "reason"),
			.direction = reply_item_text(item, "direction"),
			.rule = reply_item_text(item, "ruleNumber"),
			.acl = reply_item_text(item, "networkAclId"),
			.packets = packets ? strtoull(packets, NULL, 10) : 0,
		};
	}
	*ret_drops = drops;
	return 0;
}

static bool is_same(const struct drop *a, const struct drop *b)
{
	return streq(a->interface, b->interface) && streq(a->reason, b->reason) &&
	       streq(a->direction, b->direction) && streq(a->rule, b->rule);
}

void drops_subtract(const struct drops *before, struct drops *after)
{
	size_t kept = 0;

	for (size_t i = 0; i < after->count; i++) {
		struct drop *drop = &after->items[i];

		for (size_t j = 0; j < before->count; j++)
			if (is_same(drop, &before->items[j]))
				drop->packets -= MIN(drop->packets, before->items[j].packets);
		if (drop->packets)
			after->items[kept++] = *drop;
		else
			clear(drop);
	}
	after->count = kept;
}
