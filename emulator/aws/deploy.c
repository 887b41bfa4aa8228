/* `cloudformation deploy`: see deploy.h. */
#include "aws/deploy.h"

#include "aws/json.h"
#include "aws/wait.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#define TEMPLATE_MAX 51200 /* bytes; more go by way of S3 */

struct deploy {
	const struct aws_target *target;
	json_t *given;
	const char *stack;
	bool exists; /* it is updated, not created */
	struct aws_failure *failure;
};

static struct aws_target aim(const struct deploy *deploy, const char *action)
{
	const struct aws_target *own = deploy->target;

	return (struct aws_target){ own->model, own->client, aws_model_find(own->model, action) };
}

/* Takes the parameters. */
static int call(const struct deploy *deploy, const char *action, json_t *parameters,
		json_t **ret_result, struct aws_refusal *ret_refusal)
{
	const struct aws_target target = aim(deploy, action);
	int r = aws_call(&target, parameters, ret_result, ret_refusal, deploy->failure);

	json_decref(parameters);
	return r;
}

/* Takes the parameters. */
static int wait_for(const struct deploy *deploy, const char *action, const char *waiter,
		    json_t *parameters)
{
	const struct aws_target target = aim(deploy, action);
	CLEANUP(aws_words_freep) char **words = NULL;
	int r = -ENOENT;

	fflush(stdout);
	if (aws_model_waiter(target.model, waiter, &words))
		r = aws_wait(&target, words, parameters, deploy->failure);
	json_decref(parameters);
	return r;
}

/* A stack that is there but to be reviewed is created by its change set. */
static int find_stack(struct deploy *deploy)
{
	CLEANUP(freep) char *absent = xasprintf("Stack with id %s does not exist", deploy->stack);
	CLEANUP(aws_refusal_clear) struct aws_refusal refusal = { 0 };
	CLEANUP(aws_json_freep) json_t *result = NULL;
	const json_t *stacks;
	int r = call(deploy, "DescribeStacks", json_pack("{s:s}", "StackName", deploy->stack),
		     &result, &refusal);

	if (r < 0)
		return refusal.message && strstr(refusal.message, absent) ? 0 : r;
	stacks = json_object_get(result, "Stacks");
	deploy->exists =
		json_array_size(stacks) == 1 &&
		!streq(json_string_value(json_object_get(json_array_get(stacks, 0), "StackStatus")),
		       "REVIEW_IN_PROGRESS");
	return 0;
}

static int read_template(const struct deploy *deploy, struct buffer *body)
{
	const char *path = json_string_value(json_object_get(deploy->given, "TemplateFile"));
	const struct aws_reading reading = { deploy->target->model, false, deploy->failure };
	CLEANUP(freep) char *file = xasprintf("file://%s", path);
	bool binary;

	if (aws_value_load(&reading, "--template-file", file, body, &binary) < 0)
		return aws_fail(deploy->failure, AWS_FAILED, "Invalid template path %s", path);
	if (body->length <= TEMPLATE_MAX)
		return 0;
	return aws_fail(
		deploy->failure, AWS_FAILED,
		"Templates with a size greater than 51,200 bytes must be deployed via an "
		"S3 Bucket. Please add the --s3-bucket parameter to your command. The local "
		"template will be copied to that S3 bucket and then deployed.");
}

/* "Key=Value" words as one object. */
static int read_pairs(const struct deploy *deploy, const json_t *words, const char *option,
		      json_t *pairs)
{
	size_t i;
	json_t *word;

	json_array_foreach(words, i, word)
	{
		const char *text = json_string_value(word);
		const char *equals = text ? strchr(text, '=') : NULL;
		CLEANUP(freep)
		char *key = equals ? xasprintf("%.*s", (int)(equals - text), text) : NULL;

		if (!equals)
			return aws_fail(deploy->failure, AWS_FAILED,
					"['%s'] value passed to --%s must be of format Key=Value",
					text ? text : "", option);
		json_object_set_new(pairs, key, json_string(equals + 1));
	}
	return 0;
}

