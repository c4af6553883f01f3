/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A TLS service for fuzz targets: its certificate and key are made when a target starts. To be included
 * by the one source file of a target.
 */
#ifndef DROVER_TESTS_FUZZ_TLS_H
#define DROVER_TESTS_FUZZ_TLS_H

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "../certificates.h"
#include "arena.h"
#include "conf.h"
#include "tls_context.h"
#include "tls_key.h"
#include "tls_keys.h"
#include "tls_names.h"

enum { ASKS_NOTHING, ASKS_CERTIFICATES, CONTEXTS };

static const char *no_protocols[] = { NULL };
static struct certificate *made;        /* for good */
static struct conf_certificate certificate;
static struct conf_tls tls[CONTEXTS];
static struct tls_context *contexts[CONTEXTS];

/* Private keys come from files: this one has no name. */
static const char *write_key(const struct certificate *c)
{
	static char path[64];
	const int fd = memfd_create("key", MFD_CLOEXEC);        /* open for good, as long as path is used */

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	certificate_write_key(path, c);
	return path;
}

static void describe(const struct certificate *c)
{
	certificate.der = &c->der;
	certificate.n_der = 1;
	certificate.chain = certificate.key = write_key(c);
	assert(tls_key_sha256(c->key, certificate.spki_sha256));
}

static void make_contexts(void)
{
	static struct arena arena;
	char why[KEY_FILE_WHY];

	made = certificate_make(&(struct certificate_wish){ .subject = "fuzz" });
	describe(made);
	assert(arena_open(&arena, 65536) == 0);
	for (int i = 0; i < CONTEXTS; i++) {
		tls[i] = (struct conf_tls){
			.on = true, .certificates = &certificate, .n_certificates = 1, .tickets = true,
			.names = tls_names_build(&arena, NULL, 0), .alpn = no_protocols,
			.client_auth = i == ASKS_CERTIFICATES ? TLS_CLIENT_REQUIRED : TLS_CLIENT_NONE,
			.ca = &made->der, .n_ca = 1,
		};
		contexts[i] = tls_context_new(&tls[i], "fuzz", tls_keys_open(&tls[i], NULL, why), why, sizeof why);
		assert(contexts[i]);
	}
}

#endif
