/* The daemon: rooms in order at start, in reverse at the end. */
#include "world/internal.h"

#include <errno.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "instance/confine.h"
#include "model/region.h"
#include "world/privileges.h"

#define PURGE_FIRST 1000 /* milliseconds: what a daemon before us has left is over by then */
#define PURGE_EVERY 60000

static void close_world(struct world *world)
{
	struct error error = ERROR_INIT;

	if (world->api)
		state_withdraw(&world->options.paths);
	world->stacks = stacks_close(world->stacks);
	world->api = api_close(world->api);
	world_images_close(world);
	world->services = services_close(world->services);
	world->imds = imds_close(world->imds);
	world->uplink = uplink_close(world->uplink);
	freep(&world->rebooted);
	world->events = events_free(world->events);
	world->fabric = fabric_free(world->fabric);
	world->instances = instances_close(world->instances);
	if (!world->announced && world->state.lock >= 0 &&
	    limits_remove(world->options.paths.limits, &error) < 0)
		log_error("%s", error.text);
	world->kernel = kernel_close(world->kernel);
	model_clear(&world->model);
	credentials_clear(&world->credentials);
	world->store = store_close(world->store);
	world->loop = loop_free(world->loop);
	/* A daemon that never came so far changes nothing. */
	state_release(&world->options.paths, &world->state, !world->announced);
}

/* A fresh one for instance metadata, in hexadecimal. */
static char *new_key(void)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;
	uint8_t key[32];

	if (getrandom(key, sizeof(key), 0) != sizeof(key))
		abort();
	for (size_t i = 0; i < sizeof(key); i++)
		buffer_printf(&text, "%02x", key[i]);
	explicit_bzero(key, sizeof(key));
	return buffer_steal(&text);
}

/* The world's own record: made once, and the region remembered. */
static int open_model(struct world *world, struct error *error)
{
	struct transaction transaction;
	struct internet *internet;
	const char *region = world->options.region;
	int r;

	world->model.quotas = world->options.quotas;
	world->events = events_new();
	if ((r = store_open(world->options.paths.database, &world->store, error)) < 0 ||
	    (r = store_load(world->store, &world->model, error)) < 0)
		return r;
	transaction = transaction_begin(&world->model, world_now());
	if (!internet_get(&world->model))
		internet_create(&transaction);
	internet = internet_get(&world->model);
	if (!internet->region || (region && !streq(internet->region, region))) {
		transaction_edit(&transaction, internet);
		free(internet->region);
		internet->region = xstrdup(region ? region : DEFAULT_REGION);
	}
	if (!internet->metadata_key) {
		transaction_edit(&transaction, internet);
		internet->metadata_key = new_key();
	}
	if (internet->uplink != world->options.uplink) {
		transaction_edit(&transaction, internet);
		internet->uplink = world->options.uplink;
		internet->realized |= internet->uplink; /* it needs a place to lead from */
	}
	r = store_save(world->store, &transaction, true, error);
	transaction_commit(&transaction);
	return r;
}

static int open_machines(struct world *world, struct error *error)
{
	const char *const hidden[] = { world->options.paths.state, DEFAULT_STATE, RUN_ROOT, NULL };
	const struct instances_options options = {
		.hidden = hidden,
		.disks = world->options.paths.disks,
		.ends = world->options.paths.ends,
		.limits = { world->options.paths.limits, world->options.memory,
			    world->options.limit_memory },
		.disk_size = world->options.disk_size,
	};
	int r;

	if ((r = instances_open(&options, world->loop, world_on_exit, world, &world->instances,
				error)) < 0 ||
	    (r = kernel_open(&world->kernel, error)) < 0)
		return r;
	world->fabric = fabric_new(world->kernel, &world->model);
	return 0;
}

static int create_account(void *context, const char *account,
			  const struct credentials **ret_credentials, struct error *error)
{
	struct world *world = context;

	return credentials_add(world->options.paths.credentials, &world->credentials, account,
			       ret_credentials, error);
}

static void hurry(void *context)
{
	stacks_hurry(((struct world *)context)->stacks);
}

static void on_events(void *context, uint64_t from, struct api_events *ret_events)
{
	events_read(((struct world *)context)->events, from, ret_events);
}

static int open_api(struct world *world, struct error *error)
{
	struct api_options options = {
		.listen = world->options.listen,
		.region = internet_get(&world->model)->region,
		.credentials = &world->credentials,
		.accept_any_credentials = world->options.accept_any_credentials,
		.hooks = { .context = world,
			   .commit = world_commit,
			   .reboot = world_reboot,
			   .is_rebooting = world_is_rebooting,
			   .drops = world_drops,
			   .audit = world_audit,
			   .look_at = world_look_at,
			   .nat_counts = world_nat_counts,
			   .console = world_console,
			   .events = on_events,
			   .create_account = create_account,
			   .hurry = hurry },
	};
	int r = state_credentials(&world->options.paths, &world->credentials, error);

	return r < 0 ? r : api_open(world->loop, &world->model, &options, &world->api, error);
}

/* One that is not wanted any more leaves before the kernel is looked at, for it has a route there.
 */
static int close_uplink(struct world *world, struct error *error)
{
	return world->options.uplink ? 0 : uplink_end(&world->options.paths, error);
}

