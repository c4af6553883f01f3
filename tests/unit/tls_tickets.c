/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sessions that clients resume: at another worker of the service, after keys were replaced, and not
 * at another service.
 */
#include <config.h>
#include "unit.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "../certificates.h"
#include "tls_tickets.h"

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

static struct certificate *certificate;
static struct ticket_keys *shared;
static SSL_CTX *client;
static SSL_SESSION *session;
static struct ticket_key own_keys[TICKET_KEYS_MAX];

struct server {                         /* as a worker has one */
	SSL_CTX            *ctx;
	struct conf_tls     conf;
	struct tls_tickets *tickets;
};

static int keep_session(SSL *ssl, SSL_SESSION *s)
{
	(void)ssl;
	SSL_SESSION_free(session);
	session = s;
	return 1;
}

static void set_up(void)
{
	certificate = certificate_make(&(struct certificate_wish){ .subject = "s", .names = "DNS:s" });
	shared = ticket_keys_new(1000);
	client = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_session_cache_mode(client, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(client, keep_session);
	for (size_t i = 0; i < TICKET_KEYS_MAX; i++) {
		memset(&own_keys[i], (int)i + 1, sizeof own_keys[i]);
		own_keys[i].len = i == 1 ? 16 : 32;
	}
}

static void tear_down(void)
{
	SSL_SESSION_free(session);
	session = NULL;
	SSL_CTX_free(client);
	ticket_keys_free(&shared);
	certificate_free(certificate);
}

static struct server serve_with(const struct ticket_keys *keys, size_t n_own, size_t first_own)
{
	struct server s = { .ctx = SSL_CTX_new(TLS_server_method()),
	                    .conf = { .ticket_secrets = own_keys + first_own, .n_ticket_secrets = n_own } };

	ck_assert(SSL_CTX_use_certificate(s.ctx, certificate->x509) == 1 &&
	          SSL_CTX_use_PrivateKey(s.ctx, certificate->key) == 1);
	SSL_CTX_set_session_cache_mode(s.ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_session_id_context(s.ctx, (const unsigned char *)"s", 1);
	s.tickets = tls_tickets_new(s.ctx, &s.conf, keys);
	ck_assert_ptr_nonnull(s.tickets);
	return s;
}

static struct server serve(const struct ticket_keys *keys)
{
	return serve_with(keys, 0, 0);
}

static void end(struct server *s)
{
	SSL_CTX_free(s->ctx);
	tls_tickets_free(s->tickets);
}

/* A client with the session that it has, if it has one. Whether that was resumed. */
static bool connect_to(const struct server *s, int version)
{
	SSL *at_server = SSL_new(s->ctx), *at_client = SSL_new(client);
	BIO *one, *other;
	bool resumed;
	char byte;

	ck_assert_int_eq(BIO_new_bio_pair(&one, 0, &other, 0), 1);
	SSL_set_bio(at_server, one, one);
	SSL_set_bio(at_client, other, other);
	SSL_set_max_proto_version(at_client, version);
	SSL_set_min_proto_version(at_client, version);
	SSL_set_tlsext_host_name(at_client, "s");
	if (session)
		SSL_set_session(at_client, session);
	SSL_set_connect_state(at_client);
	SSL_set_accept_state(at_server);
	for (int i = 0; i < 10 && !(SSL_is_init_finished(at_client) && SSL_is_init_finished(at_server)); i++) {
		SSL_do_handshake(at_client);
		SSL_do_handshake(at_server);
	}
	ck_assert(SSL_is_init_finished(at_client) && SSL_is_init_finished(at_server));
	SSL_read(at_client, &byte, 1);          /* the ticket of TLS 1.3 */
	resumed = SSL_session_reused(at_server);
	ck_assert_int_eq(resumed, SSL_session_reused(at_client));
	if (version == TLS1_2_VERSION)
		keep_session(at_client, SSL_get1_session(at_client));
	SSL_shutdown(at_client);
	SSL_free(at_client);
	SSL_free(at_server);
	return resumed;
}

START_TEST(a_session_is_resumed_at_another_worker)
{
	struct server one = serve(shared), other = serve(shared);

	ck_assert(!connect_to(&one, versions[_i]));
	ck_assert_ptr_nonnull(session);
	ck_assert(connect_to(&one, versions[_i]));
	ck_assert(connect_to(&other, versions[_i]));
	ck_assert(connect_to(&one, versions[_i]));
	end(&one);
	end(&other);
} END_TEST

START_TEST(a_session_is_not_resumed_at_another_service)
{
	struct ticket_keys *others = ticket_keys_new(1000);
	struct server one = serve(shared), other = serve(others);

	ck_assert(!connect_to(&one, versions[_i]));
	ck_assert(!connect_to(&other, versions[_i]));
	end(&one);
	end(&other);
	ticket_keys_free(&others);
} END_TEST

START_TEST(a_ticket_is_good_for_three_generations_of_keys)
{
	struct server s = serve(shared);
	SSL_SESSION *first;

	ck_assert(!connect_to(&s, versions[_i]));
	first = session;
	SSL_SESSION_up_ref(first);
	for (int rotated = 1; rotated <= 3; rotated++) {
		ck_assert_int_eq(ticket_keys_rotate(shared, 1000 + rotated), 0);
		SSL_SESSION_free(session);
		session = SSL_SESSION_dup(first);
		ck_assert_int_eq(connect_to(&s, versions[_i]), rotated < TICKET_KEYS_MAX);
	}
	SSL_SESSION_free(first);
	end(&s);
} END_TEST

START_TEST(a_session_that_is_resumed_with_an_old_key_gets_a_new_ticket)
{
	struct server s = serve(shared);

	ck_assert(!connect_to(&s, versions[_i]));
	for (int i = 0; i < 10; i++) {
		ck_assert_int_eq(ticket_keys_rotate(shared, 1001 + i), 0);
		ck_assert(connect_to(&s, versions[_i]));
	}
	end(&s);
} END_TEST

START_TEST(keys_of_the_configuration_are_used_instead)
{
	struct server one = serve_with(shared, 1, _i / 2), other = serve_with(NULL, 1, _i / 2),
	              longer = serve_with(NULL, 3, 0), shares = serve(shared);

	ck_assert(!connect_to(&one, versions[_i % 2]));
	ck_assert(connect_to(&other, versions[_i % 2]));
	ck_assert(connect_to(&longer, versions[_i % 2]));
	ck_assert(!connect_to(&shares, versions[_i % 2]));
	end(&one);
	end(&other);
	end(&longer);
	end(&shares);
} END_TEST

START_TEST(without_any_keys_a_worker_resumes_its_own_sessions)
{
	struct server one = serve(NULL), other = serve(NULL);

	ck_assert(!connect_to(&one, versions[_i]));
	ck_assert(connect_to(&one, versions[_i]));
	ck_assert(!connect_to(&other, versions[_i]));
	end(&one);
	end(&other);
} END_TEST

int main(void)
{
	Suite *s = suite_create("tls_tickets");
	TCase *tc = unit_case(s, "tickets", set_up, tear_down);

	tcase_add_loop_test(tc, a_session_is_resumed_at_another_worker, 0, 2);
	tcase_add_loop_test(tc, a_session_is_not_resumed_at_another_service, 0, 2);
	tcase_add_loop_test(tc, a_ticket_is_good_for_three_generations_of_keys, 0, 2);
	tcase_add_loop_test(tc, a_session_that_is_resumed_with_an_old_key_gets_a_new_ticket, 0, 2);
	tcase_add_loop_test(tc, keys_of_the_configuration_are_used_instead, 0, 4);
	tcase_add_loop_test(tc, without_any_keys_a_worker_resumes_its_own_sessions, 0, 2);
	return unit_run(s);
}
