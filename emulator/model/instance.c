/* The verbs of instances: see instance.h. What clients see is in instance_fields.c. */
#include "model/attachment.h"

#include "model/catalog.h"
#include "model/elastic_ip.h"
#include "model/fault.h"

/* The codes are multiples of 16, in this order: that is why the enumeration has it. */
const char *const instance_state_names[] = {
	"pending", "running", "shutting-down", "terminated", "stopping", "stopped", NULL,
};
static_assert(ARRAY_SIZE(instance_state_names) == INSTANCE_STATE_MAX + 1, "every state has a name");

int instance_state_code(int state)
{
	return state * 16;
}

bool instance_is_live(const struct instance *instance)
{
	return instance->state == INSTANCE_PENDING || instance->state == INSTANCE_RUNNING ||
	       instance->state == INSTANCE_STOPPING;
}

struct instance *instance_get(const struct model *model, struct rid id)
{
	return (struct instance *)model_get(model, NULL, id);
}

int instance_named(const struct model *model, const char *name, struct instance **ret_instance,
		   struct error *error)
{
	struct instance *found = NULL;
	size_t matches = 0;

	for (size_t i = 0; i < model->scope_count; i++) {
		for_each_resource (struct instance, instance, model->scopes[i], KIND_INSTANCE) {
			if (instance->state != INSTANCE_TERMINATED &&
			    streq(resource_tag(&instance->resource, "Name"), name)) {
				found = instance;
				matches++;
			}
		}
	}
	if (matches > 1)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "%zu instances are named '%s': use an instance id", matches, name);
	*ret_instance = found;
	return 0;
}

struct interface *instance_primary(const struct model *model, const struct instance *instance)
{
	return instance->interface_count ? interface_get(model, instance->interfaces[0].id) : NULL;
}

void instance_host_name(const struct model *model, const struct instance *instance,
			struct buffer *name)
{
	const struct interface *interface = instance_primary(model, instance);

	if (!interface)
		return;
	if (streq(instance->options.hostname_type, "resource-name"))
		buffer_puts(name, rid_format(instance->resource.id).text);
	else
		host_label(interface->address, "ip", name);
}

int instance_sole_interface(const struct model *model, const struct instance *instance,
			    struct interface **ret_interface, struct error *error)
{
	const struct rid_text id = rid_format(instance->resource.id);

	if (instance->interface_count > 1)
		return error_set(error, ERROR_INSTANCE_ID,
				 "There are multiple interfaces attached to instance '%s'. Please "
				 "specify an interface ID for the operation instead.",
				 id.text);
	if (!instance->interface_count)
		return error_set(error, ERROR_INSTANCE_ID,
				 "There is no interface attached to instance '%s'.", id.text);
	*ret_interface = instance_primary(model, instance);
	return 0;
}

/* EC2 guide, "Public IPv4 addresses". */
bool instance_may_have_public(const struct model *model, const struct instance *instance)
{
	const struct interface *interface = instance_primary(model, instance);

	if (!interface || !interface->auto_public || instance->interface_count > 1)
		return false;
	for_each_interface_address(address, interface)
	{
		if (elastic_ip_at(model, interface->resource.id, address))
			return false;
	}
	return true;
}

/* EC2 guide, "Burstable performance instances": T2 are standard unless told, the others not. */
const char *instance_cpu_credits(const struct instance *instance)
{
	const struct instance_template *options = &instance->options;

	if (!instance_type_is_burstable(options->type))
		return NULL;
	if (options->cpu_credits)
		return options->cpu_credits;
	return strncmp(options->type, "t2.", 3) == 0 ? "standard" : "unlimited";
}

/* Takes `reason` over. */
static void set_reason(struct instance *instance, char *reason, const char *code,
		       const char *message)
{
	free(instance->reason);
	free(instance->reason_code);
	free(instance->reason_message);
	instance->reason = reason;
	instance->reason_code = xstrdup_null(code);
	instance->reason_message = code ? xasprintf("%s: %s", code, message) : NULL;
}

static void set_reason_user(struct instance *instance, int64_t now)
{
	CLEANUP(buffer_clear) struct buffer when = BUFFER_INIT;

	/* "User initiated (2024-01-01 00:00:00 GMT)" */
	buffer_time(&when, now);
	set_reason(instance,
		   xasprintf("User initiated (%.10s %.8s GMT)", when.data, when.data + 11),
		   "Client.UserInitiatedShutdown", "User initiated shutdown");
}

