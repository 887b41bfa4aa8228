/*
 * From a request to its action and back: see api.h. The order of checks is vpc-guide's observed
 * one: form, signature, action, parameters, then what the action itself finds; DryRun is last.
 */
#include "api/api.h"

#include <stdio.h>
#include <time.h>

#include "api/errors.h"
#include "api/front.h"
#include "api/json.h"
#include "base/log.h"
#include "model/defaults.h"
#include "model/region.h"

struct api {
	struct front *front;
	struct model *model;
	struct api_options options;
	char region[33];
};

/* Without a namespace: it speaks JSON. */
static const struct {
	const char *service, *version, *xml_namespace;
} services[] = {
	{ "ec2", "2016-11-15", "http://ec2.amazonaws.com/doc/2016-11-15/" },
	{ "sts", "2011-06-15", "https://sts.amazonaws.com/doc/2011-06-15/" },
	{ "cloudformation", "2010-05-15", "http://cloudformation.amazonaws.com/doc/2010-05-15/" },
	{ JSON_SERVICE, JSON_VERSION, NULL },
	{ "minivpc", "minivpc", "urn:minivpc" },
};

static bool is_service(const char *service)
{
	for (size_t i = 0; i < ARRAY_SIZE(services); i++)
		if (streq(services[i].service, service))
			return true;
	return false;
}

static const char *xml_namespace(const char *service)
{
	for (size_t i = 0; i < ARRAY_SIZE(services); i++)
		if (streq(services[i].service, service))
			return services[i].xml_namespace;
	return services[0].xml_namespace;
}

/* EC2 accepts every version of its API there has been (they are dates); others have just one. */
static int check_version(const char *service, const char *version, struct error *error)
{
	if (!version)
		return error_set(error, ERROR_MISSING_PARAMETER,
				 "The request must contain the parameter Version");
	if (streq(service, "ec2") && strlen(version) == 10 &&
	    strspn(version, "0123456789-") == 10 && strcmp(version, services[0].version) <= 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(services); i++)
		if (streq(services[i].service, service) && streq(services[i].version, version))
			return 0;
	return error_set(error, ERROR_NO_SUCH_VERSION, "The version %s is not valid.", version);
}

static int find_named(const char *service, const char *name, const struct action **ret,
		      struct error *error)
{
	for (const struct action *action = actions; action->name; action++)
		if (streq(action->service, service) && streq(action->name, name)) {
			*ret = action;
			return 0;
		}
	return error_set(error, ERROR_INVALID_ACTION,
			 "The action %s is not valid for this web service.", name);
}

static int find_action(const struct call *call, const char *service, const struct action **ret,
		       struct error *error)
{
	const char *name = call_text(call, "Action");
	int r;

	if (!is_service(service))
		return error_set(error, ERROR_AUTH_FAILURE,
				 "Credential should be scoped to correct service: 'ec2'.");
	if (!name || !*name)
		return error_set(error, ERROR_MISSING_ACTION,
				 "The request must contain the parameter Action");
	if ((r = check_version(service, call_text(call, "Version"), error)) < 0)
		return r;
	return find_named(service, name, ret, error);
}

/* A region is filled with its default VPC when it is first seen. */
static int enter_scope(struct call *call, const char *account, const char *region,
		       struct error *error)
{
	const struct api_hooks *hooks = call->hooks;
	struct transaction transaction;
	int r;

	if (!region_find(region))
		return error_set(error, ERROR_AUTH_FAILURE, "There is no region %s.", region);
	call->scope = model_scope(call->model, account, region);
	transaction = transaction_begin(call->model, call->transaction.now);
	r = defaults_create(&transaction, call->scope, error);
	if (r < 0)
		transaction_rollback(&transaction);
	return r < 0 ? r : hooks->commit(hooks->context, &transaction, error);
}

