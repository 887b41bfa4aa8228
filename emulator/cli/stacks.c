/* Stacks from the command line: see stacks.h. */
#include "cli/stacks.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/display.h"
#include "cli/listing.h"
#include "cli/shell.h"
#include "cli/stack_call.h"

#define TEMPLATE_MAX	(700 * 1024) /* what fits into a call, escaped */
#define DESCRIPTION_MAX 60	     /* columns */
#define NO_CHANGES	"The submitted information didn't contain changes"

/* One `up` on its way. */
struct rise {
	const struct client *client;
	const struct request *request;
	char *name;	/* of the stack */
	char *template; /* its text */
	char *set;	/* the change set's name */
	bool creates, json;
	int64_t start;		   /* milliseconds */
	struct reply *description; /* of the change set */
};

static void rise_clear(struct rise *rise)
{
	free(rise->name);
	free(rise->template);
	free(rise->set);
	reply_freep(&rise->description);
}

/* ---- the template ---- */

static int read_file(const char *path, char **ret_text, struct error *error)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;
	CLEANUP(closep) int file = -1;
	int fd = STDIN_FILENO, r;

	if (!streq(path, "-"))
		fd = file = open(path, O_RDONLY | O_CLOEXEC);
	r = fd < 0 ? -errno : buffer_read(&text, fd, TEMPLATE_MAX);
	if (r < 0)
		return error_sys(error, r, "%s", path);
	if (text.length > TEMPLATE_MAX || (text.length && memchr(text.data, 0, text.length)))
		return error_set(error, ERROR_INVALID_PARAMETER,
				 "%s: no template: it is text of at most %d KiB", path,
				 TEMPLATE_MAX / 1024);
	*ret_text = buffer_steal(&text);
	return 0;
}

/* The file's base name up to its first dot, with what no stack's name has as hyphens. */
static char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	char *name = xasprintf("%.*s", (int)strcspn(base, "."), base);

	for (char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c))
			*c = '-';
	return name;
}

static int prepare(struct rise *rise, struct error *error)
{
	const struct request *request = rise->request;
	int r;

	if (!request->stack && streq(request->template, "-"))
		return error_set(error, ERROR_INVALID_PARAMETER,
				 "up: a template from standard input needs --stack NAME");
	rise->name = request->stack ? xstrdup(request->stack) : name_of(request->template);
	if (!isalpha((unsigned char)rise->name[0]))
		return error_set(error, ERROR_INVALID_PARAMETER,
				 "up: \"%s\" can't name a stack: give it one with --stack NAME",
				 rise->name);
	r = read_file(request->template, &rise->template, error);
	return r < 0 ? r : 0;
}

/* ---- calls about it ---- */

static int call_plain(const struct rise *rise, const char *action, struct reply **ret_reply,
		      struct error *error)
{
	CLEANUP(form_clear) struct form form = FORM_INIT;

	form_add(&form, "StackName", rise->name);
	if (strstr(action, "ChangeSet"))
		form_add(&form, "ChangeSetName", rise->set);
	return stack_call(rise->client, action, &form, ret_reply, NULL, error);
}

static int call_quiet(const struct rise *rise, const char *action, struct error *error)
{
	CLEANUP(reply_freep) struct reply *reply = NULL;

	return call_plain(rise, action, &reply, error);
}

/* What nothing came of leaves nothing; but the stack may be another's by now. */
static void forget_set(const struct rise *rise)
{
	CLEANUP(form_clear) struct form form = FORM_INIT;
	CLEANUP(reply_freep) struct reply *reply = NULL;
	struct error ignored = ERROR_INIT;

	call_quiet(rise, "DeleteChangeSet", &ignored);
	if (!rise->creates)
		return;
	form_add(&form, "StackName", rise->name);
	form_add(&form, "DeletionMode", "MINIVPC_UNUSED");
	stack_call(rise->client, "DeleteStack", &form, &reply, NULL, &ignored);
}

/* Is there one to be changed? One that can't be is told of. */
static int find_stack(struct rise *rise, struct error *error)
{
	CLEANUP(reply_freep) struct reply *reply = NULL;
	struct error ignored = ERROR_INIT;
	const void *stack;
	const char *status;

	rise->creates = true;
	if (stacks_describe(rise->client, rise->name, &reply, &stack, &ignored) < 0)
		return 0;
	status = stack_text(stack, "StackStatus");
	rise->creates = streq(status, "REVIEW_IN_PROGRESS");
	if (strstr(status, "_FAILED") || streq(status, "ROLLBACK_COMPLETE"))
		return error_set(error, ERROR_INCORRECT_STATE,
				 "stack %s is in the state %s: take it down first: minivpc down %s",
				 rise->name, status, rise->name);
	return 0;
}