static void set_reason_itself(struct instance *instance, bool orderly)
{
	if (orderly)
		set_reason(instance, NULL, "Client.InstanceInitiatedShutdown",
			   "Instance initiated shutdown");
	else
		set_reason(instance, xstrdup("Server.InternalError"), "Server.InternalError",
			   "Internal error");
}

static void copy_options(struct instance_template *to, const struct instance_template *from)
{
	*to = *from;
	to->image_id = xstrdup(from->image_id);
	to->type = xstrdup(from->type);
	to->user_data = xstrdup_null(from->user_data);
	to->key_name = xstrdup_null(from->key_name);
	to->public_key = xstrdup_null(from->public_key);
	to->client_token = xstrdup_null(from->client_token);
	to->token_digest = xstrdup_null(from->token_digest);
	to->shutdown_behavior = xstrdup(from->shutdown_behavior);
	to->tenancy = xstrdup(from->tenancy);
	to->cpu_credits = xstrdup_null(from->cpu_credits);
	to->auto_recovery = xstrdup_null(from->auto_recovery);
	to->http_tokens = xstrdup(from->http_tokens);
	to->http_endpoint = xstrdup(from->http_endpoint);
	to->metadata_tags = xstrdup(from->metadata_tags);
	to->metadata_ipv6 = xstrdup(from->metadata_ipv6);
}

/* ---- launching ---- */

static struct subnet *launch_subnet(const struct launch_request *request)
{
	return request->interfaces[0].make.subnet;
}

/* One card that is made with the instance may have a public address; others never do. */
static bool wants_public(const struct launch_request *request)
{
	if (request->interface_count > 1 || request->interfaces[0].existing)
		return false;
	return request->public_address ? *request->public_address
				       : launch_subnet(request)->map_public_ip;
}

static int attach_one(struct transaction *transaction, struct instance *instance,
		      const struct launch_request *request, size_t index, struct error *error)
{
	const struct launch_interface *wanted = &request->interfaces[index];
	struct interface *interface = wanted->existing;
	int r;

	if (!interface && (r = interface_create(transaction, &wanted->make, &interface, error)) < 0)
		return r;
	attachment_make(transaction, instance, interface, wanted->device_index,
			wanted->delete_on_termination);
	interface->auto_public = wants_public(request);
	return interface->auto_public ? interface_assign_public(transaction, interface, error) : 0;
}

static void name_one(struct instance *instance, const struct subnet *subnet,
		     const struct name_request *names)
{
	struct instance_template *options = &instance->options;

	options->hostname_type = xstrdup(names->type ? names->type : subnet->hostname_type);
	options->resource_name_a = names->a ? *names->a : subnet->resource_name_a;
	options->resource_name_aaaa = names->aaaa ? *names->aaaa : subnet->resource_name_aaaa;
}

static int launch_one(struct transaction *transaction, const struct launch_request *request,
		      struct rid reservation, int64_t index, struct error *error)
{
	struct subnet *subnet = launch_subnet(request);
	struct instance *instance;
	int r = 0;

	instance = transaction_create(transaction, subnet->resource.scope, KIND_INSTANCE);
	instance->reservation = reservation;
	copy_options(&instance->options, &request->options);
	instance->launch_index = index;
	instance->launch_time = transaction->now;
	instance->state = INSTANCE_PENDING;
	instance->subnet = subnet->resource.id;
	instance->vpc = subnet->vpc;
	instance->zone = subnet->zone;
	name_one(instance, subnet, &request->names);
	volume_launch(transaction, instance, &request->root);
	for (size_t i = 0; i < request->volume_count; i++)
		volume_launch(transaction, instance, &request->volumes[i]);
	for (size_t i = 0; r == 0 && i < request->interface_count; i++)
		r = attach_one(transaction, instance, request, i, error);
	return r;
}

/* Addresses that each instance takes in the subnet. */
static size_t addresses_in(const struct launch_request *request, const struct subnet *subnet)
{
	size_t count = 0;

	for (size_t i = 0; i < request->interface_count; i++)
		if (!request->interfaces[i].existing &&
		    request->interfaces[i].make.subnet == subnet)
			count += interface_request_addresses(&request->interfaces[i].make);
	return count;
}

static int check_interfaces(const struct launch_request *request, struct error *error)
{
	size_t most = 1;
	int r;

	for (size_t i = 0; i < request->interface_count; i++) {
		const struct launch_interface *wanted = &request->interfaces[i];
		const struct interface *existing = wanted->existing;

		if ((existing && (r = attachment_check_free(existing, error)) < 0) ||
		    (r = attachment_check_place(launch_subnet(request), wanted->make.subnet,
						error)) < 0)
			return r;
		most = MAX(most, existing ? 1 + existing->secondary_count
					  : interface_request_addresses(&wanted->make));
	}
	return attachment_check_limits(request->options.type, request->interface_count, most,
				       error);
}

