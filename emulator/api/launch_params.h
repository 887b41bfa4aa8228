/*
 * What a launch asks for that has calls of its own too.
 */
#pragma once

#include "api/call.h"
#include "model/instance.h"

/* MetadataOptions, else the account's defaults, else EC2's. ERROR_INVALID_PARAMETER_VALUE. */
int read_metadata_options(const struct call *call, struct instance_template *options,
			  struct error *error);
