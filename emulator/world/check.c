/*
 * The doctor: what this machine offers, and what there is not without it. What can be made is asked
 * for by making it, the way that the daemon does, in namespaces which end with this process.
 */
#include "world/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "instance/alone.h"
#include "instance/limit.h"
#include "instance/root.h"
#include "netlink/probe.h"
#include "world/privileges.h"

#define FIRST_ID     100000 /* of any user namespace: nobody is in it */
#define FILES_LEAST  1024   /* an instance takes one, a namespace in use two */
#define DISK_LEAST   (64 << 20)
#define SPACES_LEAST 1000

/* Takes `detail` over. */
static void add(struct check_list *list, const struct check *what, bool is_there, char *detail)
{
	struct check *check = array_grow(&list->items, &list->count);

	*check = *what;
	check->is_there = is_there;
	check->detail = detail;
}

/* `r`: 0, or the failure that `error` tells. */
static void add_result(struct check_list *list, const struct check *what, int r,
		       const struct error *error)
{
	add(list, what, r >= 0, r < 0 ? xstrdup(error->text) : NULL);
}

/* ---- what the daemon may do ---- */

static void check_capabilities(struct check_list *list)
{
	static const struct check what = {
		.name = "capabilities that serve keeps",
		.costs = "what the detail names",
	};
	char *missing = privileges_missing();
	CLEANUP(freep) char *kept = privileges_kept();

	add(list, &what, !missing, missing ? missing : xasprintf("%s; no other", kept));
}

/* In a process that ends with it. */
static void check_calls(struct check_list *list)
{
	static const struct check what = {
		.name = "system calls that are refused (CONFIG_SECCOMP_FILTER)",
		.costs = "nothing; there is one wall less around the machine",
	};
	CLEANUP(freep) char *refused = privileges_refused();
	struct error error = ERROR_INIT;
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(-privileges_refuse(&error));
	if (pid < 0)
		status = errno;
	else if (waitpid(pid, &status, 0) == pid)
		status = WIFEXITED(status) ? WEXITSTATUS(status) : EPIPE;
	if (status)
		error_sys(&error, status, "a filter");
	add(list, &what, !status, status ? xstrdup(error.text) : steal(&refused));
}

/* ---- what instances are made of ---- */

static void check_users(struct check_list *list)
{
	static const struct check what = {
		.name = "user namespaces (CONFIG_USER_NS)",
		.costs = "instances: their root is nobody here",
		.needed = true,
	};
	CLEANUP(closep) int fd = -1;
	struct error error = ERROR_INIT;
	static const struct check ids = {
		.name = "ids for instances (root has them)",
		.costs = "in instances: users, files of this machine beside its programs, /sys",
	};
	const bool alone = alone_lacks(FIRST_ID, ROOT_IDS);
	int r = root_mapping(alone ? 0 : FIRST_ID, &fd);

	if (r < 0)
		error_sys(&error, r, "a user namespace");
	add_result(list, &what, r, &error);
	add(list, &ids, !alone,
	    alone ? xasprintf("this user namespace lacks them: instances get one id") : NULL);
}

struct staged {
	int result;
	bool shifted;
	struct error error;
};

/* As the launcher does it; its mounts end with the process. */
static void stage(struct staged *ret)
{
	static const char *const hidden[] = { NULL };
	const bool alone = alone_lacks(FIRST_ID, ROOT_IDS);
	const struct root_options options = { .hidden = hidden,
					      .first_id = alone ? 0 : FIRST_ID,
					      .alone = alone };
	struct root root;
	int pair[2], null = open("/dev/null", O_RDWR | O_CLOEXEC);
	pid_t pid;

	*ret = (struct staged){ .result = -EPIPE, .error = ERROR_INIT };
	error_sys(&ret->error, EPIPE, "whoever made it has died");
	if (pipe2(pair, O_CLOEXEC) < 0)
		return;
	pid = fork();
	if (pid == 0) {
		struct staged staged = { .error = ERROR_INIT };

		dup2(null, STDERR_FILENO);
		staged.result = root_stage(&options, &root, &staged.error);
		staged.error.subject = NULL;
		staged.shifted = staged.result == 0 && root.shifted;
		_exit(write(pair[1], &staged, sizeof(staged)) != sizeof(staged));
	}
	close(pair[1]);
	if (pid > 0) {
		struct staged staged;

		if (read(pair[0], &staged, sizeof(staged)) == sizeof(staged))
			*ret = staged;
		waitpid(pid, NULL, 0);
	}
	close(pair[0]);
	close(null);
}

static void check_root(struct check_list *list)
{
	static const struct check overlay = {
		.name = "an overlay of this machine's files (CONFIG_OVERLAY_FS)",
		.costs = "instances' disks",
		.needed = true,
	};
	static const struct check mapped = {
		.name = "idmapped mounts of this machine's files",
		.costs = "a quick first launch: it walks all files instead",
	};
	struct staged staged;

	stage(&staged);
	add_result(list, &overlay, staged.result, &staged.error);
	/* Without ids there is nothing to be mapped. */
	if (!alone_lacks(FIRST_ID, ROOT_IDS))
		add(list, &mapped, staged.result == 0 && !staged.shifted,
		    staged.shifted ? xstrdup("the root's file system can't be idmapped") : NULL);
}