/* After recovery: the Internet's namespace is there. */
static int open_uplink(struct world *world, struct error *error)
{
	if (!world->options.uplink)
		return 0;
	return uplink_open(world->loop, &world->options.paths,
			   internet_get(&world->model)->resource.id, &world->uplink, error);
}

static void on_metadata(void *context, int fd, struct rid subnet)
{
	imds_accept(((struct world *)context)->imds, fd, subnet);
}

/* After recovery: the subnets' namespaces are there. */
static int open_services(struct world *world, struct error *error)
{
	const struct services_options options = { .uplink = world->options.uplink,
						  .imds_accept = on_metadata,
						  .context = world };
	int r = imds_open(world->loop, &world->model, &world->imds, error);

	return r < 0 ? r
		     : services_open(world->loop, &world->model, &options, &world->services, error);
}

/* After recovery: what was begun goes on. */
static void open_stacks(struct world *world)
{
	const struct stacks_options options = { .loop = world->loop,
						.model = &world->model,
						.api = world->api,
						.commit = world_commit,
						.context = world };

	world->stacks = stacks_open(&options);
	stacks_look(world->stacks);
}

static void on_signal(void *context, uint32_t events)
{
	(void)events;
	loop_stop(((struct world *)context)->loop);
}

/* SIGTERM and SIGINT end the loop; a client that hangs up must not end the daemon. */
static int open_signals(struct world *world, int *ret_fd, struct error *error)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
		return error_sys(error, errno, "signals");
	*ret_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (*ret_fd < 0)
		return error_sys(error, errno, "signals");
	return loop_add_fd(world->loop, *ret_fd, EPOLLIN, on_signal, world, NULL, error);
}

static void on_purge(void *context)
{
	struct world *world = context;
	struct error error = ERROR_INIT;

	instances_sweep(world->instances);
	if (world_purge(world, &error) < 0)
		log_error("%s", error.text);
	if (loop_add_timer(world->loop, PURGE_EVERY, on_purge, world, NULL, &error) < 0)
		log_error("%s", error.text);
}

static void log_limits(const struct world *world)
{
	const char *why;
	const struct limits *limits = instances_limits(world->instances, &why);

	if (limits->memory != LIMITS_NONE)
		log_info("all instances together have %llu MiB of this machine's memory at most "
			 "(serve --memory)",
			 (unsigned long long)limits->memory >> 20);
	else
		log_info("the memory of instances is not limited: %s",
			 *why ? why : "serve --memory none");
	if (instances_are_alone(world->instances))
		log_info("served without root: an instance has one user, of this machine's files "
			 "its programs, read-only, and no /sys (minivpc check)");
	log_info("an instance has %d processes at most, a disk of %llu MiB in memory, and %s%s%s",
		 CONFINE_PROCESSES, (unsigned long long)world->options.disk_size >> 20,
		 limits->is_on ? "the memory of its type and that of its disk at most"
			       : "no limit of its own to its memory",
		 limits->is_on ? "" : ": ",
		 limits->is_on		       ? ""
		 : world->options.limit_memory ? why
					       : "serve --memory-limits");
}

static int announce(struct world *world, struct error *error)
{
	int r = state_announce(&world->options.paths, api_url(world->api),
			       internet_get(&world->model)->region, error);

	if (r < 0)
		return r;
	world->announced = true;
	log_limits(world);
	if (printf("ready %s\n", api_url(world->api)) < 0 || fflush(stdout) != 0)
		log_info("standard output is closed");
	return loop_add_timer(world->loop, PURGE_FIRST, on_purge, world, NULL, error);
}

/* It is down in a fresh network namespace, and nobody would reach the API. */
static int check_loopback(struct error *error)
{
	CLEANUP(closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_name = "lo" };

	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) < 0 || (request.ifr_flags & IFF_UP))
		return 0;
	error_set(error, ERROR_INTERNAL, "the loopback device is down: ip link set lo up");
	return -ENETDOWN;
}

static int run(struct world *world, int *signals, struct error *error)
{
	int r;

	if (world->options.region && !region_find(world->options.region))
		return error_set(error, ERROR_INTERNAL, "there is no region %s",
				 world->options.region);
	if (world->options.uplink && (r = uplink_check(error)) < 0)
		return r;
	if ((r = check_loopback(error)) < 0 ||
	    (r = state_take(&world->options.paths, &world->state, error)) < 0 ||
	    (r = loop_new(&world->loop, error)) < 0 ||
	    (r = open_signals(world, signals, error)) < 0 ||
	    /* What can't be read is left alone: nothing has been made before that. */
	    (r = open_model(world, error)) < 0 || (r = open_machines(world, error)) < 0 ||
	    (r = open_api(world, error)) < 0 || (r = close_uplink(world, error)) < 0 ||
	    (r = world_recover(world, error)) < 0 || (r = open_uplink(world, error)) < 0 ||
	    (r = open_services(world, error)) < 0)
		return r;
	world_resume(world);
	world_sweep_later(world); /* of what recovery has taken back */
	open_stacks(world);
	r = announce(world, error);
	return r < 0 ? r : loop_run(world->loop, error);
}

int world_serve(const struct world_options *options, struct error *error)
{
	struct world world = { .options = *options, .state = STATE_INIT };
	CLEANUP(closep) int signals = -1;
	int r;

	privileges_give_up();
	r = run(&world, &signals, error);
	close_world(&world);
	return r;
}
