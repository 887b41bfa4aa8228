/* Managed prefix lists: see prefix_list.h. */
#include "model/prefix_list.h"

#include "model/group.h"
#include "model/route.h"

#include <inttypes.h>

/* VPC quotas */
#define VERSIONS_PER_LIST 1000 /* older ones are forgotten */

#define NAME_MAX_LENGTH	       255
#define DESCRIPTION_MAX_LENGTH 255
#define USERS_NAMED	       10 /* in an error text, as AWS's state message does */

static const char *const family_names[] = { "IPv4", "IPv6", NULL };
static const char *const state_names[] = { "create-complete", "modify-complete", "restore-complete",
					   "delete-complete", NULL };

const struct field prefix_entry_fields[] = {
	FIELD_OF(struct prefix_entry, cidr, FIELD_CIDR, "cidr", NULL, FIELD_BOTH),
	FIELD_OF(struct prefix_entry, description, FIELD_TEXT, "description", NULL, FIELD_BOTH),
	FIELD_OF(struct prefix_entry, since, FIELD_INT, "since", NULL, FIELD_STORED),
	FIELD_OF(struct prefix_entry, until, FIELD_INT, "until", NULL, FIELD_STORED),
	FIELD_END,
};

static const struct prefix_list *seen(const struct view *view)
{
	return (const struct prefix_list *)view->resource;
}

static const char *get_arn(const struct view *view, struct buffer *scratch)
{
	const struct scope *scope = view->resource->scope;

	return get_print(scratch, "arn:aws:ec2:%s:%s:prefix-list/%s", scope->region,
			 seen(view)->of_amazon ? "aws" : scope->account,
			 rid_format(view->resource->id).text);
}

static const char *get_list_owner(const struct view *view, struct buffer *scratch)
{
	return seen(view)->of_amazon ? "AWS" : get_owner(view, scratch);
}

static const char *get_own_number(const struct view *view, int64_t number, struct buffer *scratch)
{
	return seen(view)->of_amazon ? NULL : get_print(scratch, "%" PRId64, number);
}

static const char *get_max_entries(const struct view *view, struct buffer *scratch)
{
	return get_own_number(view, seen(view)->max_entries, scratch);
}

static const char *get_version(const struct view *view, struct buffer *scratch)
{
	return get_own_number(view, seen(view)->version, scratch);
}

static const struct field fields[] = {
	RESOURCE_FIELDS(struct prefix_list),
	FIELD_GET_OF(get_id, "prefixListId", "prefix-list-id"),
	FIELD_ENUM_OF(struct prefix_list, family, family_names, "addressFamily", NULL, FIELD_BOTH),
	FIELD_ENUM_OF(struct prefix_list, state, state_names, "state", NULL, FIELD_BOTH),
	FIELD_GET_OF(get_arn, "prefixListArn", NULL),
	FIELD_OF(struct prefix_list, name, FIELD_TEXT, "prefixListName", "prefix-list-name",
		 FIELD_BOTH),
	FIELD_GET_OF(get_max_entries, "maxEntries", NULL),
	FIELD_OF(struct prefix_list, max_entries, FIELD_INT, "maxEntries", NULL, FIELD_STORED),
	FIELD_GET_OF(get_version, "version", NULL),
	FIELD_OF(struct prefix_list, version, FIELD_INT, "version", NULL, FIELD_STORED),
	FIELD_GET_OF(get_list_owner, "ownerId", "owner-id"),
	FIELD_OF(struct prefix_list, of_amazon, FIELD_BOOL, "ofAmazon", NULL, FIELD_STORED),
	FIELD_LIST_OF(struct prefix_list, entries, entry_count, prefix_entry_fields, "entries",
		      FIELD_STORED),
	FIELD_OF(struct prefix_list, client_token, FIELD_TEXT, "clientToken", NULL, FIELD_STORED),
	FIELD_OF(struct prefix_list, token_digest, FIELD_TEXT, "tokenDigest", NULL, FIELD_STORED),
	FIELD_END,
};

const struct resource_type prefix_list_type = {
	.kind = KIND_PREFIX_LIST,
	.size = sizeof(struct prefix_list),
	.fields = fields,
	.tag_type = "prefix-list",
};

struct prefix_list *prefix_list_get(const struct model *model, struct rid id)
{
	return (struct prefix_list *)model_get(model, NULL, id);
}

int prefix_list_address_family(const struct prefix_list *list)
{
	return list->family == PREFIX_LIST_IPV6 ? AF_INET6 : AF_INET;
}

/* ---- versions ---- */

bool prefix_entry_is_in(const struct prefix_entry *entry, int64_t version)
{
	return entry->since <= version && (!entry->until || version < entry->until);
}

