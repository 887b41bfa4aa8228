/* What a region is and offers: regions, zones, instance types; and who is asking. */
#include "api/actions.h"

#include <stdio.h>

#include "model/catalog.h"
#include "model/fault.h"
#include "model/region.h"

/* ---- regions and zones: rows of their own ---- */

struct zone_row {
	const struct region *region;
	size_t zone;
};

static const char *get_region(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return ((const struct zone_row *)view->object)->region->name;
}

static const char *get_endpoint(const struct view *view, struct buffer *scratch)
{
	return get_print(scratch, "ec2.%s.amazonaws.com", get_region(view, scratch));
}

static const char *get_opt_in(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return ((const struct zone_row *)view->object)->region->opt_in ? "opted-in"
								       : "opt-in-not-required";
}

static const char *get_zone(const struct view *view, struct buffer *scratch)
{
	const struct zone_row *row = view->object;

	return get_print(scratch, "%s", zone_name(row->region, row->zone).text);
}

static const char *get_zone_id(const struct view *view, struct buffer *scratch)
{
	const struct zone_row *row = view->object;

	return get_print(scratch, "%s", zone_id(row->region, row->zone).text);
}

static const char *get_group(const struct view *view, struct buffer *scratch)
{
	return get_print(scratch, "%s-zg-1", get_region(view, scratch));
}

static bool is_dark(const struct view *view)
{
	const struct zone_row *row = view->object;

	return fault_of_zone(view->model, row->region->name, (int64_t)row->zone);
}

static const char *get_state(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return is_dark(view) ? "impaired" : "available";
}

static const char *get_message(const struct view *view, struct buffer *scratch)
{
	return get_print(scratch, "We are investigating connectivity issues in %s.",
			 zone_name(((const struct zone_row *)view->object)->region,
				   ((const struct zone_row *)view->object)->zone)
				 .text);
}

static bool child_message(const struct view *view, size_t index, struct view *ret_child)
{
	*ret_child = *view;
	return index == 0 && is_dark(view);
}

static const struct field message_fields[] = {
	FIELD_GET_OF(get_message, "message", "message"),
	FIELD_END,
};

/* No parameter, or the value is among its items. */
static bool wanted(const struct call *call, const char *name, const char *value)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	size_t count = params_indices(call->params, name, &indices);

	for (size_t i = 0; i < count; i++)
		if (streq(params_get(call->params, "%s.%u", name, indices[i]), value))
			return true;
	return count == 0;
}

int describe_regions(struct call *call, struct error *error)
{
	static const struct field fields[] = {
		FIELD_GET_OF(get_region, "regionName", "region-name"),
		FIELD_GET_OF(get_endpoint, "regionEndpoint", "endpoint"),
		FIELD_GET_OF(get_opt_in, "optInStatus", "opt-in-status"),
		FIELD_END,
	};
	static const struct listing listing = { .list = "regionInfo", .fields = fields };
	CLEANUP(freep) struct zone_row *zones = NULL;
	CLEANUP(rows_clear) struct rows rows = { NULL, 0 };
	CLEANUP(freep) unsigned int *indices = NULL;
	size_t named = params_indices(call->params, "RegionName", &indices), count = 0;

	for (size_t i = 0; i < named; i++) {
		const char *name = params_get(call->params, "RegionName.%u", indices[i]);

		if (!region_find(name))
			return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
					 "Invalid region names: [%s]", name);
	}
	for (size_t i = 0; region_at(i); i++)
		if (wanted(call, "RegionName", region_at(i)->name))
			array_grow(&zones, &count)->region = region_at(i);
	for (size_t i = 0; i < count; i++)
		rows_add(&rows, call, NULL, &zones[i]);
	return describe_rows(call, &listing, &rows, error);
}

/* A zone named that the region doesn't have. */
static int check_zones(const struct call *call, const struct region *region, const char *name,
		       struct error *error)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	size_t count = params_indices(call->params, name, &indices), zone;

	for (size_t i = 0; i < count; i++) {
		const char *text = params_get(call->params, "%s.%u", name, indices[i]);

		if (zone_find(region, text, &zone) < 0)
			return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
					 "Invalid availability zone: [%s]", text);
	}
	return 0;
}

int describe_availability_zones(struct call *call, struct error *error)
{
	static const struct field fields[] = {
		FIELD_CONST_OF("opt-in-not-required", "optInStatus", "opt-in-status"),
		FIELD_CHILDREN_OF(child_message, message_fields, "messageSet"),
		FIELD_GET_OF(get_region, "regionName", "region-name"),
		FIELD_GET_OF(get_zone, "zoneName", "zone-name"),
		FIELD_GET_OF(get_zone_id, "zoneId", "zone-id"),
		FIELD_GET_OF(get_group, "groupName", "group-name"),
		FIELD_GET_OF(get_region, "networkBorderGroup", NULL),
		FIELD_CONST_OF("availability-zone", "zoneType", "zone-type"),
		FIELD_GET_OF(get_state, "zoneState", "state"),
		FIELD_END,
	};
	static const struct listing listing = {
		.list = "availabilityZoneInfo",
		.fields = fields,
		.absent = "group-long-name parent-zone-id parent-zone-name",
	};
	const struct region *region = region_find(call->scope->region);
	struct zone_row zones[REGION_ZONES_MAX];
	CLEANUP(rows_clear) struct rows rows = { NULL, 0 };
	int r;

	if ((r = check_zones(call, region, "ZoneName", error)) < 0 ||
	    (r = check_zones(call, region, "ZoneId", error)) < 0)
		return r;
	for (size_t zone = 0; region->zones[zone]; zone++) {
		zones[zone] = (struct zone_row){ region, zone };
		if (wanted(call, "ZoneName", zone_name(region, zone).text) &&
		    wanted(call, "ZoneId", zone_id(region, zone).text))
			rows_add(&rows, call, NULL, &zones[zone]);
	}
	return describe_rows(call, &listing, &rows, error);
}

