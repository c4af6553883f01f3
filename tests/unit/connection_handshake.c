/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The header of a proxy before the bytes of a connection: in pieces, with bytes behind it, wrong,
 * cut off, and late.
 */
#include <config.h>
#include "connection.h"

#include "connection_harness.h"

#define HEADER "PROXY TCP4 192.0.2.7 192.0.2.1 40312 7007\r\n"
#define LOCAL_HEADER "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"

static int n_peeks, n_opened, n_closed;

ssize_t __real_stream_peek(const struct stream *s, char *bytes, size_t size);
ssize_t __wrap_stream_peek(const struct stream *s, char *bytes, size_t size);

ssize_t __wrap_stream_peek(const struct stream *s, char *bytes, size_t size)
{
	n_peeks++;
	return __real_stream_peek(s, bytes, size);
}

/* ---- a handler that counts ---------------------------------------------- */

static enum handler_verdict count_opened(struct connection *c)
{
	(void)c;
	n_opened++;
	return HANDLER_GO_ON;
}

static void count_closed(struct connection *c)
{
	(void)c;
	n_closed++;
}

static const struct handler counter = { .name = "test", .opened = count_opened, .closed = count_closed };

/* ---- clients ------------------------------------------------------------ */

static void set_up_counts(void)
{
	set_up();
	service.timeouts.handshake = 3000;
	n_peeks = n_opened = n_closed = 0;
}

static void expect_header(int fd, enum proxy_versions versions)
{
	struct connection *c = connection_new(&worker, fd, &peer, &(struct client_hold){ 0 });

	ck_assert_ptr_nonnull(c);
	connection_begin(c, versions, false);
}

/* Through a proxy, over a pair of unix sockets. Returns the client's end. */
static int proxied_pair(enum handler_id id)
{
	int ends[2];

	serve_with(id);
	peer = (struct endpoint){ .family = AF_UNIX };
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
	expect_header(ends[0], PROXY_ANY);
	return ends[1];
}

/* The same over the loopback. Our end blocks, as one that a program is to get. */
static int proxied_tcp(enum handler_id id)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	serve_with(id);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
	ck_assert_int_eq(listen(listener, 8), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&at, &len), 0);
	ck_assert_int_eq(connect(client, (struct sockaddr *)&at, len), 0);
	ck_assert_int_eq(setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
	expect_header(accept4(listener, NULL, NULL, SOCK_CLOEXEC), PROXY_ANY);
	return client;
}

static int (*const connects[])(enum handler_id id) = { proxied_pair, proxied_tcp };

static void send_all(int client, const char *bytes, size_t len)
{
	ck_assert_int_eq(write(client, bytes, len), (ssize_t)len);
}

static void expect_nothing_yet(int client)
{
	ck_assert_str_eq(hear(client), "");
	ck_assert_int_eq(newest()->state, CONNECTION_HANDSHAKE);
	ck_assert_uint_eq(atomic_load(&newest()->record->phase), BOARD_PHASE_HANDSHAKE);
}

static void close_and_end(int client, const char *how)
{
	close(client);
	turns(3);
	expect_end(how);
}

/* ---- valid headers ------------------------------------------------------ */

START_TEST(the_client_that_the_header_names_is_shown)
{
	int client = proxied_tcp(HANDLER_ID_echo);

	expect_nothing_yet(client);
	say(client, HEADER);
	turn();
	ck_assert_int_eq(newest()->state, CONNECTION_READ);
	say(client, "hello");
	turn();
	ck_assert_str_eq(hear(client), "hello");
	close_and_end(client, "closed");
	ck_assert_str_eq(logged(0, "peer"), "192.0.2.7:40312");
	ck_assert_str_eq(logged(0, "via"), "10.0.0.7:1234");
	ck_assert_str_eq(logged(0, "local"), "192.0.2.1:7007");
	ck_assert_str_eq(logged(0, "in"), "5");
} END_TEST

START_TEST(bytes_right_behind_the_header_are_the_clients)
{
	int client = connects[_i](HANDLER_ID_echo);

	say(client, HEADER "hello");
	turns(2);
	ck_assert_str_eq(hear(client), "hello");
	close_and_end(client, "closed");
	ck_assert_str_eq(logged(0, "in"), "5");
} END_TEST

