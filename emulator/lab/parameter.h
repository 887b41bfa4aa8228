/* A parameter's type and constraints, between its declaration (parameters.c) and a value for it
 * (values.c). */
#pragma once

#include "base/id.h"

#include "lab/internal.h"

enum shape {
	SHAPE_TEXT,
	SHAPE_NUMBER,
	SHAPE_NAME, /* of something of the account: any but none */
	SHAPE_ID,
	SHAPE_ZONE,
};

struct parameter_type {
	enum shape shape;
	enum kind kind; /* SHAPE_ID */
	bool is_list;
	bool is_stored; /* the value is the name of a parameter of Systems Manager */
};

/* "AWS::SSM::Parameter::Value<List<String>>" and the like; false: it is none. */
bool parameter_type_read(const char *text, struct parameter_type *ret_type);
/* A finite decimal number. */
bool parameter_number(const char *text, double *ret_number);
