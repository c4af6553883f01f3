/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Certificates and private keys for tests, made when a test runs: there are none in the repository,
 * and none that could expire there.
 */
#ifndef DROVER_TESTS_CERTIFICATES_H
#define DROVER_TESTS_CERTIFICATES_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/types.h>

#define CERTIFICATES_DAY 86400

struct certificate {
	X509     *x509;
	EVP_PKEY *key;
};

/* What is not given is: a key on P-256, from a day ago, for 90 days, its own issuer. */
struct certificate_wish {
	const char *subject;                    /* its CN */
	const char *names;                      /* subjectAltName: "DNS:a.example,IP:127.0.0.1"; NULL: none */
	const char *type;                       /* "P-256", "P-384", "P-521", "RSA", "RSA-1024", "Ed25519" */
	int64_t     from, to;                   /* seconds from now */
	bool        is_ca;
	const char *usage;                      /* extendedKeyUsage: "clientAuth"; NULL: none */
	const struct certificate *issuer;       /* lent */
	const struct certificate *key_of;       /* the same key as that one; NULL: a new one */
};

struct certificate *certificate_make(const struct certificate_wish *wish);
void certificate_free(struct certificate *c);

/* Writes, or adds to, a file: only its owner can read it. */
void certificate_write(const char *path, const struct certificate *c);
void certificate_add(const char *path, const struct certificate *c);
void certificate_write_key(const char *path, const struct certificate *c);
void certificate_write_encrypted_key(const char *path, const struct certificate *c);
void certificate_add_key(const char *path, const struct certificate *c);

/* Writes a list of the serial numbers that issuer has revoked, which is valid for so many seconds. */
void certificate_write_crl(const char *path, const struct certificate *issuer,
                           const struct certificate *const *revoked, int n, int64_t to);

#endif
