/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sessions that clients resume: at any worker, across reloads and upgrades, and nowhere else.
 */
#include <config.h>
#include "upgrade_harness.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../certificates.h"
#include "operator.h"
#include "tls_client.h"

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

static struct daemon d;
static SSL_SESSION *session;

static void before(void)
{
	struct certificate *c = certificate_make(&(struct certificate_wish){ .subject = "s", .names = "DNS:s" });

	ck_assert_int_eq(chdir(files_path("")), 0);
	certificate_write_with_key("pair", c);
	certificate_write("ca", c);
	certificate_free(c);
}

static void after(void)
{
	SSL_SESSION_free(session);
	session = NULL;
}

/* Two services with the same certificate, the first with that in its group `tls`. */
static const char *config(const char *rest)
{
	return files_text("control = { socket = \"%s\"; };\n"
	                  SERVICES(SERVICE("s", "echo", "workers = 3; %s tls = { chain = \"%s\"; %s };")
	                           SERVICE("other", "echo", "workers = 1; tls = { chain = \"%s\"; };")),
	                  control_path(), strchr(rest, '|') ? strchr(rest, '|') + 1 : "", files_path("pair"),
	                  strchr(rest, '|') ? files_text("%.*s", (int)strcspn(rest, "|"), rest) : rest,
	                  files_path("pair"));
}

/* A client that offers the session it has, and keeps the one it gets. */
static SSL *come(struct daemon *at, const char *service, int version)
{
	const struct tls_client_wish wish = { .host = "s", .version = version, .session = session };
	SSL *ssl = tls_client_connect(daemon_address(at, service, 0), &wish);

	tls_client_say(ssl, "hello");
	tls_client_expect(ssl, "hello");        /* with it came the ticket of TLS 1.3 */
	SSL_SESSION_free(session);
	session = SSL_get1_session(ssl);
	return ssl;
}

/* Whether the session was resumed. */
static bool leave(SSL *ssl)
{
	const bool resumed = SSL_session_reused(ssl);

	tls_client_end(ssl);
	tls_client_close(ssl);
	return resumed;
}

static bool visit_at(struct daemon *at, const char *service, int version)
{
	return leave(come(at, service, version));
}

static bool visit(const char *service, int version)
{
	return visit_at(&d, service, version);
}

/* A worker has room for one client, so that three at the same time are at three workers. */
START_TEST(a_session_is_resumed_at_each_worker)
{
	SSL *clients[3];
	pid_t pids[3];

	daemon_start(&d, "%s", config("|connections = 1;"));
	for (size_t i = 0; i < 3; i++)
		pids[i] = daemon_next_worker(&d, "s");
	ck_assert(!visit("s", versions[_i]));
	for (size_t i = 0; i < 3; i++)
		clients[i] = come(&d, "s", versions[_i]);
	for (size_t i = 0; i < 3; i++) {
		ck_assert(leave(clients[i]));
		ck_assert_uint_ge(daemon_saw(&d, "connection-open service=s pid=%d", pids[i]), 1);
	}
} END_TEST

START_TEST(a_session_is_resumed_after_reloads)
{
	daemon_start(&d, "%s", config(""));
	ck_assert(!visit("s", versions[_i]));
	for (int i = 0; i < 3; i++) {
		daemon_reload(&d, "%s", config(""));
		ck_assert(visit("s", versions[_i]));
	}
	/* Another size of the table of sources is other memory of the service. */
	daemon_reload(&d, "%s", config("|limits = { sources = 131072; };"));
	ck_assert(visit("s", versions[_i]));
} END_TEST

START_TEST(a_session_is_resumed_after_upgrades)
{
	daemon_start(&d, "%s", config(""));
	ck_assert(!visit("s", versions[_i]));
	upgrade_to_next(&d);
	ck_assert(visit("s", versions[_i]));
	upgrade_to(&d, upgrade_original(), PACKAGE_VERSION);
	ck_assert(visit("s", versions[_i]));
} END_TEST

