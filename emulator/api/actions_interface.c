/* The attributes of network interfaces and instances. */
#include "api/actions.h"
#include "api/interface_params.h"
#include "api/launch_options.h"
#include "api/volume_params.h"
#include "model/catalog.h"
#include "model/instance.h"

/* ---- what both kinds have ---- */

static int set_groups(struct call *call, struct interface *interface, const char *name,
		      struct error *error)
{
	CLEANUP(freep) struct rid_item *groups = NULL;
	size_t count = 0;
	int r = call_groups(call, name, &groups, &count, error);

	return r < 0 ? r
		     : interface_set_groups(&call->transaction, interface, groups, count, error);
}

/* <attribute><value>…</value></attribute>; an absent value leaves <attribute/>. */
static void reply_value(struct call *call, const char *attribute, const char *value)
{
	xml_open(call->xml, attribute);
	xml_text(call->xml, "value", value);
	xml_close(call->xml);
}

static int unknown_attribute(const char *attribute, struct error *error)
{
	return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
			 "Value (%s) for parameter attribute is invalid. Unknown attribute.",
			 attribute);
}

/* ---- network interfaces ---- */

static int set_attachment(struct call *call, struct interface *interface, struct error *error)
{
	const char *text = call_text(call, "Attachment.AttachmentId");
	bool storage;
	const bool *delete = call_optional_bool(call, "Attachment.DeleteOnTermination", &storage);
	struct rid id;

	if (!text || !delete)
		return error_set(
			error, ERROR_MISSING_PARAMETER, "The request must contain the parameter %s",
			text ? "Attachment.DeleteOnTermination" : "Attachment.AttachmentId");
	if (rid_parse(text, KIND_ATTACHMENT, &id) < 0)
		return malformed(KIND_ATTACHMENT, text, error);
	if (!rid_equal(id, interface->attachment))
		return not_found(KIND_ATTACHMENT, text, false, error);
	transaction_edit(&call->transaction, interface);
	interface->delete_on_termination = *delete;
	return 0;
}

int modify_network_interface_attribute(struct call *call, struct error *error)
{
	static const char *const refused[] = {
		"ConnectionTrackingSpecification.TcpEstablishedTimeout",
		"ConnectionTrackingSpecification.UdpStreamTimeout",
		"ConnectionTrackingSpecification.UdpTimeout",
		"AssociatePublicIpAddress",
		"AssociatedSubnetId",
		"Attachment.DefaultEnaQueueCount",
		"Attachment.EnaQueueCount",
		NULL,
	};
	const char *description = call_text(call, "Description.Value");
	bool storage, groups = call_has_list(call, "SecurityGroupId");
	const bool *check = call_optional_bool(call, "SourceDestCheck.Value", &storage);
	bool attachment = call_text(call, "Attachment.AttachmentId") ||
			  call_text(call, "Attachment.DeleteOnTermination");
	struct interface *interface;
	int r;

	if ((r = call_interface(call, &interface, error)) < 0 ||
	    (r = call_refuse(call, refused, error)) < 0 ||
	    (r = call_refuse_ipv6(call, "", error)) < 0 ||
	    (r = call_check_one((size_t) !!description + !!check + groups + attachment, error)) < 0)
		return r;
	if (check)
		interface_set_source_dest_check(&call->transaction, interface, *check);
	if (description)
		interface_set_description(&call->transaction, interface, description);
	if ((groups && (r = set_groups(call, interface, "SecurityGroupId", error)) < 0) ||
	    (attachment && (r = set_attachment(call, interface, error)) < 0))
		return r;
	return reply_true(call);
}

int reset_network_interface_attribute(struct call *call, struct error *error)
{
	struct interface *interface;
	int r = call_interface(call, &interface, error);

	if (r < 0)
		return r;
	if (!call_text(call, "SourceDestCheck"))
		return call_check_one(0, error);
	interface_set_source_dest_check(&call->transaction, interface, true);
	return reply_true(call);
}

