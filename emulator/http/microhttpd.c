/* libmicrohttpd, loaded when it is needed: see microhttpd.h. */
#include "http/microhttpd.h"

#include "base/library.h"

struct microhttpd microhttpd;

int microhttpd_load(struct error *error)
{
#define SYMBOL(name) { "MHD_" #name, &microhttpd.name },
	const struct library_symbol symbols[] = { MICROHTTPD_FUNCTIONS(SYMBOL){ NULL, NULL } };
#undef SYMBOL

	return microhttpd.run ? 0 : library_load("libmicrohttpd.so.12", symbols, error);
}
