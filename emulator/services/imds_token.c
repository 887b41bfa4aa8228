/* IMDSv2's tokens: see imds_token.h. */
#include "services/imds_token.h"

#include <nettle/hmac.h>
#include <nettle/memops.h>

#include "base/base64.h"

struct token {
	uint8_t end[8]; /* seconds since 1970, big endian */
	uint8_t mac[SHA256_DIGEST_SIZE];
};
static_assert(sizeof(struct token) == 40, "as long as AWS's");

#define TOKEN_TEXT 56

static void put_number(uint64_t number, uint8_t ret_bytes[8])
{
	for (int i = 0; i < 8; i++)
		ret_bytes[i] = (uint8_t)(number >> (8 * (7 - i)));
}

static void sign(const char *key, struct rid instance, struct token *token)
{
	struct hmac_sha256_ctx context;
	uint8_t id[8];

	put_number(instance.n, id);
	hmac_sha256_set_key(&context, strlen(key), (const uint8_t *)key);
	hmac_sha256_update(&context, sizeof(id), id);
	hmac_sha256_update(&context, sizeof(token->end), token->end);
	hmac_sha256_digest(&context, sizeof(token->mac), token->mac);
}

void imds_token_make(const char *key, struct rid instance, int64_t now, int64_t seconds,
		     struct buffer *token)
{
	struct token bytes;

	put_number((uint64_t)(now + seconds), bytes.end);
	sign(key, instance, &bytes);
	base64_write(&bytes, sizeof(bytes), 0, token);
}

int64_t imds_token_left(const char *key, struct rid instance, int64_t now, const char *token)
{
	CLEANUP(buffer_clear) struct buffer bytes = BUFFER_INIT;
	struct token given, right;
	uint64_t end = 0;

	if (strlen(token) != TOKEN_TEXT || base64_read(token, TOKEN_TEXT, &bytes) < 0 ||
	    bytes.length != sizeof(given))
		return 0;
	memcpy(&given, bytes.data, sizeof(given));
	right = given;
	sign(key, instance, &right);
	if (!memeql_sec(given.mac, right.mac, sizeof(given.mac)))
		return 0;
	for (size_t i = 0; i < sizeof(given.end); i++)
		end = end << 8 | given.end[i];
	return (int64_t)end > now ? (int64_t)end - now : 0;
}
