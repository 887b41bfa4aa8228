/* What the AWS CLI has besides the model: see extra.h. */
#include "aws/extra.h"

#include <errno.h>

#define RULES                                                                                      \
	"AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress "                              \
	"RevokeSecurityGroupIngress RevokeSecurityGroupEgress"
#define ENTRIES "CreateNetworkAclEntry ReplaceNetworkAclEntry"

typedef int apply_fn(json_t *parameters, const struct aws_option *option,
		     struct aws_failure *failure);

/* The one structure of a list that simple options fill in; made when it isn't there. */
static json_t *only(json_t *parameters, const char *list, json_t *new)
{
	json_t *first = json_array_get(json_object_get(parameters, list), 0);

	if (first)
		json_decref(new);
	else
		json_object_set_new(parameters, list, json_pack("[o]", first = new));
	return first;
}

static json_t *permission(json_t *parameters)
{
	return only(parameters, "IpPermissions", json_object());
}

static json_t *card(json_t *parameters)
{
	return only(parameters, "NetworkInterfaces", json_pack("{s:i}", "DeviceIndex", 0));
}

static bool read_long(const char *text, long *ret_number)
{
	char *end;

	errno = 0;
	*ret_number = strtol(text, &end, 10);
	return *text && !*end && errno == 0;
}

/* "2" or "1:4". */
static int apply_count(json_t *parameters, const struct aws_option *option,
		       struct aws_failure *failure)
{
	CLEANUP(freep) char *text = xstrdup(option->words[0]);
	char *colon = strchr(text, ':');
	long least, most;

	if (colon)
		*colon = '\0';
	if (!read_long(text, &least) || !read_long(colon ? colon + 1 : text, &most))
		return aws_fail(failure, AWS_USAGE,
				"count parameter should be of form min[:max] (e.g. 1 or 1:10)");
	json_object_set_new(parameters, "MinCount", json_integer(least));
	json_object_set_new(parameters, "MaxCount", json_integer(most));
	return 0;
}

static int apply_secondary(json_t *parameters, const struct aws_option *option,
			   struct aws_failure *failure)
{
	json_t *addresses = json_array();

	(void)failure;
	for (size_t i = 0; i < option->count; i++)
		json_array_append_new(addresses, json_pack("{s:s,s:b}", "PrivateIpAddress",
							   option->words[i], "Primary", 0));
	if (option->count)
		json_object_set(card(parameters), "PrivateIpAddresses", addresses);
	json_decref(addresses);
	return 0;
}

static int apply_secondary_count(json_t *parameters, const struct aws_option *option,
				 struct aws_failure *failure)
{
	long count;

	if (!read_long(option->words[0], &count))
		return aws_fail(failure, AWS_USAGE,
				"argument --secondary-private-ip-address-count: invalid int value: "
				"'%s'",
				option->words[0]);
	if (count)
		json_object_set_new(card(parameters), "SecondaryPrivateIpAddressCount",
				    json_integer(count));
	return 0;
}

static int apply_public(json_t *parameters, const struct aws_option *option,
			struct aws_failure *failure)
{
	(void)failure;
	json_object_set_new(card(parameters), "AssociatePublicIpAddress",
			    json_boolean(option->takes == AWS_TAKES_YES));
	return 0;
}

static int apply_protocol(json_t *parameters, const struct aws_option *option,
			  struct aws_failure *failure)
{
	const char *value = option->words[0];
	long number;

	if (read_long(value, &number)) {
		if (number < -1 || number > 255)
			return aws_fail(failure, AWS_USAGE,
					"protocol numbers must be in the range 0-255 or -1 to "
					"specify all protocols");
	} else if (!streq(value, "tcp") && !streq(value, "udp") && !streq(value, "icmp") &&
		   !streq(value, "all")) {
		return aws_fail(failure, AWS_USAGE,
				"protocol parameter should be one of: tcp|udp|icmp|all or any "
				"valid protocol number.");
	}
	json_object_set_new(permission(parameters), "IpProtocol",
			    json_string(streq(value, "all") ? "-1" : value));
	return 0;
}

