/* objects: emulator/netlink/kernel.o emulator/netlink/transact.o emulator/netlink/apply.o emulator/netlink/settle.o emulator/netlink/connections.o emulator/netlink/dump.o emulator/netlink/batch.o emulator/netlink/channel.o emulator/netlink/netns.o emulator/netlink/route.o emulator/netlink/nft.o emulator/netlink/nft_dump.o emulator/netlink/print.o emulator/netlink/skeleton.o emulator/netlink/skeleton_subnet.o emulator/netlink/object.o emulator/base/error.o emulator/base/util.o emulator/base/cidr.o emulator/base/id.o emulator/base/map.o */
/* libs: -lmnl -lnftnl */
/*
 * The real kernel, in namespaces made for the purpose: the contract that the fake one keeps too,
 * the kernel's own words, what iproute2 and nft see, and packets through the skeletons. Needs root.
 */
#include "kernel_contract.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PORT 7777

static const char *text_of(struct rid ns)
{
	static struct rid_text text;

	text = rid_format(ns);
	return text.text;
}

/* A shell command inside a namespace, by way of iproute2; its exit status. */
static PRINTF(2, 3) int run_in(struct rid ns, const char *format, ...)
{
	char command[512];
	int length = snprintf(command, sizeof(command), "ip netns exec %s ", text_of(ns));
	va_list arguments;
	int status;

	va_start(arguments, format);
	vsnprintf(command + length, sizeof(command) - (size_t)length, format, arguments);
	va_end(arguments);
	status = system(command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* In a child process only. */
static void enter(struct rid ns)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", text_of(ns));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		_exit(100);
	close(fd);
}

static int count_entries(const char *path)
{
	DIR *directory = opendir(path);
	int count = 0;

	assert_non_null(directory);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

static ino_t own_namespace(void)
{
	struct stat status;

	assert_int_equal(stat("/proc/thread-self/ns/net", &status), 0);
	return status.st_ino;
}

static void the_host_is_left_alone(void **state)
{
	int devices = count_entries("/sys/class/net");
	ino_t before = own_namespace();
	struct lab *lab = *state;

	lab_up(lab);
	assert_true(own_namespace() == before);
	assert_int_equal(count_entries("/sys/class/net"), devices);
}

static void failures_speak_in_the_kernels_words(void **state)
{
	struct object thin = make_link(((struct lab *)*state)->vpc, LINK_BRIDGE, "thin");
	struct lab *lab = *state;
	struct plan plan = { 0 };

	lab_up(lab);
	plan_put(&plan, make_route(lab->instance, "10.9.0.0/16", "10.0.1.5", "eth0"));
	plan_fail(&plan, lab->kernel, EINVAL,
		  "route 10.9.0.0/16 via 10.0.1.5 dev eth0: Nexthop has invalid gateway: ");
	thin.link.mtu = 20;
	plan_put(&plan, thin);
	plan_fail(&plan, lab->kernel, EINVAL, "bridge thin: mtu less than device minimum: ");
	plan_put(&plan, make_sysctl(lab->vpc, "ipv4/no_such", 1));
	plan_fail(&plan, lab->kernel, ENOENT, "sysctl net/ipv4/no_such = 1: ");
	plan_put(&plan, make_sysctl(lab->vpc, "bridge/bridge-nf-call-nothing", 1));
	plan_fail(&plan, lab->kernel, ENOENT, "sysctl net/bridge/bridge-nf-call-nothing = 1: ");
	plan_put(&plan, make_sysctl(lab->vpc, "bridge/bridge-nf-call-nothing", 0));
	plan_succeed(&plan, lab->kernel);
	plan_put(&plan, make_sysctl(lab->vpc, "../kernel/pid_max", 1));
	plan_fail(&plan, lab->kernel, EINVAL, "pid_max");
	lab_assert(lab);
}

static void iproute2_sees_namespaces(void **state)
{
	struct lab *lab = *state;
	char command[128];

	lab_up(lab);
	snprintf(command, sizeof(command), "ip netns list | grep -q '^%s'", text_of(lab->subnet));
	assert_int_equal(system(command), 0);
	assert_int_equal(
		run_in(lab->subnet, "ip link show dev eni1 | grep -q 'LOWER_UP.*mtu 9001'"), 0);
	assert_int_equal(run_in(lab->instance, "ip link show dev eth0 | grep -q 'LOWER_UP'"), 0);
	assert_int_equal(run_in(lab->instance, "ip link show dev lo | grep -q 'LOWER_UP'"), 0);
}

static void links_keep_quiet(void **state)
{
	struct lab *lab = *state;
	const struct {
		struct rid ns;
		const char *device;
	} ends[] = { { lab->subnet, "eni1" },
		     { lab->instance, "eth0" },
		     { lab->subnet, "fabric" },
		     { lab->vpc, "subnet1" },
		     { lab->vpc, "fabric" } };

	lab_up(lab);
	if (access("/proc/sys/net/ipv6", F_OK) < 0)
		return; /* quiet enough */
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		assert_int_equal(run_in(ends[i].ns,
					"grep -qx 1 /proc/sys/net/ipv6/conf/%s/addr_gen_mode",
					ends[i].device),
				 0);
	assert_int_equal(run_in(lab->vpc, "bridge -d link show dev subnet1 | tr -d '\\n' | "
					  "grep -q 'learning off flood off.*mcast_flood off "
					  "bcast_flood off'"),
			 0);
}

/* A bridge whose MTU follows its ports' falls back to 1500 with the last one. */
static void a_bridge_keeps_its_mtu(void **state)
{
	struct object bridge = make_link(((struct lab *)*state)->vpc, LINK_BRIDGE, "fabric");
	struct object port;
	struct lab *lab = *state;
	struct plan plan = { 0 };

	port = make_veth(lab->vpc, "port", lab->subnet, "fabric", 1);
	bridge.link.mtu = 9001;
	port.link.mtu = 4000;
	memcpy(port.link.master, "fabric", sizeof("fabric"));
	plan_put(&plan, make_namespace(lab->vpc));
	plan_put(&plan, make_namespace(lab->subnet));
	plan_put(&plan, bridge);
	plan_put(&plan, port);
	plan_succeed(&plan, lab->kernel);
	assert_int_equal(run_in(lab->vpc, "ip link show dev fabric | grep -q 'mtu 9001 '"), 0);
	plan_delete(&plan, port);
	plan_succeed(&plan, lab->kernel);
	assert_int_equal(run_in(lab->vpc, "ip link show dev fabric | grep -q 'mtu 9001 '"), 0);
}

static void an_unfinished_link_shows(void **state)
{
	struct lab *lab = *state;
	struct object wanted = make_veth(lab->subnet, "eni1", lab->instance, "eth0", 5), down;
	struct object_list found;
	struct plan plan = { 0 };
	size_t i = 0;

	lab_up(lab);
	assert_int_equal(run_in(lab->subnet, "ip link set eni1 down"), 0);
	found = dump(lab->kernel, lab->subnet);
	while (i < found.count && object_compare_key(&found.items[i], &wanted) != 0)
		i++;
	assert_true(i < found.count);
	down = found.items[i];
	object_list_clear(&found);
	assert_true(down.link.down);
	assert_false(object_same(&down, &wanted));
	plan_put(&plan, wanted);
	plan_fail(&plan, lab->kernel, EEXIST, ": veth eni1 (down): File exists");
	plan_replace(&plan, down, wanted);
	plan_put(&plan, make_link(lab->instance, LINK_LOOPBACK, "lo"));
	plan_put(&plan, make_address(lab->instance, "eth0", "10.0.1.5/24"));
	plan_put(&plan, make_address(lab->instance, "eth0", "fd00:1::5/64"));
	plan_put(&plan, make_route(lab->instance, "0.0.0.0/0", "10.0.1.1", "eth0"));
	plan_put(&plan, make_route(lab->instance, "::/0", "fd00:1::1", "eth0"));
	plan_put(&plan, make_route(lab->subnet, "10.0.1.5/32", NULL, "eni1"));
	plan_put(&plan, make_neighbour(lab->subnet, "eni1", "10.0.1.5", 5));
	plan_succeed(&plan, lab->kernel);
	lab_assert(lab);
}

static void sysctls_are_restored(void **state)
{
	struct lab *lab = *state;
	struct plan plan = { 0 };

	lab_up(lab);
	plan_put(&plan, make_sysctl(lab->subnet, "ipv4/ip_forward", 0));
	plan_put(&plan, make_sysctl(lab->subnet, "ipv4/conf/eni1/proxy_arp", 1));
	plan_put(&plan, make_sysctl(lab->subnet, "ipv4/conf/nowhere/proxy_arp", 1));
	plan_fail(&plan, lab->kernel, ENOENT, "nowhere");
	assert_int_equal(run_in(lab->subnet, "grep -qx 1 /proc/sys/net/ipv4/ip_forward"), 0);
	assert_int_equal(run_in(lab->subnet, "grep -qx 0 /proc/sys/net/ipv4/conf/eni1/proxy_arp"),
			 0);
	plan_put(&plan, make_sysctl(lab->subnet, "ipv4/conf/eni1/proxy_arp", 1));
	plan_succeed(&plan, lab->kernel);
	assert_int_equal(run_in(lab->subnet, "grep -qx 1 /proc/sys/net/ipv4/conf/eni1/proxy_arp"),
			 0);
}

/* A process with a network namespace of its own, until its standard input ends. */
static pid_t start_process(int *ret_pipe)
{
	int ready[2], hold[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	assert_int_equal(pipe2(hold, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(hold[1]);
		if (unshare(CLONE_NEWNET) < 0 || write(ready[1], "x", 1) != 1 ||
		    read(hold[0], &byte, 1) < 0)
			_exit(1);
		_exit(0);
	}
	close(ready[1]);
	close(hold[0]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	*ret_pipe = hold[1];
	return pid;
}

static void a_process_brings_its_namespace(void **state)
{
	struct lab *lab = *state;
	struct object first = make_namespace(lab->instance), second = first;
	struct plan plan = { 0 };
	int pipes[2];

	first.netns_pid = start_process(&pipes[0]);
	second.netns_pid = start_process(&pipes[1]);
	for (int round = 0; round < 2; round++) {
		plan_put(&plan, first);
		plan_put(&plan, make_link(lab->instance, LINK_LOOPBACK, "lo"));
		plan_succeed(&plan, lab->kernel);
	}
	plan_put(&plan, second);
	plan_fail(&plan, lab->kernel, EEXIST, text_of(lab->instance));
	plan_replace(&plan, first, second);
	plan_succeed(&plan, lab->kernel);
	plan_put(&plan, second);
	plan_succeed(&plan, lab->kernel);
	for (int i = 0; i < 2; i++)
		close(pipes[i]);
	waitpid(first.netns_pid, NULL, 0);
	waitpid(second.netns_pid, NULL, 0);
	/* The name keeps it alive. */
	assert_int_equal(run_in(lab->instance, "true"), 0);
	plan_delete(&plan, first);
	plan_put(&plan, first); /* the process is gone */
	plan_fail(&plan, lab->kernel, ENOENT, text_of(lab->instance));
}

/* A crash between making a file and mounting a namespace on it. */
static void a_plain_file_is_no_namespace(void **state)
{
	struct object_list found = { 0 };
	struct error error = ERROR_INIT;
	struct lab *lab = *state;
	struct plan plan = { 0 };
	char path[64];

	plan_put(&plan, make_namespace(lab->vpc)); /* for the directory */
	plan_succeed(&plan, lab->kernel);
	snprintf(path, sizeof(path), "/run/netns/%s", text_of(lab->subnet));
	for (int round = 0; round < 2; round++) {
		int fd = open(path, O_CREAT | O_EXCL | O_CLOEXEC, 0444);

		assert_true(fd >= 0);
		close(fd);
		assert_true(exists(lab->kernel, lab->subnet));
		assert_int_equal(kernel_dump(lab->kernel, lab->subnet, &found, &error), -ENOENT);
		plan_put(&plan, make_link(lab->subnet, LINK_LOOPBACK, "lo"));
		plan_fail(&plan, lab->kernel, ENOENT, text_of(lab->subnet));
		if (round == 0) {
			plan_put(&plan, make_namespace(lab->subnet));
			plan_put(&plan, make_link(lab->subnet, LINK_LOOPBACK, "lo"));
			plan_succeed(&plan, lab->kernel);
		}
		plan_delete(&plan, make_namespace(lab->subnet));
		plan_succeed(&plan, lab->kernel);
		assert_false(exists(lab->kernel, lab->subnet));
	}
}

/* The sockets that are kept must not be those of a namespace that somebody else has replaced. */
static void others_may_replace_a_namespace(void **state)
{
	struct lab *lab = *state;
	struct object_list found;
	char command[256];

	lab_up(lab);
	snprintf(command, sizeof(command), "ip netns del %s && ip netns add %s",
		 text_of(lab->instance), text_of(lab->instance));
	assert_int_equal(system(command), 0);
	found = dump(lab->kernel, lab->instance);
	assert_int_equal(found.count, 0);
	object_list_clear(&found);
}

/* More namespaces than sockets are kept, and nothing is left open. */
static void many_launches(void **state)
{
	enum {
		COUNT = 150
	};
	int before = count_entries("/proc/self/fd");
	struct lab *lab = *state;
	struct object_list found;
	struct plan plan = { 0 };
	struct rid instances[COUNT];
	char name[DEVICE_NAME_MAX], text[32];

	lab_up(lab);
	for (uint8_t i = 0; i < COUNT; i++) {
		instances[i] = lab_extra(lab);
		snprintf(name, sizeof(name), "many%u", i);
		snprintf(text, sizeof(text), "10.0.7.%u/32", i);
		plan_put(&plan, make_namespace(instances[i]));
		plan_put(&plan, make_veth(lab->subnet, name, instances[i], "eth0", i));
		plan_put(&plan, make_link(instances[i], LINK_LOOPBACK, "lo"));
		plan_put(&plan, make_address(instances[i], "eth0", text));
		plan_put(&plan, make_route(instances[i], "0.0.0.0/0", "10.0.1.1", "eth0"));
		plan_put(&plan, make_route(lab->subnet, text, NULL, name));
	}
	plan_succeed(&plan, lab->kernel);
	for (uint8_t i = 0; i < COUNT; i++) {
		found = dump(lab->kernel, instances[i]);
		assert_int_equal(found.count, 4);
		object_list_clear(&found);
	}
	/* Those that are no process's are held. */
	assert_in_range(count_entries("/proc/self/fd"), before, before + 128 + COUNT + 10);
	for (uint8_t i = 0; i < COUNT; i++) {
		snprintf(name, sizeof(name), "many%u", i);
		snprintf(text, sizeof(text), "10.0.7.%u/32", i);
		plan_delete(&plan, make_route(lab->subnet, text, NULL, name));
		plan_delete(&plan, make_veth(lab->subnet, name, instances[i], "eth0", i));
		plan_delete(&plan, make_namespace(instances[i]));
	}
	plan_succeed(&plan, lab->kernel);
	lab_assert(lab);
	for (uint8_t i = 0; i < COUNT; i++)
		assert_false(exists(lab->kernel, instances[i]));
}

static void somebody_elses_table_is_left_alone(void **state)
{
	struct lab *lab = *state;
	struct object_list found;
	struct plan plan = { 0 };

	plan_put(&plan, make_namespace(lab->gateway));
	plan_succeed(&plan, lab->kernel);
	assert_int_equal(run_in(lab->gateway, "nft add table ip minivpc '{ comment \"mine\"; }'"),
			 0);
	found = dump(lab->kernel, lab->gateway);
	assert_int_equal(found.count, 0);
	plan_put(&plan, make_skeleton(lab->gateway, SKELETON_INTERNET_GATEWAY));
	plan_fail(&plan, lab->kernel, EEXIST, "there is another one that isn't ours");
	assert_int_equal(run_in(lab->gateway, "nft list ruleset | grep -q mine"), 0);
}

/*
 * An Internet with one host, a gateway, and a router with three instances behind it, of which the
 * first two have public addresses:
 *
 *	host 203.0.113.2 -- internet [gateway] fabric -- uplink [subnet] eni1 -- eth0 10.0.1.5
 *	                                                                 eni2 -- eth0 10.0.1.6
 *	                                                                 eni3 -- eth0 10.0.1.7
 */
struct internet {
	struct rid subnet, gateway, host, instances[3];
};

static void put_instance(struct plan *plan, const struct internet *net, uint8_t i)
{
	char name[DEVICE_NAME_MAX], host[32];

	snprintf(name, sizeof(name), "eni%d", i + 1);
	snprintf(host, sizeof(host), "10.0.1.%d/32", i + 5);
	plan_put(plan, make_namespace(net->instances[i]));
	plan_put(plan, make_veth(net->subnet, name, net->instances[i], "eth0", i));
	plan_put(plan, make_address(net->instances[i], "eth0", host));
	plan_put(plan, make_route(net->instances[i], "0.0.0.0/0", "10.0.1.1", "eth0"));
	plan_put(plan, make_route(net->subnet, host, NULL, name));
}

static struct internet internet_up(struct lab *lab)
{
	static const char *const paths[] = { "ipv4/ip_forward", "ipv4/conf/all/rp_filter",
					     "ipv4/conf/all/send_redirects",
					     "ipv4/conf/default/rp_filter",
					     "ipv4/conf/default/send_redirects" };
	struct internet net = { .subnet = lab->subnet, .gateway = lab->gateway, .host = lab->vpc };
	struct plan plan = { 0 };

	for (uint8_t i = 0; i < 3; i++)
		net.instances[i] = i ? lab_extra(lab) : lab->instance;
	plan_put(&plan, make_namespace(net.subnet));
	plan_put(&plan, make_namespace(net.gateway));
	plan_put(&plan, make_namespace(net.host));
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		plan_put(&plan, make_sysctl(net.subnet, paths[i], i == 0));
		plan_put(&plan, make_sysctl(net.gateway, paths[i], i == 0));
	}
	plan_put(&plan, make_link(net.subnet, LINK_LOOPBACK, "lo"));
	plan_put(&plan, make_address(net.subnet, "lo", "10.0.1.1/32"));
	for (uint8_t i = 0; i < 3; i++)
		put_instance(&plan, &net, i);
	plan_put(&plan, make_veth(net.subnet, "uplink", net.gateway, "fabric", 8));
	plan_put(&plan, make_address(net.gateway, "fabric", "169.254.1.1/32"));
	plan_put(&plan, make_route(net.subnet, "0.0.0.0/0", "169.254.1.1", "uplink"));
	plan_put(&plan, make_route(net.gateway, "10.0.1.0/24", "10.0.1.1", "fabric"));
	plan_put(&plan, make_veth(net.gateway, "internet", net.host, "eth0", 9));
	plan_put(&plan, make_address(net.gateway, "internet", "203.0.113.1/24"));
	plan_put(&plan, make_address(net.host, "eth0", "203.0.113.2/24"));
	plan_put(&plan, make_route(net.host, "0.0.0.0/0", "203.0.113.1", "eth0"));
	plan_put(&plan, make_skeleton(net.gateway, SKELETON_INTERNET_GATEWAY));
	plan_put(&plan, make_element(net.gateway, ELEMENT_PUBLIC, "198.18.0.5", "10.0.1.5"));
	plan_put(&plan, make_element(net.gateway, ELEMENT_PRIVATE, "10.0.1.5", "198.18.0.5"));
	plan_put(&plan, make_element(net.gateway, ELEMENT_PUBLIC, "198.18.0.6", "10.0.1.6"));
	plan_put(&plan, make_element(net.gateway, ELEMENT_PRIVATE, "10.0.1.6", "198.18.0.6"));
	plan_succeed(&plan, lab->kernel);
	return net;
}

static void internet_down(struct lab *lab, const struct internet *net)
{
	struct plan plan = { 0 };

	plan_delete(&plan, make_namespace(net->instances[1]));
	plan_delete(&plan, make_namespace(net->instances[2]));
	plan_succeed(&plan, lab->kernel);
}

/* Real checksums on the wire, so that a wrong one is noticed. */
static void no_offload(struct rid ns)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		struct ethtool_value value = { ETHTOOL_STXCSUM, 0 };
		struct ifreq request = { .ifr_name = "eth0", .ifr_data = (void *)&value };
		int fd;

		enter(ns);
		fd = socket(AF_INET, SOCK_DGRAM, 0);
		_exit(ioctl(fd, SIOCETHTOOL, &request) < 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static struct sockaddr_in socket_address(const char *text)
{
	struct sockaddr_in result = { .sin_family = AF_INET, .sin_port = htons(PORT) };

	inet_pton(AF_INET, text, &result.sin_addr);
	return result;
}

/* In a child: answers one message with the address it came from. */
static void serve(int type, int ready)
{
	const struct timeval limit = { 3, 0 };
	struct sockaddr_in own = socket_address("0.0.0.0"), peer;
	socklen_t size = sizeof(peer);
	int one = 1, fd = socket(AF_INET, type, 0);
	char text[INET_ADDRSTRLEN], byte;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (bind(fd, (struct sockaddr *)&own, sizeof(own)) < 0 ||
	    (type == SOCK_STREAM && listen(fd, 1) < 0) || write(ready, "x", 1) != 1)
		_exit(1);
	if (type == SOCK_STREAM)
		fd = accept(fd, (struct sockaddr *)&peer, &size);
	if (fd < 0 || recvfrom(fd, &byte, 1, 0,
			       type == SOCK_DGRAM ? (struct sockaddr *)&peer : NULL, &size) != 1)
		_exit(2);
	inet_ntop(AF_INET, &peer.sin_addr, text, sizeof(text));
	sendto(fd, text, sizeof(text), 0, (struct sockaddr *)&peer,
	       type == SOCK_DGRAM ? sizeof(peer) : 0);
	_exit(0);
}

/* In a child: says something and writes what comes back, or why nothing does. */
static void ask(int type, const char *to, int answer)
{
	const struct timeval limit = { 0, 400000 };
	struct sockaddr_in peer = socket_address(to);
	int fd = socket(AF_INET, type, 0);
	char text[INET_ADDRSTRLEN] = "";

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&peer, sizeof(peer)) < 0 || send(fd, "x", 1, 0) != 1 ||
	    recv(fd, text, sizeof(text), 0) <= 0)
		snprintf(text, sizeof(text), "%s", errno == ECONNREFUSED ? "refused" : "silence");
	if (write(answer, text, sizeof(text)) != sizeof(text))
		_exit(1);
	_exit(0);
}

/*
 * A message from `client` to `to`, which is in the namespace `server`, or nobody listens there
 * (KIND_NONE). What the server saw as the source, "refused" or "silence". `to` answers from its own
 * address, or the client's connected socket would not take it.
 */
static const char *talk(int type, struct rid client, struct rid server, const char *to)
{
	static char text[INET_ADDRSTRLEN];
	pid_t server_pid = 0, client_pid;
	int ready[2], answer[2];
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	assert_int_equal(pipe2(answer, O_CLOEXEC), 0);
	if (rid_is_set(server)) {
		server_pid = fork();
		if (server_pid == 0) {
			enter(server);
			serve(type, ready[1]);
		}
		assert_int_equal(read(ready[0], &byte, 1), 1);
	}
	client_pid = fork();
	if (client_pid == 0) {
		enter(client);
		ask(type, to, answer[1]);
	}
	assert_int_equal(read(answer[0], text, sizeof(text)), sizeof(text));
	waitpid(client_pid, NULL, 0);
	if (server_pid) {
		kill(server_pid, SIGKILL);
		waitpid(server_pid, NULL, 0);
	}
	for (int i = 0; i < 2; i++) {
		close(ready[i]);
		close(answer[i]);
	}
	return text;
}

static void the_gateway_translates(void **state)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM };
	const struct rid nobody = { 0 };
	struct lab *lab = *state;
	struct internet net = internet_up(lab);
	const struct rid *i = net.instances;

	for (int offload = 1; offload >= 0; offload--) {
		for (size_t n = 0; n < ARRAY_SIZE(types); n++) {
			int type = types[n];

			assert_string_equal(talk(type, i[0], net.host, "203.0.113.2"),
					    "198.18.0.5");
			assert_string_equal(talk(type, net.host, i[0], "198.18.0.5"),
					    "203.0.113.2");
			assert_string_equal(talk(type, net.host, i[1], "198.18.0.6"),
					    "203.0.113.2");
			/* the hairpin: each sees the other's public address */
			assert_string_equal(talk(type, i[0], i[1], "198.18.0.6"), "198.18.0.5");
			/* inside, nothing is translated */
			assert_string_equal(talk(type, i[0], i[2], "10.0.1.7"), "10.0.1.5");
			/* and the errors about packets come back as well */
			assert_string_equal(talk(type, net.host, nobody, "198.18.0.5"), "refused");
			assert_string_equal(talk(type, i[0], nobody, "203.0.113.2"), "refused");
			assert_string_equal(talk(type, i[0], nobody, "198.18.0.6"), "refused");
		}
		for (int k = 0; k < 3; k++)
			no_offload(i[k]);
		no_offload(net.host);
	}
	assert_int_equal(run_in(i[0], "ping -q -c 1 -W 0.4 203.0.113.2 >/dev/null"), 0);
	assert_int_equal(run_in(net.host, "ping -q -c 1 -W 0.4 198.18.0.5 >/dev/null"), 0);
	assert_int_equal(run_in(net.host, "ping -q -c 1 -W 0.4 -s 20000 198.18.0.6 >/dev/null"), 0);
	internet_down(lab, &net);
}

static void the_gateway_drops(void **state)
{
	struct lab *lab = *state;
	struct internet net = internet_up(lab);
	const struct rid *i = net.instances;
	struct plan plan = { 0 };

	/* no public address: neither out nor in */
	assert_string_equal(talk(SOCK_DGRAM, i[2], net.host, "203.0.113.2"), "silence");
	assert_string_equal(talk(SOCK_DGRAM, net.host, i[2], "198.18.0.7"), "silence");
	assert_string_equal(talk(SOCK_DGRAM, net.host, i[2], "10.0.1.7"), "silence");
	assert_string_equal(talk(SOCK_DGRAM, net.host, i[0], "10.0.1.5"), "silence");
	/* the gateway itself is nobody's peer */
	assert_int_equal(run_in(net.host, "ping -q -c 1 -W 0.4 203.0.113.1 >/dev/null"), 1);
	assert_int_equal(run_in(i[0], "ping -q -c 1 -W 0.4 169.254.1.1 >/dev/null"), 1);
	/* private addresses don't leave, though the gateway has a route, and don't come in */
	plan_put(&plan, make_address(net.host, "eth0", "172.16.0.9/32"));
	plan_put(&plan, make_route(net.gateway, "172.16.0.9/32", NULL, "internet"));
	plan_succeed(&plan, lab->kernel);
	assert_string_equal(talk(SOCK_DGRAM, i[0], net.host, "172.16.0.9"), "silence");
	assert_int_equal(
		run_in(net.host, "ping -q -c 1 -W 0.4 -I 172.16.0.9 198.18.0.5 >/dev/null"), 1);
	/* an element that goes cuts off at once, and flows again when it is back */
	plan_delete(&plan, make_element(net.gateway, ELEMENT_PUBLIC, "198.18.0.5", "10.0.1.5"));
	plan_succeed(&plan, lab->kernel);
	assert_string_equal(talk(SOCK_DGRAM, i[0], net.host, "203.0.113.2"), "silence");
	plan_put(&plan, make_element(net.gateway, ELEMENT_PUBLIC, "198.18.0.5", "10.0.1.5"));
	plan_succeed(&plan, lab->kernel);
	assert_string_equal(talk(SOCK_DGRAM, i[0], net.host, "203.0.113.2"), "198.18.0.5");
	internet_down(lab, &net);
}

static void put_bytes(struct plan *plan, struct rid ns, enum element_map map, const char *key,
		      const char *end, const char *value)
{
	struct object object = make(OBJECT_ELEMENT, ns);

	object.element.map = map;
	memcpy(object.element.key, key, ELEMENT_KEY_MAX);
	memcpy(object.element.end, end, ELEMENT_KEY_MAX);
	memcpy(object.element.value, value, ELEMENT_KEY_MAX);
	plan_put(plan, object);
}

#define BYTES(text) ((const char[ELEMENT_KEY_MAX + 1]){ text })
#define GROUP	    "\x05\0\0\0" /* a little-endian machine's 5 */
#define ID	    "port"
#define GROUPS	    "grouping"
#define ALL	    "versionA"
#define SERVICE	    "anyports"
#define PEER	    "peer"

/* The port of device group 5 and its one list, for groups and ACL alike: everything passes. */
static void put_filters(struct plan *plan, struct rid subnet, const char *source)
{
	put_bytes(plan, subnet, ELEMENT_SERVICE, BYTES(ALL), BYTES(ALL "\xff\0\0\0\xff\xff\0\x01"),
		  BYTES("\0\0\0\0\0\0\0\0" SERVICE));
	put_bytes(plan, subnet, ELEMENT_PEER, BYTES(ALL), BYTES("versionB"), BYTES(PEER));
	put_bytes(plan, subnet, ELEMENT_OPEN, BYTES(SERVICE PEER), BYTES(""), BYTES(""));
	put_bytes(plan, subnet, ELEMENT_EGRESS, BYTES(GROUPS), BYTES(""), BYTES(ALL));
	put_bytes(plan, subnet, ELEMENT_INGRESS, BYTES(GROUPS), BYTES(""), BYTES(ALL));
	put_bytes(plan, subnet, ELEMENT_ACL, BYTES(""), BYTES(""), BYTES(ALL));
	put_bytes(plan, subnet, ELEMENT_ACL, BYTES("\x01"), BYTES(""), BYTES(ALL));
	put_bytes(plan, subnet, ELEMENT_SOURCE, source, BYTES(""), BYTES(""));
	put_bytes(plan, subnet, ELEMENT_PORT, BYTES(GROUP), BYTES(""), BYTES(GROUPS ID));
	put_bytes(plan, subnet, ELEMENT_TRACKED, BYTES(GROUP ID), BYTES(""), BYTES(""));
}

/* host -- fabric [subnet] eni1 -- instance, and the same host again behind `fabric`. */
static void the_subnet_shields_its_router(void **state)
{
	struct lab *lab = *state;
	const struct rid subnet = lab->subnet, host = lab->vpc, instance = lab->instance;
	struct object port = make_veth(subnet, "eni1", instance, "eth0", 2);
	struct drop_list drops = { 0 };
	struct error error = ERROR_INIT;
	struct plan plan = { 0 };

	plan_put(&plan, make_namespace(subnet));
	plan_put(&plan, make_namespace(host));
	plan_put(&plan, make_namespace(instance));
	plan_put(&plan, make_sysctl(subnet, "ipv4/ip_forward", 1));
	plan_put(&plan, make_sysctl(subnet, "ipv4/conf/all/rp_filter", 0));
	plan_put(&plan, make_sysctl(subnet, "ipv4/conf/default/rp_filter", 0));
	plan_put(&plan, make_sysctl(subnet, "ipv4/conf/all/send_redirects", 0));
	plan_put(&plan, make_sysctl(subnet, "ipv4/conf/default/send_redirects", 0));
	plan_put(&plan, make_veth(subnet, "fabric", host, "eth0", 1));
	port.link.group = 5;
	plan_put(&plan, port);
	plan_put(&plan, make_link(subnet, LINK_LOOPBACK, "lo"));
	plan_put(&plan, make_address(subnet, "lo", "10.0.1.1/32"));
	plan_put(&plan, make_address(instance, "eth0", "10.0.1.5/32"));
	plan_put(&plan, make_route(instance, "0.0.0.0/0", "10.0.1.1", "eth0"));
	plan_put(&plan, make_address(host, "eth0", "10.0.2.5/32"));
	plan_put(&plan, make_address(host, "eth0", "10.0.3.5/32"));
	plan_put(&plan, make_route(host, "10.0.1.0/24", "10.0.1.1", "eth0"));
	plan_put(&plan, make_route(subnet, "10.0.1.5/32", NULL, "eni1"));
	plan_put(&plan, make_route(subnet, "10.0.2.5/32", NULL, "fabric"));
	plan_succeed(&plan, lab->kernel);
	assert_int_equal(run_in(host, "ping -q -c 1 -W 0.4 10.0.1.1 >/dev/null"), 0);
	plan_put(&plan, make_skeleton(subnet, SKELETON_SUBNET));
	plan_succeed(&plan, lab->kernel);
	assert_int_equal(run_in(host, "ping -q -c 1 -W 0.4 10.0.1.1 >/dev/null"), 1);
	/* without elements nothing passes, from the instance to its router neither */
	assert_int_equal(run_in(host, "ping -q -c 1 -W 0.4 10.0.1.5 >/dev/null"), 1);
	assert_int_equal(run_in(instance, "ping -q -c 1 -W 0.4 10.0.1.1 >/dev/null"), 1);
	put_filters(&plan, subnet,
		    BYTES(GROUP "\x02\0\0\0\x02\x02\0\0"
				"\x0a\0\x01\x05"));
	plan_succeed(&plan, lab->kernel);
	assert_int_equal(run_in(host, "ping -q -c 1 -W 0.4 10.0.1.5 >/dev/null"), 0);
	assert_int_equal(run_in(instance, "ping -q -c 1 -W 0.4 10.0.1.1 >/dev/null"), 0);
	assert_int_equal(run_in(instance, "ping -q -c 1 -W 0.4 10.0.2.5 >/dev/null"), 0);
	/* and what was dropped is told by port and reason */
	assert_int_equal(run_in(instance, "ip address add 10.0.1.9/32 dev eth0"), 0);
	assert_int_equal(
		run_in(instance, "ping -q -c 2 -i 0.1 -W 0.4 -I 10.0.1.9 10.0.2.5 >/dev/null"), 1);
	assert_int_equal(kernel_drops(lab->kernel, subnet, &drops, &error), 0);
	assert_int_equal(drops.count, 1);
	assert_memory_equal(&drops.items[0].port, ID, 4);
	assert_int_equal(drops.items[0].kind, DROP_SOURCE_CHECK);
	assert_int_equal(drops.items[0].packets, 2);
	free(drops.items);
	drops = (struct drop_list){ 0 };
	assert_int_equal(kernel_drops(lab->kernel, rid_new(KIND_SUBNET), &drops, &error), -ENOENT);
	assert_int_equal(drops.count, 0);
}

static int run_as_root(void)
{
	const struct CMUnitTest tests[] = {
		CONTRACT_TEST(the_host_is_left_alone),
		CONTRACT_TEST(failures_speak_in_the_kernels_words),
		CONTRACT_TEST(iproute2_sees_namespaces),
		CONTRACT_TEST(links_keep_quiet),
		CONTRACT_TEST(a_bridge_keeps_its_mtu),
		CONTRACT_TEST(an_unfinished_link_shows),
		CONTRACT_TEST(sysctls_are_restored),
		CONTRACT_TEST(a_process_brings_its_namespace),
		CONTRACT_TEST(a_plain_file_is_no_namespace),
		CONTRACT_TEST(others_may_replace_a_namespace),
		CONTRACT_TEST(many_launches),
		CONTRACT_TEST(somebody_elses_table_is_left_alone),
		CONTRACT_TEST(the_gateway_translates),
		CONTRACT_TEST(the_gateway_drops),
		CONTRACT_TEST(the_subnet_shields_its_router),
	};
	int failed = cmocka_run_group_tests_name("contract", contract_tests, NULL, NULL);

	return failed + cmocka_run_group_tests_name("kernel", tests, NULL, NULL);
}

static void needs_capabilities(void **state)
{
	struct kernel *kernel = NULL;
	struct error error = ERROR_INIT;

	(void)state;
	assert_int_equal(kernel_open(&kernel, &error), -EPERM);
	assert_null(kernel);
	assert_non_null(strstr(error.text, "CAP_SYS_ADMIN and CAP_NET_ADMIN"));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(needs_capabilities) };

	if (geteuid() == 0)
		return run_as_root();
	printf("test_kernel: skipped all but one test: they need root\n");
	return cmocka_run_group_tests_name("no privilege", tests, NULL, NULL);
}