int describe_network_interface_attribute(struct call *call, struct error *error)
{
	const char *attribute = call_text(call, "Attribute");
	struct interface *interface;
	int r = call_resource(call, "NetworkInterfaceId", KIND_NETWORK_INTERFACE, &interface,
			      error);

	if (r < 0)
		return r;
	if (!attribute || !*attribute)
		return error_set(error, ERROR_MISSING_PARAMETER,
				 "The request must contain the parameter attribute");
	xml_text(call->xml, "networkInterfaceId", rid_format(interface->resource.id).text);
	if (streq(attribute, "description"))
		reply_value(call, attribute, interface->description);
	else if (streq(attribute, "sourceDestCheck"))
		reply_value(call, attribute, interface->source_dest_check ? "true" : "false");
	else if (streq(attribute, "groupSet") || streq(attribute, "attachment"))
		reply_member(call, attribute, interface);
	else if (streq(attribute, "associatePublicIpAddress"))
		xml_bool(call->xml, attribute, interface->auto_public);
	else
		return unknown_attribute(attribute, error);
	return 0;
}

/* ---- instances ---- */

static const char *const shutdown_behaviors[] = { "stop", "terminate" };

static int set_shutdown_behavior(struct instance *instance, const char *value, struct error *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(shutdown_behaviors); i++)
		if (streq(value, shutdown_behaviors[i])) {
			free(instance->options.shutdown_behavior);
			instance->options.shutdown_behavior = xstrdup(value);
			return 0;
		}
	return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
			 "Value (%s) for parameter instanceInitiatedShutdownBehavior is invalid.",
			 value);
}

/* Interfaces hold what an instance shows of the network; a terminated one has none. */
static int primary_of(struct call *call, const struct instance *instance,
		      struct interface **ret_interface, struct error *error)
{
	if (instance_primary(call_model(call), instance))
		return instance_sole_interface(call_model(call), instance, ret_interface, error);
	return error_set(error, ERROR_INSTANCE_STATE,
			 "The instance '%s' is not in a state from which it can be modified.",
			 rid_format(instance->resource.id).text);
}

static int set_instance_groups(struct call *call, const struct instance *instance,
			       struct error *error)
{
	CLEANUP(freep) struct rid_item *groups = NULL;
	struct interface *interface;
	size_t count = 0;
	int r;

	/* What isn't there is told before what is in a wrong state. */
	if ((r = call_groups(call, "GroupId", &groups, &count, error)) < 0 ||
	    (r = primary_of(call, instance, &interface, error)) < 0)
		return r;
	return set_groups(call, interface, "GroupId", error);
}

static int set_flag(struct call *call, struct instance *instance, const char *attribute,
		    const char *value, struct error *error)
{
	struct interface *interface;
	bool flag = false;
	int r = params_bool(value, attribute, &flag, error);

	if (r < 0)
		return r;
	if (streq(attribute, "disableApiTermination")) {
		instance->options.disable_api_termination = flag;
	} else if (streq(attribute, "disableApiStop")) {
		instance->options.disable_api_stop = flag;
	} else if (streq(attribute, "ebsOptimized")) {
		if ((r = instance_check_stopped(instance, error)) < 0)
			return r;
		instance->options.ebs_optimized = flag;
	} else {
		if ((r = primary_of(call, instance, &interface, error)) < 0)
			return r;
		interface_set_source_dest_check(&call->transaction, interface, flag);
	}
	return 0;
}

static int set_type(struct call *call, struct instance *instance, const char *type,
		    struct error *error)
{
	if (!instance_type_find(type))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Invalid value '%s' for InstanceType.", type);
	return instance_set_type(&call->transaction, instance, type, error);
}

/* "" leaves none. */
static int set_user_data(struct instance *instance, const char *text, struct error *error)
{
	int r;

	if ((r = instance_check_stopped(instance, error)) < 0 ||
	    (r = check_user_data(text, error)) < 0)
		return r;
	freep(&instance->options.user_data);
	if (*text)
		instance->options.user_data = xstrdup(text);
	return 0;
}

/* The attributes that one value sets: as `Name.Value`, or as Attribute=name and Value. */
static const struct settable {
	const char *attribute, *parameter;
} settables[] = {
	{ "disableApiTermination", "DisableApiTermination.Value" },
	{ "disableApiStop", "DisableApiStop.Value" },
	{ "sourceDestCheck", "SourceDestCheck.Value" },
	{ "instanceInitiatedShutdownBehavior", "InstanceInitiatedShutdownBehavior.Value" },
	{ "instanceType", "InstanceType.Value" },
	{ "userData", "UserData.Value" },
	{ "ebsOptimized", "EbsOptimized.Value" },
};

