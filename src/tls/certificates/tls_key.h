/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Private keys: reads one from the text of a file, and tells whether it belongs to a certificate.
 */
#ifndef DROVER_TLS_CERTIFICATES_TLS_KEY_H
#define DROVER_TLS_CERTIFICATES_TLS_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

#include "tls_pem.h"

/* Reads many keys: OpenSSL takes long to find out how a key is decoded, and this remembers it. */
struct tls_key_reader;

struct tls_key_reader *tls_key_reader_new(void);        /* NULL: no memory */
void tls_key_reader_free(struct tls_key_reader *r);

/*
 * The first private key in the text of a file, which the caller frees with EVP_PKEY_free, or NULL
 * with what is wrong in why. The text is lent; it is the caller's to wipe. Asks for no passphrase.
 */
EVP_PKEY *tls_key_read(struct tls_key_reader *r, const char *text, size_t len,
                       char why[static TLS_WHY_MAX]);

/* SHA-256 of the DER of its SubjectPublicKeyInfo. False if OpenSSL cannot. */
bool tls_key_sha256(const EVP_PKEY *key, uint8_t sha256[static 32]);

/* What kind of key it is, for people: "EC P-256", "RSA 2048", "Ed25519". Returns buf. */
const char *tls_key_type(const EVP_PKEY *key, char *buf, size_t size);

/* Whether the process that holds keys can sign with keys of its kind: RSA, P-256, P-384, Ed25519. */
bool tls_key_can_be_isolated(const EVP_PKEY *key);

#endif
