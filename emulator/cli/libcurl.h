/*
 * libcurl, loaded by the verbs that call the API. The daemon is the same binary and has no use for
 * it: with the twenty libraries behind it, it would be a quarter of the daemon's memory and half of
 * its start.
 */
#pragma once

#include "base/error.h"

#include <curl/curl.h>

/* The header's type-checking macros name the functions themselves. */
#undef curl_easy_setopt
#undef curl_easy_getinfo

#define LIBCURL_FUNCTIONS(X)                                                                       \
	X(init) X(cleanup) X(setopt) X(perform) X(getinfo) X(escape) X(strerror)

#define LIBCURL_POINTER(name) typeof(curl_easy_##name) *name;
struct libcurl {
	LIBCURL_FUNCTIONS(LIBCURL_POINTER)
	typeof(curl_free) *free;
};
#undef LIBCURL_POINTER

extern struct libcurl libcurl;

/* Once is enough, more does no harm. -ELIBACC when it isn't there or is too old. */
int libcurl_load(struct error *error);
