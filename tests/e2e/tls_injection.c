/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Programs over TLS, and somebody on the way who adds bytes to the connection or cuts it: a program gets
 * what its client has sent, and nothing else.
 */
#include <config.h>
#include "harness.h"

#include <sys/socket.h>
#include <unistd.h>

#include "../certificates.h"
#include "tls_client.h"

static struct daemon d;

static void set_up(void)
{
	ck_assert_int_eq(chdir(files_path("")), 0);
	certificate_issue("ca", &(struct certificate_wish){ .is_ca = true });
	certificate_issue("s", &(struct certificate_wish){ .issued_by = "ca", .names = "DNS:s.example" });
}

static const struct {
	const char *warm;
	int         version;
} rows[] = {
	{ "", TLS1_2_VERSION },
	{ "", TLS1_3_VERSION },
	{ "warm = 1;", TLS1_2_VERSION },
	{ "warm = 1;", TLS1_3_VERSION },
};

static SSL *start(const char *script, int row)
{
	const struct tls_client_wish w = { .host = "s.example", .trusts = "ca", .version = rows[row].version };
	const char *at = files_path("");

	daemon_start(&d, SERVICES(" s = { listen = \"127.0.0.1:0\"; workers = 1;"
	             " tls = { chain = \"%s/s.pem\"; key = \"%s/s.key\"; };"
	             " handler = { type = \"exec\"; argv = [ \"/usr/bin/env\", \"python3\", \"%s\" ]; %s }; };"),
	             at, at, script, rows[row].warm);
	return tls_client_connect(daemon_address(&d, "s", 0), &w);
}

/* Adds that to the connection, and waits until the worker has dealt with it. */
static void inject(SSL *ssl, pid_t worker)
{
	static const char bytes[] = "GET / HTTP/1.1\r\nHost: s.example\r\n\r\n";

	send(SSL_get_fd(ssl), bytes, sizeof bytes - 1, MSG_NOSIGNAL);
	daemon_settle_worker(&d, worker);
}

/* Says whether it has heard nothing but good bytes. */
#define LISTENS \
	"heard = b''\n" \
	"try:\n" \
	"    for got in iter(lambda: s.recv(100), b''):\n" \
	"        heard += got\n" \
	"except ConnectionError:\n" \
	"    pass\n" \
	"sys.exit(3 if heard == b'good' else 4)\n"

static const char *const scripts[] = {
	/* It has ended its side before. */
	"import socket, sys\ns = socket.socket(fileno=0)\ns.sendall(b'hello\\n')\ns.shutdown(socket.SHUT_WR)\n" LISTENS,
	"import socket, sys\ns = socket.socket(fileno=0)\ns.sendall(b'hello\\n')\n" LISTENS,
};

START_TEST(a_program_gets_nothing_that_was_added)
{
	const char *script = files_write("listener.py", "%s", scripts[_i % 2]);
	SSL *ssl = start(script, _i / 2);
	const pid_t worker = (pid_t)event_number(daemon_accepted(&d, SSL_get_fd(ssl)), "pid");

	if (_i % 2 == 0)
		ck_assert_str_eq(tls_client_read_all(ssl), "hello\n");
	else
		tls_client_expect(ssl, "hello\n");
	tls_client_say(ssl, "good");
	daemon_settle_worker(&d, worker);
	inject(ssl, worker);
	inject(ssl, worker);
	shutdown(SSL_get_fd(ssl), SHUT_WR);
	daemon_wait_for(&d, "program-end how=exit value=3");
	ck_assert_str_eq(event_word(daemon_wait_for(&d, "connection-end"), "how"), "tls");
	tls_client_close(ssl);
} END_TEST

int main(void)
{
	Suite *s = suite_create("tls_injection");
	TCase *tc = harness_case(s, "injection");

	tcase_add_checked_fixture(tc, set_up, NULL);
	if (process_is_installed("python3"))
		tcase_add_loop_test(tc, a_program_gets_nothing_that_was_added, 0, 2 * ARRAY_SIZE(rows));
	else
		harness_skip("a_program_gets_nothing_that_was_added", "python3 is not installed");
	return harness_run(s);
}
