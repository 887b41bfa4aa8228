/*
 * Temporary credentials, as sts AssumeRole hands them out: nothing of them is kept. Who they are
 * and how long they are good is in the session token, under a code made with the world's secret,
 * and the secret key follows from the token; so they outlive the daemon.
 */
#pragma once

#include "base/credentials.h"

#define SESSION_NAME_MAX 64

struct session {
	char account[13];
	char role[SESSION_NAME_MAX + 1];
	char name[SESSION_NAME_MAX + 1];
	int64_t expiration; /* seconds since 1970 */
};

/* `master` is the default account's. The token is the caller's. */
int session_make(const struct credentials *master, const struct session *session,
		 struct credentials *ret_credentials, char **ret_token, struct error *error);
/*
 * What the token says, and the keys that belong to it; whether it has expired is the caller's to
 * see. -EINVAL: it is none of this world's, or another access key's.
 */
int session_read(const struct credentials *master, const char *access_key, const char *token,
		 struct session *ret_session, struct credentials *ret_credentials);
