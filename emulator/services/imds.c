/*
 * The instance metadata service: see imds.h.
 *
 *	endpoint off → 403 … PUT token → token … other methods → 405 … token wrong → 401 … page
 *
 * AWS's replies are told from the guide and from what its clients match on.
 */
#include "services/imds.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "http/http.h"
#include "model/instance.h"
#include "model/internet.h"
#include "services/imds_token.h"
#include "services/imds_tree.h"

#define CONNECTIONS_EACH 32 /* of an instance */
#define PATIENCE	 5  /* seconds */
#define TOKEN_PATH	 "api/token"
#define TOKEN_HEADER	 "X-aws-ec2-metadata-token"
#define SECONDS_HEADER	 "X-aws-ec2-metadata-token-ttl-seconds"

struct imds {
	struct model *model;
	struct http *http;
	struct map counts; /* instance → size_t: its connections, 1 at least */
};

/* Where a connection comes from, as it was when it came. */
struct origin {
	struct rid subnet, instance;
	struct address address;
};

/* ---- replies ---- */

static void reply_page(struct http_reply *reply, unsigned int status, const char *reason)
{
	reply->status = status;
	reply->content_type = "text/html";
	buffer_clear(&reply->body);
	buffer_printf(&reply->body,
		      "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n"
		      "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\"\n"
		      "\t\"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\">\n"
		      "<html xmlns=\"http://www.w3.org/1999/xhtml\" xml:lang=\"en\" lang=\"en\">\n"
		      " <head>\n"
		      "  <title>%u - %s</title>\n"
		      " </head>\n"
		      " <body>\n"
		      "  <h1>%u - %s</h1>\n"
		      " </body>\n"
		      "</html>\n",
		      status, reason, status, reason);
}

static void bad_request(struct http_reply *reply)
{
	reply_page(reply, 400, "Bad Request");
}

static void forbidden(struct http_reply *reply)
{
	reply_page(reply, 403, "Forbidden");
}

static void not_allowed(struct http_reply *reply, const char *allowed)
{
	reply_page(reply, 405, "Method Not Allowed");
	http_reply_header(reply, "Allow", "%s", allowed);
}

/* ---- tokens ---- */

static bool is_token_path(const char *path)
{
	CLEANUP(freep) char *copy = xstrdup(path);
	char *rest = copy + strspn(copy, "/"), *version = strsep(&rest, "/");

	return rest && imds_version_is_known(version) && streq(rest, TOKEN_PATH);
}

/* 1 to 21600, in digits alone; 0: it is no such number. */
static int64_t read_seconds(const char *text)
{
	size_t length = text ? strlen(text) : 0;
	long seconds;

	if (length == 0 || length > 5 || strspn(text, "0123456789") != length)
		return 0;
	seconds = strtol(text, NULL, 10);
	return seconds <= IMDS_TOKEN_SECONDS_MAX ? seconds : 0;
}

static void put_token(const struct model *model, const struct instance *instance, int64_t now,
		      const struct http_request *request, struct http_reply *reply)
{
	const int64_t seconds = read_seconds(http_header_get(request, SECONDS_HEADER));

	reply->hop_limit = (uint8_t)instance->options.hop_limit;
	/* Came through a proxy, which an attacker may talk to from elsewhere. */
	if (http_header_get(request, "X-Forwarded-For")) {
		forbidden(reply);
		return;
	}
	if (!seconds) {
		bad_request(reply);
		return;
	}
	imds_token_make(internet_get(model)->metadata_key, instance->resource.id, now, seconds,
			&reply->body);
	http_reply_header(reply, SECONDS_HEADER, "%lld", (long long)seconds);
}

/* Version 1 has none, where that will do; a wrong one never does. */
static bool may_read(const struct model *model, const struct instance *instance, int64_t now,
		     const struct http_request *request, struct http_reply *reply)
{
	const char *token = http_header_get(request, TOKEN_HEADER);
	int64_t left;

	if (!token)
		return !streq(instance->options.http_tokens, "required");
	left = imds_token_left(internet_get(model)->metadata_key, instance->resource.id, now,
			       token);
	if (left)
		http_reply_header(reply, SECONDS_HEADER, "%lld", (long long)left);
	return left > 0;
}

/* ---- answers ---- */

static void get_page(const struct model *model, const struct instance *instance,
		     const struct http_request *request, struct http_reply *reply)
{
	reply->content_type = imds_page(model, instance, request->path, &reply->body);
	if (!reply->content_type)
		reply_page(reply, 404, "Not Found");
}

