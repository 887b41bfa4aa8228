/* The simulated Internet: see internet.h. */
#include "model/internet.h"

#include <ctype.h>

#define OWN_NAME "internet"

static const struct field fields[] = {
	RESOURCE_FIELDS(struct internet),
	FIELD_OF(struct internet, realized, FIELD_BOOL, "realized", NULL, FIELD_STORED),
	FIELD_OF(struct internet, uplink, FIELD_BOOL, "uplink", NULL, FIELD_STORED),
	FIELD_OF(struct internet, region, FIELD_TEXT, "region", NULL, FIELD_STORED),
	FIELD_OF(struct internet, metadata_key, FIELD_TEXT, "metadataKey", NULL, FIELD_STORED),
	FIELD_END,
};

const struct resource_type internet_type = {
	.kind = KIND_INTERNET,
	.size = sizeof(struct internet),
	.fields = fields,
};

static const struct field host_fields[] = {
	RESOURCE_FIELDS(struct internet_host),
	FIELD_OF(struct internet_host, name, FIELD_TEXT, "name", NULL, FIELD_BOTH),
	FIELD_OF(struct internet_host, address, FIELD_ADDRESS, "address", NULL, FIELD_BOTH),
	FIELD_OF(struct internet_host, pid, FIELD_INT, "pid", NULL, FIELD_BOTH),
	FIELD_OF(struct internet_host, start_time, FIELD_INT, "startTime", NULL, FIELD_BOTH),
	FIELD_OF(struct internet_host, running, FIELD_BOOL, "running", NULL, FIELD_STORED),
	FIELD_OF(struct internet_host, ending, FIELD_BOOL, "ending", NULL, FIELD_STORED),
	FIELD_OF(struct internet_host, unborn, FIELD_BOOL, "unborn", NULL, FIELD_STORED),
	FIELD_END,
};

const struct resource_type internet_host_type = {
	.kind = KIND_INTERNET_HOST,
	.size = sizeof(struct internet_host),
	.fields = host_fields,
};

struct scope *internet_scope(struct model *model)
{
	return model_scope(model, "world", "internet");
}

static struct resource *only(const struct model *model, enum kind kind)
{
	for (size_t i = 0; i < model->scope_count; i++)
		if (model->scopes[i]->lists[kind].count)
			return model->scopes[i]->lists[kind].items[0];
	return NULL;
}

struct internet *internet_get(const struct model *model)
{
	return (struct internet *)only(model, KIND_INTERNET);
}

struct internet_host *internet_host_get(const struct model *model)
{
	return (struct internet_host *)only(model, KIND_INTERNET_HOST); /* made before all others */
}

const char *internet_host_name(const struct internet_host *host)
{
	return host->name ? host->name : OWN_NAME;
}

struct internet_host *internet_host_find(const struct model *model, const char *name)
{
	for_each_internet_host (host, model)
		if (streq(internet_host_name(host), name))
			return host;
	return NULL;
}

/* ---- public addresses ---- */

static struct map_key public_key(struct address address)
{
	return (struct map_key){ 1, address_to_v4(address) };
}

struct resource *internet_public_holder(const struct model *model, struct address address)
{
	return map_get(&model->publics, public_key(address));
}

void internet_hold_public(struct model *model, struct address address, struct resource *holder)
{
	map_put(&model->publics, public_key(address), holder);
}

void internet_let_go_public(struct model *model, struct address address, struct resource *holder)
{
	/* A roll-back may have given it back to another already. */
	if (internet_public_holder(model, address) == holder)
		map_take(&model->publics, public_key(address));
}

int internet_choose_public(struct model *model, struct address *ret_address, struct error *error)
{
	const uint32_t size = INTERNET_PUBLIC_COUNT;

	for (uint32_t tries = 0; tries < size; tries++) {
		struct address address =
			address_v4(INTERNET_PUBLIC_FIRST + (model->next_public + tries) % size);

		if (internet_public_holder(model, address))
			continue;
		model->next_public = (model->next_public + tries + 1) % size;
		*ret_address = address;
		return 0;
	}
	return error_set(error, ERROR_INSUFFICIENT_ADDRESS_CAPACITY,
			 "Not enough available public addresses to satisfy the request.");
}

/* ---- verbs ---- */

void internet_create(struct transaction *transaction)
{
	struct scope *scope = internet_scope(transaction->model);
	struct internet_host *host;

	transaction_create(transaction, scope, KIND_INTERNET);
	host = transaction_create(transaction, scope, KIND_INTERNET_HOST);
	host->address = address_v4(INTERNET_HOST);
}

void internet_realize(struct transaction *transaction)
{
	struct internet *internet = internet_get(transaction->model);

	if (internet && !internet->realized) {
		transaction_edit(transaction, internet);
		internet->realized = true;
	}
	for_each_internet_host (host, transaction->model) {
		if (host->running || host->ending)
			continue;
		transaction_edit(transaction, host);
		host->running = true;
	}
}

