/* objects: emulator/model/ emulator/store/ emulator/base/buffer.o emulator/base/cidr.o emulator/base/error.o emulator/base/id.o emulator/base/log.o emulator/base/map.o emulator/base/util.o */
/* libs: sqlite3 jansson */
/*
 * The store's format: what is stored of each resource is what the kept list of the format says.
 */
#include "model/model.h"
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define FIELDS "tests/system/schemas/%d.fields"

static const char *const type_names[] = {
	[FIELD_TEXT] = "text",	     [FIELD_BOOL] = "bool",   [FIELD_INT] = "int",
	[FIELD_TIME] = "time",	     [FIELD_ENUM] = "one of", [FIELD_RID] = "id",
	[FIELD_ADDRESS] = "address", [FIELD_CIDR] = "cidr",
};

static void list(const struct field *fields, const char *prefix, struct buffer *text)
{
	for (const struct field *field = fields; field->name; field++) {
		CLEANUP(freep) char *path = xasprintf("%s.%s", prefix, field->name);

		if (!(field->flags & FIELD_STORED))
			continue;
		if (field->type == FIELD_STRUCT || field->type == FIELD_LIST) {
			CLEANUP(freep)
			char *inner =
				xasprintf("%s%s", path, field->type == FIELD_LIST ? "[]" : "");

			list(field->fields, inner, text);
			continue;
		}
		buffer_printf(text, "%s: %s", path, type_names[field->type]);
		for (size_t i = 0; field->type == FIELD_ENUM && field->names[i]; i++)
			buffer_printf(text, " %s", field->names[i]);
		buffer_putc(text, '\n');
	}
}

/* Whoever changes what is stored raises the format: see migrate.c. */
static void test_fields(void **state)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT, kept = BUFFER_INIT;
	CLEANUP(freep) char *path = xasprintf(FIELDS, STORE_FORMAT);
	FILE *file = fopen(path, "re");
	int c;

	(void)state;
	for (enum kind kind = 0; kind < KIND_MAX; kind++)
		if (resource_type(kind))
			list(resource_type(kind)->fields, kind_prefix(kind), &text);
	while (file && (c = fgetc(file)) != EOF)
		buffer_putc(&kept, (char)c);
	if (file)
		fclose(file);
	if (getenv("KEEP_FIELDS")) {
		file = fopen(path, "we");
		assert_non_null(file);
		fputs(text.data, file);
		fclose(file);
		return;
	}
	if (!kept.length || !streq(text.data, kept.data))
		fail_msg("what is stored is not what %s says: raise STORE_FORMAT and add a step to "
			 "migrate.c; KEEP_FIELDS=1 writes the new format's list",
			 path);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_fields) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