/* Which one the call sets; NULL when it is none of these. `ret_given` counts them. */
static const char *read_settable(const struct call *call, const char **ret_value, size_t *ret_given)
{
	const char *old = call_text(call, "Attribute"), *found = NULL;

	*ret_given = 0;
	for (size_t i = 0; i < ARRAY_SIZE(settables); i++) {
		const char *value = call_text(call, settables[i].parameter);

		if (!value && streq(old, settables[i].attribute))
			value = call_text(call, "Value");
		if (!value)
			continue;
		++*ret_given;
		*ret_value = value;
		found = settables[i].attribute;
	}
	return found;
}

/* Attribute, where it is given, names what the call changes: `changed`. */
static int check_named(const struct call *call, const char *changed, struct error *error)
{
	const char *named = call_text(call, "Attribute");

	if (call_text(call, "Value") && !named)
		return error_set(error, ERROR_MISSING_PARAMETER,
				 "The request must contain the parameter attribute");
	return call_check_one(!named || streq(named, changed) ? 1 : 2, error);
}

int modify_instance_attribute(struct call *call, struct error *error)
{
	static const char *const refused[] = {
		"Kernel.Value", "Ramdisk.Value", "SriovNetSupport.Value", "EnaSupport.Value", NULL,
	};
	const char *value = NULL, *old = call_text(call, "Attribute");
	bool groups = call_has_list(call, "GroupId");
	bool devices = call_has_list(call, "BlockDeviceMapping");
	struct instance *instance;
	const char *attribute;
	size_t given;
	int r;

	if ((r = call_resource(call, "InstanceId", KIND_INSTANCE, &instance, error)) < 0 ||
	    (r = call_refuse(call, refused, error)) < 0)
		return r;
	attribute = read_settable(call, &value, &given);
	if (old && !given && !groups && !devices)
		return error_set(error, ERROR_UNSUPPORTED_OPERATION,
				 "The attribute %s can't be modified.", old);
	if (groups || devices)
		attribute = groups ? "groupSet" : "blockDeviceMapping";
	if ((r = call_check_one(given + groups + devices, error)) < 0 ||
	    (r = check_named(call, attribute, error)) < 0)
		return r;
	transaction_edit(&call->transaction, instance);
	if (groups)
		r = set_instance_groups(call, instance, error);
	else if (devices)
		r = modify_volumes(call, instance, error);
	else if (streq(attribute, "instanceInitiatedShutdownBehavior"))
		r = set_shutdown_behavior(instance, value, error);
	else if (streq(attribute, "instanceType"))
		r = set_type(call, instance, value, error);
	else if (streq(attribute, "userData"))
		r = set_user_data(instance, value, error);
	else
		r = set_flag(call, instance, attribute, value, error);
	return r < 0 ? r : reply_true(call);
}

int describe_instance_attribute(struct call *call, struct error *error)
{
	/* The descriptor's member of the same value; NULL: an instance here never has one. */
	static const struct {
		const char *attribute, *member;
	} values[] = {
		{ "instanceType", "instanceType" },
		{ "userData", "userData" },
		{ "disableApiTermination", "disableApiTermination" },
		{ "disableApiStop", "disableApiStop" },
		{ "instanceInitiatedShutdownBehavior", "shutdownBehavior" },
		{ "rootDeviceName", "rootDeviceName" },
		{ "sourceDestCheck", "sourceDestCheck" },
		{ "ebsOptimized", "ebsOptimized" },
		{ "enaSupport", "enaSupport" },
		{ "kernel", NULL },
		{ "ramdisk", NULL },
		{ "sriovNetSupport", NULL },
		{ "productCodes", NULL },
	};
	const char *attribute = call_text(call, "Attribute");
	CLEANUP(buffer_clear) struct buffer scratch = BUFFER_INIT;
	struct instance *instance;
	int r = call_resource(call, "InstanceId", KIND_INSTANCE, &instance, error);

	if (r < 0)
		return r;
	xml_text(call->xml, "instanceId", rid_format(instance->resource.id).text);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		if (streq(attribute, values[i].attribute)) {
			reply_value(call, attribute,
				    member_text(call, values[i].member, instance, &scratch));
			return 0;
		}
	if (!streq(attribute, "groupSet") && !streq(attribute, "blockDeviceMapping") &&
	    !streq(attribute, "enclaveOptions"))
		return unknown_attribute(attribute, error);
	reply_member(call, attribute, instance);
	return 0;
}
