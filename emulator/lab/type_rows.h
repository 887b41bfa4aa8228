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
