/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Certificates and private keys for all tests and fuzz targets, made when they run: there are none in the
 * repository, and none that could expire there.
 */
#ifndef DROVER_TESTS_CERTIFICATES_H
#define DROVER_TESTS_CERTIFICATES_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/types.h>

#include "conf.h"

#define CERTIFICATES_DAY 86400

struct certificate {
	X509             *x509;
	EVP_PKEY         *key;
	struct conf_bytes der;                  /* of x509 */
};

/* A time that may be left out, so that "now" is a time like any other. */
struct certificate_time {
	bool    is_given;
	int64_t seconds;                        /* from now; may be negative */
};

/* As an initializer of one. */
#define FROM_NOW(seconds_from_now) { .is_given = true, .seconds = (seconds_from_now) }

/* What is not given is: a key on P-256, from a day ago, for 90 days, its own issuer. */
struct certificate_wish {
	const char             *subject;        /* its CN */
	const char             *names;          /* subjectAltName: "DNS:a.example,IP:127.0.0.1"; NULL: none */
	const char             *type;           /* "P-256", "P-384", "P-521", "RSA", "RSA-1024", "Ed25519" */
	struct certificate_time from, to;
	bool                    is_ca;
	const char             *usage;          /* extendedKeyUsage: "clientAuth"; NULL: none */
	const struct certificate *issuer;       /* lent */
	const char             *issued_by;      /* in place of issuer: the NAME of its files */
	const struct certificate *key_of;       /* the same key as that one; NULL: a new one */
};

/* Whatever fails here is an error of the machine, and ends the process. */
struct certificate *certificate_make(const struct certificate_wish *wish);
void certificate_free(struct certificate *c);

/*
 * A pair is the files NAME.pem and NAME.key. certificate_issue makes a certificate and writes its pair;
 * without a subject, that is the last part of NAME.
 */
void certificate_issue(const char *name, const struct certificate_wish *wish);
void certificate_write_pair(const char *name, const struct certificate *c);
struct certificate *certificate_read_pair(const char *name);

/* Writes, or adds to, a file: only its owner can read it. The password of an encrypted key is "secret". */
void certificate_write(const char *path, const struct certificate *c);
void certificate_write_with_key(const char *path, const struct certificate *c);
void certificate_write_key(const char *path, const struct certificate *c);
void certificate_write_encrypted_key(const char *path, const struct certificate *c);
void certificate_add(const char *path, const struct certificate *c);
void certificate_add_key(const char *path, const struct certificate *c);

/* Writes a list of the serial numbers that issuer has revoked. It is valid until `to`, in seconds from now. */
void certificate_write_crl(const char *path, const struct certificate *issuer,
                           const struct certificate *const *revoked, int n, int64_t to);

/* The same in DER. The caller frees its data with OPENSSL_free. */
struct conf_bytes certificate_crl_der(const struct certificate *issuer,
                                      const struct certificate *const *revoked, int n, int64_t to);

#endif
