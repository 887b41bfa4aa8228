/*
 * What each verb does.
 */
#pragma once

#include "cli/cli.h"
#include "cli/tokens.h"

/*
 * Does what the request says. A failure is a negative errno and the line for the user; else
 * *ret_status is the exit status.
 */
int verb_run(const struct request *request, const struct cli_hooks *hooks, int *ret_status,
	     struct error *error);