static void add_parameters(struct form *form, const struct request *request)
{
	for (size_t i = 0; i < request->parameters.count; i++) {
		const char *text = request->parameters.items[i], *equals = strchr(text, '=');
		CLEANUP(freep) char *key = NULL, *name = NULL;

		key = xasprintf("%.*s", (int)(equals - text), text);
		name = xasprintf("Parameters.member.%zu.ParameterKey", i + 1);
		form_add(form, name, key);
		freep(&name);
		name = xasprintf("Parameters.member.%zu.ParameterValue", i + 1);
		form_add(form, name, equals + 1);
	}
}

/* An update keeps the values that it isn't given and that the template still has. */
static int keep_parameters(struct rise *rise, struct form *form, struct error *error)
{
	const struct text_list *given = &rise->request->parameters;
	CLEANUP(reply_freep) struct reply *old = NULL, *new = NULL;
	CLEANUP(form_clear) struct form asked = FORM_INIT;
	size_t count = given->count;
	const void *stack, *list;
	int r;

	form_add(&asked, "TemplateBody", rise->template);
	if (rise->creates || rise->request->skip_unsupported)
		return 0;
	if ((r = stack_call(rise->client, "ValidateTemplate", &asked, &new, NULL, error)) < 0 ||
	    (r = stacks_describe(rise->client, rise->name, &old, &stack, error)) < 0)
		return r;
	list = reply_child_named(stack, "Parameters");
	for (const void *had = list ? reply_child(list) : NULL; had; had = reply_sibling(had)) {
		const char *key = stack_text(had, "ParameterKey");
		const void *member = stack_next(new, "Parameters", NULL);
		bool is_given = false;

		for (size_t i = 0; i < given->count; i++)
			is_given = is_given || (strncmp(given->items[i], key, strlen(key)) == 0 &&
						given->items[i][strlen(key)] == '=');
		while (member && !streq(stack_text(member, "ParameterKey"), key))
			member = stack_next(new, "Parameters", member);
		if (member && !is_given) {
			CLEANUP(freep)
			char *name = xasprintf("Parameters.member.%zu.ParameterKey", ++count);
			CLEANUP(freep)
			char *same = xasprintf("Parameters.member.%zu.UsePreviousValue", count);

			form_add(form, name, key);
			form_add(form, same, "true");
		}
	}
	return 0;
}

/* What minivpc lacks may be left out. */
static void tell_of_skipping(struct error *error)
{
	CLEANUP(freep) char *text = xstrdup(error->text);

	if (strstr(text, "Unrecognized resource types") || strstr(text, "is not supported"))
		error_set(error, error->code, "%s: minivpc up --skip-unsupported leaves it out",
			  text);
}

static int create_set(struct rise *rise, struct error *error)
{
	CLEANUP(form_clear) struct form form = FORM_INIT;
	CLEANUP(reply_freep) struct reply *reply = NULL;
	int r;

	rise->set = xasprintf("minivpc-%ld-%lld", (long)getpid(), (long long)now_ms());
	form_add(&form, "StackName", rise->name);
	form_add(&form, "ChangeSetName", rise->set);
	form_add(&form, "ChangeSetType", rise->creates ? "CREATE" : "UPDATE");
	form_add(&form, "TemplateBody", rise->template);
	form_add(&form, "Capabilities.member.1", "CAPABILITY_NAMED_IAM");
	form_add(&form, "Capabilities.member.2",
		 rise->request->skip_unsupported ? "MINIVPC_SKIP_UNSUPPORTED" : NULL);
	add_parameters(&form, rise->request);
	if ((r = keep_parameters(rise, &form, error)) < 0)
		return r;
	r = stack_call(rise->client, "CreateChangeSet", &form, &reply, NULL, error);
	if (r < 0 && !rise->request->skip_unsupported)
		tell_of_skipping(error);
	return r;
}

static const char *of_set(const struct rise *rise, const char *name)
{
	return stack_text(reply_child(reply_root(rise->description)), name);
}

