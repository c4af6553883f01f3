/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Connections over TLS with built-in handlers: what comes before the handler, what it gets, and
 * how they end.
 */
#include <config.h>
#include "connection.h"

#include "connection_harness.h"
#include "fd.h"
#include "tls_harness.h"

#define HEADER "PROXY TCP4 192.0.2.7 192.0.2.1 40312 7007\r\n"

static SSL *ssl;
static int fd;

static void set_up_tls(void)
{
	set_up();
	service.timeouts.handshake = 3000;
	tls_set_up();
	worker.tls = tls_context;
	anywhere = (struct conf_listen){ .tls = true };
	fd = -1;
}

static void tear_down_tls(void)
{
	SSL_free(ssl);
	fd_close(&fd);
	ssl = NULL;
	tear_down();
	tls_tear_down();
}

/* ---- clients ------------------------------------------------------------ */

/* Of both kinds of sockets; the handshake has not begun. */
static void connect_kind(int kind, enum handler_id id)
{
	fd = kind == 0 ? connect_pair(id) : connect_tcp(id);
	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	ssl = tls_make_client(fd, 0, "a.example");
}

static void shake_hands(void)
{
	for (int i = 0; i < 200 && SSL_do_handshake(ssl) != 1; i++) {
		ck_assert_int_ne(SSL_get_error(ssl, -1), SSL_ERROR_SSL);
		turn();
	}
	ck_assert(SSL_is_init_finished(ssl));
	turn();
}

static void connect_tls(int kind, enum handler_id id)
{
	connect_kind(kind, id);
	shake_hands();
}

static void ssl_say(const char *bytes, size_t len)
{
	size_t sent = 0;

	while (sent < len) {
		const int n = SSL_write(ssl, bytes + sent, (int)(len - sent));

		unit_require(n > 0 || SSL_get_error(ssl, n) == SSL_ERROR_WANT_WRITE);
		sent += n > 0 ? (size_t)n : 0;
		if (sent < len)
			turn();
	}
}

/* What comes until `len` bytes are there or nothing comes for some turns. */
static size_t ssl_hear(char *bytes, size_t len)
{
	size_t got = 0;

	for (int idle = 0; got < len && idle < 100; turn()) {
		const int n = SSL_read(ssl, bytes + got, (int)(len - got));

		got += n > 0 ? (size_t)n : 0;
		idle = n > 0 ? 0 : idle + 1;
		if (n <= 0 && SSL_get_error(ssl, n) != SSL_ERROR_WANT_READ)
			break;
	}
	return got;
}

static void expect_heard(const char *text)
{
	char bytes[64] = "";

	ck_assert_uint_eq(ssl_hear(bytes, strlen(text)), strlen(text));
	ck_assert_str_eq(bytes, text);
}

/* The server has said that it sends no more. */
static void expect_notice(void)
{
	char byte;
	int n = -1;

	for (int i = 0; i < 100 && n < 0; i++) {
		n = SSL_read(ssl, &byte, 1);
		if (n < 0)
			ck_assert_int_eq(SSL_get_error(ssl, n), SSL_ERROR_WANT_READ);
		turn();
	}
	ck_assert_int_eq(n, 0);
	ck_assert_int_eq(SSL_get_error(ssl, n), SSL_ERROR_ZERO_RETURN);
}

/* The kernel's TCP waits at times. */
static void turn_with_time(void)
{
	loop_timer(&worker.loop, &tick, 1);
	loop_run(&worker.loop);
}

static void until_ended(void)
{
	for (int i = 0; i < 100 && worker.n_open > 0; i++)
		turn();
}

static uint64_t n_refused(void)
{
	return atomic_load(&worker.slot->refused_tls);
}

static struct histogram handshakes(void)
{
	struct board_worker_view v;

	board_view(memory.board, 0, &v);
	return v.handshake;
}

/* ---- before the handler ------------------------------------------------- */