/* ---- instance types ---- */

static const struct listing instance_types = {
	.list = "instanceTypeSet",
	.ids = "InstanceType",
	.fields = instance_type_fields,
	.minimum = 5,
	.maximum = 100,
	.absent = "ebs-info.ebs-optimized-info.baseline-bandwidth-in-mbps "
		  "ebs-info.ebs-optimized-info.baseline-iops "
		  "ebs-info.ebs-optimized-info.baseline-throughput-in-mbps "
		  "ebs-info.ebs-optimized-info.maximum-bandwidth-in-mbps "
		  "ebs-info.ebs-optimized-info.maximum-iops "
		  "ebs-info.ebs-optimized-info.maximum-throughput-in-mbps "
		  "instance-storage-info.disk.count "
		  "instance-storage-info.disk.size-in-gb "
		  "instance-storage-info.disk.type "
		  "instance-storage-info.encryption-support "
		  "instance-storage-info.nvme-support "
		  "instance-storage-info.total-size-in-gb "
		  "network-info.efa-info.maximum-efa-interfaces "
		  "nitro-enclaves-support nitro-tpm-support "
		  "nitro-tpm-info.supported-versions "
		  "processor-info.supported-features "
		  "processor-info.sustained-clock-speed-in-ghz "
		  "reboot-migration-support "
		  "network-info.maximum-network-cards auto-recovery-supported "
		  "dedicated-hosts-supported",
};

int describe_instance_types(struct call *call, struct error *error)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	size_t named = params_indices(call->params, "InstanceType", &indices);
	CLEANUP(rows_clear) struct rows rows = { NULL, 0 };

	for (size_t i = 0; i < named; i++) {
		const char *text = params_get(call->params, "InstanceType.%u", indices[i]);

		if (!instance_type_find(text))
			return error_subject(
				error, ERROR_NOT_FOUND, "instance-type",
				"The following supplied instance types do not exist: [%s]", text);
	}
	for (size_t i = 0; instance_type_at(i); i++)
		if (wanted(call, "InstanceType", instance_type_at(i)->name))
			rows_add(&rows, call, NULL, instance_type_at(i));
	return describe_rows(call, &instance_types, &rows, error);
}

/* ---- where there is which type ---- */

struct offering {
	const struct instance_type *type;
	const char *location_type;
	struct zone_text location;
};

static const char *get_offered_type(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return ((const struct offering *)view->object)->type->name;
}

static const char *get_location_type(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return ((const struct offering *)view->object)->location_type;
}

static const char *get_location(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return ((const struct offering *)view->object)->location.text;
}

static struct zone_text region_name(const struct region *region, size_t zone)
{
	struct zone_text text;

	(void)zone;
	snprintf(text.text, sizeof(text.text), "%s", region->name);
	return text;
}

/* How each location type names the zones of a region; one name for all of them counts once. */
static const struct location_type {
	const char *name;
	struct zone_text (*of)(const struct region *region, size_t zone);
} location_types[] = {
	{ "region", region_name },
	{ "availability-zone", zone_name },
	{ "availability-zone-id", zone_id },
	{ "outpost", NULL }, /* there are none */
};

static const struct location_type *location_type_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(location_types); i++)
		if (streq(location_types[i].name, name))
			return &location_types[i];
	return NULL;
}

/* Every type is everywhere. */
static void add_offerings(const struct call *call, const struct location_type *where,
			  struct offering **offerings, size_t *count)
{
	const struct region *region = region_find(call->scope->region);
	size_t zones = where->of == region_name ? 1 : strlen(region->zones);

	for (size_t zone = 0; where->of && zone < zones; zone++)
		for (size_t i = 0; instance_type_at(i); i++)
			*array_grow(offerings, count) =
				(struct offering){ instance_type_at(i), where->name,
						   where->of(region, zone) };
}

int describe_instance_type_offerings(struct call *call, struct error *error)
{
	static const struct field fields[] = {
		FIELD_GET_OF(get_offered_type, "instanceType", "instance-type"),
		FIELD_GET_OF(get_location_type, "locationType", NULL),
		FIELD_GET_OF(get_location, "location", "location"),
		FIELD_END,
	};
	static const struct listing listing = {
		.list = "instanceTypeOfferingSet",
		.fields = fields,
		.minimum = 5,
		.maximum = 1000,
	};
	const char *text = call_text(call, "LocationType");
	const struct location_type *where = location_type_find(text && *text ? text : "region");
	CLEANUP(freep) struct offering *offerings = NULL;
	CLEANUP(rows_clear) struct rows rows = { NULL, 0 };
	size_t count = 0;

	if (!where)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Value (%s) for parameter locationType is invalid.", text);
	add_offerings(call, where, &offerings, &count);
	for (size_t i = 0; i < count; i++)
		rows_add(&rows, call, NULL, &offerings[i]);
	return describe_rows(call, &listing, &rows, error);
}