/* Until it is known what would be done. */
static int await_set(struct rise *rise, struct error *error)
{
	for (long pause = 1;; pause = MIN(pause * 2, 50L)) {
		int r;

		reply_freep(&rise->description);
		r = call_plain(rise, "DescribeChangeSet", &rise->description, error);
		if (r < 0 || streq(of_set(rise, "Status"), "CREATE_COMPLETE"))
			return r;
		if (streq(of_set(rise, "Status"), "FAILED"))
			return error_set(error, ERROR_INVALID_TEMPLATE, "%s",
					 of_set(rise, "StatusReason"));
		nanosleep(&(struct timespec){ 0, pause * 1000000 }, NULL);
	}
}

/* ---- what is shown ---- */

/* What somebody wrote into a template, as one line. */
static void put_plain(FILE *file, const char *text)
{
	CLEANUP(buffer_clear) struct buffer line = BUFFER_INIT;

	display_line(&line, text);
	fputs(line.length ? line.data : "", file);
}

static const char *sign_of(const void *change)
{
	const char *action = stack_text(change, "Action");

	return streq(action, "Add") ? "+" : streq(action, "Remove") ? "-" : "~";
}

static void show_change(const void *change)
{
	const char *replacement = stack_text(change, "Replacement");
	const void *details = reply_child_named(change, "Details");
	CLEANUP(buffer_clear) struct buffer names = BUFFER_INIT;

	for (const void *detail = details ? reply_child(details) : NULL; detail;
	     detail = reply_sibling(detail)) {
		const void *target = reply_child_named(detail, "Target");

		buffer_printf(&names, "%s%s", names.length ? ", " : "",
			      target ? stack_text(target, "Name") : "");
	}
	printf("  %s %s  %s", sign_of(change), stack_text(change, "LogicalResourceId"),
	       stack_text(change, "ResourceType"));
	if (streq(sign_of(change), "~"))
		printf("  %s%s%s",
		       streq(replacement, "True")    ? "replaced"
		       : streq(replacement, "False") ? "in place"
						     : "perhaps replaced",
		       names.length ? ": " : "", names.length ? names.data : "");
	putchar('\n');
}

static void show_changes(const struct rise *rise)
{
	printf("%s: %s\n", rise->name, rise->creates ? "to be made" : "to be changed");
	for (const void *member = stack_next(rise->description, "Changes", NULL); member;
	     member = stack_next(rise->description, "Changes", member))
		show_change(reply_child_named(member, "ResourceChange"));
	fflush(stdout);
}

/* What is left out, a line each. */
static void show_warnings(const struct rise *rise)
{
	const char *text = of_set(rise, "StatusReason");

	while (*text) {
		const size_t length = strcspn(text, "\n");

		CLEANUP(freep) char *line = xasprintf("left out: %.*s", (int)length, text);

		put_plain(stderr, line);
		fputc('\n', stderr);
		text += length + (text[length] == '\n');
	}
}

static json_t *json_changes(const struct rise *rise)
{
	json_t *array = json_array();

	for (const void *member = stack_next(rise->description, "Changes", NULL); member;
	     member = stack_next(rise->description, "Changes", member)) {
		const void *change = reply_child_named(member, "ResourceChange");
		json_t *object = json_object();

		for (const void *child = reply_child(change); child; child = reply_sibling(child))
			if (!reply_child(child) && *reply_content(child))
				json_object_set_new(object, reply_name(child),
						    json_string(reply_content(child)));
		json_array_append_new(array, object);
	}
	return array;
}

static void put_json(json_t *json)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;

	listing_document(json, &text);
	fputs(text.data, stdout);
}

static json_t *json_outputs(const void *stack)
{
	const void *list = reply_child_named(stack, "Outputs");
	json_t *object = json_object();

	for (const void *output = list ? reply_child(list) : NULL; output;
	     output = reply_sibling(output))
		json_object_set_new(object, stack_text(output, "OutputKey"),
				    json_string(stack_text(output, "OutputValue")));
	return object;
}

static void show_outputs(const void *stack)
{
	const void *list = reply_child_named(stack, "Outputs");
	const void *first = list ? reply_child(list) : NULL;
	size_t width = 0;

	for (const void *output = first; output; output = reply_sibling(output))
		width = MAX(width, strlen(stack_text(output, "OutputKey")));
	for (const void *output = first; output; output = reply_sibling(output)) {
		printf("%-*s  ", (int)width, stack_text(output, "OutputKey"));
		put_plain(stdout, stack_text(output, "OutputValue"));
		putchar('\n');
	}
}

/* ---- the end ---- */

