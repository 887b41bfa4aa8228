/* Sockets in subnets: see services.h. */
#include "services/services.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "model/internet.h"
#include "model/service.h"
#include "netlink/listen.h"
#include "services/dns.h"
#include "services/ntp.h"

#define AT_ONCE 64 /* connections; then others have their turn */

struct place;

struct door {
	struct place *place;
	struct service service;
	int fd;
	struct loop_source *source;
};

/* A subnet, or the Internet. */
struct place {
	struct services *services;
	struct rid id;
	struct door **doors;
	size_t door_count;
	bool wanted; /* while they are being compared with the model */
};

struct services {
	struct loop *loop;
	const struct model *model;
	struct services_options options;
	struct dns *dns;
	struct map places; /* rid → struct place */
	uint64_t stamp;	   /* of the model that they are right for */
};

/* ---- what comes in ---- */

/* It listens no more, by somebody else's hand, and would be ready for ever. */
static void is_ended(struct door *door)
{
	door->source = loop_remove(door->source);
	log_error("%s: somebody has ended the socket of %s, port %u: minivpc audit --repair "
		  "opens it again",
		  rid_format(door->place->id).text, address_format(door->service.address).text,
		  door->service.port);
}

static void on_connection(struct door *door)
{
	struct services *services = door->place->services;

	for (int i = 0; i < AT_ONCE; i++) {
		int fd = accept4(door->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0 && errno == EINVAL)
			is_ended(door);
		if (fd < 0)
			return;
		if (door->service.kind == SERVICE_DNS)
			dns_accept(services->dns, fd, door->place->id);
		else if (services->options.imds_accept)
			services->options.imds_accept(services->options.context, fd,
						      door->place->id);
		else
			closep(&fd);
	}
}

static void on_door(void *context, uint32_t events)
{
	struct door *door = context;

	(void)events;
	if (door->service.protocol == IPPROTO_TCP)
		on_connection(door);
	else if (door->service.kind == SERVICE_DNS)
		dns_receive(door->place->services->dns, door->fd, door->place->id);
	else
		ntp_receive(door->fd);
}

/* ---- doors ---- */

static void door_close(struct door *door)
{
	loop_remove(door->source);
	closep(&door->fd);
	free(door);
}

static bool is_same(const struct service *a, const struct service *b)
{
	return a->kind == b->kind && a->protocol == b->protocol && a->port == b->port &&
	       address_equal(a->address, b->address);
}

static bool has_door(const struct place *place, const struct service *service)
{
	for (size_t i = 0; i < place->door_count; i++)
		if (is_same(&place->doors[i]->service, service))
			return true;
	return false;
}

static bool is_wanted(const struct service *service, const struct service *wanted, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!wanted[i].silent && is_same(&wanted[i], service))
			return true;
	return false;
}

static void close_doors(struct place *place, const struct service *wanted, size_t count)
{
	bool any = false;

	for (size_t i = place->door_count; i-- > 0;) {
		if (is_wanted(&place->doors[i]->service, wanted, count))
			continue;
		if (!any)
			dns_forget(place->services->dns, place->id);
		any = true;
		door_close(place->doors[i]);
		array_remove(place->doors, &place->door_count, i);
	}
}

static int add_door(struct place *place, const struct service *service, int *fd,
		    struct error *error)
{
	struct door *door = xcalloc(1, sizeof(*door));
	int r;

	*door = (struct door){ .place = place, .service = *service, .fd = steal_fd(fd) };
	r = loop_add_fd(place->services->loop, door->fd, EPOLLIN, on_door, door, &door->source,
			error);
	if (r < 0)
		door_close(door);
	else
		*array_grow(&place->doors, &place->door_count) = door;
	return r;
}

static int type_of(const struct service *service)
{
	return service->protocol == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM;
}

static int open_doors(struct place *place, const struct service *wanted, size_t count,
		      struct error *error)
{
	CLEANUP(freep) struct listener *listeners = xcalloc(count, sizeof(*listeners));
	CLEANUP(freep) const struct service **missing = xcalloc(count, sizeof(*missing));
	CLEANUP(freep) int *fds = xcalloc(count, sizeof(*fds));
	size_t missing_count = 0;
	int r;

	for (size_t i = 0; i < count; i++) {
		if (wanted[i].silent || has_door(place, &wanted[i]))
			continue;
		listeners[missing_count] =
			(struct listener){ type_of(&wanted[i]), wanted[i].address, wanted[i].port };
		missing[missing_count++] = &wanted[i];
	}
	if (!missing_count)
		return 0;
	r = listen_in(place->id, listeners, missing_count, fds, error);
	if (r < 0)
		return r;
	for (size_t i = 0; i < missing_count; i++) {
		if (r == 0)
			r = add_door(place, missing[i], &fds[i], error);
		else
			closep(&fds[i]);
	}
	return r;
}

