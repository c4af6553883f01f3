/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Services over TLS while something happens to them: renewed certificates, upgrades, workers that are
 * killed. No handshake fails, and sessions are resumed afterwards. With DROVER_LONG_TESTS in the
 * environment, there are many more reloads and upgrades.
 */
#include <config.h>
#include "upgrade_harness.h"

#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../certificates.h"
#include "operator.h"
#include "tls_client.h"
#include "tls_load.h"

static struct daemon d;

/* ---- helpers ------------------------------------------------------------ */

/* Two pairs for the same name, as a certificate and its renewal; live leads to the one in use. */
static void set_up(void)
{
	ck_assert_int_eq(chdir(files_path("")), 0);
	certificate_issue("ca", &(struct certificate_wish){ .is_ca = true });
	files_mkdir("first");
	files_mkdir("second");
	certificate_issue("first/s", &(struct certificate_wish){
		.issued_by = "ca", .names = "DNS:s.example,DNS:first.example" });
	certificate_issue("second/s", &(struct certificate_wish){
		.issued_by = "ca", .names = "DNS:s.example,DNS:second.example" });
	ck_assert_int_eq(symlink("first", "live"), 0);
}

/* As certbot does it: in one step. */
static void renew(const char *folder)
{
	ck_assert_int_eq(symlink(folder, "next"), 0);
	ck_assert_int_eq(rename("next", "live"), 0);
}

static void start(int workers)
{
	const char *at = files_path("");

	daemon_start(&d, CONTROL SERVICES(SERVICE("s", "echo", "workers = %d; tls = { chain ="
	             " \"%s/live/s.pem\"; key = \"%s/live/s.key\"; };")), control_path(), workers, at, at);
}

static void echo(SSL *ssl)
{
	tls_client_say(ssl, "hello");
	tls_client_expect(ssl, "hello");
}

static SSL *connect_with(SSL_SESSION *session, int version)
{
	const struct tls_client_wish w = { .host = "s.example", .trusts = "ca", .session = session, .version = version };
	SSL *ssl = tls_client_connect(daemon_address(&d, "s", 0), &w);

	echo(ssl);
	return ssl;
}

static SSL *visit(void)
{
	return connect_with(NULL, 0);
}

/* The session of a client that goes; *worker is where it was, unless NULL. */
static SSL_SESSION *get_session(int version, pid_t *worker)
{
	SSL *ssl = connect_with(NULL, version);
	SSL_SESSION *session = SSL_get1_session(ssl);

	if (worker)
		*worker = (pid_t)event_number(daemon_accepted(&d, SSL_get_fd(ssl)), "pid");
	tls_client_end(ssl);
	ck_assert(tls_client_is_told_end(ssl));
	tls_client_close(ssl);
	return session;
}

/* Frees the session. */
static void check_resumed(SSL_SESSION *session, int version)
{
	SSL *ssl = connect_with(session, version);

	ck_assert_int_eq(SSL_session_reused(ssl), 1);
	SSL_SESSION_free(session);
	tls_client_close(ssl);
}

static bool is_shown(const char *name)
{
	SSL *ssl = visit();
	X509 *x = SSL_get1_peer_certificate(ssl);
	const bool is = X509_check_host(x, name, 0, 0, NULL) == 1;

	X509_free(x);
	tls_client_close(ssl);
	return is;
}

static void end_load(struct tls_load *l, long least)
{
	long failed;
	const long served = tls_load_stop(l, &failed);

	ck_assert_int_eq(failed, 0);
	ck_assert_int_ge(served, least);
}

static int rounds(int few, int many)
{
	return getenv("DROVER_LONG_TESTS") ? many : few;
}

/* ---- stories ------------------------------------------------------------ */

START_TEST(certificates_are_renewed_under_load)
{
	const int n = rounds(10, 100);
	struct tls_load l;
	SSL *resident;

	start(2);
	resident = visit();
	tls_load_start(&l, daemon_port(&d, "s", 0));
	for (int i = 0; i < n; i++) {
		const char *folder = i % 2 ? "first" : "second";

		renew(folder);
		daemon_signal(&d, SIGHUP);
		daemon_wait_for(&d, "reload-done");
		/* An old worker may accept until it has heard that it is to drain. */
		while (!is_shown(files_text("%s.example", folder)))
			;
		echo(resident);
	}
	end_load(&l, n);
	tls_client_close(resident);
	ck_assert_uint_eq(daemon_saw(&d, "worker-end how=signal"), 0);
	ck_assert_uint_eq(daemon_saw(&d, "key-process-end"), 0);
} END_TEST

