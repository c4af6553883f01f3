/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A TLS service for fuzz targets: its certificate and key are made when a target starts. To be included
 * by the one source file of a target.
 */
#ifndef DROVER_TESTS_FUZZ_TLS_H
#define DROVER_TESTS_FUZZ_TLS_H

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "arena.h"
#include "conf.h"
#include "tls_context.h"
#include "tls_key.h"
#include "tls_keys.h"
#include "tls_names.h"

enum { ASKS_NOTHING, ASKS_CERTIFICATES, CONTEXTS };

static const char *no_protocols[] = { NULL };
static struct conf_bytes der;
static struct conf_certificate certificate = { .der = &der, .n_der = 1 };
static struct conf_tls tls[CONTEXTS];
static struct tls_context *contexts[CONTEXTS];

static X509 *make_certificate(EVP_PKEY *key)
{
	X509 *x = X509_new();

	X509_set_version(x, X509_VERSION_3);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 86400);
	X509_set_pubkey(x, key);
	assert(X509_sign(x, key, EVP_sha256()) > 0);
	return x;
}

/* Private keys come from files: this one has no name. */
static const char *write_key(EVP_PKEY *key)
{
	static char path[64];
	const int fd = memfd_create("key", MFD_CLOEXEC);
	FILE *f = fdopen(fd, "w");

	assert(f && PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1 && fflush(f) == 0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return path;            /* as long as f is open, which is for good */
}

static void describe(EVP_PKEY *key)
{
	X509 *x = make_certificate(key);
	unsigned char *bytes = NULL;

	der.len = (size_t)i2d_X509(x, &bytes);
	der.data = bytes;
	certificate.chain = certificate.key = write_key(key);
	assert(tls_key_sha256(key, certificate.spki_sha256));
	X509_free(x);
}

static void make_contexts(void)
{
	static struct arena arena;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	char why[KEY_FILE_WHY];

	describe(key);
	assert(arena_open(&arena, 65536) == 0);
	for (int i = 0; i < CONTEXTS; i++) {
		tls[i] = (struct conf_tls){
			.on = true, .certificates = &certificate, .n_certificates = 1, .tickets = true,
			.names = tls_names_build(&arena, NULL, 0), .alpn = no_protocols,
			.client_auth = i == ASKS_CERTIFICATES ? TLS_CLIENT_REQUIRED : TLS_CLIENT_NONE,
			.ca = &der, .n_ca = 1,
		};
		contexts[i] = tls_context_new(&tls[i], "fuzz", tls_keys_open(&tls[i], NULL, why), why, sizeof why);
		assert(contexts[i]);
	}
	EVP_PKEY_free(key);
}

#endif
