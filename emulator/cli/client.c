/* One call to the world's API: see client.h. */
#include "cli/client.h"

#include "base/buffer.h"
#include "cli/libcurl.h"

#include <errno.h>
#include <stdio.h>

#define SERVICE		"minivpc"
#define CONNECT_SECONDS 5L
#define CALL_SECONDS	120L
#define REPLY_MAX	((size_t)64 << 20) /* 4,000 instances are 2 MiB */

static void fclosep(FILE **file)
{
	if (*file)
		fclose(*file);
}

static void curl_freep(CURL **curl)
{
	libcurl.cleanup(*curl);
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
	if ((r = libcurl_load(error)) < 0)
		return r;
	if ((r = credentials_read(paths->credentials, &client.credentials, error)) < 0)
		return r;
	*ret_client = client;
	return 0;
}

static CURLcode set_connection(CURL *curl, const struct client *client)
{
	CURLcode code = libcurl.setopt(curl, CURLOPT_URL, client->url);

	libcurl.setopt(curl, CURLOPT_PROXY, ""); /* no proxy can know our loopback */
	libcurl.setopt(curl, CURLOPT_NOSIGNAL, 1L);
	libcurl.setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
	libcurl.setopt(curl, CURLOPT_TIMEOUT, CALL_SECONDS);
	return code;
}

int client_probe(const struct client *client, struct error *error)
{
	CLEANUP(curl_freep) CURL *curl = libcurl.init();
	CURLcode code = curl ? CURLE_OK : CURLE_FAILED_INIT;

	if (code == CURLE_OK)
		code = libcurl.setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
	if (code == CURLE_OK)
		code = set_connection(curl, client);
	if (code == CURLE_OK)
		code = libcurl.perform(curl);
	if (code == CURLE_OK)
		return 0;
	error_set(error, ERROR_INTERNAL, "the daemon at %s does not answer: %s", client->url,
		  libcurl.strerror(code));
	return -ECONNREFUSED;
}

static void make_body(CURL *curl, const char *action, const struct parameter *parameter,
		      struct buffer *body)
{
	buffer_printf(body, "Action=%s&Version=" SERVICE, action);
	for (; parameter->name; parameter++) {
		char *value = parameter->value ? libcurl.escape(curl, parameter->value, 0) : NULL;

		if (value)
			buffer_printf(body, "&%s=%s", parameter->name, value);
		libcurl.free(value);
	}
}

static size_t receive(char *data, size_t size, size_t count, void *context)
{
	struct buffer *reply = context;

	if (reply->length + size * count > REPLY_MAX)
		return 0;
	buffer_append(reply, data, size * count);
	return size * count;
}

static CURLcode set_signature(CURL *curl, const struct client *client)
{
	CLEANUP(freep) char *scope = xasprintf("aws:amz:%s:" SERVICE, client->region);
	CURLcode code;

	code = libcurl.setopt(curl, CURLOPT_AWS_SIGV4, scope);
	if (code == CURLE_OK)
		code = libcurl.setopt(curl, CURLOPT_USERNAME, client->credentials.access_key);
	if (code == CURLE_OK)
		code = libcurl.setopt(curl, CURLOPT_PASSWORD, client->credentials.secret_key);
	return code;
}

static int post(CURL *curl, const struct client *client, const char *body, long *ret_status,
		struct error *error)
{
	char text[CURL_ERROR_SIZE] = "";
	CURLcode code;

	libcurl.setopt(curl, CURLOPT_ERRORBUFFER, text);
	libcurl.setopt(curl, CURLOPT_POSTFIELDS, body);
	code = libcurl.perform(curl);
	libcurl.setopt(curl, CURLOPT_ERRORBUFFER, NULL);
	if (code != CURLE_OK) {
		error_set(error, ERROR_INTERNAL, "the daemon at %s does not answer: %s: try again",
			  client->url, *text ? text : libcurl.strerror(code));
		return -EIO;
	}
	libcurl.getinfo(curl, CURLINFO_RESPONSE_CODE, ret_status);
	return 0;
}

/* EC2's envelope: <Response><Errors><Error><Code/><Message/>… */
static int refusal(const struct reply *reply, long status, struct error *error)
{
	CLEANUP(freep) char *message = reply_text(reply, "Message");
	CLEANUP(freep) char *code = reply_text(reply, "Code");

	if (message && code)
		error_set(error, ERROR_INTERNAL, "%s (%s)", message, code);
	else
		error_set(error, ERROR_INTERNAL, "the daemon answered HTTP %ld", status);
	return -EREMOTEIO;
}

int client_call(const struct client *client, const char *action, const struct parameter *parameters,
		struct reply **ret_reply, struct error *error)
{
	CLEANUP(curl_freep) CURL *curl = libcurl.init();
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;
	CLEANUP(reply_freep) struct reply *reply = NULL;
	CLEANUP(buffer_clear) struct buffer body = BUFFER_INIT;
	long status = 0;
	int r;

	if (!curl || set_connection(curl, client) != CURLE_OK ||
	    set_signature(curl, client) != CURLE_OK)
		return error_sys(error, ENOTSUP, "libcurl can't sign requests (AWS SigV4)");
	libcurl.setopt(curl, CURLOPT_WRITEFUNCTION, receive);
	libcurl.setopt(curl, CURLOPT_WRITEDATA, &text);
	make_body(curl, action, parameters, &body);
	if ((r = post(curl, client, body.data, &status, error)) < 0)
		return r;
	r = reply_parse(text.data ? text.data : "", text.length, &reply, error);
	if (r < 0)
		return error_wrap(error, r, "%s answered HTTP %ld", client->url, status);
	if (status != 200)
		return refusal(reply, status, error);
	*ret_reply = steal(&reply);
	return 0;
}
