/* Single sides of instances, each with calls of its own: CPU credits, monitoring, maintenance,
 * names, the console. */
#include "api/actions.h"
#include "api/launch_options.h"
#include "model/catalog.h"
#include "model/instance.h"

static void set_text(char **text, const char *wanted)
{
	free(*text);
	*text = xstrdup(wanted);
}

/* ---- CPU credits ---- */

static const char *get_credits(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return instance_cpu_credits(view->object);
}

/*
 * "If you do not specify an instance ID, EC2 returns burstable performance instances with the
 * unlimited credit option"; one that is named must have credits.
 */
int describe_instance_credit_specifications(struct call *call, struct error *error)
{
	static const struct field fields[] = {
		FIELD_GET_OF(get_id, "instanceId", "instance-id"),
		FIELD_GET_OF(get_credits, "cpuCredits", NULL),
		FIELD_END,
	};
	static const struct listing listing = {
		.list = "instanceCreditSpecificationSet",
		.kind = KIND_INSTANCE,
		.ids = "InstanceId",
		.fields = fields,
		.no_tags = true,
		.minimum = 5,
		.maximum = 1000,
	};
	const bool named = call_has_list(call, listing.ids);
	CLEANUP(rows_clear) struct rows rows = { NULL, 0 };
	int r = resource_rows(call, &listing, &rows, error);

	for (size_t i = rows.count; r == 0 && i-- > 0;) {
		const struct instance *instance = rows.items[i].object;
		const char *credits = instance_cpu_credits(instance);

		if (named && !credits)
			return error_set(error, ERROR_CREDITS_NOT_SUPPORTED,
					 "The instance '%s' is of the type %s, which has no CPU "
					 "credits.",
					 rid_format(instance->resource.id).text,
					 instance->options.type);
		if (!named && !streq(credits, "unlimited"))
			array_remove(rows.items, &rows.count, i);
	}
	return r < 0 ? r : describe_rows(call, &listing, &rows, error);
}

/* What can't be for one instance is told in the reply, and is no error of the call. */
static const char *why_no_credits(const struct instance *instance, const char **ret_code)
{
	*ret_code = "InstanceCreditSpecification.NotSupported";
	if (!instance_cpu_credits(instance))
		return "The instance's type has no CPU credits.";
	*ret_code = "IncorrectInstanceState";
	if (instance->state == INSTANCE_SHUTTING_DOWN || instance->state == INSTANCE_TERMINATED)
		return "The instance is terminated.";
	return NULL;
}

static void reply_unsuccessful(struct call *call, const struct instance *instance, const char *code,
			       const char *message)
{
	xml_open(call->xml, "item");
	xml_text(call->xml, "instanceId", rid_format(instance->resource.id).text);
	xml_open(call->xml, "error");
	xml_text(call->xml, "code", code);
	xml_text(call->xml, "message", message);
	xml_close(call->xml);
	xml_close(call->xml);
}

/* The instance and word of InstanceCreditSpecification.N. */
static int read_credits(const struct call *call, unsigned int n, struct instance **ret_instance,
			const char **ret_credits, struct error *error)
{
	CLEANUP(freep) char *name = xasprintf("InstanceCreditSpecification.%u.InstanceId", n);
	const char *text = params_get(call->params, "InstanceCreditSpecification.%u.CpuCredits", n);
	int r;

	if (!text || !*text)
		return error_set(error, ERROR_MISSING_PARAMETER,
				 "The request must contain the parameter "
				 "InstanceCreditSpecification.%u.CpuCredits",
				 n);
	if ((r = check_cpu_credits(text, error)) < 0)
		return r;
	*ret_credits = text;
	return call_resource(call, name, KIND_INSTANCE, ret_instance, error);
}

static int change_credits(struct call *call, bool successful, struct error *error)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	const size_t count = params_indices(call->params, "InstanceCreditSpecification", &indices);

	for (size_t i = 0; i < count; i++) {
		struct instance *instance;
		const char *credits = NULL, *code, *why;
		int r = read_credits(call, indices[i], &instance, &credits, error);

		if (r < 0)
			return r;
		why = why_no_credits(instance, &code);
		if (why && !successful) {
			reply_unsuccessful(call, instance, code, why);
		} else if (!why && successful) {
			transaction_edit(&call->transaction, instance);
			set_text(&instance->options.cpu_credits, credits);
			xml_open(call->xml, "item");
			xml_text(call->xml, "instanceId", rid_format(instance->resource.id).text);
			xml_close(call->xml);
		}
	}
	return 0;
}

