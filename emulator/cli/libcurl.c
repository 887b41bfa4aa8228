/* libcurl, loaded when it is needed: see libcurl.h. */
#include "cli/libcurl.h"

#include <dlfcn.h>
#include <errno.h>

#define LIBRARY "libcurl.so.4" /* the ABI since 2006 */

struct libcurl libcurl;

static int load(void *library, const char *name, void *ret_pointer, struct error *error)
{
	void *symbol = dlsym(library, name);

	if (!symbol)
		return error_sys(error, ELIBACC, LIBRARY " has no %s", name);
	memcpy(ret_pointer, &symbol, sizeof(symbol)); /* a function's address, as POSIX has it */
	return 0;
}

int libcurl_load(struct error *error)
{
	void *library;
	int r = 0;

	if (libcurl.init)
		return 0;
	library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		error_set(error, ERROR_INTERNAL, "%s: install the package libcurl4", dlerror());
		return -ELIBACC;
	}
#define LOAD(name)                                                                                 \
	if (r == 0)                                                                                \
		r = load(library, "curl_easy_" #name, &libcurl.name, error);
	LIBCURL_FUNCTIONS(LOAD)
#undef LOAD
	if (r == 0)
		r = load(library, "curl_free", &libcurl.free, error);
	if (r < 0)
		libcurl = (struct libcurl){ 0 };
	return r;
}
