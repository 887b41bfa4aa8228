/*
 * Faults, programmed: elements of SKELETON_SUBNET_FAULTS in the namespaces of the subnets that have
 * any. What is dark is so by its ports, so an instance, a NAT gateway, a subnet and a zone fail
 * alike; see model/fault.h for what fails when.
 */
#include "fabric/filters.h"
#include "fabric/lists.h"
#include "fabric/want.h"

#include <arpa/inet.h>

#include "model/fault.h"

/*
 * Beside a second's worth, which the kernel always lets through at once: what TCP sends in one
 * piece (GSO), or a slow link would carry nothing.
 */
#define LINK_BURST 65536 /* bytes */

static_assert(FAULT_DELAY_MOST < DELAY_MOST, "the kernel can count it");
static_assert(LOST_OF == FAULT_LOSS_ALL, "the model and the kernel count alike");

void want_faults(const struct model *model, struct rid id, struct object_list *list)
{
	const struct subnet *subnet = subnet_get(model, id);
	struct object object = element_in(id, ELEMENT_DARK);
	bool any = false;

	if (!subnet || !subnet->realized)
		return;
	for_each_fault(fault, model) any |= fault_is_in(model, fault, subnet);
	if (!any)
		return;
	want_skeleton(list, id, SKELETON_SUBNET_FAULTS);
	if (fault_darkens_subnet(model, subnet))
		object_list_add(list, &object);
}

static void want_loss(const struct interface *interface, int64_t loss, struct object_list *list)
{
	struct object object = element_in(interface->subnet, ELEMENT_LOST);

	put_number(object.element.key, filters_port_group(interface));
	put_number(object.element.end, filters_port_group(interface));
	put_number(object.element.end + 4, htonl((uint32_t)loss));
	object_list_add(list, &object);
}

static void want_rate(const struct interface *interface, int64_t rate, struct object_list *list)
{
	static const enum element_map maps[] = { ELEMENT_RATE_FROM, ELEMENT_RATE_TO };

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		struct object object = element_in(interface->subnet, maps[i]);

		put_number(object.element.key, filters_port_group(interface));
		put_id(object.element.value, (uint64_t)rate / 8);
		put_number(object.element.value + 8, LINK_BURST);
		object_list_add(list, &object);
	}
}

void want_faulty(const struct model *model, struct rid id, struct object_list *list)
{
	const struct interface *interface = interface_get(model, id);
	const struct subnet *subnet = interface ? subnet_get(model, interface->subnet) : NULL;
	const struct fault *bad;
	struct object object;

	if (!subnet || !subnet->realized)
		return;
	if (fault_darkens(model, interface)) {
		object = element_in(interface->subnet, ELEMENT_DARK);
		put_number(object.element.key, filters_port_group(interface));
		object_list_add(list, &object);
	}
	bad = fault_link_of(model, interface);
	if (bad && bad->link.loss)
		want_loss(interface, bad->link.loss, list);
	if (bad && bad->link.rate)
		want_rate(interface, bad->link.rate, list);
}

void want_delay(const struct model *model, const struct interface *interface, const char *device,
		struct object_list *list)
{
	const struct fault *bad = fault_link_of(model, interface);
	struct object object = object_in(interface->subnet, OBJECT_DELAY);

	if (!bad || !bad->link.delay)
		return;
	set_name(object.delay.device, device);
	object.delay.microseconds = (uint32_t)bad->link.delay;
	object_list_add(list, &object);
}
