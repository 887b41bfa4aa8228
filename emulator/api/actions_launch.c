/* RunInstances: its many parameters, and idempotency by client token. */
#include "api/actions.h"
#include "api/interface_params.h"
#include "api/launch_options.h"
#include "api/launch_params.h"
#include "api/template_data.h"
#include "api/volume_params.h"

#include "model/catalog.h"
#include "model/instance.h"
#include "model/key_pair.h"
#include "model/public_parameter.h"
#include "model/tags.h"

#define LAUNCH_MAX 4091 /* what the largest practical subnet, a /20, holds */

static int invalid(struct error *error, const char *value, const char *name)
{
	return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
			 "Value (%s) for parameter %s is invalid.", value, name);
}

static int read_counts(const struct call *call, struct launch_request *request, struct error *error)
{
	long minimum, maximum;
	int r;

	if ((r = params_int(call_text(call, "MinCount"), "minCount", 1, 1000000, &minimum, error)) <
		    0 ||
	    (r = params_int(call_text(call, "MaxCount"), "maxCount", 1, 1000000, &maximum, error)) <
		    0)
		return r;
	if (minimum > maximum)
		return error_set(
			error, ERROR_INVALID_PARAMETER_VALUE,
			"Value (%ld) for parameter maxCount is invalid. The maximum number of "
			"instances must be at least the minimum (%ld).",
			maximum, minimum);
	if (minimum > LAUNCH_MAX)
		return error_subject(error, ERROR_QUOTA, "i",
				     "You have requested more instances (%ld) than the limit of %d "
				     "for one call.",
				     minimum, LAUNCH_MAX);
	request->minimum = minimum;
	request->maximum = MIN(maximum, (long)LAUNCH_MAX);
	return 0;
}

/* One of two words; absent or empty: the first. */
static int read_word(const struct call *call, const char *name, const char *const words[2],
		     char **ret, struct error *error)
{
	const char *text = call_text(call, name);

	if (!text || !*text)
		text = words[0];
	if (!streq(text, words[0]) && !streq(text, words[1]))
		return invalid(error, text, name);
	*ret = xstrdup(text);
	return 0;
}

static int read_words(const struct call *call, struct instance_template *options,
		      struct error *error)
{
	static const struct {
		const char *name;
		const char *const words[2];
		size_t offset;
	} table[] = {
		{ "InstanceInitiatedShutdownBehavior",
		  { "stop", "terminate" },
		  offsetof(struct instance_template, shutdown_behavior) },
		{ "Placement.Tenancy",
		  { "default", "dedicated" },
		  offsetof(struct instance_template, tenancy) },
	};
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if ((r = read_word(call, table[i].name, table[i].words,
				   (char **)((char *)options + table[i].offset), error)) < 0)
			return r;
	return 0;
}

static int read_user_data(const struct call *call, struct instance_template *options,
			  struct error *error)
{
	const char *text = call_text(call, "UserData");
	int r;

	if (!text || !*text)
		return 0;
	if ((r = check_user_data(text, error)) < 0)
		return r;
	options->user_data = xstrdup(text);
	return 0;
}

/* "resolve:ssm:NAME" is the image that a public parameter tells. */
static int resolve_image(const char **image, struct error *error)
{
	static const char prefix[] = "resolve:ssm:";
	const char *name = *image + strlen(prefix);
	struct public_parameter parameter;

	if (strncmp(*image, prefix, strlen(prefix)) != 0)
		return 0;
	if (!public_parameter_find(name, &parameter))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "The parameter %s could not be resolved: it does not exist.",
				 name);
	*image = parameter.value;
	return 0;
}

static int read_image(const struct call *call, struct instance_template *options,
		      struct error *error)
{
	const char *image = call_text(call, "ImageId"), *type = call_text(call, "InstanceType");
	struct rid id;
	int r;

	if (!image || !*image)
		return error_set(error, ERROR_MISSING_PARAMETER,
				 "The request must contain the parameter ImageId");
	if ((r = resolve_image(&image, error)) < 0)
		return r;
	if (rid_parse(image, KIND_IMAGE, &id) < 0)
		return malformed(KIND_IMAGE, image, error);
	if (type && !instance_type_find(type))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Invalid value '%s' for InstanceType.", type);
	options->image_id = xstrdup(image);
	options->type = xstrdup(type ? type : "m1.small"); /* the API's own default */
	return 0;
}

