/* The handle's inside, for kernel.c, transact.c and dump.c. */
#pragma once

#include "netlink/channel.h"
#include "netlink/kernel.h"

struct kernel {
	struct channels channels;
};
