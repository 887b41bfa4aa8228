/*
 * What instance metadata says: from the model, an instance and a path to a body. EC2 guide,
 * "Instance metadata categories". No I/O and no clock.
 *
 * A directory is listed one name a line, without a newline at the end; the names of directories
 * within it end in a slash. What an instance doesn't have is neither listed nor found. Slashes at
 * the end of a path don't matter, as they don't to AWS.
 */
#pragma once

#include "base/buffer.h"
#include "model/instance.h"

#define IMDS_TEXT  "text/plain"
#define IMDS_BYTES "application/octet-stream"

/*
 * Appends what is at the (escaped) path: "/", "/latest/meta-data/", "/2021-07-15/user-data".
 * Returns its content type, static; NULL: there is nothing, and nothing was appended.
 */
const char *imds_page(const struct model *model, const struct instance *instance, const char *path,
		      struct buffer *body);
/* Is it one of the versions that a path may begin with, "latest" too? */
bool imds_version_is_known(const char *version);
