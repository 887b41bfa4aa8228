/* The API's front: see front.h. */
#include "api/front.h"

#include <netinet/in.h>
#include <stdio.h>
#include <strings.h>
#include <sys/random.h>

#include "api/errors.h"

struct front {
	struct front_options options;
	struct http *http;
};

static void new_uuid(char ret_text[37])
{
	uint8_t b[16];

	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		abort();
	b[6] = (b[6] & 0x0f) | 0x40; /* version 4 */
	b[8] = (b[8] & 0x3f) | 0x80;
	snprintf(ret_text, 37,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
		 b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
		 b[15]);
}

static void prepare(void *context, struct http_reply *reply)
{
	(void)context;
	reply->content_type = "text/xml;charset=UTF-8";
	new_uuid(reply->request_id);
	http_reply_header(reply, "Cache-Control", "no-cache, no-store");
}

static void refuse(void *context, const struct error *error, struct http_reply *reply)
{
	(void)context;
	error_document(error, "", reply->request_id, reply);
}

/* "127.0.0.1", "localhost:4566", "[::1]:80": the listening address or localhost, any port. */
static bool is_own_host(struct address listening, const char *host)
{
	const char *end = host[0] == '[' ? strchr(host, ']') : host + strcspn(host, ":");
	const char *port = end && *end == ']' ? end + 1 : end;
	struct address address, v6_loopback;
	char name[ADDRESS_TEXT_MAX];

	if (!end || (port[0] && (port[0] != ':' || port[1 + strspn(port + 1, "0123456789")])))
		return false;
	host += host[0] == '[';
	if ((size_t)(end - host) >= sizeof(name))
		return false;
	snprintf(name, sizeof(name), "%.*s", (int)(end - host), host);
	if (*end != ']' && strcasecmp(name, "localhost") == 0)
		return true;
	if (address_parse(name, &address) < 0 || (address.family == AF_INET6) != (*end == ']'))
		return false;
	return address_equal(address, listening) ||
	       address_equal(address, address_v4(INADDR_LOOPBACK)) ||
	       (address_parse("::1", &v6_loopback) == 0 && address_equal(address, v6_loopback));
}

static int check(struct address listening, const struct http_request *request, struct error *error)
{
	const char *host = http_header_get(request, "Host");
	unsigned int hosts = 0, page = 0;

	for (size_t i = 0; i < request->header_count; i++) {
		const struct http_header *header = &request->headers[i];

		hosts += strcasecmp(header->name, "Host") == 0;
		/* Browsers send these and don't let a page forge them; "none" is a typed address.
		 */
		page += strcasecmp(header->name, "Origin") == 0;
		page += strcasecmp(header->name, "Sec-Fetch-Site") == 0 &&
			!streq(header->value, "none");
	}
	if (hosts != 1 || request->path[0] != '/')
		return error_set(error, ERROR_MALFORMED_QUERY,
				 "The request must have a path and one Host header");
	if (!host || !is_own_host(listening, host))
		return error_set(
			error, ERROR_UNAUTHORIZED_HOST,
			"Requests must be addressed to localhost or to the listening address");
	if (page)
		return error_set(error, ERROR_UNAUTHORIZED_HOST,
				 "Requests from web pages are refused");
	return 0;
}

static bool admit(void *context, const struct http_request *request, struct http_reply *reply)
{
	const struct front *front = context;
	struct error error = ERROR_INIT;

	if (check(http_address(front->http), request, &error) == 0)
		return true;
	refuse(context, &error, reply);
	return false;
}

static void answer(void *context, const struct http_request *request, struct http_reply *reply)
{
	const struct front_options *options = &((struct front *)context)->options;

	options->handle(options->context, request, reply);
}

static const struct http_service service = {
	.prepare = prepare,
	.admit = admit,
	.answer = answer,
	.refuse = refuse,
	.body_max = FRONT_BODY_MAX,
	.header_memory = (size_t)64 * 1024,
	.connections_max = 1000,
	.descriptor_share = 2,
	.patience = 30,
};

int front_open(struct loop *loop, const struct front_options *options, struct front **ret_front,
	       struct error *error)
{
	struct front *front = xcalloc(1, sizeof(*front));
	const struct http_options http = { options->listen, &service, front };
	int r;

	front->options = *options;
	if ((r = http_open(loop, &http, &front->http, error)) < 0) {
		free(front);
		return r;
	}
	*ret_front = front;
	return 0;
}

struct http *front_http(const struct front *front)
{
	return front->http;
}

struct front *front_close(struct front *front)
{
	if (front)
		http_close(front->http);
	free(front);
	return NULL;
}