START_TEST(a_second_header_is_the_clients)
{
	int client = connects[_i](HANDLER_ID_echo);

	say(client, HEADER HEADER);
	turns(2);
	ck_assert_str_eq(hear(client), HEADER);
	close_and_end(client, "closed");
} END_TEST

START_TEST(a_header_may_come_byte_by_byte)
{
	int client = connects[_i](HANDLER_ID_echo);

	for (size_t i = 0; i < sizeof HEADER - 2; i++) {
		send_all(client, HEADER + i, 1);
		turn();
		expect_nothing_yet(client);
	}
	say(client, "\nhello");
	until_readable(client);         /* the kernel may hold many small segments back for a moment */
	ck_assert_str_eq(hear(client), "hello");
	close_and_end(client, "closed");
	ck_assert_str_eq(logged(0, "peer"), "192.0.2.7:40312");
} END_TEST

/* What has come and is no header yet stays unread, and is not reported in each turn. */
START_TEST(a_part_of_a_header_costs_no_more_than_one_look)
{
	int client = connects[_i](HANDLER_ID_echo), before;

	say(client, "PROXY TCP4 192");
	turn();
	before = n_peeks;
	ck_assert_int_ge(before, 1);
	turns(10);
	ck_assert_int_eq(n_peeks, before);
	expect_nothing_yet(client);
	close_and_end(client, "proxy");
} END_TEST

START_TEST(the_end_may_come_with_the_header)
{
	int client = connects[_i](HANDLER_ID_echo);

	say(client, HEADER "bye");
	shutdown(client, SHUT_WR);
	turns(4);
	ck_assert_str_eq(hear(client), "bye");
	ck_assert_ptr_null(hear(client));
	expect_end("closed");
	close(client);
} END_TEST

START_TEST(without_a_name_the_proxy_is_the_client)
{
	static const struct { const char *bytes; size_t len; } headers[] = {
		{ LOCAL_HEADER, sizeof LOCAL_HEADER - 1 }, { "PROXY UNKNOWN\r\n", 15 },
	};
	int client = proxied_tcp(HANDLER_ID_echo);

	send_all(client, headers[_i].bytes, headers[_i].len);
	say(client, "hello");
	turns(3);
	ck_assert_str_eq(hear(client), "hello");
	ck_assert_ptr_null(connection_proxied(newest()));
	close_and_end(client, "closed");
	ck_assert_str_eq(logged(0, "peer"), "10.0.0.7:1234");
	ck_assert_str_eq(logged(0, "via"), "(nothing)");
} END_TEST

START_TEST(the_board_shows_the_client)
{
	struct board_connection_view v;
	int client = proxied_tcp(HANDLER_ID_echo);
	char from[ADDRESS_TEXT_MAX];

	ck_assert(board_view_connection(memory.board, 0, 0, &v));
	ck_assert_str_eq(endpoint_format(&v.peer, from, sizeof from), "10.0.0.7:1234");
	ck_assert_int_eq(v.phase, BOARD_PHASE_HANDSHAKE);
	say(client, HEADER);
	turn();
	ck_assert(board_view_connection(memory.board, 0, 0, &v));
	ck_assert_str_eq(endpoint_format(&v.peer, from, sizeof from), "192.0.2.7:40312");
	ck_assert_int_eq(v.phase, BOARD_PHASE_IDLE);
	close_and_end(client, "closed");
} END_TEST

#define TLV_HEADER "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x22" "\xc0\0\2\7" "\xc0\0\2\1" "\x9d\x78" "\x1b\x5f" \
                   "\5\0\5a\n\"\\\xe9" "\2\0\x0b" "example.org"

START_TEST(an_id_and_a_name_of_the_proxy_are_logged)
{
	int client = proxied_tcp(HANDLER_ID_echo);

	send_all(client, TLV_HEADER, sizeof TLV_HEADER - 1);
	turn();
	ck_assert_int_eq(newest()->state, CONNECTION_READ);
	close_and_end(client, "closed");
	ck_assert_str_eq(logged(0, "peer"), "192.0.2.7:40312");
	ck_assert_str_eq(logged(0, "unique_id"), "a\\x0a\"\\x5c\\xe9");
	ck_assert_str_eq(logged(0, "authority"), "example.org");
} END_TEST

