/*
 * AWS::AutoScaling::AutoScalingGroup: as many instances of a launch template as are wanted, over
 * the subnets, each that ends replaced. The record's memo is the list of their ids, each added in
 * the transaction that launches it. EC2 Auto Scaling user guide.
 */
#include "stack/internal.h"

#include "base/log.h"
#include "model/instance.h"
#include "model/launch_template.h"
#include "model/tags.h"

static struct node *members_of(const struct stack_resource *row)
{
	struct node *members = row->memo ? node_of(row->memo) : node_new(NODE_LIST);

	members->type = NODE_LIST;
	return members;
}

static const struct instance *member(const struct stacks *stacks, const struct node *id)
{
	struct rid rid;

	return rid_parse(id->text, KIND_INSTANCE, &rid) == 0
		       ? instance_get(stacks->options.model, rid)
		       : NULL;
}

/* One that is stopped is no more use than one that is terminated. */
static bool is_well(const struct instance *instance)
{
	return instance &&
	       (instance->state == INSTANCE_RUNNING || instance->state == INSTANCE_PENDING);
}

static int64_t number(const struct node *properties, const char *name, int64_t fallback)
{
	const char *text = node_get_text(properties, name);

	return text && *text ? strtoll(text, NULL, 10) : fallback;
}

static int64_t wanted(const struct node *properties)
{
	return number(properties, "DesiredCapacity", number(properties, "MinSize", 0));
}

/* ---- launching ---- */

/* Of several places the one with the fewest instances, the first of those. */
static const char *least_used(const struct stacks *stacks, const struct stack_resource *row,
			      const struct node *places, bool subnets)
{
	CLEANUP(node_freep) struct node *members = members_of(row);
	const char *best = NULL;
	size_t fewest = SIZE_MAX;

	for (size_t i = 0; places && i < places->count; i++) {
		size_t count = 0;

		for (size_t j = 0; j < members->count; j++) {
			const struct instance *instance = member(stacks, members->items[j]);
			CLEANUP(buffer_clear) struct buffer zone = BUFFER_INIT;

			if (is_well(instance) &&
			    streq(places->items[i]->text,
				  subnets ? rid_format(instance->subnet).text
					  : zone_name_of(instance->resource.scope, instance->zone,
							 &zone)))
				count++;
		}
		if (count < fewest) {
			fewest = count;
			best = places->items[i]->text;
		}
	}
	return best;
}

static void add_parameter(struct type_call *call, const char *name, const char *value)
{
	*array_grow(&call->parameters, &call->parameter_count) =
		(struct template_value){ xstrdup(name), xstrdup(value) };
}

static struct launch_template *template_of(const struct stacks *stacks, const struct scope *scope,
					   const struct node *asked)
{
	const char *id = node_get_text(asked, "LaunchTemplateId");
	const char *named = node_get_text(asked, "LaunchTemplateName");
	struct rid rid;

	if (id && rid_parse(id, KIND_LAUNCH_TEMPLATE, &rid) == 0)
		return (struct launch_template *)model_get(stacks->options.model, scope, rid);
	return named ? launch_template_named(scope, named) : NULL;
}

#define CARD "NetworkInterface.1."

/* A launch configuration's own interface, where it has one: its groups are that one's. */
static bool use_card(struct type_call *call)
{
	static const char groups[] = "SecurityGroupId.";
	bool has = false;

	for (size_t i = 0; i < call->parameter_count; i++)
		has |= strncmp(call->parameters[i].name, CARD, strlen(CARD)) == 0;
	for (size_t i = 0; has && i < call->parameter_count; i++)
		if (strncmp(call->parameters[i].name, groups, strlen(groups)) == 0)
			set_text(&call->parameters[i].name,
				 xasprintf(CARD "%s", call->parameters[i].name));
	if (has)
		add_parameter(call, CARD "DeviceIndex", "0");
	return has;
}

/*
 * Where the template has a network interface, the subnet is that one's: a launch with both is
 * refused, and its own interface is in place of the template's.
 */
