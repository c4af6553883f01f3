/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * drover-bench with --tls against openssl s_server, and against servers of the test's own, which
 * do what a good server does not.
 */
#include <config.h>
#include "bench_harness.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../certificates.h"
#include "tls_server.h"
#include "turn.h"

/* Each test has an authority, another one, and certificates of the first. */
static void before(void)
{
	ck_assert_int_eq(chdir(files_path(".")), 0);
	certificate_issue("ca", &(struct certificate_wish){ .is_ca = true });
	certificate_issue("other", &(struct certificate_wish){ .is_ca = true });
	certificate_issue("s", &(struct certificate_wish){
		.issued_by = "ca", .names = "DNS:localhost,DNS:s.example,IP:127.0.0.1" });
}

static const char *start(void (*serve)(SSL *ssl))
{
	return tls_server_start(&(struct tls_server_wish){ .serve = serve, .name = "s" });
}

/* Runs it with --tls, an address and more arguments, which end in NULL. Returns its status. */
static int run_tls(const char *address, const char *const *more)
{
	const char *args[16] = { "--tls", address };
	size_t n = 2;

	while (*more && n < ARRAY_SIZE(args) - 1)
		args[n++] = *more++;
	return bench_run_args(args);
}

/* Also that each answer came with a handshake or with one before. */
static void check_good(int status, double operations)
{
	ck_assert_msg(status == 0, "%s\n%s", bench.said, bench_errors());
	bench_check_figures(operations, 0);
	ck_assert_double_gt(bench_figure("handshake_usec", "min"), 0);
}

/* ---- operations --------------------------------------------------------- */

/* Without those of the warm-up, which these have not, handshakes are connections. */
static const struct { const char *name, *args[10]; double operations, handshakes; } good[] = {
	{ "ping-pong", { "-n4", "-k200" }, 200, 4 },
	{ "ping-pong in threads", { "-n5", "-t2", "-k200" }, 200, 5 },
	{ "more than a record", { "-n2", "-k50", "--size=100k" }, 50, 2 },
	{ "connect", { "-mconnect", "-n4", "-k200" }, 200, 200 },
	{ "connect in threads", { "-mconnect", "-n5", "-t3", "-k200" }, 200, 200 },
	{ "connect, to the end", { "-mconnect", "-n4", "-k200", "--answer=eof", "--echo" }, 200, 200 },
	{ "to the end, after more than a record",
	  { "-mconnect", "-n4", "-k20", "--answer=eof", "--echo", "--size=100k" }, 20, 20 },
	{ "open-loop", { "-mopen-loop", "-n4", "-k200", "-r5000" }, 200, 4 },
	{ "open-loop, new connections",
	  { "-mopen-loop", "-n4", "-k200", "-r5000", "--new-connections" }, 200, 200 },
	{ "lines", { "-n2", "-k200", "--answer=line", "--echo" }, 200, 2 },
	{ "netstrings",
	  { "-n2", "-k200", "--answer=netstring", "--message=hello", "--expect=hello" }, 200, 2 },
	{ "lengths", { "-n2", "-k200", "--answer=length32", "--echo", "--size=100" }, 200, 2 },
};

static const struct { int version; bool on_unix; } ways[] = {
	{ TLS1_3_VERSION, false }, { TLS1_2_VERSION, false }, { TLS1_3_VERSION, true },
};

START_TEST(all_modes_and_framings_work)
{
	const size_t row = (size_t)_i / ARRAY_SIZE(ways), way = (size_t)_i % ARRAY_SIZE(ways);
	const char *address = tls_server_start(&(struct tls_server_wish){
		.serve = tls_server_echo, .name = "s", .version = ways[way].version,
		.on_unix = ways[way].on_unix });

	files_write("row", "%s to %s\n", good[row].name, address);
	check_good(run_tls(address, good[row].args), good[row].operations);
	ck_assert_double_eq(bench_figure(NULL, "handshakes"), good[row].handshakes);
	ck_assert_double_eq(bench_figure(NULL, "connections_opened"), good[row].handshakes);
	ck_assert_double_eq(bench_figure(NULL, "bytes_sent"), bench_figure(NULL, "bytes_received"));
	ck_assert_double_eq(bench_figure(NULL, "resumed"), 0);
	harness_contains(bench.said, ways[way].version == TLS1_2_VERSION ? "\"TLSv1.2\"" : "\"TLSv1.3\"");
	ck_assert_str_eq(bench_errors(), "");
} END_TEST

