/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Services over TLS, with clients of the test's own: all kinds of handlers, ends, and clients that
 * fail.
 */
#include <config.h>
#include "harness.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "../certificates.h"
#include "operator.h"
#include "tls_client.h"

#define TLS "tls = { chain = \"%s/s.pem\"; key = \"%s/s.key\"; }; "
#define ACCESS_LOG "access_log = { target = \"%s/access.log\"; };\n"

static struct daemon d;
static const struct tls_client_wish good = { .host = "s.example", .trusts = "ca" };

static void before(void)
{
	ck_assert_int_eq(chdir(files_path("")), 0);
	certificate_issue("ca", &(struct certificate_wish){ .is_ca = true });
	certificate_issue("s", &(struct certificate_wish){
		.issued_by = "ca", .names = "DNS:s.example,DNS:*.w.example" });
}

/* One service "s", with TLS as said there, and what else it is to have. */
static void start_with(const char *tls, const char *handler, const char *rest)
{
	const char *at = files_path("");

	daemon_start(&d, ACCESS_LOG "control = { socket = \"%s/control.sock\"; };\n" SERVICES(
	             " s = { listen = \"127.0.0.1:0\"; workers = 1; tls = { chain = \"%s/s.pem\";"
	             " key = \"%s/s.key\"; %s }; handler = { %s }; %s };"), at, at, at, at, tls, handler, rest);
}

static void start(const char *handler, const char *rest)
{
	start_with("", handler, rest);
}

static SSL *connect_good(void)
{
	return tls_client_connect(daemon_address(&d, "s", 0), &good);
}

static const char *log_lines(void)
{
	daemon_settle_logs(&d);
	return files_read(files_path("access.log"));
}

static void expect_how(const char *how)
{
	ck_assert_str_eq(event_word(daemon_wait_for(&d, "connection-end"), "how"), how);
}

/* ---- handlers ----------------------------------------------------------- */

START_TEST(services_have_the_times_of_handshakes_and_answers)
{
	SSL *ssl;

	start("type = \"filter\"; framing = \"line\"; argv = \"/bin/cat\";", "");
	ssl = connect_good();
	for (int i = 0; i < 2; i++) {
		tls_client_say(ssl, "hello\n");
		tls_client_expect(ssl, "hello\n");
	}
	tls_client_end(ssl);
	ck_assert(tls_client_is_told_end(ssl));
	expect_how("closed");
	ck_assert_int_eq(operator_run_args(files_path("control.sock"), "--json", "services"), 0);
	harness_contains(operator_output(), "\"duration\":{\"count\":1,");
	harness_contains(operator_output(), "\"answer\":{\"count\":2,");
	harness_contains(operator_output(), "\"handshake\":{\"count\":1,");
	tls_client_close(ssl);
} END_TEST

START_TEST(an_echo_is_logged_with_its_tls)
{
	SSL *ssl;

	start("type = \"echo\";", "");
	ssl = connect_good();
	tls_client_say(ssl, "hello");
	tls_client_expect(ssl, "hello");
	tls_client_end(ssl);
	ck_assert(tls_client_is_told_end(ssl));
	expect_how("closed");
	harness_contains(log_lines(), files_text(" tls=TLSv1.3 cipher=%s resumed=no sni=s.example",
	                                         SSL_get_cipher(ssl)));
	harness_contains(log_lines(), " in=5 out=5 how=closed");
	tls_client_close(ssl);
} END_TEST

START_TEST(a_program_knows_of_its_client)
{
	SSL *ssl;
	const char *said;

	start("type = \"exec\"; argv = [ \"/usr/bin/env\" ];", "");
	ssl = connect_good();
	said = files_text("%s", tls_client_read_all(ssl));
	harness_contains(said, "PROTO=SSL\n");
	harness_contains(said, "SSL_PROTOCOL=TLSv1.3\n");
	harness_contains(said, files_text("SSL_CIPHER=%s\n", SSL_get_cipher(ssl)));
	harness_contains(said, "SSL_TLS_SNI=s.example\n");
	harness_contains(said, "TCPREMOTEIP=127.0.0.1\n");
	harness_contains(said, files_text("TCPREMOTEPORT=%s\n", client_port(SSL_get_fd(ssl))));
	harness_contains(said, "DROVER_SERVICE=s\n");
	daemon_wait_for(&d, "program-end how=exit value=0");
	tls_client_end(ssl);
	expect_how("exit");
	tls_client_close(ssl);
} END_TEST