/* All but the commit; the transaction is empty when it fails. */
static int perform(struct call *call, struct error *error)
{
	int r;

	if ((r = params_check(call->params, call->action->parameters, error)) < 0)
		return r;
	if (streq(call->action->service, "ec2") && (r = call_check_ids(call, error)) < 0)
		return r;
	r = call->action->handle(call, error);
	if (r == 0 && call_bool(call, "DryRun", false))
		r = error_set(error, ERROR_DRY_RUN,
			      "Request would have succeeded, but DryRun flag is set.");
	if (r < 0)
		transaction_rollback(&call->transaction);
	return r;
}

static int run(struct call *call, struct error *error)
{
	const struct api_hooks *hooks = call->hooks;
	int r = perform(call, error);

	return r < 0 ? r : hooks->commit(hooks->context, &call->transaction, error);
}

/* Those of CloudFormation's that answer nothing have no element for it either. */
static bool has_result(const struct call *call)
{
	static const char *const without[] = { "DeleteStack", "SignalResource" };

	if (!streq(call->action->service, "cloudformation"))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(without); i++)
		if (streq(call->action->name, without[i]))
			return false;
	return true;
}

/* Services of the query protocol proper: sts writes its result itself. */
static bool has_metadata(const char *service)
{
	return streq(service, "sts") || streq(service, "cloudformation");
}

static void begin_reply(struct call *call, const char *service, const char *request_id)
{
	CLEANUP(freep) char *root = xasprintf("%sResponse", call->action->name);

	xml_open_ns(call->xml, root, xml_namespace(service));
	if (!has_metadata(service))
		xml_text(call->xml, "requestId", request_id);
	if (has_result(call)) {
		CLEANUP(freep) char *result = xasprintf("%sResult", call->action->name);

		xml_open(call->xml, result);
	}
}

/* The query protocol of the other services wraps the result and ends with the request's id. */
static void end_reply(struct call *call, const char *service, const char *request_id)
{
	if (!has_metadata(service))
		return;
	if (has_result(call))
		xml_close(call->xml);
	xml_open(call->xml, "ResponseMetadata");
	xml_text(call->xml, "RequestId", request_id);
	xml_close(call->xml);
}

static int answer_json(struct call *call, struct http_reply *reply, struct error *error)
{
	CLEANUP(json_freep) struct json_t *json = json_object();
	int r;

	call->json = json;
	if ((r = run(call, error)) == 0)
		json_reply(json, reply);
	return r;
}

/* Has it resources in regions? */
static bool is_regional(const char *service)
{
	return streq(service, "ec2") || streq(service, "cloudformation");
}

static int answer(struct call *call, const char *service, struct http_reply *reply,
		  struct error *error)
{
	CLEANUP(xml_freep) struct xml *xml = xml_new();
	const struct identity *identity = call->identity;
	int r;

	if ((r = find_action(call, service, &call->action, error)) < 0)
		return r;
	if (streq(service, "minivpc") && !streq(identity->account, DEFAULT_ACCOUNT))
		return error_set(error, ERROR_FORBIDDEN,
				 "The world is its default account's to look after.");
	if (streq(service, JSON_SERVICE))
		return answer_json(call, reply, error);
	call->xml = xml;
	begin_reply(call, service, reply->request_id);
	if (is_regional(service) &&
	    (r = enter_scope(call, identity->account, identity->region, error)) < 0)
		return r;
	if ((r = run(call, error)) < 0)
		return r;
	end_reply(call, service, reply->request_id);
	xml_finish(xml, &reply->body);
	reply->status = 200;
	return 0;
}

static int handle(struct api *api, const struct http_request *request, struct http_reply *reply,
		  struct error *error, struct identity *identity)
{
	CLEANUP(params_freep) struct params *params = NULL;
	struct sigv4_policy policy = { .credentials = api->options.credentials,
				       .accept_any = api->options.accept_any_credentials,
				       .now = time(NULL) };
	struct call call = { .model = api->model,
			     .hooks = &api->options.hooks,
			     .identity = identity,
			     .accounts = api->options.credentials,
			     .any_account = api->options.accept_any_credentials };
	int r;