static int show_end(const struct rise *rise, const struct outcome *outcome, struct error *error)
{
	const long long took = (long long)(now_ms() - rise->start);
	CLEANUP(reply_freep) struct reply *reply = NULL;
	const void *stack;
	int r = stacks_describe(rise->client, rise->name, &reply, &stack, error);

	if (r < 0)
		return r;
	if (rise->json) {
		put_json(json_pack("{s:s, s:s, s:s, s:o, s:o, s:I}", "stack", rise->name, "id",
				   stack_text(stack, "StackId"), "status", outcome->status,
				   "changes", json_changes(rise), "outputs", json_outputs(stack),
				   "milliseconds", (json_int_t)took));
		return 0;
	}
	show_outputs(stack);
	if (rise->creates)
		printf("%s: %zu resource%s made in %lld ms\n", rise->name, outcome->made,
		       outcome->made == 1 ? "" : "s", took);
	else
		printf("%s: changed in %lld ms\n", rise->name, took);
	return 0;
}

static int fail(const struct rise *rise, const struct outcome *outcome, struct error *error)
{
	const bool back = strstr(outcome->status, "ROLLBACK_COMPLETE") != NULL;
	const char *why = outcome->failures.length ? outcome->failures.data : "";

	return error_set(error, ERROR_INTERNAL, "%s (%s): %s. %s", rise->name, outcome->status, why,
			 !back		 ? "Look: minivpc stacks"
			 : rise->creates ? "All that was made was deleted again"
					 : "All is as it was before");
}

static int execute(struct rise *rise, int *ret_status, struct error *error)
{
	CLEANUP(freep) char *after = stacks_last_event(rise->client, rise->name);
	CLEANUP(outcome_clear) struct outcome outcome = { 0 };
	int r;

	if ((r = call_quiet(rise, "ExecuteChangeSet", error)) < 0 ||
	    (r = stacks_watch(rise->client, rise->name, after, rise->json, &outcome, error)) < 0)
		return r;
	*ret_status = 0;
	if (streq(outcome.status, rise->creates ? "CREATE_COMPLETE" : "UPDATE_COMPLETE"))
		return show_end(rise, &outcome, error);
	r = fail(rise, &outcome, error);
	if (streq(outcome.status, "ROLLBACK_COMPLETE")) { /* its name is wanted again */
		struct error ignored = ERROR_INIT;

		call_quiet(rise, "DeleteStack", &ignored);
	}
	return r;
}

static int up_to_date(struct rise *rise, int *ret_status, struct error *error)
{
	struct outcome outcome = { .status = (char[]){ "UP_TO_DATE" } };

	forget_set(rise);
	*ret_status = 0;
	if (rise->json)
		return show_end(rise, &outcome, error);
	printf("%s is up to date\n", rise->name);
	return 0;
}

static int go(struct rise *rise, int *ret_status, struct error *error)
{
	int r = await_set(rise, error);

	if (r < 0 && strncmp(error->text, NO_CHANGES, strlen(NO_CHANGES)) == 0)
		return up_to_date(rise, ret_status, error);
	if (r < 0) {
		forget_set(rise);
		return r;
	}
	show_warnings(rise);
	if (!rise->json && (!rise->creates || rise->request->dry_run))
		show_changes(rise);
	if (!rise->request->dry_run)
		return execute(rise, ret_status, error);
	if (rise->json)
		put_json(json_changes(rise));
	forget_set(rise);
	*ret_status = 0;
	return 0;
}

int stacks_up(const struct client *client, const struct request *request, int *ret_status,
	      struct error *error)
{
	CLEANUP(rise_clear)
	struct rise rise = { .client = client,
			     .request = request,
			     .json = streq(request->output, "json"),
			     .start = now_ms() };
	int r;

	if ((r = prepare(&rise, error)) < 0 || (r = find_stack(&rise, error)) < 0 ||
	    (r = create_set(&rise, error)) < 0)
		return r;
	return go(&rise, ret_status, error);
}

/* ---- the others ---- */