/* The instance keeps the key that the pair has now, whatever becomes of the pair. */
static int read_key(const struct call *call, struct instance_template *options, struct error *error)
{
	const char *name = call_text(call, "KeyName");
	const struct key_pair *key_pair;

	if (!name || !*name)
		return 0;
	key_pair = key_pair_named(call->scope, name);
	if (!key_pair)
		return not_found(KIND_KEY_PAIR, name, false, error);
	options->key_name = xstrdup(key_pair->name);
	options->public_key = xstrdup(key_pair->public_key);
	return 0;
}

static int read_options(const struct call *call, struct instance_template *options,
			struct error *error)
{
	int r;

	if ((r = read_image(call, options, error)) < 0 ||
	    (r = read_key(call, options, error)) < 0 ||
	    (r = read_launch_options(call, options, error)) < 0 ||
	    (r = read_words(call, options, error)) < 0 ||
	    (r = read_metadata_options(call, options, error)) < 0 ||
	    (r = read_user_data(call, options, error)) < 0)
		return r;
	options->disable_api_termination = call_bool(call, "DisableApiTermination", false);
	options->disable_api_stop = call_bool(call, "DisableApiStop", false);
	options->monitoring = call_bool(call, "Monitoring.Enabled", false);
	options->ebs_optimized = call_bool(call, "EbsOptimized", false);
	return 0;
}

