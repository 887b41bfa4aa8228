/* Launch templates and their versions; launches from them are in actions_launch.c. */
#include "api/actions.h"
#include "api/template_data.h"

struct data {
	struct template_datum *items;
	size_t count;
};

static void data_clear(struct data *data)
{
	template_data_clear(&data->items, &data->count);
}

/* Adds a version of what the call says, over `source`. */
static int add_version(struct call *call, struct launch_template *launch_template,
		       const struct template_version *source, struct error *error)
{
	CLEANUP(data_clear) struct data data = { NULL, 0 };

	read_template_data(call, source, &data.items, &data.count);
	return launch_template_add(&call->transaction, launch_template,
				   call_text(call, "VersionDescription"), &data.items, &data.count,
				   error);
}

/* 1: a repetition of the call that made `ret_launch_template`. */
static int check_token(const struct call *call, const char *digest,
		       struct launch_template **ret_launch_template, struct error *error)
{
	const char *token = call_text(call, "ClientToken");

	if (!token || !*token)
		return 0;
	for_each_resource (struct launch_template, found, call->scope, KIND_LAUNCH_TEMPLATE) {
		if (!streq(found->client_token, token))
			continue;
		if (!streq(found->token_digest, digest))
			return idempotent_mismatch(error);
		*ret_launch_template = found;
		return 1;
	}
	return 0;
}

int create_launch_template(struct call *call, struct error *error)
{
	CLEANUP(freep) char *digest = call_digest(call);
	const char *token = call_text(call, "ClientToken");
	struct launch_template *made = NULL;
	int r = check_token(call, digest, &made, error);

	if (r < 0)
		return r;
	if (r == 0) {
		if ((r = launch_template_create(&call->transaction, call->scope,
						call_text(call, "LaunchTemplateName"), &made,
						error)) < 0 ||
		    (r = add_version(call, made, NULL, error)) < 0 ||
		    (r = call_tag(call, made, error)) < 0)
			return r;
		made->client_token = token && *token ? xstrdup(token) : NULL;
		made->token_digest = made->client_token ? steal(&digest) : NULL;
	}
	reply_resource(call, "launchTemplate", made);
	return 0;
}

int delete_launch_template(struct call *call, struct error *error)
{
	struct launch_template *launch_template;
	int r = call_template(call, "", &launch_template, error);

	if (r < 0)
		return r;
	reply_resource(call, "launchTemplate", launch_template);
	transaction_delete(&call->transaction, launch_template);
	return 0;
}

int modify_launch_template(struct call *call, struct error *error)
{
	const char *text = call_text(call, "SetDefaultVersion");
	struct launch_template *launch_template;
	struct template_version *version;
	int r = call_template(call, "", &launch_template, error);

	if (r < 0)
		return r;
	if (text && *text) {
		if ((r = launch_template_find(launch_template, text, &version, error)) < 0)
			return r;
		transaction_edit(&call->transaction, launch_template);
		launch_template->default_version = version->number;
	}
	reply_resource(call, "launchTemplate", launch_template);
	return 0;
}

/* Adds those that LaunchTemplateName.N names. */
static int add_named(struct call *call, struct rows *rows, struct error *error)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	const size_t count = params_indices(call->params, "LaunchTemplateName", &indices);

	for (size_t i = 0; i < count; i++) {
		const char *name = params_get(call->params, "LaunchTemplateName.%u", indices[i]);
		const struct launch_template *found = launch_template_named(call->scope, name);

		if (!found)
			return error_set(error, ERROR_LAUNCH_TEMPLATE_NOT_FOUND,
					 "At least one of the launch templates specified in the "
					 "request does not exist.");
		rows_add(rows, call, &found->resource, found);
	}
	return 0;
}

int describe_launch_templates(struct call *call, struct error *error)
{
	static const struct listing listing = {
		.list = "launchTemplates",
		.kind = KIND_LAUNCH_TEMPLATE,
		.ids = "LaunchTemplateId",
		.minimum = 1,
		.maximum = 200,
	};
	CLEANUP(rows_clear) struct rows rows = { NULL, 0 };
	int r;

	if (!call_has_list(call, "LaunchTemplateName"))
		return describe_resources(call, &listing, error);
	r = add_named(call, &rows, error);
	return r < 0 ? r : describe_rows(call, &listing, &rows, error);
}

/* ---- versions ---- */

static void with_data(struct call *call, const struct view *view)
{
	reply_template_data(call, view->object);
}

static void reply_version(struct call *call, const struct launch_template *launch_template,
			  const struct template_version *version)
{
	const struct view view = { call_model(call), &launch_template->resource, version };

	xml_open(call->xml, "launchTemplateVersion");
	reply_fields(call, template_version_fields, &view);
	with_data(call, &view);
	xml_close(call->xml);
}

int create_launch_template_version(struct call *call, struct error *error)
{
	const char *text = call_text(call, "SourceVersion");
	struct template_version *source = NULL;
	struct launch_template *whole;
	int r;

	if ((r = call_template(call, "", &whole, error)) < 0 ||
	    (text && *text && (r = launch_template_find(whole, text, &source, error)) < 0) ||
	    (r = add_version(call, whole, source, error)) < 0)
		return r;
	reply_version(call, whole, &whole->versions[whole->version_count - 1]);
	return 0;
}

