/*
 * The private actions behind `minivpc ps`, `actions`, `exec` and `internet`. They see every account
 * and region of the world: whoever holds its secret is its owner.
 */
#include "api/actions.h"
#include "model/acl.h"
#include "model/group.h"
#include "model/instance.h"
#include "model/interface.h"
#include "model/internet.h"

#include <limits.h>

static void reply_instance(struct call *call, struct instance *instance)
{
	/* Where the list's elements are in the instance's own descriptor. */
	static const char *const names[] = { "instanceId", "subnetId", "vpcId",
					     "privateIpAddress" };
	const struct resource *resource = &instance->resource;
	struct view view = { call_model(call), resource, resource };
	CLEANUP(buffer_clear) struct buffer scratch = BUFFER_INIT;
	struct buffer zone = BUFFER_INIT;

	xml_open(call->xml, "item");
	for (const struct field *field = instance_type.fields; field->name; field++)
		for (size_t i = 0; i < ARRAY_SIZE(names); i++)
			if (streq(field->name, names[i]) && (field->flags & FIELD_SHOWN))
				xml_text(call->xml, names[i], field_text(field, &view, &scratch));
	xml_text(call->xml, "name", resource_tag(resource, "Name"));
	xml_text(call->xml, "state", instance_state_names[instance->state]);
	xml_text(call->xml, "availabilityZone",
		 zone_name_of(resource->scope, instance->zone, &zone));
	xml_text(call->xml, "publicIpAddress", member_text(call, "ipAddress", instance, &scratch));
	xml_text(call->xml, "region", resource->scope->region);
	xml_text(call->xml, "account", resource->scope->account);
	xml_close(call->xml);
	buffer_clear(&zone);
}

/* The table of actions, but for our own. */
int list_actions(struct call *call, struct error *error)
{
	static const char *const effects[] = {
		[ACTION_READ] = "read",
		[ACTION_RECORDED] = "recorded",
		[ACTION_ENFORCED] = "enforced",
	};

	(void)error;
	xml_open(call->xml, "actionSet");
	for (const struct action *action = actions; action->name; action++) {
		if (streq(action->service, "minivpc"))
			continue;
		xml_open(call->xml, "item");
		xml_text(call->xml, "action", action->name);
		xml_text(call->xml, "service", action->service);
		xml_text(call->xml, "effect", effects[action->effect]);
		xml_close(call->xml);
	}
	xml_close(call->xml);
	return 0;
}

int list_instances(struct call *call, struct error *error)
{
	const struct model *model = call_model(call);

	(void)error;
	xml_open(call->xml, "instanceSet");
	for (size_t i = 0; i < model->scope_count; i++) {
		for_each_resource (struct instance, instance, model->scopes[i], KIND_INSTANCE)
			reply_instance(call, instance);
	}
	xml_close(call->xml);
	return 0;
}

int find_instance(const struct call *call, const char *text, struct instance **ret,
		  struct error *error)
{
	struct instance *found = NULL;
	struct rid id;
	int r;

	if (rid_parse(text, KIND_INSTANCE, &id) == 0)
		found = instance_get(call_model(call), id);
	if (!found && (r = instance_named(call_model(call), text, &found, error)) < 0)
		return r;
	if (!found)
		return error_subject(error, ERROR_NOT_FOUND, "i",
				     "There is no instance '%s': minivpc ps lists them", text);
	*ret = found;
	return 0;
}

/* Who judges the interface's packets now: they may have come and gone while it was counted. */
static void reply_judge(struct call *call, const struct api_drop *drop,
			const struct interface *interface)
{
	const struct model *model = call_model(call);

	if (drop->reason == API_DROP_NETWORK_ACL) {
		const struct acl *acl = acl_of(subnet_get(model, interface->subnet));

		if (drop->rule == ACL_NUMBER_LAST)
			xml_text(call->xml, "ruleNumber", "*");
		else
			xml_int(call->xml, "ruleNumber", drop->rule);
		xml_text(call->xml, "networkAclId", rid_format(acl->resource.id).text);
	} else if (drop->reason == API_DROP_SECURITY_GROUP) {
		xml_open(call->xml, "groupSet");
		for (size_t i = 0; i < interface->group_count; i++) {
			xml_open(call->xml, "item");
			xml_text(call->xml, "groupId", rid_format(interface->groups[i].id).text);
			xml_close(call->xml);
		}
		xml_close(call->xml);
	}
}

