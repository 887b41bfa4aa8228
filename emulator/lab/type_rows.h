/* Rows of property tables that are like each other. */
#pragma once

#include "lab/type_table.h"

/* Another value is another resource. */
#define FIXED(name_, shape_)                                                                       \
	{                                                                                          \
		.name = (name_), .shape = (shape_), .update = UPDATE_REPLACED                      \
	}
/* The same, and there must be one. */
#define NEEDED(name_)                                                                              \
	{                                                                                          \
		(name_), SHAPE_TEXT, UPDATE_REPLACED, .required = true                             \
	}
/* We can't honour it. */
#define LACKING(name_)                                                                             \
	{                                                                                          \
		(name_), SHAPE_JSON, .lacks = ""                                                   \
	}
#define TAGS                                                                                       \
	{                                                                                          \
		.name = "Tags", .shape = SHAPE_TAGS                                                \
	}
#define END                                                                                        \
	{                                                                                          \
		.name = NULL                                                                       \
	}

#define ERRORS(name_, ...) static const char *const name_[] = { __VA_ARGS__, NULL }

/* What instances and launch templates say alike (types_instance.c). */
extern const struct property launch_ebs_members[], launch_private_address_members[],
	launch_cpu_members[], launch_configured_members[], launch_enabled_members[],
	launch_metadata_members[];
