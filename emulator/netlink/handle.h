/* The handle's inside, for kernel.c, transact.c and dump.c. */
#pragma once

#include "base/map.h"
#include "netlink/channel.h"
#include "netlink/kernel.h"

struct kernel {
	struct channels channels;
	struct prints *prints; /* NULL before they are asked for */
	struct map kept;       /* see kernel_check_netns(): rid → struct kept_netns, owned */
};

/* The namespace of that name, as long as nobody is known to hold another one: -1 for none. */
int kernel_kept(const struct kernel *kernel, struct rid ns);
/* Holds on to what the name leads to, if that is a namespace and none is held. */
void kernel_keep(struct kernel *kernel, struct rid ns);
void kernel_forget(struct kernel *kernel, struct rid ns);
