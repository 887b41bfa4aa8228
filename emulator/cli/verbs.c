/* What each verb does: see verbs.h. */
#include "cli/verbs.h"

#include "aws/aws.h"
#include "base/base64.h"
#include "base/text.h"
#include "cli/audit.h"
#include "cli/capture.h"
#include "cli/check.h"
#include "cli/completion.h"
#include "cli/copy.h"
#include "cli/events.h"
#include "cli/fault.h"
#include "cli/lab.h"
#include "cli/listing.h"
#include "cli/matrix.h"
#include "cli/parse.h"
#include "cli/shell.h"
#include "cli/stacks.h"
#include "cli/why.h"
#include "client/start.h"
#include "picture/graph.h"

#include <errno.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#ifndef MINIVPC_VERSION
#define MINIVPC_VERSION "unknown"
#endif

#define FOLLOW_MS 200	/* between looks at a console */
#define LOOK_MS	  10	/* between looks at an instance that has no init to enter */
#define REBOOT_MS 40000 /* that a reboot takes at most: an init is killed after 30 s */
#define GONE_MS	  2000	/* that the daemon may take to see an init's end */

struct context {
	const struct request *request;
	const struct cli_hooks *hooks;
	struct paths paths;
	struct client client; /* where the verb's row says so */
};

static int print(struct buffer *buffer)
{
	if (buffer->length)
		fwrite(buffer->data, 1, buffer->length, stdout);
	return 0; /* cli.c looks at stdout's state at the end */
}

static int do_serve(struct context *context, int *ret_status, struct error *error)
{
	const struct request *request = context->request;
	struct serve_options options = {
		.paths = context->paths,
		.listen = request->listen ? request->listen : DEFAULT_LISTEN,
		.region = request->region,
		.quotas = request->quotas.items,
		.quota_count = request->quotas.count,
		.accept_any_credentials = request->accept_any_credentials,
		.uplink = request->uplink,
		.memory_any = request->memory && streq(request->memory, "none"),
		.limit_memory = request->memory_limits,
	};

	if (text_size(request->disk ? request->disk : DEFAULT_DISK, &options.disk_size) < 0)
		return error_set(error, ERROR_INVALID_PARAMETER, "--disk %s", request->disk);
	if (request->memory && !options.memory_any &&
	    text_size(request->memory, &options.memory) < 0)
		return error_set(error, ERROR_INVALID_PARAMETER, "--memory %s", request->memory);
	/* Started through /proc/self/exe the process would be named "exe". */
	prctl(PR_SET_NAME, "minivpc");
	*ret_status = 0;
	return context->hooks->serve(&options, error);
}

static int do_env(struct context *context, int *ret_status, struct error *error)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;
	struct client *client = &context->client;
	int r = credentials_read(client->credentials_file, context->request->account,
				 &client->credentials, error);

	if (r < 0)
		return r;
	shell_exports(&text, client);
	*ret_status = 0;
	return print(&text);
}

static int do_aws(struct context *context, int *ret_status, struct error *error)
{
	CLEANUP(freep) char **argv = aws_arguments(&context->client, context->request->command);

	*ret_status = 1;
	aws_environment(&context->client);
	return aws_execute(argv, error);
}

/* A service of the AWS CLI: what it is to say, it has said. */
static int do_service(struct context *context, int *ret_status, struct error *error)
{
	const struct request *request = context->request;

	(void)error;
	*ret_status = aws_run(&context->client, request->path[0]->word, request->command);
	return 0;
}

/* The process that the reply names. */
static int read_process(const struct reply *reply, pid_t *ret_pid, uint64_t *ret_start_time,
			struct error *error)
{
	uint64_t pid;
	int r = reply_number(reply, "pid", INT32_MAX, &pid, error);

	*ret_pid = (pid_t)pid;
	return r < 0 ? r : reply_number(reply, "startTime", UINT64_MAX, ret_start_time, error);
}

/* Of one that reboots, its next init: what is begun in the old one would end with it. */
static int find_process(struct context *context, const char *instance, pid_t *ret_pid,
			uint64_t *ret_start_time, struct error *error)
{
	const struct parameter parameters[] = { { "Instance", instance }, { NULL, NULL } };
	int64_t deadline = now_ms() + REBOOT_MS;

	for (;;) {
		CLEANUP(reply_freep) struct reply *reply = NULL;
		CLEANUP(freep) char *rebooting = NULL;
		int r = client_call(&context->client, "GetInstanceProcess", parameters, &reply,
				    error);

		if (r < 0)
			return r;
		rebooting = reply_text(reply, "rebooting");
		if (!rebooting)
			return read_process(reply, ret_pid, ret_start_time, error);
		if (now_ms() >= deadline)
			return error_sys(error, ETIMEDOUT, "%s reboots", instance);
		nanosleep(&(struct timespec){ 0, LOOK_MS * 1000000 }, NULL);
	}
}