START_TEST(upgrades_under_load_cost_no_handshake)
{
	const int n = rounds(2, 25);
	struct tls_load l;
	SSL *resident;

	start(2);
	resident = visit();
	tls_load_start(&l, daemon_port(&d, "s", 0));
	for (int i = 0; i < n; i++) {
		upgrade_to_next(&d);
		tls_client_close(visit());
		upgrade_to(&d, upgrade_original(), PACKAGE_VERSION);
		tls_client_close(visit());
		echo(resident);
	}
	end_load(&l, 2 * n);
	tls_client_close(resident);
	for (int i = 0; i < 2 * n; i++)
		daemon_wait_for(&d, "generation-gone");
	ck_assert_uint_eq(daemon_saw(&d, "worker-end how=signal"), 0);
} END_TEST

/* Its clients are lost, and no others. */
START_TEST(a_worker_that_is_killed_costs_no_other_its_clients)
{
	SSL *residents[2];
	pid_t pids[2];
	char byte;

	start(2);
	do {
		for (int i = 0; i < 2; i++) {
			residents[i] = visit();
			pids[i] = (pid_t)event_number(daemon_accepted(&d, SSL_get_fd(residents[i])), "pid");
		}
		for (int i = 0; pids[0] == pids[1] && i < 2; i++)
			tls_client_close(residents[i]);
	} while (pids[0] == pids[1]);
	ck_assert_int_eq(kill(pids[0], SIGKILL), 0);
	daemon_wait_for(&d, "worker-end pid=%d how=signal value=9", pids[0]);
	ck_assert(!tls_client_is_told_end(residents[0]));
	ck_assert_int_le(SSL_read(residents[0], &byte, 1), 0);
	echo(residents[1]);
	for (int i = 0; i < 2; i++)
		tls_client_close(residents[i]);
	tls_client_close(visit());
	ck_assert_uint_eq(daemon_saw(&d, "key-process-end"), 0);
} END_TEST

/* ---- sessions ----------------------------------------------------------- */

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

START_TEST(a_session_is_resumed_after_its_worker_was_killed)
{
	SSL_SESSION *session;
	pid_t worker;

	start(1);
	session = get_session(versions[_i], &worker);
	ck_assert_int_eq(kill(worker, SIGKILL), 0);
	daemon_wait_for(&d, "worker-end pid=%d", worker);
	check_resumed(session, versions[_i]);
} END_TEST

START_TEST(a_session_is_resumed_after_a_reload)
{
	SSL_SESSION *session;

	start(2);
	session = get_session(versions[_i], NULL);
	renew("second");
	daemon_signal(&d, SIGHUP);
	daemon_wait_for(&d, "generation-gone generation=1");
	check_resumed(session, versions[_i]);
} END_TEST

START_TEST(a_session_is_resumed_after_an_upgrade)
{
	SSL_SESSION *session;

	start(2);
	session = get_session(versions[_i], NULL);
	upgrade_to_next(&d);
	daemon_wait_for(&d, "generation-gone generation=1");
	check_resumed(session, versions[_i]);
} END_TEST

int main(void)
{
	Suite *s = suite_create("tls_stories");
	TCase *tc = upgrade_case(s, "load");

	tcase_add_checked_fixture(tc, set_up, NULL);
	if (getenv("DROVER_LONG_TESTS"))
		tcase_set_timeout(tc, 300);
	tcase_add_test(tc, certificates_are_renewed_under_load);
	tcase_add_test(tc, upgrades_under_load_cost_no_handshake);
	tcase_add_test(tc, a_worker_that_is_killed_costs_no_other_its_clients);
	tc = upgrade_case(s, "sessions");
	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_add_loop_test(tc, a_session_is_resumed_after_its_worker_was_killed, 0, ARRAY_SIZE(versions));
	tcase_add_loop_test(tc, a_session_is_resumed_after_a_reload, 0, ARRAY_SIZE(versions));
	tcase_add_loop_test(tc, a_session_is_resumed_after_an_upgrade, 0, ARRAY_SIZE(versions));
	return harness_run(s);
}