	r = json_is(request) ? json_params(request, &params, error)
			     : params_parse(request, &params, error);
	if (r < 0)
		return r;
	call.params = params;
	if ((r = sigv4_verify(request, &policy, identity, error)) < 0)
		return r;
	if (*identity->service && json_is(request) != streq(identity->service, JSON_SERVICE))
		return error_set(error, ERROR_INVALID_ACTION, "%s does not speak this protocol.",
				 identity->service);
	if (!*identity->region) /* unsigned, where that is accepted */
		memcpy(identity->region, api->region, sizeof(identity->region));
	call.transaction = transaction_begin(api->model, policy.now);
	return answer(&call, *identity->service ? identity->service : "ec2", reply, error);
}

static void on_request(void *context, const struct http_request *request, struct http_reply *reply)
{
	struct api *api = context;
	struct error error = ERROR_INIT;
	struct identity identity = { .service = "" };

	if (handle(api, request, reply, &error, &identity) == 0)
		return;
	if (error.code == ERROR_INTERNAL)
		log_error("%s", error.text);
	buffer_clear(&reply->body);
	if (json_is(request) || streq(identity.service, JSON_SERVICE))
		json_error(&error, reply);
	else
		error_document(&error, is_service(identity.service) ? identity.service : "ec2",
			       reply->request_id, reply);
}

/* The reply as the client would read it, and what the caller does with it before it is so. */
static int amend(struct call *call, const struct api_invocation *invocation,
		 struct reply **ret_reply, struct error *error)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;
	CLEANUP(reply_freep) struct reply *reply = NULL;
	int r;

	end_reply(call, invocation->service, "");
	xml_finish(call->xml, &text);
	r = reply_parse(text.data, text.length, &reply, error);
	if (r == 0 && invocation->amend)
		r = invocation->amend(invocation->context, &call->transaction, reply, error);
	if (r < 0)
		transaction_rollback(&call->transaction);
	else
		*ret_reply = steal(&reply);
	return r;
}

int api_invoke(struct api *api, const struct api_invocation *invocation, struct reply **ret_reply,
	       struct error *error)
{
	CLEANUP(params_freep)
	struct params *params = params_make(invocation->parameters, invocation->parameter_count);
	CLEANUP(xml_freep) struct xml *xml = xml_new();
	CLEANUP(reply_freep) struct reply *reply = NULL;
	const struct api_hooks *hooks = &api->options.hooks;
	struct identity identity = { .access_key = "" };
	struct call call = { .model = api->model,
			     .hooks = hooks,
			     .identity = &identity,
			     .accounts = api->options.credentials,
			     .any_account = api->options.accept_any_credentials,
			     .params = params,
			     .xml = xml };
	int r;

	snprintf(identity.account, sizeof(identity.account), "%s", invocation->account);
	snprintf(identity.region, sizeof(identity.region), "%s", invocation->region);
	snprintf(identity.service, sizeof(identity.service), "%s", invocation->service);
	if ((r = find_named(invocation->service, invocation->action, &call.action, error)) < 0 ||
	    (r = enter_scope(&call, identity.account, identity.region, error)) < 0)
		return r;
	call.transaction = transaction_begin(api->model, time(NULL));
	begin_reply(&call, invocation->service, "");
	if ((r = perform(&call, error)) < 0 || (r = amend(&call, invocation, &reply, error)) < 0 ||
	    (r = hooks->commit(hooks->context, &call.transaction, error)) < 0)
		return r;
	*ret_reply = steal(&reply);
	return 0;
}

int api_open(struct loop *loop, struct model *model, const struct api_options *options,
	     struct api **ret_api, struct error *error)
{
	struct api *api = xcalloc(1, sizeof(*api));
	int r;

	api->model = model;
	api->options = *options;
	strncpy(api->region, options->region, sizeof(api->region) - 1);
	r = front_open(loop, &(struct front_options){ options->listen, on_request, api },
		       &api->front, error);
	if (r < 0) {
		free(api);
		return r;
	}
	*ret_api = api;
	return 0;
}

const char *api_url(const struct api *api)
{
	return http_url(front_http(api->front));
}

struct api *api_close(struct api *api)
{
	if (!api)
		return NULL;
	front_close(api->front);
	free(api);
	return NULL;
}
