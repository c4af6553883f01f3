/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How long a connection may take, and lingering.
 */
#include <config.h>
#include "connection.h"

#include "connection_harness.h"

/* Its time runs out. What it was sent is not left to the kernel, for minutes. */
static void expect_reset(int client)
{
	static char bytes[65536];
	ssize_t n;

	while (worker.n_open > 0)
		pass(5);
	expect_end("write");
	ck_assert_int_eq(worker.n_lingering, 0);
	while ((n = recv(client, bytes, sizeof bytes, 0)) > 0)
		;
	ck_assert_int_eq(n, -1);
	ck_assert_msg(errno == ECONNRESET, "%m");
	close(client);
}

START_TEST(a_client_that_takes_nothing_is_reset)
{
	int client;

	service.timeouts.write = 400;           /* longer than a busy machine needs to stuff it */
	client = connect_tcp(HANDLER_ID_echo);
	stuff(client);
	ck_assert(!buffer_is_empty(&newest()->out));
	expect_reset(client);
} END_TEST

START_TEST(a_chargen_client_that_sends_but_does_not_read_times_out)
{
	int client;

	service.timeouts.write = 30;
	client = connect_pair(HANDLER_ID_chargen);
	turns(1000);
	for (int i = 0; i < 1000 && worker.n_open > 0; i++) {
		send(client, "x", 1, MSG_DONTWAIT);     /* only what it takes counts */
		pass(5);
	}
	expect_end("write");
	close(client);
} END_TEST

/* Nor does it send anything. */
START_TEST(a_chargen_client_that_takes_nothing_is_reset)
{
	service.timeouts.write = 30;
	expect_reset(connect_tcp(HANDLER_ID_chargen));
} END_TEST

START_TEST(a_session_does_not_end_lingering)
{
	int client;

	service.timeouts.session = 20;
	client = connect_pair(HANDLER_ID_daytime);
	pass(60);
	ck_assert_int_eq(worker.n_lingering, 1);
	close(client);
} END_TEST

START_TEST(a_session_has_its_time_however_busy_it_is)
{
	int client;

	service.timeouts.session = 40;
	client = connect_pair(HANDLER_ID_echo);
	while (worker.n_open > 0) {
		send(client, "x", 1, MSG_NOSIGNAL);
		pass(5);
	}
	expect_end("session");
	close(client);
} END_TEST

START_TEST(time_outs_of_0_are_never)
{
	int client;

	service.timeouts = (struct conf_timeouts){ 0 };
	client = connect_pair(HANDLER_ID_echo);
	ck_assert_uint_eq(worker.loop.timers.n, 1);     /* the guard */
	say(client, "x");
	turn();
	ck_assert_str_eq(hear(client), "x");
	ck_assert_uint_eq(worker.loop.timers.n, 1);
	close(client);
	turns(2);
	expect_end("closed");
} END_TEST

START_TEST(lingering_has_its_time_however_much_comes)
{
	int client;

	service.timeouts.linger = 40;
	client = connect_pair(HANDLER_ID_daytime);
	ck_assert_int_eq(worker.n_lingering, 1);
	while (worker.n_lingering > 0) {
		send(client, "x", 1, MSG_NOSIGNAL);
		pass(5);
	}
	expect_end("served");
	close(client);
} END_TEST

START_TEST(no_more_linger_than_there_are_slots)
{
	int clients[SLOTS + 2];

	for (int i = 0; i < SLOTS + 2; i++) {
		clients[i] = connect_pair(HANDLER_ID_daytime);
		turn();
		ck_assert_int_eq(worker.n_open, 0);     /* it gave its slot back */
		ck_assert_int_eq(worker.n_lingering, i < SLOTS ? i + 1 : SLOTS);
	}
	for (int i = 0; i < SLOTS + 2; i++) {           /* the oldest two are gone */
		errno = 0;
		ck_assert_int_eq(send(clients[i], "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT),
		                 i < 2 ? -1 : 1);
		ck_assert_int_eq(errno, i < 2 ? EPIPE : 0);
		close(clients[i]);
	}
} END_TEST

/* ---- slow and fast, with a clock of the test's own ----------------------- */

/* Takes n bytes of what there is. */
static size_t take(int client, size_t bytes)
{
	static char into[65536];
	ssize_t n = recv(client, into, bytes, MSG_DONTWAIT);

	return n > 0 ? (size_t)n : 0;
}

/* As if epoll told that. It may not be there afterwards. */
static void happens(uint32_t events)
{
	struct watch *w = &newest()->stream.watch;

	w->ready(w, events);
}

/* Takes a little each time, as long as there is something; epoll tells of none of it. */
static void take_slowly(int client, const int *n_there, size_t bytes, int64_t each_ms)
{
	int times = 0;

	for (; take(client, bytes) > 0; times++) {
		ck_assert_msg(*n_there == 1, "it was ended after %d times", times);
		skip(each_ms);
	}
	ck_assert_int_gt(times, 3);
}

START_TEST(a_chargen_client_that_reads_as_fast_as_it_can_stays)
{
	int client;

	service.timeouts.write = 30;
	client = connect_pair(HANDLER_ID_chargen);
	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(worker.n_open, 1);
		happens(EPOLLOUT);
		ck_assert(buffer_is_empty(&newest()->out));     /* the socket took all */
		ck_assert_uint_gt(take(client, 65536), 0);
		skip(10);
	}
	close(client);
	happens(EPOLLIN | EPOLLOUT);
	expect_end("closed");
} END_TEST

