/*
 * Who signed this request? AWS Signature Version 4, the header form and the presigned form, checked
 * against the keys of the world's accounts, or those of a session of AssumeRole's.
 */
#pragma once

#include "api/session.h"
#include "http/http.h"

struct identity {
	char access_key[129];
	char account[13];
	/* of temporary credentials; "" when it is the account itself */
	char role[SESSION_NAME_MAX + 1];
	char session[SESSION_NAME_MAX + 1];
	char region[33];  /* from the credential scope; "" when the request carries none */
	char service[33]; /* the same */
};

struct sigv4_policy {
	const struct credentials_list *credentials; /* one at least */
	bool accept_any; /* nothing is verified; the scope is read if there is one */
	int64_t now;	 /* seconds since 1970 */
};

/*
 * Returns 0 and the identity, or -EINVAL with what EC2 answers: ERROR_AUTH_FAILURE for an unknown
 * key or a wrong signature (told apart by the subject "signature"), ERROR_MISSING_TOKEN for an
 * unsigned request, ERROR_INCOMPLETE_SIGNATURE for one that can't be read, ERROR_REQUEST_EXPIRED
 * for a clock more than 15 minutes off, a presigned URL past its time or (with the subject "token")
 * a session that is over.
 *
 * On failure the identity has nothing but the service asked for, where the request could be read so
 * far: errors are told in that service's form.
 *
 * With `accept_any` a twelve-digit access key id is the account, unless the key is one of the
 * world's or the token one of its sessions'; an unreadable signature counts as none.
 */
int sigv4_verify(const struct http_request *request, const struct sigv4_policy *policy,
		 struct identity *ret_identity, struct error *error);
