/*
 * The API: HTTP requests in, XML out, the action table between.
 */
#pragma once

#include "api/call.h"

struct api;

struct api_options {
	const char *listen;			    /* ADDR:PORT */
	const char *region;			    /* of requests that name none */
	const struct credentials_list *credentials; /* of all accounts; outlives the API */
	bool accept_any_credentials;
	struct api_hooks hooks;
};

/* Serves on `loop`; `model` outlives it. */
int api_open(struct loop *loop, struct model *model, const struct api_options *options,
	     struct api **ret_api, struct error *error);
const char *api_url(const struct api *api);
struct api *api_close(struct api *api); /* NULL is fine; always NULL */
