/* Key pairs: made here or imported; the private key is in the reply that makes it and nowhere else.
 */
#include "api/actions.h"
#include "api/key_material.h"
#include "base/base64.h"
#include "model/key_pair.h"

static int new_name(const struct call *call, const char **ret_name, struct error *error)
{
	*ret_name = call_text(call, "KeyName");
	return key_pair_check(call_model(call), call->scope, *ret_name, error);
}

static int reply_new(struct call *call, const char *name, const struct key_material *material,
		     struct error *error)
{
	const struct key_pair_request request = { name, material->public_key, material->fingerprint,
						  material->type };
	struct key_pair *key_pair = key_pair_create(&call->transaction, call->scope, &request);
	int r = call_tag(call, key_pair, error);

	if (r < 0)
		return r;
	reply_member(call, "keyPairId", key_pair);
	reply_member(call, "keyName", key_pair);
	reply_member(call, "keyFingerprint", key_pair);
	reply_member(call, "tagSet", key_pair);
	xml_text(call->xml, "keyMaterial", material->private_key);
	return 0;
}

/* One of two words that the call may have; absent: the first. */
static int read_second(const struct call *call, const char *name, const char *const words[2],
		       bool *ret_second, struct error *error)
{
	const char *text = call_text(call, name);

	*ret_second = text && streq(text, words[1]);
	if (text && *text && !streq(text, words[0]) && !*ret_second)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Value (%s) for parameter %s is invalid.", text, name);
	return 0;
}

int create_key_pair(struct call *call, struct error *error)
{
	static const char *const types[2] = { "rsa", "ed25519" };
	static const char *const formats[2] = { "pem", "ppk" };
	CLEANUP(key_material_clear) struct key_material material = { 0 };
	bool ed25519, ppk;
	const char *name;
	int r;

	if ((r = read_second(call, "KeyType", types, &ed25519, error)) < 0 ||
	    (r = read_second(call, "KeyFormat", formats, &ppk, error)) < 0)
		return r;
	if (ppk)
		return error_set(error, ERROR_UNSUPPORTED_OPERATION,
				 "The parameter KeyFormat is not supported with the value ppk. "
				 "puttygen makes such a file of one in the format pem.");
	if ((r = new_name(call, &name, error)) < 0)
		return r;
	key_material_make(ed25519, name, &material);
	return reply_new(call, name, &material, error);
}

int import_key_pair(struct call *call, struct error *error)
{
	const char *text = call_text(call, "PublicKeyMaterial");
	CLEANUP(key_material_clear) struct key_material material = { 0 };
	CLEANUP(buffer_clear) struct buffer key = BUFFER_INIT;
	const char *name;
	int r;

	if ((r = new_name(call, &name, error)) < 0)
		return r;
	if (base64_read(text, strlen(text), &key) < 0 || !key.length ||
	    key_material_read(key.data, key.length, &material) < 0)
		return error_set(error, ERROR_KEY_FORMAT,
				 "Key is not in valid OpenSSH public key format");
	return reply_new(call, name, &material, error);
}

/* One that isn't there is as good as deleted. */
int delete_key_pair(struct call *call, struct error *error)
{
	const char *name = call_text(call, "KeyName"), *id = call_text(call, "KeyPairId");
	struct resource *key_pair;
	struct rid rid;

	if (id && *id) {
		if (rid_parse(id, KIND_KEY_PAIR, &rid) < 0)
			return malformed(KIND_KEY_PAIR, id, error);
		key_pair = model_get(call_model(call), call->scope, rid);
	} else if (name && *name) {
		key_pair = (struct resource *)key_pair_named(call->scope, name);
	} else {
		return error_set(error, ERROR_MISSING_PARAMETER,
				 "The request must contain the parameter KeyName or KeyPairId");
	}
	xml_bool(call->xml, "return", true);
	if (key_pair) {
		reply_member(call, "keyPairId", key_pair);
		transaction_delete(&call->transaction, key_pair);
	}
	return 0;
}

/* Adds those that KeyName.N names, every one there. */
static int add_named(struct call *call, struct rows *rows, struct error *error)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	const size_t count = params_indices(call->params, "KeyName", &indices);

	for (size_t i = 0; i < count; i++) {
		const char *name = params_get(call->params, "KeyName.%u", indices[i]);
		const struct key_pair *key_pair = key_pair_named(call->scope, name);
		bool there = false;

		if (!key_pair)
			return not_found(KIND_KEY_PAIR, name, false, error);
		for (size_t j = 0; j < rows->count; j++)
			there |= rows->items[j].object == key_pair;
		if (!there)
			rows_add(rows, call, &key_pair->resource, key_pair);
	}
	return 0;
}

int describe_key_pairs(struct call *call, struct error *error)
{
	const struct listing listing = {
		.list = "keySet",
		.kind = KIND_KEY_PAIR,
		.ids = "KeyPairId",
		.fields = call_bool(call, "IncludePublicKey", false) ? key_pair_public_fields
								     : key_pair_type.fields,
	};
	CLEANUP(rows_clear) struct rows rows = { NULL, 0 };
	int r;

	if (!call_has_list(call, "KeyName"))
		return describe_resources(call, &listing, error);
	if (call_has_list(call, "KeyPairId") &&
	    (r = resource_rows(call, &listing, &rows, error)) < 0)
		return r;
	if ((r = add_named(call, &rows, error)) < 0)
		return r;
	return describe_rows(call, &listing, &rows, error);
}
