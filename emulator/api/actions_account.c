/* What the caller's account may do in a region. */
#include "api/actions.h"
#include "model/internet.h"
#include "model/quota.h"
#include "model/vpc.h"

static const char *get_platforms(const struct call *call, struct buffer *scratch)
{
	(void)call, (void)scratch;
	return "VPC";
}

static const char *get_default_vpc(const struct call *call, struct buffer *scratch)
{
	const struct vpc *vpc = vpc_default(call->scope);

	return vpc ? get_print(scratch, "%s", rid_format(vpc->resource.id).text) : "none";
}

static const char *get_instances(const struct call *call, struct buffer *scratch)
{
	/* "does not reflect your actual vCPU limit" (EC2 API reference) */
	const int64_t standard = 20, quota = quota_of(call_model(call), QUOTA_INSTANCES);
	const bool any = quota == quotas_get(&(const struct quotas){ 0 }, QUOTA_INSTANCES);

	return get_print(scratch, "%lld", (long long)(any ? standard : quota));
}

static const char *get_groups(const struct call *call, struct buffer *scratch)
{
	return get_print(scratch, "%lld",
			 (long long)quota_of(call_model(call), QUOTA_INTERFACE_GROUPS));
}

static const char *get_addresses(const struct call *call, struct buffer *scratch)
{
	/* Without a quota there are as many as the pool has. */
	return get_print(
		scratch, "%lld",
		(long long)MIN(quota_of(call_model(call), QUOTA_ADDRESSES), INTERNET_PUBLIC_COUNT));
}

static const struct attribute {
	const char *name;
	const char *(*get)(const struct call *call, struct buffer *scratch);
} attributes[] = {
	{ "supported-platforms", get_platforms },
	{ "vpc-max-security-groups-per-interface", get_groups },
	{ "max-elastic-ips", get_addresses }, /* EC2-Classic's, from the time when it had some */
	{ "max-instances", get_instances },
	{ "vpc-max-elastic-ips", get_addresses },
	{ "default-vpc", get_default_vpc },
};

static const struct attribute *attribute_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++)
		if (streq(attributes[i].name, name))
			return &attributes[i];
	return NULL;
}

static int read_names(const struct call *call, bool wanted[], struct error *error)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	size_t count = params_indices(call->params, "AttributeName", &indices);

	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++)
		wanted[i] = count == 0;
	for (size_t i = 0; i < count; i++) {
		const char *name = params_get(call->params, "AttributeName.%u", indices[i]);
		const struct attribute *attribute = attribute_find(name);

		if (!attribute)
			return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
					 "Value (%s) for parameter attributeName is invalid. "
					 "Unknown account attribute.",
					 name);
		wanted[attribute - attributes] = true;
	}
	return 0;
}

static void reply_attribute(struct call *call, const struct attribute *attribute)
{
	CLEANUP(buffer_clear) struct buffer scratch = BUFFER_INIT;

	xml_open(call->xml, "item");
	xml_text(call->xml, "attributeName", attribute->name);
	xml_open(call->xml, "attributeValueSet");
	xml_open(call->xml, "item");
	xml_text(call->xml, "attributeValue", attribute->get(call, &scratch));
	xml_close(call->xml);
	xml_close(call->xml);
	xml_close(call->xml);
}

int describe_account_attributes(struct call *call, struct error *error)
{
	bool wanted[ARRAY_SIZE(attributes)];
	int r = read_names(call, wanted, error);

	if (r < 0)
		return r;
	xml_open(call->xml, "accountAttributeSet");
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++)
		if (wanted[i])
			reply_attribute(call, &attributes[i]);
	xml_close(call->xml);
	return 0;
}
