/* The keys behind key pairs: see key_material.h. */
#include "api/key_material.h"

#include <arpa/inet.h>
#include <errno.h>
#include <nettle/eddsa.h>
#include <nettle/md5.h>
#include <nettle/rsa.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <sys/random.h>

#include "base/base64.h"

#define RSA_BITS	 2048
#define RSA_BITS_MINIMUM 1024
#define RSA_BITS_MAXIMUM 4096
#define RSA_EXPONENT	 65537
#define RSA_NAME	 "ssh-rsa"
#define ED25519_NAME	 "ssh-ed25519"
#define PEM_WIDTH	 64 /* RFC 7468 */
#define OPENSSH_WIDTH	 70 /* what ssh-keygen writes */

/* For CLEANUP() of what holds private keys. */
static void wipe(struct buffer *buffer)
{
	if (buffer->data)
		explicit_bzero(buffer->data, buffer->capacity);
	buffer_clear(buffer);
}

void key_material_clear(struct key_material *material)
{
	if (material->private_key)
		explicit_bzero(material->private_key, strlen(material->private_key));
	free(material->private_key);
	free(material->public_key);
	free(material->fingerprint);
	*material = (struct key_material){ 0 };
}

static void random_bytes(void *context, size_t length, uint8_t *bytes)
{
	(void)context;
	while (length) {
		ssize_t got = getrandom(bytes, length, 0);

		if (got < 0)
			continue; /* interrupted */
		bytes += got;
		length -= (size_t)got;
	}
}

/* ---- DER (X.690) ---- */

enum {
	DER_INTEGER = 0x02,
	DER_BITS = 0x03,
	DER_OCTETS = 0x04,
	DER_SEQUENCE = 0x30
};

static void der_put(struct buffer *out, int tag, const void *content, size_t length)
{
	buffer_putc(out, (char)tag);
	if (length < 0x80) {
		buffer_putc(out, (char)length);
	} else if (length < 0x100) {
		buffer_putc(out, (char)0x81);
		buffer_putc(out, (char)length);
	} else {
		buffer_putc(out, (char)0x82);
		buffer_putc(out, (char)(length >> 8));
		buffer_putc(out, (char)length);
	}
	buffer_append(out, content, length);
}

/* rsaEncryption without parameters (RFC 8017, A.1). */
static const char rsa_algorithm[] = "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";

/* Positive: a zero byte stands before a first byte of 0x80 or more; so in SSH (RFC 4251, 5). */
static void number_bytes(const mpz_t number, struct buffer *out)
{
	const size_t length = nettle_mpz_sizeinbase_256_s(number);
	CLEANUP(freep) uint8_t *bytes = xcalloc(length, 1);

	nettle_mpz_get_str_256(length, bytes, number);
	buffer_append(out, bytes, length);
	explicit_bzero(bytes, length);
}

static void der_number(struct buffer *out, const mpz_t number)
{
	CLEANUP(wipe) struct buffer bytes = BUFFER_INIT;

	number_bytes(number, &bytes);
	der_put(out, DER_INTEGER, bytes.data, bytes.length);
}

/* RSAPublicKey of PKCS #1 (RFC 8017, A.1.1). */
static void rsa_public_der(const struct rsa_public_key *key, struct buffer *der)
{
	CLEANUP(buffer_clear) struct buffer content = BUFFER_INIT;

	der_number(&content, key->n);
	der_number(&content, key->e);
	der_put(der, DER_SEQUENCE, content.data, content.length);
}

/* RSAPrivateKey of PKCS #1 (RFC 8017, A.1.2): version 0, and the numbers in its order. */
static void rsa_private_der(const struct rsa_public_key *public_key,
			    const struct rsa_private_key *key, struct buffer *der)
{
	const mpz_t *const numbers[] = { &public_key->n, &public_key->e, &key->d, &key->p,
					 &key->q,	 &key->a,	 &key->b, &key->c };
	CLEANUP(wipe) struct buffer content = BUFFER_INIT;

	der_put(&content, DER_INTEGER, "", 1);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		der_number(&content, *numbers[i]);
	der_put(der, DER_SEQUENCE, content.data, content.length);
}

static char *colons(const uint8_t *digest, size_t length)
{
	struct buffer text = BUFFER_INIT;

	for (size_t i = 0; i < length; i++)
		buffer_printf(&text, "%s%02x", i ? ":" : "", digest[i]);
	return buffer_steal(&text);
}

