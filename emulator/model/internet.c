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