int modify_instance_credit_specification(struct call *call, struct error *error)
{
	int r;

	xml_open(call->xml, "successfulInstanceCreditSpecificationSet");
	if ((r = change_credits(call, true, error)) < 0)
		return r;
	xml_close(call->xml);
	xml_open(call->xml, "unsuccessfulInstanceCreditSpecificationSet");
	r = change_credits(call, false, error);
	xml_close(call->xml);
	return r;
}

/* ---- detailed monitoring ---- */

static int set_monitoring(struct call *call, bool on, struct error *error)
{
	static const struct listing listing = { .kind = KIND_INSTANCE, .ids = "InstanceId" };
	CLEANUP(rows_clear) struct rows rows = { NULL, 0 };
	int r = resource_rows(call, &listing, &rows, error);

	if (r < 0)
		return r;
	xml_open(call->xml, "instancesSet");
	for (size_t i = 0; i < rows.count; i++) {
		struct instance *instance =
			instance_get(call_model(call), rows.items[i].resource->id);

		transaction_edit(&call->transaction, instance);
		instance->options.monitoring = on;
		xml_open(call->xml, "item");
		xml_text(call->xml, "instanceId", rid_format(instance->resource.id).text);
		reply_member(call, "monitoring", instance);
		xml_close(call->xml);
	}
	xml_close(call->xml);
	return 0;
}

int monitor_instances(struct call *call, struct error *error)
{
	return set_monitoring(call, true, error);
}

int unmonitor_instances(struct call *call, struct error *error)
{
	return set_monitoring(call, false, error);
}

/* ---- maintenance ---- */

int modify_instance_maintenance_options(struct call *call, struct error *error)
{
	static const char *const refused[] = { "RebootMigration", NULL };
	const char *text = call_text(call, "AutoRecovery");
	struct instance *instance;
	int r;

	if ((r = call_resource(call, "InstanceId", KIND_INSTANCE, &instance, error)) < 0 ||
	    (r = call_refuse(call, refused, error)) < 0)
		return r;
	if (!text || !*text)
		return call_check_one(0, error);
	if ((r = check_auto_recovery(text, error)) < 0)
		return r;
	transaction_edit(&call->transaction, instance);
	set_text(&instance->options.auto_recovery, text);
	xml_text(call->xml, "instanceId", rid_format(instance->resource.id).text);
	xml_text(call->xml, "autoRecovery", text);
	return 0;
}

/* ---- names ---- */

int modify_private_dns_name_options(struct call *call, struct error *error)
{
	const char *type = call_text(call, "PrivateDnsHostnameType");
	bool a, aaaa;
	const struct name_request wanted = {
		.type = type && *type ? type : NULL,
		.a = call_optional_bool(call, "EnableResourceNameDnsARecord", &a),
		.aaaa = call_optional_bool(call, "EnableResourceNameDnsAAAARecord", &aaaa),
	};
	struct instance *instance;
	int r;

	if ((r = call_resource(call, "InstanceId", KIND_INSTANCE, &instance, error)) < 0)
		return r;
	if (!wanted.type && !wanted.a && !wanted.aaaa)
		return call_check_one(0, error);
	if ((wanted.type && (r = check_hostname_type(type, "privateDnsHostnameType", error)) < 0) ||
	    (r = instance_set_names(&call->transaction, instance, &wanted, error)) < 0)
		return r;
	return reply_true(call);
}

/* ---- the console ---- */

int get_console_output(struct call *call, struct error *error)
{
	struct api_console console = { .text = BUFFER_INIT };
	struct instance *instance;
	int r = call_resource(call, "InstanceId", KIND_INSTANCE, &instance, error);

	if (r < 0 || (r = call->hooks->console(call->hooks->context, instance->resource.id,
					       API_CONSOLE_END, &console, error)) < 0)
		return r;
	xml_text(call->xml, "instanceId", rid_format(instance->resource.id).text);
	xml_time(call->xml, "timestamp", console.time ? console.time : instance->launch_time);
	xml_bytes(call->xml, "output", &console.text);
	buffer_clear(&console.text);
	return 0;
}