static void say_much(SSL *ssl)
{
	static char bytes[100000];

	while (SSL_write(ssl, bytes, sizeof bytes) > 0)
		;
}

static void only_read(SSL *ssl)
{
	tls_server_drain(ssl);
}

/* The sockets of the server have room for little, so that both sides have to wait often. */
START_TEST(streams_go_each_way)
{
	static const struct { void (*serve)(SSL *ssl); const char *args[3]; } rows[] = {
		{ tls_server_echo, { "--echo" } },
		{ only_read, { "--stream=send" } },
		{ say_much, { "--stream=receive" } },
	};
	const char *address = tls_server_start(&(struct tls_server_wish){
		.serve = rows[_i / 2].serve, .name = "s", .buffer = _i % 2 ? 4096 : 0 });

	ck_assert_msg(RUN("--tls", "-mstream", "-n2", "-k20000", address, rows[_i / 2].args[0]) == 0, "%s\n%s",
	              bench.said, bench_errors());
	bench_check_figures(20000, 0);
	ck_assert_double_ge(bench_figure(NULL, "bytes_received") + bench_figure(NULL, "bytes_sent"),
	                    64 * 20000);
} END_TEST

START_TEST(a_large_request_waits_for_room)
{
	const char *address = tls_server_start(&(struct tls_server_wish){
		.serve = tls_server_echo, .name = "s", .buffer = 4096 });

	check_good(RUN("--tls", "-n2", "-k6", "--size=300k", "-T60", address), 6);
	check_good(RUN("--tls", "-n2", "-k6", "--size=300k", "-T60", "-mconnect", "--answer=eof", "--echo",
	               address), 6);
} END_TEST

/* The server speaks first, in the same flight as its end of the handshake. */
static void say_line(SSL *ssl)
{
	SSL_write(ssl, "hello\n", 6);
	SSL_shutdown(ssl);
	tls_server_drain(ssl);
}

START_TEST(an_answer_may_come_with_the_handshake)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	const char *address = tls_server_start(&(struct tls_server_wish){
		.serve = say_line, .name = "s", .version = versions[_i] });

	check_good(RUN("--tls", "-mconnect", "-k20", "--size=0", "--answer=eof", "--expect=hello\\n", address),
	           20);
} END_TEST

START_TEST(connections_can_be_held)
{
	const char *address = start(tls_server_echo);

	START("--tls", "--gate", "-mhold", "-n8", address);
	bench_expect_line("begin\n");
	bench_say_line();
	bench_expect_line("end\n");
	bench_say_line();
	check_good(bench_join(), 0);
	ck_assert_double_eq(bench_figure(NULL, "handshakes"), 8);
	check_good(RUN("--tls", "-mhold", "-n3", "-d50ms", "--size=9", address), 0);
} END_TEST

static bool take_proxy_header(int fd)
{
	char byte = 0;

	while (byte != '\n')
		if (recv(fd, &byte, 1, 0) != 1)
			return false;
	return true;
}

START_TEST(the_proxy_header_comes_before_tls)
{
	const char *address = tls_server_start(&(struct tls_server_wish){
		.serve = tls_server_echo, .greet = take_proxy_header, .name = "s" });

	check_good(RUN("--tls", "--proxy=v1", "-mconnect", "-k5", address), 5);
} END_TEST

/* ---- sessions ----------------------------------------------------------- */