/* A handler that speaks first does so to the client, and not before the header. */
START_TEST(nothing_is_sent_before_the_header)
{
	int client = connects[_i](HANDLER_ID_daytime);

	turns(3);
	expect_nothing_yet(client);
	say(client, HEADER);
	turns(2);
	ck_assert_uint_gt(strlen(hear(client)), 10);
	close(client);
	turns(3);
	expect_end("served");
} END_TEST

/* ---- invalid ------------------------------------------------------------ */


START_TEST(the_handler_sees_nothing_of_a_wrong_header)
{
	int client = connects[_i](HANDLER_ID_echo);

	worker.handler = &counter;
	say(client, "GET / HTTP/1.0\r\n\r\n");
	turns(2);
	expect_end("proxy");
	ck_assert_int_eq(n_opened, 0);
	ck_assert_int_eq(n_closed, 0);
	ck_assert_int_eq(worker.n_lingering, 0);
	ck_assert_str_eq(logged(0, "in"), "0");
	close(client);
} END_TEST

START_TEST(why_a_header_is_wrong_is_logged)
{
	struct log_sink *log = log_sink_open(LOG_TARGET_FILE, "log", LOG_FORMAT_TEXT);
	int client = proxied_tcp(HANDLER_ID_echo);
	char line[128];

	log_use(log, LOG_LEVEL_DEBUG);
	say(client, "PROXY TCP4 192.0.2.07 192.0.2.1 1 2\r\n");
	turns(2);
	log_use(NULL, LOG_LEVEL_ERROR);
	log_sink_close(&log);
	snprintf(line, sizeof line, "test %d-1: no PROXY header from 10.0.0.7:1234: its line has an address"
	         " that is not IPv4; closing\n", (int)getpid());
	unit_contains(unit_read_file("log"), line);
	expect_end("proxy");
	close(client);
} END_TEST

START_TEST(a_handler_that_has_it_is_told_of_its_end)
{
	int client = connects[_i](HANDLER_ID_echo);

	worker.handler = &counter;
	say(client, HEADER);
	turn();
	ck_assert_int_eq(n_opened, 1);
	close_and_end(client, "closed");
	ck_assert_int_eq(n_closed, 1);
} END_TEST

/* A balancer may connect and close, to see whether the server is there. */
START_TEST(a_connection_that_ends_without_a_byte_is_no_error)
{
	int client = connects[_i](HANDLER_ID_echo);

	worker.handler = &counter;
	close_and_end(client, "closed");
	ck_assert_int_eq(n_opened, 0);
} END_TEST

START_TEST(a_connection_that_ends_within_its_header_is_refused)
{
	int client = connects[_i](HANDLER_ID_echo);

	worker.handler = &counter;
	say(client, "PROXY TCP4 192.0.2.7 192");
	turn();
	shutdown(client, SHUT_WR);
	turns(2);
	expect_end("proxy");
	ck_assert_int_eq(n_opened, 0);
	close(client);
} END_TEST

