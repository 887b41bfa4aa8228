/*
 * IMDSv2's tokens: 40 bytes in base64, like AWS's, and nothing is kept of them. A token says when
 * it ends and carries an HMAC (SHA-256) of that and of its instance's id, under the world's key:
 * it is good for that instance alone, and outlives the daemon that gave it.
 */
#pragma once

#include "base/buffer.h"
#include "base/id.h"

#define IMDS_TOKEN_SECONDS_MAX 21600

/* `key`: any text. Appends a token that ends after `seconds`. */
void imds_token_make(const char *key, struct rid instance, int64_t now, int64_t seconds,
		     struct buffer *token);
/* The seconds that it is still good for; 0 when it isn't this instance's, or no more. */
int64_t imds_token_left(const char *key, struct rid instance, int64_t now, const char *token);
