/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Certificates for tests, by OpenSSL. A failure ends the test and says which call failed.
 */
#include <config.h>
#include "pki.h"

#ifdef HAVE_OPENSSL

#include <check.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define MUST(call) \
	ck_assert_msg((call), "%s: %s", #call, ERR_reason_error_string(ERR_peek_error()))

static FILE *open_file(const char *name, const char *suffix, const char *mode)
{
	char path[300];
	FILE *f;

	snprintf(path, sizeof path, "%s%s", name, suffix);
	f = fopen(path, mode);
	ck_assert_msg(f, "%s: %m", path);
	return f;
}

static EVP_PKEY *make_key(const char *type)
{
	EVP_PKEY *key;

	if (type && strcmp(type, "RSA") == 0)
		key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	else if (type && strcmp(type, "ED25519") == 0)
		key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	else
		key = EVP_EC_gen(type ? type : "P-256");
	MUST(key != NULL);
	return key;
}

static EVP_PKEY *read_key(const char *name)
{
	FILE *f = open_file(name, ".key", "re");
	EVP_PKEY *key = PEM_read_PrivateKey(f, NULL, NULL, NULL);

	MUST(key != NULL);
	fclose(f);
	return key;
}

static X509 *read_certificate(const char *name)
{
	FILE *f = open_file(name, ".pem", "re");
	X509 *certificate = PEM_read_X509(f, NULL, NULL, NULL);

	MUST(certificate != NULL);
	fclose(f);
	return certificate;
}

static void extend(X509 *certificate, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	MUST(extension != NULL);
	MUST(X509_add_ext(certificate, extension, -1) == 1);
	X509_EXTENSION_free(extension);
}

static X509 *make_certificate(const struct pki_wish *w, EVP_PKEY *key, X509_NAME *issuer)
{
	X509 *certificate = X509_new();
	X509_NAME *subject = X509_get_subject_name(certificate);
	uint64_t serial;

	RAND_bytes((unsigned char *)&serial, sizeof serial);
	MUST(X509_set_version(certificate, X509_VERSION_3) == 1);
	MUST(ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1) == 1);
	MUST(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)w->name,
	                                -1, -1, 0) == 1);
	MUST(X509_set_issuer_name(certificate, issuer ? issuer : subject) == 1);
	MUST(X509_gmtime_adj(X509_getm_notBefore(certificate), w->from_s) != NULL);
	MUST(X509_gmtime_adj(X509_getm_notAfter(certificate),
	                     w->from_s || w->to_s ? w->to_s : 30 * PKI_DAY) != NULL);
	MUST(X509_set_pubkey(certificate, key) == 1);
	extend(certificate, NID_basic_constraints, w->is_ca ? "critical,CA:TRUE" : "CA:FALSE");
	if (w->names)
		extend(certificate, NID_subject_alt_name, w->names);
	return certificate;
}

/* Ed25519 has its own digest. */
static const EVP_MD *digest_for(const EVP_PKEY *key)
{
	return EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256();
}

void pki_issue(const struct pki_wish *w)
{
	EVP_PKEY *key = make_key(w->type), *signer = w->issuer ? read_key(w->issuer) : NULL;
	X509 *issuer = w->issuer ? read_certificate(w->issuer) : NULL;
	X509 *certificate = make_certificate(w, key, issuer ? X509_get_subject_name(issuer) : NULL);
	EVP_PKEY *with = signer ? signer : key;
	FILE *f;

	MUST(X509_sign(certificate, with, digest_for(with)) > 0);
	f = open_file(w->name, ".pem", "we");
	MUST(PEM_write_X509(f, certificate) == 1);
	fclose(f);
	f = open_file(w->name, ".key", "we");
	MUST(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1);
	fclose(f);
	X509_free(certificate);
	X509_free(issuer);
	EVP_PKEY_free(signer);
	EVP_PKEY_free(key);
}

void pki_encrypt_key(const char *name, const char *password)
{
	EVP_PKEY *key = read_key(name);
	FILE *f = open_file(name, ".encrypted.key", "we");

	MUST(PEM_write_PKCS8PrivateKey(f, key, EVP_aes_128_cbc(), password, (int)strlen(password),
	                               NULL, NULL) == 1);
	fclose(f);
	EVP_PKEY_free(key);
}

void pki_join(const char *to, const char *const *from)
{
	FILE *out = open_file(to, "", "we");

	for (; *from; from++) {
		FILE *in = open_file(*from, "", "re");
		int c;

		while ((c = getc(in)) != EOF)
			putc(c, out);
		fclose(in);
	}
	fclose(out);
}

#endif
