/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes certificates with libcrypto. Knows no test: unit tests, end-to-end tests and fuzz targets use it.
 */
#include <config.h>
#include "certificates.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

/* Not with Check, which sends a message for each assertion, and which fuzz targets are not linked with. */
#define MUST(what) \
	do { \
		if (!(what)) { \
			fprintf(stderr, "%s:%d: %s: %m\n", __FILE__, __LINE__, #what); \
			ERR_print_errors_fp(stderr); \
			abort(); \
		} \
	} while (0)

/* ---- parts -------------------------------------------------------------- */

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

static void set_time_or(ASN1_TIME *to, struct certificate_time t, int64_t seconds)
{
	set_time(to, t.is_given ? t.seconds : seconds);
}

static void set_name(X509_NAME *name, const char *cn)
{
	MUST(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0) == 1);
}

static const EVP_MD *digest_for(const EVP_PKEY *key)
{
	return EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256();
}

/* ---- certificates ------------------------------------------------------- */

static void add_extensions(X509 *x, const X509 *issuer, const struct certificate_wish *w)
{
	add_extension(x, issuer, NID_basic_constraints, w->is_ca ? "critical,CA:TRUE" : "CA:FALSE");
	/* RFC 5280, 4.2.1.3; Python 3.13 insists on it. */
	if (w->is_ca)
		add_extension(x, issuer, NID_key_usage, "critical,digitalSignature,keyCertSign,cRLSign");
	add_extension(x, issuer, NID_subject_key_identifier, "hash");
	add_extension(x, issuer, NID_authority_key_identifier, "keyid");
	if (w->names)
		add_extension(x, issuer, NID_subject_alt_name, w->names);
	if (w->usage)
		add_extension(x, issuer, NID_ext_key_usage, w->usage);
}

static void encode(struct certificate *c)
{
	unsigned char *der = NULL;
	const int len = i2d_X509(c->x509, &der);

	MUST(len > 0);
	c->der = (struct conf_bytes){ der, (size_t)len };
}

static struct certificate *make(const struct certificate_wish *w, const struct certificate *issuer)
{
	struct certificate *c = calloc(1, sizeof *c);
	X509 *x = X509_new();

	MUST(c && x && w->subject);
	c->x509 = x;
	if (!issuer)
		issuer = c;
	if (w->key_of)
		MUST(EVP_PKEY_up_ref(c->key = w->key_of->key) == 1);
	else
		c->key = make_key(w->type ? w->type : "P-256");
	MUST(X509_set_version(x, X509_VERSION_3) == 1);
	set_serial(x);
	set_time_or(X509_getm_notBefore(x), w->from, -CERTIFICATES_DAY);
	set_time_or(X509_getm_notAfter(x), w->to, 90 * CERTIFICATES_DAY);
	set_name(X509_get_subject_name(x), w->subject);
	MUST(X509_set_issuer_name(x, X509_get_subject_name(issuer->x509)) == 1);
	MUST(X509_set_pubkey(x, c->key) == 1);
	add_extensions(x, issuer->x509, w);
	MUST(X509_sign(x, issuer->key, digest_for(issuer->key)) > 0);
	encode(c);
	return c;
}

struct certificate *certificate_make(const struct certificate_wish *w)
{
	struct certificate *issuer = w->issued_by ? certificate_read_pair(w->issued_by) : NULL;
	struct certificate *c = make(w, issuer ? issuer : w->issuer);

	certificate_free(issuer);
	return c;
}

void certificate_free(struct certificate *c)
{
	if (!c)
		return;
	OPENSSL_free((void *)(uintptr_t)c->der.data);
	X509_free(c->x509);
	EVP_PKEY_free(c->key);
	free(c);
}

/* ---- files -------------------------------------------------------------- */

static FILE *open_file(const char *path, const char *mode)
{
	FILE *f = fopen(path, mode);

	MUST(f && fchmod(fileno(f), 0600) == 0);
	return f;
}

static void write_certificate(const char *path, const char *mode, const struct certificate *c)
{
	FILE *f = open_file(path, mode);

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

void certificate_write(const char *path, const struct certificate *c)
{
	write_certificate(path, "we", c);
}

void certificate_write_with_key(const char *path, const struct certificate *c)
{
	certificate_write(path, c);
	certificate_add_key(path, c);
}

void certificate_write_key(const char *path, const struct certificate *c)
{
	write_key(path, "we", c, NULL);
}

void certificate_write_encrypted_key(const char *path, const struct certificate *c)
{
	write_key(path, "we", c, EVP_aes_128_cbc());
}

void certificate_add(const char *path, const struct certificate *c)
{
	write_certificate(path, "ae", c);
}

void certificate_add_key(const char *path, const struct certificate *c)
{
	write_key(path, "ae", c, NULL);
}

/* ---- pairs of files ----------------------------------------------------- */

static void name_pair(const char *name, char chain[static PATH_MAX], char key[static PATH_MAX])
{
	snprintf(chain, PATH_MAX, "%s.pem", name);
	snprintf(key, PATH_MAX, "%s.key", name);
}

void certificate_write_pair(const char *name, const struct certificate *c)
{
	char chain[PATH_MAX], key[PATH_MAX];

	name_pair(name, chain, key);
	certificate_write(chain, c);
	certificate_write_key(key, c);
}

struct certificate *certificate_read_pair(const char *name)
{
	struct certificate *c = calloc(1, sizeof *c);
	char chain[PATH_MAX], key[PATH_MAX];
	FILE *f;

	MUST(c);
	name_pair(name, chain, key);
	MUST(f = fopen(chain, "re"));
	MUST(c->x509 = PEM_read_X509(f, NULL, NULL, NULL));
	fclose(f);
	MUST(f = fopen(key, "re"));
	MUST(c->key = PEM_read_PrivateKey(f, NULL, NULL, NULL));
	fclose(f);
	encode(c);
	return c;
}

void certificate_issue(const char *name, const struct certificate_wish *w)
{
	struct certificate_wish named = *w;
	struct certificate *c;

	if (!named.subject)
		named.subject = basename(name);
	c = certificate_make(&named);
	certificate_write_pair(name, c);
	certificate_free(c);
}

/* ---- lists of revoked certificates -------------------------------------- */

static X509_CRL *make_crl(const struct certificate *issuer, const struct certificate *const *revoked, int n,
                          int64_t to)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *at = ASN1_TIME_new();

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
	ASN1_TIME_free(at);
	return crl;
}

void certificate_write_crl(const char *path, const struct certificate *issuer,
                           const struct certificate *const *revoked, int n, int64_t to)
{
	X509_CRL *crl = make_crl(issuer, revoked, n, to);
	FILE *f = open_file(path, "we");

	MUST(PEM_write_X509_CRL(f, crl) == 1);
	MUST(fclose(f) == 0);
	X509_CRL_free(crl);
}

struct conf_bytes certificate_crl_der(const struct certificate *issuer,
                                      const struct certificate *const *revoked, int n, int64_t to)
{
	X509_CRL *crl = make_crl(issuer, revoked, n, to);
	unsigned char *der = NULL;
	const int len = i2d_X509_CRL(crl, &der);

	MUST(len > 0);
	X509_CRL_free(crl);
	return (struct conf_bytes){ der, (size_t)len };
}