static void check_memory_groups(struct check_list *list)
{
	static const struct check what = {
		.name = "control groups for memory",
		.costs = "limits to an instance's memory (serve --memory-limits)",
	};
	struct error error = ERROR_INIT;
	int r = limits_check(&error);

	add_result(list, &what, r, &error);
}

/* ---- what the network is made of ---- */

#define APPLIANCES "routes to NAT gateways and to network interfaces"
#define NATS	   "NAT gateways"

static const struct check kernel_checks[PROBE_MAX] = {
	[PROBE_NAMESPACE] = { .name = "network namespaces (CONFIG_NET_NS)",
			      .costs = "everything: a subnet is one",
			      .needed = true },
	[PROBE_BRIDGE] = { .name = "bridge (CONFIG_BRIDGE)",
			   .costs = "VPCs: what their subnets meet at",
			   .needed = true },
	[PROBE_VETH] = { .name = "veth (CONFIG_VETH)",
			 .costs = "every network interface",
			 .needed = true },
	[PROBE_RULE] = { .name = "policy routing (CONFIG_IP_MULTIPLE_TABLES)",
			 .costs = APPLIANCES },
	[PROBE_NFTABLES] = { .name = "nftables (CONFIG_NF_TABLES_INET)",
			     .costs = "security groups and network ACLs",
			     .needed = true },
	[PROBE_INTERVALS] = { .name = "nftables: sets of intervals",
			      .costs = "security groups and network ACLs",
			      .needed = true },
	[PROBE_CONNECTIONS] = { .name = "nftables: connection tracking (CONFIG_NFT_CT)",
				.costs = "security groups",
				.needed = true },
	[PROBE_LABELS] = { .name = "nftables: connections' labels (CONFIG_NF_CONNTRACK_LABELS)",
			   .costs = "security groups",
			   .needed = true },
	[PROBE_NOTRACK] = { .name = "nftables: notrack",
			    .costs = "DNS, the time, metadata; internet gateways",
			    .needed = true },
	[PROBE_COUNTERS] = { .name = "nftables: counters that packets add",
			     .costs = "what rules dropped (ps --drops), and subnets with it",
			     .needed = true },
	[PROBE_ARP] = { .name = "nftables: ARP (CONFIG_NF_TABLES_ARP)",
			.costs = "subnets: nobody asks in another's name",
			.needed = true },
	[PROBE_INGRESS] = { .name = "nftables: ingress (CONFIG_NF_TABLES_NETDEV)",
			    .costs = APPLIANCES },
	[PROBE_REWRITE] = { .name = "nftables: changing packets",
			    .costs = "subnets and internet gateways",
			    .needed = true },
	[PROBE_NAT] = { .name = "nftables: NAT (CONFIG_NFT_NAT)", .costs = NATS },
	[PROBE_MASQUERADE] = { .name = "nftables: masquerading (CONFIG_NFT_MASQ)",
			       .costs = "the way to the real Internet (serve --uplink)" },
	[PROBE_RANDOM] = { .name = "nftables: random numbers (CONFIG_NFT_NUMGEN)",
			   .costs = NATS "; faults" },
	[PROBE_REJECT] = { .name = "nftables: resets (CONFIG_NFT_REJECT)", .costs = NATS },
	[PROBE_RATES] = { .name = "nftables: elements with a limit (CONFIG_NFT_LIMIT)",
			  .costs = "slow links (fault link --rate)" },
	[PROBE_COUNTS] = { .name = "conntrack over netlink (CONFIG_NF_CT_NETLINK)",
			   .costs = "what NAT gateways translate (ps --nat)" },
	[PROBE_DELAY] = { .name = "netem (CONFIG_NET_SCH_NETEM)",
			  .costs = "slow answers (fault link --delay)" },
	[PROBE_SKELETONS] = { .name = "nftables: all rules of all resources",
			      .costs = "the resource that the detail names",
			      .needed = true },
};

/* Network and mounts of this process's own, with a /run that is nobody else's. */
static int leave_machine(struct error *error)
{
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=1m") < 0)
		return error_sys(error, errno, "namespaces to try things in");
	return 0;
}

static int check_kernel(struct check_list *list, struct error *error)
{
	struct probe_result *results = xcalloc(PROBE_MAX, sizeof(*results));
	CLEANUP(kernel_closep) struct kernel *kernel = NULL;
	int r;

	if ((r = leave_machine(error)) == 0 && (r = kernel_open(&kernel, error)) == 0) {
		kernel_probe(kernel, results);
		for (size_t i = 0; i < PROBE_MAX; i++)
			add_result(list, &kernel_checks[i], results[i].result, &results[i].error);
	}
	free(results);
	return r;
}

static void check_ipv6(struct check_list *list)
{
	static const struct check what = {
		.name = "IPv6",
		.costs = "nothing yet: IPv6 is recorded, not forwarded",
	};
	CLEANUP(closep) int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	add(list, &what, fd >= 0, NULL);
}

