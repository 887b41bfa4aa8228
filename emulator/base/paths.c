/* Where a world keeps its files: see paths.h. */
#include "base/paths.h"

#include "base/hash.h"

#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>

static int join(char *ret, const char *directory, const char *name, struct error *error)
{
	int length = snprintf(ret, PATH_MAX, "%s/%s", directory, name);

	if (length < 0 || length >= PATH_MAX)
		return error_sys(error, ENAMETOOLONG, "%s/%s", directory, name);
	return 0;
}

/* The directory itself may be missing: then its parent is resolved and the name is put behind it.
 */
static int resolve(const char *state, char *ret, struct error *error)
{
	CLEANUP(freep) char *directory = xstrdup(state), *name = xstrdup(state);
	char parent[PATH_MAX];

	if (realpath(state, ret))
		return 0;
	if (errno != ENOENT || !realpath(dirname(directory), parent))
		return error_sys(error, errno, "state directory %s", state);
	return join(ret, streq(parent, "/") ? "" : parent, basename(name), error);
}

int paths_for(const char *state, struct paths *ret_paths, struct error *error)
{
	struct paths paths;
	char name[32];
	int r;

	if ((r = resolve(state, paths.state, error)) < 0)
		return r;
	snprintf(name, sizeof(name), "%016" PRIx64,
		 hash_bytes(HASH_START, paths.state, strlen(paths.state)));
	if ((r = join(paths.database, paths.state, "world.db", error)) < 0 ||
	    (r = join(paths.credentials, paths.state, "credentials", error)) < 0 ||
	    (r = join(paths.lock, paths.state, "lock", error)) < 0 ||
	    (r = join(paths.images, paths.state, "images", error)) < 0 ||
	    (r = join(paths.run, RUN_ROOT, name, error)) < 0 ||
	    (r = join(paths.endpoint, paths.run, "endpoint", error)) < 0 ||
	    (r = join(paths.limits, paths.run, "limits", error)) < 0 ||
	    (r = join(paths.ends, paths.run, "ends", error)) < 0 ||
	    (r = join(paths.disks, paths.run, "disks", error)) < 0)
		return r;
	*ret_paths = paths;
	return 0;
}
