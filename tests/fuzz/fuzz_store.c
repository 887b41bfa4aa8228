/* objects: emulator/model/ emulator/store/ emulator/fabric/ emulator/netlink/fake.o emulator/netlink/object.o emulator/netlink/skeleton.o emulator/netlink/skeleton_subnet.o emulator/base/buffer.o emulator/base/cidr.o emulator/base/error.o emulator/base/id.o emulator/base/log.o emulator/base/map.o emulator/base/util.o */
/* libs: sqlite3 jansson */
/*
 * Records, a line each: id, account, region and JSON. They are refused in words, or are a world
 * that can be shown, wired and saved again as it is. With libFuzzer: -DFUZZER -fsanitize=fuzzer.
 */
#define REPLAY_COST 10

#include "fabric/facet.h"
#include "replay.h"
#include "store/record.h"
#include "store/store.h"

#include <sqlite3.h>

#define SHARED "file:fuzz?mode=memory&cache=shared"

/* The one way in that has no rules, beside the store's own. */
static sqlite3 *side_door(void)
{
	static sqlite3 *database;

	if (database)
		return database;
	sqlite3_config(SQLITE_CONFIG_URI, 1);
	if (sqlite3_open(SHARED, &database) != SQLITE_OK)
		abort();
	return database;
}

static void put_lines(char *text)
{
	sqlite3_stmt *statement;

	if (sqlite3_prepare_v2(side_door(), "REPLACE INTO resource VALUES (?, ?, ?, ?)", -1,
			       &statement, NULL) != SQLITE_OK)
		abort();
	for (char *line; (line = strsep(&text, "\n"));) {
		for (int i = 1; i <= 4; i++) {
			char *word = i < 4 ? strsep(&line, " ") : line;

			sqlite3_bind_text(statement, i, word ? word : "", -1, SQLITE_STATIC);
		}
		if (sqlite3_step(statement) != SQLITE_DONE)
			abort();
		sqlite3_reset(statement);
	}
	sqlite3_finalize(statement);
}

static void show(const struct field *fields, const struct view *view, int depth)
{
	CLEANUP(buffer_clear) struct buffer scratch = BUFFER_INIT;
	struct view child;

	for (const struct field *field = fields; field->name && depth; field++) {
		if (field_is_scalar(field)) {
			field_text(field, view, &scratch);
			continue;
		}
		for (size_t i = 0; field_child(field, view, i, &child); i++) {
			show(field->fields, &child, depth - 1);
			if (field->type == FIELD_STRUCT || field->type == FIELD_CHILD)
				break;
		}
	}
}

/* What is saved of it is read as the same. */
static void save(const struct resource *resource)
{
	CLEANUP(freep) char *once = record_encode(resource), *again = NULL;
	struct resource *other = resource_new(resource->id.kind, resource->id);
	struct error error = ERROR_INIT;

	if (record_decode(once, strlen(once), other, &error) < 0)
		abort();
	again = record_encode(other);
	if (!streq(once, again))
		abort();
	resource_free(other);
}

static void use(const struct model *model)
{
	CLEANUP(object_list_clear) struct object_list objects = { 0 };
	CLEANUP(facet_set_clear) struct facet_set set = { 0 };
	struct filters *filters = filters_new(model);

	for (size_t i = 0; i < model->scope_count; i++)
		for (enum kind kind = 0; kind < KIND_MAX; kind++)
			for_each_resource (struct resource, resource, model->scopes[i], kind) {
				const struct view view = { model, resource, resource };

				show(resource_type(kind)->fields, &view, 12);
				save(resource);
			}
	facets_all(model, &set);
	for (size_t i = 0; i < set.count; i++)
		facet_wanted(model, filters, set.keys[i], &objects);
	filters_free(filters);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(store_closep) struct store *store = NULL;
	CLEANUP(freep) char *text = xcalloc(size + 1, 1);
	struct model model = { 0 };
	struct error error = ERROR_INIT;

	side_door();
	if (store_open(SHARED, &store, &error) < 0)
		abort();
	if (size)
		memcpy(text, data, size);
	if (sqlite3_exec(side_door(), "DELETE FROM resource", NULL, NULL, NULL) != SQLITE_OK)
		abort();
	put_lines(text);
	if (store_load(store, &model, &error) == 0)
		use(&model);
	else if (!*error.text)
		abort();
	model_clear(&model);
	return 0;
}