/* As words, or as JSON in one of three forms. */
static int read_overrides(const struct deploy *deploy, json_t *pairs)
{
	const json_t *words = json_object_get(deploy->given, "ParameterOverrides");
	const char *first = json_string_value(json_array_get(words, 0));
	CLEANUP(aws_json_freep)
	json_t *whole = first && json_array_size(words) == 1 ? json_loads(first, 0, NULL) : NULL;
	json_t *item;
	size_t i;

	if (json_is_object(json_object_get(whole, "Parameters"))) {
		json_object_update(pairs, json_object_get(whole, "Parameters"));
		return 0;
	}
	if (!json_is_object(json_array_get(words, 0)))
		return read_pairs(deploy, words, "parameter-overrides", pairs);
	json_array_foreach(words, i, item)
	{
		const char *key = json_string_value(json_object_get(item, "ParameterKey"));
		json_t *value = json_object_get(item, "ParameterValue");

		if (!key || !value || json_object_size(item) > 2)
			return aws_fail(
				deploy->failure, AWS_USAGE,
				"JSON passed to --parameter-overrides must be one of the formats: "
				"[\"Key1=Value1\",\"Key2=Value2\", ...] , [{\"ParameterKey\": "
				"\"Key1\", \"ParameterValue\": \"Value1\"}, ...] , "
				"[\"Parameters\": {\"Key1\": \"Value1\", \"Key2\": \"Value2\", "
				"...}]");
		json_object_set(pairs, key, value);
	}
	return 0;
}

/* What a template, or the stack that is there, takes; none when it can't be read: the change set
 * says why. */
static json_t *summarize(const struct deploy *deploy, const char *name, const char *value)
{
	CLEANUP(aws_refusal_clear) struct aws_refusal refusal = { 0 };
	CLEANUP(aws_json_freep) json_t *result = NULL;
	json_t *keys = json_object(), *parameters, *parameter;
	size_t i;

	if (call(deploy, "GetTemplateSummary", json_pack("{s:s}", name, value), &result, &refusal) <
	    0)
		return keys;
	parameters = json_object_get(result, "Parameters");
	json_array_foreach(parameters, i, parameter)
	{
		json_object_set_new(keys,
				    json_string_value(json_object_get(parameter, "ParameterKey")),
				    json_true());
	}
	return keys;
}

/* Each parameter of the template: as it is given, else as it was, if it was. */
static json_t *merge_parameters(const struct deploy *deploy, const char *body,
				const json_t *overrides)
{
	CLEANUP(aws_json_freep) json_t *wanted = summarize(deploy, "TemplateBody", body);
	CLEANUP(aws_json_freep)
	json_t *had =
		deploy->exists ? summarize(deploy, "StackName", deploy->stack) : json_object();
	json_t *merged = json_array(), *ignored;
	const char *key;

	json_object_foreach(wanted, key, ignored)
	{
		json_t *value = json_object_get(overrides, key);

		if (value)
			json_array_append_new(merged, json_pack("{s:s,s:O}", "ParameterKey", key,
								"ParameterValue", value));
		else if (json_object_get(had, key))
			json_array_append_new(merged, json_pack("{s:s,s:b}", "ParameterKey", key,
								"UsePreviousValue", 1));
	}
	return merged;
}

static json_t *list_tags(json_t *pairs)
{
	json_t *tags = json_array(), *value;
	const char *key;

	json_object_foreach(pairs, key, value)
	{
		json_array_append_new(tags, json_pack("{s:s,s:O}", "Key", key, "Value", value));
	}
	return tags;
}

/* What the change set is asked for with. Of one second there may be several. */
static int describe(struct deploy *deploy, json_t **ret_parameters)
{
	static const char *const passed[] = { "Capabilities", "RoleARN", "NotificationARNs" };
	CLEANUP(buffer_clear) struct buffer body = BUFFER_INIT;
	CLEANUP(aws_json_freep) json_t *overrides = json_object();
	CLEANUP(aws_json_freep) json_t *tags = json_object();
	struct timespec now;
	char text[32];
	struct tm tm;
	json_t *parameters;
	int r;

	if ((r = read_template(deploy, &body)) < 0 || (r = read_overrides(deploy, overrides)) < 0 ||
	    (r = read_pairs(deploy, json_object_get(deploy->given, "Tags"), "tags", tags)) < 0 ||
	    (r = find_stack(deploy)) < 0)
		return r;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	parameters = json_pack(
		"{s:o,s:s,s:s,s:s,s:o,s:o,s:o}", "ChangeSetName",
		json_sprintf("awscli-cloudformation-package-deploy-%lld%03ld",
			     (long long)now.tv_sec, now.tv_nsec / 1000000),
		"StackName", deploy->stack, "TemplateBody", body.data ? body.data : "",
		"ChangeSetType", deploy->exists ? "UPDATE" : "CREATE", "Description",
		json_sprintf("Created by AWS CLI at %s.%06ld UTC", text, now.tv_nsec / 1000),
		"Parameters", merge_parameters(deploy, body.data ? body.data : "", overrides),
		"Tags", list_tags(tags));
	for (size_t i = 0; i < ARRAY_SIZE(passed); i++)
		if (json_object_get(deploy->given, passed[i]))
			json_object_set(parameters, passed[i],
					json_object_get(deploy->given, passed[i]));
	*ret_parameters = parameters;
	return 0;
}