static void reply_drop(struct call *call, const struct api_drop *drop,
		       const struct interface *interface)
{
	static const char *const reasons[] = {
		[API_DROP_SOURCE_CHECK] = "source-check",
		[API_DROP_SECURITY_GROUP] = "security-group",
		[API_DROP_NETWORK_ACL] = "network-acl",
	};
	const struct scope *scope = interface->resource.scope;
	const struct instance *instance = instance_get(call_model(call), interface->instance);

	xml_open(call->xml, "item");
	xml_text(call->xml, "networkInterfaceId", rid_format(interface->resource.id).text);
	if (instance) {
		xml_text(call->xml, "instanceId", rid_format(instance->resource.id).text);
		xml_text(call->xml, "name", resource_tag(&instance->resource, "Name"));
	}
	xml_text(call->xml, "privateIpAddress", address_format(interface->address).text);
	xml_text(call->xml, "subnetId", rid_format(interface->subnet).text);
	xml_text(call->xml, "vpcId", rid_format(interface->vpc).text);
	xml_text(call->xml, "reason", reasons[drop->reason]);
	xml_text(call->xml, "direction", drop->egress ? "egress" : "ingress");
	reply_judge(call, drop, interface);
	xml_int(call->xml, "packets", (int64_t)drop->packets);
	xml_int(call->xml, "bytes", (int64_t)drop->bytes);
	xml_text(call->xml, "region", scope->region);
	xml_text(call->xml, "account", scope->account);
	xml_close(call->xml);
}

int list_drops(struct call *call, struct error *error)
{
	const struct api_hooks *hooks = call->hooks;
	const char *wanted = call_text(call, "Instance");
	struct api_drop_list drops = { NULL, 0 };
	struct instance *instance = NULL;
	int r;

	if ((wanted && (r = find_instance(call, wanted, &instance, error)) < 0) ||
	    (r = hooks->drops(hooks->context, &drops, error)) < 0)
		return r;
	xml_open(call->xml, "dropSet");
	for (size_t i = 0; i < drops.count; i++) {
		const struct interface *interface =
			interface_get(call_model(call), drops.items[i].interface);

		if (!instance || rid_equal(interface->instance, instance->resource.id))
			reply_drop(call, &drops.items[i], interface);
	}
	xml_close(call->xml);
	free(drops.items);
	return 0;
}

static void reply_process(struct call *call, int64_t pid, int64_t start_time)
{
	xml_int(call->xml, "pid", pid);
	xml_int(call->xml, "startTime", start_time);
}

int get_instance_process(struct call *call, struct error *error)
{
	struct instance *instance = NULL;
	int r;

	if ((r = find_instance(call, call_text(call, "Instance"), &instance, error)) < 0)
		return r;
	if (!instance_is_live(instance) || !instance->pid)
		return error_set(error, ERROR_INSTANCE_STATE,
				 "The instance '%s' is %s, not running",
				 rid_format(instance->resource.id).text,
				 instance_state_names[instance->state]);
	xml_text(call->xml, "instanceId", rid_format(instance->resource.id).text);
	reply_process(call, instance->pid, instance->start_time);
	if (call->hooks->is_rebooting(call->hooks->context, instance->resource.id))
		xml_text(call->xml, "rebooting", "true");
	return 0;
}

int get_instance_console(struct call *call, struct error *error)
{
	const char *from = call_text(call, "From");
	struct api_console console = { .text = BUFFER_INIT };
	struct instance *instance = NULL;
	long position = 0;
	int r;

	if ((from && (r = params_int(from, "From", 0, LONG_MAX, &position, error)) < 0) ||
	    (r = find_instance(call, call_text(call, "Instance"), &instance, error)) < 0 ||
	    (r = call->hooks->console(call->hooks->context, instance->resource.id,
				      from ? (uint64_t)position : API_CONSOLE_END, &console,
				      error)) < 0)
		return r;
	xml_text(call->xml, "instanceId", rid_format(instance->resource.id).text);
	xml_text(call->xml, "state", instance_state_names[instance->state]);
	xml_bytes(call->xml, "output", &console.text);
	xml_int(call->xml, "end", (int64_t)console.end);
	buffer_clear(&console.text);
	return 0;
}

static void reply_capture_point(struct call *call, struct rid subject, struct rid namespace,
				const char *device)
{
	xml_text(call->xml, "id", rid_format(subject).text);
	xml_text(call->xml, "namespace", rid_format(namespace).text);
	xml_text(call->xml, "device", device);
}

