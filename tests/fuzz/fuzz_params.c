/* objects: emulator/api/params.o emulator/base/error.o emulator/base/buffer.o emulator/base/text.o emulator/base/util.o */
/*
 * Form decoding and the specification check. The first line of the input is the specification, the
 * second the query, the rest the body. With libFuzzer: -DFUZZER -fsanitize=fuzzer.
 */
#include "api/params.h"
#include "replay.h"

#include <stdio.h>

/* A specification comes from us: only its own alphabet, and '!' only where it may stand. */
static char *take_line(const char **text, bool specification)
{
	size_t length = strcspn(*text, "\n");
	char *line = xasprintf("%.*s", (int)length, *text);

	*text += length + ((*text)[length] == '\n');
	for (char *c = line; specification && *c; c++)
		if (*c == '!' || (*c & 0x80))
			*c = 'N';
	return line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(freep) char *input = xcalloc(size + 1, 1), *specification = NULL, *query = NULL;
	CLEANUP(params_freep) struct params *params = NULL;
	CLEANUP(freep) unsigned int *indices = NULL;
	struct http_request request = { .method = "POST", .path = "/" };
	struct error error = ERROR_INIT;
	const char *rest = input;

	if (size)
		memcpy(input, data, size);
	specification = take_line(&rest, true);
	query = take_line(&rest, false);
	request.query = query;
	request.body = rest;
	request.body_length = (size_t)(input + size - rest); /* NULs and all */
	if (params_parse(&request, &params, &error) < 0)
		return 0;
	params_check(params, specification, &error);
	for (size_t n = params_indices(params, "Filter", &indices); n > 0; n--)
		params_get(params, "Filter.%u.Name", indices[n - 1]);
	return 0;
}
