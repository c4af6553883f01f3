/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Clients that speak TLS, but want what the daemon does not give: old versions, certificates without
 * end, other handshakes, new keys again and again. Each costs its own connection and is logged with a
 * reason, no worker dies, and others are served.
 */
#include <config.h>
#include "hostile_harness.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>

static const int old_versions[] = { TLS1_VERSION, TLS1_1_VERSION };

START_TEST(old_versions_are_refused)
{
	const struct tls_client_wish old = { .version = old_versions[_i] };
	SSL *ssl;

	hostile_start("");
	ssl = tls_client_new(hostile_connect(), &old);
	SSL_set_security_level(ssl, 0);
	ck_assert(!tls_client_shake_hands(ssl));
	tls_client_close(ssl);
	hostile_expect_end("tls", "unsupported-protocol");
	hostile_check(1);
} END_TEST

/* ---- certificates of clients -------------------------------------------- */

#define LONG_CHAIN 110                  /* OpenSSL follows 100 */

/* Names of over 100 KiB, which is what OpenSSL takes. */
static struct certificate *make_big_one(void)
{
	const size_t size = 160000;
	char *names = malloc(size);
	size_t at = 0;
	struct certificate *c;

	ck_assert_ptr_nonnull(names);
	for (int i = 0; at < size - 100; i++)
		at += (size_t)snprintf(names + at, size - at, "%sDNS:a-rather-long-name-number-%d.example",
		                       i > 0 ? "," : "", i);
	c = certificate_make(&(struct certificate_wish){ .subject = "c", .issuer = hostile_ca, .names = names });
	free(names);
	return c;
}

static void write_big_one(void)
{
	struct certificate *c = make_big_one();

	certificate_write_pair("c", c);
	certificate_free(c);
}

/* The same certificates again and again, which nobody needs. */
static void write_many(void)
{
	struct certificate *c = certificate_make(&(struct certificate_wish){ .subject = "c", .issuer = hostile_ca });

	certificate_write_pair("c", c);
	for (int i = 0; i < 400; i++)
		certificate_add("c.pem", hostile_server);
	certificate_free(c);
}

/* Each has issued the one before it. */
static void write_long_chain(void)
{
	struct certificate *chain[LONG_CHAIN];
	const struct certificate *issuer = hostile_ca;

	for (int i = LONG_CHAIN - 1; i >= 0; i--) {
		chain[i] = certificate_make(&(struct certificate_wish){
			.subject = files_text("%d", i), .issuer = issuer, .is_ca = i > 0 });
		issuer = chain[i];
	}
	certificate_write_pair("c", chain[0]);
	for (int i = 1; i < LONG_CHAIN; i++)
		certificate_add("c.pem", chain[i]);
	for (int i = 0; i < LONG_CHAIN; i++)
		certificate_free(chain[i]);
}

static const struct {
	const char *name;
	void      (*write)(void);
	const char *why;
} shown[] = {
	{ "a certificate of over 100 KiB", write_big_one, "excessive-message-size" },
	{ "400 certificates", write_many, "excessive-message-size" },
	{ "a chain of 110 certificates", write_long_chain, "certificate-chain-too-long" },
};

static SSL *connect_showing(int version)
{
	const struct tls_client_wish w = { .version = version };
	SSL *ssl = tls_client_new(hostile_connect(), &w);

	ck_assert_int_eq(SSL_use_certificate_chain_file(ssl, "c.pem"), 1);
	ck_assert_int_eq(SSL_use_PrivateKey_file(ssl, "c.key", SSL_FILETYPE_PEM), 1);
	return ssl;
}

START_TEST(certificates_of_clients_may_be_too_large)
{
	hostile_start(files_text("client_auth = \"optional\"; client_ca = \"%s\";", files_path("ca.pem")));
	shown[_i].write();
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		SSL *ssl = connect_showing(version);

		/* In TLS 1.3, the client has finished before the daemon has seen the certificate. */
		ck_assert(!tls_client_shake_hands(ssl) || !tls_client_is_told_end(ssl));
		client_expect_gone(SSL_get_fd(ssl));
		tls_client_close(ssl);
		hostile_expect_end("tls", shown[_i].why);
	}
	hostile_check(2);
} END_TEST

/* ---- messages after the handshake --------------------------------------- */

START_TEST(a_client_cannot_renegotiate)
{
	SSL *ssl;

	hostile_start("");
	for (int i = 0; i < 10; i++) {
		ssl = hostile_connect_tls(TLS1_2_VERSION);
		ck_assert_int_eq(SSL_renegotiate(ssl), 1);
		ck_assert(!tls_client_shake_hands(ssl));
		harness_contains(ERR_reason_error_string(ERR_peek_last_error()), "no renegotiation");
		client_expect_gone(SSL_get_fd(ssl));
		tls_client_close(ssl);
		hostile_expect_end("tls", "");
	}
	hostile_check(0);
} END_TEST

#define STORMS 8

/* Asks for new keys until the daemon has enough of it. */
static void storm(SSL *ssl, size_t n_messages)
{
	for (size_t i = 0; i < n_messages; i++)
		if (SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED) != 1 || !tls_client_shake_hands(ssl))
			return;
}

START_TEST(clients_that_only_want_new_keys)
{
	SSL *ssl[STORMS];

	hostile_start("");
	for (int i = 0; i < STORMS; i++)
		ssl[i] = hostile_connect_tls(TLS1_3_VERSION);
	for (int round = 0; round < 100; round++)
		for (int i = 0; i < STORMS; i++)
			storm(ssl[i], 100);
	for (int i = 0; i < STORMS; i++) {
		client_expect_gone(SSL_get_fd(ssl[i]));
		tls_client_close(ssl[i]);
		hostile_expect_end("tls", "too-many-messages-without-data");
	}
	hostile_check(0);
} END_TEST

int main(void)
{
	Suite *s = suite_create("tls_hostile");
	TCase *tc = hostile_case(s, "hostile");

	tcase_add_loop_test(tc, old_versions_are_refused, 0, ARRAY_SIZE(old_versions));
	tcase_add_loop_test(tc, certificates_of_clients_may_be_too_large, 0, ARRAY_SIZE(shown));
	tcase_add_test(tc, a_client_cannot_renegotiate);
	tcase_add_test(tc, clients_that_only_want_new_keys);
	return harness_run(s);
}
