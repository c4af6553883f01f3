/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Key pairs with self-signed certificates in the folder of the test, as a configuration has them,
 * and a key process for them.
 */
#ifndef DROVER_TESTS_KEY_HARNESS_H
#define DROVER_TESTS_KEY_HARNESS_H

#include <sys/mman.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "key_process.h"
#include "tls_key.h"
#include "unit.h"

enum pair_kind { PAIR_RSA, PAIR_P256, PAIR_P384, PAIR_ED25519, PAIRS };

struct pair {
	EVP_PKEY               *key;            /* OpenSSL's own, with its private part */
	X509                   *x509;
	struct conf_bytes       der;
	char                    chain_path[32], key_path[32];
	struct conf_certificate certificate;
};

static inline EVP_PKEY *pair_generate(enum pair_kind kind)
{
	switch (kind) {
	case PAIR_RSA:
		return EVP_RSA_gen(2048);
	case PAIR_P256:
		return EVP_EC_gen("P-256");
	case PAIR_P384:
		return EVP_EC_gen("P-384");
	case PAIR_ED25519:
	case PAIRS:
		break;
	}
	return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

static inline X509 *pair_certify(EVP_PKEY *key, const char *cn)
{
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);

	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)cn, -1, -1, 0);
	X509_set_issuer_name(x, name);
	X509_set_pubkey(x, key);
	ck_assert_int_gt(X509_sign(x, key, EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256()), 0);
	return x;
}

static inline void pair_write_key(const char *path, EVP_PKEY *key)
{
	FILE *f = fopen(path, "we");

	ck_assert_msg(f && PEM_write_PKCS8PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1 &&
	              fclose(f) == 0, "%s: %m", path);
}

/* number makes the names of its files. */
static inline void pair_make(struct pair *p, enum pair_kind kind, int number)
{
	unsigned char *der = NULL;

	snprintf(p->chain_path, sizeof p->chain_path, "%d.pem", number);
	snprintf(p->key_path, sizeof p->key_path, "%d.key", number);
	p->key = pair_generate(kind);
	ck_assert_ptr_nonnull(p->key);
	p->x509 = pair_certify(p->key, p->key_path);
	p->der.len = (size_t)i2d_X509(p->x509, &der);
	p->der.data = der;
	p->certificate = (struct conf_certificate){
		.place = { "test.conf", 1 + number }, .chain = p->chain_path, .key = p->key_path,
		.der = &p->der, .n_der = 1,
	};
	ck_assert(tls_key_sha256(p->key, p->certificate.spki_sha256));
	pair_write_key(p->key_path, p->key);
}

static inline void pair_free(struct pair *p)
{
	OPENSSL_free((void *)(uintptr_t)p->der.data);
	X509_free(p->x509);
	EVP_PKEY_free(p->key);
}

/* ---- a key process ------------------------------------------------------ */

struct key_fixture {
	struct conf_service *services[2];
	struct conf          conf;
	struct key_report   *report;
	struct leash         leash;             /* the master's ends */
	pid_t                pid;
	bool                 needs_all;
};

static inline void key_fixture_forget(void *arg)
{
	(void)arg;
}

/* Starts it for services that have these certificates. The caller has channels to it. */
static inline void key_fixture_start(struct key_fixture *f, const struct key_caller *callers, size_t n)
{
	struct leash its;

	f->report = mmap(NULL, sizeof *f->report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(f->report, MAP_FAILED);
	ck_assert_int_eq(leash_open(&f->leash, &its), 0);
	f->pid = fork();
	ck_assert_int_ne(f->pid, -1);
	if (f->pid == 0)
		key_process_main(&(struct key_process_start){
			.conf = &f->conf, .callers = callers, .n_callers = n, .leash = its,
			.needs_all = f->needs_all, .report = f->report, .forget = key_fixture_forget });
	leash_close(&its);
}

/* The next word that it says; LEASH_WORDS: it has ended. */
static inline enum leash_word key_fixture_hear(const struct key_fixture *f)
{
	struct pollfd ear = { .fd = leash_ear(&f->leash), .events = POLLIN };
	struct leash_message m;

	ck_assert_int_eq(poll(&ear, 1, -1), 1);
	return leash_hear(&f->leash, &m) == LEASH_OK ? m.word : LEASH_WORDS;
}

/* Its exit status, once it has ended by itself or by an order. */
static inline int key_fixture_join(struct key_fixture *f)
{
	int status;

	ck_assert_int_eq(waitpid(f->pid, &status, 0), f->pid);
	leash_close(&f->leash);
	return status;
}

static inline void key_fixture_end(struct key_fixture *f)
{
	ck_assert_int_eq(leash_order(&f->leash, &(struct leash_message){ .word = LEASH_END }), 0);
	ck_assert_int_eq(key_fixture_join(f), 0);
}

#endif