bool prefix_list_has(const struct prefix_list *list, struct cidr cidr)
{
	for_each_prefix_entry (entry, list, list->version)
		if (cidr_equal(entry->cidr, cidr))
			return true;
	return false;
}

static size_t count_in(const struct prefix_list *list, int64_t version)
{
	size_t count = 0;

	for_each_prefix_entry (entry, list, version)
		count++;
	return count;
}

static int64_t oldest_kept(const struct prefix_list *list)
{
	return MAX(1, list->version - VERSIONS_PER_LIST + 1);
}

int prefix_list_check_version(const struct prefix_list *list, int64_t version, struct error *error)
{
	if (version < 1)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "The specified value for version is not valid. The value must be "
				 "greater than (1).");
	if (version != list->version)
		return error_set(error, ERROR_PREFIX_LIST_VERSION,
				 "The prefix list has the incorrect version number.");
	return 0;
}

int prefix_list_check_kept(const struct prefix_list *list, int64_t version, struct error *error)
{
	if (version >= oldest_kept(list) && version <= list->version)
		return 0;
	return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
			 "The prefix list '%s' has no version %" PRId64 ".",
			 rid_format(list->resource.id).text, version);
}

/* Starts the next version; what only forgotten versions had goes. */
static void advance(struct prefix_list *list, enum prefix_list_state state)
{
	list->version++;
	list->state = (int)state;
	for (size_t i = list->entry_count; i-- > 0;) {
		if (!list->entries[i].until || list->entries[i].until > oldest_kept(list))
			continue;
		free(list->entries[i].description);
		array_remove(list->entries, &list->entry_count, i);
	}
}

static void append(struct prefix_list *list, struct cidr cidr, const char *description)
{
	struct prefix_entry *entry = array_grow(&list->entries, &list->entry_count);

	entry->cidr = cidr;
	entry->description = xstrdup_null(description);
	entry->since = list->version;
}

/* ---- checks ---- */

static int check_name(const char *name, struct error *error)
{
	if (!*name || strlen(name) > NAME_MAX_LENGTH)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "The prefix list name must be 1 to %d characters long.",
				 NAME_MAX_LENGTH);
	if (strncmp(name, "com.amazonaws", strlen("com.amazonaws")) == 0)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "The prefix list name cannot start with com.amazonaws.");
	return 0;
}

static int check_size(const struct model *model, int64_t max_entries, struct error *error)
{
	const int64_t most = quota_of(model, QUOTA_PREFIX_LIST_ENTRIES);

	if (max_entries >= 1 && max_entries <= most)
		return 0;
	return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
			 "Must specify a max size between 1 and %" PRId64, most);
}

static int check_count(size_t count, int64_t max_entries, struct error *error)
{
	if (count <= (size_t)max_entries)
		return 0;
	return error_set(error, ERROR_PREFIX_LIST_FULL,
			 "You've reached the maximum number of entries for the prefix list.");
}

static bool names(const struct prefix_changes *changes, size_t count, struct cidr cidr)
{
	for (size_t i = 0; i < count; i++)
		if (cidr_equal(cidr_canonical(changes->items[i].cidr), cidr))
			return true;
	return false;
}

/* What one call may say; `family` as in struct address. */
static int check_changes(const struct prefix_changes *changes, int family, struct error *error)
{
	if (changes->count > PREFIX_LIST_ENTRIES_PER_CALL)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "The number of entries per request cannot exceeds limit (%d).",
				 PREFIX_LIST_ENTRIES_PER_CALL);
	for (size_t i = 0; i < changes->count; i++) {
		const struct prefix_change *change = &changes->items[i];
		struct cidr cidr = cidr_canonical(change->cidr);

		if (cidr.address.family != family)
			return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
					 "The Cidr %s is not of the prefix list's address family.",
					 cidr_format(cidr).text);
		if (change->description && strlen(change->description) > DESCRIPTION_MAX_LENGTH)
			return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
					 "The description of an entry can be %d characters long.",
					 DESCRIPTION_MAX_LENGTH);
		if (names(changes, i, cidr))
			return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
					 "Request contains the Cidr %s more than once.",
					 cidr_format(cidr).text);
	}
	return 0;
}

/* ---- verbs ---- */

/* The list that this token made; NULL when there is none. */
static struct prefix_list *made_before(const struct scope *scope,
				       const struct prefix_list_request *request)
{
	for_each_resource (struct prefix_list, list, scope, KIND_PREFIX_LIST)
		if (request->client_token && streq(list->client_token, request->client_token))
			return list;
	return NULL;
}

static size_t count_own(const struct scope *scope)
{
	size_t count = 0;

	for_each_resource (struct prefix_list, list, scope, KIND_PREFIX_LIST)
		count += !list->of_amazon;
	return count;
}

