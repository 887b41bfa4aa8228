/* Signing: see signature.h. */
#include "base/signature.h"

#include <nettle/hmac.h>
#include <nettle/sha2.h>

#define DATE_LENGTH 8

void signature_append_hash(struct buffer *text, const void *data, size_t length)
{
	unsigned char digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx context;

	sha256_init(&context);
	sha256_update(&context, length, data);
	sha256_digest(&context, sizeof(digest), digest);
	buffer_hex(text, digest, sizeof(digest));
}

void signature_append_code(struct buffer *text, const char *key, const void *data, size_t length)
{
	unsigned char digest[SHA256_DIGEST_SIZE];
	struct hmac_sha256_ctx context;

	hmac_sha256_set_key(&context, strlen(key), (const unsigned char *)key);
	hmac_sha256_update(&context, length, data);
	hmac_sha256_digest(&context, sizeof(digest), digest);
	buffer_hex(text, digest, sizeof(digest));
	explicit_bzero(&context, sizeof(context));
}

/* The key becomes the code of `text` under it. */
static void hmac(unsigned char key[SHA256_DIGEST_SIZE], size_t key_length, const void *text,
		 size_t length)
{
	struct hmac_sha256_ctx context;

	hmac_sha256_set_key(&context, key_length, key);
	hmac_sha256_update(&context, length, text);
	hmac_sha256_digest(&context, SHA256_DIGEST_SIZE, key);
	explicit_bzero(&context, sizeof(context));
}

static void hmac_text(unsigned char key[SHA256_DIGEST_SIZE], const char *text)
{
	hmac(key, SHA256_DIGEST_SIZE, text, strlen(text));
}

void signature_make(const char *secret, const struct signature_scope *scope,
		    const struct buffer *canonical, char ret_signature[SIGNATURE_SIZE])
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;
	unsigned char key[128] = "AWS4";
	const size_t length = 4 + strlen(secret);

	assert(length <= sizeof(key));
	buffer_printf(&text, SIGNATURE_ALGORITHM "\n%s\n%.*s/%s/%s/" SIGNATURE_TERMINATOR "\n",
		      scope->timestamp, DATE_LENGTH, scope->timestamp, scope->region,
		      scope->service);
	signature_append_hash(&text, canonical->data, canonical->length);
	memcpy(key + 4, secret, strlen(secret));
	hmac(key, length, scope->timestamp, DATE_LENGTH);
	hmac_text(key, scope->region);
	hmac_text(key, scope->service);
	hmac_text(key, SIGNATURE_TERMINATOR);
	hmac_text(key, text.data);
	text.length = 0;
	buffer_hex(&text, key, SHA256_DIGEST_SIZE);
	memcpy(ret_signature, text.data, SIGNATURE_SIZE);
	explicit_bzero(key, sizeof(key));
}