/* PKCS #8 (RFC 5208): version, algorithm, the key in PKCS #1's form. */
static char *fingerprint_private(const struct buffer *pkcs1)
{
	CLEANUP(wipe) struct buffer content = BUFFER_INIT;
	CLEANUP(wipe) struct buffer der = BUFFER_INIT;
	uint8_t digest[SHA1_DIGEST_SIZE];
	struct sha1_ctx context;

	der_put(&content, DER_INTEGER, "", 1);
	buffer_append(&content, rsa_algorithm, sizeof(rsa_algorithm) - 1);
	der_put(&content, DER_OCTETS, pkcs1->data, pkcs1->length);
	der_put(&der, DER_SEQUENCE, content.data, content.length);
	sha1_init(&context);
	sha1_update(&context, der.length, (const uint8_t *)der.data);
	sha1_digest(&context, sizeof(digest), digest);
	return colons(digest, sizeof(digest));
}

/* SubjectPublicKeyInfo (RFC 5280): algorithm, the key in PKCS #1's form. */
static char *fingerprint_public(const struct rsa_public_key *key)
{
	CLEANUP(buffer_clear) struct buffer pkcs1 = BUFFER_INIT;
	CLEANUP(buffer_clear) struct buffer content = BUFFER_INIT;
	CLEANUP(buffer_clear) struct buffer der = BUFFER_INIT;
	uint8_t digest[MD5_DIGEST_SIZE];
	struct md5_ctx context;

	buffer_putc(&pkcs1, 0); /* a string of bits says first how many of the last byte are none */
	rsa_public_der(key, &pkcs1);
	buffer_append(&content, rsa_algorithm, sizeof(rsa_algorithm) - 1);
	der_put(&content, DER_BITS, pkcs1.data, pkcs1.length);
	der_put(&der, DER_SEQUENCE, content.data, content.length);
	md5_init(&context);
	md5_update(&context, der.length, (const uint8_t *)der.data);
	md5_digest(&context, sizeof(digest), digest);
	return colons(digest, sizeof(digest));
}

static char *fingerprint_blob(const struct buffer *blob)
{
	struct buffer text = BUFFER_INIT;
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx context;

	sha256_init(&context);
	sha256_update(&context, blob->length, (const uint8_t *)blob->data);
	sha256_digest(&context, sizeof(digest), digest);
	base64_write(digest, sizeof(digest), 0, &text);
	return buffer_steal(&text);
}

/* ---- keys as SSH sends them (RFC 4253, 6.6) ---- */

static void put_uint(struct buffer *out, uint32_t value)
{
	value = htonl(value);
	buffer_append(out, &value, sizeof(value));
}

static void put_string(struct buffer *out, const void *bytes, size_t length)
{
	put_uint(out, (uint32_t)length);
	buffer_append(out, bytes, length);
}

static void put_mpint(struct buffer *out, const mpz_t number)
{
	CLEANUP(buffer_clear) struct buffer bytes = BUFFER_INIT;

	number_bytes(number, &bytes);
	put_string(out, bytes.data, bytes.length);
}

struct reader {
	const uint8_t *at;
	size_t left;
};

/* NULL: there is no string of the length that it says. */
static const uint8_t *get_string(struct reader *reader, size_t *ret_length)
{
	const uint8_t *bytes = reader->at + 4;
	uint32_t length;

	if (reader->left < 4)
		return NULL;
	memcpy(&length, reader->at, 4);
	length = ntohl(length);
	if (length > reader->left - 4)
		return NULL;
	reader->at += 4 + length;
	reader->left -= 4 + length;
	*ret_length = length;
	return bytes;
}

static int get_mpint(struct reader *reader, mpz_t number)
{
	size_t length;
	const uint8_t *bytes = get_string(reader, &length);

	if (!bytes || !length || bytes[0] & 0x80)
		return -EINVAL;
	nettle_mpz_set_str_256_u(number, length, bytes);
	return 0;
}

/* "ssh-rsa AAAA…" */
static char *public_line(const char *name, const struct buffer *blob)
{
	struct buffer line = BUFFER_INIT;

	buffer_printf(&line, "%s ", name);
	base64_write(blob->data, blob->length, 0, &line);
	return buffer_steal(&line);
}