/* -ESRCH: nothing was begun, since its init had gone when the reply came, which the daemon sees a
 * moment later. */
static int execute(struct context *context, char *const argv[], int *ret_status,
		   struct error *error)
{
	int64_t deadline = now_ms() + GONE_MS;

	for (;;) {
		uint64_t start_time;
		pid_t pid;
		int r = find_process(context, context->request->instance, &pid, &start_time, error);

		if (r == 0)
			r = context->hooks->exec(pid, start_time, argv, ret_status, error);
		if (r != -ESRCH || now_ms() >= deadline)
			return r;
		nanosleep(&(struct timespec){ 0, LOOK_MS * 1000000 }, NULL);
	}
}

static int do_exec(struct context *context, int *ret_status, struct error *error)
{
	return execute(context, context->request->command, ret_status, error);
}

static int do_shell(struct context *context, int *ret_status, struct error *error)
{
	static char script[] = "cd; [ -x /bin/bash ] && exec /bin/bash -l; exec /bin/sh -l";
	char *argv[] = { (char[]){ "/bin/sh" }, (char[]){ "-c" }, script, NULL };

	return execute(context, argv, ret_status, error);
}

static int do_cp(struct context *context, int *ret_status, struct error *error)
{
	struct copy_place from = copy_parse(context->request->from);
	struct copy_place to = copy_parse(context->request->to);
	const char *instance = from.instance ? from.instance : to.instance;
	uint64_t start_time;
	pid_t pid;
	int r;

	if (!from.instance == !to.instance)
		r = error_set(error, ERROR_INVALID_PARAMETER,
			      "cp: one of SRC and DST is in an instance: INSTANCE:PATH");
	else
		r = find_process(context, instance, &pid, &start_time, error);
	if (r == 0)
		r = copy_run(context->hooks, &from, &to, pid, start_time, ret_status, error);
	free(from.instance);
	free(to.instance);
	return r;
}

/* A part of an instance's console. */
struct console {
	struct buffer text;
	uint64_t end;
	bool is_last; /* there will be no more */
};

/* `from` is where it begins; NULL: with its last lines. */
static int read_console(struct context *context, const char *from, struct console *ret_console,
			struct error *error)
{
	const struct parameter parameters[] = { { "Instance", context->request->instance },
						{ "From", from },
						{ NULL, NULL } };
	CLEANUP(reply_freep) struct reply *reply = NULL;
	CLEANUP(freep) char *text = NULL, *state = NULL;
	int r = client_call(&context->client, "GetInstanceConsole", parameters, &reply, error);

	if (r < 0 || (r = reply_number(reply, "end", INT64_MAX, &ret_console->end, error)) < 0)
		return r;
	state = reply_text(reply, "state");
	ret_console->is_last = streq(state, "terminated");
	text = reply_text(reply, "output");
	if (text && base64_read(text, strlen(text), &ret_console->text) < 0) {
		error_set(error, ERROR_INTERNAL, "the reply holds no usable <output>");
		return -EBADMSG;
	}
	return 0;
}

static int do_logs(struct context *context, int *ret_status, struct error *error)
{
	const struct timespec pause = { .tv_nsec = FOLLOW_MS * 1000000L };
	char from[32];
	bool more = true;
	int r = 0;

	*ret_status = 0;
	for (bool first = true; r == 0 && more; first = false) {
		struct console console = { .text = BUFFER_INIT };
		size_t length;

		r = read_console(context, first ? NULL : from, &console, error);
		length = console.text.length;
		print(&console.text);
		buffer_clear(&console.text);
		snprintf(from, sizeof(from), "%llu", (unsigned long long)console.end);
		more = context->request->follow && !console.is_last && fflush(stdout) == 0;
		if (more && !length)
			nanosleep(&pause, NULL);
	}
	return r;
}

/* A call about a host of the Internet, or about all. */
static int call_internet(struct context *context, const char *action, struct reply **ret_reply,
			 struct error *error)
{
	const struct parameter parameters[] = { { "Name", context->request->host },
						{ "Address", context->request->address },
						{ NULL, NULL } };