/* Those that are opened before there is a session have full handshakes. */
START_TEST(sessions_are_resumed)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	const char *address = tls_server_start(&(struct tls_server_wish){
		.serve = tls_server_echo, .name = "s", .version = versions[_i] });

	check_good(RUN("--tls", "--resume", "-mconnect", "-k50", address), 50);
	ck_assert_double_eq(bench_figure(NULL, "handshakes"), 50);
	ck_assert_double_eq(bench_figure(NULL, "resumed"), 49);
	ck_assert_double_eq(bench_figure(NULL, "resumed_share"), .98);
	check_good(RUN("--tls", "--resume", "-mconnect", "-n4", "-k50", address), 50);
	ck_assert_double_ge(bench_figure(NULL, "resumed"), 46);
} END_TEST

START_TEST(a_server_may_refuse_to_resume)
{
	const char *address = tls_server_start(&(struct tls_server_wish){
		.serve = tls_server_echo, .name = "s", .without_tickets = true });

	check_good(RUN("--tls", "--resume", "-mconnect", "-k20", address), 20);
	ck_assert_double_eq(bench_figure(NULL, "resumed"), 0);
} END_TEST

/* ---- certificates ------------------------------------------------------- */

static const struct { const char *args[5]; } valid[] = {
	{ { "--ca=ca.pem" } },
	{ { "--ca=ca.pem", "--sni=s.example" } },
	{ { "--ca=ca.pem", "--sni=" } },
	{ { "--tls-version=1.2" } },
	{ { "--sni=elsewhere.example" } },
};

START_TEST(a_valid_certificate_is_accepted)
{
	check_good(run_tls(start(tls_server_echo), (const char *const[]){ "-k3", valid[_i].args[0],
	           valid[_i].args[1], NULL }), 3);
} END_TEST

static const struct { const char *server, *args[3], *reason; } invalid[] = {
	{ "s", { "--ca=other.pem" }, "unable to get local issuer certificate" },
	{ "s", { "--ca=ca.pem", "--sni=elsewhere.example" }, "hostname mismatch" },
	{ "address", { "--ca=ca.pem" }, "IP address mismatch" },
	{ "expired", { "--ca=ca.pem" }, "certificate has expired" },
	{ "early", { "--ca=ca.pem" }, "certificate is not yet valid" },
	{ "alone", { "--ca=ca.pem" }, "self-signed certificate" },
};

START_TEST(an_invalid_certificate_is_an_error_with_its_reason)
{
	const char *address;

	certificate_issue("address", &(struct certificate_wish){ .issued_by = "ca", .names = "IP:127.0.0.2" });
	certificate_issue("alone", &(struct certificate_wish){ .names = "IP:127.0.0.1" });
	certificate_issue("expired", &(struct certificate_wish){ .issued_by = "ca", .names = "IP:127.0.0.1",
		.from = FROM_NOW(-9 * CERTIFICATES_DAY), .to = FROM_NOW(-CERTIFICATES_DAY) });
	certificate_issue("early", &(struct certificate_wish){ .issued_by = "ca", .names = "IP:127.0.0.1",
		.from = FROM_NOW(CERTIFICATES_DAY), .to = FROM_NOW(9 * CERTIFICATES_DAY) });
	address = tls_server_start(&(struct tls_server_wish){ .serve = tls_server_echo,
	                                                      .name = invalid[_i].server });
	ck_assert_int_eq(RUN("--tls", "-mconnect", "-k3", address, invalid[_i].args[0],
	                     invalid[_i].args[1]), 69);
	ck_assert_msg(bench_figure("errors_by_kind", "certificate") == 3, "%s", bench.said);
	bench_check_figures(0, 3);
	harness_contains(bench.said, invalid[_i].reason);
	ck_assert_double_eq(bench_figure(NULL, "handshakes"), 0);
} END_TEST

