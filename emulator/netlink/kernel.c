/* The handle: see kernel.h. The rest of the header is in transact.c and dump.c. */
#include "netlink/handle.h"
#include "netlink/netns.h"
#include "netlink/print.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

struct kept_netns {
	int fd;
};

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

static void free_kept(struct map *kept)
{
	map_for_each (kept, slot) {
		closep(&((struct kept_netns *)slot->value)->fd);
		free(slot->value);
	}
	map_clear(kept);
}

struct kernel *kernel_close(struct kernel *kernel)
{
	if (kernel) {
		channels_close(&kernel->channels);
		free_kept(&kernel->kept);
		prints_free(kernel->prints);
	}
	free(kernel);
	return NULL;
}

void kernel_closep(struct kernel **kernel)
{
	*kernel = kernel_close(*kernel);
}

int kernel_kept(const struct kernel *kernel, struct rid ns)
{
	const struct kept_netns *kept = map_get(&kernel->kept, map_key_rid(ns));

	return kept ? kept->fd : -1;
}

/* Without a descriptor to spare there is only what the name leads to. */
void kernel_keep(struct kernel *kernel, struct rid ns)
{
	struct kept_netns *kept;
	int fd;

	if (kernel_kept(kernel, ns) >= 0 || (fd = netns_open(ns)) < 0)
		return;
	kept = xcalloc(1, sizeof(*kept));
	kept->fd = fd;
	map_put(&kernel->kept, map_key_rid(ns), kept);
}

void kernel_forget(struct kernel *kernel, struct rid ns)
{
	struct kept_netns *kept = map_take(&kernel->kept, map_key_rid(ns));

	if (kept)
		closep(&kept->fd);
	free(kept);
}

int kernel_check_netns(struct kernel *kernel, const struct object *netns,
		       enum netns_state *ret_state, struct error *error)
{
	struct error ignored = ERROR_INIT;
	int r;

	if (!netns->netns_pid)
		kernel_keep(kernel, netns->ns);
	r = netns_inspect(netns->ns, netns->netns_pid, kernel_kept(kernel, netns->ns), &ignored);
	/* The process has just ended, and can't be asked: what there is was its own. */
	if (r == -ENOENT && netns->netns_pid)
		r = netns_inspect(netns->ns, 0, -1, &ignored);
	if (r < 0 && r != -EEXIST && r != -ENOENT) {
		*error = ignored;
		return r;
	}
	*ret_state = r == 0 ? NETNS_THERE : r == -EEXIST ? NETNS_OTHER : NETNS_MISSING;
	return 0;
}

int kernel_read_sysctls(struct kernel *kernel, struct rid ns, struct object_list *sysctls,
			struct error *error)
{
	CLEANUP(closep) int fd = netns_open(ns);
	size_t kept = 0;
	int r = fd < 0 ? fd : netns_enter(fd);

	if (r < 0)
		return error_sys(error, r, "%s: sysctls", rid_format(ns).text);
	for (size_t i = 0; i < sysctls->count; i++)
		if (netns_read_sysctl(sysctls->items[i].sysctl.path,
				      &sysctls->items[i].sysctl.value) == 0)
			sysctls->items[kept++] = sysctls->items[i];
	netns_leave(kernel->channels.home);
	sysctls->count = kept;
	return 0;
}

int kernel_list_netns(struct kernel *kernel __attribute__((unused)), struct rid **ret_ids,
		      size_t *ret_count, struct error *error)
{
	return netns_list(ret_ids, ret_count, error);
}

void kernel_sweep(struct kernel *kernel __attribute__((unused)))
{
	netns_sweep();
}