static const struct tls_client_wish nobody = { .host = "s.example", .trusts = "ca" };
static const struct tls_client_wish alice = { .host = "s.example", .trusts = "ca", .shows = "alice" };

static void start_with_authority(const char *auth, const char *handler)
{
	certificate_issue("alice", &(struct certificate_wish){ .issued_by = "ca" });
	start_with(files_text("client_auth = \"%s\"; client_ca = \"%s\";", auth, files_path("ca.pem")),
	           handler, "");
}

START_TEST(a_program_knows_the_certificate_of_its_client)
{
	const char *said;
	SSL *ssl;

	start_with_authority("optional", "type = \"exec\"; argv = [ \"/usr/bin/env\" ];");
	ssl = tls_client_connect(daemon_address(&d, "s", 0), &alice);
	said = files_text("%s", tls_client_read_all(ssl));
	tls_client_close(ssl);
	harness_contains(said, "SSL_CLIENT_VERIFY=SUCCESS\n");
	harness_contains(said, "SSL_CLIENT_S_DN=CN=alice\n");
	harness_contains(said, "SSL_CLIENT_I_DN=CN=ca\n");
	harness_contains(said, "SSL_CLIENT_M_SERIAL=");
	harness_contains(said, "SSL_CLIENT_SHA256=");
	ssl = tls_client_connect(daemon_address(&d, "s", 0), &nobody);
	said = files_text("%s", tls_client_read_all(ssl));
	tls_client_close(ssl);
	harness_contains(said, "SSL_CLIENT_VERIFY=NONE\n");
	ck_assert_ptr_null(strstr(said, "SSL_CLIENT_S_DN"));
} END_TEST

START_TEST(a_filter_knows_the_name_of_its_client)
{
	SSL *ssl;
	char line[256];

	start_with_authority("optional", "type = \"filter\"; prefix = \"peer-subject\"; framing = \"line\";"
	                     " argv = [ \"/bin/sed\", \"-u\", \"N;s/\\\\n/: /\" ];");
	for (int i = 0; i < 2; i++) {
		ssl = tls_client_connect(daemon_address(&d, "s", 0), i == 0 ? &alice : &nobody);
		tls_client_say(ssl, "hello\n");
		snprintf(line, sizeof line, "127.0.0.1 %s %s %s: hello\n", client_port(SSL_get_fd(ssl)),
		         event_word(daemon_wait_for(&d, "connection-open"), "id"), i == 0 ? "CN=alice" : "-");
		tls_client_expect(ssl, line);
		tls_client_close(ssl);
	}
} END_TEST

/* sort(1) writes nothing before it has read the end. */
static const char *const sorts[] = {
	"type = \"exec\"; argv = [ \"/usr/bin/sort\" ];",
	"type = \"exec\"; argv = [ \"/usr/bin/sort\" ]; warm = 2;",
};

START_TEST(the_end_of_a_clients_bytes_reaches_the_program)
{
	SSL *ssl;

	start(sorts[_i], "");
	ssl = connect_good();
	tls_client_say(ssl, "b\na\n");
	tls_client_end(ssl);
	ck_assert_str_eq(tls_client_read_all(ssl), "a\nb\n");
	daemon_wait_for(&d, "program-end how=exit value=0");
	expect_how("exit");
	harness_contains(log_lines(), " in=4 out=4 how=exit");
	tls_client_close(ssl);
} END_TEST

START_TEST(the_end_of_a_programs_bytes_reaches_the_client)
{
	SSL *ssl;

	const char *script = files_write("half.py",
		"import socket, sys\n"
		"s = socket.socket(fileno=0)\n"
		"s.sendall(b'hello\\n')\n"
		"s.shutdown(socket.SHUT_WR)\n"
		"heard = b''.join(iter(lambda: s.recv(100), b''))\n"
		"sys.exit(3 if heard == b'still heard' else 4)\n");

	start(files_text("type = \"exec\"; argv = [ \"/usr/bin/env\", \"python3\", \"%s\" ];", script), "");
	ssl = connect_good();
	ck_assert_str_eq(tls_client_read_all(ssl), "hello\n");
	tls_client_say(ssl, "still heard");
	tls_client_end(ssl);
	daemon_wait_for(&d, "program-end how=exit value=3");
	tls_client_close(ssl);
} END_TEST

