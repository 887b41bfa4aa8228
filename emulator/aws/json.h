/*
 * JSON values as text, byte for byte as Python's json and str() have them, which the AWS CLI prints
 * with.
 */
#pragma once

#include <jansson.h>

#include "base/buffer.h"

/* Four spaces deeper at each level, no newline at the end; not ASCII alone. */
void aws_json_write(const json_t *json, struct buffer *text);
/* As str() says it, or repr() (what is inside of another always): a bare word, True, None, {'a':
 * 1}. */
void aws_json_python(const json_t *json, bool quoted, struct buffer *text);
