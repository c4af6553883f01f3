/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Connections from their first byte to their last: what goes through them, and
 * who closes.
 */
#include <config.h>
#include "connection.h"

#include <ctype.h>
#include <time.h>

#include "connection_harness.h"

/* ---- bytes -------------------------------------------------------------- */

START_TEST(what_comes_goes_back)
{
	int client = connect_pair(HANDLER_ID_echo);

	say(client, "hello");
	turn();
	ck_assert_str_eq(hear(client), "hello");
	say(client, "again");
	turn();
	ck_assert_str_eq(hear(client), "again");
	ck_assert_int_eq(worker.n_open, 1);
	ck_assert_uint_eq(atomic_load(&worker.slot->open), 1);
	ck_assert(buffer_is_empty(&newest()->out));      /* no buffer in the common case */
	close(client);
	turns(2);
	expect_end("closed");
	ck_assert_str_eq(logged(0, "in"), "10");
	ck_assert_str_eq(logged(0, "out"), "10");
	ck_assert_str_eq(logged(0, "peer"), "10.0.0.7:1234");
	ck_assert_uint_eq(atomic_load(&worker.slot->open), 0);
} END_TEST

START_TEST(a_client_that_closed_its_half_still_gets_all)
{
	int client = connect_pair(HANDLER_ID_echo);

	say(client, "last words");
	shutdown(client, SHUT_WR);
	turns(3);
	ck_assert_str_eq(hear(client), "last words");
	ck_assert_ptr_null(hear(client));
	expect_end("closed");
	ck_assert_int_eq(worker.n_lingering, 0);
	close(client);
} END_TEST

START_TEST(a_client_that_does_not_read_costs_a_buffer_until_it_does)
{
	int client = connect_pair(HANDLER_ID_echo);
	struct connection *c = newest();
	size_t sent = stuff(client), got = 0;

	ck_assert_int_eq(c->state, CONNECTION_WRITE);
	ck_assert(!buffer_is_empty(&c->out));
	ck_assert_uint_le(buffer_waiting(&c->out), WORKER_SCRATCH);  /* it reads no more meanwhile */
	while (got < sent) {
		got = gather(client, got);
		turn();
	}
	ck_assert_uint_eq(got, sent);
	ck_assert(buffer_is_empty(&c->out));
	ck_assert_int_eq(c->state, CONNECTION_READ);
	say(client, "!");
	turn();
	ck_assert_str_eq(hear(client), "!");
	close(client);
} END_TEST

START_TEST(what_waits_is_sent_before_it_ends)
{
	int client = connect_pair(HANDLER_ID_echo);
	size_t sent = stuff(client), got = 0;

	shutdown(client, SHUT_WR);
	while (got < sent) {
		got = gather(client, got);
		turn();
	}
	turns(2);
	ck_assert_ptr_null(hear(client));
	expect_end("closed");
	close(client);
} END_TEST

START_TEST(a_client_that_vanishes_is_a_reset)
{
	const struct linger now = { .l_onoff = 1 };
	int client = connect_tcp(HANDLER_ID_echo);

	setsockopt(client, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	close(client);
	turns(2);
	expect_end("reset");
} END_TEST

START_TEST(a_client_that_vanishes_while_output_waits_is_a_reset)
{
	int client = connect_pair(HANDLER_ID_echo);

	stuff(client);
	ck_assert(!buffer_is_empty(&newest()->out));
	close(client);
	turns(3);
	expect_end("reset");
} END_TEST

START_TEST(what_is_thrown_away_is_counted)
{
	int client = connect_pair(HANDLER_ID_discard);

	say(client, "hello");
	turn();
	ck_assert_str_eq(hear(client), "");
	shutdown(client, SHUT_WR);
	turns(2);
	ck_assert_ptr_null(hear(client));
	expect_end("closed");
	ck_assert_str_eq(logged(0, "in"), "5");
	ck_assert_str_eq(logged(0, "out"), "0");
	close(client);
} END_TEST

/* Urgent data splits a stream: recv(2) stops at its mark, though there is more. */
START_TEST(nothing_is_left_behind_urgent_data)
{
	int client = connect_tcp(HANDLER_ID_echo);
	char all[8] = "";

	say(client, "abc");
	ck_assert_int_eq(send(client, "X", 1, MSG_OOB), 1);
	say(client, "def");
	turns(5);
	recv(client, all, sizeof all - 1, MSG_DONTWAIT);
	ck_assert_str_eq(all, "abcdef");
	close(client);
} END_TEST

/* So do descriptors that were not asked for, on a unix socket. */
START_TEST(nothing_is_left_behind_a_descriptor)
{
	int client, before;
	struct iovec iov = { .iov_base = (char[]){ "abc" }, .iov_len = 3 };
	union { struct cmsghdr header; char room[CMSG_SPACE(sizeof(int))]; } extra = { 0 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &extra,
	                      .msg_controllen = sizeof extra };

	peer = (struct endpoint){ .family = AF_UNIX };
	client = connect_pair(HANDLER_ID_echo);
	extra.header.cmsg_level = SOL_SOCKET;
	extra.header.cmsg_type = SCM_RIGHTS;
	extra.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&extra.header), &(int){ STDERR_FILENO }, sizeof(int));
	before = unit_count_fds();
	ck_assert_int_eq(sendmsg(client, &msg, 0), 3);
	say(client, "def");
	turns(5);
	ck_assert_str_eq(hear(client), "abcdef");
	ck_assert_int_eq(unit_count_fds(), before);
	close(client);
} END_TEST

