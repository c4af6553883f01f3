/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes certificates with libcrypto. What fails is an error of the machine: the test ends.
 */
#include <config.h>

#ifdef HAVE_OPENSSL

#include "certificates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

/* Not with Check, which sends a message for each assertion. */
#define MUST(what) \
	do { \
		if (!(what)) { \
			fprintf(stderr, "%s:%d: %s: %m\n", __FILE__, __LINE__, #what); \
			abort(); \
		} \
	} while (0)

static EVP_PKEY *make_key(const char *type)
{
	EVP_PKEY *key;

	if (strcmp(type, "Ed25519") == 0)
		key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	else if (strncmp(type, "RSA", 3) == 0)
		key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)(type[3] ? atoi(type + 4) : 2048));
	else
		key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", type);
	MUST(key != NULL);
	return key;
}

static void add_extension(X509 *x, const X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *e;

	X509V3_set_ctx(&ctx, (X509 *)(uintptr_t)issuer, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	MUST(e != NULL);
	MUST(X509_add_ext(x, e, -1) == 1);
	X509_EXTENSION_free(e);
}

static void set_serial(X509 *x)
{
	unsigned char bytes[8];
	uint64_t n;

	MUST(RAND_bytes(bytes, sizeof bytes) == 1);
	memcpy(&n, bytes, sizeof n);
	MUST(ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), n >> 1 | 1) == 1);
}

static void set_time(ASN1_TIME *to, int64_t seconds)
{
	MUST(ASN1_TIME_adj(to, time(NULL), (int)(seconds / CERTIFICATES_DAY), seconds % CERTIFICATES_DAY));
}

static void set_name(X509_NAME *name, const char *cn)
{
	MUST(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0) == 1);
}

static const EVP_MD *digest_for(const EVP_PKEY *key)
{
	return EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256();
}

struct certificate *certificate_make(const struct certificate_wish *w)
{
	struct certificate *c = calloc(1, sizeof *c);
	const struct certificate *issuer = w->issuer ? w->issuer : c;
	X509 *x = X509_new();

	MUST(c && x);
	c->x509 = x;
	if (w->key_of)
		MUST(EVP_PKEY_up_ref(c->key = w->key_of->key) == 1);
	else
		c->key = make_key(w->type ? w->type : "P-256");
	MUST(X509_set_version(x, X509_VERSION_3) == 1);
	set_serial(x);
	set_time(X509_getm_notBefore(x), w->from ? w->from : -CERTIFICATES_DAY);
	set_time(X509_getm_notAfter(x), w->to ? w->to : 90 * CERTIFICATES_DAY);
	set_name(X509_get_subject_name(x), w->subject);
	MUST(X509_set_issuer_name(x, X509_get_subject_name(issuer->x509)) == 1);
	MUST(X509_set_pubkey(x, c->key) == 1);
	add_extension(x, issuer->x509, NID_basic_constraints, w->is_ca ? "critical,CA:TRUE" : "CA:FALSE");
	add_extension(x, issuer->x509, NID_subject_key_identifier, "hash");
	add_extension(x, issuer->x509, NID_authority_key_identifier, "keyid");
	if (w->names)
		add_extension(x, issuer->x509, NID_subject_alt_name, w->names);
	if (w->usage)
		add_extension(x, issuer->x509, NID_ext_key_usage, w->usage);
	MUST(X509_sign(x, issuer->key, digest_for(issuer->key)) > 0);
	return c;
}

void certificate_free(struct certificate *c)
{
	if (!c)
		return;
	X509_free(c->x509);
	EVP_PKEY_free(c->key);
	free(c);
}

static FILE *open_file(const char *path, const char *mode)
{
	FILE *f = fopen(path, mode);

	MUST(f && fchmod(fileno(f), 0600) == 0);
	return f;
}

void certificate_write(const char *path, const struct certificate *c)
{
	FILE *f = open_file(path, "we");

	MUST(PEM_write_X509(f, c->x509) == 1);
	MUST(fclose(f) == 0);
}

void certificate_add(const char *path, const struct certificate *c)
{
	FILE *f = open_file(path, "ae");

	MUST(PEM_write_X509(f, c->x509) == 1);
	MUST(fclose(f) == 0);
}

static void write_key(const char *path, const char *mode, const struct certificate *c,
                      const EVP_CIPHER *cipher)
{
	FILE *f = open_file(path, mode);

	MUST(PEM_write_PrivateKey(f, c->key, cipher, NULL, 0, NULL, cipher ? (char[]){ "secret" } : NULL) == 1);
	MUST(fclose(f) == 0);
}

void certificate_write_key(const char *path, const struct certificate *c)
{
	write_key(path, "we", c, NULL);
}

void certificate_write_encrypted_key(const char *path, const struct certificate *c)
{
	write_key(path, "we", c, EVP_aes_128_cbc());
}

void certificate_add_key(const char *path, const struct certificate *c)
{
	write_key(path, "ae", c, NULL);
}

void certificate_write_crl(const char *path, const struct certificate *issuer,
                           const struct certificate *const *revoked, int n, int64_t to)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *at = ASN1_TIME_new();
	FILE *f = open_file(path, "we");

	MUST(crl && at);
	MUST(X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1);
	MUST(X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer->x509)) == 1);
	set_time(at, -2 * CERTIFICATES_DAY);
	MUST(X509_CRL_set1_lastUpdate(crl, at) == 1);
	for (int i = 0; i < n; i++) {
		X509_REVOKED *r = X509_REVOKED_new();

		MUST(X509_REVOKED_set_serialNumber(r, X509_get_serialNumber(revoked[i]->x509)) == 1);
		MUST(X509_REVOKED_set_revocationDate(r, at) == 1);
		MUST(X509_CRL_add0_revoked(crl, r) == 1);
	}
	set_time(at, to);
	MUST(X509_CRL_set1_nextUpdate(crl, at) == 1);
	MUST(X509_CRL_sort(crl) == 1);
	MUST(X509_CRL_sign(crl, issuer->key, digest_for(issuer->key)) > 0);
	MUST(PEM_write_X509_CRL(f, crl) == 1);
	MUST(fclose(f) == 0);
	ASN1_TIME_free(at);
	X509_CRL_free(crl);
}

#endif
