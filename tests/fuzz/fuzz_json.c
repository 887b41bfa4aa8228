/* objects: emulator/api/json.o emulator/api/params.o emulator/api/errors.o emulator/api/xml.o emulator/base/base64.o emulator/base/id.o emulator/base/error.o emulator/base/buffer.o emulator/base/text.o emulator/base/util.o */
/* libs: jansson nettle */
/*
 * A call in JSON, and what is told of it. The first line of the input is the target, the rest the
 * body. With libFuzzer: -DFUZZER -fsanitize=fuzzer.
 */
#include "api/json.h"
#include "replay.h"

#include <stdio.h>
#include <strings.h>

/* http.o would bring the server along. */
const char *http_header_get(const struct http_request *request, const char *name)
{
	for (size_t i = 0; i < request->header_count; i++)
		if (strcasecmp(request->headers[i].name, name) == 0)
			return request->headers[i].value;
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(freep) char *input = xcalloc(size + 1, 1);
	CLEANUP(params_freep) struct params *params = NULL;
	struct http_header header = { "X-Amz-Target", input };
	struct http_request request = { .method = "POST", .path = "/", .query = "" };
	struct http_reply reply = { .body = BUFFER_INIT };
	struct error error = ERROR_INIT;
	char *rest = input;

	if (size)
		memcpy(input, data, size);
	strsep(&rest, "\n");
	request.headers = &header;
	request.header_count = 1;
	request.body = rest ? rest : "";
	request.body_length = rest ? (size_t)(input + size - rest) : 0; /* NULs and all */
	if (json_params(&request, &params, &error) < 0) {
		json_error(&error, &reply);
		if (reply.status != 400 || !reply.body.length)
			abort();
	} else if (!params_get(params, "Action")) {
		abort();
	}
	buffer_clear(&reply.body);
	return 0;
}
