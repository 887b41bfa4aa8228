/* Network ACLs: see acl.h. */
#include "model/acl.h"

#include <inttypes.h>

static const char *get_action(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return ((const struct acl_entry *)view->object)->allow ? "allow" : "deny";
}

static const char *get_protocol_name(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return traffic_protocol_name(((const struct acl_entry *)view->object)->traffic.protocol);
}

static const char *cidr_if(const struct view *view, int family, struct buffer *scratch)
{
	struct cidr cidr = ((const struct acl_entry *)view->object)->cidr;

	return cidr.address.family == family ? get_print(scratch, "%s", cidr_format(cidr).text)
					     : NULL;
}

static const char *get_cidr(const struct view *view, struct buffer *scratch)
{
	return cidr_if(view, AF_INET, scratch);
}

static const char *get_ipv6_cidr(const struct view *view, struct buffer *scratch)
{
	return cidr_if(view, AF_INET6, scratch);
}

static bool child_ports(const struct view *view, size_t index, struct view *ret_child)
{
	const struct acl_entry *entry = view->object;

	return child_self(view, index, ret_child) && traffic_has_ports(entry->traffic.protocol);
}

static bool child_icmp(const struct view *view, size_t index, struct view *ret_child)
{
	const struct acl_entry *entry = view->object;

	return child_self(view, index, ret_child) && traffic_is_icmp(entry->traffic.protocol);
}

static const struct field port_fields[] = {
	FIELD_OF(struct acl_entry, traffic.from, FIELD_INT, "from", "entry.port-range.from",
		 FIELD_SHOWN),
	FIELD_OF(struct acl_entry, traffic.to, FIELD_INT, "to", "entry.port-range.to", FIELD_SHOWN),
	FIELD_END,
};

static const struct field icmp_fields[] = {
	FIELD_OF(struct acl_entry, traffic.to, FIELD_INT, "code", "entry.icmp.code", FIELD_SHOWN),
	FIELD_OF(struct acl_entry, traffic.from, FIELD_INT, "type", "entry.icmp.type", FIELD_SHOWN),
	FIELD_END,
};

static const struct field entry_fields[] = {
	FIELD_OF(struct acl_entry, number, FIELD_INT, "ruleNumber", "entry.rule-number",
		 FIELD_BOTH),
	FIELD_OF(struct acl_entry, traffic.protocol, FIELD_INT, "protocol", "entry.protocol",
		 FIELD_BOTH),
	/* Always shown as a number, but the filter takes the name too. */
	{ .name = "protocolName",
	  .filter = "entry.protocol",
	  .type = FIELD_GET,
	  .get = get_protocol_name },
	FIELD_CHILD_OF(child_ports, port_fields, "portRange"),
	FIELD_CHILD_OF(child_icmp, icmp_fields, "icmpTypeCode"),
	FIELD_OF(struct acl_entry, traffic.from, FIELD_INT, "from", NULL, FIELD_STORED),
	FIELD_OF(struct acl_entry, traffic.to, FIELD_INT, "to", NULL, FIELD_STORED),
	FIELD_GET_OF(get_action, "ruleAction", "entry.rule-action"),
	FIELD_OF(struct acl_entry, allow, FIELD_BOOL, "allow", NULL, FIELD_STORED),
	FIELD_OF(struct acl_entry, egress, FIELD_BOOL, "egress", "entry.egress", FIELD_BOTH),
	FIELD_GET_OF(get_cidr, "cidrBlock", "entry.cidr"),
	FIELD_GET_OF(get_ipv6_cidr, "ipv6CidrBlock", "entry.ipv6-cidr"),
	FIELD_OF(struct acl_entry, cidr, FIELD_CIDR, "cidr", NULL, FIELD_STORED),
	FIELD_END,
};

static const struct field association_fields[] = {
	FIELD_OF(struct acl_association, id, FIELD_RID, "networkAclAssociationId",
		 "association.association-id", FIELD_BOTH),
	FIELD_GET_OF(get_id, "networkAclId", "association.network-acl-id"),
	FIELD_OF(struct acl_association, subnet, FIELD_RID, "subnetId", "association.subnet-id",
		 FIELD_BOTH),
	FIELD_END,
};