static void answer_instance(const struct model *model, const struct instance *instance, int64_t now,
			    const struct http_request *request, struct http_reply *reply)
{
	const bool reads = streq(request->method, "GET") || streq(request->method, "HEAD");
	const bool token = is_token_path(request->path);

	if (streq(instance->options.http_endpoint, "disabled"))
		forbidden(reply);
	else if (token && streq(request->method, "PUT"))
		put_token(model, instance, now, request, reply);
	else if (token || !reads)
		not_allowed(reply, token ? "PUT" : "GET, HEAD");
	else if (!may_read(model, instance, now, request, reply))
		reply_page(reply, 401, "Unauthorized");
	else
		get_page(model, instance, request, reply);
}

void imds_answer(const struct model *model, struct rid id, int64_t now,
		 const struct http_request *request, struct http_reply *reply)
{
	const struct instance *instance = instance_get(model, id);

	if (!instance || !instance_is_live(instance))
		forbidden(reply);
	else
		answer_instance(model, instance, now, request, reply);
}

/* ---- connections ---- */

/* Unset: no running instance's. */
static struct rid instance_at(const struct model *model, struct rid subnet, struct address address)
{
	const struct interface *interface = interface_at(model, subnet, address);
	const struct instance *instance =
		interface ? instance_get(model, interface->instance) : NULL;

	return instance && instance_is_live(instance) ? instance->resource.id : (struct rid){ 0 };
}

static void prepare(void *context, struct http_reply *reply)
{
	(void)context;
	reply->content_type = IMDS_TEXT;
	http_reply_header(reply, "Server", "EC2ws");
}

static void refuse(void *context, const struct error *error, struct http_reply *reply)
{
	(void)context;
	if (error->code == ERROR_REQUEST_TOO_LARGE)
		reply_page(reply, 413, "Request Entity Too Large");
	else
		bad_request(reply);
}

static void answer(void *context, const struct http_request *request, struct http_reply *reply)
{
	const struct imds *imds = context;
	const struct origin *origin = request->origin;

	/* The address may have gone to another instance meanwhile: then it is nobody's here. */
	if (rid_equal(instance_at(imds->model, origin->subnet, origin->address), origin->instance))
		imds_answer(imds->model, origin->instance, time(NULL), request, reply);
	else
		forbidden(reply);
}

/* Counts one more connection of the instance's, unless it has its share. */
static bool enter(struct imds *imds, struct rid instance)
{
	size_t *count = map_get(&imds->counts, map_key_rid(instance));

	if (!count) {
		count = xcalloc(1, sizeof(*count));
		map_put(&imds->counts, map_key_rid(instance), count);
	}
	if (*count >= CONNECTIONS_EACH)
		return false;
	++*count;
	return true;
}

static void gone(void *context, void *pointer)
{
	struct imds *imds = context;
	struct origin *origin = pointer;
	size_t *count = map_get(&imds->counts, map_key_rid(origin->instance));

	if (--*count == 0) {
		map_take(&imds->counts, map_key_rid(origin->instance));
		free(count);
	}
	free(origin);
}

static const struct http_service service = {
	.prepare = prepare,
	.answer = answer,
	.refuse = refuse,
	.gone = gone,
	.body_max = 4096,
	.header_memory = (size_t)8 * 1024,
	.connections_max = 1000,
	.descriptor_share = 4,
	.patience = PATIENCE,
	.one_request = true,
};

static bool peer_of(int fd, struct sockaddr_in *ret_name, struct address *ret_address)
{
	socklen_t length = sizeof(*ret_name);

	if (getpeername(fd, (struct sockaddr *)ret_name, &length) < 0 ||
	    ret_name->sin_family != AF_INET)
		return false;
	*ret_address = address_v4(ntohl(ret_name->sin_addr.s_addr));
	return true;
}

/* What nobody acknowledges any more must not hold the subnet's namespace for long after us. */
static void set_timeout(int fd)
{
	const unsigned int milliseconds = PATIENCE * 1000;

	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof(milliseconds));
}

void imds_accept(struct imds *imds, int fd, struct rid subnet)
{
	struct origin *origin = xcalloc(1, sizeof(*origin));
	struct sockaddr_in name;

	origin->subnet = subnet;
	if (peer_of(fd, &name, &origin->address))
		origin->instance = instance_at(imds->model, subnet, origin->address);
	if (!rid_is_set(origin->instance) || !enter(imds, origin->instance)) {
		close(fd);
		free(origin);
		return;
	}
	set_timeout(fd);
	http_accept(imds->http, fd, (const struct sockaddr *)&name, sizeof(name), origin);
}

int imds_open(struct loop *loop, struct model *model, struct imds **ret, struct error *error)
{
	struct imds *imds = xcalloc(1, sizeof(*imds));
	const struct http_options options = { NULL, &service, imds };
	int r;

	imds->model = model;
	if ((r = http_open(loop, &options, &imds->http, error)) < 0) {
		free(imds);
		return r;
	}
	*ret = imds;
	return 0;
}

struct imds *imds_close(struct imds *imds)
{
	if (!imds)
		return NULL;
	http_close(imds->http);
	map_clear(&imds->counts);
	free(imds);
	return NULL;
}