/* The program that takes over fails in the middle: it must leave the keys, also for the next one. */
START_TEST(a_session_is_resumed_after_upgrades_that_fail)
{
	ck_assert_int_eq(setenv("DOOM", files_write("doom", "half"), 1), 0);
	daemon_start(&d, "%s", config(""));
	ck_assert(!visit("s", versions[_i]));
	upgrade_install(upgrade_built("doomed_droverd"));
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(operator_run_args(control_path(), "upgrade"), 1);
		daemon_wait_for(&d, "upgrade-failed reason=takeover");
		ck_assert(visit("s", versions[_i]));
	}
	upgrade_to_next(&d);
	ck_assert(visit("s", versions[_i]));
} END_TEST

START_TEST(a_session_is_not_resumed_at_another_service)
{
	daemon_start(&d, "%s", config(""));
	ck_assert(!visit("s", versions[_i]));
	ck_assert(!visit("other", versions[_i]));
	ck_assert(visit("other", versions[_i]));
	ck_assert(!visit("s", versions[_i]));
} END_TEST

START_TEST(a_session_does_not_stand_for_a_certificate_that_is_demanded_later)
{
	struct tls_client_wish wish = { .host = "s", .version = versions[_i] };
	SSL *ssl;
	char byte;

	daemon_start(&d, "%s", config(""));
	ck_assert(!visit("s", versions[_i]));
	wish.session = session;
	daemon_reload(&d, "%s", config(files_text("client_auth = \"required\"; client_ca = \"%s\";",
	                                          files_path("ca"))));
	daemon_wait_for(&d, "generation-gone"); /* with the workers that demand none */
	ssl = tls_client_new(daemon_connect(&d, "s"), &wish);
	/* With TLS 1.3 the client is done before its certificate is judged. */
	if (tls_client_shake_hands(ssl))
		ck_assert_int_le(SSL_read(ssl, &byte, 1), 0);
	daemon_wait_for(&d, "connection-end how=tls");
	SSL_free(ssl);
} END_TEST

START_TEST(without_tickets_no_session_is_resumed)
{
	daemon_start(&d, "%s", config("tickets = false;"));
	ck_assert(!visit("s", versions[_i]));
	ck_assert(!visit("s", versions[_i]));
} END_TEST

START_TEST(several_machines_resume_sessions_of_each_other_with_the_same_keys)
{
	const char *with_file = files_text("ticket_keys = \"%s\";", files_path("keys"));
	static struct daemon first;

	files_write("keys", "%064d\n", 0);
	ck_assert_int_eq(chmod(files_path("keys"), 0600), 0);
	daemon_start(&first, SERVICES(SERVICE("s", "echo", "tls = { chain = \"%s\"; %s };")), files_path("pair"),
	             with_file);
	daemon_start(&d, "%s", config(with_file));
	ck_assert(!visit_at(&first, "s", versions[_i]));
	ck_assert(visit("s", versions[_i]));
	ck_assert(visit_at(&first, "s", versions[_i]));
	daemon_stop(&first, SIGTERM);
	daemon_reload(&d, "%s", config(""));
	daemon_wait_for(&d, "generation-gone");
	ck_assert(!visit("s", versions[_i]));
} END_TEST

int main(void)
{
	Suite *s = suite_create("tls_sessions");
	TCase *tc = upgrade_case(s, "sessions");

	tcase_add_checked_fixture(tc, before, after);
	tcase_add_loop_test(tc, a_session_is_resumed_at_each_worker, 0, 2);
	tcase_add_loop_test(tc, a_session_is_resumed_after_reloads, 0, 2);
	tcase_add_loop_test(tc, a_session_is_resumed_after_upgrades, 0, 2);
	tcase_add_loop_test(tc, a_session_is_resumed_after_upgrades_that_fail, 0, 2);
	tcase_add_loop_test(tc, a_session_is_not_resumed_at_another_service, 0, 2);
	tcase_add_loop_test(tc, a_session_does_not_stand_for_a_certificate_that_is_demanded_later, 0, 2);
	tcase_add_loop_test(tc, without_tickets_no_session_is_resumed, 0, 2);
	tcase_add_loop_test(tc, several_machines_resume_sessions_of_each_other_with_the_same_keys, 0, 2);
	return harness_run(s);
}