static void add_subnet(const struct stacks *stacks, const struct stack_resource *row,
		       const struct node *properties, const char *subnet, struct type_call *call)
{
	const struct node *asked = node_get(properties, "LaunchTemplate");
	const struct launch_template *launch_template =
		template_of(stacks, row->resource.scope, asked);
	struct template_version *version = NULL;
	struct error ignored = ERROR_INIT;
	bool has = use_card(call);

	if (launch_template)
		launch_template_find(launch_template, node_get_text(asked, "Version"), &version,
				     &ignored);
	for (size_t i = 0; version && i < version->datum_count; i++) {
		const struct template_datum *datum = &version->data[i];

		if (strncmp(datum->name, CARD, strlen(CARD)) != 0 ||
		    streq(datum->name + strlen(CARD), "SubnetId"))
			continue;
		has = true;
		add_parameter(call, datum->name, datum->value);
	}
	add_parameter(call, has ? CARD "SubnetId" : "SubnetId", subnet);
}

static void tag_member(struct transaction *transaction, const struct stack_resource *row,
		       const char *id)
{
	CLEANUP(node_freep)
	struct node *properties = node_of(row->target ? row->target : row->properties);
	const struct node *tags = node_get(properties, "Tags");
	struct error ignored = ERROR_INIT;
	struct resource *instance;
	struct rid rid;

	if (rid_parse(id, KIND_INSTANCE, &rid) < 0 ||
	    !(instance = model_get(transaction->model, row->resource.scope, rid)))
		return;
	tag_set_own(transaction, instance, "aws:autoscaling:groupName", row->physical);
	for (size_t i = 0; tags && i < tags->count; i++)
		if (streq(node_get_text(tags->items[i], "PropagateAtLaunch"), "true"))
			tag_set(transaction, instance, node_get_text(tags->items[i], "Key"),
				node_get_text(tags->items[i], "Value"), &ignored);
	row_tag(transaction, row, id);
}

/* In the transaction of the launch. */
static int on_launch(void *context, struct transaction *transaction, const struct node *reply,
		     struct error *error)
{
	struct stack_resource *row = context;
	CLEANUP(node_freep) struct node *members = members_of(row);
	CLEANUP(node_freep)
	struct node *id = type_reply_find(reply, "instancesSet/item/instanceId", "");

	if (!id || !id->text)
		return error_set(error, ERROR_INTERNAL, "The reply of RunInstances has no id");
	tag_member(transaction, row, id->text);
	node_add(members, NULL, steal(&id));
	transaction_edit(transaction, row);
	set_text(&row->memo, json_of(members));
	return 0;
}

/* The call that launches one: what the template, or the launch configuration, says. */
static int make_launch(const struct stack_resource *row, const struct node *properties,
		       struct type_calls *ret_calls, struct error *error)
{
	const char *name = node_get_text(properties, "LaunchConfigurationName");

	if (!name)
		return type_create(type_find(SCALING_GROUP), properties, "", ret_calls, error);
	for_each_resource (struct stack_resource, other, row->resource.scope, KIND_STACK_RESOURCE) {
		CLEANUP(node_freep) struct node *said = NULL;

		if (!streq(other->type, SCALING_CONFIGURATION) || !streq(other->physical, name) ||
		    row_is_gone(other))
			continue;
		said = node_of(other->properties);
		return type_create(type_find(SCALING_CONFIGURATION), said, "", ret_calls, error);
	}
	return error_set(error, ERROR_INVALID_TEMPLATE,
			 "Launch configuration name not found - A launch configuration with the "
			 "name: %s does not exist",
			 name);
}

static int launch(struct stacks *stacks, struct stack_resource *row, const struct node *properties,
		  struct error *error)
{
	CLEANUP(type_calls_clear) struct type_calls calls = { NULL, 0 };
	const char *subnet =
		least_used(stacks, row, node_get(properties, "VPCZoneIdentifier"), true);
	const char *zone =
		least_used(stacks, row, node_get(properties, "AvailabilityZones"), false);
	struct stack_call call = { .amend = on_launch, .context = row };
	int r = make_launch(row, properties, &calls, error);

