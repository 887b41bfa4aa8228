/* Calls of the API for a stack's resources, and what their replies tell. */
#include "stack/internal.h"

#include "api/errors.h"

/* ---- replies as trees ---- */

/* What has elements is a map of them; anything else is a text. */
static struct node *tree_of(const void *element)
{
	const void *child = reply_child(element);
	struct node *node;

	if (!child)
		return node_text_new(reply_content(element));
	node = node_new(NODE_MAP);
	for (; child; child = reply_sibling(child))
		node_add(node, reply_name(child), tree_of(child));
	return node;
}

/* ---- calls ---- */

/* What a name in braces stands for; NULL: none of ours. */
static const char *meaning(const char *name, const struct type_call *call, const char *id,
			   const struct node *kept)
{
	const char *known = node_get_text(kept, name);

	if (known)
		return known;
	if (streq(name, "id"))
		return id;
	for (size_t i = 0; call && i < call->parameter_count; i++)
		if (streq(call->parameters[i].name, name))
			return call->parameters[i].value;
	return NULL;
}

/* A parameter has a user's braces twice. */
static void put_known(struct buffer *filled, const char *known)
{
	for (; *known; known += known[0] == '{' && known[1] == '{' ? 2 : 1)
		buffer_putc(filled, *known);
}

char *stacks_fill(const char *text, const struct type_call *call, const char *id,
		  const struct node *kept)
{
	struct buffer filled = BUFFER_INIT;

	while (*text) {
		const bool plain = text[0] == '{' && text[1] == '{';
		const size_t length = *text == '{' ? strcspn(text, "}") : 0;
		CLEANUP(freep) char *name = NULL;
		const char *known = NULL;

		if (!plain && length > 1 && text[length] == '}') {
			name = xasprintf("%.*s", (int)length - 1, text + 1);
			known = meaning(name, call, id, kept);
		}
		if (known)
			put_known(&filled, known);
		else
			buffer_putc(&filled, *text);
		text += known ? length + 1 : plain ? 2 : 1;
	}
	return buffer_steal(&filled);
}

struct amending {
	const struct stack_call *call;
	struct node *reply; /* owned */
};

static int amend(void *context, struct transaction *transaction, const struct reply *reply,
		 struct error *error)
{
	struct amending *amending = context;
	const struct stack_call *call = amending->call;

	amending->reply = tree_of(reply_root(reply));
	return call->amend ? call->amend(call->context, transaction, amending->reply, error) : 0;
}

static struct param_pair *fill_all(const struct stack_call *call)
{
	struct param_pair *pairs = xcalloc(call->call->parameter_count + 1, sizeof(*pairs));
	CLEANUP(node_freep) struct node *kept = node_of(call->kept);

	for (size_t i = 0; i < call->call->parameter_count; i++)
		pairs[i] = (struct param_pair){ call->call->parameters[i].name,
						stacks_fill(call->call->parameters[i].value, NULL,
							    call->id, kept) };
	return pairs;
}

int stacks_call(struct stacks *stacks, const struct scope *scope, const struct stack_call *call,
		struct node **ret_reply, struct error *error)
{
	CLEANUP(reply_freep) struct reply *reply = NULL;
	struct param_pair *pairs = fill_all(call);
	struct amending amending = { .call = call };
	const struct api_invocation invocation = {
		.account = scope->account,
		.region = scope->region,
		.service = call->call->service,
		.action = call->call->action,
		.parameters = pairs,
		.parameter_count = call->call->parameter_count,
		.amend = amend,
		.context = &amending,
	};
	int r = api_invoke(stacks->options.api, &invocation, &reply, error);

	for (size_t i = 0; i < call->call->parameter_count; i++) {
		char *value = (char *)(uintptr_t)pairs[i].value;

		free(value);
	}
	free(pairs);
	if (r == 0 && ret_reply)
		*ret_reply = steal(&amending.reply);
	node_freep(&amending.reply);
	return r;
}

bool error_among(const struct error *error, const char *const *codes)
{
	const char *code = error_reply(error).code;

	for (; codes && *codes; codes++)
		if (streq(*codes, code))
			return true;
	return false;
}

/* ---- what describes a resource ---- */

