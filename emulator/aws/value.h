/*
 * What is typed behind an option as a value of the model: words, the AWS CLI's shorthand
 * ("Name=vpc-id,Values=a,b"), JSON, and files of them ("file://PATH", "fileb://PATH"). Values are
 * JSON with the names of the model; bytes are base64, as they are sent.
 */
#pragma once

#include <jansson.h>

#include "aws/model.h"

/* The AWS CLI's exit statuses. */
enum aws_status {
	AWS_USAGE = 252,
	AWS_CONFIGURATION = 253,
	AWS_REFUSED = 254, /* by the API */
	AWS_FAILED = 255,
};

/* What ends a call: the text for standard error, of one line or more, and the exit status. */
struct aws_failure {
	struct buffer text;
	enum aws_status status;
};

/* Returns -EINVAL. */
int aws_fail(struct aws_failure *failure, enum aws_status status, const char *format, ...)
	PRINTF(3, 4);

struct aws_reading {
	struct aws_model *model;
	bool raw; /* bytes are typed as they are, not as base64 */
	struct aws_failure *failure;
};

void aws_json_freep(json_t **json);
/* The text of a file://, a fileb:// or the word itself; the option is named in what fails. */
int aws_value_load(const struct aws_reading *reading, const char *option, const char *word,
		   struct buffer *ret_text, bool *ret_binary);
/* The words of one option, "--vpc-ids", as a value of `member`. */
int aws_value_read(const struct aws_reading *reading, const struct aws_member *member,
		   const char *option, char *const *words, size_t count, json_t **ret_json);
/* What is typed as bytes in a JSON value of a structure becomes what is sent, everywhere. */
int aws_value_encode(const struct aws_reading *reading, const struct aws_shape *shape,
		     json_t *json);
json_t *aws_value_base64(const char *bytes, size_t length);