/* "22", "8000-8100", "all"; "8-0" is a type and a code. */
static int apply_port(json_t *parameters, const struct aws_option *option,
		      struct aws_failure *failure)
{
	const char *value = streq(option->words[0], "all") ? "-1" : option->words[0];
	CLEANUP(freep) char *text = xstrdup(value);
	char *dash = streq(text, "-1") ? NULL : strchr(text, '-');
	long from, to;

	if (dash)
		*dash = '\0';
	if (!read_long(text, &from) || !read_long(dash ? dash + 1 : text, &to))
		return aws_fail(failure, AWS_USAGE,
				"port parameter should be of the form <from[-to]> (e.g. 22 or "
				"22-25)");
	json_object_set_new(permission(parameters), "FromPort", json_integer(from));
	json_object_set_new(permission(parameters), "ToPort", json_integer(to));
	return 0;
}

static int apply_cidr(json_t *parameters, const struct aws_option *option,
		      struct aws_failure *failure)
{
	(void)failure;
	json_object_set_new(permission(parameters), "IpRanges",
			    json_pack("[{s:s}]", "CidrIp", option->words[0]));
	return 0;
}

static int apply_group(json_t *parameters, const struct aws_option *option,
		       struct aws_failure *failure)
{
	const char *value = option->words[0];
	json_t *pair = only(permission(parameters), "UserIdGroupPairs", json_object());

	(void)failure;
	json_object_set_new(pair, strncmp(value, "sg-", 3) == 0 ? "GroupId" : "GroupName",
			    json_string(value));
	return 0;
}

static int apply_owner(json_t *parameters, const struct aws_option *option,
		       struct aws_failure *failure)
{
	(void)failure;
	json_object_set_new(only(permission(parameters), "UserIdGroupPairs", json_object()),
			    "UserId", json_string(option->words[0]));
	return 0;
}

static const struct {
	const char *actions;
	const char *name;
	enum aws_takes takes;
	apply_fn *apply;
	const char *instead; /* of these options of the model */
} extras[] = {
	{ "RunInstances", "count", AWS_TAKES_ONE, apply_count, "min-count max-count" },
	{ "RunInstances", "secondary-private-ip-addresses", AWS_TAKES_MANY, apply_secondary, "" },
	{ "RunInstances", "secondary-private-ip-address-count", AWS_TAKES_ONE,
	  apply_secondary_count, "" },
	{ "RunInstances", "associate-public-ip-address", AWS_TAKES_YES, apply_public, "" },
	{ "RunInstances", "no-associate-public-ip-address", AWS_TAKES_NO, apply_public, "" },
	{ RULES, "protocol", AWS_TAKES_ONE, apply_protocol, "" },
	{ RULES, "port", AWS_TAKES_ONE, apply_port, "" },
	{ RULES, "cidr", AWS_TAKES_ONE, apply_cidr, "" },
	{ RULES, "source-group", AWS_TAKES_ONE, apply_group, "" },
	{ RULES, "group-owner", AWS_TAKES_ONE, apply_owner, "" },
};

/* Is it one of the words? */
static bool has_word(const char *words, const char *word)
{
	const size_t length = strlen(word);

	for (const char *c = strstr(words, word); c; c = strstr(c + 1, word))
		if ((c == words || c[-1] == ' ') && (c[length] == ' ' || !c[length]))
			return true;
	return false;
}

static void drop_options(struct aws_line *line, const char *names)
{
	for (size_t i = line->option_count; i-- > 0;) {
		if (!has_word(names, line->options[i].name))
			continue;
		free(line->options[i].name);
		array_remove(line->options, &line->option_count, i);
	}
}

