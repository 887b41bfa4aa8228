/* What was found: see check.h. */
#include "cli/check.h"

#include "cli/listing.h"

static void fill_in(const struct check *check, struct listing_row *row)
{
	/* In the order of listing_checks. */
	const char *const values[] = { check->is_there ? "yes" : "no", check->needed ? "yes" : "no",
				       check->name, check->costs, check->detail };

	static_assert(ARRAY_SIZE(values) <= LISTING_FIELDS, "a row has room for them");
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		row->values[i] = xstrdup_null(values[i]);
}

bool check_print(const struct check_list *list, const char *format, struct buffer *buffer)
{
	CLEANUP(listing_clear) struct listing listing = { &listing_checks, NULL, 0 };
	size_t missing = 0, needed = 0;

	for (size_t i = 0; i < list->count; i++) {
		const struct check *check = &list->items[i];

		fill_in(check, array_grow(&listing.rows, &listing.count));
		missing += !check->is_there;
		needed += !check->is_there && check->needed;
	}
	listing_put(&listing, format, buffer);
	if (streq(format, "json"))
		return !needed;
	if (needed)
		buffer_printf(buffer,
			      "\nminivpc does not work here: %zu of what it needs is "
			      "missing (THERE no, NEEDED yes)\n",
			      needed);
	else if (missing)
		buffer_printf(buffer, "\nminivpc works here; %zu of what it can use is missing\n",
			      missing);
	else
		buffer_puts(buffer, "\nminivpc works here, and nothing is missing\n");
	return !needed;
}