START_TEST(a_client_that_cuts_off_a_program_is_logged_with_its_tls)
{
	SSL *ssl;

	start("type = \"exec\"; argv = [ \"/bin/cat\" ];", "");
	ssl = connect_good();
	tls_client_say(ssl, "hello");
	tls_client_expect(ssl, "hello");
	tls_client_close(ssl);
	daemon_wait_for(&d, "program-end how=exit value=0");
	expect_how("truncated");
	harness_contains(log_lines(), " tls=TLSv1.3 ");
	harness_contains(log_lines(), " tls_error=the-client-ended-the-connection ");
} END_TEST

START_TEST(an_idle_program_is_ended)
{
	SSL *ssl;

	start("type = \"exec\"; argv = [ \"/bin/cat\" ];", "timeouts = { idle = \"200ms\"; };");
	ssl = connect_good();
	tls_client_say(ssl, "hello");
	tls_client_expect(ssl, "hello");
	daemon_wait_for(&d, "program-end how=signal value=15");
	expect_how("idle");
	tls_client_close(ssl);
} END_TEST

#define FILTER "type = \"filter\"; argv = [ \"/bin/sed\", \"-u\", \"s/.*/<&>/\" ]; framing = \"line\";"

START_TEST(a_filter_answers_requests)
{
	SSL *ssl;

	start(FILTER, "");
	ssl = connect_good();
	for (int i = 0; i < 100; i++) {
		tls_client_say(ssl, "one\ntwo\n");
		tls_client_expect(ssl, "<one>\n<two>\n");
	}
	tls_client_say(ssl, "last");
	tls_client_end(ssl);
	ck_assert_str_eq(tls_client_read_all(ssl), "<last>\n");
	expect_how("closed");
	tls_client_close(ssl);
} END_TEST

/* An attacker that cuts the connection must not have half a request served. */
START_TEST(a_request_that_is_cut_off_is_not_served)
{
	SSL *ssl;

	start(FILTER, "");
	ssl = connect_good();
	tls_client_say(ssl, "one\n");
	tls_client_expect(ssl, "<one>\n");
	tls_client_say(ssl, "delete all but");
	client_end(SSL_get_fd(ssl));
	expect_how("truncated");
	ck_assert(!tls_client_is_told_end(ssl));
	harness_contains(log_lines(), " in=18 out=6 how=truncated");
	tls_client_close(ssl);
} END_TEST

START_TEST(a_listener_may_be_without_tls)
{
	const char *at = files_path("");
	SSL *ssl;
	int fd;

	daemon_start(&d, SERVICES(" s = { listen = ( { address = \"127.0.0.1:0\"; },"
	             " { address = \"127.0.0.1:0\"; tls = false; } ); " TLS
	             "handler = { type = \"exec\"; argv = [ \"/usr/bin/env\" ]; }; };"), at, at);
	ssl = connect_good();
	harness_contains(tls_client_read_all(ssl), "PROTO=SSL\n");
	tls_client_close(ssl);
	fd = client_connect(daemon_address(&d, "s", 1));
	harness_contains(client_read_all(fd), "PROTO=TCP\n");
	close(fd);
} END_TEST

START_TEST(many_connect_over_a_unix_socket)
{
	const char *at = files_path("");
	SSL *ssl;

	daemon_start(&d, SERVICES(" s = { listen = \"unix:%s/s.sock\"; " TLS
	             "handler = { type = \"echo\"; }; };"), at, at, at);
	for (int i = 0; i < 20; i++) {
		ssl = connect_good();
		tls_client_say(ssl, "hello");
		tls_client_expect(ssl, "hello");
		tls_client_end(ssl);
		ck_assert(tls_client_is_told_end(ssl));
		tls_client_close(ssl);
	}
} END_TEST

/* ---- many --------------------------------------------------------------- */

#define CLIENTS 200
#define BYTES   (1 << 20)

struct client {
	SSL   *ssl;
	size_t sent, got;
};

static char byte_at(size_t client, size_t at)
{
	return (char)(client * 31 + at * 7 + at / 251);
}