static const struct field fields[] = {
	RESOURCE_FIELDS(struct acl),
	FIELD_GET_OF(get_id, "networkAclId", "network-acl-id"),
	FIELD_GET_OF(get_owner, "ownerId", "owner-id"),
	FIELD_OF(struct acl, vpc, FIELD_RID, "vpcId", "vpc-id", FIELD_BOTH),
	FIELD_OF(struct acl, is_default, FIELD_BOOL, "default", "default", FIELD_BOTH),
	FIELD_LIST_OF(struct acl, entries, entry_count, entry_fields, "entrySet", FIELD_BOTH),
	FIELD_LIST_OF(struct acl, associations, association_count, association_fields,
		      "associationSet", FIELD_BOTH),
	FIELD_OF(struct acl, client_token, FIELD_TEXT, "clientToken", NULL, FIELD_STORED),
	FIELD_END,
};

const struct resource_type acl_type = {
	.kind = KIND_NETWORK_ACL,
	.size = sizeof(struct acl),
	.fields = fields,
	.tag_type = "network-acl",
};

struct acl *acl_of(const struct subnet *subnet)
{
	for_each_resource (struct acl, acl, subnet->resource.scope, KIND_NETWORK_ACL) {
		if (!rid_equal(acl->vpc, subnet->vpc))
			continue;
		for (size_t i = 0; i < acl->association_count; i++)
			if (rid_equal(acl->associations[i].subnet, subnet->resource.id))
				return acl;
	}
	return NULL; /* never: see acl_associate_default() */
}

/* ---- entries ---- */

/* Where the entry of that direction and number is, or belongs. */
static size_t place_of(const struct acl *acl, bool egress, int64_t number)
{
	size_t i = 0;

	for (; i < acl->entry_count; i++) {
		const struct acl_entry *entry = &acl->entries[i];

		if (entry->egress == egress ? entry->number >= number : !entry->egress)
			break;
	}
	return i;
}

static struct acl_entry *find_entry(const struct acl *acl, bool egress, int64_t number)
{
	size_t i = place_of(acl, egress, number);
	struct acl_entry *entry = i < acl->entry_count ? &acl->entries[i] : NULL;

	return entry && entry->egress == egress && entry->number == number ? entry : NULL;
}

static void insert_entry(struct acl *acl, const struct acl_entry *entry)
{
	size_t i = place_of(acl, entry->egress, entry->number);

	array_grow(&acl->entries, &acl->entry_count);
	memmove(acl->entries + i + 1, acl->entries + i,
		(acl->entry_count - 1 - i) * sizeof(*acl->entries));
	acl->entries[i] = *entry;
}

/* About all packets of a family. */
static struct acl_entry any_entry(int family, int64_t number, bool egress, bool allow)
{
	return (struct acl_entry){
		.number = number,
		.egress = egress,
		.allow = allow,
		.traffic = { -1, -1, -1 },
		.cidr = { { .family = (uint8_t)family }, 0 },
	};
}

/* In both directions. */
static void insert_any(struct acl *acl, int family, int64_t number, bool allow)
{
	for (int egress = 0; egress <= 1; egress++) {
		const struct acl_entry entry = any_entry(family, number, egress, allow);

		insert_entry(acl, &entry);
	}
}

static bool same_entry(const struct acl_entry *a, const struct acl_entry *b)
{
	return a->number == b->number && a->egress == b->egress && a->allow == b->allow &&
	       a->traffic.protocol == b->traffic.protocol && a->traffic.from == b->traffic.from &&
	       a->traffic.to == b->traffic.to && cidr_equal(a->cidr, b->cidr);
}

static int check_number(int64_t number, struct error *error)
{
	if (number >= 1 && number <= ACL_NUMBER_MAX)
		return 0;
	return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
			 "Value (%" PRId64 ") for parameter ruleNumber is invalid. Expecting a "
			 "value from 1 to %d.",
			 number, ACL_NUMBER_MAX);
}

static int check_traffic(const struct traffic *traffic, struct error *error)
{
	if (traffic_has_ports(traffic->protocol) &&
	    (traffic->from < 0 || traffic->to > 65535 || traffic->from > traffic->to))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Invalid TCP/UDP port range (%" PRId64 ":%" PRId64 ")",
				 traffic->from, traffic->to);
	if (traffic_is_icmp(traffic->protocol) &&
	    (traffic->from < -1 || traffic->from > 255 || traffic->to < -1 || traffic->to > 255 ||
	     (traffic->from == -1 && traffic->to != -1)))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "ICMP code (%" PRId64 ") and type (%" PRId64 ") are not a valid "
				 "combination",
				 traffic->to, traffic->from);
	return 0;
}

