/* objects: emulator/api/sigv4.o emulator/api/session.o emulator/base/base64.o emulator/base/credentials.o emulator/base/signature.o emulator/base/error.o emulator/base/buffer.o emulator/base/util.o */
/* libs: nettle */
/*
 * The verifier against any request. The input's lines: method, path, query, then headers as
 * "name:value", an empty line, the body. With libFuzzer: -DFUZZER -fsanitize=fuzzer.
 */
#include "api/sigv4.h"
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
	struct credentials keys[] = { { DEFAULT_ACCOUNT, "AKIDEXAMPLE", "secret" } };
	const struct credentials_list credentials = { keys, ARRAY_SIZE(keys) };
	struct http_header headers[64];
	struct http_request request = { .headers = headers };
	struct error error = ERROR_INIT;
	char *rest = input, *line;

	if (size)
		memcpy(input, data, size);
	request.method = rest ? strsep(&rest, "\n") : "";
	request.path = rest ? strsep(&rest, "\n") : "";
	request.query = rest ? strsep(&rest, "\n") : "";
	while (request.header_count < ARRAY_SIZE(headers) && rest && (line = strsep(&rest, "\n"))) {
		char *value = strchr(line, ':');

		if (!value)
			break;
		*value++ = '\0';
		headers[request.header_count++] = (struct http_header){ line, value };
	}
	request.body = rest ? rest : "";
	request.body_length = rest ? (size_t)(input + size - rest) : 0;
	for (int any = 0; any < 2; any++) {
		struct sigv4_policy policy = { &credentials, any, 1440938160 };
		struct identity identity;

		if (sigv4_verify(&request, &policy, &identity, &error) < 0)
			continue;
		/* Who doesn't know the secret comes in only where anybody does. */
		if (!any || strlen(identity.account) != 12 || strlen(identity.region) > 32)
			abort();
	}
	return 0;
}
