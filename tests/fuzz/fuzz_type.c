/* objects: emulator/lab/node.o emulator/lab/node_yaml.o emulator/lab/node_json.o emulator/lab/lines.o emulator/lab/type.o emulator/lab/type_check.o emulator/lab/type_more.o emulator/lab/type_plan.o emulator/lab/type_reply.o emulator/lab/types_instance.o emulator/lab/types_interface.o emulator/lab/types_launch.o emulator/lab/types_network.o emulator/lab/types_played.o emulator/lab/types_vpc.o emulator/base/base64.o emulator/base/error.o emulator/base/text.o emulator/base/buffer.o emulator/base/util.o */
/* libs: yaml-0.1 jansson nettle */
/*
 * A resource's properties before and after an update, as a template may have them: either they are
 * refused in words, or whole calls come of them, and none where nothing changes. The same node is
 * read as a reply. With libFuzzer: -DFUZZER -fsanitize=fuzzer.
 */
#include "lab/type.h"
#include "replay.h"

static void expect_calls(int r, struct type_calls *calls, const struct error *error)
{
	if (r < 0 && !*error->text)
		abort();
	for (size_t i = 0; r == 0 && i < calls->count; i++) {
		const struct type_call *call = &calls->items[i];

		if (!*call->action || (call->keep && !call->keep_path))
			abort();
		for (size_t j = 0; j < call->parameter_count; j++)
			if (!*call->parameters[j].name || !call->parameters[j].value)
				abort();
	}
	type_calls_clear(calls);
}

static void plan(const struct type *type, const struct node *before, const struct node *after)
{
	struct type_calls calls = { NULL, 0 };
	struct error error = ERROR_INIT;
	int r = type_create(type, after, "token", &calls, &error);

	expect_calls(r, &calls, &error);
	if (r < 0)
		return;
	r = type_update(type, "id", after, after, &calls, &error);
	if (r < 0 || calls.count || type_compare(type, after, after) != UPDATE_IN_PLACE)
		abort();
	expect_calls(type_delete(type, "id", after, &calls, &error), &calls, &error);
	expect_calls(type_describe(type, "id", after, &calls, &error), &calls, &error);
	if (type_create(type, before, "token", &calls, &error) < 0)
		return;
	type_calls_clear(&calls);
	type_compare(type, before, after);
	expect_calls(type_update(type, "id", before, after, &calls, &error), &calls, &error);
}

static void read_reply(const struct node *reply, const char *path)
{
	CLEANUP(node_freep) struct node *found = NULL, *first = NULL;

	if (!path)
		return;
	found = type_reply_find(reply, path, "id");
	first = type_reply_first(reply, path);
	if (found && (found->type == NODE_LIST) != (*path && path[strlen(path) - 1] == '#'))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;
	CLEANUP(node_freep) struct node *node = NULL;
	CLEANUP(text_lines_clear) struct text_lines warnings = { NULL, 0 };
	struct error error = ERROR_INIT;
	const struct type *type;

	buffer_append(&text, data, size);
	if (node_parse(text.data, text.length, &node, &error) < 0)
		return 0;
	read_reply(node, node_get_text(node, "Path"));
	if (!(type = type_find(node_get_text(node, "Type"))))
		return 0;
	plan(type, node_get(node, "Before"), node_get(node, "After"));
	if (type_check(type, "Properties", node_get(node, "After"), &warnings, &error) == 0)
		plan(type, node_get(node, "Before"), node_get(node, "After"));
	else if (!*error.text)
		abort();
	return 0;
}