/* Sends and receives what is possible now. True: all bytes have come back. */
static bool move_client(struct client *c, size_t number)
{
	char bytes[16384];
	int n;

	if (c->sent < BYTES && c->sent - c->got < 262144) {
		for (size_t i = 0; i < sizeof bytes; i++)
			bytes[i] = byte_at(number, c->sent + i);
		n = SSL_write(c->ssl, bytes, (int)sizeof bytes);
		c->sent += n > 0 ? (size_t)n : 0;
	}
	n = SSL_read(c->ssl, bytes, (int)sizeof bytes);
	for (int i = 0; i < n; i++)
		if (bytes[i] != byte_at(number, c->got + (size_t)i))
			ck_abort_msg("client %zu: byte %zu is another one", number, c->got + (size_t)i);
	c->got += n > 0 ? (size_t)n : 0;
	if (n <= 0)
		ck_assert_int_eq(SSL_get_error(c->ssl, n), SSL_ERROR_WANT_READ);
	return c->got == BYTES;
}

static const char *const echoes[] = {
	"type = \"echo\";",
	"type = \"exec\"; argv = [ \"/bin/cat\" ];",
	"type = \"exec\"; argv = [ \"/bin/cat\" ]; warm = 8;",
};

START_TEST(two_hundred_clients_get_each_byte_back)
{
	static struct client clients[CLIENTS];
	size_t n_done = 0;

	start(echoes[_i], "connections = 256;");
	for (size_t i = 0; i < CLIENTS; i++)
		clients[i] = (struct client){ .ssl = connect_good() };
	while (n_done < CLIENTS)
		for (size_t i = n_done = 0; i < CLIENTS; i++)
			n_done += clients[i].got == BYTES || move_client(&clients[i], i);
	for (size_t i = 0; i < CLIENTS; i++) {
		tls_client_end(clients[i].ssl);
		ck_assert(tls_client_is_told_end(clients[i].ssl));
		tls_client_close(clients[i].ssl);
	}
	for (size_t i = 0; i < CLIENTS; i++)
		ck_assert_int_eq(event_number(daemon_wait_for(&d, "connection-end"), "in"), BYTES);
} END_TEST

/* ---- clients that fail -------------------------------------------------- */

static void expect_refused(int n)
{
	ck_assert_int_eq(operator_run_args(files_path("control.sock"), "--json", "status"), 0);
	harness_contains(operator_output(), files_text("\"tls\":%d", n));
}

START_TEST(plain_http_is_refused_and_logged)
{
	int fd;

	start("type = \"echo\";", "");
	for (int i = 0; i < 3; i++) {
		fd = client_connect(daemon_address(&d, "s", 0));
		client_say(fd, "GET / HTTP/1.1\r\nHost: s.example\r\n\r\n");
		client_expect_gone(fd);
		close(fd);
		daemon_wait_for(&d, "refused reason=tls");
		expect_how("tls");
	}
	harness_contains(log_lines(), " tls_error=http-request ");
	/* The first one, and no other. */
	ck_assert_uint_eq(files_count(daemon_errors(&d), "http request"), 1);
	daemon_barrier(&d);
	harness_contains(daemon_errors(&d), "refusing clients: the TLS handshake failed; the first is");
	expect_refused(3);
} END_TEST

START_TEST(clients_that_stop_cost_nobody_else)
{
	int fds[100];
	SSL *ssl;

	start("type = \"echo\";", "connections = 256; timeouts = { handshake = \"1s\"; };");
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = client_connect(daemon_address(&d, "s", 0));
		if (i % 2 == 0)         /* the begin of a record */
			client_send(fds[i], "\x16\x03\x01\x02\x00\x01", 6);
	}
	ssl = connect_good();
	tls_client_say(ssl, "hello");
	tls_client_expect(ssl, "hello");
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		expect_how("handshake");
		client_expect_gone(fds[i]);
		close(fds[i]);
	}
	tls_client_say(ssl, "still here");
	tls_client_expect(ssl, "still here");
	tls_client_close(ssl);
	expect_refused(100);
} END_TEST

START_TEST(an_old_version_is_refused)
{
	SSL *ssl;

	start("type = \"echo\";", "");
	ssl = tls_client_new(client_connect(daemon_address(&d, "s", 0)),
	                     &(struct tls_client_wish){ .version = TLS1_1_VERSION });
	SSL_set_security_level(ssl, 0);
	ck_assert(!tls_client_shake_hands(ssl));
	harness_contains(ERR_reason_error_string(ERR_peek_last_error()), "protocol version");
	expect_how("tls");
	harness_contains(log_lines(), " tls_error=unsupported-protocol ");
	tls_client_close(ssl);
} END_TEST