static void rsa_blob(const struct rsa_public_key *key, struct buffer *blob)
{
	put_string(blob, RSA_NAME, strlen(RSA_NAME));
	put_mpint(blob, key->e);
	put_mpint(blob, key->n);
}

static void ed25519_blob(const uint8_t *key, struct buffer *blob)
{
	put_string(blob, ED25519_NAME, strlen(ED25519_NAME));
	put_string(blob, key, ED25519_KEY_SIZE);
}

static char *pem(const char *label, const struct buffer *bytes, size_t width)
{
	CLEANUP(wipe) struct buffer body = BUFFER_INIT;
	struct buffer text = BUFFER_INIT;

	base64_write(bytes->data, bytes->length, width, &body);
	buffer_printf(&text, "-----BEGIN %s-----\n%s-----END %s-----\n", label, body.data, label);
	return buffer_steal(&text);
}

/* ---- making ---- */

static void make_rsa(struct key_material *material)
{
	CLEANUP(buffer_clear) struct buffer blob = BUFFER_INIT;
	CLEANUP(wipe) struct buffer der = BUFFER_INIT;
	struct rsa_public_key public_key;
	struct rsa_private_key private_key;

	rsa_public_key_init(&public_key);
	rsa_private_key_init(&private_key);
	mpz_set_ui(public_key.e, RSA_EXPONENT);
	if (!rsa_generate_keypair(&public_key, &private_key, NULL, random_bytes, NULL, NULL,
				  RSA_BITS, 0))
		abort(); /* only sizes that make no sense fail */
	rsa_private_der(&public_key, &private_key, &der);
	rsa_blob(&public_key, &blob);
	material->type = "rsa";
	material->public_key = public_line(RSA_NAME, &blob);
	material->private_key = pem("RSA PRIVATE KEY", &der, PEM_WIDTH);
	material->fingerprint = fingerprint_private(&der);
	rsa_public_key_clear(&public_key);
	rsa_private_key_clear(&private_key);
}

/* OpenSSH's PROTOCOL.key, without encryption: what is private, padded to blocks of eight. */
static void openssh_file(const uint8_t *private_key, const uint8_t *public_key,
			 const struct buffer *blob, const char *comment, struct buffer *out)
{
	CLEANUP(wipe) struct buffer secret = BUFFER_INIT;
	uint8_t both[2 * ED25519_KEY_SIZE];
	uint32_t check;

	random_bytes(NULL, sizeof(check), (uint8_t *)&check);
	put_uint(&secret, check); /* twice, to tell a wrong passphrase */
	put_uint(&secret, check);
	buffer_append(&secret, blob->data, blob->length);
	memcpy(both, private_key, ED25519_KEY_SIZE);
	memcpy(both + ED25519_KEY_SIZE, public_key, ED25519_KEY_SIZE);
	put_string(&secret, both, sizeof(both));
	explicit_bzero(both, sizeof(both));
	put_string(&secret, comment, strlen(comment));
	for (char pad = 1; secret.length % 8; pad++)
		buffer_putc(&secret, pad);
	buffer_append(out, "openssh-key-v1", sizeof("openssh-key-v1"));
	put_string(out, "none", 4); /* cipher */
	put_string(out, "none", 4); /* key derivation, and its options: */
	put_string(out, "", 0);
	put_uint(out, 1);
	put_string(out, blob->data, blob->length);
	put_string(out, secret.data, secret.length);
}

static void make_ed25519(const char *comment, struct key_material *material)
{
	uint8_t private_key[ED25519_KEY_SIZE], public_key[ED25519_KEY_SIZE];
	CLEANUP(buffer_clear) struct buffer blob = BUFFER_INIT;
	CLEANUP(wipe) struct buffer file = BUFFER_INIT;

	random_bytes(NULL, sizeof(private_key), private_key);
	ed25519_sha512_public_key(public_key, private_key);
	ed25519_blob(public_key, &blob);
	openssh_file(private_key, public_key, &blob, comment, &file);
	explicit_bzero(private_key, sizeof(private_key));
	material->type = "ed25519";
	material->public_key = public_line(ED25519_NAME, &blob);
	material->private_key = pem("OPENSSH PRIVATE KEY", &file, OPENSSH_WIDTH);
	material->fingerprint = fingerprint_blob(&blob);
}

void key_material_make(bool ed25519, const char *comment, struct key_material *ret_material)
{
	*ret_material = (struct key_material){ 0 };
	if (ed25519)
		make_ed25519(comment, ret_material);
	else
		make_rsa(ret_material);
}

