/*
 * What passes a thing: see capture.h. The daemon says where that is; the packet socket is ours, in
 * the namespace of the thing, and what it sees goes out in whole blocks or lines whenever nothing
 * more is waiting. Where all of a namespace is looked at, a packet that passes it is seen twice:
 * where it comes in and, as it was made on its way, where it leaves.
 */
#include "cli/capture.h"

#include "cli/packet.h"
#include "cli/pcapng.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define RECEIVE_BUFFER (32 * 1024 * 1024) /* for bursts while we write */
#define WRITE_AT       (256 * 1024)	  /* bytes that are gathered at most */
#define TURN	       65536		  /* packets between looks at signals and the time */
#define LOOK_MS	       250 /* how often we look whether the namespace is still there */

struct device {
	int index;
	char name[IF_NAMESIZE];
};

struct capture {
	const struct capture_options *options;
	struct rid namespace;
	char *id;
	char *device; /* NULL: all of the namespace */
	int socket, output, signals;
	struct stat namespace_file;
	struct device *devices; /* seen so far, in the order of their numbers */
	size_t device_count;
	struct buffer text; /* not yet written */
	unsigned char *frame;
	uint64_t packets, dropped;
	int64_t deadline; /* in now_ms(); 0: none */
	bool ended;
	const char *why; /* it ended without being asked to */
};

static void capture_clear(struct capture *capture)
{
	free(capture->id);
	free(capture->device);
	free(capture->devices);
	free(capture->frame);
	buffer_clear(&capture->text);
	closep(&capture->socket);
	closep(&capture->signals);
	if (capture->output != STDOUT_FILENO)
		closep(&capture->output);
}

/* ---- the end ---- */

/* All that is gathered; a reader who has gone away ends it, as ends a pipe's writer elsewhere. */
static int write_out(struct capture *capture, struct error *error)
{
	size_t done = 0;

	while (done < capture->text.length) {
		ssize_t n = write(capture->output, capture->text.data + done,
				  capture->text.length - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EPIPE) {
			capture->ended = true;
			break;
		}
		if (n < 0)
			return error_sys(error, errno, "%s",
					 capture->options->file ? capture->options->file
								: "standard output");
		done += (size_t)n;
	}
	capture->text.length = 0;
	return 0;
}

static void count_drops(struct capture *capture)
{
	struct tpacket_stats statistics;
	socklen_t size = sizeof(statistics);

	/* Asking sets them to zero. */
	if (getsockopt(capture->socket, SOL_PACKET, PACKET_STATISTICS, &statistics, &size) == 0)
		capture->dropped += statistics.tp_drops;
}

static void print_summary(const struct capture *capture)
{
	fprintf(stderr, "%s: %llu packet%s captured, %llu dropped by the kernel%s%s\n", capture->id,
		(unsigned long long)capture->packets, capture->packets == 1 ? "" : "s",
		(unsigned long long)capture->dropped, capture->why ? "; " : "",
		capture->why ? capture->why : "");
}

/* ---- a packet ---- */

/* The number of a device, which is described when it is seen first. */
static size_t device_of(struct capture *capture, int index)
{
	struct ifreq request = { .ifr_ifindex = index };
	struct device *device;
	size_t i = 0;

	while (i < capture->device_count && capture->devices[i].index != index)
		i++;
	if (i < capture->device_count)
		return i;
	device = array_grow(&capture->devices, &capture->device_count);
	device->index = index;
	if (ioctl(capture->socket, SIOCGIFNAME, &request) == 0)
		snprintf(device->name, sizeof(device->name), "%s", request.ifr_name);
	else
		snprintf(device->name, sizeof(device->name), "%d", index);
	if (capture->options->file)
		pcapng_device(&capture->text, device->name, capture->id);
	return i;
}

static uint64_t time_of(struct msghdr *message)
{
	struct timespec time = { 0, 0 };

	for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control;
	     control = CMSG_NXTHDR(message, control))
		if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_TIMESTAMPNS)
			memcpy(&time, CMSG_DATA(control), sizeof(time));
	if (!time.tv_sec)
		clock_gettime(CLOCK_REALTIME, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* "2026-11-23T04:05:06.123456789Z" */
static char *stamp(uint64_t time)
{
	time_t seconds = (time_t)(time / 1000000000);
	char text[32];
	struct tm tm;

	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &tm));
	return xasprintf("%s.%09lluZ", text, (unsigned long long)(time % 1000000000));
}

static void put_object(struct capture *capture, const struct sighting *sighting,
		       const char *description)
{
	CLEANUP(freep) char *time = stamp(sighting->time);
	json_t *object = json_pack("{s:s, s:s, s:s, s:I, s:s}", "time", time, "device",
				   capture->devices[sighting->device].name, "direction",
				   sighting->outbound ? "out" : "in", "length",
				   (json_int_t)sighting->original, "packet", description);
	char *text = json_dumps(object, 0);

	buffer_printf(&capture->text, "%s\n", text ? text : "");
	free(text);
	json_decref(object);
}