/* Entries of one direction and family, with the deny at their end. */
static size_t count_entries(const struct acl *acl, bool egress, int family)
{
	/* The deny of IPv6 counts before the VPC has IPv6, and it is there. */
	size_t count = family == AF_INET6 && !find_entry(acl, egress, ACL_NUMBER_LAST_IPV6);

	for (size_t i = 0; i < acl->entry_count; i++)
		count += acl->entries[i].egress == egress &&
			 acl->entries[i].cidr.address.family == family;
	return count;
}

static int check_room(const struct model *model, const struct acl *acl,
		      const struct acl_entry *entry, struct error *error)
{
	size_t count = count_entries(acl, entry->egress, entry->cidr.address.family);

	return quota_check(model, QUOTA_NETWORK_ACL_ENTRIES, count + 1, error);
}

/* As it is kept: the block without host bits. */
static int check_entry(const struct acl_entry *entry, struct acl_entry *ret_entry,
		       struct error *error)
{
	int r;

	if ((r = check_number(entry->number, error)) < 0 ||
	    (r = check_traffic(&entry->traffic, error)) < 0)
		return r;
	*ret_entry = *entry;
	ret_entry->cidr = cidr_canonical(entry->cidr);
	return 0;
}

int acl_add_entry(struct transaction *transaction, struct acl *acl, const struct acl_entry *entry,
		  struct error *error)
{
	struct acl_entry added;
	const struct acl_entry *there;
	int r;

	if ((r = check_entry(entry, &added, error)) < 0)
		return r;
	there = find_entry(acl, added.egress, added.number);
	if (there && same_entry(there, &added))
		return 0;
	if (there)
		return error_set(error, ERROR_ACL_ENTRY_EXISTS,
				 "The network acl entry identified by %" PRId64 " already exists.",
				 added.number);
	if ((r = check_room(transaction->model, acl, &added, error)) < 0)
		return r;
	transaction_edit(transaction, acl);
	insert_entry(acl, &added);
	return 0;
}

static int no_entry(int64_t number, struct error *error)
{
	return error_subject(error, ERROR_NOT_FOUND, "acl-entry",
			     "The network acl entry identified by %" PRId64 " does not exist.",
			     number);
}

int acl_replace_entry(struct transaction *transaction, struct acl *acl,
		      const struct acl_entry *entry, struct error *error)
{
	struct acl_entry next, *there;
	int r;

	if ((r = check_entry(entry, &next, error)) < 0)
		return r;
	there = find_entry(acl, next.egress, next.number);
	if (!there)
		return no_entry(next.number, error);
	if (there->cidr.address.family != next.cidr.address.family &&
	    (r = check_room(transaction->model, acl, &next, error)) < 0)
		return r;
	transaction_edit(transaction, acl); /* in place: `there` is still it */
	*there = next;
	return 0;
}

int acl_remove_entry(struct transaction *transaction, struct acl *acl, bool egress, int64_t number,
		     struct error *error)
{
	struct acl_entry *entry = find_entry(acl, egress, number);
	int r;

	if ((r = check_number(number, error)) < 0)
		return r;
	if (!entry)
		return no_entry(number, error);
	transaction_edit(transaction, acl);
	array_remove(acl->entries, &acl->entry_count, (size_t)(entry - acl->entries));
	return 0;
}

/* ---- ACLs ---- */

static struct acl *create(struct transaction *transaction, struct vpc *vpc)
{
	struct acl *acl = transaction_create(transaction, vpc->resource.scope, KIND_NETWORK_ACL);

	acl->vpc = vpc->resource.id;
	insert_any(acl, AF_INET, ACL_NUMBER_LAST, false);
	if (vpc->ipv6_cidr_count)
		insert_any(acl, AF_INET6, ACL_NUMBER_LAST_IPV6, false);
	return acl;
}

void acl_create_default(struct transaction *transaction, struct vpc *vpc)
{
	struct acl *acl = create(transaction, vpc);

	acl->is_default = true;
	insert_any(acl, AF_INET, 100, true);
}

static size_t count_direction(const struct acl *acl, bool egress)
{
	return count_entries(acl, egress, AF_INET) + count_entries(acl, egress, AF_INET6);
}