void aws_extra_options(struct aws_line *line)
{
	for (size_t i = 0; i < ARRAY_SIZE(extras); i++) {
		if (!has_word(extras[i].actions, line->action->name))
			continue;
		drop_options(line, extras[i].instead);
		aws_line_add(line, extras[i].name, extras[i].takes, NULL);
	}
}

int aws_extra_apply(const struct aws_line *line, const struct aws_option *option,
		    json_t *parameters, struct aws_failure *failure)
{
	for (size_t i = 0; i < ARRAY_SIZE(extras); i++)
		if (streq(extras[i].name, option->name) &&
		    has_word(extras[i].actions, line->action->name))
			return extras[i].apply(parameters, option, failure);
	return 0; /* of the pages */
}

int aws_extra_check(const struct aws_line *line, struct aws_failure *failure)
{
	static const char *const rule[] = { "protocol", "port", "cidr", "source-group",
					    "group-owner" };
	static const char *const simple[] = { "secondary-private-ip-addresses",
					      "secondary-private-ip-address-count",
					      "associate-public-ip-address" };

	for (size_t i = 0; i < ARRAY_SIZE(rule); i++) {
		CLEANUP(freep) char *name = xstrdup(rule[i]);

		if (strchr(name, '-'))
			*strchr(name, '-') = '_';
		if (aws_line_given(line, "ip-permissions") && aws_line_given(line, rule[i]) &&
		    has_word(RULES, line->action->name))
			return aws_fail(failure, AWS_USAGE,
					"The --%s option is not compatible with the "
					"--ip-permissions option ",
					name);
	}
	for (size_t i = 0; i < ARRAY_SIZE(simple); i++)
		if (aws_line_given(line, "network-interfaces") && aws_line_given(line, simple[i]))
			return aws_fail(failure, AWS_USAGE,
					"Mixing the --network-interfaces option with the simple, "
					"scalar options is not supported.");
	return 0;
}

/* With a card of its own an instance can't have these beside it: they go to the card. */
static void finish_card(json_t *parameters)
{
	static const char *const moved[][2] = { { "SubnetId", "SubnetId" },
						{ "SecurityGroupIds", "Groups" },
						{ "Ipv6AddressCount", "Ipv6AddressCount" },
						{ "Ipv6Addresses", "Ipv6Addresses" } };
	json_t *first = json_array_get(json_object_get(parameters, "NetworkInterfaces"), 0);
	json_t *address = json_object_get(parameters, "PrivateIpAddress");

	if (!json_object_get(first, "PrivateIpAddresses") &&
	    !json_object_get(first, "SecondaryPrivateIpAddressCount") &&
	    !json_object_get(first, "AssociatePublicIpAddress"))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(moved); i++) {
		json_t *value = json_object_get(parameters, moved[i][0]);

		if (value)
			json_object_set(first, moved[i][1], value);
		json_object_del(parameters, moved[i][0]);
	}
	if (address)
		json_object_set_new(
			first, "PrivateIpAddresses",
			json_pack("[{s:O,s:b}]", "PrivateIpAddress", address, "Primary", 1));
	json_object_del(parameters, "PrivateIpAddress");
}

void aws_extra_finish(const struct aws_action *action, json_t *parameters)
{
	static const char *const numbers[][2] = {
		{ "tcp", "6" }, { "udp", "17" }, { "icmp", "1" }, { "all", "-1" }
	};
	const char *protocol = json_string_value(json_object_get(parameters, "Protocol"));

	if (streq(action->name, "RunInstances")) {
		if (!json_object_get(parameters, "MinCount"))
			json_object_set_new(parameters, "MinCount", json_integer(1));
		if (!json_object_get(parameters, "MaxCount"))
			json_object_set_new(parameters, "MaxCount", json_integer(1));
		finish_card(parameters);
	}
	for (size_t i = 0; has_word(ENTRIES, action->name) && i < ARRAY_SIZE(numbers); i++) {
		if (!streq(protocol, numbers[i][0]))
			continue;
		json_object_set_new(parameters, "Protocol", json_string(numbers[i][1]));
		break;
	}
}
