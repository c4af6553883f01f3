/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A TLS service whose certificates are made here, and clients made with libssl. Private keys do
 * not come from files: the program is linked with --wrap=tls_keys_get.
 */
#ifndef DROVER_TESTS_TLS_HARNESS_H
#define DROVER_TESTS_TLS_HARNESS_H

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include "../certificates.h"
#include "arena.h"
#include "conf.h"
#include "tls_context.h"
#include "tls_keys.h"
#include "tls_names.h"
#include "unit.h"

#define TLS_PAIRS 3

static const char *const tls_no_names[] = { NULL };
static struct certificate *tls_pairs[TLS_PAIRS], *tls_client;    /* each may also issue others */
static struct conf_certificate tls_certificates[TLS_PAIRS];
static struct tls_name tls_entries[TLS_PAIRS];
static struct conf_tls tls_conf;
static struct tls_context *tls_context;
static struct arena tls_arena;
static int tls_n_keys;                  /* how often a key was asked for */

EVP_PKEY *__wrap_tls_keys_get(struct tls_keys *k, const struct conf_certificate *c, size_t index);

EVP_PKEY *__wrap_tls_keys_get(struct tls_keys *k, const struct conf_certificate *c, size_t index)
{
	(void)k;
	ck_assert_ptr_eq(c, &tls_certificates[index]);
	tls_n_keys++;
	EVP_PKEY_up_ref(tls_pairs[index]->key);
	return tls_pairs[index]->key;
}

/* ---- certificates ------------------------------------------------------- */

/* Once, in main: it takes a while. */
static inline void tls_make_pairs(void)
{
	static const char *const names[TLS_PAIRS] = { "a.example", "*.b.example", "c.example" };
	char dns[64];

	for (size_t i = 0; i < TLS_PAIRS; i++) {
		snprintf(dns, sizeof dns, "DNS:%s", names[i]);
		tls_pairs[i] = certificate_make(&(struct certificate_wish){
			.subject = names[i], .names = dns, .type = i == 2 ? "RSA" : "P-256", .is_ca = true });
		tls_certificates[i] = (struct conf_certificate){ .der = &tls_pairs[i]->der, .n_der = 1 };
		tls_entries[i] = (struct tls_name){ names[i], (uint32_t)i };
	}
	tls_client = certificate_make(&(struct certificate_wish){ .subject = "a client", .is_ca = true });
}

static inline void tls_free_pairs(void)
{
	for (size_t i = 0; i < TLS_PAIRS; i++)
		certificate_free(tls_pairs[i]);
	certificate_free(tls_client);
}

/* ---- the service -------------------------------------------------------- */

/* After a change of tls_conf, too. */
static inline struct tls_context *tls_make_context(const char *name)
{
	char why[256];
	struct tls_context *t = tls_context_new(&tls_conf, name, NULL, why, sizeof why);

	ck_assert_msg(t != NULL, "%s", why);
	return t;
}

static inline void tls_set_up(void)
{
	tls_conf = (struct conf_tls){
		.on = true, .certificates = tls_certificates, .n_certificates = TLS_PAIRS,
		.alpn = (const char **)(uintptr_t)tls_no_names, .tickets = true,
	};
	ck_assert_int_eq(arena_open(&tls_arena, 65536), 0);
	tls_conf.names = tls_names_build(&tls_arena, tls_entries, TLS_PAIRS);
	tls_n_keys = 0;
	tls_context = tls_make_context("test");
}

static inline void tls_renew_context(void)
{
	tls_context_free(tls_context);
	tls_context = tls_make_context("test");
}

static inline void tls_tear_down(void)
{
	tls_context_free(tls_context);
	arena_close(&tls_arena);
}

/* ---- clients ------------------------------------------------------------ */

/* A client over fd, which it does not close, with that version only (0: any) and that name (or NULL). */
static inline SSL *tls_make_client(int fd, int version, const char *name)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl;

	SSL_CTX_set_security_level(ctx, version && version < TLS1_2_VERSION ? 0 : 1);
	ck_assert_int_eq(SSL_CTX_set_min_proto_version(ctx, version), 1);
	ck_assert_int_eq(SSL_CTX_set_max_proto_version(ctx, version), 1);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	SSL_set_fd(ssl, fd);
	if (name)
		SSL_set_tlsext_host_name(ssl, name);
	SSL_set_connect_state(ssl);
	return ssl;
}

#endif