	if (r < 0)
		return r;
	if (subnet)
		add_subnet(stacks, row, properties, subnet, &calls.items[0]);
	else if (zone)
		add_parameter(&calls.items[0], "Placement.AvailabilityZone", zone);
	call.call = &calls.items[0];
	return stacks_call(stacks, row->resource.scope, &call, NULL, error);
}

/* ---- ending ---- */

/* In the transaction of the termination. */
static int on_end(void *context, struct transaction *transaction, const struct node *reply,
		  struct error *error)
{
	struct stack_resource *row = context;
	CLEANUP(node_freep) struct node *members = members_of(row);
	CLEANUP(node_freep) struct node *others = node_new(NODE_LIST);

	(void)reply;
	(void)error;
	for (size_t i = 1; i < members->count; i++)
		node_add(others, NULL, node_copy(members->items[i]));
	transaction_edit(transaction, row);
	set_text(&row->memo, json_of(others));
	return 0;
}

/* Puts a member first, for on_end() to take away. */
static void put_first(struct node *members, size_t at)
{
	struct node *first = members->items[at];

	memmove(members->items + 1, members->items, at * sizeof(*members->items));
	members->items[0] = first;
}

/* Terminates a member, unless it is gone; it is one no more. */
static int end(struct stacks *stacks, struct stack_resource *row, size_t at, struct error *error)
{
	CLEANUP(node_freep) struct node *members = members_of(row);
	struct template_value id = { (char[]){ "InstanceId.1" }, members->items[at]->text };
	const struct type_call terminate = { .service = "ec2",
					     .action = "TerminateInstances",
					     .parameters = &id,
					     .parameter_count = 1 };
	const struct stack_call call = { .call = &terminate, .amend = on_end, .context = row };
	const bool is_there = member(stacks, members->items[at]) != NULL;
	struct transaction transaction = stacks_begin(stacks);

	put_first(members, at);
	transaction_edit(&transaction, row);
	set_text(&row->memo, json_of(members));
	if (!is_there)
		on_end(row, &transaction, NULL, error);
	if (stacks_commit(stacks, &transaction) < 0)
		return -1;
	return is_there ? stacks_call(stacks, row->resource.scope, &call, NULL, error) : 0;
}

/* ---- towards what is wanted ---- */

enum progress {
	SCALING_DONE,
	SCALING_STEP,
	SCALING_FAILED,
};

static size_t count_well(const struct stacks *stacks, const struct node *members, size_t *ret_ill)
{
	size_t count = 0;

	*ret_ill = SIZE_MAX;
	for (size_t i = 0; i < members->count; i++)
		if (is_well(member(stacks, members->items[i])))
			count++;
		else
			*ret_ill = i;
	return count;
}

/* One instance less that is ill or too many, or one more. */
static enum progress approach(struct stacks *stacks, struct stack_resource *row,
			      const struct node *properties, int64_t goal, struct error *error)
{
	CLEANUP(node_freep) struct node *members = members_of(row);
	size_t ill;
	const size_t well = count_well(stacks, members, &ill);
	int r;

	if (ill < members->count)
		r = end(stacks, row, ill, error);
	else if ((int64_t)well > goal)
		r = end(stacks, row, 0, error);
	else if ((int64_t)well < goal)
		r = launch(stacks, row, properties, error);
	else
		return SCALING_DONE;
	return r < 0 ? SCALING_FAILED : SCALING_STEP;
}

static bool check(const struct node *properties, struct error *error)
{
	const int64_t least = number(properties, "MinSize", 0),
		      most = number(properties, "MaxSize", 0);

	if (least >= 0 && least <= wanted(properties) && wanted(properties) <= most)
		return true;
	error_set(error, ERROR_INVALID_TEMPLATE,
		  "Desired capacity:%lld must be between the specified min size:%lld and max "
		  "size:%lld",
		  (long long)wanted(properties), (long long)least, (long long)most);
	return false;
}

