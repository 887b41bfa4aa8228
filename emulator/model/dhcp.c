/* DHCP option sets: see dhcp.h. */
#include "model/dhcp.h"

#include <ctype.h>

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

/* ---- what an option may be ---- */

#define AMAZON_DNS	 "AmazonProvidedDNS"
#define SERVERS_MAX	 4 /* of a family */
#define DOMAIN_MAX	 253
#define LABEL_MAX	 63
#define LEASE_MINIMUM	 140
#define LEASE_MAXIMUM	 2147483647
#define LEASE_DIGITS_MAX 10

/* Names with dots between their labels; several, separated by spaces, for those who read it so. */
static bool is_domain(const char *text)
{
	size_t label = 0;

	if (strlen(text) > DOMAIN_MAX)
		return false;
	for (const char *c = text; *c; c++) {
		bool separates = *c == '.' || *c == ' ';

		if (separates ? label == 0 : !isalnum((unsigned char)*c) && *c != '-' && *c != '_')
			return false;
		label = separates ? 0 : label + 1;
		if (label > LABEL_MAX)
			return false;
	}
	return *text && text[strlen(text) - 1] != ' ';
}

/* RFC 2132, 8.7: B, P, M and H nodes. */
static bool is_node_type(const char *text)
{
	return streq(text, "1") || streq(text, "2") || streq(text, "4") || streq(text, "8");
}

static bool is_lease_time(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	long long seconds;

	if (digits == 0 || digits > LEASE_DIGITS_MAX || text[digits])
		return false;
	seconds = strtoll(text, NULL, 10);
	return seconds >= LEASE_MINIMUM && seconds <= LEASE_MAXIMUM;
}

/* By key, which is the order that a set shows them in. */
static const struct rule {
	const char *key;
	bool (*fits)(const char *value); /* one value; NULL: addresses of servers */
	bool ipv6;			 /* of that family too, as many again */
	const char *word;		 /* in place of an IPv4 address */
	const char *reason;
} rules[] = {
	{ "domain-name", is_domain, false, NULL, "Invalid domain name." },
	/* The guide allows custom servers beside Amazon's, and warns of it. */
	{ "domain-name-servers", NULL, true, AMAZON_DNS,
	  "Specify the IP addresses of up to four servers, or " AMAZON_DNS "." },
	{ "ipv6-address-preferred-lease-time", is_lease_time, false, NULL,
	  "Specify a number of seconds from 140 to 2147483647." },
	{ "netbios-name-servers", NULL, false, NULL,
	  "Specify the IP addresses of up to four servers." },
	{ "netbios-node-type", is_node_type, false, NULL, "Specify 1, 2, 4, or 8." },
	{ "ntp-servers", NULL, true, NULL, "Specify the IP addresses of up to four servers." },
};

static const struct rule *rule_find(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (streq(rules[i].key, key))
			return &rules[i];
	return NULL;
}

static int invalid(const struct rule *rule, const char *value, struct error *error)
{
	return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
			 "Value (%s) for parameter %s is invalid. %s", value, rule->key,
			 rule->reason);
}

/* The next of a value's parts, owned; NULL: there is no more. Addresses have commas between. */
static char *next_part(const struct rule *rule, const char **rest)
{
	const char *start = *rest;
	size_t length;

	if (!start)
		return NULL;
	length = strcspn(start, rule->fits ? "" : ",");
	*rest = start[length] ? start + length + 1 : NULL;
	return xasprintf("%.*s", (int)length, start);
}

/* Counts what is there of each family; the word counts as IPv4. */
static bool counts_as_server(const struct rule *rule, const char *part, size_t counts[2])
{
	struct address address;
	bool v6;

	if (rule->word && streq(part, rule->word))
		return ++counts[0] <= SERVERS_MAX;
	if (address_parse(part, &address) < 0)
		return false;
	v6 = address.family == AF_INET6;
	return (!v6 || rule->ipv6) && ++counts[v6] <= SERVERS_MAX;
}