/* ---- more hosts ---- */

/* RFC 1123: it is what `hostname` says there. */
static bool is_label(const char *name)
{
	size_t length = strlen(name);

	if (!length || length > 63 || name[0] == '-' || name[length - 1] == '-')
		return false;
	for (const char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '-')
			return false;
	return true;
}

/* What a host can't have, and why. */
static const struct {
	uint32_t first, last;
	const char *what;
} reserved[] = {
	{ 0x00000000, 0x00ffffff, "of this network" },
	{ 0x0a000000, 0x0affffff, "private" },
	{ 0x64400000, 0x647fffff, "shared address space, as good as private" },
	{ 0x7f000000, 0x7fffffff, "a loopback address" },
	{ 0xa9fe0000, 0xa9feffff, "link-local" },
	{ 0xac100000, 0xac1fffff, "private" },
	{ 0xc0a80000, 0xc0a8ffff, "private" },
	{ INTERNET_NETWORK, INTERNET_NETWORK, "the network's own" },
	{ INTERNET_ROUTER, INTERNET_ROUTER, "the router's" },
	{ INTERNET_HOST_LAST + 1, INTERNET_HOST_LAST + 1, "a broadcast address" },
	{ INTERNET_PUBLIC_FIRST, INTERNET_NETWORK | 0xffff, "of the pool for instances" },
	{ 0xe0000000, 0xefffffff, "a multicast address" },
	{ 0xf0000000, 0xffffffff, "reserved" },
};

static const struct internet_host *holder_of(const struct model *model, struct address address)
{
	for_each_internet_host (host, model)
		if (address_equal(host->address, address))
			return host;
	return NULL;
}

static int check_address(const struct model *model, const char *text, struct address *ret_address,
			 struct error *error)
{
	const struct internet_host *holder;
	uint32_t number;

	if (address_parse(text, ret_address) < 0 || ret_address->family != AF_INET)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "'%s' is not an IPv4 address", text);
	number = address_to_v4(*ret_address);
	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
		if (number >= reserved[i].first && number <= reserved[i].last)
			return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
					 "An Internet host can't have the address %s: it is %s",
					 text, reserved[i].what);
	holder = holder_of(model, *ret_address);
	if (holder)
		return error_set(error, ERROR_ADDRESS_IN_USE,
				 "The address %s is that of the Internet host '%s'", text,
				 internet_host_name(holder));
	return 0;
}

static int next_address(const struct model *model, struct address *ret_address, struct error *error)
{
	for (uint32_t number = INTERNET_HOST; number <= INTERNET_HOST_LAST; number++) {
		*ret_address = address_v4(number);
		if (!holder_of(model, *ret_address))
			return 0;
	}
	return error_set(error, ERROR_INSUFFICIENT_ADDRESS_CAPACITY,
			 "No address is left in 198.18.0.0/24: choose another one");
}

int internet_host_create(struct transaction *transaction, const char *name, const char *address,
			 struct internet_host **ret_host, struct error *error)
{
	struct scope *scope = internet_scope(transaction->model);
	struct address chosen = { 0 };
	struct internet_host *host;
	int r;

	if (!is_label(name))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "'%s' is no name for a host: letters, digits and hyphens between "
				 "them, 63 at most",
				 name);
	if (internet_host_find(transaction->model, name))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "There is an Internet host '%s' already", name);
	if (scope->lists[KIND_INTERNET_HOST].count >= INTERNET_HOSTS_MAX)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "There are %d Internet hosts, as many as there can be",
				 INTERNET_HOSTS_MAX);
	r = address ? check_address(transaction->model, address, &chosen, error)
		    : next_address(transaction->model, &chosen, error);
	if (r < 0)
		return r;
	host = transaction_create(transaction, scope, KIND_INTERNET_HOST);
	host->name = xstrdup(name);
	host->address = chosen;
	host->unborn = true;
	internet_realize(transaction);
	*ret_host = host;
	return 0;
}

int internet_host_end(struct transaction *transaction, struct internet_host *host,
		      struct error *error)
{
	if (!host->name)
		return error_set(error, ERROR_OPERATION_NOT_PERMITTED,
				 "The Internet host '%s' is the world's own: it stays",
				 internet_host_name(host));
	transaction_edit(transaction, host);
	host->ending = true;
	host->running = false;
	return 0;
}

/* What is in the list shrinks meanwhile: from the end. */
void internet_forget_hosts(struct transaction *transaction)
{
	struct resource_list *list = &internet_scope(transaction->model)->lists[KIND_INTERNET_HOST];

	for (size_t i = list->count; i-- > 0;) {
		struct internet_host *host = (struct internet_host *)list->items[i];

		if (host->ending)
			transaction_delete(transaction, host);
	}
}
