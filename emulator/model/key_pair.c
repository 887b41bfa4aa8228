/* Key pairs: see key_pair.h. */
#include "model/key_pair.h"

#define NAME_LENGTH_MAX 255

#define KEY_PAIR_FIELDS(public_key_flags_)                                                         \
	RESOURCE_FIELDS(struct key_pair), FIELD_GET_OF(get_id, "keyPairId", "key-pair-id"),        \
		FIELD_OF(struct key_pair, fingerprint, FIELD_TEXT, "keyFingerprint",               \
			 "fingerprint", FIELD_BOTH),                                               \
		FIELD_OF(struct key_pair, name, FIELD_TEXT, "keyName", "key-name", FIELD_BOTH),    \
		FIELD_OF(struct key_pair, type, FIELD_TEXT, "keyType", NULL, FIELD_BOTH),          \
		FIELD_OF(struct key_pair, public_key, FIELD_TEXT, "publicKey", NULL,               \
			 public_key_flags_),                                                       \
		FIELD_OF(struct key_pair, create_time, FIELD_TIME, "createTime", NULL, FIELD_BOTH)

static const struct field fields[] = {
	KEY_PAIR_FIELDS(FIELD_STORED),
	FIELD_END,
};

const struct field key_pair_public_fields[] = {
	KEY_PAIR_FIELDS(FIELD_BOTH),
	FIELD_END,
};

const struct resource_type key_pair_type = {
	.kind = KIND_KEY_PAIR,
	.size = sizeof(struct key_pair),
	.fields = fields,
	.tag_type = "key-pair",
};

struct key_pair *key_pair_named(const struct scope *scope, const char *name)
{
	for_each_resource (struct key_pair, key_pair, scope, KIND_KEY_PAIR)
		if (streq(key_pair->name, name))
			return key_pair;
	return NULL;
}

/* "Up to 255 ASCII characters. The name can't include leading or trailing spaces." */
static bool is_name(const char *name)
{
	const size_t length = strlen(name);

	if (!length || length > NAME_LENGTH_MAX || name[0] == ' ' || name[length - 1] == ' ')
		return false;
	for (const char *c = name; *c; c++)
		if (*c < ' ' || *c > '~')
			return false;
	return true;
}

int key_pair_check(const struct model *model, const struct scope *scope, const char *name,
		   struct error *error)
{
	if (!is_name(name))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Value (%s) for parameter keyName is invalid. Specify up to %d "
				 "ASCII characters, without leading or trailing spaces.",
				 name, NAME_LENGTH_MAX);
	if (key_pair_named(scope, name))
		return error_set(error, ERROR_KEY_PAIR_DUPLICATE,
				 "The keypair '%s' already exists.", name);
	return quota_check(model, QUOTA_KEY_PAIRS, scope->lists[KIND_KEY_PAIR].count + 1, error);
}

struct key_pair *key_pair_create(struct transaction *transaction, struct scope *scope,
				 const struct key_pair_request *request)
{
	struct key_pair *key_pair = transaction_create(transaction, scope, KIND_KEY_PAIR);

	key_pair->name = xstrdup(request->name);
	key_pair->public_key = xasprintf("%s %s", request->public_key, request->name);
	key_pair->fingerprint = xstrdup(request->fingerprint);
	key_pair->type = xstrdup(request->type);
	key_pair->create_time = transaction->now;
	return key_pair;
}