static int check_request(const struct dhcp_request *request, struct error *error)
{
	const struct rule *rule = rule_find(request->key);
	size_t counts[2] = { 0, 0 };

	if (!rule)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Value (%s) for parameter key is invalid. Unknown DHCP option.",
				 request->key);
	if (!request->value_count)
		return error_set(error, ERROR_MISSING_PARAMETER,
				 "The request must contain a value for the DHCP option %s",
				 rule->key);
	for (size_t i = 0; i < request->value_count; i++) {
		const char *rest = request->values[i];
		char *part;

		while ((part = next_part(rule, &rest))) {
			bool good = rule->fits ? i == 0 && rule->fits(part)
					       : counts_as_server(rule, part, counts);

			free(part);
			if (!good)
				return invalid(rule, request->values[i], error);
		}
	}
	return 0;
}

static int check_requests(const struct dhcp_request *requests, size_t count, struct error *error)
{
	int r;

	for (size_t i = 0; i < count; i++) {
		if ((r = check_request(&requests[i], error)) < 0)
			return r;
		for (size_t j = 0; j < i; j++)
			if (streq(requests[i].key, requests[j].key))
				return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
						 "Value (%s) for parameter key is invalid. The "
						 "DHCP option is specified more than once.",
						 requests[i].key);
	}
	return 0;
}

/* ---- sets ---- */

static struct dhcp_option *add_option(struct dhcp_options *options, const char *key)
{
	struct dhcp_option *option = array_grow(&options->options, &options->option_count);

	option->key = xstrdup(key);
	return option;
}

static void add_value(struct dhcp_option *option, char *value)
{
	array_grow(&option->values, &option->value_count)->value = value;
}

static void add_request(struct dhcp_options *options, const struct rule *rule,
			const struct dhcp_request *request)
{
	struct dhcp_option *option = add_option(options, rule->key);

	for (size_t i = 0; i < request->value_count; i++) {
		const char *rest = request->values[i];
		char *part;

		while ((part = next_part(rule, &rest)))
			add_value(option, part);
	}
}

int dhcp_create(struct transaction *transaction, struct scope *scope,
		const struct dhcp_request *requests, size_t count,
		struct dhcp_options **ret_options, struct error *error)
{
	struct dhcp_options *options;
	int r;

	if ((r = check_requests(requests, count, error)) < 0)
		return r;
	options = transaction_create(transaction, scope, KIND_DHCP_OPTIONS);
	for (const struct rule *rule = rules; rule < rules + ARRAY_SIZE(rules); rule++)
		for (size_t i = 0; i < count; i++)
			if (streq(requests[i].key, rule->key))
				add_request(options, rule, &requests[i]);
	*ret_options = options;
	return 0;
}

int dhcp_delete(struct transaction *transaction, struct dhcp_options *options, struct error *error)
{
	for_each_resource (struct vpc, vpc, options->resource.scope, KIND_VPC)
		if (rid_equal(vpc->dhcp_options, options->resource.id))
			return error_set(
				error, ERROR_DEPENDENCY_VIOLATION,
				"The dhcpOptions '%s' has dependencies and cannot be deleted.",
				rid_format(options->resource.id).text);
	transaction_delete(transaction, options);
	return 0;
}

void dhcp_associate(struct transaction *transaction, const struct dhcp_options *options,
		    struct vpc *vpc)
{
	struct rid id = options ? options->resource.id : (struct rid){ KIND_NONE, 0 };

	if (rid_equal(vpc->dhcp_options, id))
		return;
	transaction_edit(transaction, vpc);
	vpc->dhcp_options = id;
}

struct rid dhcp_default(struct transaction *transaction, struct scope *scope)
{
	struct dhcp_options *made;

	for_each_resource (struct dhcp_options, options, scope, KIND_DHCP_OPTIONS)
		if (options->is_default)
			return options->resource.id;
	made = transaction_create(transaction, scope, KIND_DHCP_OPTIONS);
	made->is_default = true;
	add_value(add_option(made, "domain-name"),
		  streq(scope->region, "us-east-1")
			  ? xstrdup("ec2.internal")
			  : xasprintf("%s.compute.internal", scope->region));
	add_value(add_option(made, "domain-name-servers"), xstrdup(AMAZON_DNS));
	return made->resource.id;
}