/* Terminated ones, while they are shown, don't count. */
static int check_count(const struct model *model, const struct scope *scope, int64_t minimum,
		       int64_t *room, struct error *error)
{
	const int64_t most = quota_of(model, QUOTA_INSTANCES);
	int64_t there = 0;

	if (most >= *room + (int64_t)scope->lists[KIND_INSTANCE].count)
		return 0;
	for_each_resource (struct instance, instance, scope, KIND_INSTANCE)
		there += instance->state != INSTANCE_TERMINATED;
	*room = MIN(*room, most - there);
	if (*room >= minimum)
		return 0;
	return error_subject(error, ERROR_QUOTA, "i",
			     "You have requested more instances (%lld) than your current instance "
			     "limit of %lld allows for the specified instance type. Please visit "
			     "http://aws.amazon.com/contact-us/ec2-request to request an "
			     "adjustment to this limit.",
			     (long long)(there + minimum), (long long)most);
}

/* How many instances there is room for, in the subnets and in the region. */
static int find_room(const struct model *model, const struct launch_request *request,
		     int64_t *ret_room, struct error *error)
{
	const struct scope *scope = launch_subnet(request)->resource.scope;
	int64_t room = request->maximum, made = 0;
	int r;

	for (size_t i = 0; i < request->interface_count; i++) {
		const struct subnet *subnet = request->interfaces[i].make.subnet;
		const int64_t each = (int64_t)addresses_in(request, subnet);

		made += !request->interfaces[i].existing;
		if (each)
			room = MIN(room, subnet_free_addresses(model, subnet) / each);
		if (room < request->minimum)
			return error_set(error, ERROR_INSUFFICIENT_ADDRESSES,
					 "There are not enough free addresses in subnet '%s' to "
					 "satisfy the requested number of instances.",
					 rid_format(subnet->resource.id).text);
	}
	if ((r = check_count(model, scope, request->minimum, &room, error)) < 0 ||
	    (r = interface_check_room(model, scope, request->minimum * made, error)) < 0)
		return r;
	if (made)
		room = MIN(room, (quota_of(model, QUOTA_INTERFACES) -
				  (int64_t)scope->lists[KIND_NETWORK_INTERFACE].count) /
					 made);
	*ret_room = room;
	return 0;
}

static int check_volumes(const struct launch_request *request, struct error *error)
{
	int r = volume_check(&request->root, request->options.image_id, error);

	for (size_t i = 0; r == 0 && i < request->volume_count; i++)
		if ((r = volume_check_device(request->volumes[i].device, error)) == 0)
			r = volume_check(&request->volumes[i], NULL, error);
	return r;
}

int instance_launch(struct transaction *transaction, const struct launch_request *request,
		    struct rid *ret_reservation, struct error *error)
{
	struct rid reservation = rid_new(KIND_RESERVATION);
	int64_t room = 0;
	int r;

	if ((r = check_interfaces(request, error)) < 0 || (r = check_volumes(request, error)) < 0 ||
	    (r = find_room(transaction->model, request, &room, error)) < 0 ||
	    (r = fault_check_capacity(transaction->model, launch_subnet(request),
				      request->options.type, error)) < 0)
		return r;
	for (int64_t i = 0; i < room; i++)
		if ((r = launch_one(transaction, request, reservation, i, error)) < 0)
			return r;
	*ret_reservation = reservation;
	return 0;
}

/* ---- states ---- */

int instance_start(struct transaction *transaction, struct instance *instance, struct error *error)
{
	struct interface *interface = instance_primary(transaction->model, instance);
	int r;

	if (instance->state == INSTANCE_RUNNING || instance->state == INSTANCE_PENDING)
		return 0;
	if (instance->state != INSTANCE_STOPPED || !interface)
		return error_set(
			error, ERROR_INSTANCE_STATE,
			"The instance '%s' is not in a state from which it can be started.",
			rid_format(instance->resource.id).text);
	if (!volume_at(transaction->model, instance, ROOT_DEVICE))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Invalid value '%s' for instanceId. Instance does not have a "
				 "volume attached at root (" ROOT_DEVICE ")",
				 rid_format(instance->resource.id).text);
	if (fault_of_zone(transaction->model, instance->resource.scope->region, instance->zone))
		return error_set(error, ERROR_INSTANCE_CAPACITY, "Insufficient capacity.");
	volume_tell(transaction, instance);
	fault_leave_host(transaction, instance);
	transaction_edit(transaction, instance);
	instance->state = INSTANCE_PENDING;
	instance->launch_time = transaction->now;
	set_reason(instance, NULL, NULL, NULL);
	if (instance_may_have_public(transaction->model, instance) &&
	    (r = interface_assign_public(transaction, interface, error)) < 0)
		return r;
	return 0;
}

