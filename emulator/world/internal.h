/*
 * What the files of this room share.
 */
#pragma once

#include "api/api.h"
#include "fabric/fabric.h"
#include "instance/instance.h"
#include "model/instance.h"
#include "model/internet.h"
#include "services/imds.h"
#include "services/services.h"
#include "stack/stack.h"
#include "store/store.h"
#include "world/events.h"
#include "world/state.h"
#include "world/uplink.h"
#include "world/world.h"

struct world {
	struct world_options options;
	struct state state;
	bool announced;
	struct loop *loop;
	struct store *store;
	struct model model;
	struct credentials_list credentials;
	struct kernel *kernel;
	struct instances *instances;
	struct uplink *uplink; /* NULL: none */
	struct fabric *fabric;
	struct services *services;
	struct imds *imds;    /* answers what they accept */
	struct rid *rebooted; /* by themselves, while no daemon was there */
	size_t rebooted_count;
	bool sweeping;	 /* a timer is set for fabric_sweep() */
	bool forgetting; /* and one for hosts of the Internet that have ended */
	bool is_unsure;	 /* the kernel has refused something: it may differ from the model */
	struct events *events;
	struct api *api;
	struct stacks *stacks;	 /* NULL before the API is there */
	struct errand **errands; /* images.c: what is at work; owned */
	size_t errand_count;
};

#define STOP_GRACE 30000 /* milliseconds between SIGTERM and SIGKILL */

int64_t world_now(void);
struct process instance_process(const struct instance *instance);
struct process host_process(const struct internet_host *host);

/* identity.c: what an instance or a host of the Internet is called, from inside. */
struct init_identity world_identity(const struct model *model, const struct resource *resource);

/* commit.c: the write path; hooks for the API (context: the world). */
int world_commit(void *context, struct transaction *transaction, struct error *error);
int world_reboot(void *context, struct rid instance, struct error *error);
bool world_is_rebooting(void *context, struct rid instance);
/* An init is gone: its instance stops. */
void world_on_exit(void *context, struct rid id, enum instance_end end);

/* images.c: images of one's own. The directory that instances of one boot from; the caller frees
 * it.
 */
struct image;
char *world_image_path(const struct world *world, const struct image *image);
/* A hook for the API (context: the world). */
int world_look_at(void *context, const char *path, bool *ret_directory, struct error *error);
/* Begins what there is to do about them; after a transaction that concerned them. */
void world_images_look(struct world *world);
bool world_images_concerned(const struct transaction *transaction);
/* At start: those that were being unpacked failed; then, copies that no image keeps are removed. */
void world_images_interrupted(struct world *world, struct transaction *transaction);
void world_images_sweep(struct world *world);
/* Ends what is at work. */
void world_images_close(struct world *world);

/* audit.c: the model held against the kernel and against what runs. */
/* At start: mends, and logs what. */
int world_reconcile(struct world *world, struct error *error);
/* A hook for the API (context: the world). */
int world_audit(void *context, bool repair, struct api_drift_list *ret_drifts, struct error *error);

/* console.c: what an instance said; a hook for the API (context: the world). */
int world_console(void *context, struct rid instance, uint64_t from,
		  struct api_console *ret_console, struct error *error);

/* counters.c: what the kernel has counted; hooks for the API (context: the world). */
int world_drops(void *context, struct api_drop_list *ret_drops, struct error *error);
int world_nat_counts(void *context, struct rid gateway, struct api_nat_counts *ret_counts,
		     struct error *error);

/* commit.c: what the fabric has left to be swept is, in a while. */
void world_sweep_later(struct world *world);

/* recover.c: from what the store and the kernel hold to one world. */
int world_recover(struct world *world, struct error *error);
/* Starts again what rebooted itself meanwhile: once all that recovery readies is open. */
void world_resume(struct world *world);
/* Changes the store alone: the kernel was or will be reconciled. */
int world_save(struct world *world, struct transaction *transaction, struct error *error);
/* Forgets instances that were terminated an hour ago. */
int world_purge(struct world *world, struct error *error);
/* Removes the namespaces of ids that are no longer wanted, whatever is in them. */
int world_remove_netns(struct kernel *kernel, const struct rid *ids, size_t count,
		       struct error *error);