/* Why there is no change set: 0 when there is nothing to do, which is well. */
static int explain(const struct deploy *deploy, const char *set)
{
	CLEANUP(freep) char *waiter = xstrdup(deploy->failure->text.data);
	CLEANUP(aws_json_freep) json_t *result = NULL;
	const char *status, *reason;
	int r = call(deploy, "DescribeChangeSet",
		     json_pack("{s:s,s:s}", "ChangeSetName", set, "StackName", deploy->stack),
		     &result, NULL);

	if (r < 0)
		return r;
	status = json_string_value(json_object_get(result, "Status"));
	reason = json_string_value(json_object_get(result, "StatusReason"));
	if (!status || !reason ||
	    (!strstr(reason, "The submitted information didn't contain changes.") &&
	     !strstr(reason, "No updates are to be performed")))
		return aws_fail(deploy->failure, AWS_FAILED,
				"Failed to create the changeset: %s Status: %s. Reason: %s", waiter,
				status ? status : "", reason ? reason : "");
	if (json_is_true(json_object_get(deploy->given, "FailOnEmptyChangeset")))
		return aws_fail(deploy->failure, AWS_FAILED,
				"No changes to deploy. Stack %s is up to date", deploy->stack);
	printf("\nNo changes to deploy. Stack %s is up to date\n", deploy->stack);
	return 0;
}

static int execute(const struct deploy *deploy, const char *set)
{
	const bool keep = json_is_true(json_object_get(deploy->given, "DisableRollback"));
	CLEANUP(aws_json_freep) json_t *result = NULL;
	int r = call(deploy, "ExecuteChangeSet",
		     json_pack("{s:s,s:s,s:b}", "ChangeSetName", set, "StackName", deploy->stack,
			       "DisableRollback", (int)keep),
		     &result, NULL);

	if (r < 0)
		return r;
	printf("Waiting for stack create/update to complete\n");
	r = wait_for(deploy, "DescribeStacks",
		     deploy->exists ? "stack-update-complete" : "stack-create-complete",
		     json_pack("{s:s}", "StackName", deploy->stack));
	if (r < 0)
		return aws_fail(
			deploy->failure, AWS_FAILED,
			"Failed to create/update the stack. Run the following command\nto fetch "
			"the list of events leading up to the failure\naws cloudformation "
			"describe-stack-events --stack-name %s",
			deploy->stack);
	printf("Successfully created/updated stack - %s\n", deploy->stack);
	return 0;
}

int aws_deploy(const struct aws_target *target, json_t *given, struct aws_failure *failure)
{
	struct deploy deploy = { target, given,
				 json_string_value(json_object_get(given, "StackName")), false,
				 failure };
	CLEANUP(aws_json_freep) json_t *made = NULL;
	json_t *parameters = NULL;
	const char *set;
	int r;

	if ((r = describe(&deploy, &parameters)) < 0 ||
	    (r = call(&deploy, "CreateChangeSet", parameters, &made, NULL)) < 0)
		return r;
	set = json_string_value(json_object_get(made, "Id"));
	printf("\nWaiting for changeset to be created..\n");
	r = wait_for(&deploy, "DescribeChangeSet", "change-set-create-complete",
		     json_pack("{s:s,s:s}", "ChangeSetName", set, "StackName", deploy.stack));
	if (r < 0)
		return explain(&deploy, set);
	if (!json_is_false(json_object_get(given, "ExecuteChangeset")))
		return execute(&deploy, set);
	printf("Changeset created successfully. Run the following command to review changes:\naws "
	       "cloudformation describe-change-set --change-set-name %s\n",
	       set);
	return 0;
}