int instance_stop(struct transaction *transaction, struct instance *instance, struct error *error)
{
	if (instance->state == INSTANCE_STOPPED || instance->state == INSTANCE_STOPPING)
		return 0;
	if (instance->state != INSTANCE_RUNNING)
		return error_set(
			error, ERROR_INSTANCE_STATE,
			"The instance '%s' is not in a state from which it can be stopped.",
			rid_format(instance->resource.id).text);
	if (instance->options.disable_api_stop)
		return error_set(
			error, ERROR_OPERATION_NOT_PERMITTED,
			"The instance '%s' may not be stopped. Modify its 'disableApiStop' "
			"instance attribute and try again.",
			rid_format(instance->resource.id).text);
	transaction_edit(transaction, instance);
	instance->state = INSTANCE_STOPPING;
	set_reason_user(instance, transaction->now);
	return 0;
}

int instance_terminate(struct transaction *transaction, struct instance *instance,
		       struct error *error)
{
	if (instance->state == INSTANCE_TERMINATED || instance->state == INSTANCE_SHUTTING_DOWN)
		return 0;
	/* "Stop protection also protects your instance from accidental termination." */
	if (instance->options.disable_api_termination || instance->options.disable_api_stop)
		return error_set(error, ERROR_OPERATION_NOT_PERMITTED,
				 "The instance '%s' may not be terminated. Modify its '%s' "
				 "instance attribute and try again.",
				 rid_format(instance->resource.id).text,
				 instance->options.disable_api_termination ? "disableApiTermination"
									   : "disableApiStop");
	transaction_edit(transaction, instance);
	instance->state = INSTANCE_SHUTTING_DOWN;
	set_reason_user(instance, transaction->now);
	return 0;
}

/* Its interfaces go with it, or stay behind detached (delete on termination: no). */
static void release_interfaces(struct transaction *transaction, struct instance *instance)
{
	while (instance->interface_count) {
		const size_t last = instance->interface_count - 1;
		struct interface *interface =
			interface_get(transaction->model, instance->interfaces[last].id);
		const bool goes = interface->delete_on_termination;

		attachment_end(transaction, interface);
		if (goes)
			interface_remove(transaction, interface);
	}
	freep(&instance->interfaces);
}

void instance_settle(struct transaction *transaction, struct instance *instance)
{
	transaction_edit(transaction, instance);
	if (instance->state == INSTANCE_PENDING) {
		instance->state = INSTANCE_RUNNING;
		instance->has_run = true;
	} else if (instance->state == INSTANCE_SHUTTING_DOWN) {
		instance->state = INSTANCE_TERMINATED;
		instance->end_time = transaction->now;
		faults_forget(transaction, instance->resource.id);
		release_interfaces(transaction, instance);
		volume_release(transaction, instance);
		instance->subnet = instance->vpc = (struct rid){ KIND_NONE, 0 };
	}
}

/* A launch makes the instance first, so what is younger was made for it. */
static void claim_parts(struct transaction *transaction, struct instance *instance)
{
	for (size_t i = 0; i < instance->volume_count; i++) {
		struct volume *volume = volume_get(transaction->model, instance->volumes[i].id);

		transaction_edit(transaction, volume);
		volume->delete_on_termination = true;
	}
	for (size_t i = 0; i < instance->interface_count; i++) {
		struct interface *interface =
			interface_get(transaction->model, instance->interfaces[i].id);

		transaction_edit(transaction, interface);
		interface->delete_on_termination =
			interface->resource.order > instance->resource.order;
	}
}

void instance_forget(struct transaction *transaction, struct instance *instance)
{
	if (!instance->has_run) /* nobody was ever told of it, nor of what was made with it */
		claim_parts(transaction, instance);
	release_interfaces(transaction, instance);
	volume_release(transaction, instance);
	faults_forget(transaction, instance->resource.id);
	transaction_delete(transaction, instance);
}

