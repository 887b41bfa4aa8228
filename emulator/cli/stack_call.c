/* Calls to CloudFormation: see stack_call.h. */
#include "cli/stack_call.h"

#include <errno.h>

#define SERVICE "cloudformation"
#define VERSION "2010-05-15"
#define TYPE	"application/x-www-form-urlencoded"

void form_add(struct form *form, const char *name, const char *value)
{
	if (!value)
		return;
	buffer_printf(&form->text, "&%s=", name);
	buffer_escape(&form->text, value, strlen(value), "");
}

void form_clear(struct form *form)
{
	buffer_clear(&form->text);
}

/* <ErrorResponse><Error><Type/><Code/><Message/>… */
static int refusal(const struct reply *reply, int status, char **ret_code, struct error *error)
{
	CLEANUP(freep) char *message = reply_text(reply, "Message");
	CLEANUP(freep) char *code = reply_text(reply, "Code");

	if (message && code)
		error_set(error, ERROR_INTERNAL, "%s", message);
	else
		error_set(error, ERROR_INTERNAL, "the daemon answered HTTP %d", status);
	if (ret_code)
		*ret_code = steal(&code);
	return -EREMOTEIO;
}

int stack_call(const struct client *client, const char *action, const struct form *form,
	       struct reply **ret_reply, char **ret_code, struct error *error)
{
	CLEANUP(buffer_clear) struct buffer body = BUFFER_INIT;
	CLEANUP(reply_freep) struct reply *reply = NULL;
	const struct client_request request = { SERVICE, TYPE, NULL, &body };
	int r, status = 0;

	buffer_printf(&body, "Action=%s&Version=" VERSION, action);
	buffer_append(&body, form->text.data, form->text.length);
	if ((r = client_ask(client, &request, &status, &reply, error)) < 0)
		return r;
	if (status != 200)
		return refusal(reply, status, ret_code, error);
	*ret_reply = steal(&reply);
	return 0;
}

const void *stack_next(const struct reply *reply, const char *set, const void *member)
{
	const void *result = reply_child(reply_root(reply)), *list;

	if (member)
		return reply_sibling(member);
	list = result ? reply_child_named(result, set) : NULL;
	return list ? reply_child(list) : NULL;
}

const char *stack_text(const void *element, const char *name)
{
	const void *child = reply_child_named(element, name);

	return child ? reply_content(child) : "";
}
