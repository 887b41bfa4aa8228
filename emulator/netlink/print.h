/*
 * Whether skeletons are as they were laid down: chains, rules, sets and constant elements. What a
 * kernel tells of a rule is not word by word what it was given, and kernels differ in that; so it
 * is held against what the same kernel tells of a skeleton in a namespace of its own, made for it.
 */
#pragma once

#include "netlink/channel.h"
#include "netlink/object.h"

struct prints; /* what is known of the skeletons */

/* NULL is fine; always NULL. */
struct prints *prints_free(struct prints *prints);
/*
 * Says of each skeleton among `objects`, all of `ns`, what is wrong with it (`damage`). What the
 * kernel can't make in a namespace of its own is not judged. `*prints` is made with the first call.
 * -EINTR: it changed meanwhile, repeat.
 */
int prints_judge(struct prints **prints, struct channels *channels, struct rid ns,
		 struct object_list *objects, struct error *error);
