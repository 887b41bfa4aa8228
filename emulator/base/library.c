/* Libraries loaded late: see library.h. */
#include "base/library.h"

#include "base/util.h"

#include <dlfcn.h>
#include <errno.h>

int library_load(const char *file, const struct library_symbol *symbols, struct error *error)
{
	void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	const struct library_symbol *symbol;
	void *found;

	if (!library)
		return error_sys(error, ELIBACC, "%s", dlerror());
	for (symbol = symbols; symbol->name; symbol++)
		if (!dlsym(library, symbol->name))
			return error_sys(error, ELIBACC, "%s has no %s", file, symbol->name);
	for (symbol = symbols; symbol->name; symbol++) {
		found = dlsym(library, symbol->name);
		/* a function's address, as POSIX has it */
		memcpy(symbol->pointer, &found, sizeof(found));
	}
	return 0;
}