int stacks_down(const struct client *client, const char *name, int *ret_status, struct error *error)
{
	const int64_t start = now_ms();
	CLEANUP(form_clear) struct form form = FORM_INIT;
	CLEANUP(outcome_clear) struct outcome outcome = { 0 };
	CLEANUP(reply_freep) struct reply *reply = NULL, *done = NULL;
	CLEANUP(freep) char *after = NULL, *id = NULL;
	const void *stack;
	int r = stacks_describe(client, name, &reply, &stack, error);

	if (r < 0)
		return error_set(error, ERROR_NOT_FOUND,
				 "there is no stack %s: minivpc stacks lists them", name);
	id = xstrdup(stack_text(stack, "StackId"));
	after = stacks_last_event(client, id);
	form_add(&form, "StackName", name);
	if ((r = stack_call(client, "DeleteStack", &form, &done, NULL, error)) < 0 ||
	    (r = stacks_watch(client, id, after, false, &outcome, error)) < 0)
		return r;
	if (!streq(outcome.status, "DELETE_COMPLETE"))
		return error_set(error, ERROR_INTERNAL, "%s (%s): %s", name, outcome.status,
				 outcome.failures.length ? outcome.failures.data : "");
	*ret_status = 0;
	printf("%s: %zu resource%s deleted in %lld ms\n", name, outcome.deleted,
	       outcome.deleted == 1 ? "" : "s", (long long)(now_ms() - start));
	return 0;
}

/* Of DescribeStacks. */
static json_t *json_stack(const void *stack)
{
	static const char *const members[][2] = {
		{ "StackName", "stack" },	  { "StackId", "id" },
		{ "StackStatus", "status" },	  { "StackStatusReason", "reason" },
		{ "CreationTime", "created" },	  { "LastUpdatedTime", "updated" },
		{ "Description", "description" },
	};
	json_t *object = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const char *text = stack_text(stack, members[i][0]);

		json_object_set_new(object, members[i][1], *text ? json_string(text) : json_null());
	}
	json_object_set_new(object, "outputs", json_outputs(stack));
	return object;
}

/* Owned; NULL for none. */
static char *shorten(const char *text)
{
	CLEANUP(buffer_clear) struct buffer line = BUFFER_INIT;

	display_line(&line, text);
	if (!line.length)
		return NULL;
	if (display_columns(line.data) <= DESCRIPTION_MAX)
		return buffer_steal(&line);
	return xasprintf("%.*s…", (int)display_fit(line.data, DESCRIPTION_MAX - 1), line.data);
}

static void put_stacks(const struct reply *reply)
{
	CLEANUP(listing_clear) struct listing listing = { &listing_stacks, NULL, 0 };
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;

	for (const void *stack = stack_next(reply, "Stacks", NULL); stack;
	     stack = stack_next(reply, "Stacks", stack))
		*array_grow(&listing.rows, &listing.count) =
			(struct listing_row){ { xstrdup(stack_text(stack, "StackName")),
						xstrdup(stack_text(stack, "StackStatus")),
						shorten(stack_text(stack, "Description")) } };
	listing_table(&listing, &text);
	fputs(text.data, stdout);
}

int stacks_list(const struct client *client, const struct request *request, int *ret_status,
		struct error *error)
{
	CLEANUP(form_clear) struct form form = FORM_INIT;
	CLEANUP(reply_freep) struct reply *reply = NULL;
	int r = stack_call(client, "DescribeStacks", &form, &reply, NULL, error);

	if (r < 0)
		return r;
	*ret_status = 0;
	if (streq(request->output, "json")) {
		json_t *array = json_array();

		for (const void *stack = stack_next(reply, "Stacks", NULL); stack;
		     stack = stack_next(reply, "Stacks", stack))
			json_array_append_new(array, json_stack(stack));
		put_json(array);
	} else {
		put_stacks(reply);
	}
	return 0;
}

/* KEY='value' lines that a shell reads. */
static void put_env(const void *stack)
{
	const void *list = reply_child_named(stack, "Outputs");
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;

	for (const void *output = list ? reply_child(list) : NULL; output;
	     output = reply_sibling(output)) {
		buffer_printf(&text, "%s=", stack_text(output, "OutputKey"));
		shell_quote(&text, stack_text(output, "OutputValue"));
		buffer_putc(&text, '\n');
	}
	fputs(text.length ? text.data : "", stdout);
}

int stacks_outputs(const struct client *client, const struct request *request, int *ret_status,
		   struct error *error)
{
	CLEANUP(reply_freep) struct reply *reply = NULL;
	const void *stack;

	if (stacks_describe(client, request->stack, &reply, &stack, error) < 0)
		return error_set(error, ERROR_NOT_FOUND,
				 "there is no stack %s: minivpc stacks lists them", request->stack);
	*ret_status = 0;
	if (streq(request->output, "json"))
		put_json(json_outputs(stack));
	else if (streq(request->output, "env"))
		put_env(stack);
	else
		show_outputs(stack);
	return 0;
}
