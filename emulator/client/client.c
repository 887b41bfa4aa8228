/* One call to the world's API: see client.h. */
#include "client/client.h"

#include "base/signature.h"
#include "client/post.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#define SERVICE	      "minivpc"
#define PATIENCE      120 /* seconds */
#define TYPE	      "application/x-www-form-urlencoded"
#define SIGNED	      "content-type;host;x-amz-date"
#define SIGNED_TARGET SIGNED ";x-amz-target"

static void fclosep(FILE **file)
{
	if (*file)
		fclose(*file);
}

static bool read_line(FILE *file, char *ret, size_t size)
{
	if (!fgets(ret, (int)size, file))
		return false;
	ret[strcspn(ret, "\n")] = '\0';
	return *ret != '\0';
}

int client_open(const struct paths *paths, struct client *ret_client, struct error *error)
{
	CLEANUP(fclosep) FILE *file = fopen(paths->endpoint, "re");
	struct client client;
	int r;

	if (!file)
		return error_sys(error, errno, "%s", paths->endpoint);
	if (!read_line(file, client.url, sizeof(client.url)) ||
	    !read_line(file, client.region, sizeof(client.region)) ||
	    strncmp(client.url, "http://", 7) != 0) {
		error_set(error, ERROR_INTERNAL, "%s: not an endpoint file: restart the daemon",
			  paths->endpoint);
		return -EBADMSG;
	}
	if ((r = credentials_read(paths->credentials, NULL, &client.credentials, error)) < 0)
		return r;
	client.credentials_file = paths->credentials;
	*ret_client = client;
	return 0;
}

int client_probe(const struct client *client, struct error *error)
{
	int r = post(client->url, NULL, PATIENCE, NULL, NULL, error);

	return r < 0 ? -ECONNREFUSED : 0;
}

static void make_body(const char *action, const struct parameter *parameter, struct buffer *body)
{
	buffer_printf(body, "Action=%s&Version=" SERVICE, action);
	for (; parameter->name; parameter++) {
		if (!parameter->value)
			continue;
		buffer_printf(body, "&%s=", parameter->name);
		buffer_escape(body, parameter->value, strlen(parameter->value), "");
	}
}

/* The request as it is sent, signed; its headers in the order of their names. */
static void make_request(const struct client *client, const struct client_request *asked,
			 struct buffer *ret_request)
{
	CLEANUP(buffer_clear) struct buffer canonical = BUFFER_INIT;
	CLEANUP(freep)
	char *target = xasprintf("%s%s%s", asked->target ? "x-amz-target:" : "",
				 asked->target ? asked->target : "", asked->target ? "\n" : "");
	const char *host = post_host(client->url), *names = asked->target ? SIGNED_TARGET : SIGNED;
	char timestamp[32], signature[SIGNATURE_SIZE];
	const struct signature_scope scope = { timestamp, client->region, asked->service };
	time_t now = time(NULL);
	struct tm tm;

	strftime(timestamp, sizeof(timestamp), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
	buffer_printf(&canonical, "POST\n/\n\ncontent-type:%s\nhost:%s\nx-amz-date:%s\n%s\n%s\n",
		      asked->type, host, timestamp, target, names);
	signature_append_hash(&canonical, asked->body->data, asked->body->length);
	signature_make(client->credentials.secret_key, &scope, &canonical, signature);
	buffer_printf(ret_request,
		      "POST / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n"
		      "Content-Type: %s\r\nContent-Length: %zu\r\nX-Amz-Date: %s\r\n",
		      host, asked->type, asked->body->length, timestamp);
	if (asked->target)
		buffer_printf(ret_request, "X-Amz-Target: %s\r\n", asked->target);
	buffer_printf(ret_request,
		      "Authorization: " SIGNATURE_ALGORITHM
		      " Credential=%s/%.8s/%s/%s/" SIGNATURE_TERMINATOR
		      ", SignedHeaders=%s, Signature=%s\r\n\r\n",
		      client->credentials.access_key, timestamp, client->region, asked->service,
		      names, signature);
	buffer_append(ret_request, asked->body->data, asked->body->length);
}

int client_send(const struct client *client, const struct client_request *request, int *ret_status,
		struct buffer *ret_body, struct error *error)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;

	make_request(client, request, &text);
	return post(client->url, &text, PATIENCE, ret_status, ret_body, error);
}

int client_ask(const struct client *client, const struct client_request *request, int *ret_status,
	       struct reply **ret_reply, struct error *error)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;
	int r = client_send(client, request, ret_status, &text, error);

	if (r < 0)
		return r;
	r = reply_parse(text.data ? text.data : "", text.length, ret_reply, error);
	if (r < 0)
		return error_wrap(error, r, "%s answered HTTP %d", client->url, *ret_status);
	return 0;
}

/* EC2's envelope: <Response><Errors><Error><Code/><Message/>… */
static int refusal(const struct reply *reply, int status, struct error *error)
{
	CLEANUP(freep) char *message = reply_text(reply, "Message");
	CLEANUP(freep) char *code = reply_text(reply, "Code");

	if (message && code)
		error_set(error, ERROR_INTERNAL, "%s (%s)", message, code);
	else
		error_set(error, ERROR_INTERNAL, "the daemon answered HTTP %d", status);
	return -EREMOTEIO;
}

int client_call(const struct client *client, const char *action, const struct parameter *parameters,
		struct reply **ret_reply, struct error *error)
{
	CLEANUP(buffer_clear) struct buffer body = BUFFER_INIT;
	const struct client_request request = { SERVICE, TYPE, NULL, &body };
	CLEANUP(reply_freep) struct reply *reply = NULL;
	int r, status = 0;

	make_body(action, parameters, &body);
	if ((r = client_ask(client, &request, &status, &reply, error)) < 0)
		return r;
	if (status != 200)
		return refusal(reply, status, error);
	*ret_reply = steal(&reply);
	return 0;
}