/* ---- sessions and reloads ----------------------------------------------- */

START_TEST(a_session_is_resumed_by_the_same_worker)
{
	struct tls_client_wish again = good;
	SSL *ssl;

	start("type = \"echo\";", "");
	ssl = connect_good();
	tls_client_say(ssl, "hello");
	tls_client_expect(ssl, "hello");
	again.session = SSL_get1_session(ssl);
	tls_client_end(ssl);
	tls_client_close(ssl);
	expect_how("closed");
	ssl = tls_client_connect(daemon_address(&d, "s", 0), &again);
	ck_assert_int_eq(SSL_session_reused(ssl), 1);
	tls_client_end(ssl);
	expect_how("closed");
	harness_contains(log_lines(), " resumed=yes ");
	SSL_SESSION_free(again.session);
	tls_client_close(ssl);
} END_TEST

static bool shows(SSL *ssl, const char *name)
{
	X509 *x = SSL_get1_peer_certificate(ssl);
	const bool does = X509_check_host(x, name, 0, 0, NULL) == 1;

	X509_free(x);
	return does;
}

START_TEST(a_reload_takes_a_new_certificate_and_keeps_connections)
{
	const struct tls_client_wish any = { .trusts = "ca" };
	SSL *before_it, *after_it;

	start("type = \"echo\";", "");
	before_it = connect_good();
	certificate_issue("s", &(struct certificate_wish){ .issued_by = "ca", .names = "DNS:new.example" });
	daemon_signal(&d, SIGHUP);
	daemon_wait_for(&d, "reload-done");
	/* For a moment, the worker before may accept as well. */
	while (after_it = tls_client_connect(daemon_address(&d, "s", 0), &any), !shows(after_it, "new.example"))
		tls_client_close(after_it);
	ck_assert(shows(before_it, "s.example"));
	tls_client_say(before_it, "hello");
	tls_client_expect(before_it, "hello");
	tls_client_close(before_it);
	tls_client_close(after_it);
} END_TEST

static void add_handlers(Suite *s)
{
	TCase *tc = harness_case(s, "handlers");

	tcase_add_checked_fixture(tc, before, NULL);
	tcase_add_test(tc, an_echo_is_logged_with_its_tls);
	tcase_add_test(tc, services_have_the_times_of_handshakes_and_answers);
	tcase_add_test(tc, a_program_knows_of_its_client);
	tcase_add_loop_test(tc, the_end_of_a_clients_bytes_reaches_the_program, 0, ARRAY_SIZE(sorts));
	harness_add_if(process_is_installed("python3"), "python3 is not installed", tc,
	               the_end_of_a_programs_bytes_reaches_the_client);
	tcase_add_test(tc, a_client_that_cuts_off_a_program_is_logged_with_its_tls);
	tcase_add_test(tc, an_idle_program_is_ended);
	tcase_add_test(tc, a_program_knows_the_certificate_of_its_client);
	tcase_add_test(tc, a_filter_knows_the_name_of_its_client);
	tcase_add_test(tc, a_filter_answers_requests);
	tcase_add_test(tc, a_request_that_is_cut_off_is_not_served);
	tcase_add_test(tc, a_listener_may_be_without_tls);
	tcase_add_test(tc, many_connect_over_a_unix_socket);
	tcase_add_test(tc, a_session_is_resumed_by_the_same_worker);
	tcase_add_test(tc, a_reload_takes_a_new_certificate_and_keeps_connections);
	tc = harness_case(s, "many");
	tcase_add_checked_fixture(tc, before, NULL);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, two_hundred_clients_get_each_byte_back, 0, ARRAY_SIZE(echoes));
	tc = harness_case(s, "failures");
	tcase_add_checked_fixture(tc, before, NULL);
	tcase_add_test(tc, plain_http_is_refused_and_logged);
	tcase_add_test(tc, clients_that_stop_cost_nobody_else);
	tcase_add_test(tc, an_old_version_is_refused);
}

int main(void)
{
	Suite *s = suite_create("tls");

	add_handlers(s);
	return harness_run(s);
}
