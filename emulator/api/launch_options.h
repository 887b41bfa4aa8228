/*
 * What RunInstances may ask of instances beside their disk, cards and metadata.
 */
#pragma once

#include "api/call.h"

struct instance_template;
struct name_request;

/* Refuses, by name, what would make another machine of it: ERROR_UNSUPPORTED_OPERATION. */
int check_launch_options(const struct call *call, struct error *error);
/* CPU credits and maintenance; owned texts. ERROR_INVALID_PARAMETER_VALUE,
 * ERROR_INVALID_PARAMETER_COMBINATION (the type has no credits). */
int read_launch_options(const struct call *call, struct instance_template *options,
			struct error *error);

/* "standard" or "unlimited", "default" or "disabled"; else ERROR_INVALID_PARAMETER_VALUE. */
int check_cpu_credits(const char *text, struct error *error);
int check_auto_recovery(const char *text, struct error *error);
/* "ip-name" or "resource-name"; the same. */
int check_hostname_type(const char *text, const char *name, struct error *error);
/* PrivateDnsNameOptions of a launch, borrowed from the call and `storage`; the same. */
int read_names(const struct call *call, bool storage[2], struct name_request *ret_names,
	       struct error *error);
/* User data as it comes, in base64: ERROR_INVALID_PARAMETER_VALUE. */
int check_user_data(const char *text, struct error *error);