struct description {
	struct type_calls calls;
	struct node **replies; /* owned; as many as calls */
};

static void description_clear(struct description *description)
{
	for (size_t i = 0; description->replies && i < description->calls.count; i++)
		node_freep(&description->replies[i]);
	free(description->replies);
	type_calls_clear(&description->calls);
}

/* Errors: of the calls; ERROR_NOT_FOUND of "resource" when it isn't there any more. */
static int describe(struct stacks *stacks, const struct stack_resource *row,
		    struct description *ret, struct error *error)
{
	const struct type *type = type_find(row->type);
	CLEANUP(node_freep) struct node *properties = node_of(row->properties);
	int r;

	if (!type || !row->physical)
		return error_set(error, ERROR_INTERNAL, "%s is not made", row->logical);
	if ((r = type_describe(type, row->physical, properties, &ret->calls, error)) < 0)
		return r;
	ret->replies = xcalloc(ret->calls.count + 1, sizeof(*ret->replies));
	for (size_t i = 0; i < ret->calls.count; i++) {
		const struct stack_call call = { .call = &ret->calls.items[i],
						 .id = row->physical };

		r = stacks_call(stacks, row->resource.scope, &call, &ret->replies[i], error);
		if (r < 0 && i == 0 && error_among(error, ret->calls.items[0].tolerates))
			return error_subject(error, ERROR_NOT_FOUND, "resource",
					     "%s (%s) is not there any more", row->logical,
					     row->physical);
		if (r < 0)
			return r;
	}
	return 0;
}

/* In the first reply that has the path's first element. */
static struct node *find(const struct description *description, const char *path, const char *id)
{
	CLEANUP(freep) char *first = xasprintf("%.*s", (int)strcspn(path, "/[#"), path);

	for (size_t i = 0; i < description->calls.count; i++)
		if (node_get(description->replies[i], first))
			return type_reply_find(description->replies[i], path, id);
	return NULL;
}

int row_attribute(struct stacks *stacks, const struct stack_resource *row, const char *attribute,
		  struct node **ret_value, struct error *error)
{
	const struct type *type = type_find(row->type);
	CLEANUP(description_clear) struct description description = { 0 };
	const char *path;
	int r;

	if (type && type_is_played(type)) {
		*ret_value = played_attribute(row, attribute);
		return *ret_value ? 0
				  : error_set(error, ERROR_INVALID_TEMPLATE,
					      "%s has no attribute %s", row->logical, attribute);
	}
	path = type ? type_attribute(type, attribute) : NULL;
	if (!path) {
		*ret_value = node_text_new(row->physical);
		return 0;
	}
	if ((r = describe(stacks, row, &description, error)) < 0)
		return r;
	*ret_value = find(&description, path, row->physical);
	if (*ret_value)
		return 0;
	return error_set(error, ERROR_INVALID_TEMPLATE, "%s (%s) has no %s", row->logical,
			 row->physical, attribute ? attribute : "Ref");
}

static bool is_among(const char *text, const char *const *texts)
{
	for (; text && texts && *texts; texts++)
		if (streq(*texts, text))
			return true;
	return false;
}

int row_state(struct stacks *stacks, const struct stack_resource *row, enum row_state *ret_state,
	      char **ret_reason, struct error *error)
{
	const struct type_states *states = type_states(type_find(row->type));
	CLEANUP(description_clear) struct description description = { 0 };
	CLEANUP(node_freep) struct node *state = NULL, *reason = NULL;
	int r = describe(stacks, row, &description, error);

	if (r < 0 && error->code == ERROR_NOT_FOUND && streq(error->subject, "resource")) {
		*ret_state = ROW_GONE;
		return 0;
	}
	if (r < 0)
		return r;
	state = find(&description, states->path, row->physical);
	if (!state || is_among(state->text, states->gone))
		*ret_state = ROW_GONE;
	else if (is_among(state->text, states->ready))
		*ret_state = ROW_READY;
	else if (is_among(state->text, states->failed))
		*ret_state = ROW_FAILED;
	else
		*ret_state = ROW_WAITING;
	reason =
		states->reason_path ? find(&description, states->reason_path, row->physical) : NULL;
	*ret_reason = reason && reason->text ? xstrdup(reason->text) : NULL;
	return 0;
}