/* An interface's packets pass its subnet's end of the link, where nobody in the instance can
 * interfere. */
static int reply_link(struct call *call, struct rid subject, const struct interface *interface)
{
	reply_capture_point(call, subject, interface->subnet,
			    rid_device(interface->resource.id).text);
	return 0;
}

/* Where the packets of a thing pass: a namespace, and of an interface the device in it. */
int get_capture_point(struct call *call, struct error *error)
{
	const char *target = call_text(call, "Target");
	struct resource *resource = NULL;
	struct instance *instance;
	struct rid id = { KIND_NONE, 0 };
	int r;

	if (rid_parse_any(target, &id) == 0)
		resource = model_get(call_model(call), NULL, id);
	if (resource && id.kind == KIND_NETWORK_INTERFACE)
		return reply_link(call, id, (const struct interface *)resource);
	if (resource &&
	    (id.kind == KIND_VPC || id.kind == KIND_SUBNET || id.kind == KIND_INTERNET_GATEWAY ||
	     id.kind == KIND_NAT_GATEWAY || id.kind == KIND_VPC_PEERING)) {
		reply_capture_point(call, id, id, NULL);
		return 0;
	}
	if (!resource && rid_is_set(id) && id.kind != KIND_INSTANCE)
		return error_set(error, ERROR_NOT_FOUND, "There is no '%s'", target);
	if (resource && id.kind != KIND_INSTANCE)
		return error_set(
			error, ERROR_INVALID_PARAMETER_VALUE,
			"No packets pass '%s': instances, network interfaces, subnets, VPCs, "
			"internet gateways, NAT gateways and peering connections have some",
			target);
	if ((r = find_instance(call, target, &instance, error)) < 0)
		return r;
	if (instance->state == INSTANCE_TERMINATED)
		return error_set(error, ERROR_INSTANCE_STATE,
				 "The instance '%s' is terminated: it has no interface", target);
	return reply_link(call, instance->resource.id,
			  instance_primary(call_model(call), instance));
}

/* By its name; without one the world's own. */
static int find_host(const struct call *call, struct internet_host **ret, struct error *error)
{
	const char *name = call_text(call, "Name");

	*ret = name ? internet_host_find(call_model(call), name)
		    : internet_host_get(call_model(call));
	if (!*ret)
		return error_set(error, ERROR_NOT_FOUND, "There is no Internet host '%s'", name);
	return 0;
}

static void reply_host(struct call *call, const struct internet_host *host)
{
	xml_text(call->xml, "name", internet_host_name(host));
	xml_text(call->xml, "address", address_format(host->address).text);
	xml_text(call->xml, "state", host->running ? "running" : "stopped");
}

int get_internet_address(struct call *call, struct error *error)
{
	struct internet_host *host;
	int r = find_host(call, &host, error);

	if (r < 0)
		return r;
	internet_realize(&call->transaction); /* who asks is about to send packets there */
	xml_text(call->xml, "address", address_format(host->address).text);
	return 0;
}

int get_internet_host(struct call *call, struct error *error)
{
	const struct api_hooks *hooks = call->hooks;
	struct internet_host *host;
	int r = find_host(call, &host, error);

	if (r < 0)
		return r;
	internet_realize(&call->transaction);
	if ((r = hooks->commit(hooks->context, &call->transaction, error)) < 0)
		return r;
	xml_text(call->xml, "address", address_format(host->address).text);
	reply_process(call, host->pid, host->start_time);
	return 0;
}

int create_internet_host(struct call *call, struct error *error)
{
	const char *name = call_text(call, "Name"), *address = call_text(call, "Address");
	struct internet_host *host;
	int r = internet_host_create(&call->transaction, name, address, &host, error);

	if (r == 0)
		reply_host(call, host);
	return r;
}

int list_internet_hosts(struct call *call, struct error *error)
{
	(void)error;
	xml_open(call->xml, "hostSet");
	for_each_internet_host (host, call_model(call)) {
		xml_open(call->xml, "item");
		reply_host(call, host);
		xml_close(call->xml);
	}
	xml_close(call->xml);
	return 0;
}

int delete_internet_host(struct call *call, struct error *error)
{
	struct internet_host *host;
	int r;

	if ((r = find_host(call, &host, error)) < 0 ||
	    (r = internet_host_end(&call->transaction, host, error)) < 0)
		return r;
	return reply_true(call);
}
