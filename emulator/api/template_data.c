/* What a launch template holds: see template_data.h. */
#include "api/template_data.h"

#include <ctype.h>

#define DATA_PREFIX "LaunchTemplateData."
/* Elements of lists that both have are counted on from here. */
#define OTHERS_FROM 500000000u

struct pairs {
	struct param_pair *items;
	size_t count;
	char **owned; /* names that were made */
	size_t owned_count;
};

static void pairs_clear(struct pairs *pairs)
{
	for (size_t i = 0; i < pairs->owned_count; i++)
		free(pairs->owned[i]);
	free(pairs->owned);
	free(pairs->items);
}

static void add_pair(struct pairs *pairs, const char *name, const char *value)
{
	*array_grow(&pairs->items, &pairs->count) = (struct param_pair){ name, value };
}

static struct params *data_params(const struct template_version *version)
{
	CLEANUP(pairs_clear) struct pairs pairs = { NULL, 0, NULL, 0 };

	for (size_t i = 0; i < version->datum_count; i++)
		add_pair(&pairs, version->data[i].name, version->data[i].value);
	return params_make(pairs.items, pairs.count);
}

/* ---- merging ---- */

/* "NAME.": a list whose elements are told apart by one of their members; NULL: it goes as a whole.
 */
static const struct list {
	const char *prefix, *key;
} lists[] = {
	{ "BlockDeviceMapping", "DeviceName" },
	{ "NetworkInterface", "DeviceIndex" },
	{ "SecurityGroupId", NULL },
	{ "SecurityGroup", NULL },
};

static const struct list *list_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const size_t length = strlen(lists[i].prefix);

		if (strncmp(name, lists[i].prefix, length) == 0 && name[length] == '.')
			return &lists[i];
	}
	return NULL;
}

static bool has_list(const struct params *params, const char *name)
{
	CLEANUP(freep) unsigned int *indices = NULL;

	return params_indices(params, name, &indices) > 0;
}

/* Has `asked` an element that takes the place of the template's `list`.`n`? */
static bool is_replaced(const struct params *asked, const struct params *data,
			const struct list *list, unsigned int n)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	const size_t count = params_indices(asked, list->prefix, &indices);
	const char *key =
		list->key ? params_get(data, "%s.%u.%s", list->prefix, n, list->key) : NULL;

	if (!list->key) /* groups by id and groups by name stand for one another */
		return has_list(asked, "SecurityGroupId") || has_list(asked, "SecurityGroup");
	for (size_t i = 0; i < count; i++)
		if (streq(params_get(asked, "%s.%u.%s", list->prefix, indices[i], list->key), key))
			return true;
	return false;
}

/* The same parameter of an element that is counted on from OTHERS_FROM. */
static const char *moved(struct pairs *pairs, const char *name, size_t prefix)
{
	char *rest;
	const unsigned long n = strtoul(name + prefix + 1, &rest, 10);
	char *made =
		xasprintf("%.*s.%lu%s", (int)prefix, name, n % OTHERS_FROM + OTHERS_FROM, rest);

	*array_grow(&pairs->owned, &pairs->owned_count) = made;
	return made;
}

static void add_datum(struct pairs *pairs, const struct params *asked, const struct params *data,
		      const struct template_datum *datum)
{
	const struct list *list = list_of(datum->name);
	const char *given;
	size_t prefix;

	if (!list) {
		given = params_get(asked, "%s", datum->name);
		if (!given || !*given || strncmp(datum->name, "TagSpecification.", 17) == 0)
			add_pair(pairs, datum->name, datum->value);
		return;
	}
	prefix = strlen(list->prefix);
	if (!is_replaced(asked, data, list,
			 (unsigned int)strtoul(datum->name + prefix + 1, NULL, 10)))
		add_pair(pairs, moved(pairs, datum->name, prefix), datum->value);
}

/* An empty parameter is an absent one, but for NoDevice, which says it by being there. */
static bool is_given(const char *name, const char *value)
{
	static const char none[] = ".NoDevice";
	const size_t length = strlen(name);

	return *value || (length >= strlen(none) && streq(name + length - strlen(none), none));
}

/* Tags are set in order, and the last of a key counts: the launch's come after the template's. */
static void add_asked(struct pairs *pairs, const char *name, const char *value)
{
	static const char tags[] = "TagSpecification.";

	if (strncmp(name, "LaunchTemplate.", 15) == 0)
		return;
	if (strncmp(name, tags, sizeof(tags) - 1) == 0 &&
	    isdigit((unsigned char)name[sizeof(tags) - 1]))
		add_pair(pairs, moved(pairs, name, sizeof(tags) - 2), value);
	else if (is_given(name, value))
		add_pair(pairs, name, value);
}

struct params *merge_template(const struct call *call, const struct template_version *version)
{
	CLEANUP(pairs_clear) struct pairs pairs = { NULL, 0, NULL, 0 };
	CLEANUP(params_freep) struct params *data = data_params(version);
	const char *name, *value;

