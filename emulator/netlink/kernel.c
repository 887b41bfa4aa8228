/* The handle: see kernel.h. The rest of the header is in transact.c and dump.c. */
#include "netlink/handle.h"
#include "netlink/netns.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

static int check_capabilities(struct error *error)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };
	const uint32_t needed = 1u << CAP_SYS_ADMIN | 1u << CAP_NET_ADMIN;

	if (syscall(SYS_capget, &header, data) < 0)
		return error_sys(error, errno, "capget");
	if ((data[0].effective & needed) != needed)
		return error_sys(error, EPERM,
				 "CAP_SYS_ADMIN and CAP_NET_ADMIN are needed: run it with sudo");
	return 0;
}

int kernel_open(struct kernel **ret_kernel, struct error *error)
{
	CLEANUP(kernel_closep) struct kernel *kernel = NULL;
	int r;

	r = check_capabilities(error);
	if (r < 0)
		return r;
	kernel = xcalloc(1, sizeof(*kernel));
	r = channels_open(&kernel->channels, error);
	if (r < 0)
		return r;
	*ret_kernel = steal(&kernel);
	return 0;
}

struct kernel *kernel_close(struct kernel *kernel)
{
	if (kernel)
		channels_close(&kernel->channels);
	free(kernel);
	return NULL;
}

void kernel_closep(struct kernel **kernel)
{
	*kernel = kernel_close(*kernel);
}

int kernel_list_netns(struct kernel *kernel __attribute__((unused)), struct rid **ret_ids,
		      size_t *ret_count, struct error *error)
{
	return netns_list(ret_ids, ret_count, error);
}