	return client_call(&context->client, action, parameters, ret_reply, error);
}

static int do_internet_exec(struct context *context, int *ret_status, struct error *error)
{
	CLEANUP(reply_freep) struct reply *reply = NULL;
	uint64_t start_time;
	pid_t pid;
	int r;

	if ((r = call_internet(context, "GetInternetHost", &reply, error)) < 0 ||
	    (r = read_process(reply, &pid, &start_time, error)) < 0)
		return r;
	return context->hooks->exec(pid, start_time, context->request->command, ret_status, error);
}

static int print_address(struct context *context, const char *action, int *ret_status,
			 struct error *error)
{
	CLEANUP(reply_freep) struct reply *reply = NULL;
	CLEANUP(freep) char *address = NULL;
	int r = call_internet(context, action, &reply, error);

	if (r < 0)
		return r;
	address = reply_text(reply, "address");
	if (!address) {
		error_set(error, ERROR_INTERNAL, "the reply holds no usable <address>");
		return -EBADMSG;
	}
	*ret_status = 0;
	puts(address);
	return 0;
}

static int do_internet_address(struct context *context, int *ret_status, struct error *error)
{
	return print_address(context, "GetInternetAddress", ret_status, error);
}

static int do_internet_create(struct context *context, int *ret_status, struct error *error)
{
	return print_address(context, "CreateInternetHost", ret_status, error);
}

static int do_internet_delete(struct context *context, int *ret_status, struct error *error)
{
	CLEANUP(reply_freep) struct reply *reply = NULL;

	*ret_status = 0;
	return call_internet(context, "DeleteInternetHost", &reply, error);
}

static int print_listing(const struct request *request, const struct reply *reply,
			 const struct listing_type *type)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;

	listing_print(reply, type, request->all, request->output, &text);
	return print(&text);
}

static int do_internet_list(struct context *context, int *ret_status, struct error *error)
{
	CLEANUP(reply_freep) struct reply *reply = NULL;
	int r = call_internet(context, "ListInternetHosts", &reply, error);

	*ret_status = 0;
	return r < 0 ? r : print_listing(context->request, reply, &listing_hosts);
}

static int call_image(struct context *context, const char *action, const char *image,
		      struct error *error)
{
	const struct parameter parameters[] = { { "Image", image }, { NULL, NULL } };
	CLEANUP(reply_freep) struct reply *reply = NULL;

	return client_call(&context->client, action, parameters, &reply, error);
}

/* Its state, and why it failed; both are the caller's. */
static int image_state(struct context *context, const char *id, char **ret_state, char **ret_reason,
		       struct error *error)
{
	const struct parameter parameters[] = { { "Image", id }, { NULL, NULL } };
	CLEANUP(reply_freep) struct reply *reply = NULL;
	const void *item;
	int r = client_call(&context->client, "ListImages", parameters, &reply, error);

	if (r < 0)
		return r;
	item = reply_next(reply, "imageSet", NULL);
	if (!item) {
		error_set(error, ERROR_INTERNAL, "%s was deregistered meanwhile", id);
		return -ENOENT;
	}
	*ret_state = reply_item_text(item, "state");
	*ret_reason = reply_item_text(item, "reason");
	return 0;
}

#define UNPACKING_POLL 20000000 /* nanoseconds */

/* Until it is available; one that failed is of no use, and its name is wanted again. */
static int await_image(struct context *context, const char *id, struct error *error)
{
	for (;;) {
		CLEANUP(freep) char *state = NULL, *reason = NULL;
		struct error ignored = ERROR_INIT;
		int r = image_state(context, id, &state, &reason, error);

		if (r < 0 || streq(state, "available"))
			return r;
		if (!streq(state, "pending")) {
			call_image(context, "DeleteImage", id, &ignored);
			error_set(error, ERROR_INTERNAL, "%s: %s", context->request->path_of_image,
				  reason ? reason : "it can't be unpacked");
			return -EBADMSG;
		}
		nanosleep(&(struct timespec){ 0, UNPACKING_POLL }, NULL);
	}
}