/* More than is read at once, and the end together with it. */
START_TEST(a_large_burst_is_answered_without_another_word)
{
	static char burst[3 * WORKER_SCRATCH + 5], back[sizeof burst];
	int client = connect_tcp(HANDLER_ID_echo);
	size_t sent = 0, got = 0;
	int i = 0;

	for (size_t k = 0; k < sizeof burst; k++)
		burst[k] = (char)(k % 251);
	while (got < sizeof burst) {
		ssize_t n = sent == sizeof burst ? 0 :
		            send(client, burst + sent, sizeof burst - sent, MSG_DONTWAIT);

		sent += n > 0 ? (size_t)n : 0;
		turn();
		n = recv(client, back + got, sizeof back - got, MSG_DONTWAIT);
		got += n > 0 ? (size_t)n : 0;
		ck_assert_int_lt(i++, 100000);
	}
	ck_assert_int_eq(memcmp(burst, back, sizeof burst), 0);
	close(client);
} END_TEST

START_TEST(connections_have_numbers_of_their_own)
{
	int one = connect_pair(HANDLER_ID_echo), other = connect_pair(HANDLER_ID_echo);
	char id[CONNECTION_ID_MAX], want[CONNECTION_ID_MAX];

	snprintf(want, sizeof want, "%d-2", (int)getpid());
	ck_assert_str_eq(connection_id(newest(), id), want);
	ck_assert_int_eq(worker.n_open, 2);
	close(one);
	close(other);
} END_TEST

/* ---- handlers that speak first ------------------------------------------ */

START_TEST(a_client_that_has_spoken_closes_first_and_lingers)
{
	int client = connect_tcp(HANDLER_ID_daytime);
	const char *text;

	say(client, "unread bytes would make a plain close a reset");
	turns(2);
	text = hear(client);
	ck_assert_ptr_nonnull(text);
	ck_assert(isupper((unsigned char)text[0]) && strstr(text, "\r\n"));
	ck_assert_ptr_null(hear(client));
	expect_end("served");
	ck_assert_int_eq(worker.n_lingering, 1);
	say(client, "and more");
	turns(2);
	ck_assert_int_eq(worker.n_lingering, 1);
	close(client);
	turns(2);
	ck_assert_int_eq(worker.n_lingering, 0);
} END_TEST

START_TEST(without_lingering_it_is_closed_at_once)
{
	int client;

	service.timeouts.linger = 0;
	client = connect_pair(HANDLER_ID_daytime);
	unit_contains(hear(client), "\r\n");
	ck_assert_ptr_null(hear(client));
	turn();
	expect_end("served");
	ck_assert_int_eq(worker.n_lingering, 0);
	/* The dead has no timer: it would fire into freed memory. */
	ck_assert_uint_eq(worker.loop.timers.n, 1);
	close(client);
} END_TEST

START_TEST(the_binary_time_has_four_bytes)
{
	int client = connect_pair(HANDLER_ID_time);
	unsigned char bytes[8];
	int64_t seconds;

	ck_assert_int_eq(recv(client, bytes, sizeof bytes, MSG_DONTWAIT), 4);
	seconds = ((int64_t)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3]) - 2208988800;
	ck_assert_int_le(llabs((int64_t)(uint32_t)(time(NULL) - seconds)), 5);
	close(client);
} END_TEST

