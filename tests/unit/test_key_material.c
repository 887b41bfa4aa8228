/* objects: emulator/api/key_material.o emulator/base/base64.o emulator/base/buffer.o emulator/base/util.o */
/* libs: nettle hogweed gmp */
/*
 * Keys that ssh-keygen made, and their fingerprints as openssl and ssh-keygen tell them (tests of
 * what is made here are in tests/system/test_api_keys.py: ssh-keygen reads it).
 */
#include "api/key_material.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/base64.h"

#define RSA_BODY                                                                                   \
	"AAAAB3NzaC1yc2EAAAADAQABAAAAgQC1SYLL4TQ4C3qCCTKj8HSuquCmUKpokgidGjkI2///BJlpuDUP3+wP226F" \
	"igrLR2TCnmervLjcCpJPp0ey+dXCqJF0xI7GCeJ5KLTWuAyWmKeB7fu+qCWE1vsAaVqPZHKx2f/Bhs8dxbLe0fUh" \
	"yA+LfxNDBsBvrbObTRAdRzXcYw=="
#define RSA	    "ssh-rsa " RSA_BODY
#define RSA_DIGEST  "df:6c:8b:97:4f:92:c4:d3:3d:74:7a:81:18:a1:4f:43"
#define ED25519	    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAXN3oAnB+KTMj5eVmmOn+1N92PcWIOfsiHHdwQVklrU"
#define ED25519_SUM "AlxuKmncQBFSy1mkK2C8n5GNEUqW1L3TyJg0qqMGQ3Q="

static void expect_key(const char *text, const char *type, const char *line, const char *digest)
{
	CLEANUP(key_material_clear) struct key_material material = { 0 };

	assert_int_equal(key_material_read(text, strlen(text), &material), 0);
	assert_string_equal(material.type, type);
	assert_string_equal(material.public_key, line);
	assert_string_equal(material.fingerprint, digest);
	assert_null(material.private_key);
}

static void expect_refused(const char *text)
{
	struct key_material material = { 0 };

	if (key_material_read(text, strlen(text), &material) == 0)
		fail_msg("taken: %s", text);
	assert_null(material.public_key);
}

static void test_imported(void **state)
{
	(void)state;
	expect_key(RSA " me@x", "rsa", RSA, RSA_DIGEST);
	expect_key("\n" RSA "\n", "rsa", RSA, RSA_DIGEST);
	expect_key(ED25519 " a comment of words\n", "ed25519", ED25519, ED25519_SUM);
}

static void test_rfc4716(void **state)
{
	(void)state;
	expect_key("---- BEGIN SSH2 PUBLIC KEY ----\r\n"
		   "Comment: \"goes on \\\r\n"
		   "here\"\r\n"
		   "AAAAC3NzaC1lZDI1NTE5AAAAIAXN3oAnB+KTMj5eVmm\r\n"
		   "On+1N92PcWIOfsiHHdwQVklrU\r\n"
		   "---- END SSH2 PUBLIC KEY ----\r\n",
		   "ed25519", ED25519, ED25519_SUM);
	expect_refused("---- BEGIN SSH2 PUBLIC KEY ----\n"
		       "AAAAC3NzaC1lZDI1NTE5AAAAIAXN3oAnB+KTMj5eVmmOn+1N92PcWIOfsiHHdwQVklrU\n");
	expect_refused("---- BEGIN SSH2 PUBLIC KEY ----\n---- END SSH2 PUBLIC KEY ----\n");
}

static void test_refused(void **state)
{
	(void)state;
	expect_refused("");
	expect_refused("ssh-rsa");
	expect_refused("ssh-rsa ");
	expect_refused("banana");
	expect_refused("ssh-ed25519 " RSA_BODY); /* the line says another kind than the key */
	expect_refused("ssh-rsa !" RSA_BODY);
	expect_refused("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n");
	expect_refused(
		"ecdsa-sha2-nistp256 "
		"AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7opKg"
		"wFB9nkt5YRrYMjNuG5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg=");
}

/* Every cut and every bent byte of the key itself is refused or another key, and read within its
 * bounds (the sanitizers watch). */
static void test_damaged(void **state)
{
	CLEANUP(buffer_clear) struct buffer blob = BUFFER_INIT;

	(void)state;
	assert_int_equal(base64_read(RSA_BODY, strlen(RSA_BODY), &blob), 0);
	for (size_t length = 0; length < blob.length; length++) {
		CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;

		buffer_puts(&text, "ssh-rsa ");
		base64_write(blob.data, length, 0, &text);
		expect_refused(text.data);
	}
	for (size_t i = 0; i < blob.length; i++) {
		CLEANUP(key_material_clear) struct key_material material = { 0 };
		CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;

		blob.data[i] = (char)~blob.data[i];
		buffer_puts(&text, "ssh-rsa ");
		base64_write(blob.data, blob.length, 0, &text);
		if (key_material_read(text.data, text.length, &material) == 0)
			assert_string_not_equal(material.fingerprint, RSA_DIGEST);
		blob.data[i] = (char)~blob.data[i];
	}
}

static void test_sizes(void **state)
{
	static const struct {
		size_t bytes;
		bool taken;
	} sizes[] = { { 96, false }, { 127, false }, { 128, true }, { 512, true }, { 513, false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		CLEANUP(key_material_clear) struct key_material material = { 0 };
		CLEANUP(buffer_clear) struct buffer blob = BUFFER_INIT;
		CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;
		const uint16_t length = (uint16_t)(sizes[i].bytes + 1);
		int r;

		buffer_append(&blob, "\0\0\0\7ssh-rsa\0\0\0\3\1\0\1\0\0", 20);
		buffer_putc(&blob, (char)(length >> 8));
		buffer_putc(&blob, (char)length);
		buffer_putc(&blob, 0);
		for (size_t j = 0; j < sizes[i].bytes; j++)
			buffer_putc(&blob, (char)0x95);
		buffer_puts(&text, "ssh-rsa ");
		base64_write(blob.data, blob.length, 0, &text);
		r = key_material_read(text.data, text.length, &material);
		assert_int_equal(r == 0, sizes[i].taken);
	}
}

static void test_made(void **state)
{
	(void)state;
	for (int ed25519 = 0; ed25519 < 2; ed25519++) {
		CLEANUP(key_material_clear) struct key_material one = { 0 };
		CLEANUP(key_material_clear) struct key_material two = { 0 };
		CLEANUP(key_material_clear) struct key_material read = { 0 };

		key_material_make(ed25519, "comment", &one);
		key_material_make(ed25519, "comment", &two);
		assert_string_not_equal(one.private_key, two.private_key);
		assert_int_equal(key_material_read(one.public_key, strlen(one.public_key), &read),
				 0);
		assert_string_equal(read.public_key, one.public_key);
		assert_string_equal(read.type, one.type);
		assert_int_equal(strlen(one.fingerprint), ed25519 ? 44 : 59);
		/* An imported one is told by its public key, an RSA one made by its private key. */
		assert_int_equal(streq(read.fingerprint, one.fingerprint), ed25519);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_imported), cmocka_unit_test(test_rfc4716),
		cmocka_unit_test(test_refused),	 cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_sizes),	 cmocka_unit_test(test_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
