/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Services that want certificates of their clients: which are refused, and why; what a new list of revoked
 * ones changes; and that no session takes the place of a certificate.
 */
#include <config.h>
#include "harness.h"

#include <signal.h>
#include <unistd.h>

#include "../certificates.h"
#include "tls_client.h"

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

static struct daemon d;
static struct certificate *ca;

static void set_up(void)
{
	ck_assert_int_eq(chdir(files_path("")), 0);
	certificate_issue("ca", &(struct certificate_wish){ .is_ca = true });
	certificate_issue("other-ca", &(struct certificate_wish){ .is_ca = true });
	certificate_issue("s", &(struct certificate_wish){ .issued_by = "ca", .names = "DNS:s.example" });
	certificate_issue("alice", &(struct certificate_wish){ .issued_by = "ca" });
	ca = certificate_read_pair("ca");
	certificate_write_crl("crl.pem", ca, NULL, 0, CERTIFICATES_DAY);
}

static void tear_down(void)
{
	certificate_free(ca);
}

/* ---- the daemon --------------------------------------------------------- */

/* A service of one worker whose group `tls` has that besides its certificate. */
static const char *service(const char *name, const char *tls)
{
	const char *at = files_path("");

	return files_text(" %s = { listen = \"127.0.0.1:0\"; workers = 1; handler = { type = \"echo\"; };"
	                  " tls = { chain = \"%s/s.pem\"; key = \"%s/s.key\"; %s }; };", name, at, at, tls);
}

static const char *demands(void)
{
	const char *at = files_path("");

	return files_text("client_auth = \"required\"; client_ca = \"%s/ca.pem\"; client_crl = \"%s/crl.pem\";",
	                  at, at);
}

static void start(const char *services)
{
	daemon_start(&d, "access_log = { target = \"%s/access.log\"; };\n" SERVICES("%s"), files_path(""),
	             services);
}

static SSL *connect_to(const char *name, const char *shows, int version, SSL_SESSION *session)
{
	const struct tls_client_wish w = { .host = "s.example", .trusts = "ca", .shows = shows,
	                                   .version = version, .session = session };

	return tls_client_new(client_connect(daemon_address(&d, name, 0)), &w);
}

/* The session of a client that was served, and has gone. */
static SSL_SESSION *serve(const char *name, const char *shows, int version)
{
	SSL *ssl = connect_to(name, shows, version, NULL);
	SSL_SESSION *session;

	ck_assert(tls_client_shake_hands(ssl));
	tls_client_say(ssl, "hello");
	tls_client_expect(ssl, "hello");
	session = SSL_get1_session(ssl);
	tls_client_end(ssl);
	ck_assert(tls_client_is_told_end(ssl));
	tls_client_close(ssl);
	ck_assert_str_eq(event_word(daemon_wait_for(&d, "connection-end"), "how"), "closed");
	return session;
}

static void check_served(const char *name, const char *shows, int version)
{
	SSL_SESSION_free(serve(name, shows, version));
}

/* In TLS 1.3, the client has finished before the daemon has seen the certificate. */
static void check_refused(const char *name, const char *shows, int version, SSL_SESSION *session, const char *why)
{
	SSL *ssl = connect_to(name, shows, version, session);
	const struct event *e;
	const char *log;

	ck_assert(!tls_client_shake_hands(ssl) || !tls_client_is_told_end(ssl));
	tls_client_close(ssl);
	e = daemon_wait_for(&d, "connection-end");
	ck_assert_str_eq(event_word(e, "how"), "tls");
	daemon_settle_logs(&d);
	log = strstr(files_read(files_path("access.log")), files_text(" id=%s ", event_word(e, "id")));
	ck_assert_ptr_nonnull(log);
	harness_contains(files_text("%.*s", (int)strcspn(log, "\n"), log), files_text(" tls_error=%s ", why));
}

/* ---- which certificates ------------------------------------------------- */