void instance_exited(struct transaction *transaction, struct instance *instance, bool orderly)
{
	bool asked = instance->state == INSTANCE_STOPPING;
	/* One that was only being started has not shut itself down. */
	bool by_itself = instance->state == INSTANCE_RUNNING && orderly;

	if (!instance_is_live(instance))
		return;
	transaction_edit(transaction, instance);
	instance->state = INSTANCE_STOPPED;
	instance->pid = instance->start_time = 0;
	if (by_itself && streq(instance->options.shutdown_behavior, "terminate"))
		instance->state = INSTANCE_SHUTTING_DOWN; /* and on to terminated */
	if (!asked)
		set_reason_itself(instance, orderly);
	for (size_t i = 0; i < instance->interface_count; i++)
		interface_release_public(
			transaction, interface_get(transaction->model, instance->interfaces[i].id));
}

/* ---- metadata options ---- */

static int check_metadata_key(const char *key, struct error *error)
{
	static const char *const reserved[] = { ".", "..", "_index" };
	static const char alphabet[] = "0123456789abcdefghijklmnopqrstuvwxyz"
				       "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_+=,.@:";
	bool valid = strspn(key, alphabet) == strlen(key);

	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
		valid &= !streq(key, reserved[i]);
	if (valid)
		return 0;
	return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
			 "'%s' is not a valid tag key. Tag keys must match pattern "
			 "([0-9a-zA-Z\\\\-_+=,.@:]{1,255}), and must not be a reserved name ('.', "
			 "'..', '_index')",
			 key);
}

int instance_check_tag_key(const struct instance *instance, const char *key, struct error *error)
{
	return streq(instance->options.metadata_tags, "enabled") ? check_metadata_key(key, error)
								 : 0;
}

static void set_word(char **text, const char *wanted)
{
	if (!wanted)
		return;
	free(*text);
	*text = xstrdup(wanted);
}

static int not_modifiable(const struct instance *instance, struct error *error)
{
	return error_set(error, ERROR_INSTANCE_STATE,
			 "The instance '%s' is not in a state from which it can be modified.",
			 rid_format(instance->resource.id).text);
}

int instance_set_metadata(struct transaction *transaction, struct instance *instance,
			  const struct instance_template *wanted, struct error *error)
{
	const bool tags = streq(wanted->metadata_tags, "enabled");
	struct instance_template *options = &instance->options;
	int r;

	if (instance->state == INSTANCE_SHUTTING_DOWN || instance->state == INSTANCE_TERMINATED)
		return not_modifiable(instance, error);
	for (size_t i = 0; tags && i < instance->resource.tag_count; i++)
		if ((r = check_metadata_key(instance->resource.tags[i].key, error)) < 0)
			return r;
	transaction_edit(transaction, instance);
	set_word(&options->http_tokens, wanted->http_tokens);
	set_word(&options->http_endpoint, wanted->http_endpoint);
	set_word(&options->metadata_tags, wanted->metadata_tags);
	set_word(&options->metadata_ipv6, wanted->metadata_ipv6);
	if (wanted->hop_limit)
		options->hop_limit = wanted->hop_limit;
	return 0;
}

/* ---- changes ---- */

int instance_set_names(struct transaction *transaction, struct instance *instance,
		       const struct name_request *wanted, struct error *error)
{
	struct instance_template *options = &instance->options;
	int r;

	if (wanted->type && (r = instance_check_stopped(instance, error)) < 0)
		return r;
	if (instance->state == INSTANCE_SHUTTING_DOWN || instance->state == INSTANCE_TERMINATED)
		return not_modifiable(instance, error);
	transaction_edit(transaction, instance);
	set_word(&options->hostname_type, wanted->type);
	options->resource_name_a = wanted->a ? *wanted->a : options->resource_name_a;
	options->resource_name_aaaa = wanted->aaaa ? *wanted->aaaa : options->resource_name_aaaa;
	return 0;
}

int instance_check_stopped(const struct instance *instance, struct error *error)
{
	if (instance->state == INSTANCE_STOPPED)
		return 0;
	return error_set(error, ERROR_INSTANCE_STATE,
			 "The instance '%s' is not in the 'stopped' state.",
			 rid_format(instance->resource.id).text);
}

int instance_set_type(struct transaction *transaction, struct instance *instance, const char *type,
		      struct error *error)
{
	size_t most = 0;
	int r;

	for (size_t i = 0; i < instance->interface_count; i++)
		most = MAX(most, 1 + interface_get(transaction->model, instance->interfaces[i].id)
						 ->secondary_count);
	if ((r = instance_check_stopped(instance, error)) < 0 ||
	    (r = attachment_check_limits(type, instance->interface_count, most, error)) < 0)
		return r;
	transaction_edit(transaction, instance);
	free(instance->options.type);
	instance->options.type = xstrdup(type);
	return 0;
}
