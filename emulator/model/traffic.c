/* Protocols and their ports: see traffic.h. */
#include "model/traffic.h"

#include <errno.h>
#include <netinet/in.h>

static const struct {
	const char *name;
	int64_t number;
} protocols[] = {
	{ "all", -1 },		{ "icmp", IPPROTO_ICMP },     { "tcp", IPPROTO_TCP },
	{ "udp", IPPROTO_UDP }, { "icmpv6", IPPROTO_ICMPV6 },
};

bool traffic_has_ports(int64_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
}

bool traffic_is_icmp(int64_t protocol)
{
	return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

int traffic_parse_protocol(const char *text, int64_t *ret_protocol)
{
	char *end;
	long number;

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		if (strcasecmp(protocols[i].name, text) == 0) {
			*ret_protocol = protocols[i].number;
			return 0;
		}
	if (!*text || text[strspn(text, "-0123456789")])
		return -EINVAL;
	number = strtol(text, &end, 10);
	if (*end || end == text || number < -1 || number > 255)
		return -EINVAL;
	*ret_protocol = number;
	return 0;
}

const char *traffic_protocol_name(int64_t protocol)
{
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		if (protocols[i].number == protocol)
			return protocols[i].name;
	return NULL;
}
