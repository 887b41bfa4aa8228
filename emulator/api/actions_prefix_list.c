/* Managed prefix lists: their entries, versions and users. */
#include "api/actions.h"
#include "model/prefix_list.h"

static int list_call(struct call *call, struct prefix_list **ret_list, struct error *error)
{
	return call_resource(call, "PrefixListId", KIND_PREFIX_LIST, ret_list, error);
}

/* The number in a parameter that was checked already; `fallback` when absent. */
static int64_t number_of(const struct call *call, const char *name, int64_t fallback)
{
	const char *text = call_text(call, name);

	return text && *text ? strtoll(text, NULL, 10) : fallback;
}

static void changes_clear(struct prefix_changes *changes)
{
	free(changes->items);
	*changes = (struct prefix_changes){ NULL, 0 };
}

/* "Entry.N.Cidr" and "Entry.N.Description"; the texts are borrowed from the call. */
static int read_changes(const struct call *call, const char *name, int family,
			struct prefix_changes *changes, struct error *error)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	size_t count = params_indices(call->params, name, &indices);

	for (size_t i = 0; i < count; i++) {
		struct prefix_change *change = array_grow(&changes->items, &changes->count);
		CLEANUP(freep) char *cidr = xasprintf("%s.%u.Cidr", name, indices[i]);
		int r = call_block(call, cidr, family, &change->cidr, error);

		if (r < 0)
			return r;
		change->description =
			params_get(call->params, "%s.%u.Description", name, indices[i]);
		if (change->description && !*change->description)
			change->description = NULL;
	}
	return 0;
}

static int read_family(const struct call *call, int *ret_family, struct error *error)
{
	const char *text = call_text(call, "AddressFamily");

	if (!streq(text, "IPv4") && !streq(text, "IPv6"))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Value (%s) for parameter addressFamily is invalid. Expecting "
				 "IPv4 or IPv6.",
				 text);
	*ret_family = streq(text, "IPv6") ? PREFIX_LIST_IPV6 : PREFIX_LIST_IPV4;
	return 0;
}

/* Of the caller's own. */
static int own_list_call(struct call *call, struct prefix_list **ret_list, struct error *error)
{
	int r = list_call(call, ret_list, error);

	return r < 0 ? r : prefix_list_check_own(*ret_list, error);
}

int create_managed_prefix_list(struct call *call, struct error *error)
{
	CLEANUP(freep) char *digest = call_digest(call);
	const char *token = call_text(call, "ClientToken");
	struct prefix_list_request request = {
		.name = call_text(call, "PrefixListName"),
		.max_entries = number_of(call, "MaxEntries", 0),
		.client_token = token && *token ? token : NULL,
		.token_digest = token && *token ? digest : NULL,
	};
	struct prefix_list *list = NULL;
	int r;

	if ((r = read_family(call, &request.family, error)) == 0 &&
	    (r = read_changes(call, "Entry",
			      request.family == PREFIX_LIST_IPV6 ? AF_INET6 : AF_INET,
			      &request.entries, error)) == 0)
		r = prefix_list_create(&call->transaction, call->scope, &request, &list, error);
	changes_clear(&request.entries);
	if (r < 0 || (r = call_tag(call, list, error)) < 0)
		return r;
	reply_resource(call, "prefixList", list);
	return 0;
}

int delete_managed_prefix_list(struct call *call, struct error *error)
{
	struct prefix_list *list;
	int r;

	if ((r = own_list_call(call, &list, error)) < 0 ||
	    (r = prefix_list_retire(&call->transaction, list, error)) < 0)
		return r;
	reply_resource(call, "prefixList", list);
	transaction_delete(&call->transaction, list);
	return 0;
}

int describe_managed_prefix_lists(struct call *call, struct error *error)
{
	static const struct listing listing = {
		.list = "prefixListSet",
		.kind = KIND_PREFIX_LIST,
		.ids = "PrefixListId",
		.minimum = 1,
		.maximum = 100,
	};

	return describe_resources(call, &listing, error);
}

/* ---- changes ---- */

static int check_version(const struct call *call, const struct prefix_list *list, bool required,
			 struct error *error)
{
	int64_t version = number_of(call, "CurrentVersion", INT64_MIN);

	if (version != INT64_MIN)
		return prefix_list_check_version(list, version, error);
	return required ? error_set(error, ERROR_MISSING_PARAMETER,
				    "The request must contain the parameter CurrentVersion")
			: 0;
}

static int change_entries(struct call *call, struct prefix_list *list,
			  const struct prefix_changes *add, const struct prefix_changes *remove,
			  struct error *error)
{
	int64_t max_entries = number_of(call, "MaxEntries", 0);
	const char *name = call_text(call, "PrefixListName");
	bool resize = call_text(call, "MaxEntries"), entries = add->count || remove->count;
	int r;

	if (entries && resize)
		return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
				 "You cannot modify the entries and the maximum entries for the "
				 "prefix list in the same request.");
	if (!entries && !resize && !name)
		return error_set(error, ERROR_INVALID_REQUEST, "The request received was invalid.");
	if ((r = check_version(call, list, entries, error)) < 0 ||
	    (name && (r = prefix_list_rename(&call->transaction, list, name, error)) < 0) ||
	    (resize &&
	     (r = prefix_list_resize(&call->transaction, list, max_entries, error)) < 0) ||
	    (entries && (r = prefix_list_change(&call->transaction, list, add, remove, error)) < 0))
		return r;
	reply_resource(call, "prefixList", list);
	return 0;
}