START_TEST(the_handler_gets_the_bytes)
{
	connect_kind(_i, HANDLER_ID_echo);
	ck_assert_int_eq(newest()->state, CONNECTION_HANDSHAKE);
	ck_assert_uint_eq(atomic_load(&newest()->record->phase), BOARD_PHASE_HANDSHAKE);
	shake_hands();
	ck_assert_int_eq(newest()->state, CONNECTION_READ);
	ssl_say("hello", 5);
	expect_heard("hello");
	SSL_shutdown(ssl);
	expect_notice();
	expect_end("closed");
	ck_assert_str_eq(logged(0, "in"), "5");
	ck_assert_str_eq(logged(0, "out"), "5");
	ck_assert_str_eq(logged(0, "tls"), SSL_get_version(ssl));
	ck_assert_str_eq(logged(0, "cipher"), SSL_get_cipher(ssl));
	ck_assert_str_eq(logged(0, "sni"), "a.example");
	ck_assert_str_eq(logged(0, "resumed"), "no");
	ck_assert_str_eq(logged(0, "tls_error"), "(nothing)");
	ck_assert_uint_eq(n_refused(), 0);
} END_TEST

/* Bytes that come with the end of the handshake are not reported again by the socket. */
START_TEST(bytes_right_behind_the_handshake_are_served)
{
	connect_kind(_i, HANDLER_ID_echo);
	while (SSL_do_handshake(ssl) != 1)
		turn();
	ssl_say("hello", 5);
	expect_heard("hello");
} END_TEST

/* Its time is that of the handshake, not of what comes before it. */
START_TEST(the_board_keeps_how_long_a_handshake_took)
{
	struct histogram h;

	connect_kind(_i, HANDLER_ID_echo);
	newest()->opened_ms -= 2500;
	newest()->handshake_ms -= 300;
	shake_hands();
	ssl_say("hello", 5);
	expect_heard("hello");
	h = handshakes();
	ck_assert_uint_eq(histogram_count(&h), 1);
	ck_assert_uint_ge(h.sum_ms, 300);
	ck_assert_uint_lt(h.sum_ms, 2500);
	ck_assert_uint_eq(h.buckets[histogram_bucket((int64_t)h.sum_ms)], 1);
} END_TEST

static void expect_header(void)
{
	anywhere.proxy = PROXY_ANY;
	anywhere.proxies = NULL;
	peer = (struct endpoint){ .family = AF_UNIX };
}

START_TEST(a_proxy_header_comes_before_tls)
{
	expect_header();
	connect_kind(0, HANDLER_ID_echo);
	for (size_t i = 0; i < strlen(HEADER); i++) {
		ck_assert_int_eq(write(fd, &HEADER[i], 1), 1);
		turn();
	}
	shake_hands();
	ssl_say("hello", 5);
	expect_heard("hello");
	SSL_shutdown(ssl);
	expect_notice();
	expect_end("closed");
	ck_assert_str_eq(logged(0, "peer"), "192.0.2.7:40312");
	ck_assert_str_eq(logged(0, "sni"), "a.example");
} END_TEST

/* The BIO of the client is written behind the header. */
START_TEST(the_hello_may_come_together_with_the_header)
{
	expect_header();
	connect_kind(0, HANDLER_ID_echo);
	ck_assert_int_eq(write(fd, HEADER, strlen(HEADER)), (ssize_t)strlen(HEADER));
	shake_hands();
	ssl_say("hello", 5);
	expect_heard("hello");
} END_TEST

START_TEST(a_listener_without_tls_is_as_before)
{
	int client;

	anywhere.tls = false;
	client = connect_pair(HANDLER_ID_echo);
	say(client, "hello");
	turn();
	ck_assert_str_eq(hear(client), "hello");
	close(client);
	turns(2);
	expect_end("closed");
	ck_assert_str_eq(logged(0, "tls"), "(nothing)");
} END_TEST

/* ---- failed handshakes -------------------------------------------------- */

START_TEST(a_failed_handshake_is_counted_and_logged)
{
	struct histogram h;
	char bytes[64];

	connect_kind(_i, HANDLER_ID_echo);
	say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	until_ended();
	expect_end("tls");
	ck_assert_str_eq(logged(0, "tls_error"), "http-request");
	ck_assert_str_eq(logged(0, "tls"), "(nothing)");
	ck_assert_uint_eq(n_refused(), 1);
	h = handshakes();
	ck_assert_uint_eq(histogram_count(&h), 0);
	/* It reads the alert and the end, not an error, though there was more to read from it. */
	say(fd, "more");
	turn();
	until_readable(fd);
	while (recv(fd, bytes, sizeof bytes, 0) > 0)
		;
	ck_assert_int_eq(recv(fd, bytes, sizeof bytes, 0), 0);
	fd_close(&fd);
	turns(3);
	ck_assert_int_eq(worker.n_lingering, 0);
} END_TEST

