/*
 * What SQLite does with its files, as points: see base/inject.h. Not in the plain build. The
 * methods of its own file system are copied, and those that change a file replaced.
 */
#include "store/inject.h"

#define INJECT_NO_CALLS
#include "base/inject.h"

#ifdef INJECT

#include <sqlite3.h>
#include <string.h>

/* SQLite's own methods, one set for databases and one for logs. */
struct shim {
	sqlite3_io_methods methods; /* first: a file's methods lead to it */
	const sqlite3_io_methods *real;
};

static struct shim shims[4];
static sqlite3_vfs *real;

static const sqlite3_io_methods *real_of(const sqlite3_file *file)
{
	return ((const struct shim *)(const void *)file->pMethods)->real;
}

static int code(int sys)
{
	return sys == ENOSPC ? SQLITE_FULL : SQLITE_IOERR;
}

#define INJECT_FILE(name, call)                                                                    \
	({                                                                                         \
		INJECT_NAMED("sqlite3 " name, true);                                               \
		int inject_sys = inject_before(&inject_point);                                     \
		int inject_code = inject_sys ? code(inject_sys) : (call);                          \
                                                                                                   \
		inject_after(&inject_point);                                                       \
		inject_code;                                                                       \
	})

static int on_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 offset)
{
	return INJECT_FILE("write", real_of(file)->xWrite(file, data, size, offset));
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	return INJECT_FILE("truncate", real_of(file)->xTruncate(file, size));
}

static int on_sync(sqlite3_file *file, int flags)
{
	return INJECT_FILE("sync", real_of(file)->xSync(file, flags));
}

static int on_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	(void)vfs;
	return INJECT_FILE("delete", real->xDelete(real, name, sync));
}

static const sqlite3_io_methods *shim_of(const sqlite3_io_methods *methods)
{
	size_t i = 0;

	while (shims[i].real && shims[i].real != methods)
		i++;
	shims[i].real = methods;
	shims[i].methods = *methods;
	shims[i].methods.xWrite = on_write;
	shims[i].methods.xTruncate = on_truncate;
	shims[i].methods.xSync = on_sync;
	return &shims[i].methods;
}

static int on_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
		   int *ret_flags)
{
	int result;

	(void)vfs;
	result = INJECT_FILE("open", real->xOpen(real, name, file, flags, ret_flags));
	if (result == SQLITE_OK && file->pMethods)
		file->pMethods = shim_of(file->pMethods);
	return result;
}

void store_inject(void)
{
	static sqlite3_vfs shim;

	if (real)
		return;
	real = sqlite3_vfs_find(NULL);
	shim = *real;
	shim.zName = "inject";
	shim.pNext = NULL;
	shim.xOpen = on_open;
	shim.xDelete = on_delete;
	sqlite3_vfs_register(&shim, 1);
}

#endif
