/*
 * The API: HTTP requests in, XML out, the action table between.
 */
#pragma once

#include "api/call.h"
#include "base/reply.h"

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
/*
 * A call that this daemon makes itself, in an account's name: the very path of a request, from its
 * parameters to the commit. What speaks JSON can't be called so.
 */
struct api_invocation {
	const char *account, *region;
	const char *service, *action; /* "ec2", "CreateVpc" */
	const struct param_pair *parameters;
	size_t parameter_count;
	/*
	 * Runs after the action and before the commit, and may change more in the same transaction:
	 * all of it is so together, or none. May be NULL.
	 */
	int (*amend)(void *context, struct transaction *transaction, const struct reply *reply,
		     struct error *error);
	void *context;
};
int api_invoke(struct api *api, const struct api_invocation *invocation, struct reply **ret_reply,
	       struct error *error);
struct api *api_close(struct api *api); /* NULL is fine; always NULL */
