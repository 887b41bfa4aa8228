/*
 * One call to the world's API: signed, by HTTP, answered in XML.
 */
#pragma once

#include "base/credentials.h"
#include "base/paths.h"
#include "base/reply.h"

struct client {
	char url[256]; /* "http://ADDR:PORT" */
	char region[64];
	struct credentials credentials; /* the default account's */
	const char *credentials_file;	/* of all accounts; borrowed from the paths */
};

struct parameter {
	const char *name;
	const char *value;
};

/* Reads the endpoint and credentials files of a world whose daemon runs. */
int client_open(const struct paths *paths, struct client *ret_client, struct error *error);
/* Does something accept connections there? -ECONNREFUSED when not. Sends nothing. */
int client_probe(const struct client *client, struct error *error);
/* A request to one of the services, as its protocol has it. */
struct client_request {
	const char *service; /* "ec2": who is asked, for the signature */
	const char *type;    /* of the body: "application/x-amz-json-1.1" */
	const char *target;  /* X-Amz-Target, NULL: none */
	const struct buffer *body;
};

/* Signs it and sends it; what is answered, whatever the status. */
int client_send(const struct client *client, const struct client_request *request, int *ret_status,
		struct buffer *ret_body, struct error *error);
/* The same; the answer is XML, read whatever the status, to be freed. */
int client_ask(const struct client *client, const struct client_request *request, int *ret_status,
	       struct reply **ret_reply, struct error *error);
/*
 * Calls the private action `action`. The parameters end with one that has no name; those without a
 * value (NULL) are left out. What the API refuses fails with -EREMOTEIO and the API's own message
 * and code as text.
 */
int client_call(const struct client *client, const char *action, const struct parameter *parameters,
		struct reply **ret_reply, struct error *error);
