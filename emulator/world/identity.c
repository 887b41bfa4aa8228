/*
 * What a machine knows of itself before it asks anybody: its name, its address, and where to look
 * for names. VPC user guide, "DHCP option sets in Amazon VPC" and "Amazon DNS server".
 */
#include "world/internal.h"

#include <stdio.h>

#include "model/dhcp.h"

/* Amazon's own server is at the second address of the VPC's first block. */
#define DNS_OFFSET 2

static const struct dhcp_option *find_option(const struct dhcp_options *options, const char *key)
{
	for (size_t i = 0; options && i < options->option_count; i++)
		if (streq(options->options[i].key, key))
			return &options->options[i];
	return NULL;
}

static void put_server(const struct vpc *vpc, const char *value, struct buffer *text)
{
	struct address amazon = address_add(vpc->cidrs[0].cidr.address, DNS_OFFSET);

	buffer_printf(text, "nameserver %s\n",
		      streq(value, "AmazonProvidedDNS") ? address_format(amazon).text : value);
}

/* /etc/resolv.conf, as a DHCP client writes it. */
static void put_resolver(const struct model *model, const struct vpc *vpc, struct buffer *text)
{
	const struct resource *set = model_get(model, NULL, vpc->dhcp_options);
	const struct dhcp_options *options = (const struct dhcp_options *)set;
	const struct dhcp_option *domain = find_option(options, "domain-name");
	const struct dhcp_option *servers = find_option(options, "domain-name-servers");

	buffer_puts(text, "# from the VPC's set of DHCP options\n");
	for (size_t i = 0; servers && i < servers->value_count; i++)
		put_server(vpc, servers->values[i].value, text);
	if (domain)
		buffer_printf(text, "search %s\n", domain->values[0].value);
}

static void identify_instance(const struct model *model, const struct instance *instance,
			      struct init_identity *identity)
{
	CLEANUP(buffer_clear) struct buffer label = BUFFER_INIT, resolver = BUFFER_INIT;
	const struct interface *interface = instance_primary(model, instance);
	const struct vpc *vpc = (const struct vpc *)model_get(model, NULL, instance->vpc);

	if (!interface || !vpc)
		return;
	instance_host_name(model, instance, &label);
	put_resolver(model, vpc, &resolver);
	snprintf(identity->hostname, sizeof(identity->hostname), "%s", label.data);
	snprintf(identity->address, sizeof(identity->address), "%s",
		 address_format(interface->address).text);
	snprintf(identity->resolver, sizeof(identity->resolver), "%s", resolver.data);
	identity->ssh = instance->options.public_key != NULL;
}

struct init_identity world_identity(const struct model *model, const struct resource *resource)
{
	struct init_identity identity = { .hostname = "instance" };
	const struct internet_host *host = (const struct internet_host *)resource;

	if (resource->id.kind == KIND_INSTANCE) {
		identify_instance(model, (const struct instance *)resource, &identity);
		return identity;
	}
	snprintf(identity.hostname, sizeof(identity.hostname), "%s", internet_host_name(host));
	snprintf(identity.address, sizeof(identity.address), "%s",
		 address_format(host->address).text);
	return identity;
}
