/* Launch templates: see launch_template.h. */
#include "model/launch_template.h"

#include <ctype.h>

#define NAME_LENGTH_MIN 3
#define NAME_LENGTH_MAX 128

static const struct field datum_fields[] = {
	FIELD_OF(struct template_datum, name, FIELD_TEXT, "name", NULL, FIELD_STORED),
	FIELD_OF(struct template_datum, value, FIELD_TEXT, "value", NULL, FIELD_STORED),
	FIELD_END,
};

static const struct field stored_version_fields[] = {
	FIELD_OF(struct template_version, number, FIELD_INT, "number", NULL, FIELD_STORED),
	FIELD_OF(struct template_version, description, FIELD_TEXT, "description", NULL,
		 FIELD_STORED),
	FIELD_OF(struct template_version, create_time, FIELD_TIME, "createTime", NULL,
		 FIELD_STORED),
	FIELD_LIST_OF(struct template_version, data, datum_count, datum_fields, "data",
		      FIELD_STORED),
	FIELD_END,
};

static const char *get_creator(const struct view *view, struct buffer *scratch)
{
	return get_print(scratch, "arn:aws:iam::%s:root", view->resource->scope->account);
}

static const struct field fields[] = {
	RESOURCE_FIELDS(struct launch_template),
	FIELD_GET_OF(get_id, "launchTemplateId", NULL),
	FIELD_OF(struct launch_template, name, FIELD_TEXT, "launchTemplateName",
		 "launch-template-name", FIELD_BOTH),
	FIELD_OF(struct launch_template, create_time, FIELD_TIME, "createTime", "create-time",
		 FIELD_BOTH),
	FIELD_GET_OF(get_creator, "createdBy", NULL),
	FIELD_OF(struct launch_template, default_version, FIELD_INT, "defaultVersionNumber", NULL,
		 FIELD_BOTH),
	FIELD_OF(struct launch_template, latest_version, FIELD_INT, "latestVersionNumber", NULL,
		 FIELD_BOTH),
	/* the store's own */
	FIELD_LIST_OF(struct launch_template, versions, version_count, stored_version_fields,
		      "versions", FIELD_STORED),
	FIELD_OF(struct launch_template, client_token, FIELD_TEXT, "clientToken", NULL,
		 FIELD_STORED),
	FIELD_OF(struct launch_template, token_digest, FIELD_TEXT, "tokenDigest", NULL,
		 FIELD_STORED),
	FIELD_END,
};

const struct resource_type launch_template_type = {
	.kind = KIND_LAUNCH_TEMPLATE,
	.size = sizeof(struct launch_template),
	.fields = fields,
	.tag_type = "launch-template",
};

/* ---- versions as clients see them ---- */

static const char *get_name(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return ((const struct launch_template *)view->resource)->name;
}

static const char *get_is_default(const struct view *view, struct buffer *scratch)
{
	const struct launch_template *whole = (const struct launch_template *)view->resource;

	(void)scratch;
	return ((const struct template_version *)view->object)->number == whole->default_version
		       ? "true"
		       : "false";
}

static const char *datum(const struct view *view, const char *name)
{
	const struct template_version *version = view->object;

	for (size_t i = 0; i < version->datum_count; i++)
		if (streq(version->data[i].name, name))
			return version->data[i].value;
	return NULL;
}

static const char *get_image(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return datum(view, "ImageId");
}

static const char *get_type(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return datum(view, "InstanceType");
}

const struct field template_version_fields[] = {
	FIELD_GET_OF(get_id, "launchTemplateId", NULL),
	FIELD_GET_OF(get_name, "launchTemplateName", NULL),
	FIELD_OF(struct template_version, number, FIELD_INT, "versionNumber", NULL, FIELD_SHOWN),
	FIELD_OF(struct template_version, description, FIELD_TEXT, "versionDescription", NULL,
		 FIELD_SHOWN),
	FIELD_OF(struct template_version, create_time, FIELD_TIME, "createTime", "create-time",
		 FIELD_SHOWN),
	FIELD_GET_OF(get_creator, "createdBy", NULL),
	FIELD_GET_OF(get_is_default, "defaultVersion", "is-default-version"),
	/* what filters alone read here: the data is shown as a whole */
	{ .name = "", .filter = "image-id", .type = FIELD_GET, .get = get_image },
	{ .name = "", .filter = "instance-type", .type = FIELD_GET, .get = get_type },
	FIELD_END,
};

/* ---- look-up ---- */