/* The bounds of MinVersion and MaxVersion; $Latest and $Default count as what they are. */
static int read_bound(const struct call *call, const struct launch_template *whole,
		      const char *name, int64_t fallback, int64_t *ret_bound)
{
	const char *text = call_text(call, name);

	*ret_bound = fallback;
	if (streq(text, "$Latest"))
		*ret_bound = whole->latest_version;
	else if (streq(text, "$Default"))
		*ret_bound = whole->default_version;
	else if (text && *text)
		*ret_bound = strtoll(text, NULL, 10);
	return 0;
}

static int template_rows(struct call *call, const struct launch_template *whole, struct rows *rows,
			 struct error *error)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	const size_t count = params_indices(call->params, "LaunchTemplateVersion", &indices);
	int64_t minimum, maximum;
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++) {
		struct template_version *version;

		r = launch_template_find(
			whole, params_get(call->params, "LaunchTemplateVersion.%u", indices[i]),
			&version, error);
		if (r == 0)
			rows_add(rows, call, &whole->resource, version);
	}
	if (r < 0 || count)
		return r;
	read_bound(call, whole, "MinVersion", 0, &minimum);
	read_bound(call, whole, "MaxVersion", INT64_MAX, &maximum);
	for (size_t i = whole->version_count; i-- > 0;) /* the newest first */
		if (whole->versions[i].number >= minimum && whole->versions[i].number <= maximum)
			rows_add(rows, call, &whole->resource, &whole->versions[i]);
	return 0;
}

/* Without a template: the latest or default versions of all. */
static int all_template_rows(struct call *call, struct rows *rows, struct error *error)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	const size_t count = params_indices(call->params, "LaunchTemplateVersion", &indices);

	for (size_t i = 0; i < count; i++) {
		const char *text = params_get(call->params, "LaunchTemplateVersion.%u", indices[i]);

		if (text[0] != '$')
			return error_set(error, ERROR_MISSING_PARAMETER,
					 "Either launchTemplateId or launchTemplateName must be "
					 "specified.");
	}
	if (!count)
		return error_set(
			error, ERROR_MISSING_PARAMETER,
			"Either launchTemplateId or launchTemplateName must be specified.");
	for_each_resource (struct launch_template, whole, call->scope, KIND_LAUNCH_TEMPLATE) {
		int r = template_rows(call, whole, rows, error);

		if (r < 0)
			return r;
	}
	return 0;
}

int describe_launch_template_versions(struct call *call, struct error *error)
{
	static const struct listing listing = {
		.list = "launchTemplateVersionSet",
		.fields = template_version_fields,
		.minimum = 1,
		.maximum = 200,
		.inside = with_data,
		.absent = "ebs-optimized http-endpoint http-protocol-ipv4 host-resource-group-arn "
			  "iam-instance-profile kernel-id license-configuration-arn "
			  "network-card-index ram-disk-id",
	};
	CLEANUP(rows_clear) struct rows rows = { NULL, 0 };
	const char *id = call_text(call, "LaunchTemplateId");
	const char *name = call_text(call, "LaunchTemplateName");
	struct launch_template *whole;
	int r;

	if (!(id && *id) && !(name && *name))
		r = all_template_rows(call, &rows, error);
	else if ((r = call_template(call, "", &whole, error)) == 0)
		r = template_rows(call, whole, &rows, error);
	return r < 0 ? r : describe_rows(call, &listing, &rows, error);
}

static void reply_deleted(struct call *call, const struct launch_template *whole, int64_t number,
			  const char *code, const char *message)
{
	xml_open(call->xml, "item");
	xml_text(call->xml, "launchTemplateId", rid_format(whole->resource.id).text);
	xml_text(call->xml, "launchTemplateName", whole->name);
	xml_int(call->xml, "versionNumber", number);
	if (code) {
		xml_open(call->xml, "responseError");
		xml_text(call->xml, "code", code);
		xml_text(call->xml, "message", message);
		xml_close(call->xml);
	}
	xml_close(call->xml);
}

/* What can't be deleted is told in the reply; only a version's number names one. */
static void delete_versions(struct call *call, struct launch_template *whole, bool successful)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	const size_t count = params_indices(call->params, "LaunchTemplateVersion", &indices);

	for (size_t i = 0; i < count; i++) {
		const int64_t number = strtoll(
			params_get(call->params, "LaunchTemplateVersion.%u", indices[i]), NULL, 10);
		const bool there = launch_template_version(whole, number);
		const bool is_default = number == whole->default_version;

		if (there && !is_default && successful) {
			launch_template_remove(&call->transaction, whole, number);
			reply_deleted(call, whole, number, NULL, NULL);
		} else if (!there && !successful) {
			reply_deleted(call, whole, number, "launchTemplateVersionDoesNotExist",
				      "The launch template version does not exist.");
		} else if (is_default && !successful) {
			reply_deleted(call, whole, number, "unexpectedError",
				      "The default version of a launch template cannot be "
				      "deleted.");
		}
	}
}

int delete_launch_template_versions(struct call *call, struct error *error)
{
	struct launch_template *whole;
	int r = call_template(call, "", &whole, error);

	if (r < 0)
		return r;
	/* First what fails: afterwards all that was deleted would not be there. */
	xml_open(call->xml, "unsuccessfullyDeletedLaunchTemplateVersionSet");
	delete_versions(call, whole, false);
	xml_close(call->xml);
	xml_open(call->xml, "successfullyDeletedLaunchTemplateVersionSet");
	delete_versions(call, whole, true);
	xml_close(call->xml);
	return 0;
}
