/*
 * Images of one's own: archives unpacked into the state directory, what instances boot from found,
 * and what nobody needs any more removed. The work is tar's and rm's (instance/tool.h); the model
 * alone says what is to be done, so that a daemon which was killed needs no note of it.
 *
 *	registered	pending, unpacked beside the daemon	→ available, or failed
 *	deregistered	kept while an instance has it		→ let go of, the copy removed
 *	at start	what was pending failed; a copy that no image keeps is removed
 */
#include "world/internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "instance/tool.h"
#include "model/image.h"

/* Something at work. */
struct errand {
	struct world *world;
	struct tool *tool;
	struct rid image; /* being unpacked; unset: something is being removed: */
	char *path;
	int tries;
};

/* ---- what is known of an image ---- */

static char *copy_of(const struct world *world, const struct image *image)
{
	return xasprintf("%s/%s", world->options.paths.images, rid_format(image->resource.id).text);
}

char *world_image_path(const struct world *world, const struct image *image)
{
	return image->unpacked ? copy_of(world, image) : xstrdup(image->path);
}

/* Would the directory show instances what is the world's? */
static bool holds_world(const struct world *world, const char *path)
{
	CLEANUP(freep) char *real = realpath(path, NULL);
	const size_t length = real ? strlen(real) : 0;
	const char *state = world->options.paths.state;

	return real && (streq(real, "/") || (strncmp(state, real, length) == 0 &&
					     (!state[length] || state[length] == '/')));
}

int world_look_at(void *context, const char *path, bool *ret_directory, struct error *error)
{
	const struct world *world = context;
	struct stat status;

	if (stat(path, &status) < 0)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE, "%s: %s", path,
				 strerror(errno));
	*ret_directory = S_ISDIR(status.st_mode);
	if (*ret_directory && holds_world(world, path))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "%s holds the world's own state directory, which instances must "
				 "not see",
				 path);
	if (*ret_directory || S_ISFIFO(status.st_mode) || S_ISREG(status.st_mode))
		return 0;
	return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
			 "%s is neither a directory nor an archive", path);
}

/* ---- errands ---- */

static struct errand *errand_new(struct world *world, struct rid image)
{
	struct errand *errand = xcalloc(1, sizeof(*errand));

	errand->world = world;
	errand->image = image;
	*array_grow(&world->errands, &world->errand_count) = errand;
	return errand;
}

static void errand_free(struct errand *errand)
{
	struct world *world = errand->world;

	for (size_t i = 0; i < world->errand_count; i++)
		if (world->errands[i] == errand)
			array_remove(world->errands, &world->errand_count, i--);
	tool_stop(errand->tool);
	free(errand->path);
	free(errand);
}

static bool is_being_unpacked(const struct world *world, const struct image *image)
{
	for (size_t i = 0; i < world->errand_count; i++)
		if (rid_equal(world->errands[i]->image, image->resource.id))
			return true;
	return false;
}

static void stop_unpacking(struct world *world, const struct image *image)
{
	for (size_t i = world->errand_count; i-- > 0;)
		if (rid_equal(world->errands[i]->image, image->resource.id))
			errand_free(world->errands[i]);
}

void world_images_close(struct world *world)
{
	while (world->errand_count)
		errand_free(world->errands[0]);
	freep(&world->errands);
}

/* ---- removing ---- */

#define REMOVE_TRIES 2 /* what fails then the next start does again */

static void start_removing(struct errand *errand);

static void on_removed(void *context, int status, const char *complaint)
{
	struct errand *errand = context;

	errand->tool = NULL;
	if (status)
		log_error("removing an image: %s (status %d)", complaint, status);
	if (status && errand->tries < REMOVE_TRIES)
		start_removing(errand);
	else
		errand_free(errand);
}

static void start_removing(struct errand *errand)
{
	struct world *world = errand->world;
	const char *const arguments[] = {
		"rm", "-rf", "--one-file-system", "--", errand->path, NULL,
	};
	const struct tool_options options = { .program = "/bin/rm",
					      .arguments = arguments,
					      .directory = world->options.paths.images };
	struct error error = ERROR_INIT;

	while (errand->tries++ < REMOVE_TRIES) {
		if (tool_start(world->loop, &options, on_removed, errand, &errand->tool, &error) ==
		    0)
			return;
		log_error("removing an image: %s", error.text);
	}
	errand_free(errand);
}

static void remove_copy(struct world *world, const char *path)
{
	struct errand *errand = errand_new(world, (struct rid){ KIND_NONE, 0 });

	errand->path = xstrdup(path);
	start_removing(errand);
}

/* Nobody needs it any more. */
static void let_go_of(struct world *world, struct transaction *transaction, struct image *image)
{
	CLEANUP(freep) char *copy = copy_of(world, image);

	stop_unpacking(world, image);
	instances_unstage(world->instances, image->resource.id);
	if (image->unpacked)
		remove_copy(world, copy);
	transaction_edit(transaction, image);
	image->kept = false;
}

/* ---- unpacking ---- */

/* Nobody asks for it again before the next start. */
#define SAVE_TRIES 2