/* Frees what the request owns; the rest is borrowed. */
static void request_clear(struct launch_request *request)
{
	struct instance_template *options = &request->options;
	char **texts[] = {
		&options->image_id,	     &options->type,	      &options->user_data,
		&options->client_token,	     &options->key_name,      &options->public_key,
		&options->cpu_credits,	     &options->auto_recovery, &options->token_digest,
		&options->shutdown_behavior, &options->tenancy,	      &options->http_tokens,
		&options->http_endpoint,     &options->metadata_tags, &options->metadata_ipv6
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		freep(texts[i]);
	for (size_t i = 0; i < request->interface_count; i++)
		interface_request_clear(&request->interfaces[i].make);
	free(request->interfaces);
	free(request->volumes);
}

/* ---- client tokens ---- */

/* What a launch was asked for before a template added to it. */
struct origin {
	char *digest;
	const struct launch_template *launch_template; /* NULL: none */
	int64_t version;
};

static struct instance *find_token(const struct call *call, const char *token)
{
	for_each_resource (struct instance, instance, call->scope, KIND_INSTANCE)
		if (streq(instance->options.client_token, token))
			return instance;
	return NULL;
}

/* 1: a repetition, answered with `ret_reservation`; 0: a new launch. */
static int check_token(const struct call *call, struct instance_template *options,
		       const struct origin *origin, struct rid *ret_reservation,
		       struct error *error)
{
	const char *token = call_text(call, "ClientToken");
	bool alive = false;
	struct instance *first;

	if (!token || !*token)
		return 0;
	if (strlen(token) > 64)
		return invalid(error, token, "clientToken");
	options->client_token = xstrdup(token);
	options->token_digest = xstrdup(origin->digest);
	first = find_token(call, token);
	if (!first)
		return 0;
	if (!streq(first->options.token_digest, options->token_digest))
		return idempotent_mismatch(error);
	for_each_resource (struct instance, instance, call->scope, KIND_INSTANCE)
		alive |= rid_equal(instance->reservation, first->reservation) &&
			 instance->state != INSTANCE_TERMINATED;
	if (!alive)
		return error_set(
			error, ERROR_IDEMPOTENT_TERMINATED,
			"The client token you have provided is associated with a resource that "
			"is already deleted.");
	*ret_reservation = first->reservation;
	return 1;
}

/* ---- the reply ---- */

static bool is_existing(const struct launch_request *request, const struct interface *interface)
{
	for (size_t i = 0; i < request->interface_count; i++)
		if (request->interfaces[i].existing == interface)
			return true;
	return false;
}

/* The instance and what was made with it. */
static int tag_launched(struct call *call, const struct launch_request *request,
			const struct origin *origin, struct instance *instance, struct error *error)
{
	CLEANUP(freep) char *version = xasprintf("%lld", (long long)origin->version);
	int r = call_tag(call, instance, error);

	if (origin->launch_template) {
		tag_set_own(&call->transaction, &instance->resource, "aws:ec2launchtemplate:id",
			    rid_format(origin->launch_template->resource.id).text);
		tag_set_own(&call->transaction, &instance->resource,
			    "aws:ec2launchtemplate:version", version);
	}

	for (size_t i = 0; r == 0 && i < instance->interface_count; i++) {
		struct interface *interface =
			interface_get(call_model(call), instance->interfaces[i].id);

		if (!is_existing(request, interface))
			r = call_tag(call, interface, error);
	}
	for (size_t i = 0; r == 0 && i < instance->volume_count; i++)
		r = call_tag(call, volume_get(call_model(call), instance->volumes[i].id), error);
	return r;
}

/* `request`: of a fresh launch, whose instances get their tags; NULL for a repetition. */
static int reply_reservation(struct call *call, struct rid reservation,
			     const struct launch_request *request, const struct origin *origin,
			     struct error *error)
{
	int r;

	xml_text(call->xml, "reservationId", rid_format(reservation).text);
	xml_text(call->xml, "ownerId", call->scope->account);
	xml_open(call->xml, "groupSet");
	xml_close(call->xml);
	xml_open(call->xml, "instancesSet");
	for_each_resource (struct instance, instance, call->scope, KIND_INSTANCE) {
		if (!rid_equal(instance->reservation, reservation))
			continue;
		if (request && (r = tag_launched(call, request, origin, instance, error)) < 0)
			return r;
		reply_resource(call, "item", instance);
	}
	xml_close(call->xml);
	return 0;
}

static int launch(struct call *call, const struct origin *origin, struct error *error)
{
	CLEANUP(request_clear) struct launch_request request = { 0 };
	struct rid reservation;
	bool storage, names[2];
	int r;

	if ((r = check_launch_options(call, error)) < 0 ||
	    (r = call_refuse_ipv6(call, "", error)) < 0 ||
	    (r = read_counts(call, &request, error)) < 0 ||
	    (r = read_options(call, &request.options, error)) < 0 ||
	    (r = read_names(call, names, &request.names, error)) < 0)
		return r;
	r = check_token(call, &request.options, origin, &reservation, error);
	if (r != 0)
		return r < 0 ? r : reply_reservation(call, reservation, NULL, origin, error);
	if ((r = image_check_launch(call_model(call), call->scope, request.options.image_id,
				    error)) < 0 ||
	    (r = read_volumes(call, &request, error)) < 0 ||
	    (r = image_default_volume(call_model(call), request.options.image_id,
				      call_has_list(call, "BlockDeviceMapping"), &request.root,
				      error)) < 0 ||
	    (r = read_launch_interfaces(call, &request, &storage, error)) < 0 ||
	    (r = instance_launch(&call->transaction, &request, &reservation, error)) < 0)
		return r;
	return reply_reservation(call, reservation, &request, origin, error);
}

/* What a template says counts where the call says nothing. */
static int launch_from(struct call *call, struct origin *origin, struct error *error)
{
	CLEANUP(params_freep) struct params *merged = NULL;
	const struct params *asked = call->params;
	const char *text = call_text(call, "LaunchTemplate.Version");
	struct launch_template *whole;
	struct template_version *version;
	int r;

	if ((r = call_template(call, "LaunchTemplate.", &whole, error)) < 0 ||
	    (r = launch_template_find(whole, text && *text ? text : "$Default", &version, error)) <
		    0)
		return r;
	origin->launch_template = whole;
	origin->version = version->number;
	merged = merge_template(call, version);
	call->params = merged;
	r = launch(call, origin, error);
	call->params = asked;
	return r;
}

int run_instances(struct call *call, struct error *error)
{
	struct origin origin = { .digest = call_digest(call) };
	const char *id = call_text(call, "LaunchTemplate.LaunchTemplateId");
	const char *name = call_text(call, "LaunchTemplate.LaunchTemplateName");
	const char *version = call_text(call, "LaunchTemplate.Version");
	int r = (id && *id) || (name && *name) || (version && *version)
			? launch_from(call, &origin, error)
			: launch(call, &origin, error);

	free(origin.digest);
	return r;
}