/* Until the server has more than the socket takes. */
static int stuffed_chargen(void)
{
	int client = connect_pair(HANDLER_ID_chargen);

	for (int i = 0; i < 10000 && buffer_is_empty(&newest()->out); i++)
		happens(EPOLLOUT);
	ck_assert(!buffer_is_empty(&newest()->out));
	return client;
}

START_TEST(a_client_that_takes_slowly_stays_as_long_as_it_takes)
{
	int client;

	service.timeouts.write = 40;
	client = stuffed_chargen();
	take_slowly(client, &worker.n_open, 16384, 39);
	close(client);
	skip(100);
	expect_end("write");
} END_TEST

/* Its time counts from the last byte that it took: a quarter more at most. */
START_TEST(a_client_that_takes_no_more_has_its_time_from_there)
{
	int client;

	service.timeouts.write = 40;
	client = stuffed_chargen();
	skip(39);
	ck_assert_uint_gt(take(client, 32768), 0);
	skip(39);
	ck_assert_int_eq(worker.n_open, 1);
	skip(11);
	expect_end("write");
	close(client);
} END_TEST

START_TEST(a_stuck_client_has_its_time_and_no_more)
{
	int client;

	service.timeouts.write = 40;
	client = stuffed_chargen();
	skip(39);
	ck_assert_int_eq(worker.n_open, 1);
	skip(1);
	expect_end("write");
	close(client);
} END_TEST

/* Many answers, which the kernel has, each in a piece of its own, and nothing is left to send. */
static int stuffed_echo(void)
{
	static const char question[1000];
	int client = connect_pair(HANDLER_ID_echo);

	for (int i = 0; i < 50; i++) {
		ck_assert_int_eq(send(client, question, sizeof question, MSG_DONTWAIT), sizeof question);
		happens(EPOLLIN);
	}
	ck_assert_int_eq(newest()->state, CONNECTION_READ);
	return client;
}

START_TEST(a_client_that_is_still_taking_its_answer_is_not_idle)
{
	int client;

	service.timeouts.idle = 40;
	client = stuffed_echo();
	take_slowly(client, &worker.n_open, 4000, 39);
	skip(40);
	expect_end("idle");
	close(client);
} END_TEST

/* Counted from its last byte; then it is told, and waited for. */
START_TEST(an_idle_client_is_sent_away)
{
	int client;

	service.timeouts.idle = 40;
	client = connect_pair(HANDLER_ID_echo);
	say(client, "x");
	skip(30);
	happens(EPOLLIN);
	ck_assert_str_eq(hear(client), "x");
	skip(39);
	ck_assert_int_eq(worker.n_open, 1);
	skip(1);
	ck_assert_ptr_null(hear(client));
	expect_end("idle");
	ck_assert_int_eq(worker.n_lingering, 1);
	close(client);
} END_TEST

/* One whose session is over, and which has not taken all. */
static int closing_echo(void)
{
	int client;

	service.timeouts.idle = 0;
	service.timeouts.session = 20;
	service.timeouts.linger = 40;
	client = stuffed_echo();
	skip(20);
	return client;
}

/* It is waited for while it takes; what it sends meanwhile is no reason to reset it. */
START_TEST(a_closing_connection_waits_for_a_client_that_is_taking)
{
	int client;

	client = closing_echo();
	expect_end("session");
	take_slowly(client, &worker.n_lingering, 4000, 39);
	skip(50);
	ck_assert_int_eq(worker.n_lingering, 0);
	close(client);
} END_TEST

/* The last of it counts like the rest: nothing is left to be taken then. */
START_TEST(a_closing_connection_has_its_time_from_the_last_byte_that_was_taken)
{
	int client;

	client = closing_echo();
	ck_assert_int_eq(worker.n_lingering, 1);
	skip(31);
	while (take(client, 65536) > 0)
		;
	skip(39);
	ck_assert_int_eq(worker.n_lingering, 1);
	skip(11);
	ck_assert_int_eq(worker.n_lingering, 0);
	close(client);
} END_TEST

int main(void)
{
	Suite *s = suite_create("connection_timeouts");
	TCase *tc = unit_case(s, "timeouts", set_up, tear_down);

	tcase_add_test(tc, a_client_that_takes_nothing_is_reset);
	tcase_add_test(tc, a_chargen_client_that_sends_but_does_not_read_times_out);
	tcase_add_test(tc, a_chargen_client_that_takes_nothing_is_reset);
	tcase_add_test(tc, a_session_does_not_end_lingering);
	tcase_add_test(tc, a_session_has_its_time_however_busy_it_is);
	tcase_add_test(tc, time_outs_of_0_are_never);
	tcase_add_test(tc, lingering_has_its_time_however_much_comes);
	tcase_add_test(tc, no_more_linger_than_there_are_slots);
	tc = unit_case(s, "slow and fast", set_up, tear_down);
	tcase_add_test(tc, a_chargen_client_that_reads_as_fast_as_it_can_stays);
	tcase_add_test(tc, a_client_that_takes_slowly_stays_as_long_as_it_takes);
	tcase_add_test(tc, a_client_that_takes_no_more_has_its_time_from_there);
	tcase_add_test(tc, a_stuck_client_has_its_time_and_no_more);
	tcase_add_test(tc, a_client_that_is_still_taking_its_answer_is_not_idle);
	tcase_add_test(tc, an_idle_client_is_sent_away);
	tcase_add_test(tc, a_closing_connection_waits_for_a_client_that_is_taking);
	tcase_add_test(tc, a_closing_connection_has_its_time_from_the_last_byte_that_was_taken);
	return unit_run(s);
}
