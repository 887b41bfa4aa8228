/*
 * AWS Signature Version 4, what whoever signs and whoever verifies share ("Authenticating
 * Requests", AWS General Reference):
 *
 *	canonical request = method, path, query, signed headers, their names, hash of the body
 *	string to sign    = algorithm, time, scope, hash of the canonical request
 *	signature         = HMAC(key derived from the secret and the scope, string to sign)
 */
#pragma once

#include "base/buffer.h"

#define SIGNATURE_ALGORITHM  "AWS4-HMAC-SHA256"
#define SIGNATURE_TERMINATOR "aws4_request"
#define SIGNATURE_SIZE	     65 /* as text in hexadecimal, with its NUL */

struct signature_scope {
	const char *timestamp; /* 20240501T123456Z; its first eight are the scope's date */
	const char *region;
	const char *service;
};

/* SHA-256, in hexadecimal. */
void signature_append_hash(struct buffer *text, const void *data, size_t length);
/* HMAC-SHA256 under `key`, in hexadecimal. */
void signature_append_code(struct buffer *text, const char *key, const void *data, size_t length);
/* Signs a canonical request. */
void signature_make(const char *secret, const struct signature_scope *scope,
		    const struct buffer *canonical, char ret_signature[SIGNATURE_SIZE]);
