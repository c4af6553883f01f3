/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads a private key, from the first block of PEM that holds one. Copies that are made on the way
 * are wiped.
 */
#include <config.h>
#include "tls_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

struct tls_key_reader {
	OSSL_DECODER_CTX *decoder;
	EVP_PKEY         *key;          /* where it puts what it has decoded */
};

struct tls_key_reader *tls_key_reader_new(void)
{
	struct tls_key_reader *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	r->decoder = OSSL_DECODER_CTX_new_for_pkey(&r->key, "DER", NULL, NULL, EVP_PKEY_KEYPAIR, NULL, NULL);
	if (r->decoder)
		return r;
	free(r);
	return NULL;
}

void tls_key_reader_free(struct tls_key_reader *r)
{
	if (!r)
		return;
	OSSL_DECODER_CTX_free(r->decoder);
	free(r);
}

static bool holds_key(const struct tls_pem_block *block)
{
	const size_t len = strlen(block->label), end = strlen("PRIVATE KEY");

	return len >= end && strcmp(block->label + len - end, "PRIVATE KEY") == 0;
}

static EVP_PKEY *decode(struct tls_key_reader *r, const struct tls_pem_block *block,
                        char why[static TLS_WHY_MAX])
{
	const unsigned char *der = block->der;
	size_t len = (size_t)block->len;

	if (block->encrypted) {
		snprintf(why, TLS_WHY_MAX, "line %d: the private key is encrypted (decrypt it: openssl pkey"
		         " -in OLD -out NEW)", block->line);
		return NULL;
	}
	r->key = NULL;
	if (OSSL_DECODER_from_data(r->decoder, &der, &len) == 1 && r->key)
		return r->key;
	snprintf(why, TLS_WHY_MAX, "line %d: the private key cannot be decoded (%s)", block->line,
	         tls_pem_reason());
	return NULL;
}

static void say_none(const char *text, size_t len, char why[static TLS_WHY_MAX])
{
	if (tls_pem_is_der(text, len))
		snprintf(why, TLS_WHY_MAX, "it is DER, not PEM (convert it: openssl pkey -inform DER -in OLD"
		         " -out NEW)");
	else
		snprintf(why, TLS_WHY_MAX, "there is no private key in it (a key in PEM begins with"
		         " -----BEGIN PRIVATE KEY-----)");
}

EVP_PKEY *tls_key_read(struct tls_key_reader *r, const char *text, size_t len,
                       char why[static TLS_WHY_MAX])
{
	struct tls_pem p = tls_pem_in(text);
	struct tls_pem_block block;
	EVP_PKEY *key;
	int cut;

	while ((cut = tls_pem_cut(&p, &block, why)) == 1) {
		if (holds_key(&block)) {
			key = decode(r, &block, why);
			tls_pem_release(&block);
			return key;
		}
		tls_pem_release(&block);
	}
	if (cut == 0)
		say_none(text, len, why);
	return NULL;
}

bool tls_key_sha256(const EVP_PKEY *key, uint8_t sha256[static 32])
{
	unsigned char *der = NULL;
	const int len = i2d_PUBKEY(key, &der);
	const bool done = len > 0 && EVP_Digest(der, (size_t)len, sha256, NULL, EVP_sha256(), NULL) == 1;

	OPENSSL_free(der);
	return done;
}

/* As people and openssl-ecparam(1) call the curve. */
static const char *curve_name(const EVP_PKEY *key, char *buf, size_t size)
{
	if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, buf, size, NULL) != 1)
		return "?";
	if (strcmp(buf, "prime256v1") == 0)
		return "P-256";
	if (strcmp(buf, "secp384r1") == 0)
		return "P-384";
	return strcmp(buf, "secp521r1") == 0 ? "P-521" : buf;
}

const char *tls_key_type(const EVP_PKEY *key, char *buf, size_t size)
{
	const char *name = EVP_PKEY_get0_type_name(key);
	char curve[64];

	if (EVP_PKEY_is_a(key, "EC"))
		snprintf(buf, size, "EC %s", curve_name(key, curve, sizeof curve));
	else if (EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS"))
		snprintf(buf, size, "%s %d", name, EVP_PKEY_get_bits(key));
	else if (EVP_PKEY_is_a(key, "ED25519"))
		snprintf(buf, size, "Ed25519");
	else
		snprintf(buf, size, "%s", name ? name : "?");
	return buf;
}

bool tls_key_can_be_isolated(const EVP_PKEY *key)
{
	char type[64];

	tls_key_type(key, type, sizeof type);
	return EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "ED25519") ||
	       strcmp(type, "EC P-256") == 0 || strcmp(type, "EC P-384") == 0;
}