START_TEST(chargen_goes_on_as_long_as_the_client_reads)
{
	static char text[3 * 74 * 95 + 1];
	int client = connect_pair(HANDLER_ID_chargen);
	size_t len = 0;

	while (len < sizeof text - 1) {
		ssize_t n = recv(client, text + len, sizeof text - 1 - len, MSG_DONTWAIT);

		len += n > 0 ? (size_t)n : 0;
		turn();
	}
	for (size_t line = 0; line < 3 * 95; line++) {
		const char *p = text + line * 74;

		ck_assert_int_eq(p[0], (char)(' ' + line % 95));
		ck_assert_int_eq(p[72], '\r');
		ck_assert_int_eq(p[73], '\n');
	}
	close(client);
	turns(3);
	ck_assert_int_eq(worker.n_open, 0);
} END_TEST

START_TEST(chargen_rests_while_the_client_does_not_read)
{
	int client = connect_pair(HANDLER_ID_chargen);
	struct connection *c = newest();
	struct epoll_event e;
	uint64_t out;

	turns(1000);
	out = atomic_load(&c->record->bytes_out);
	ck_assert_uint_gt(out, 0);
	ck_assert_uint_lt(buffer_waiting(&c->out), 65536);
	turns(10);
	ck_assert_uint_eq(atomic_load(&c->record->bytes_out), out);
	/* It is not ready either: the loop sleeps. */
	ck_assert_int_eq(epoll_wait(worker.loop.epoll_fd, &e, 1, 0), 0);
	close(client);
	turns(3);
	expect_end("reset");
} END_TEST

START_TEST(chargen_stops_when_the_client_says_no_more)
{
	int client = connect_pair(HANDLER_ID_chargen);
	char bytes[65536];
	int i = 0;

	say(client, "is thrown away");
	turns(5);
	shutdown(client, SHUT_WR);
	while (worker.n_open > 0) {
		ck_assert_int_lt(i++, 10000);
		while (recv(client, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
			;
		turn();
	}
	expect_end("closed");
	ck_assert_str_eq(logged(0, "in"), "14");
	close(client);
} END_TEST

/* ---- failures ----------------------------------------------------------- */

START_TEST(a_program_that_cannot_start_ends_the_connection_and_pauses_accepting)
{
	int client = connect_pair(HANDLER_ID_exec);

	turn();
	expect_end("failed");
	ck_assert(!is_accepting);
	ck_assert_ptr_null(hear(client));
	ck_assert_int_eq(worker.n_lingering, 0);
	/* Beside the guard's and the acceptor's there is no timer: the dead has none. */
	ck_assert_uint_eq(worker.loop.timers.n, 2);
	close(client);
} END_TEST

START_TEST(one_that_is_aborted_is_gone_with_what_it_had_to_send)
{
	int client = connect_pair(HANDLER_ID_echo);

	stuff(client);
	connection_abort(newest(), END_STOPPED);
	turn();
	expect_end("stop");
	close(client);
} END_TEST

int main(void)
{
	Suite *s = suite_create("connection");
	TCase *bytes = unit_case(s, "bytes", set_up, tear_down);
	TCase *speakers = unit_case(s, "speakers", set_up, tear_down);
	TCase *failures = unit_case(s, "failures", set_up, tear_down);

	tcase_add_test(bytes, what_comes_goes_back);
	tcase_add_test(bytes, a_client_that_closed_its_half_still_gets_all);
	tcase_add_test(bytes, a_client_that_does_not_read_costs_a_buffer_until_it_does);
	tcase_add_test(bytes, what_waits_is_sent_before_it_ends);
	tcase_add_test(bytes, a_client_that_vanishes_is_a_reset);
	tcase_add_test(bytes, a_client_that_vanishes_while_output_waits_is_a_reset);
	tcase_add_test(bytes, what_is_thrown_away_is_counted);
	tcase_add_test(bytes, nothing_is_left_behind_urgent_data);
	tcase_add_test(bytes, nothing_is_left_behind_a_descriptor);
	tcase_add_test(bytes, a_large_burst_is_answered_without_another_word);
	tcase_add_test(bytes, connections_have_numbers_of_their_own);
	tcase_add_test(speakers, a_client_that_has_spoken_closes_first_and_lingers);
	tcase_add_test(speakers, without_lingering_it_is_closed_at_once);
	tcase_add_test(speakers, the_binary_time_has_four_bytes);
	tcase_add_test(speakers, chargen_goes_on_as_long_as_the_client_reads);
	tcase_add_test(speakers, chargen_rests_while_the_client_does_not_read);
	tcase_add_test(speakers, chargen_stops_when_the_client_says_no_more);
	tcase_add_test(failures, a_program_that_cannot_start_ends_the_connection_and_pauses_accepting);
	tcase_add_test(failures, one_that_is_aborted_is_gone_with_what_it_had_to_send);
	return unit_run(s);
}
