/* Network ACLs: see acl.h. */
#include "model/acl.h"

static const char *get_action(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return ((const struct acl_entry *)view->object)->allow ? "allow" : "deny";
}

static const struct field entry_fields[] = {
	FIELD_OF(struct acl_entry, number, FIELD_INT, "ruleNumber", "entry.rule-number",
		 FIELD_BOTH),
	FIELD_CONST_OF("-1", "protocol", "entry.protocol"),
	FIELD_GET_OF(get_action, "ruleAction", "entry.rule-action"),
	FIELD_OF(struct acl_entry, allow, FIELD_BOOL, "allow", NULL, FIELD_STORED),
	FIELD_OF(struct acl_entry, egress, FIELD_BOOL, "egress", "entry.egress", FIELD_BOTH),
	FIELD_OF(struct acl_entry, cidr, FIELD_CIDR, "cidrBlock", "entry.cidr", FIELD_BOTH),
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
	FIELD_END,
};

const struct resource_type acl_type = {
	.kind = KIND_NETWORK_ACL,
	.size = sizeof(struct acl),
	.fields = fields,
	.tag_type = "network-acl",
};

static void add_entry(struct acl *acl, int64_t number, bool egress, bool allow)
{
	struct acl_entry *entry = array_grow(&acl->entries, &acl->entry_count);

	entry->number = number;
	entry->egress = egress;
	entry->allow = allow;
	entry->cidr = (struct cidr){ { .family = AF_INET }, 0 };
}

void acl_create_default(struct transaction *transaction, struct vpc *vpc)
{
	struct acl *acl = transaction_create(transaction, vpc->resource.scope, KIND_NETWORK_ACL);

	acl->vpc = vpc->resource.id;
	acl->is_default = true;
	for (int egress = 1; egress >= 0; egress--) {
		add_entry(acl, 100, egress, true);
		add_entry(acl, 32767, egress, false);
	}
}

void acl_associate_default(struct transaction *transaction, struct vpc *vpc, struct rid subnet)
{
	for_each_resource (struct acl, acl, vpc->resource.scope, KIND_NETWORK_ACL)
		if (acl->is_default && rid_equal(acl->vpc, vpc->resource.id)) {
			struct acl_association *association;

			transaction_edit(transaction, acl);
			association = array_grow(&acl->associations, &acl->association_count);
			association->id = rid_new(KIND_NETWORK_ACL_ASSOCIATION);
			association->subnet = subnet;
			return;
		}
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