static int do_image_import(struct context *context, int *ret_status, struct error *error)
{
	const struct request *request = context->request;
	CLEANUP(freep) char *path = realpath(request->path_of_image, NULL);
	const struct parameter parameters[] = { { "Name", request->image },
						{ "Path", path },
						{ NULL, NULL } };
	CLEANUP(reply_freep) struct reply *reply = NULL;
	CLEANUP(freep) char *id = NULL;
	int r;

	if (!path)
		return error_sys(error, errno, "%s", request->path_of_image);
	if ((r = client_call(&context->client, "ImportImage", parameters, &reply, error)) < 0)
		return r;
	id = reply_text(reply, "imageId");
	if (!id) {
		error_set(error, ERROR_INTERNAL, "the reply holds no usable <imageId>");
		return -EBADMSG;
	}
	if ((r = await_image(context, id, error)) < 0)
		return r;
	*ret_status = 0;
	puts(id);
	return 0;
}

static int do_image_list(struct context *context, int *ret_status, struct error *error)
{
	const struct parameter none[] = { { NULL, NULL } };
	CLEANUP(reply_freep) struct reply *reply = NULL;
	int r = client_call(&context->client, "ListImages", none, &reply, error);

	*ret_status = 0;
	return r < 0 ? r : print_listing(context->request, reply, &listing_images);
}

static int do_image_delete(struct context *context, int *ret_status, struct error *error)
{
	*ret_status = 0;
	return call_image(context, "DeleteImage", context->request->image, error);
}

static int do_account_create(struct context *context, int *ret_status, struct error *error)
{
	const struct parameter parameters[] = { { "Account", context->request->account },
						{ NULL, NULL } };
	CLEANUP(reply_freep) struct reply *reply = NULL;
	CLEANUP(freep) char *account = NULL;
	int r = client_call(&context->client, "CreateAccount", parameters, &reply, error);

	if (r < 0)
		return r;
	account = reply_text(reply, "account");
	if (!account) {
		error_set(error, ERROR_INTERNAL, "the reply holds no usable <account>");
		return -EBADMSG;
	}
	*ret_status = 0;
	puts(account);
	return 0;
}

static int do_account_list(struct context *context, int *ret_status, struct error *error)
{
	const struct parameter none[] = { { NULL, NULL } };
	CLEANUP(reply_freep) struct reply *reply = NULL;
	int r = client_call(&context->client, "ListAccounts", none, &reply, error);

	*ret_status = 0;
	return r < 0 ? r : print_listing(context->request, reply, &listing_accounts);
}

/* What `ps` is to list. */
struct listed {
	const char *action;
	const struct listing_type *type;
};

static int find_listed(const struct request *request, struct listed *ret_listed,
		       struct error *error)
{
	*ret_listed = (struct listed){ "ListInstances", &listing_instances };
	if (request->nat && request->drops)
		return error_set(error, ERROR_INVALID_PARAMETER,
				 "ps: --drops and --nat list different things: give one of them");
	if (request->drops)
		*ret_listed = (struct listed){ "ListDrops", &listing_drops };
	if (request->nat)
		*ret_listed = (struct listed){ "ListNatGateways", &listing_nat };
	return 0;
}

static int do_ps(struct context *context, int *ret_status, struct error *error)
{
	const struct request *request = context->request;
	const struct parameter parameters[] = { { "Instance", request->instance }, { NULL, NULL } };
	CLEANUP(reply_freep) struct reply *reply = NULL;
	struct listed listed;
	int r;

	*ret_status = 0;
	if ((r = find_listed(request, &listed, error)) < 0 ||
	    (r = client_call(&context->client, listed.action, parameters, &reply, error)) < 0)
		return r;
	return print_listing(request, reply, listed.type);
}

static int do_actions(struct context *context, int *ret_status, struct error *error)
{
	const struct parameter none[] = { { NULL, NULL } };
	CLEANUP(reply_freep) struct reply *reply = NULL;
	int r = client_call(&context->client, "ListActions", none, &reply, error);

	*ret_status = 0;
	return r < 0 ? r : print_listing(context->request, reply, &listing_actions);
}

static int do_graph(struct context *context, int *ret_status, struct error *error)
{
	const struct request *request = context->request;
	CLEANUP(buffer_clear) struct buffer picture = BUFFER_INIT;
	int r = graph_make(&context->client, request->output, request->vpc, &picture, error);

	*ret_status = 0;
	return r < 0 ? r : print(&picture);
}

static int do_capture(struct context *context, int *ret_status, struct error *error)
{
	const struct request *request = context->request;
	const struct capture_options options = {
		.target = request->instance,
		.file = request->file,
		.json = streq(request->output, "json"),
		.count = request->count ? strtoull(request->count, NULL, 10) : 0,
		.seconds = request->seconds ? strtoull(request->seconds, NULL, 10) : 0,
	};

	*ret_status = 0;
	return capture_run(&context->client, context->hooks, &options, error);
}