START_TEST(a_client_can_show_a_certificate)
{
	const char *address = tls_server_start(&(struct tls_server_wish){
		.serve = tls_server_echo, .name = "s", .client_ca = "ca.pem" });
	struct certificate *me;

	certificate_issue("me", &(struct certificate_wish){ .issued_by = "ca" });
	check_good(RUN("--tls", "-n2", "-k4", "--cert=me.pem", "--key=me.key", address), 4);
	me = certificate_read_pair("me");
	certificate_write_with_key("both.pem", me);
	certificate_free(me);
	check_good(RUN("--tls", "-k4", "--cert=both.pem", address), 4);
} END_TEST

/* With TLS 1.3 the client has finished its handshake, and sent a request, before it is refused. */
START_TEST(a_refused_client_gets_an_alert)
{
	static const struct { int version; const char *args[2], *reason; int status; } rows[] = {
		{ TLS1_2_VERSION, { NULL }, "handshake failure", 69 },
		{ TLS1_3_VERSION, { NULL }, "certificate required", 1 },
		{ TLS1_2_VERSION, { "--cert=x.pem", "--key=x.key" }, "unknown ca", 69 },
		{ TLS1_3_VERSION, { "--cert=x.pem", "--key=x.key" }, "unknown ca", 1 },
	};
	const char *address = tls_server_start(&(struct tls_server_wish){ .serve = tls_server_echo,
		.name = "s", .client_ca = "ca.pem", .version = rows[_i].version });

	certificate_issue("x", &(struct certificate_wish){ .issued_by = "other" });
	ck_assert_int_eq(RUN("--tls", "-mconnect", "-k9", address, rows[_i].args[0], rows[_i].args[1]),
	                 rows[_i].status);
	ck_assert_msg(bench_figure("errors_by_kind", "alert") == 9, "%s", bench.said);
	bench_check_figures(0, 9);
	harness_contains(bench.said, rows[_i].reason);
} END_TEST

START_TEST(no_common_version_is_an_alert)
{
	const char *address = tls_server_start(&(struct tls_server_wish){
		.serve = tls_server_echo, .name = "s", .version = TLS1_2_VERSION });

	ck_assert_int_eq(RUN("--tls", "--tls-version=1.3", "-mconnect", "-k2", address), 69);
	ck_assert_double_eq(bench_figure("errors_by_kind", "alert"), 2);
	harness_contains(bench.said, "protocol version");
} END_TEST

/* ---- servers that do wrong ---------------------------------------------- */

static void cut_after_the_answer(SSL *ssl)
{
	char buf[4096];
	int n;

	while ((n = SSL_read(ssl, buf, sizeof buf)) > 0)
		SSL_write(ssl, buf, n);
}

static void cut_in_the_answer(SSL *ssl)
{
	char buf[4096];
	const int n = SSL_read(ssl, buf, sizeof buf);

	if (n > 1)
		SSL_write(ssl, buf, n / 2);
}

static void end_in_the_answer(SSL *ssl)
{
	cut_in_the_answer(ssl);
	SSL_shutdown(ssl);
}

static void answer_wrong(SSL *ssl)
{
	char buf[4096];
	int n;

	while ((n = SSL_read(ssl, buf, sizeof buf)) > 0) {
		buf[n - 1] ^= 1;
		SSL_write(ssl, buf, n);
	}
}

static void say_too_much(SSL *ssl)
{
	char buf[4096] = "";
	int n;

	while ((n = SSL_read(ssl, buf, sizeof buf - 1)) > 0)
		SSL_write(ssl, buf, n + 1);
}

static void say_nothing(SSL *ssl)
{
	tls_server_drain(ssl);
}

/*
 * Bytes that are no record, after a good handshake: the type of one, without its version. With another
 * type, it depends on the release of OpenSSL which of both it complains about.
 */
static void say_garbage(SSL *ssl)
{
	char buf[4096];

	SSL_read(ssl, buf, sizeof buf);
	send(SSL_get_fd(ssl), "\027his is no record, and long", 27, MSG_NOSIGNAL);
	tls_server_drain(ssl);
}

static bool greet_in_plain(int fd)
{
	send(fd, "220 mail.example ESMTP\r\n", 24, MSG_NOSIGNAL);
	return recv(fd, (char[4096]){ 0 }, 4096, 0) > 0 && recv(fd, (char[4096]){ 0 }, 4096, 0) > 0;
}

