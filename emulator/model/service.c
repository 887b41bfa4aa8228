/* Where the services are: see service.h. */
#include "model/service.h"

#include <netinet/in.h>

#define LINK_LOCAL_NTP	0xa9fea97bu /* 169.254.169.123 */
#define LINK_LOCAL_DNS	0xa9fea9fdu /* 169.254.169.253 */
#define LINK_LOCAL_IMDS 0xa9fea9feu /* 169.254.169.254 */

struct service_list {
	struct service *items;
	size_t count;
};

static void add(struct service_list *list, enum service_kind kind, struct address address,
		uint8_t protocol, uint16_t port)
{
	*array_grow(&list->items, &list->count) =
		(struct service){ kind, address, protocol, port, false };
}

static void add_dns(struct service_list *list, struct address address, bool silent)
{
	add(list, SERVICE_DNS, address, IPPROTO_UDP, 53);
	add(list, SERVICE_DNS, address, IPPROTO_TCP, 53);
	list->items[list->count - 2].silent = list->items[list->count - 1].silent = silent;
}

size_t services_of(const struct model *model, const struct subnet *subnet,
		   struct service **ret_services)
{
	const struct vpc *vpc = subnet->realized ? vpc_get(model, subnet->vpc) : NULL;
	struct service_list list = { 0 };

	if (vpc) {
		add(&list, SERVICE_IMDS, address_v4(LINK_LOCAL_IMDS), IPPROTO_TCP, 80);
		add(&list, SERVICE_NTP, address_v4(LINK_LOCAL_NTP), IPPROTO_UDP, 123);
		add_dns(&list, address_v4(LINK_LOCAL_DNS), !vpc->dns_support);
		for (size_t i = 0; i < vpc->cidr_count; i++)
			add_dns(&list, address_add(vpc->cidrs[i].cidr.address, 2),
				!vpc->dns_support);
	}
	*ret_services = list.items;
	return list.count;
}
