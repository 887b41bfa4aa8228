/* DHCP option sets: see dhcp.h. */
#include "model/dhcp.h"

static const struct field value_fields[] = {
	FIELD_OF(struct dhcp_value, value, FIELD_TEXT, "value", "value", FIELD_BOTH),
	FIELD_END,
};

static const struct field option_fields[] = {
	FIELD_OF(struct dhcp_option, key, FIELD_TEXT, "key", "key", FIELD_BOTH),
	FIELD_LIST_OF(struct dhcp_option, values, value_count, value_fields, "valueSet",
		      FIELD_BOTH),
	FIELD_END,
};

static const struct field fields[] = {
	RESOURCE_FIELDS(struct dhcp_options),
	FIELD_GET_OF(get_id, "dhcpOptionsId", "dhcp-options-id"),
	FIELD_GET_OF(get_owner, "ownerId", "owner-id"),
	FIELD_LIST_OF(struct dhcp_options, options, option_count, option_fields,
		      "dhcpConfigurationSet", FIELD_BOTH),
	FIELD_OF(struct dhcp_options, is_default, FIELD_BOOL, "isDefault", NULL, FIELD_STORED),
	FIELD_END,
};

const struct resource_type dhcp_options_type = {
	.kind = KIND_DHCP_OPTIONS,
	.size = sizeof(struct dhcp_options),
	.fields = fields,
	.tag_type = "dhcp-options",
};

struct rid dhcp_default(const struct scope *scope)
{
	for_each_resource (struct dhcp_options, options, scope, KIND_DHCP_OPTIONS)
		if (options->is_default)
			return options->resource.id;
	return (struct rid){ KIND_NONE, 0 };
}

static void add_option(struct dhcp_options *options, const char *key, char *value)
{
	struct dhcp_option *option = array_grow(&options->options, &options->option_count);

	option->key = xstrdup(key);
	array_grow(&option->values, &option->value_count)->value = value;
}

void dhcp_create_default(struct transaction *transaction, struct scope *scope)
{
	struct dhcp_options *options = transaction_create(transaction, scope, KIND_DHCP_OPTIONS);

	options->is_default = true;
	add_option(options, "domain-name",
		   streq(scope->region, "us-east-1")
			   ? xstrdup("ec2.internal")
			   : xasprintf("%s.compute.internal", scope->region));
	add_option(options, "domain-name-servers", xstrdup("AmazonProvidedDNS"));
}
