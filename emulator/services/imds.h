/*
 * The instance metadata service, versions 1 and 2, over connections that somebody else accepted in
 * a subnet. EC2 guide, "Use the Instance Metadata Service to access instance metadata".
 *
 * Whose data it tells is decided by where a connection came in and from which address, which no
 * instance can forge there. A connection carries one request, 8 KiB of headers at most, within 5 s;
 * an instance has 32 at a time.
 */
#pragma once

#include "base/loop.h"
#include "model/model.h"

struct imds;

/* The model must outlive it. */
int imds_open(struct loop *loop, struct model *model, struct imds **ret, struct error *error);
/*
 * Takes a connected TCP socket that came in in that subnet's namespace, owned from now on. It is
 * closed at once when its peer's address is no running instance's, or that one has too many.
 */
void imds_accept(struct imds *imds, int fd, struct rid subnet);
/* Drops the connections. NULL is fine; always returns NULL. */
struct imds *imds_close(struct imds *imds);

struct http_request;
struct http_reply;
/* What the instance is answered at that time: with neither sockets nor a clock, for tests. */
void imds_answer(const struct model *model, struct rid instance, int64_t now,
		 const struct http_request *request, struct http_reply *reply);
