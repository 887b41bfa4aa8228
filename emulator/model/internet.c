/* The simulated Internet: see internet.h. */
#include "model/internet.h"

static const struct field fields[] = {
	RESOURCE_FIELDS(struct internet),
	FIELD_OF(struct internet, realized, FIELD_BOOL, "realized", NULL, FIELD_STORED),
	FIELD_OF(struct internet, region, FIELD_TEXT, "region", NULL, FIELD_STORED),
	FIELD_END,
};

const struct resource_type internet_type = {
	.kind = KIND_INTERNET,
	.size = sizeof(struct internet),
	.fields = fields,
};

static const struct field host_fields[] = {
	RESOURCE_FIELDS(struct internet_host),
	FIELD_OF(struct internet_host, address, FIELD_ADDRESS, "address", NULL, FIELD_BOTH),
	FIELD_OF(struct internet_host, pid, FIELD_INT, "pid", NULL, FIELD_BOTH),
	FIELD_OF(struct internet_host, start_time, FIELD_INT, "startTime", NULL, FIELD_BOTH),
	FIELD_OF(struct internet_host, running, FIELD_BOOL, "running", NULL, FIELD_STORED),
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
	return (struct internet_host *)only(model, KIND_INTERNET_HOST);
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
	const uint32_t size = INTERNET_PUBLIC_LAST - INTERNET_PUBLIC_FIRST + 1;

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
	struct internet_host *host = internet_host_get(transaction->model);

	if (internet && !internet->realized) {
		transaction_edit(transaction, internet);
		internet->realized = true;
	}
	if (host && !host->running) {
		transaction_edit(transaction, host);
		host->running = true;
	}
}