/* ---- places ---- */

static bool is_whole(const struct door *door)
{
	return door->source && listen_is(door->place->id, type_of(&door->service), door->fd);
}

static void place_free(struct place *place)
{
	close_doors(place, NULL, 0);
	free(place->doors);
	free(place);
}

static int set_place(struct services *services, struct rid id, const struct service *wanted,
		     size_t count, struct error *error)
{
	struct place *place = map_get(&services->places, map_key_rid(id));

	if (!place) {
		place = xcalloc(1, sizeof(*place));
		*place = (struct place){ .services = services, .id = id };
		map_put(&services->places, map_key_rid(id), place);
	}
	place->wanted = true;
	close_doors(place, wanted, count);
	return open_doors(place, wanted, count, error);
}

static int set_subnets(struct services *services, const struct scope *scope, struct error *error)
{
	int r = 0;

	for_each_resource (struct subnet, subnet, scope, KIND_SUBNET) {
		CLEANUP(freep) struct service *wanted = NULL;
		size_t count = services_of(services->model, subnet, &wanted);

		if (r == 0 && count)
			r = set_place(services, subnet->resource.id, wanted, count, error);
	}
	return r;
}

static int set_internet(struct services *services, struct error *error)
{
	const struct internet *internet = internet_get(services->model);
	const struct address router = address_v4(INTERNET_ROUTER);
	const struct service wanted[] = { { SERVICE_DNS, router, IPPROTO_UDP, 53, false },
					  { SERVICE_DNS, router, IPPROTO_TCP, 53, false } };

	if (!internet || !internet->realized)
		return 0;
	return set_place(services, internet->resource.id, wanted, ARRAY_SIZE(wanted), error);
}

/* Those that the model has no more; all, unless it was looked at. */
static void leave_places(struct services *services)
{
	CLEANUP(freep) struct place **gone = xcalloc(services->places.count + 1, sizeof(*gone));
	size_t count = 0;

	map_for_each (&services->places, slot) {
		struct place *place = slot->value;

		if (!place->wanted)
			gone[count++] = place;
		place->wanted = false;
	}
	for (size_t i = 0; i < count; i++) {
		map_take(&services->places, map_key_rid(gone[i]->id));
		place_free(gone[i]);
	}
}

int services_changed(struct services *services, struct error *error)
{
	const uint64_t *changes = services->model->changes;
	const uint64_t stamp =
		1 + changes[KIND_SUBNET] + changes[KIND_VPC] + changes[KIND_INTERNET];
	int r = 0;

	if (services->stamp == stamp)
		return 0;
	for (size_t i = 0; r == 0 && i < services->model->scope_count; i++)
		r = set_subnets(services, services->model->scopes[i], error);
	if (r == 0)
		r = set_internet(services, error);
	if (r < 0) {
		map_for_each (&services->places, slot)
			((struct place *)slot->value)->wanted = false;
		return error_wrap(error, r, "services");
	}
	leave_places(services);
	services->stamp = stamp;
	return 0;
}

void services_audit(const struct services *services, services_missing_fn missing, void *context)
{
	map_for_each (&services->places, slot) {
		const struct place *place = slot->value;

		for (size_t i = 0; i < place->door_count; i++) {
			const struct service *service = &place->doors[i]->service;
			char what[96];

			snprintf(what, sizeof(what), "socket of %s, %s port %u",
				 address_format(service->address).text,
				 service->protocol == IPPROTO_TCP ? "tcp" : "udp", service->port);
			if (!is_whole(place->doors[i]))
				missing(context, place->id, what);
		}
	}
}

/* What is closed here is opened as if the model had just come to want it. */
int services_repair(struct services *services, struct error *error)
{
	map_for_each (&services->places, slot) {
		struct place *place = slot->value;

		for (size_t i = place->door_count; i-- > 0;) {
			if (is_whole(place->doors[i]))
				continue;
			dns_forget(services->dns, place->id);
			door_close(place->doors[i]);
			array_remove(place->doors, &place->door_count, i);
		}
	}
	services->stamp = 0;
	return services_changed(services, error);
}

int services_open(struct loop *loop, const struct model *model,
		  const struct services_options *options, struct services **ret_services,
		  struct error *error)
{
	struct services *services = xcalloc(1, sizeof(*services));
	int r;

	services->loop = loop;
	services->model = model;
	services->options = *options;
	services->dns = dns_new(loop, model, options->uplink);
	r = services_changed(services, error);
	if (r < 0)
		services_close(services);
	else
		*ret_services = services;
	return r;
}

struct services *services_close(struct services *services)
{
	if (!services)
		return NULL;
	leave_places(services); /* nothing is wanted: all of them */
	map_clear(&services->places);
	dns_free(services->dns);
	free(services);
	return NULL;
}