int prefix_list_create(struct transaction *transaction, struct scope *scope,
		       const struct prefix_list_request *request, struct prefix_list **ret_list,
		       struct error *error)
{
	const struct prefix_changes *entries = &request->entries;
	int family = request->family == PREFIX_LIST_IPV6 ? AF_INET6 : AF_INET;
	struct prefix_list *list = made_before(scope, request);
	int r;

	if (list) {
		if (!streq(list->token_digest, request->token_digest))
			return idempotent_mismatch(error);
		*ret_list = list;
		return 0;
	}
	if ((r = check_name(request->name, error)) < 0 ||
	    (r = check_size(transaction->model, request->max_entries, error)) < 0 ||
	    (r = check_changes(entries, family, error)) < 0 ||
	    (r = check_count(entries->count, request->max_entries, error)) < 0)
		return r;
	if ((r = quota_check(transaction->model, QUOTA_PREFIX_LISTS, count_own(scope) + 1, error)) <
	    0)
		return r;
	list = transaction_create(transaction, scope, KIND_PREFIX_LIST);
	list->name = xstrdup(request->name);
	list->family = request->family;
	list->max_entries = request->max_entries;
	list->version = 1;
	list->client_token = xstrdup_null(request->client_token);
	list->token_digest = xstrdup_null(request->token_digest);
	for (size_t i = 0; i < entries->count; i++)
		append(list, cidr_canonical(entries->items[i].cidr), entries->items[i].description);
	*ret_list = list;
	return 0;
}

void prefix_list_create_amazon(struct transaction *transaction, struct scope *scope,
			       const char *name, struct cidr entry)
{
	struct prefix_list *list = transaction_create(transaction, scope, KIND_PREFIX_LIST);

	list->of_amazon = true;
	list->name = xstrdup(name);
	list->max_entries = 1;
	list->version = 1;
	append(list, cidr_canonical(entry), NULL);
}

int prefix_list_check_own(const struct prefix_list *list, struct error *error)
{
	if (!list->of_amazon)
		return 0;
	return error_set(error, ERROR_OPERATION_NOT_PERMITTED,
			 "The prefix list '%s' is managed by AWS.",
			 rid_format(list->resource.id).text);
}

int prefix_list_rename(struct transaction *transaction, struct prefix_list *list, const char *name,
		       struct error *error)
{
	int r = check_name(name, error);

	if (r < 0)
		return r;
	transaction_edit(transaction, list);
	free(list->name);
	list->name = xstrdup(name);
	list->state = PREFIX_LIST_MODIFIED;
	return 0;
}

/* What is named is there or not, as adding and removing need it. */
static int check_presence(const struct prefix_list *list, const struct prefix_changes *add,
			  const struct prefix_changes *remove, struct error *error)
{
	for (size_t i = 0; i < remove->count; i++) {
		struct cidr cidr = cidr_canonical(remove->items[i].cidr);

		if (names(add, add->count, cidr))
			return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
					 "Request cannot contain Cidr %s in both "
					 "AddPrefixListEntries and RemovePrefixListEntries",
					 cidr_format(cidr).text);
		if (!prefix_list_has(list, cidr))
			return error_set(error, ERROR_PREFIX_LIST_MODIFICATION,
					 "The prefix list '%s' has no entry %s.",
					 rid_format(list->resource.id).text,
					 cidr_format(cidr).text);
	}
	/* A description alone can't be changed: the entry is removed first, then added anew. */
	for (size_t i = 0; i < add->count; i++)
		if (prefix_list_has(list, cidr_canonical(add->items[i].cidr)))
			return error_set(error, ERROR_INVALID_REQUEST,
					 "The request received was invalid.");
	return 0;
}

int prefix_list_change(struct transaction *transaction, struct prefix_list *list,
		       const struct prefix_changes *add, const struct prefix_changes *remove,
		       struct error *error)
{
	int family = prefix_list_address_family(list), r;

	if ((r = check_changes(add, family, error)) < 0 ||
	    (r = check_changes(remove, family, error)) < 0 ||
	    (r = check_presence(list, add, remove, error)) < 0 ||
	    (r = check_count(count_in(list, list->version) + add->count - remove->count,
			     list->max_entries, error)) < 0)
		return r;
	transaction_edit(transaction, list);
	for (size_t i = 0; i < list->entry_count; i++)
		if (prefix_entry_is_in(&list->entries[i], list->version) &&
		    names(remove, remove->count, list->entries[i].cidr))
			list->entries[i].until = list->version + 1;
	advance(list, PREFIX_LIST_MODIFIED);
	for (size_t i = 0; i < add->count; i++)
		append(list, cidr_canonical(add->items[i].cidr), add->items[i].description);
	return 0;
}