START_TEST(a_client_that_sends_no_byte_is_no_failure)
{
	connect_kind(_i, HANDLER_ID_echo);
	fd_close(&fd);
	until_ended();
	expect_end("closed");
	ck_assert_uint_eq(n_refused(), 0);
} END_TEST

/* The client stops after its hello, or before it, or goes then. */
static void stop_in_handshake(bool with_hello)
{
	connect_kind(0, HANDLER_ID_echo);
	if (with_hello)
		SSL_do_handshake(ssl);
	turns(3);
	ck_assert_int_eq(newest()->state, CONNECTION_HANDSHAKE);
}

START_TEST(a_client_that_stops_is_timed_out)
{
	stop_in_handshake(_i);
	skip(2800);
	ck_assert_int_eq(worker.n_open, 1);
	skip(200);
	expect_end("handshake");
	ck_assert_uint_eq(n_refused(), 1);
} END_TEST

START_TEST(a_client_that_goes_in_the_handshake_has_failed)
{
	stop_in_handshake(true);
	fd_close(&fd);
	until_ended();
	expect_end("tls");
	ck_assert_uint_eq(n_refused(), 1);
} END_TEST

/* ---- much --------------------------------------------------------------- */

static char many[3000000];

static void fill_many(void)
{
	fill_with_alphabets(many, sizeof many);
}

START_TEST(many_bytes_are_echoed_to_a_slow_client)
{
	static char back[sizeof many];
	size_t got = 0;

	fill_many();
	connect_tls(_i, HANDLER_ID_echo);
	for (size_t sent = 0; got < sizeof many; turn()) {
		int n = sent < sizeof many ? SSL_write(ssl, many + sent, (int)(sizeof many - sent)) : 0;

		sent += n > 0 ? (size_t)n : 0;
		if (n > 0)
			continue;               /* it reads only when it cannot send */
		n = SSL_read(ssl, back + got, 50000);
		got += n > 0 ? (size_t)n : 0;
		if (n <= 0)
			unit_require(SSL_get_error(ssl, n) == SSL_ERROR_WANT_READ);
	}
	ck_assert_mem_eq(back, many, sizeof many);
} END_TEST

/* More than one call of the handler takes, and then no event any more. */
START_TEST(what_came_at_once_is_served_to_the_end)
{
	fill_many();
	connect_tls(_i, HANDLER_ID_discard);
	ssl_say(many, 1000000);
	while (atomic_load(&newest()->record->bytes_in) < 1000000)
		turn_with_time();
	ck_assert_uint_eq(atomic_load(&newest()->record->bytes_in), 1000000);
	SSL_shutdown(ssl);
	until_ended();
	expect_end("closed");
} END_TEST

START_TEST(a_producer_sends_and_reads)
{
	static char line[74 * 20000];

	connect_tls(_i, HANDLER_ID_chargen);
	ssl_say("ignored", 7);
	ck_assert_uint_eq(ssl_hear(line, sizeof line), sizeof line);
	ck_assert_mem_eq(line, " !\"#$%&'()*+,-./", 16);
	for (size_t i = 0; i + 74 * 95 < sizeof line; i++)
		unit_require(line[i] == line[i + 74 * 95]);
	ck_assert_uint_eq(atomic_load(&newest()->record->bytes_in), 7);
} END_TEST

/* ---- ends --------------------------------------------------------------- */

START_TEST(what_is_served_ends_with_a_notice)
{
	char bytes[64];

	connect_tls(_i, HANDLER_ID_daytime);
	ck_assert_uint_gt(ssl_hear(bytes, sizeof bytes), 10);
	ck_assert_int_eq(SSL_get_shutdown(ssl), SSL_RECEIVED_SHUTDOWN);
	expect_end("served");
	ck_assert_int_eq(worker.n_lingering, 1);
	SSL_shutdown(ssl);
	turns(3);
	ck_assert_int_eq(worker.n_lingering, 0);
} END_TEST

