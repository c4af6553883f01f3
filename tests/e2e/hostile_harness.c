/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The service, its certificates, and the client that stays.
 */
#include <config.h>
#include "hostile_harness.h"

#include <signal.h>
#include <unistd.h>

#include "operator.h"

struct certificate *hostile_ca, *hostile_server;

static struct daemon d;
static const struct tls_client_wish good = { .host = "s.example", .trusts = "ca" };
static SSL *resident;

/* ---- begin -------------------------------------------------------------- */

static void set_up(void)
{
	signal(SIGPIPE, SIG_IGN);       /* clients that the daemon has closed go on */
	ck_assert_int_eq(chdir(files_path("")), 0);
	hostile_ca = certificate_make(&(struct certificate_wish){ .subject = "ca", .is_ca = true });
	hostile_server = certificate_make(&(struct certificate_wish){
		.subject = "s", .issuer = hostile_ca, .names = "DNS:s.example" });
	certificate_write_pair("ca", hostile_ca);
	certificate_write_pair("s", hostile_server);
}

static void tear_down(void)
{
	certificate_free(hostile_server);
	certificate_free(hostile_ca);
}

TCase *hostile_case(Suite *s, const char *name)
{
	TCase *tc = harness_case(s, name);

	tcase_add_checked_fixture(tc, set_up, tear_down);
	return tc;
}

void hostile_start(const char *tls)
{
	const char *at = files_path("");

	daemon_start(&d, "control = { socket = \"%s/control.sock\"; }; access_log = { target = \"%s/access.log\"; };\n"
	             SERVICES(" s = { listen = \"127.0.0.1:0\"; workers = 1; "
	             "tls = { chain = \"%s/s.pem\"; key = \"%s/s.key\"; %s };"
	             " handler = { type = \"echo\"; }; };"), at, at, at, at, tls);
	resident = tls_client_connect(daemon_address(&d, "s", 0), &good);
}

/* ---- clients ------------------------------------------------------------ */

int hostile_connect(void)
{
	return client_connect(daemon_address(&d, "s", 0));
}

static void greet(SSL *ssl)
{
	tls_client_say(ssl, "hello");
	tls_client_expect(ssl, "hello");
}

SSL *hostile_connect_tls(int version)
{
	SSL *ssl = tls_client_connect(daemon_address(&d, "s", 0), &(struct tls_client_wish){ .version = version });

	greet(ssl);
	return ssl;
}

/* ---- the end ------------------------------------------------------------ */

static void check_resident(void)
{
	tls_client_say(resident, "still here");
	tls_client_expect(resident, "still here");
}

void hostile_expect_end(const char *how, const char *why)
{
	const struct event *e = daemon_wait_for(&d, "connection-end");
	const char *line;

	ck_assert_str_eq(event_word(e, "how"), how);
	daemon_settle_logs(&d);
	line = strstr(files_read(files_path("access.log")), files_text("id=%s ", event_word(e, "id")));
	ck_assert_ptr_nonnull(line);
	line = files_text("%.*s", (int)strcspn(line, "\n"), line);
	harness_contains(line, files_text(" tls_error=%s", why));
	check_resident();
}

void hostile_check(int n_refused)
{
	SSL *visitor = tls_client_connect(daemon_address(&d, "s", 0), &good);

	greet(visitor);
	tls_client_close(visitor);
	check_resident();
	tls_client_close(resident);
	ck_assert_uint_eq(daemon_saw(&d, "worker-end"), 0);
	ck_assert_int_eq(operator_run_args(files_path("control.sock"), "--json", "status"), 0);
	harness_contains(operator_output(), files_text("\"tls\":%d", n_refused));
}