START_TEST(a_connection_that_is_reset_before_its_header_is_a_reset)
{
	const struct linger now = { .l_onoff = 1 };
	int client = proxied_tcp(HANDLER_ID_echo);

	setsockopt(client, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	close(client);
	turns(2);
	expect_end("reset");
} END_TEST

/* ---- time --------------------------------------------------------------- */

START_TEST(a_header_has_its_time_however_it_comes)
{
	int client = connects[_i](HANDLER_ID_echo);

	for (int i = 0; i < 29; i++) {
		send_all(client, HEADER + i, 1);
		turn();
		skip(100);
		worker.loop.now_ms = newest()->opened_ms + 100 * (i + 1);
	}
	expect_nothing_yet(client);
	skip(101);
	expect_end("handshake");
	close(client);
} END_TEST

START_TEST(a_header_may_have_no_time_limit)
{
	int client;

	service.timeouts.handshake = 0;
	service.timeouts.idle = service.timeouts.session = 0;
	client = connects[_i](HANDLER_ID_echo);
	skip(14000);            /* less than the guard of the test */
	expect_nothing_yet(client);
	say(client, HEADER "hello");
	turns(2);
	ck_assert_str_eq(hear(client), "hello");
	close_and_end(client, "closed");
} END_TEST

START_TEST(idle_counts_from_the_header_on)
{
	int client;

	service.timeouts.idle = 1000;
	client = connects[_i](HANDLER_ID_echo);
	skip(2500);
	expect_nothing_yet(client);
	say(client, HEADER);
	turn();
	ck_assert_int_eq(newest()->state, CONNECTION_READ);
	skip(999);
	ck_assert_int_eq(worker.n_open, 1);
	skip(2);
	expect_end("idle");
	close(client);
	turns(2);
} END_TEST

/* ---- ends from elsewhere ------------------------------------------------ */

START_TEST(a_connection_can_be_kicked_before_its_header)
{
	struct leash master;
	int client;

	ck_assert_int_eq(leash_open(&master, &worker.start.leash), 0);
	client = connects[_i](HANDLER_ID_echo);
	connection_kick(newest());
	ck_assert_ptr_null(hear(client));
	expect_end("kick");
	close(client);
	leash_close(&master);
	leash_close(&worker.start.leash);
} END_TEST

START_TEST(a_worker_can_end_before_the_header_has_come)
{
	int client = connects[_i](HANDLER_ID_echo);

	connection_stop_all(&worker);
	ck_assert_ptr_null(hear(client));
	expect_end("stop");
	close(client);
} END_TEST

int main(void)
{
	Suite *s = suite_create("connection_handshake");
	TCase *tc = unit_case(s, "valid", set_up_counts, tear_down);
	const int both = ARRAY_SIZE(connects);

	tcase_add_test(tc, the_client_that_the_header_names_is_shown);
	tcase_add_loop_test(tc, bytes_right_behind_the_header_are_the_clients, 0, both);
	tcase_add_loop_test(tc, a_second_header_is_the_clients, 0, both);
	tcase_add_loop_test(tc, a_header_may_come_byte_by_byte, 0, both);
	tcase_add_loop_test(tc, a_part_of_a_header_costs_no_more_than_one_look, 0, both);
	tcase_add_loop_test(tc, the_end_may_come_with_the_header, 0, both);
	tcase_add_loop_test(tc, without_a_name_the_proxy_is_the_client, 0, 2);
	tcase_add_test(tc, the_board_shows_the_client);
	tcase_add_test(tc, an_id_and_a_name_of_the_proxy_are_logged);
	tcase_add_loop_test(tc, nothing_is_sent_before_the_header, 0, both);
	tc = unit_case(s, "invalid", set_up_counts, tear_down);
	tcase_add_loop_test(tc, the_handler_sees_nothing_of_a_wrong_header, 0, both);
	tcase_add_test(tc, why_a_header_is_wrong_is_logged);
	tcase_add_loop_test(tc, a_handler_that_has_it_is_told_of_its_end, 0, both);
	tcase_add_loop_test(tc, a_connection_that_ends_without_a_byte_is_no_error, 0, both);
	tcase_add_loop_test(tc, a_connection_that_ends_within_its_header_is_refused, 0, both);
	tcase_add_test(tc, a_connection_that_is_reset_before_its_header_is_a_reset);
	tc = unit_case(s, "time", set_up_counts, tear_down);
	tcase_add_loop_test(tc, a_header_has_its_time_however_it_comes, 0, both);
	tcase_add_loop_test(tc, a_header_may_have_no_time_limit, 0, both);
	tcase_add_loop_test(tc, idle_counts_from_the_header_on, 0, both);
	tc = unit_case(s, "ends", set_up_counts, tear_down);
	tcase_add_loop_test(tc, a_connection_can_be_kicked_before_its_header, 0, both);
	tcase_add_loop_test(tc, a_worker_can_end_before_the_header_has_come, 0, both);
	return unit_run(s);
}