/* As acl_create_default() made it. */
static bool is_untouched(const struct acl *acl, bool egress)
{
	const struct acl_entry *first = find_entry(acl, egress, 100);
	const struct acl_entry made = any_entry(AF_INET, 100, egress, true);

	/* with both denies, of which one is still to come */
	return first && same_entry(first, &made) && count_direction(acl, egress) == 3;
}

static void add_ipv6(struct acl *acl)
{
	for (int egress = 0; acl->is_default && egress <= 1; egress++) {
		const struct acl_entry allow = any_entry(AF_INET6, 101, egress, true);

		if (is_untouched(acl, egress))
			insert_entry(acl, &allow);
	}
	insert_any(acl, AF_INET6, ACL_NUMBER_LAST_IPV6, false);
}

void acl_add_ipv6(struct transaction *transaction, const struct vpc *vpc)
{
	for_each_resource (struct acl, acl, vpc->resource.scope, KIND_NETWORK_ACL)
		if (rid_equal(acl->vpc, vpc->resource.id) &&
		    !find_entry(acl, true, ACL_NUMBER_LAST_IPV6))
			add_ipv6(transaction_edit(transaction, acl));
}

int acl_create(struct transaction *transaction, struct vpc *vpc, const char *client_token,
	       struct acl **ret_acl, struct error *error)
{
	size_t acls = 0;
	int r;

	for_each_resource (struct acl, acl, vpc->resource.scope, KIND_NETWORK_ACL) {
		acls += rid_equal(acl->vpc, vpc->resource.id);
		if (!client_token || !streq(acl->client_token, client_token))
			continue;
		if (!rid_equal(acl->vpc, vpc->resource.id))
			return idempotent_mismatch(error);
		*ret_acl = acl;
		return 0;
	}
	if ((r = quota_check(transaction->model, QUOTA_NETWORK_ACLS, acls + 1, error)) < 0)
		return r;
	*ret_acl = create(transaction, vpc);
	(*ret_acl)->client_token = xstrdup_null(client_token);
	return 0;
}

int acl_delete(struct transaction *transaction, struct acl *acl, struct error *error)
{
	if (acl->is_default)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "cannot delete default network ACL %s",
				 rid_format(acl->resource.id).text);
	if (acl->association_count)
		return error_set(error, ERROR_DEPENDENCY_VIOLATION,
				 "The networkAcl '%s' has dependencies and cannot be deleted.",
				 rid_format(acl->resource.id).text);
	transaction_delete(transaction, acl);
	return 0;
}

/* ---- associations ---- */

static struct rid add_association(struct acl *acl, struct rid subnet)
{
	struct acl_association *association =
		array_grow(&acl->associations, &acl->association_count);

	association->id = rid_new(KIND_NETWORK_ACL_ASSOCIATION);
	association->subnet = subnet;
	return association->id;
}

void acl_associate_default(struct transaction *transaction, struct vpc *vpc, struct rid subnet)
{
	for_each_resource (struct acl, acl, vpc->resource.scope, KIND_NETWORK_ACL)
		if (acl->is_default && rid_equal(acl->vpc, vpc->resource.id)) {
			transaction_edit(transaction, acl);
			add_association(acl, subnet);
			return;
		}
}

struct acl *acl_find_association(const struct scope *scope, struct rid association,
				 size_t *ret_index)
{
	for_each_resource (struct acl, acl, scope, KIND_NETWORK_ACL)
		for (size_t i = 0; i < acl->association_count; i++)
			if (rid_equal(acl->associations[i].id, association)) {
				*ret_index = i;
				return acl;
			}
	return NULL;
}

int acl_move_association(struct transaction *transaction, struct acl *from, size_t index,
			 struct acl *to, struct rid *ret_association, struct error *error)
{
	struct rid subnet = from->associations[index].subnet;

	if (!rid_equal(from->vpc, to->vpc))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "network acl %s and subnet %s belong to different networks",
				 rid_format(to->resource.id).text, rid_format(subnet).text);
	transaction_edit(transaction, from);
	array_remove(from->associations, &from->association_count, index);
	transaction_edit(transaction, to);
	*ret_association = add_association(to, subnet);
	return 0;
}

void acl_forget_subnet(struct transaction *transaction, struct scope *scope, struct rid subnet)
{
	for_each_resource (struct acl, acl, scope, KIND_NETWORK_ACL)
		for (size_t i = acl->association_count; i-- > 0;)
			if (rid_equal(acl->associations[i].subnet, subnet)) {
				transaction_edit(transaction, acl);
				array_remove(acl->associations, &acl->association_count, i);
			}
}