START_TEST(certificates_are_refused_with_the_reason)
{
	const int version = versions[_i];

	certificate_issue("stranger", &(struct certificate_wish){ .issued_by = "other-ca" });
	certificate_issue("expired", &(struct certificate_wish){ .issued_by = "ca", .to = FROM_NOW(-10) });
	certificate_issue("early", &(struct certificate_wish){
		.issued_by = "ca", .from = FROM_NOW(CERTIFICATES_DAY) });
	certificate_issue("server", &(struct certificate_wish){ .issued_by = "ca", .usage = "serverAuth" });
	certificate_issue("own", &(struct certificate_wish){ 0 });
	start(service("s", demands()));
	check_served("s", "alice", version);
	check_refused("s", NULL, version, NULL, "peer-did-not-return-a-certificate");
	check_refused("s", "stranger", version, NULL, "unable-to-get-local-issuer-certificate");
	check_refused("s", "expired", version, NULL, "certificate-has-expired");
	check_refused("s", "early", version, NULL, "certificate-is-not-yet-valid");
	check_refused("s", "server", version, NULL, "unsuitable-certificate-purpose");
	check_refused("s", "own", version, NULL, "self-signed-certificate");
	check_served("s", "alice", version);
	ck_assert_uint_eq(daemon_saw(&d, "refused reason=tls"), 6);
} END_TEST

/* ---- revocation --------------------------------------------------------- */

START_TEST(a_reload_takes_a_new_list_of_revoked_certificates)
{
	struct certificate *bob = certificate_make(&(struct certificate_wish){ .subject = "bob", .issuer = ca });
	const struct certificate *const revoked[] = { bob };
	const int version = versions[_i];
	SSL_SESSION *session;

	certificate_write_pair("bob", bob);
	start(service("s", demands()));
	session = serve("s", "bob", version);
	certificate_write_crl("crl.pem", ca, revoked, 1, CERTIFICATES_DAY);
	daemon_signal(&d, SIGHUP);
	daemon_wait_for(&d, "generation-gone generation=1");
	check_refused("s", "bob", version, NULL, "certificate-revoked");
	check_refused("s", "bob", version, session, "certificate-revoked");
	check_served("s", "alice", version);
	SSL_SESSION_free(session);
	certificate_free(bob);
} END_TEST

/* ---- sessions ----------------------------------------------------------- */

/* CVE-2014-3616 and its like. */
START_TEST(a_session_of_another_service_is_no_certificate)
{
	const int version = versions[_i];
	SSL_SESSION *session;

	start(files_text("%s%s", service("open", ""), service("s", demands())));
	session = serve("open", NULL, version);
	check_refused("s", NULL, version, session, "peer-did-not-return-a-certificate");
	check_served("s", "alice", version);
	SSL_SESSION_free(session);
} END_TEST

START_TEST(a_session_is_not_resumed_by_another_service)
{
	const int version = versions[_i];
	SSL_SESSION *session;
	SSL *ssl;

	start(files_text("%s%s", service("s", demands()), service("other", demands())));
	session = serve("s", "alice", version);
	ssl = connect_to("other", "alice", version, session);
	ck_assert(tls_client_shake_hands(ssl));
	ck_assert_int_eq(SSL_session_reused(ssl), 0);
	tls_client_close(ssl);
	SSL_SESSION_free(session);
} END_TEST

int main(void)
{
	Suite *s = suite_create("tls_client_auth");
	TCase *tc = harness_case(s, "client_auth");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, certificates_are_refused_with_the_reason, 0, ARRAY_SIZE(versions));
	tcase_add_loop_test(tc, a_reload_takes_a_new_list_of_revoked_certificates, 0, ARRAY_SIZE(versions));
	tcase_add_loop_test(tc, a_session_of_another_service_is_no_certificate, 0, ARRAY_SIZE(versions));
	tcase_add_loop_test(tc, a_session_is_not_resumed_by_another_service, 0, ARRAY_SIZE(versions));
	return harness_run(s);
}
