/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How long a connection may take, and lingering.
 */
#include <config.h>
#include "connection.h"

#include "connection_harness.h"

START_TEST(an_idle_client_is_sent_away)
{
	int client;

	service.timeouts.idle = 30;
	client = connect_tcp(HANDLER_ID_echo);
	pass(15);
	say(client, "x");
	turn();
	ck_assert_str_eq(hear(client), "x");
	pass(20);
	ck_assert_int_eq(worker.n_open, 1);     /* counted from its last byte */
	until_readable(client);
	ck_assert_ptr_null(hear(client));
	expect_end("idle");
	ck_assert_int_eq(worker.n_lingering, 1);
	close(client);
} END_TEST

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

	service.timeouts.write = 30;
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

int main(void)
{
	Suite *s = suite_create("connection_timeouts");
	TCase *tc = unit_case(s, "timeouts", set_up, tear_down);

	tcase_add_test(tc, an_idle_client_is_sent_away);
	tcase_add_test(tc, a_client_that_takes_nothing_is_reset);
	tcase_add_test(tc, a_chargen_client_that_sends_but_does_not_read_times_out);
	tcase_add_test(tc, a_chargen_client_that_takes_nothing_is_reset);
	tcase_add_test(tc, a_session_does_not_end_lingering);
	tcase_add_test(tc, a_session_has_its_time_however_busy_it_is);
	tcase_add_test(tc, time_outs_of_0_are_never);
	tcase_add_test(tc, lingering_has_its_time_however_much_comes);
	tcase_add_test(tc, no_more_linger_than_there_are_slots);
	return unit_run(s);
}