static int do_why(struct context *context, int *ret_status, struct error *error)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;
	int r = why_run(&context->client, context->hooks, context->request, &text, ret_status,
			error);

	return r < 0 ? r : print(&text);
}

static int do_ping_matrix(struct context *context, int *ret_status, struct error *error)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;
	int r = matrix_run(&context->client, context->hooks, context->request, &text, ret_status,
			   error);

	return r < 0 ? r : print(&text);
}

static int do_fault(struct context *context, int *ret_status, struct error *error)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;
	int r = fault_run(&context->client, context->request, &text, error);

	*ret_status = 0;
	return r < 0 ? r : print(&text);
}

static int do_events(struct context *context, int *ret_status, struct error *error)
{
	*ret_status = 0;
	return events_run(&context->client, context->request->follow, error);
}

static int do_check(struct context *context, int *ret_status, struct error *error)
{
	CLEANUP(check_list_clear) struct check_list list = { NULL, 0 };
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;
	int r = context->hooks->check(&context->paths, &list, error);

	if (r < 0)
		return r;
	*ret_status = check_print(&list, context->request->output, &text) ? 0 : 1;
	return print(&text);
}

static int do_audit(struct context *context, int *ret_status, struct error *error)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;
	int r = audit_run(&context->client, context->request, &text, ret_status, error);

	return r < 0 ? r : print(&text);
}

static int do_up(struct context *context, int *ret_status, struct error *error)
{
	return stacks_up(&context->client, context->request, ret_status, error);
}

static int do_stacks(struct context *context, int *ret_status, struct error *error)
{
	return stacks_list(&context->client, context->request, ret_status, error);
}

static int do_outputs(struct context *context, int *ret_status, struct error *error)
{
	return stacks_outputs(&context->client, context->request, ret_status, error);
}

static int down_stack(struct context *context, int *ret_status, struct error *error)
{
	int r = start_daemon(&context->paths, &context->client, error);

	return r < 0 ? r
		     : stacks_down(&context->client, context->request->stack, ret_status, error);
}

static int do_labs(struct context *context, int *ret_status, struct error *error)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;
	int r = lab_list(context->request->output, &text, error);

	*ret_status = 0;
	return r < 0 ? r : print(&text);
}

static int do_lab(struct context *context, int *ret_status, struct error *error)
{
	const struct request *request = context->request;
	const struct lab_options options = { request->lab, request->lab_files, request->check };

	return lab_run(&options, &context->paths, ret_status, error);
}

static int do_down(struct context *context, int *ret_status, struct error *error)
{
	if (context->request->stack)
		return down_stack(context, ret_status, error);
	*ret_status = 0;
	/* Run-time files can outlive the state when somebody removed that by hand. */
	if (access(context->paths.state, F_OK) < 0 && errno == ENOENT &&
	    access(context->paths.run, F_OK) < 0 && errno == ENOENT)
		return 0;
	return context->hooks->down(&context->paths, error);
}

static int do_completion(struct context *context, int *ret_status, struct error *error)
{
	(void)error;
	*ret_status = 0;
	fputs(completion_script(context->request->shell), stdout);
	return 0;
}

static const char *state_of(const struct request *request)
{
	const char *environment = getenv("MINIVPC_STATE");

	if (request->state)
		return request->state;
	return environment && *environment ? environment : DEFAULT_STATE;
}

static int do_complete(struct context *context, int *ret_status, struct error *error)
{
	const struct request *request = context->request;
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;

	(void)error;
	*ret_status = 0;
	completion_list(request->command, state_of(request), &text);
	return print(&text);
}