static void put_line(struct capture *capture, const struct sighting *sighting,
		     const char *description)
{
	time_t seconds = (time_t)(sighting->time / 1000000000);
	char clock[16];
	struct tm tm;

	strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&seconds, &tm));
	buffer_printf(&capture->text, "%s.%06llu ", clock,
		      (unsigned long long)(sighting->time % 1000000000 / 1000));
	if (!capture->device)
		buffer_printf(&capture->text, "%s ", capture->devices[sighting->device].name);
	buffer_printf(&capture->text, "%s %s\n", sighting->outbound ? "out" : "in", description);
}

static void put_packet(struct capture *capture, const struct sighting *sighting)
{
	CLEANUP(buffer_clear) struct buffer description = BUFFER_INIT;

	if (capture->options->file) {
		pcapng_packet(&capture->text, sighting);
		return;
	}
	packet_describe(&description, sighting->bytes, sighting->length);
	if (capture->options->json)
		put_object(capture, sighting, description.data);
	else
		put_line(capture, sighting, description.data);
}

/* True when there was one. */
static bool take_packet(struct capture *capture, int *ret_error)
{
	char control[CMSG_SPACE(sizeof(struct timespec))];
	struct sockaddr_ll from;
	struct iovec vector = { capture->frame, PCAPNG_SNAP };
	struct msghdr message = { .msg_name = &from,
				  .msg_namelen = sizeof(from),
				  .msg_iov = &vector,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	ssize_t length = recvmsg(capture->socket, &message, MSG_DONTWAIT | MSG_TRUNC);
	struct sighting sighting;

	*ret_error = length < 0 ? errno : 0;
	if (length < 0)
		return false;
	sighting = (struct sighting){
		.time = time_of(&message),
		.device = device_of(capture, from.sll_ifindex),
		/* The far end of an interface's link is the instance: what leaves here comes in. */
		.outbound = (from.sll_pkttype == PACKET_OUTGOING) != (capture->device != NULL),
		.original = (size_t)length,
		.bytes = capture->frame,
		.length = MIN((size_t)length, PCAPNG_SNAP),
	};
	capture->packets++;
	put_packet(capture, &sighting);
	return true;
}

static bool has_enough(const struct capture *capture)
{
	return capture->options->count && capture->packets >= capture->options->count;
}

/* All that waits, or so many that a signal is not kept waiting. */
static int take_packets(struct capture *capture, struct error *error)
{
	int sys = 0, r = 0;

	for (int i = 0; i < TURN && r == 0 && !has_enough(capture); i++) {
		if (take_packet(capture, &sys)) {
			if (capture->text.length >= WRITE_AT)
				r = write_out(capture, error);
		} else if (sys == ENETDOWN) { /* told before what was seen until then */
			capture->ended = true;
			capture->why = "its link is gone";
		} else if (sys != EINTR) {
			break;
		}
	}
	capture->ended |= has_enough(capture);
	if (r == 0 && sys && sys != EAGAIN && sys != EINTR && sys != ENETDOWN)
		return error_sys(error, sys, "%s", capture->id);
	return r < 0 ? r : write_out(capture, error);
}

/* ---- the beginning ---- */

static int find_point(const struct client *client, struct capture *capture, struct error *error)
{
	const struct parameter parameters[] = { { "Target", capture->options->target },
						{ NULL, NULL } };
	CLEANUP(reply_freep) struct reply *reply = NULL;
	CLEANUP(freep) char *namespace = NULL;
	int r = client_call(client, "GetCapturePoint", parameters, &reply, error);

	if (r < 0)
		return r;
	namespace = reply_text(reply, "namespace");
	capture->id = reply_text(reply, "id");
	capture->device = reply_text(reply, "device");
	if (!capture->id || !namespace || rid_parse_any(namespace, &capture->namespace) < 0) {
		error_set(error, ERROR_INTERNAL, "the reply holds no usable <namespace>");
		return -EBADMSG;
	}
	return 0;
}

static int stat_namespace(const struct capture *capture, struct stat *ret_status)
{
	char path[64];

	snprintf(path, sizeof(path), "/run/netns/%s", rid_format(capture->namespace).text);
	return stat(path, ret_status);
}

static int has_no_packets(const struct capture *capture, struct error *error)
{
	error_set(error, ERROR_INTERNAL, "no packet can pass %s now: %s", capture->id,
		  capture->device ? "it is attached to nothing that runs"
				  : "nothing has needed it yet, or it is gone");
	return -ENOENT;
}

/* Asks for times, room (root of a user namespace has less: what it lacks is told as dropped) and
 * the device's packets; from then on they are kept for us. */
static int bind_socket(struct capture *capture, struct error *error)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	const int yes = 1, size = RECEIVE_BUFFER;
	struct ifreq request = { .ifr_ifindex = 0 };

	if (capture->device) {
		snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", capture->device);
		if (ioctl(capture->socket, SIOCGIFINDEX, &request) < 0)
			return has_no_packets(capture, error);
		address.sll_ifindex = request.ifr_ifindex;
	}
	if (setsockopt(capture->socket, SOL_SOCKET, SO_TIMESTAMPNS, &yes, sizeof(yes)) < 0 ||
	    (setsockopt(capture->socket, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0 &&
	     setsockopt(capture->socket, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) < 0) ||
	    bind(capture->socket, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return error_sys(error, errno, "%s: packet socket", capture->id);
	return 0;
}

static int open_output(struct capture *capture, struct error *error)
{
	const char *file = capture->options->file;

	capture->output = STDOUT_FILENO;
	if (!file)
		return 0;
	if (!streq(file, "-"))
		capture->output = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	else if (isatty(STDOUT_FILENO))
		return error_set(
			error, ERROR_INVALID_PARAMETER,
			"capture: -w - is for a pipe, not for a terminal: leave it out, or "
			"add | wireshark -k -i -");
	if (capture->output < 0)
		return error_sys(error, errno, "%s", file);
	pcapng_begin(&capture->text);
	return 0;
}

/* The signals that end it become readable, and a lost reader an error. */
static int watch_signals(struct capture *capture, struct error *error)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	capture->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return capture->signals < 0 ? error_sys(error, errno, "signals") : 0;
}

static int begin(const struct client *client, const struct cli_hooks *hooks,
		 struct capture *capture, struct error *error)
{
	int r;

	if ((r = find_point(client, capture, error)) < 0 || (r = watch_signals(capture, error)) < 0)
		return r;
	capture->socket = hooks->packet_socket(capture->namespace, error);
	if (capture->socket == -ENOENT || stat_namespace(capture, &capture->namespace_file) < 0)
		return has_no_packets(capture, error);
	if (capture->socket < 0)
		return capture->socket;
	if ((r = bind_socket(capture, error)) < 0 || (r = open_output(capture, error)) < 0)
		return r;
	capture->frame = xcalloc(1, PCAPNG_SNAP);
	if (capture->options->seconds)
		capture->deadline = now_ms() + (int64_t)capture->options->seconds * 1000;
	fprintf(stderr, "%s: capturing, until ^C\n", capture->id);
	return write_out(capture, error);
}

/* ---- in between ---- */

/* Our socket keeps the namespace: without looking we would wait for packets that can't come. */
static void look_at_namespace(struct capture *capture)
{
	struct stat now;

	if (stat_namespace(capture, &now) == 0 && now.st_ino == capture->namespace_file.st_ino &&
	    now.st_dev == capture->namespace_file.st_dev)
		return;
	capture->ended = true;
	capture->why = "it is gone";
}

static int patience(const struct capture *capture)
{
	int64_t left = capture->deadline ? capture->deadline - now_ms() : LOOK_MS;

	return (int)MAX(0, MIN(left, LOOK_MS));
}

/* Something was readable, or nothing for a while. */
static int step(struct capture *capture, struct error *error)
{
	/* POLLERR of a pipe: nobody reads any more. */
	struct pollfd watched[] = { { .fd = capture->socket, .events = POLLIN },
				    { .fd = capture->signals, .events = POLLIN },
				    { .fd = capture->output, .events = 0 } };
	int ready = poll(watched, ARRAY_SIZE(watched), patience(capture)), r;

	if (ready < 0 && errno != EINTR)
		return error_sys(error, errno, "poll");
	if (ready == 0)
		look_at_namespace(capture);
	if (ready > 0 && (r = take_packets(capture, error)) < 0)
		return r;
	capture->ended |= ready > 0 && (watched[1].revents || watched[2].revents & POLLERR);
	capture->ended |= capture->deadline && now_ms() >= capture->deadline;
	return 0;
}

static int finish(struct capture *capture, struct error *error)
{
	struct timespec now;
	int r = 0;

	count_drops(capture);
	if (capture->options->file) {
		clock_gettime(CLOCK_REALTIME, &now);
		/* The kernel counts for the socket, not for each device: all is told of the first.
		 */
		if (capture->device_count)
			pcapng_statistics(&capture->text, 0,
					  (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec,
					  capture->packets, capture->dropped);
		r = write_out(capture, error);
	}
	print_summary(capture);
	return r;
}

int capture_run(const struct client *client, const struct cli_hooks *hooks,
		const struct capture_options *options, struct error *error)
{
	CLEANUP(capture_clear)
	struct capture capture = { .options = options, .socket = -1, .output = -1, .signals = -1 };
	int r = begin(client, hooks, &capture, error);

	while (r >= 0 && !capture.ended)
		r = step(&capture, error);
	return r < 0 ? r : finish(&capture, error);
}
