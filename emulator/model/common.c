/* Computed fields that most descriptors share: see common.h. */
#include "model/common.h"

#include <stdarg.h>
#include <stdio.h>

#include "model/region.h"

const struct field nothing_fields[] = {
	FIELD_CONST_OF("", "nothing", NULL),
	FIELD_END,
};

const struct field rid_item_fields[] = {
	FIELD_OF(struct rid_item, id, FIELD_RID, "", NULL, FIELD_BOTH),
	FIELD_END,
};

int ipv6_not_forwarded(struct error *error, const char *format, ...)
{
	CLEANUP(freep) char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	text = xvasprintf(format, arguments);
	va_end(arguments);
	return error_set(error, ERROR_UNSUPPORTED_OPERATION,
			 "IPv6 packets are not forwarded yet: %s", text);
}

int idempotent_mismatch(struct error *error)
{
	return error_set(error, ERROR_IDEMPOTENT_MISMATCH,
			 "Arguments on this idempotent request are inconsistent with arguments "
			 "used in previous request(s).");
}

void rid_item_add(struct rid_item **items, size_t *count, struct rid id)
{
	for (size_t i = 0; i < *count; i++)
		if (rid_equal((*items)[i].id, id))
			return;
	array_grow(items, count)->id = id;
}

const char *get_print(struct buffer *scratch, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	buffer_vprintf(scratch, format, arguments);
	va_end(arguments);
	return scratch->data;
}

const char *get_copy(struct buffer *scratch, const char *text)
{
	buffer_puts(scratch, text);
	return scratch->data;
}

const char *get_id(const struct view *view, struct buffer *scratch)
{
	buffer_puts(scratch, rid_format(view->resource->id).text);
	return scratch->data;
}

const char *get_owner(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return view->resource->scope->account;
}

const char *zone_name_of(const struct scope *scope, int64_t zone, struct buffer *scratch)
{
	const struct region *region = region_find(scope->region);

	return region ? get_copy(scratch, zone_name(region, (size_t)zone).text) : NULL;
}

const char *zone_id_of(const struct scope *scope, int64_t zone, struct buffer *scratch)
{
	const struct region *region = region_find(scope->region);

	return region ? get_copy(scratch, zone_id(region, (size_t)zone).text) : NULL;
}

bool child_self(const struct view *view, size_t index, struct view *ret_child)
{
	(void)index;
	*ret_child = *view;
	return true;
}

bool child_none(const struct view *view, size_t index, struct view *ret_child)
{
	(void)view;
	(void)index;
	(void)ret_child;
	return false;
}

void host_label(struct address address, const char *prefix, struct buffer *buffer)
{
	buffer_puts(buffer, prefix);
	for (size_t i = 0; i < 4; i++) {
		buffer_putc(buffer, '-');
		buffer_number(buffer, address.bytes[i]);
	}
}

void private_dns_domain(const struct scope *scope, struct buffer *buffer)
{
	if (streq(scope->region, "us-east-1"))
		buffer_puts(buffer, "ec2.internal");
	else
		buffer_printf(buffer, "%s.compute.internal", scope->region);
}

const char *private_dns_name(const struct scope *scope, struct address address,
			     struct buffer *scratch)
{
	host_label(address, "ip", scratch);
	buffer_putc(scratch, '.');
	private_dns_domain(scope, scratch);
	return scratch->data;
}

const char *public_dns_name(const struct scope *scope, struct address address,
			    struct buffer *scratch)
{
	host_label(address, "ec2", scratch);
	if (streq(scope->region, "us-east-1"))
		buffer_puts(scratch, ".compute-1.amazonaws.com");
	else
		buffer_printf(scratch, ".%s.compute.amazonaws.com", scope->region);
	return scratch->data;
}
