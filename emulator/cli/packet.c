/* A packet in one line: see packet.h. */
#include "cli/packet.h"

#include "base/cidr.h"

#include <net/ethernet.h>
#include <netinet/in.h>

/* What is left to read; reading beyond it yields zeros and says so. */
struct bytes {
	const unsigned char *at;
	size_t length;
};

static uint16_t get16(struct bytes bytes, size_t offset)
{
	if (offset + 2 > bytes.length)
		return 0;
	return (uint16_t)(bytes.at[offset] << 8 | bytes.at[offset + 1]);
}

static uint8_t get8(struct bytes bytes, size_t offset)
{
	return offset < bytes.length ? bytes.at[offset] : 0;
}

static struct bytes after(struct bytes bytes, size_t length)
{
	length = MIN(length, bytes.length);
	return (struct bytes){ bytes.at + length, bytes.length - length };
}

static struct address address_at(struct bytes bytes, size_t offset, uint8_t family)
{
	struct address address = { .family = family };
	size_t size = address_size(address);

	if (offset + size <= bytes.length)
		memcpy(address.bytes, bytes.at + offset, size);
	return address;
}

/* An IP header, of either version. */
struct ip {
	struct address source, target;
	uint8_t protocol;
	size_t payload; /* bytes behind it, by its own word */
	bool later;	/* a fragment that isn't the first one */
};

static void put_ends(struct buffer *buffer, const struct ip *ip, struct bytes ports)
{
	bool has_ports = ports.at;

	buffer_printf(buffer, "%s %s", ip->source.family == AF_INET ? "IP" : "IP6",
		      address_format(ip->source).text);
	if (has_ports)
		buffer_printf(buffer, ".%u", get16(ports, 0));
	buffer_printf(buffer, " > %s", address_format(ip->target).text);
	if (has_ports)
		buffer_printf(buffer, ".%u", get16(ports, 2));
	buffer_puts(buffer, ": ");
}

static void put_tcp(struct buffer *buffer, const struct ip *ip, struct bytes tcp)
{
	static const char *const names[] = { "FIN", "SYN", "RST", "PSH", "ACK", "URG" };
	size_t header = (size_t)(get8(tcp, 12) >> 4) * 4;
	const char *separator = "";

	buffer_puts(buffer, "tcp ");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (get8(tcp, 13) & 1 << i) {
			buffer_printf(buffer, "%s%s", separator, names[i]);
			separator = "+";
		}
	buffer_printf(buffer, ", length %zu", ip->payload > header ? ip->payload - header : 0);
}

static void put_icmp(struct buffer *buffer, const struct ip *ip, struct bytes icmp)
{
	static const char *const unreachable[] = {
		"network unreachable", "host unreachable", "protocol unreachable",
		"port unreachable",    "too large",
	};
	uint8_t type = get8(icmp, 0), code = get8(icmp, 1);
	bool is_v4 = ip->source.family == AF_INET;

	buffer_puts(buffer, is_v4 ? "icmp " : "icmp6 ");
	if (type == (is_v4 ? 8 : 128) || type == (is_v4 ? 0 : 129))
		buffer_printf(buffer, "echo %s, id %u, seq %u",
			      type == 8 || type == 128 ? "request" : "reply", get16(icmp, 4),
			      get16(icmp, 6));
	else if (is_v4 && type == 3 && code < ARRAY_SIZE(unreachable))
		buffer_puts(buffer, unreachable[code]);
	else if (is_v4 && type == 3 && code == 13)
		buffer_puts(buffer, "prohibited");
	else if (is_v4 && type == 11)
		buffer_puts(buffer, "time exceeded");
	else
		buffer_printf(buffer, "type %u code %u", type, code);
	buffer_printf(buffer, ", length %zu", ip->payload);
}

static void put_ip(struct buffer *buffer, const struct ip *ip, struct bytes payload)
{
	bool has_ports = (ip->protocol == IPPROTO_TCP || ip->protocol == IPPROTO_UDP) &&
			 !ip->later && payload.length >= 4;

	put_ends(buffer, ip, has_ports ? payload : (struct bytes){ NULL, 0 });
	if (ip->later)
		buffer_printf(buffer, "a later fragment, length %zu", ip->payload);
	else if (ip->protocol == IPPROTO_TCP)
		put_tcp(buffer, ip, payload);
	else if (ip->protocol == IPPROTO_UDP)
		buffer_printf(buffer, "udp, length %zu", ip->payload > 8 ? ip->payload - 8 : 0);
	else if (ip->protocol == IPPROTO_ICMP || ip->protocol == IPPROTO_ICMPV6)
		put_icmp(buffer, ip, payload);
	else
		buffer_printf(buffer, "protocol %u, length %zu", ip->protocol, ip->payload);
}

static void put_ipv4(struct buffer *buffer, struct bytes packet)
{
	size_t header = (size_t)(get8(packet, 0) & 15) * 4, total = get16(packet, 2);
	struct ip ip = {
		.source = address_at(packet, 12, AF_INET),
		.target = address_at(packet, 16, AF_INET),
		.protocol = get8(packet, 9),
		.later = (get16(packet, 6) & 0x1fff) != 0,
	};

	/* What the kernel hasn't segmented yet may be longer than the field can say. */
	if (!total)
		total = packet.length;
	ip.payload = total > header ? total - header : 0;
	put_ip(buffer, &ip, after(packet, header));
}

static void put_ipv6(struct buffer *buffer, struct bytes packet)
{
	const struct ip ip = {
		.source = address_at(packet, 8, AF_INET6),
		.target = address_at(packet, 24, AF_INET6),
		.protocol = get8(packet, 6),
		.payload = get16(packet, 4),
	};

	put_ip(buffer, &ip, after(packet, 40));
}

static void put_arp(struct buffer *buffer, struct bytes arp)
{
	struct address_text sender = address_format(address_at(arp, 14, AF_INET));
	struct address_text target = address_format(address_at(arp, 24, AF_INET));

	if (get16(arp, 6) == 1)
		buffer_printf(buffer, "ARP who-has %s tell %s", target.text, sender.text);
	else
		buffer_printf(buffer, "ARP %s is at %02x:%02x:%02x:%02x:%02x:%02x", sender.text,
			      get8(arp, 8), get8(arp, 9), get8(arp, 10), get8(arp, 11),
			      get8(arp, 12), get8(arp, 13));
}

void packet_describe(struct buffer *buffer, const unsigned char *bytes, size_t length)
{
	struct bytes frame = { bytes, length }, payload = after(frame, ETHER_HDR_LEN);
	uint16_t type = get16(frame, 12);

	if (type == ETHERTYPE_IP && payload.length >= 20)
		put_ipv4(buffer, payload);
	else if (type == ETHERTYPE_IPV6 && payload.length >= 40)
		put_ipv6(buffer, payload);
	else if (type == ETHERTYPE_ARP && payload.length >= 28)
		put_arp(buffer, payload);
	else
		buffer_printf(buffer, "ethertype 0x%04x, length %zu", type, length);
}