	for (size_t i = 0; i < version->datum_count; i++)
		add_datum(&pairs, call->params, data, &version->data[i]);
	for (size_t i = 0; params_at(call->params, i, &name, &value); i++)
		add_asked(&pairs, name, value);
	return params_make(pairs.items, pairs.count);
}

void read_template_data(const struct call *call, const struct template_version *source,
			struct template_datum **data, size_t *count)
{
	CLEANUP(pairs_clear) struct pairs pairs = { NULL, 0, NULL, 0 };
	CLEANUP(params_freep) struct params *merged = NULL;
	const char *name, *value;

	for (size_t i = 0; source && i < source->datum_count; i++)
		add_pair(&pairs, source->data[i].name, source->data[i].value);
	for (size_t i = 0; params_at(call->params, i, &name, &value); i++)
		if (strncmp(name, DATA_PREFIX, strlen(DATA_PREFIX)) == 0 && is_given(name, value))
			add_pair(&pairs, name + strlen(DATA_PREFIX), value);
	merged = params_make(pairs.items, pairs.count);
	for (size_t i = 0; params_at(merged, i, &name, &value); i++)
		template_datum_add(data, count, name, value);
}

/* ---- as a tree ---- */

/* An element's name is the parameter's with a small letter, a list's ends with "Set"; but for the
 * groups of a network interface. */
static char *element_name(const char *parent, const char *segment, bool list)
{
	char *name;

	if (list && streq(segment, "SecurityGroupId") &&
	    strncmp(parent, "NetworkInterface.", 17) == 0)
		return xstrdup("groupSet");
	name = xasprintf("%s%s", segment, list ? "Set" : "");
	name[0] = (char)tolower((unsigned char)name[0]);
	return name;
}

static void reply_tree(struct call *call, const struct params *data, const char *prefix);

static void reply_items(struct call *call, const struct params *data, const char *full,
			const char *element)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	const size_t count = params_indices(data, full, &indices);

	xml_open(call->xml, element);
	for (size_t i = 0; i < count; i++) {
		CLEANUP(freep) char *item = xasprintf("%s.%u.", full, indices[i]);
		const char *value = params_get(data, "%s.%u", full, indices[i]);

		if (value) {
			xml_text(call->xml, streq(element, "groupSet") ? "groupId" : "item", value);
			continue;
		}
		xml_open(call->xml, "item");
		reply_tree(call, data, item);
		xml_close(call->xml);
	}
	xml_close(call->xml);
}

/* What begins with `prefix`; parameters of one element are neighbours. */
static void reply_tree(struct call *call, const struct params *data, const char *prefix)
{
	CLEANUP(freep) char *previous = xstrdup("");
	const size_t length = strlen(prefix);
	const char *name, *value;

	for (size_t i = 0; params_at(data, i, &name, &value); i++) {
		CLEANUP(freep) char *segment = NULL, *full = NULL, *element = NULL, *inner = NULL;
		const char *rest = name + length;
		bool leaf, list;

		if (strncmp(name, prefix, length) != 0)
			continue;
		segment = xasprintf("%.*s", (int)strcspn(rest, "."), rest);
		leaf = !rest[strlen(segment)];
		if (!leaf && streq(segment, previous))
			continue;
		list = !leaf && isdigit((unsigned char)rest[strlen(segment) + 1]);
		full = xasprintf("%s%s", prefix, segment);
		element = element_name(prefix, segment, list);
		freep(&previous);
		previous = xstrdup(segment);
		if (leaf) {
			xml_text(call->xml, element, value);
		} else if (list) {
			reply_items(call, data, full, element);
		} else {
			inner = xasprintf("%s.", full);
			xml_open(call->xml, element);
			reply_tree(call, data, inner);
			xml_close(call->xml);
		}
	}
}

void reply_template_data(struct call *call, const struct template_version *version)
{
	CLEANUP(params_freep) struct params *data = data_params(version);

	xml_open(call->xml, "launchTemplateData");
	reply_tree(call, data, "");
	xml_close(call->xml);
}

/* ---- which template ---- */

int call_template(const struct call *call, const char *prefix,
		  struct launch_template **ret_launch_template, struct error *error)
{
	const char *id = params_get(call->params, "%sLaunchTemplateId", prefix);
	const char *name = params_get(call->params, "%sLaunchTemplateName", prefix);
	struct launch_template *found;

	if (id && *id && name && *name)
		return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
				 "Either launchTemplateId or launchTemplateName can be specified, "
				 "not both.");
	if (id && *id)
		return call_find(call, id, KIND_LAUNCH_TEMPLATE, ret_launch_template, error);
	if (!name || !*name)
		return error_set(
			error, ERROR_MISSING_PARAMETER,
			"Either launchTemplateId or launchTemplateName must be specified.");
	found = launch_template_named(call->scope, name);
	if (!found)
		return error_set(error, ERROR_LAUNCH_TEMPLATE_NOT_FOUND,
				 "The specified launch template, with template name %s, does not "
				 "exist.",
				 name);
	*ret_launch_template = found;
	return 0;
}
