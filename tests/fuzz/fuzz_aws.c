/* objects: emulator/aws/json.o emulator/aws/model.o emulator/aws/query.o emulator/aws/query_functions.o emulator/aws/query_parse.o emulator/aws/shapes.o emulator/aws/shorthand.o emulator/aws/value.o emulator/base/base64.o emulator/base/buffer.o emulator/base/error.o emulator/base/text.o emulator/base/util.o */
/* libs: jansson nettle */
/*
 * What is typed behind options of the AWS CLI: the first line of the input is a query, the rest
 * shorthand or JSON. With libFuzzer: -DFUZZER -fsanitize=fuzzer.
 */
#include "aws/query.h"
#include "aws/value.h"
#include "replay.h"

#include <stdio.h>

/* Of launch templates: everything there is, deep inside. */
static void read_values(struct aws_model *model, char *text, struct aws_failure *failure,
			json_t **ret_json)
{
	const struct aws_shape *shape = aws_model_shape(model, "CreateLaunchTemplateRequest");
	const struct aws_reading reading = { model, false, failure };

	for (size_t i = 0; i < shape->count; i++) {
		json_decref(*ret_json);
		*ret_json = NULL;
		/* No file of this machine. */
		if (strncmp(text, "file", 4) != 0)
			aws_value_read(&reading, &shape->members[i], "--x", &text, 1, ret_json);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct aws_failure failure = { BUFFER_INIT, AWS_FAILED };
	CLEANUP(aws_model_freep) struct aws_model *model = aws_model_open("ec2");
	CLEANUP(aws_query_freep) struct aws_query *query = NULL;
	CLEANUP(aws_json_freep) json_t *json = NULL;
	CLEANUP(aws_json_freep) json_t *found = NULL;
	CLEANUP(freep) char *input = xcalloc(size + 1, 1);
	char *rest = input;

	if (size)
		memcpy(input, data, size);
	strsep(&rest, "\n");
	read_values(model, rest ? rest : input + size, &failure, &json);
	if (aws_query_compile(input, &query, &failure) == 0)
		aws_query_search(query, json ? json : json_null(), &found, &failure);
	buffer_clear(&failure.text);
	return 0;
}
