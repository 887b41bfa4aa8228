/* objects: emulator/lab/node.o emulator/lab/node_json.o emulator/lab/node_yaml.o emulator/base/error.o emulator/base/text.o emulator/base/buffer.o emulator/base/util.o */
/* libs: yaml-0.1 jansson */
/*
 * A document by itself, YAML or JSON, whatever it says: it is read as a tree that is the same when
 * it is written as JSON and read again, or refused in words. With libFuzzer: -DFUZZER
 * -fsanitize=fuzzer.
 */
#include "lab/node.h"
#include "replay.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT, json = BUFFER_INIT;
	CLEANUP(node_freep) struct node *node = NULL, *again = NULL;
	struct error error = ERROR_INIT;

	buffer_append(&text, data, size);
	if (node_parse(text.data ? text.data : "", text.length, &node, &error) < 0) {
		if (!*error.text)
			abort();
		return 0;
	}
	node_json(node, &json);
	/* What aliases have multiplied may be more than a document may have. */
	if (json.length < (size_t)1 << 19 &&
	    (node_parse(json.data, json.length, &again, &error) < 0 || !node_equal(node, again))) {
		fprintf(stderr, "%s\n%s\n", error.text, json.data);
		abort();
	}
	return 0;
}
