/* One call of one action: see call.h. */
#include "aws/call.h"

#include "aws/reply.h"
#include "aws/request.h"

#include <errno.h>

void aws_refusal_clear(struct aws_refusal *refusal)
{
	free(refusal->code);
	free(refusal->message);
	*refusal = (struct aws_refusal){ 0 };
}

static int refuse(const struct aws_target *target, const struct buffer *body,
		  struct aws_refusal *ret_refusal, struct aws_failure *failure)
{
	CLEANUP(aws_refusal_clear) struct aws_refusal refusal = { 0 };

	aws_reply_error(target->model, body, &refusal.code, &refusal.message);
	aws_fail(failure, AWS_REFUSED, "An error occurred (%s) when calling the %s operation: %s",
		 refusal.code, target->action->name, refusal.message);
	if (ret_refusal) {
		*ret_refusal = refusal;
		refusal = (struct aws_refusal){ 0 };
	}
	return -EREMOTEIO;
}

int aws_call(const struct aws_target *target, json_t *parameters, json_t **ret_result,
	     struct aws_refusal *ret_refusal, struct aws_failure *failure)
{
	const bool json = aws_model_protocol(target->model) == AWS_PROTOCOL_JSON;
	CLEANUP(freep)
	char *name = xasprintf("%s.%s", aws_model_target(target->model), target->action->name);
	CLEANUP(buffer_clear) struct buffer body = BUFFER_INIT;
	CLEANUP(buffer_clear) struct buffer reply = BUFFER_INIT;
	const struct client_request request = {
		.service = aws_model_name(target->model),
		.type = json ? "application/x-amz-json-1.1"
			     : "application/x-www-form-urlencoded; charset=utf-8",
		.target = json ? name : NULL,
		.body = &body,
	};
	struct error error = ERROR_INIT;
	int status = 0, r;

	r = aws_request_check(target->model, target->action, parameters, failure);
	if (r < 0)
		return r;
	aws_request_write(target->model, target->action, parameters, &body);
	if (client_send(target->client, &request, &status, &reply, &error) < 0)
		return aws_fail(failure, AWS_FAILED,
				"Could not connect to the endpoint URL: \"%s/\"",
				target->client->url);
	if (status != 200)
		return refuse(target, &reply, ret_refusal, failure);
	return aws_reply_read(target->model, target->action, &reply, ret_result, failure);
}
