/*
 * A result as the AWS CLI prints it.
 */
#pragma once

#include <jansson.h>

#include "base/buffer.h"

/* --output json. Of an empty object nothing. */
void aws_output_json(const json_t *json, struct buffer *text);
/* --output text: words with tabs between them, structures by their names in capitals. */
void aws_output_text(const json_t *json, struct buffer *text);
/* --output table, without colours, for a terminal of `width` columns; the action is its title. */
void aws_output_table(const char *title, const json_t *json, size_t width, struct buffer *text);
/* Adds the names of a structure's members that are scalars, or that aren't, to those that are
 * there, sorted. The caller frees the array. */
void aws_output_names(const json_t *object, bool scalars, const char ***names, size_t *count);