static bool close_at_once(int fd)
{
	return recv(fd, (char[4096]){ 0 }, 4096, 0) < 0;
}

static bool stop_there(int fd)
{
	while (recv(fd, (char[4096]){ 0 }, 4096, 0) > 0)
		;
	return false;
}

/* It depends on whether the machine is so busy that the handshake takes too long. */
#define ANY_STATUS (-1)

static const struct {
	const char *kind;
	void      (*serve)(SSL *ssl);
	bool      (*greet)(int fd);
	const char *args[6], *reason;
	int         status;
} bad[] = {
	{ "no-close-notify", cut_after_the_answer, NULL, { "-mconnect", "--answer=eof", "--echo" }, NULL, 1 },
	{ "early-end", cut_in_the_answer, NULL, { "-mconnect" }, NULL, 1 },
	{ "early-end", end_in_the_answer, NULL, { "-mconnect" }, NULL, 1 },
	{ "early-end", end_in_the_answer, NULL, { "-n1" }, NULL, 1 },
	{ "wrong-answer", answer_wrong, NULL, { "-n2" }, NULL, 1 },
	{ "unasked", say_too_much, NULL, { "-n1" }, NULL, 1 },
	{ "timeout", say_nothing, NULL, { "-mconnect", "-T50ms", "-n2" }, NULL, ANY_STATUS },
	{ "tls", say_garbage, NULL, { "-n1" }, "wrong version number", 1 },
	{ "tls", tls_server_echo, greet_in_plain, { "-mconnect" }, "wrong version number", 69 },
	{ "early-end", tls_server_echo, close_at_once, { "-mconnect" }, "in the handshake", 69 },
	{ "timeout", tls_server_echo, stop_there, { "-mconnect", "-T50ms" }, NULL, 69 },
};

START_TEST(what_is_wrong_has_a_kind)
{
	int status;
	const char *address = tls_server_start(&(struct tls_server_wish){
		.serve = bad[_i].serve, .greet = bad[_i].greet, .name = "s" });

	status = RUN("--tls", "-k5", address, bad[_i].args[0], bad[_i].args[1], bad[_i].args[2]);
	ck_assert_msg(status == bad[_i].status || bad[_i].status == ANY_STATUS, "%s\n%s", bench.said,
	              bench_errors());
	ck_assert_msg(bench_figure("errors_by_kind", bad[_i].kind) == 5, "%s", bench.said);
	bench_check_figures(0, 5);
	if (bad[_i].reason)
		harness_contains(bench.said, bad[_i].reason);
} END_TEST

/* ---- files -------------------------------------------------------------- */

static const struct { const char *args[3], *says; } files[] = {
	{ { "--ca=nowhere.pem" }, "--ca nowhere.pem: No such file or directory" },
	{ { "--ca=s.key" }, "--ca s.key: no certificate or crl found" },
	{ { "--cert=nowhere.pem" }, "--cert nowhere.pem: No such file or directory" },
	{ { "--cert=s.key" }, "--cert s.key: it has no certificate in PEM" },
	{ { "--cert=s.pem" }, "--cert s.pem: it has no private key in PEM" },
	{ { "--cert=s.pem", "--key=nowhere.key" }, "--key nowhere.key: No such file or directory" },
	{ { "--cert=s.pem", "--key=ca.key" }, "--key ca.key: key values mismatch" },
	{ { "--cert=s.pem", "--key=s.encrypted.key" }, "--key s.encrypted.key: the private key is encrypted" },
};

START_TEST(a_file_that_is_wrong_is_named)
{
	struct certificate *c = certificate_read_pair("s");

	certificate_write_encrypted_key("s.encrypted.key", c);
	certificate_free(c);
	ck_assert_int_eq(RUN("--tls", "127.0.0.1:7", files[_i].args[0], files[_i].args[1]), 64);
	ck_assert_uint_eq(files_count(bench_errors(), "\n"), 1);
	harness_contains(bench_errors(), files[_i].says);
} END_TEST