/* ---- reading ---- */

static int read_rsa(struct reader *reader, struct key_material *material)
{
	CLEANUP(buffer_clear) struct buffer blob = BUFFER_INIT;
	struct rsa_public_key key;
	int r = -EINVAL;
	size_t bits;

	rsa_public_key_init(&key);
	if (get_mpint(reader, key.e) == 0 && get_mpint(reader, key.n) == 0 && !reader->left) {
		bits = mpz_sizeinbase(key.n, 2);
		if (bits >= RSA_BITS_MINIMUM && bits <= RSA_BITS_MAXIMUM &&
		    rsa_public_key_prepare(&key)) {
			rsa_blob(&key, &blob);
			material->type = "rsa";
			material->public_key = public_line(RSA_NAME, &blob);
			material->fingerprint = fingerprint_public(&key);
			r = 0;
		}
	}
	rsa_public_key_clear(&key);
	return r;
}

static int read_ed25519(struct reader *reader, struct key_material *material)
{
	CLEANUP(buffer_clear) struct buffer blob = BUFFER_INIT;
	size_t length;
	const uint8_t *key = get_string(reader, &length);

	if (!key || length != ED25519_KEY_SIZE || reader->left)
		return -EINVAL;
	ed25519_blob(key, &blob);
	material->type = "ed25519";
	material->public_key = public_line(ED25519_NAME, &blob);
	material->fingerprint = fingerprint_blob(&blob);
	return 0;
}

static int read_blob(const struct buffer *blob, const char *name, size_t name_length,
		     struct key_material *material)
{
	struct reader reader = { (const uint8_t *)blob->data, blob->length };
	size_t length;
	const uint8_t *inner = get_string(&reader, &length);

	/* The line says the kind of key once more. */
	if (!inner || (name && (length != name_length || memcmp(inner, name, length) != 0)))
		return -EINVAL;
	if (length == strlen(RSA_NAME) && memcmp(inner, RSA_NAME, length) == 0)
		return read_rsa(&reader, material);
	if (length == strlen(ED25519_NAME) && memcmp(inner, ED25519_NAME, length) == 0)
		return read_ed25519(&reader, material);
	return -EINVAL;
}

#define RFC4716_BEGIN "---- BEGIN SSH2 PUBLIC KEY ----"
#define RFC4716_END   "---- END SSH2 PUBLIC KEY ----"

/* Headers ("Tag: value", one going on where the line before ends in \), then the key in base64. */
static int read_rfc4716(const char *text, struct buffer *blob)
{
	CLEANUP(buffer_clear) struct buffer body = BUFFER_INIT;
	const char *line = text + strlen(RFC4716_BEGIN);
	bool header = false;

	while (*line) {
		size_t length = strcspn(line, "\r\n");

		if (strncmp(line, RFC4716_END, strlen(RFC4716_END)) == 0)
			return body.length ? base64_read(body.data, body.length, blob) : -EINVAL;
		if (!header && !memchr(line, ':', length))
			buffer_append(&body, line, length);
		else
			header = length && line[length - 1] == '\\';
		line += length;
		line += strspn(line, "\r\n");
	}
	return -EINVAL;
}

int key_material_read(const char *bytes, size_t length, struct key_material *ret_material)
{
	CLEANUP(key_material_clear) struct key_material material = { 0 };
	CLEANUP(buffer_clear) struct buffer blob = BUFFER_INIT;
	CLEANUP(freep) char *owned = xcalloc(length + 1, 1);
	const char *text = owned, *key = NULL;
	size_t name = 0;
	int r;

	memcpy(owned, bytes, length);
	if (strlen(owned) != length)
		return -EINVAL;
	text += strspn(text, " \t\r\n");
	if (strncmp(text, RFC4716_BEGIN, strlen(RFC4716_BEGIN)) == 0) {
		r = read_rfc4716(text, &blob);
	} else {
		name = strcspn(text, " \t\r\n");
		key = text + name + strspn(text + name, " \t");
		r = base64_read(key, strcspn(key, " \t\r\n"), &blob);
	}
	if (r < 0 || (r = read_blob(&blob, key ? text : NULL, name, &material)) < 0)
		return r;
	*ret_material = material;
	material = (struct key_material){ 0 };
	return 0;
}