static bool same_entry(const struct prefix_entry *a, const struct prefix_entry *b)
{
	return cidr_equal(a->cidr, b->cidr) && streq(a->description, b->description);
}

/* Is there the like of `entry` in that version? */
static bool version_has(const struct prefix_list *list, int64_t version,
			const struct prefix_entry *entry)
{
	for_each_prefix_entry (other, list, version)
		if (same_entry(other, entry))
			return true;
	return false;
}

int prefix_list_restore(struct transaction *transaction, struct prefix_list *list, int64_t version,
			struct error *error)
{
	int64_t current = list->version;
	size_t count = list->entry_count;
	int r;

	if ((r = prefix_list_check_kept(list, version, error)) < 0 ||
	    (r = check_count(count_in(list, version), list->max_entries, error)) < 0)
		return r;
	transaction_edit(transaction, list);
	for (size_t i = 0; i < count; i++) {
		struct prefix_entry *entry = &list->entries[i];

		if (prefix_entry_is_in(entry, current) && !version_has(list, version, entry))
			entry->until = current + 1;
	}
	list->version++; /* what the oldest version had must not go before it is restored */
	for (size_t i = 0; i < count; i++) {
		struct prefix_entry entry = list->entries[i];

		if (prefix_entry_is_in(&entry, version) && !version_has(list, current, &entry))
			append(list, entry.cidr, entry.description);
	}
	list->version--;
	advance(list, PREFIX_LIST_RESTORED);
	return 0;
}

static bool user_has_room(const struct model *model, const struct resource *user,
			  const struct prefix_list *list, int64_t more)
{
	if (user->id.kind == KIND_ROUTE_TABLE)
		return route_table_has_room(model, (const struct route_table *)user, more);
	return group_has_room(model, (const struct group *)user, list, more);
}

/*
 * AWS takes such a call and ends in the state modify-failed, with the IDs of the first ten
 * resources that can't support the new size; a caller is told at once here.
 */
static int check_users(const struct model *model, const struct prefix_list *list,
		       int64_t max_entries, struct error *error)
{
	CLEANUP(buffer_clear) struct buffer full = BUFFER_INIT;
	CLEANUP(freep) struct resource **users = NULL;
	size_t count = prefix_list_users(model, list, &users), named = 0;

	for (size_t i = 0; i < count && named < USERS_NAMED; i++)
		if (!user_has_room(model, users[i], list, max_entries - list->max_entries))
			buffer_printf(&full, "%s%s", named++ ? ", " : "",
				      rid_format(users[i]->id).text);
	if (!named)
		return 0;
	return error_subject(error, ERROR_QUOTA, "route",
			     "These resources do not support the new maximum size: %s", full.data);
}

int prefix_list_resize(struct transaction *transaction, struct prefix_list *list,
		       int64_t max_entries, struct error *error)
{
	int r;

	if ((r = check_size(transaction->model, max_entries, error)) < 0)
		return r;
	if ((size_t)max_entries < count_in(list, list->version))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "The maximum number of entries cannot be less than the number of "
				 "entries in the prefix list.");
	if ((r = check_users(transaction->model, list, max_entries, error)) < 0)
		return r;
	transaction_edit(transaction, list);
	list->max_entries = max_entries;
	list->state = PREFIX_LIST_MODIFIED;
	return 0;
}

int prefix_list_retire(struct transaction *transaction, struct prefix_list *list,
		       struct error *error)
{
	CLEANUP(freep) struct resource **users = NULL;

	/* "You must first remove all references to the prefix list" (EC2 API reference). */
	if (prefix_list_users(transaction->model, list, &users))
		return error_set(error, ERROR_DEPENDENCY_VIOLATION,
				 "The prefix list '%s' has dependencies and cannot be deleted.",
				 rid_format(list->resource.id).text);
	transaction_edit(transaction, list);
	list->state = PREFIX_LIST_DELETED;
	return 0;
}

size_t prefix_list_users(const struct model *model, const struct prefix_list *list,
			 struct resource ***ret_users)
{
	const struct scope *scope = list->resource.scope;
	struct resource **users = NULL;
	size_t count = 0;

	for_each_resource (struct route_table, table, scope, KIND_ROUTE_TABLE)
		for (size_t i = 0; i < table->route_count; i++)
			if (rid_equal(table->routes[i].prefix_list, list->resource.id)) {
				*array_grow(&users, &count) = &table->resource;
				break;
			}
	for_each_resource (struct group, group, scope, KIND_SECURITY_GROUP)
		if (group_uses_prefix_list(model, group, list->resource.id))
			*array_grow(&users, &count) = &group->resource;
	*ret_users = users;
	return count;
}