/* ---- openssl s_server --------------------------------------------------- */

static pid_t s_server;

/*
 * Starts a server that answers each line with its letters in reverse order, and has one client at
 * a time. Returns its address: it writes "ACCEPT 127.0.0.1:PORT".
 */
static const char *s_server_start(const char *option, const char *value)
{
	char line[64];
	int out[2];
	FILE *f;

	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
	s_server = fork();
	if (s_server == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(out[1], STDOUT_FILENO);
		execlp("openssl", "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", "s.pem", "-key",
		       "s.key", "-rev", option, value, (char *)NULL);
		_exit(127);
	}
	close(out[1]);
	turn_until_ready(out[0], POLLIN);
	f = fdopen(out[0], "r");        /* stays open, because it writes more */
	do
		ck_assert_msg(fgets(line, sizeof line, f), "openssl s_server has ended");
	while (strncmp(line, "ACCEPT ", 7) != 0);
	line[strcspn(line, "\n")] = '\0';
	return files_text("%s", line + 7);
}

static void s_server_stop(void)
{
	if (s_server > 0)
		kill(s_server, SIGKILL);
	s_server = 0;
}

START_TEST(openssl_is_a_server)
{
	const char *address = s_server_start(_i ? "-tls1_2" : "-tls1_3", NULL);

	check_good(RUN("--tls", "--ca=ca.pem", "--answer=line", "--message=abc", "--expect=cba", "-mconnect",
	               "-k20", address), 20);
	ck_assert_double_eq(bench_figure(NULL, "resumed"), 0);
	check_good(RUN("--tls", "--resume", "--answer=line", "--message=abc", "--expect=cba", "-mconnect",
	               "-k20", address), 20);
	ck_assert_double_eq(bench_figure(NULL, "resumed"), 19);
	check_good(RUN("--tls", "--answer=line", "--message=abc", "--expect=cba", "-k20", address), 20);
	ck_assert_double_eq(bench_figure(NULL, "handshakes"), 1);
} END_TEST

START_TEST(openssl_sends_alerts)
{
	const char *address = s_server_start("-tls1_2", NULL);

	ck_assert_int_eq(RUN("--tls", "--tls-version=1.3", "-mconnect", "-k2", address), 69);
	ck_assert_double_eq(bench_figure("errors_by_kind", "alert"), 2);
} END_TEST

/* ---- droverd ------------------------------------------------------------ */

static struct daemon d;

static const char *start_droverd(const char *more)
{
	daemon_start(&d, "services = { e = { listen = [ \"127.0.0.1:0\", \"unix:%s\" ]; workers = 2;"
	             " tls = { chain = \"%s\"; key = \"%s\"; %s }; handler = { type = \"echo\"; }; }; };\n",
	             files_path("e.sock"), files_path("s.pem"), files_path("s.key"), more);
	return daemon_address(&d, "e", 0);
}

START_TEST(all_modes_work_with_droverd)
{
	const char *address;

	start_droverd("");
	address = daemon_address(&d, "e", (size_t)_i % 2);
	check_good(run_tls(address, good[_i / 2].args), good[_i / 2].operations);
	ck_assert_double_eq(bench_figure(NULL, "handshakes"), good[_i / 2].handshakes);
	ck_assert_str_eq(bench_errors(), "");
} END_TEST

START_TEST(streams_go_through_droverd)
{
	check_good(RUN("--tls", "-mstream", "-n2", "-k20000", "--echo", start_droverd("")), 20000);
} END_TEST

/* Whichever of the two workers gave the session. */
START_TEST(droverd_resumes_sessions)
{
	static const char *const versions[] = { "--tls-version=1.2", "--tls-version=1.3" };
	const char *address = start_droverd("");

	check_good(RUN("--tls", "--resume", "-mconnect", "-k40", "--ca=ca.pem", versions[_i], address), 40);
	ck_assert_double_eq(bench_figure(NULL, "resumed"), 39);
} END_TEST

