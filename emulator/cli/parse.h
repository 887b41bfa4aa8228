/*
 * From argv to a request, by the tables in tokens.h.
 */
#pragma once

#include "base/error.h"
#include "cli/tokens.h"

/*
 * The request borrows from `argv`. Fails with -EINVAL and a line that ends in what to try; the
 * request is then untouched.
 */
int cli_parse(int argc, char **argv, struct request *ret_request, struct error *error);
/* "internet exec"; "" for an empty path. The caller frees it. */
char *cli_path(const struct request *request);