struct launch_template *launch_template_named(const struct scope *scope, const char *name)
{
	for_each_resource (struct launch_template, launch_template, scope, KIND_LAUNCH_TEMPLATE)
		if (streq(launch_template->name, name))
			return launch_template;
	return NULL;
}

struct template_version *launch_template_version(const struct launch_template *launch_template,
						 int64_t number)
{
	for (size_t i = 0; i < launch_template->version_count; i++)
		if (launch_template->versions[i].number == number)
			return &launch_template->versions[i];
	return NULL;
}

int launch_template_find(const struct launch_template *launch_template, const char *text,
			 struct template_version **ret_version, struct error *error)
{
	const size_t digits = strspn(text, "0123456789");
	int64_t number = digits && !text[digits] ? strtoll(text, NULL, 10) : 0;
	struct template_version *version;

	if (streq(text, "$Latest") && launch_template->version_count)
		number = launch_template->versions[launch_template->version_count - 1].number;
	else if (streq(text, "$Default"))
		number = launch_template->default_version;
	version = launch_template_version(launch_template, number);
	if (!version)
		return error_set(error, ERROR_LAUNCH_TEMPLATE_VERSION,
				 "Could not find the specified version %s for the launch template "
				 "with ID %s.",
				 text, rid_format(launch_template->resource.id).text);
	*ret_version = version;
	return 0;
}

/* ---- verbs ---- */

/* "3 to 128 characters: letters, numbers, and ( ) . / _ -" */
static bool is_name(const char *name)
{
	const size_t length = strlen(name);

	if (length < NAME_LENGTH_MIN || length > NAME_LENGTH_MAX)
		return false;
	for (const char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("().-/_", *c))
			return false;
	return true;
}

int launch_template_create(struct transaction *transaction, struct scope *scope, const char *name,
			   struct launch_template **ret_launch_template, struct error *error)
{
	struct launch_template *launch_template;
	int r;

	if (!is_name(name))
		return error_set(error, ERROR_LAUNCH_TEMPLATE_NAME,
				 "Launch template name is malformed: it must have %d to %d "
				 "letters, digits and the characters ( ) . - / _",
				 NAME_LENGTH_MIN, NAME_LENGTH_MAX);
	if (launch_template_named(scope, name))
		return error_set(error, ERROR_LAUNCH_TEMPLATE_EXISTS,
				 "Launch template name already in use.");
	if ((r = quota_check(transaction->model, QUOTA_LAUNCH_TEMPLATES,
			     scope->lists[KIND_LAUNCH_TEMPLATE].count + 1, error)) < 0)
		return r;
	launch_template = transaction_create(transaction, scope, KIND_LAUNCH_TEMPLATE);
	launch_template->name = xstrdup(name);
	launch_template->create_time = transaction->now;
	*ret_launch_template = launch_template;
	return 0;
}

int launch_template_add(struct transaction *transaction, struct launch_template *launch_template,
			const char *description, struct template_datum **data, size_t *count,
			struct error *error)
{
	struct template_version *version;

	if (launch_template->version_count >= TEMPLATE_VERSIONS_MAX)
		return error_subject(error, ERROR_QUOTA, "lt",
				     "The maximum number of launch template versions has been "
				     "reached.");
	transaction_edit(transaction, launch_template);
	version = array_grow(&launch_template->versions, &launch_template->version_count);
	version->number = ++launch_template->latest_version;
	version->description = xstrdup_null(description);
	version->create_time = transaction->now;
	version->data = steal(data);
	version->datum_count = *count;
	*count = 0;
	if (!launch_template->default_version)
		launch_template->default_version = version->number;
	return 0;
}

void launch_template_remove(struct transaction *transaction,
			    struct launch_template *launch_template, int64_t number)
{
	struct template_version *version;

	transaction_edit(transaction, launch_template);
	version = launch_template_version(launch_template, number);
	if (!version)
		return;
	free(version->description);
	template_data_clear(&version->data, &version->datum_count);
	array_remove(launch_template->versions, &launch_template->version_count,
		     (size_t)(version - launch_template->versions));
}

void template_datum_add(struct template_datum **data, size_t *count, const char *name,
			const char *value)
{
	struct template_datum *added = array_grow(data, count);

	added->name = xstrdup(name);
	added->value = xstrdup(value);
}

void template_data_clear(struct template_datum **data, size_t *count)
{
	for (size_t i = 0; i < *count; i++) {
		free((*data)[i].name);
		free((*data)[i].value);
	}
	freep(data);
	*count = 0;
}