static bool settle_once(struct world *world, struct rid id, const char *failure)
{
	struct transaction transaction = transaction_begin(&world->model, world_now());
	struct image *image = (struct image *)model_get(&world->model, NULL, id);
	struct error error = ERROR_INIT;

	if (!image || image->state != IMAGE_PENDING)
		return true;
	image_settle(&transaction, image, failure);
	if (failure)
		let_go_of(world, &transaction, image);
	if (world_save(world, &transaction, &error) == 0)
		return true;
	log_error("%s: %s", rid_format(id).text, error.text);
	return false;
}

static void settle(struct world *world, struct rid id, const char *failure)
{
	for (int i = 0; i < SAVE_TRIES && !settle_once(world, id, failure); i++)
		;
}

#define NO_DEVICES ": Cannot mknod: Operation not permitted"

/* Devices are left out (an instance has its own), which tar calls a failure; and what else it says
 * of one comes after the line that tells what it was. */
static const char *const ignored[] = {
	NO_DEVICES,
	"Exiting with failure status due to previous errors",
	"Error is not recoverable: exiting now",
	": Child returned status 1", /* it has said why, or that it isn't there */
	": Child returned status 2",
	": Skipping to next header",
	NULL,
};

#define TAR_FAILED 2 /* and went through to the end, or not */

static void on_unpacked(void *context, int status, const char *complaint)
{
	struct errand *errand = context;
	struct world *world = errand->world;
	struct rid image = errand->image;
	CLEANUP(freep) char *failure = NULL;

	errand->tool = NULL;
	errand_free(errand);
	if (status && (status != TAR_FAILED || *complaint))
		failure = *complaint ? xstrdup(complaint)
				     : xasprintf("tar ended with status %d", status);
	settle(world, image, failure);
}

static int make_place(const struct world *world, const char *copy, struct error *error)
{
	/* What is in there has owners of this machine's, and set-user-id bits: nobody may look. */
	if (mkdir(world->options.paths.images, 0700) < 0 && errno != EEXIST)
		return error_sys(error, errno, "%s", world->options.paths.images);
	return mkdir(copy, 0755) < 0 ? error_sys(error, errno, "%s", copy) : 0;
}

static int unpack(struct world *world, const struct image *image, struct error *error)
{
	CLEANUP(freep) char *copy = copy_of(world, image);
	CLEANUP(freep) char *archive = xasprintf("--file=%s", image->path);
	CLEANUP(freep) char *place = xasprintf("--directory=%s", copy);
	const char *const arguments[] = { "tar",
					  "--extract",
					  "--force-local",
					  archive,
					  place,
					  "--numeric-owner",
					  "--same-owner",
					  "--preserve-permissions",
					  "--xattrs",
					  "--xattrs-include=security.capability",
					  "--warning=no-unknown-keyword",
					  "--warning=no-timestamp",
					  NULL };
	const struct tool_options options = {
		.program = "/bin/tar", .arguments = arguments, .directory = copy, .ignored = ignored
	};
	struct errand *errand;
	int r = make_place(world, copy, error);

	if (r < 0)
		return r;
	errand = errand_new(world, image->resource.id);
	r = tool_start(world->loop, &options, on_unpacked, errand, &errand->tool, error);
	if (r < 0)
		errand_free(errand);
	return r;
}

/* ---- from the model to the work ---- */

static void look_at_one(struct world *world, struct image *image)
{
	struct error error = ERROR_INIT;

	if (image->state == IMAGE_PENDING) {
		if (!is_being_unpacked(world, image) && unpack(world, image, &error) < 0)
			settle(world, image->resource.id, error.text);
		return;
	}
	if (image->state != IMAGE_DEREGISTERED || !image->kept || image_in_use(image))
		return;
	for (int i = 0; i < SAVE_TRIES; i++) {
		struct transaction transaction = transaction_begin(&world->model, world_now());

		let_go_of(world, &transaction, image);
		if (world_save(world, &transaction, &error) == 0)
			return;
		log_error("%s: %s", rid_format(image->resource.id).text, error.text);
	}
}

void world_images_look(struct world *world)
{
	for (size_t i = 0; i < world->model.scope_count; i++)
		for_each_resource (struct image, image, world->model.scopes[i], KIND_IMAGE)
			if (image->kept)
				look_at_one(world, image);
}

bool world_images_concerned(const struct transaction *transaction)
{
	for_each_journal (entry, transaction) {
		const struct instance *instance = (const struct instance *)entry->after;

		if (!entry->after)
			continue;
		if (entry->after->id.kind == KIND_IMAGE ||
		    (entry->after->id.kind == KIND_INSTANCE &&
		     instance->state == INSTANCE_TERMINATED))
			return true;
	}
	return false;
}

/* ---- at start ---- */

void world_images_interrupted(struct world *world, struct transaction *transaction)
{
	for (size_t i = 0; i < world->model.scope_count; i++) {
		for_each_resource (struct image, image, world->model.scopes[i], KIND_IMAGE) {
			if (image->state != IMAGE_PENDING)
				continue;
			image_settle(transaction, image,
				     "the daemon ended while the archive was being unpacked");
			image->kept = false;
		}
	}
}

void world_images_sweep(struct world *world)
{
	DIR *directory = opendir(world->options.paths.images);
	struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		const struct image *image = image_of(&world->model, entry->d_name);
		CLEANUP(freep)
		char *path = xasprintf("%s/%s", world->options.paths.images, entry->d_name);

		if (entry->d_name[0] != '.' && !(image && image->kept))
			remove_copy(world, path);
	}
	if (directory)
		closedir(directory);
}