static void name(struct stacks *stacks, struct stack_resource *row, const struct node *properties)
{
	const char *given = node_get_text(properties, "AutoScalingGroupName");
	struct transaction transaction = stacks_begin(stacks);

	transaction_edit(&transaction, row);
	set_text(&row->physical, given ? xstrdup(given) : row_token(stacks, row));
	stack_resource_set_status(&transaction, row, STACK_CREATE_IN_PROGRESS,
				  "Resource creation Initiated");
	stacks_commit(stacks, &transaction);
}

/* It has as many as it is to have: a transaction is begun with the row. A failure is told of. */
static bool is_settled(struct stacks *stacks, struct stack_resource *row, enum progress progress,
		       const struct error *error, struct transaction *transaction)
{
	if (progress == SCALING_FAILED)
		row_fail(stacks, row, error->text);
	if (progress != SCALING_DONE)
		return false;
	*transaction = stacks_begin(stacks);
	transaction_edit(transaction, row);
	return true;
}

bool scaling_make(struct stacks *stacks, struct stack_resource *row)
{
	CLEANUP(node_freep) struct node *properties = node_of(row->properties);
	struct error error = ERROR_INIT;
	struct transaction transaction;
	enum progress progress = SCALING_FAILED;

	if (check(properties, &error)) {
		if (!row->physical) {
			name(stacks, row, properties);
			return true;
		}
		progress = approach(stacks, row, properties, wanted(properties), &error);
	}
	if (!is_settled(stacks, row, progress, &error, &transaction))
		return true;
	return played_complete(stacks, &transaction, row, STACK_CREATE_COMPLETE);
}

bool scaling_change(struct stacks *stacks, struct stack_resource *row)
{
	const bool back =
		stack_of(row, stacks->options.model)->status == STACK_UPDATE_ROLLBACK_IN_PROGRESS;
	CLEANUP(node_freep) struct node *target = node_of(row->target);
	struct error error = ERROR_INIT;
	struct transaction transaction;
	enum progress progress = SCALING_FAILED;

	if (check(target, &error))
		progress = approach(stacks, row, target, wanted(target), &error);
	if (!is_settled(stacks, row, progress, &error, &transaction))
		return true;
	row_settle_change(row, back);
	return played_complete(stacks, &transaction, row, STACK_UPDATE_COMPLETE);
}

bool scaling_remove(struct stacks *stacks, struct stack_resource *row)
{
	struct error error = ERROR_INIT;
	enum progress progress = approach(stacks, row, NULL, 0, &error);
	struct transaction transaction;

	if (!is_settled(stacks, row, progress, &error, &transaction))
		return true;
	return played_complete(stacks, &transaction, row, STACK_DELETE_COMPLETE);
}

/* ---- afterwards ---- */

static bool is_kept(const struct stack_resource *row)
{
	return streq(row->type, SCALING_GROUP) && row->phase == STACK_PHASE_NONE && !row->doomed &&
	       row->physical &&
	       (row->status == STACK_CREATE_COMPLETE || row->status == STACK_UPDATE_COMPLETE);
}

static bool mend(struct stacks *stacks, struct stack_resource *row)
{
	CLEANUP(node_freep) struct node *properties = node_of(row->properties);
	struct error error = ERROR_INIT;
	enum progress progress = approach(stacks, row, properties, wanted(properties), &error);

	if (progress == SCALING_FAILED) /* it is tried again when something else happens */
		log_error("%s: %s", row->physical, error.text);
	return progress == SCALING_STEP;
}

bool scaling_mend(struct stacks *stacks)
{
	const struct model *model = stacks->options.model;

	for (size_t i = 0; i < model->scope_count; i++)
		for_each_resource (struct stack_resource, row, model->scopes[i],
				   KIND_STACK_RESOURCE)
			if (is_kept(row) && mend(stacks, row))
				return true;
	return false;
}
