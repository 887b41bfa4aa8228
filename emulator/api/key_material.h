/*
 * The keys behind key pairs: made, read, and told by their fingerprints as EC2 tells them (EC2
 * guide, "Verify the fingerprint of your key pair"):
 *
 *	made RSA	SHA-1 of the private key's DER (PKCS #8), "1f:51:…"
 *	imported RSA	MD5 of the public key's DER (SubjectPublicKeyInfo), "1f:51:…"
 *	Ed25519		SHA-256 of the public key as SSH sends it, in padded base64
 */
#pragma once

#include "base/error.h"

struct key_material {
	const char *type;  /* "rsa" or "ed25519"; static */
	char *public_key;  /* "ssh-rsa AAAA…", without a comment; owned */
	char *private_key; /* PEM, for ssh; owned, NULL for an imported one */
	char *fingerprint; /* owned */
};

/* For CLEANUP(): wipes the private key. */
void key_material_clear(struct key_material *material);

/* A fresh key; `ed25519`, or RSA of 2048 bits. `comment` stands in an Ed25519 key's file. */
void key_material_make(bool ed25519, const char *comment, struct key_material *ret_material);
/*
 * Reads a public key: OpenSSH's line ("ssh-rsa AAAA… comment") or RFC 4716's block. RSA of 1024 to
 * 4096 bits, and Ed25519; -EINVAL for anything else.
 */
int key_material_read(const char *text, size_t length, struct key_material *ret_material);