int modify_managed_prefix_list(struct call *call, struct error *error)
{
	CLEANUP(changes_clear) struct prefix_changes add = { NULL, 0 };
	CLEANUP(changes_clear) struct prefix_changes remove = { NULL, 0 };
	struct prefix_list *list;
	int family, r;

	if (call_text(call, "IpamPrefixListResolverSyncEnabled"))
		return error_set(error, ERROR_UNSUPPORTED_OPERATION,
				 "The parameter IpamPrefixListResolverSyncEnabled is not "
				 "supported.");
	if ((r = own_list_call(call, &list, error)) < 0)
		return r;
	family = prefix_list_address_family(list);
	if ((r = read_changes(call, "AddEntry", family, &add, error)) < 0 ||
	    (r = read_changes(call, "RemoveEntry", family, &remove, error)) < 0)
		return r;
	return change_entries(call, list, &add, &remove, error);
}

int restore_managed_prefix_list_version(struct call *call, struct error *error)
{
	struct prefix_list *list;
	int r;

	if ((r = own_list_call(call, &list, error)) < 0 ||
	    (r = check_version(call, list, true, error)) < 0 ||
	    (r = prefix_list_restore(&call->transaction, list,
				     number_of(call, "PreviousVersion", 0), error)) < 0)
		return r;
	reply_resource(call, "prefixList", list);
	return 0;
}

/* ---- what is in it, and who uses it ---- */

int get_managed_prefix_list_entries(struct call *call, struct error *error)
{
	static const struct listing listing = {
		.list = "entrySet",
		.fields = prefix_entry_fields,
		.minimum = 1,
		.maximum = 100,
	};
	CLEANUP(rows_clear) struct rows rows = { NULL, 0 };
	struct prefix_list *list;
	int64_t version;
	int r;

	if ((r = list_call(call, &list, error)) < 0)
		return r;
	version = number_of(call, "TargetVersion", list->version);
	if ((r = prefix_list_check_kept(list, version, error)) < 0)
		return r;
	for_each_prefix_entry (entry, list, version)
		rows_add(&rows, call, &list->resource, entry);
	return describe_rows(call, &listing, &rows, error);
}

int get_managed_prefix_list_associations(struct call *call, struct error *error)
{
	static const struct field fields[] = {
		FIELD_GET_OF(get_id, "resourceId", NULL),
		FIELD_GET_OF(get_owner, "resourceOwner", NULL),
		FIELD_END,
	};
	static const struct listing listing = {
		.list = "prefixListAssociationSet",
		.fields = fields,
		.minimum = 5,
		.maximum = 255,
	};
	CLEANUP(rows_clear) struct rows rows = { NULL, 0 };
	CLEANUP(freep) struct resource **users = NULL;
	struct prefix_list *list;
	size_t count;
	int r;

	if ((r = list_call(call, &list, error)) < 0)
		return r;
	count = prefix_list_users(call->model, list, &users);
	for (size_t i = 0; i < count; i++)
		rows_add(&rows, call, users[i], users[i]);
	return describe_rows(call, &listing, &rows, error);
}

static bool child_cidr(const struct view *view, size_t index, struct view *ret_child)
{
	const struct prefix_list *list = (const struct prefix_list *)view->resource;

	*ret_child = *view;
	for_each_prefix_entry (entry, list, list->version)
		if (index-- == 0) {
			ret_child->object = entry;
			return true;
		}
	return false;
}

/* Amazon's list of that id; a customer's is not one that DescribePrefixLists knows. */
static int find_service_list(const struct call *call, const char *text,
			     const struct prefix_list **ret_list, struct error *error)
{
	struct rid id;

	if (rid_parse(text, KIND_PREFIX_LIST, &id) < 0)
		return malformed(KIND_PREFIX_LIST, text, error);
	*ret_list = (const struct prefix_list *)model_get(call->model, call->scope, id);
	if (*ret_list && (*ret_list)->of_amazon)
		return 0;
	return error_subject(error, ERROR_NOT_FOUND, "prefix-list",
			     "The prefix list ID '%s' does not exist", text);
}

static int service_lists(struct call *call, const char *ids, struct rows *rows, struct error *error)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	size_t count = params_indices(call->params, ids, &indices);
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++) {
		const struct prefix_list *list = NULL;

		r = find_service_list(call, params_get(call->params, "%s.%u", ids, indices[i]),
				      &list, error);
		if (r == 0)
			rows_add(rows, call, &list->resource, list);
	}
	if (count)
		return r;
	for_each_resource (struct prefix_list, list, call->scope, KIND_PREFIX_LIST)
		if (list->of_amazon)
			rows_add(rows, call, &list->resource, list);
	return 0;
}

/* Those of AWS's services alone: what a customer has is DescribeManagedPrefixLists' to tell. */
int describe_prefix_lists(struct call *call, struct error *error)
{
	static const struct field cidr_fields[] = {
		FIELD_OF(struct prefix_entry, cidr, FIELD_CIDR, "", NULL, FIELD_SHOWN),
		FIELD_END,
	};
	static const struct field fields[] = {
		FIELD_CHILDREN_OF(child_cidr, cidr_fields, "cidrSet"),
		FIELD_GET_OF(get_id, "prefixListId", "prefix-list-id"),
		FIELD_OF(struct prefix_list, name, FIELD_TEXT, "prefixListName", "prefix-list-name",
			 FIELD_SHOWN),
		FIELD_END,
	};
	static const struct listing listing = {
		.list = "prefixListSet",
		.ids = "PrefixListId",
		.fields = fields,
		.minimum = 1,
		.maximum = 1000,
	};
	CLEANUP(rows_clear) struct rows rows = { NULL, 0 };
	int r = service_lists(call, listing.ids, &rows, error);

	return r < 0 ? r : describe_rows(call, &listing, &rows, error);
}