static const struct {
	int (*run)(struct context *context, int *ret_status, struct error *error);
	bool root;   /* refused to others before anything happens */
	bool client; /* needs the daemon, which is started when none runs */
	bool alone;  /* needs no world, not even one that could be */
} verbs[] = {
	[VERB_SERVE] = { do_serve, .root = true },
	[VERB_ENV] = { do_env, .client = true },
	[VERB_AWS] = { do_aws, .client = true },
	[VERB_SERVICE] = { do_service, .client = true },
	[VERB_EXEC] = { do_exec, .root = true, .client = true },
	[VERB_SHELL] = { do_shell, .root = true, .client = true },
	[VERB_CP] = { do_cp, .root = true, .client = true },
	[VERB_LOGS] = { do_logs, .client = true },
	[VERB_INTERNET_EXEC] = { do_internet_exec, .root = true, .client = true },
	[VERB_INTERNET_ADDRESS] = { do_internet_address, .client = true },
	[VERB_INTERNET_CREATE] = { do_internet_create, .client = true },
	[VERB_INTERNET_LIST] = { do_internet_list, .client = true },
	[VERB_INTERNET_DELETE] = { do_internet_delete, .client = true },
	[VERB_IMAGE_IMPORT] = { do_image_import, .client = true },
	[VERB_IMAGE_LIST] = { do_image_list, .client = true },
	[VERB_IMAGE_DELETE] = { do_image_delete, .client = true },
	[VERB_ACCOUNT_CREATE] = { do_account_create, .client = true },
	[VERB_ACCOUNT_LIST] = { do_account_list, .client = true },
	[VERB_PS] = { do_ps, .client = true },
	[VERB_LABS] = { do_labs, .client = false },
	[VERB_LAB] = { do_lab, .root = true },
	[VERB_ACTIONS] = { do_actions, .client = true },
	[VERB_GRAPH] = { do_graph, .client = true },
	[VERB_CAPTURE] = { do_capture, .root = true, .client = true },
	[VERB_WHY] = { do_why, .client = true },
	[VERB_PING_MATRIX] = { do_ping_matrix, .root = true, .client = true },
	[VERB_FAULT_AZ] = { do_fault, .client = true },
	[VERB_FAULT_NAT] = { do_fault, .client = true },
	[VERB_FAULT_SUBNET] = { do_fault, .client = true },
	[VERB_FAULT_INSTANCE] = { do_fault, .client = true },
	[VERB_FAULT_LINK] = { do_fault, .client = true },
	[VERB_FAULT_LIST] = { do_fault, .client = true },
	[VERB_FAULT_HEAL] = { do_fault, .client = true },
	[VERB_EVENTS] = { do_events, .client = true },
	[VERB_CHECK] = { do_check, .root = true },
	[VERB_AUDIT] = { do_audit, .client = true },
	[VERB_UP] = { do_up, .client = true },
	[VERB_STACKS] = { do_stacks, .client = true },
	[VERB_OUTPUTS] = { do_outputs, .client = true },
	[VERB_DOWN] = { do_down, .root = true },
	[VERB_COMPLETION] = { do_completion, .alone = true },
	[VERB_COMPLETE] = { do_complete, .alone = true },
};
static_assert(ARRAY_SIZE(verbs) == VERB_VERSION, "one row per verb, version has no world");

static int run(const struct request *request, const struct cli_hooks *hooks, int *ret_status,
	       struct error *error)
{
	struct context context = { .request = request, .hooks = hooks };
	int r;

	if (verbs[request->verb].root && geteuid() != 0)
		return -EPERM; /* the hint is all there is to say */
	if (verbs[request->verb].alone)
		return verbs[request->verb].run(&context, ret_status, error);
	r = paths_for(state_of(request), &context.paths, error);
	if (r == -ENOENT && request->verb == VERB_DOWN && !request->stack) {
		*ret_status = 0; /* not even the parent is there */
		return 0;
	}
	if (r == -ENOENT)
		error_set(error, ERROR_INTERNAL,
			  "state directory %s: its parent does not exist: create that first",
			  state_of(request));
	if (r < 0)
		return r;
	if (verbs[request->verb].client &&
	    (r = start_daemon(&context.paths, &context.client, error)) < 0)
		return r;
	return verbs[request->verb].run(&context, ret_status, error);
}

int verb_run(const struct request *request, const struct cli_hooks *hooks, int *ret_status,
	     struct error *error)
{
	CLEANUP(freep) char *path = cli_path(request);
	struct error cause = ERROR_INIT;
	int r;

	if (request->verb == VERB_VERSION) {
		puts("minivpc " MINIVPC_VERSION);
		*ret_status = 0;
		return 0;
	}
	r = run(request, hooks, ret_status, &cause);
	if (r >= 0)
		return 0;
	*error = cause;
	if (geteuid() != 0 && (r == -EPERM || r == -EACCES))
		error_set(error, ERROR_INTERNAL, "%s%sneeds root: try sudo minivpc %s%s",
			  cause.text, *cause.text ? ": " : "", path,
			  request->command || request->instance || request->host ? " ..." : "");
	return r;
}