START_TEST(droverd_without_tickets_resumes_nothing)
{
	static const char *const versions[] = { "--tls-version=1.2", "--tls-version=1.3" };
	const char *address = start_droverd("tickets = false;");

	check_good(RUN("--tls", "--resume", "-mconnect", "-k20", versions[_i], address), 20);
	ck_assert_double_eq(bench_figure(NULL, "resumed"), 0);
} END_TEST

/* A program that writes and ends: the end of the answer is a close_notify. */
START_TEST(programs_of_droverd_end_with_close_notify)
{
	daemon_start(&d, "services = { p = { listen = \"127.0.0.1:0\"; workers = 1;"
	             " tls = { chain = \"%s\"; key = \"%s\"; };"
	             " handler = { type = \"exec\"; argv = [ \"/bin/cat\" ]; }; }; };\n",
	             files_path("s.pem"), files_path("s.key"));
	check_good(RUN("--tls", "-mconnect", "-n2", "-k10", "--answer=eof", "--echo", "--size=100k",
	               daemon_address(&d, "p", 0)), 10);
} END_TEST

int main(void)
{
	const int n_good = ARRAY_SIZE(good) * ARRAY_SIZE(ways);
	Suite *s = suite_create("bench_tls");
	TCase *tc = harness_case(s, "operations");

	signal(SIGPIPE, SIG_IGN);
	tcase_add_checked_fixture(tc, before, tls_server_stop);
	tcase_add_loop_test(tc, all_modes_and_framings_work, 0, n_good);
	tcase_add_loop_test(tc, streams_go_each_way, 0, 6);
	tcase_add_test(tc, a_large_request_waits_for_room);
	tcase_add_loop_test(tc, an_answer_may_come_with_the_handshake, 0, 2);
	tcase_add_test(tc, connections_can_be_held);
	tcase_add_test(tc, the_proxy_header_comes_before_tls);
	tcase_add_loop_test(tc, sessions_are_resumed, 0, 2);
	tcase_add_test(tc, a_server_may_refuse_to_resume);

	tc = harness_case(s, "errors");
	tcase_add_checked_fixture(tc, before, tls_server_stop);
	tcase_add_loop_test(tc, a_valid_certificate_is_accepted, 0, ARRAY_SIZE(valid));
	tcase_add_loop_test(tc, an_invalid_certificate_is_an_error_with_its_reason, 0, ARRAY_SIZE(invalid));
	tcase_add_test(tc, a_client_can_show_a_certificate);
	tcase_add_loop_test(tc, a_refused_client_gets_an_alert, 0, 4);
	tcase_add_test(tc, no_common_version_is_an_alert);
	tcase_add_loop_test(tc, what_is_wrong_has_a_kind, 0, ARRAY_SIZE(bad));
	tcase_add_loop_test(tc, a_file_that_is_wrong_is_named, 0, ARRAY_SIZE(files));

	tc = harness_case(s, "droverd");
	tcase_add_checked_fixture(tc, before, NULL);
	tcase_add_loop_test(tc, all_modes_work_with_droverd, 0, 2 * ARRAY_SIZE(good));
	tcase_add_test(tc, streams_go_through_droverd);
	tcase_add_loop_test(tc, droverd_resumes_sessions, 0, 2);
	tcase_add_loop_test(tc, droverd_without_tickets_resumes_nothing, 0, 2);
	tcase_add_test(tc, programs_of_droverd_end_with_close_notify);

	tc = harness_case(s, "openssl");
	tcase_add_checked_fixture(tc, before, s_server_stop);
	for (int i = 0; i < 2; i++)
		if (process_is_installed("openssl"))
			tcase_add_loop_test(tc, openssl_is_a_server, i, i + 1);
		else
			harness_skip(openssl_is_a_server->name, "openssl is not installed");
	harness_add_if(process_is_installed("openssl"), "openssl is not installed", tc, openssl_sends_alerts);
	return harness_run(s);
}
