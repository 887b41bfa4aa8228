/*
 * The world's own access key: made at first start, readable by its owner alone, in the AWS
 * shared-credentials format so that any AWS tool can be pointed at the file.
 */
#pragma once

#include "base/error.h"

struct credentials {
	char access_key[64];
	char secret_key[64];
};

/* -ENOENT when there is no file; -EINVAL when it isn't one of ours. */
int credentials_read(const char *path, struct credentials *ret_credentials, struct error *error);
/* Makes a fresh random pair and writes it durably with mode 0600; the file must not exist. */
int credentials_create(const char *path, struct credentials *ret_credentials, struct error *error);