START_TEST(a_connection_that_is_cut_off_is_truncated)
{
	connect_tls(_i, HANDLER_ID_echo);
	ssl_say("hello", 5);
	expect_heard("hello");
	shutdown(fd, SHUT_WR);
	until_ended();
	expect_end("truncated");
} END_TEST

START_TEST(bytes_before_the_cut_are_served)
{
	connect_tls(_i, HANDLER_ID_echo);
	ssl_say("hello", 5);
	shutdown(fd, SHUT_WR);
	until_ended();
	expect_end("truncated");
	ck_assert_str_eq(logged(0, "in"), "5");
} END_TEST

START_TEST(what_is_no_tls_later_ends_it)
{
	connect_tls(_i, HANDLER_ID_echo);
	say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	until_ended();
	expect_end("tls");
	ck_assert_str_eq(logged(0, "tls"), "TLSv1.3");
	ck_assert_str_ne(logged(0, "tls_error"), "(nothing)");
	ck_assert_uint_eq(n_refused(), 0);
} END_TEST

/* A notice would say that all is sent. */
START_TEST(a_kick_gives_no_notice)
{
	char byte;

	connect_tls(_i, HANDLER_ID_echo);
	connection_kick(newest());
	expect_end("kick");
	for (int i = 0; i < 50; i++) {
		turn();
		if (SSL_read(ssl, &byte, 1) <= 0 && SSL_get_error(ssl, -1) != SSL_ERROR_WANT_READ)
			break;
	}
	ck_assert_int_eq(SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN, 0);
} END_TEST

START_TEST(an_idle_client_is_told_the_end)
{
	char byte;

	connect_tls(_i, HANDLER_ID_echo);
	/* Bytes that the kernel has would count as progress. */
	while (stream_untaken(&newest()->stream) > 0) {
		SSL_read(ssl, &byte, 1);
		turn_with_time();
	}
	skip(10000);
	expect_end("idle");
	expect_notice();
} END_TEST

/* ---- */

static void add_begins(Suite *s)
{
	TCase *tc = unit_case(s, "before the handler", set_up_tls, tear_down_tls);

	tcase_add_loop_test(tc, the_handler_gets_the_bytes, 0, 2);
	tcase_add_loop_test(tc, bytes_right_behind_the_handshake_are_served, 0, 2);
	tcase_add_loop_test(tc, the_board_keeps_how_long_a_handshake_took, 0, 2);
	tcase_add_test(tc, a_proxy_header_comes_before_tls);
	tcase_add_test(tc, the_hello_may_come_together_with_the_header);
	tcase_add_test(tc, a_listener_without_tls_is_as_before);
	tc = unit_case(s, "failed handshakes", set_up_tls, tear_down_tls);
	tcase_add_loop_test(tc, a_failed_handshake_is_counted_and_logged, 0, 2);
	tcase_add_loop_test(tc, a_client_that_sends_no_byte_is_no_failure, 0, 2);
	tcase_add_loop_test(tc, a_client_that_stops_is_timed_out, 0, 2);
	tcase_add_test(tc, a_client_that_goes_in_the_handshake_has_failed);
}

static void add_rest(Suite *s)
{
	TCase *tc = unit_case(s, "much", set_up_tls, tear_down_tls);

	tcase_add_loop_test(tc, many_bytes_are_echoed_to_a_slow_client, 0, 2);
	tcase_add_loop_test(tc, what_came_at_once_is_served_to_the_end, 0, 2);
	tcase_add_loop_test(tc, a_producer_sends_and_reads, 0, 2);
	tc = unit_case(s, "ends", set_up_tls, tear_down_tls);
	tcase_add_loop_test(tc, what_is_served_ends_with_a_notice, 0, 2);
	tcase_add_loop_test(tc, a_connection_that_is_cut_off_is_truncated, 0, 2);
	tcase_add_loop_test(tc, bytes_before_the_cut_are_served, 0, 2);
	tcase_add_loop_test(tc, what_is_no_tls_later_ends_it, 0, 2);
	tcase_add_loop_test(tc, a_kick_gives_no_notice, 0, 2);
	tcase_add_loop_test(tc, an_idle_client_is_told_the_end, 0, 2);
}

int main(void)
{
	Suite *s = suite_create("connection_tls");
	int result;

	tls_make_pairs();
	add_begins(s);
	add_rest(s);
	result = unit_run(s);
	tls_free_pairs();
	return result;
}
