/*
 * Temporary credentials: see session.h. A token is base64 of
 *
 *	1:ACCESS KEY:ACCOUNT:EXPIRATION:ROLE:NAME:CODE
 *
 * where the code is of all before it. No part can hold a colon.
 */
#include "api/session.h"

#include "base/base64.h"
#include "base/signature.h"

#include <errno.h>
#include <inttypes.h>
#include <nettle/memops.h>
#include <stdio.h>

#define PARTS_FORMAT                                                                               \
	"1:%20[A-Z0-9]:%12[0-9]:%" SCNd64 ":%64[A-Za-z0-9_+=,.@-]:%64[A-Za-z0-9_+=,.@-]:%n"

/* What is signed differs, so that no code is good for the other. */
static void put_code(const struct credentials *master, const char *purpose, const char *text,
		     struct buffer *ret_code)
{
	CLEANUP(buffer_clear) struct buffer message = BUFFER_INIT;

	buffer_printf(&message, "%s\n%s", purpose, text);
	signature_append_code(ret_code, master->secret_key, message.data, message.length);
}

static void derive_secret(const struct credentials *master, const char *text,
			  struct credentials *credentials)
{
	CLEANUP(buffer_clear) struct buffer code = BUFFER_INIT;

	put_code(master, "secret key", text, &code);
	snprintf(credentials->secret_key, sizeof(credentials->secret_key), "%.*s",
		 SECRET_KEY_LENGTH, code.data);
}

int session_make(const struct credentials *master, const struct session *session,
		 struct credentials *ret_credentials, char **ret_token, struct error *error)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT, code = BUFFER_INIT;
	struct buffer token = BUFFER_INIT;
	int r = credentials_new("ASIA", session->account, ret_credentials, error);

	if (r < 0)
		return r;
	buffer_printf(&text, "1:%s:%s:%" PRId64 ":%s:%s:", ret_credentials->access_key,
		      session->account, session->expiration, session->role, session->name);
	derive_secret(master, text.data, ret_credentials);
	put_code(master, "session token", text.data, &code);
	buffer_puts(&text, code.data);
	base64_write(text.data, text.length, 0, &token);
	*ret_token = buffer_steal(&token);
	return 0;
}

/* Splits the text, whose code is cut off. */
static int read_parts(char *text, struct session *session, struct credentials *credentials,
		      char **ret_code)
{
	int end = 0;

	sscanf(text, PARTS_FORMAT, credentials->access_key, credentials->account,
	       &session->expiration, session->role, session->name, &end);
	if (!end || strlen(text + end) != SIGNATURE_SIZE - 1 ||
	    !credentials_is_account(credentials->account))
		return -EINVAL;
	memcpy(session->account, credentials->account, sizeof(session->account));
	*ret_code = xstrdup(text + end);
	text[end] = '\0';
	return 0;
}

int session_read(const struct credentials *master, const char *access_key, const char *token,
		 struct session *ret_session, struct credentials *ret_credentials)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT, wanted = BUFFER_INIT;
	CLEANUP(freep) char *code = NULL;
	struct credentials credentials = { "", "", "" };
	struct session session = { .expiration = 0 };

	if (base64_read(token, strlen(token), &text) < 0 || !text.length ||
	    strlen(text.data) != text.length ||
	    read_parts(text.data, &session, &credentials, &code) < 0)
		return -EINVAL;
	put_code(master, "session token", text.data, &wanted);
	if (!memeql_sec(code, wanted.data, SIGNATURE_SIZE - 1) ||
	    !streq(access_key, credentials.access_key))
		return -EINVAL;
	derive_secret(master, text.data, &credentials);
	*ret_session = session;
	*ret_credentials = credentials;
	return 0;
}
