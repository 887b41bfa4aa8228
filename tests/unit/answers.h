/* Who answers for a template's tests: values that tell what was asked. */
#pragma once

#include "lab/template.h"

static int answer_resource(void *context, const char *name, const char *attribute,
			   struct node **ret_value, struct error *error)
{
	(void)context;
	if (streq(attribute, "PublicIp"))
		return error_set(error, ERROR_INVALID_REQUEST, "%s has no address yet", name);
	if (streq(attribute, "Ipv6CidrBlocks")) {
		*ret_value = node_new(NODE_LIST);
		node_add(*ret_value, NULL, node_text_new("2001:db8:1:ff00::/56"));
		return 0;
	}
	*ret_value = node_new(NODE_TEXT);
	(*ret_value)->text = streq(attribute, "CidrBlock")
				     ? xstrdup("10.0.0.0/16")
				     : xasprintf("%s-%s", name, attribute ? attribute : "id");
	return 0;
}

static int answer_import(void *context, const char *name, char **ret_value, struct error *error)
{
	(void)context;
	if (streq(name, "absent"))
		return error_set(error, ERROR_INVALID_TEMPLATE, "No export named absent found.");
	*ret_value = xasprintf("import-%s", name);
	return 0;
}

static int answer_zones(void *context, const char *region, struct node **ret_zones,
			struct error *error)
{
	(void)context;
	if (streq(region, "nowhere"))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE, "there is no nowhere");
	*ret_zones = node_new(NODE_LIST);
	for (char zone = 'a'; zone < 'd'; zone++) {
		CLEANUP(freep) char *name = xasprintf("%s%c", region, zone);

		node_add(*ret_zones, NULL, node_text_new(name));
	}
	return 0;
}

static int answer_parameter(void *context, const char *name, char **ret_value, struct error *error)
{
	(void)context;
	if (streq(name, "/list"))
		*ret_value = xstrdup("x, y");
	else if (strncmp(name, "/ami", 4) == 0)
		*ret_value = xasprintf("ami-0123456789abcdef0%s", name + 4);
	else
		return error_subject(error, ERROR_NOT_FOUND, "parameter", "there is no %s", name);
	return 0;
}

static const struct template_answers answers = {
	.account = "123456789012",
	.region = "us-east-1",
	.partition = "aws",
	.url_suffix = "amazonaws.com",
	.stack_name = "lab",
	.stack_id = "arn:aws:cloudformation:us-east-1:123456789012:stack/lab/1",
	.resource = answer_resource,
	.import = answer_import,
	.zones = answer_zones,
	.parameter = answer_parameter,
};