static void check_uplink(struct check_list *list)
{
	static const struct check tun = {
		.name = "tun (CONFIG_TUN)",
		.costs = "the way to the real Internet (serve --uplink)",
	};
	static const struct check pasta = {
		.name = "pasta",
		.costs = "the way to the real Internet (serve --uplink)",
	};
	CLEANUP(closep) int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	struct error error = ERROR_INIT;
	int sys = errno, r;

	if (fd < 0)
		error_sys(&error, sys, "/dev/net/tun");
	add_result(list, &tun, fd, &error);
	r = uplink_check(&error);
	add_result(list, &pasta, r, &error);
}

/* ---- programs and room ---- */

static bool is_on_path(const char *name)
{
	const char *path = getenv("PATH");

	for (const char *at = path ? path : "/usr/bin:/bin"; at && *at;) {
		size_t length = strcspn(at, ":");
		CLEANUP(freep) char *file = xasprintf("%.*s/%s", (int)length, at, name);

		if (access(file, X_OK) == 0)
			return true;
		at += length + (at[length] == ':');
	}
	return false;
}

static void check_programs(struct check_list *list)
{
	static const struct {
		const char *path;
		struct check what;
	} programs[] = {
		{ "/bin/sh", { .name = "sh", .costs = "user data at the first boot" } },
		{ "tar", { .name = "tar", .costs = "minivpc cp; images from archives" } },
		{ "/usr/sbin/sshd", { .name = "sshd", .costs = "ssh to instances" } },
		{ "/usr/bin/ssh-keygen", { .name = "ssh-keygen", .costs = "ssh to instances" } },
		{ "aws", { .name = "aws", .costs = "minivpc aws" } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		const char *path = programs[i].path;
		bool is_there = *path == '/' ? access(path, X_OK) == 0 : is_on_path(path);

		add(list, &programs[i].what, is_there,
		    is_there ? NULL
			     : xasprintf("%s is not %s", path, *path == '/' ? "there" : "in PATH"));
	}
}

/* What stands behind `label` at the beginning of a line; 0: nothing does. */
static uint64_t read_number(const char *file, const char *label)
{
	FILE *stream = fopen(file, "re");
	uint64_t number = 0;
	char line[256];

	while (stream && !number && fgets(line, sizeof(line), stream))
		if (strncmp(line, label, strlen(label)) == 0)
			number = strtoull(line + strlen(label), NULL, 10);
	if (stream)
		fclose(stream);
	return number;
}

static void check_room(const struct paths *paths, struct check_list *list)
{
	static const struct check files = { .name = "open files (ulimit -Hn)",
					    .costs = "many instances: each takes one" };
	static const struct check users = { .name = "user.max_user_namespaces",
					    .costs = "many instances: each takes one" };
	static const struct check nets = { .name = "user.max_net_namespaces",
					   .costs = "many instances and subnets" };
	static const struct check disk = { .name = "space for the state directory",
					   .costs = "worlds",
					   .needed = true };
	static const struct check memory = { .name = "memory",
					     .costs =
						     "many instances: their disks are memory too" };
	const uint64_t user_spaces = read_number("/proc/sys/user/max_user_namespaces", "");
	const uint64_t net_spaces = read_number("/proc/sys/user/max_net_namespaces", "");
	const uint64_t available = read_number("/proc/meminfo", "MemAvailable:");
	CLEANUP(freep) char *parent = xstrdup(paths->state);
	struct rlimit limit = { 0 };
	struct statvfs space = { 0 };
	uint64_t free_space;

	getrlimit(RLIMIT_NOFILE, &limit);
	add(list, &files, limit.rlim_max >= FILES_LEAST,
	    xasprintf("%llu", (unsigned long long)limit.rlim_max));
	add(list, &users, user_spaces >= SPACES_LEAST,
	    xasprintf("%llu", (unsigned long long)user_spaces));
	add(list, &nets, net_spaces >= SPACES_LEAST,
	    xasprintf("%llu", (unsigned long long)net_spaces));
	strrchr(parent, '/')[0] = '\0'; /* it is there, see paths_for() */
	if (statvfs(paths->state, &space) < 0)
		statvfs(*parent ? parent : "/", &space);
	free_space = (uint64_t)space.f_bavail * space.f_frsize;
	add(list, &disk, free_space >= DISK_LEAST,
	    xasprintf("%llu MiB free at %s", (unsigned long long)free_space >> 20, paths->state));
	add(list, &memory, available >= 256 << 10,
	    xasprintf("%llu MiB available", (unsigned long long)available >> 10));
}

int world_check(const struct paths *paths, struct check_list *ret_list, struct error *error)
{
	int r;

	*ret_list = (struct check_list){ NULL, 0 };
	check_room(paths, ret_list);
	check_programs(ret_list);
	check_capabilities(ret_list);
	check_calls(ret_list);
	check_uplink(ret_list);
	check_ipv6(ret_list);
	check_memory_groups(ret_list);
	check_users(ret_list);
	check_root(ret_list);
	r = check_kernel(ret_list, error); /* last: there is no way back */
	if (r < 0)
		check_list_clear(ret_list);
	return r;
}
