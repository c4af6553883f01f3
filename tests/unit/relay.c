/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The relay: what goes through, in what order it ends, and who waits for whom.
 * What breaks is in relay_broken.c, what is big in relay_big.c.
 */
#include <config.h>
#include "relay.h"

#include "relay_harness.h"

/* ---- bytes -------------------------------------------------------------- */

START_TEST(what_one_says_the_other_hears)
{
	begin((enum kind)_i);
	ck_assert_uint_eq(say(RELAY_UP, 100), 100);
	hear_until(RELAY_UP, 100);
	ck_assert_uint_eq(say(RELAY_DOWN, 30), 30);
	hear_until(RELAY_DOWN, 30);
	ck_assert_uint_eq(say(RELAY_UP, 1), 1);
	ck_assert_uint_eq(say(RELAY_DOWN, 3 * SCRATCH / 2), 3 * SCRATCH / 2);
	hear_until(RELAY_UP, 101);
	hear_until(RELAY_DOWN, 30 + 3 * SCRATCH / 2);
	ck_assert_uint_eq(moved_bytes[RELAY_UP], 101);
	ck_assert_uint_eq(moved_bytes[RELAY_DOWN], 30 + 3 * SCRATCH / 2);
	ck_assert(is_quiet());
	ck_assert(!relay_client_ended(&relay));
	ck_assert_uint_eq(n_finished + n_lost, 0);
} END_TEST

/* Before the loop has turned. */
START_TEST(what_is_there_already_goes_through_at_once)
{
	prepare(KIND_UNIX);
	say(RELAY_DOWN, 20);
	say(RELAY_UP, 10);
	ck_assert_int_eq(relay_begin(&relay), 0);
	ck_assert_uint_eq(hear(RELAY_DOWN, 100), 20);
	ck_assert_uint_eq(hear(RELAY_UP, 100), 10);
	ck_assert(is_quiet());
} END_TEST

/* ---- what the program is told first ------------------------------------- */

#define LINE "PROXY UNKNOWN\r\n"

static void hear_line(void)
{
	char got[sizeof LINE - 1] = "";

	ck_assert_int_eq(recv(program, got, sizeof got, MSG_DONTWAIT), sizeof got);
	ck_assert_mem_eq(got, LINE, sizeof got);
}

START_TEST(what_is_told_comes_before_what_the_client_has_said)
{
	prepare((enum kind)_i);
	say(RELAY_UP, 50);
	say(RELAY_DOWN, 5);
	ck_assert_int_eq(relay_tell(&relay, LINE, strlen(LINE)), 0);
	ck_assert_int_eq(relay_begin(&relay), 0);
	hear_line();
	hear_until(RELAY_UP, 50);
	hear_until(RELAY_DOWN, 5);
	say(RELAY_UP, 10);
	hear_until(RELAY_UP, 60);
} END_TEST

START_TEST(what_is_told_is_not_counted_as_said_by_the_client)
{
	prepare((enum kind)_i);
	ck_assert_int_eq(relay_tell(&relay, LINE, strlen(LINE)), 0);
	ck_assert_int_eq(relay_begin(&relay), 0);
	hear_line();
	ck_assert_uint_eq(moved_bytes[RELAY_UP], 0);
	say(RELAY_UP, 50);
	hear_until(RELAY_UP, 50);
	ck_assert_uint_eq(moved_bytes[RELAY_UP], 50);
} END_TEST

START_TEST(a_client_that_has_ended_already_is_told_of_as_well)
{
	prepare((enum kind)_i);
	say(RELAY_UP, 7);
	shutdown(client, SHUT_WR);
	ck_assert_int_eq(relay_tell(&relay, LINE, strlen(LINE)), 0);
	ck_assert_int_eq(relay_begin(&relay), 0);
	hear_line();
	hear_end(RELAY_UP);
	ck_assert(relay_client_ended(&relay));
} END_TEST

START_TEST(a_side_that_is_gone_can_be_told_nothing)
{
	prepare((enum kind)_i);
	say(RELAY_DOWN, 9);
	fd_close(&program);
	say(RELAY_UP, 50);
	ck_assert_int_eq(relay_tell(&relay, LINE, strlen(LINE)), 0);
	ck_assert_int_eq(relay_begin(&relay), 0);
	hear_end(RELAY_DOWN);
	until_quiet();
	ck_assert_uint_eq(moved_bytes[RELAY_UP], 0);
	ck_assert_uint_eq(n_finished, 1);
	ck_assert_uint_eq(n_lost, 0);
} END_TEST

/* A program that takes nothing: all of it waits, and in its order. */
START_TEST(what_is_told_waits_for_the_program)
{
	char got[sizeof LINE - 1];
	char junk[4096];
	ssize_t n;

	prepare((enum kind)_i);
	while (send(our_program, junk, 1, MSG_DONTWAIT) == 1)
		;
	say(RELAY_UP, 50);
	ck_assert_int_eq(relay_tell(&relay, LINE, strlen(LINE)), 0);
	ck_assert_int_eq(relay_begin(&relay), 0);
	until_quiet();
	ck_assert_uint_eq(moved_bytes[RELAY_UP], 0);
	while ((n = recv(program, junk, sizeof junk, MSG_DONTWAIT)) > 0)
		;
	UNTIL(recv(program, got, sizeof got, MSG_DONTWAIT | MSG_PEEK) == sizeof got);
	hear_line();
	hear_until(RELAY_UP, 50);
} END_TEST

/* ---- ends --------------------------------------------------------------- */

START_TEST(a_client_that_has_ended_still_hears_the_program)
{
	begin((enum kind)_i);
	say(RELAY_UP, 10);
	shutdown(client, SHUT_WR);
	hear_end(RELAY_UP);
	ck_assert(relay_client_ended(&relay));
	until_quiet();
	say(RELAY_DOWN, 1000);
	hear_until(RELAY_DOWN, 1000);
	ck_assert_uint_eq(n_finished, 0);
	shutdown(program, SHUT_WR);
	hear_end(RELAY_DOWN);
	until_quiet();
	ck_assert_uint_eq(n_finished, 1);
	ck_assert_uint_eq(n_lost, 0);
} END_TEST

START_TEST(a_program_that_has_ended_still_hears_the_client)
{
	begin((enum kind)_i);
	say(RELAY_DOWN, 10);
	shutdown(program, SHUT_WR);
	hear_end(RELAY_DOWN);
	ck_assert_uint_eq(n_finished, 1);
	ck_assert(!relay_client_ended(&relay));
	until_quiet();
	say(RELAY_UP, 1000);
	hear_until(RELAY_UP, 1000);
	shutdown(client, SHUT_WR);
	hear_end(RELAY_UP);
	until_quiet();
	ck_assert(relay_client_ended(&relay));
	ck_assert_uint_eq(n_finished, 1);
	ck_assert_uint_eq(n_lost, 0);
} END_TEST

/* Who has ended both ways is not looked at any more, and may go without a trace. */
START_TEST(after_both_ends_there_is_nothing_to_do)
{
	begin((enum kind)_i);
	shutdown(client, SHUT_WR);
	shutdown(program, SHUT_WR);
	hear_end(RELAY_UP);
	hear_end(RELAY_DOWN);
	ck_assert_uint_eq(n_finished, 1);
	ck_assert_uint_eq(our_client.watch.events | relay.program.watch.events, 0);
	reset_client();
	fd_close(&program);
	ck_assert_uint_eq(until_quiet(), 0);
	ck_assert_uint_eq(n_finished, 1);
	ck_assert_uint_eq(n_lost, 0);
} END_TEST

START_TEST(both_may_have_ended_before_it_begins)
{
	prepare((enum kind)_i);
	say(RELAY_DOWN, _i == KIND_UNIX ? 0 : 10);
	shutdown(client, SHUT_WR);
	shutdown(program, SHUT_WR);
	ck_assert_int_eq(relay_begin(&relay), 0);
	hear_end(RELAY_UP);
	hear_end(RELAY_DOWN);
	until_quiet();
	ck_assert_uint_eq(n_finished, 1);
} END_TEST

/* The program is gone, and in the same turn the client says no more. */
START_TEST(both_may_end_in_one_turn)
{
	begin((enum kind)_i);
	until_quiet();
	fd_close(&program);
	shutdown(client, SHUT_WR);
	UNTIL(n_finished > 0);
	until_quiet();
	ck_assert_uint_eq(n_finished, 1);
	ck_assert_uint_eq(n_lost, 0);
	hear_end(RELAY_DOWN);
} END_TEST

/* ---- who waits for whom ------------------------------------------------- */

/* Of what is not taken, a little has been read, and no more; the other way goes on. */
START_TEST(a_side_that_does_not_read_stops_only_the_side_that_sends_to_it)
{
	const enum relay_direction slow = _i % 2 ? RELAY_UP : RELAY_DOWN;
	const enum relay_direction other = _i % 2 ? RELAY_DOWN : RELAY_UP;
	const struct relay_way *way = &relay.ways[slow];

	begin((enum kind)(_i / 2));
	stuff(slow);
	ck_assert_uint_le(buffer_waiting(&way->waiting), SCRATCH);
	ck_assert_uint_le(way->in_pipe, 262144);
	ck_assert_uint_gt(buffer_waiting(&way->waiting) + way->in_pipe, 0);
	transfer(other, 100 * SCRATCH);
	until_quiet();
	shutdown(speaker(slow), SHUT_WR);
	transfer(other, 100 * SCRATCH);
	hear_end(slow);
	ck_assert_uint_eq(moved_bytes[slow], flows[slow].said);
	ck_assert_uint_eq(moved_bytes[other], flows[other].said);
	transfer(other, 100 * SCRATCH);
	ck_assert_uint_eq(n_lost, 0);
} END_TEST

START_TEST(both_may_not_hear)
{
	begin((enum kind)_i);
	stuff(RELAY_UP);
	stuff(RELAY_DOWN);
	shutdown(client, SHUT_WR);
	shutdown(program, SHUT_WR);
	until_quiet();
	ck_assert_uint_eq(n_finished, 0);
	hear_end(RELAY_DOWN);
	ck_assert_uint_eq(n_finished, 1);
	hear_end(RELAY_UP);
	until_quiet();
	ck_assert_uint_eq(n_finished, 1);
	ck_assert_uint_eq(n_lost, 0);
} END_TEST

/* ---- after the program's end -------------------------------------------- */

START_TEST(flushing_sends_what_the_program_still_said)
{
	begin((enum kind)_i);
	say(RELAY_DOWN, 5 * SCRATCH);
	fd_close(&program);
	ck_assert_int_eq(relay_flush(&relay), RELAY_ALL_SENT);
	ck_assert_uint_eq(moved_bytes[RELAY_DOWN], 5 * SCRATCH);
	ck_assert_uint_eq(n_finished, 0);
	ck_assert_int_eq(relay_flush(&relay), RELAY_ALL_SENT);
	hear_end(RELAY_DOWN);
	until_quiet();
	ck_assert_uint_eq(n_finished, 0);
} END_TEST

START_TEST(what_a_slow_client_did_not_take_then_follows)
{
	begin((enum kind)_i);
	stuff(RELAY_DOWN);
	fd_close(&program);
	ck_assert_int_eq(relay_flush(&relay), RELAY_PENDING);
	until_quiet();
	ck_assert_uint_eq(n_finished + n_lost, 0);
	hear_end(RELAY_DOWN);
	ck_assert_uint_eq(n_finished, 1);
	ck_assert_int_eq(relay_flush(&relay), RELAY_ALL_SENT);
} END_TEST

/* A process that the program has started has its socket, and sends nothing. */
START_TEST(another_process_with_the_programs_socket_is_waited_for)
{
	begin((enum kind)_i);
	say(RELAY_DOWN, 10);
	ck_assert_int_eq(relay_flush(&relay), RELAY_PENDING);
	hear_until(RELAY_DOWN, 10);
	until_quiet();
	fd_close(&program);
	hear_end(RELAY_DOWN);
	ck_assert_uint_eq(n_finished, 1);
} END_TEST

/* The client does not take the last of it at once. */
static void flush_to_slow_client(void)
{
	char junk[4096] = "";

	while (send(stream_socket(&our_client), junk, sizeof junk, MSG_DONTWAIT) > 0 ||
	       send(stream_socket(&our_client), junk, 1, MSG_DONTWAIT) > 0)
		;
	until_quiet();
	say(RELAY_DOWN, 100);
	ck_assert_int_eq(relay_flush(&relay), RELAY_PENDING);
}

START_TEST(flushing_goes_on_when_the_client_takes_more)
{
	char junk[4096] = "";

	begin(KIND_UNIX);
	flush_to_slow_client();
	until_quiet();
	while (recv(client, junk, sizeof junk, MSG_DONTWAIT) > 0)
		;
	hear_until(RELAY_DOWN, 100);
	ck_assert_uint_eq(n_finished, 0);
} END_TEST

/* It is returned, even if another process has the program's socket. */
START_TEST(flushing_to_a_client_that_is_gone_is_a_lost_client)
{
	begin((enum kind)_i);
	shutdown(client, SHUT_WR);
	hear_end(RELAY_UP);
	until_quiet();
	say(RELAY_DOWN, 100);
	reset_client();
	UNTIL(is_hung_up());
	ck_assert_int_eq(relay_flush(&relay), RELAY_CLIENT_LOST);
	ck_assert_uint_eq(n_lost + n_finished, 0);
} END_TEST

/* ---- what cannot be ----------------------------------------------------- */

static void never_ready(struct watch *w, uint32_t events)
{
	(void)w, (void)events;
	ck_abort_msg("the watch of another one");
}

START_TEST(what_cannot_be_watched_cannot_be_relayed)
{
	struct watch other = { .ready = never_ready };

	prepare(KIND_UNIX);
	other.fd = _i == 0 ? stream_socket(&our_client) : our_program;
	ck_assert_int_eq(loop_watch(&loop, &other, EPOLLPRI), 0);
	say(RELAY_UP, 10);
	ck_assert_int_eq(relay_begin(&relay), -1);
	ck_assert_int_eq(errno, EEXIST);
	ck_assert_uint_eq(n_finished + n_lost, 0);
	relay_end(&relay);
	loop_unwatch(&loop, &other);
} END_TEST

/* In the middle of it: then it is over. */
START_TEST(what_cannot_be_watched_any_more_is_lost)
{
	struct watch other = { .ready = never_ready };

	begin(KIND_UNIX);
	shutdown(client, SHUT_WR);
	hear_end(RELAY_UP);
	until_quiet();
	stream_watch(&our_client, &loop, STREAM_NOTHING);
	other.fd = stream_socket(&our_client);
	ck_assert_int_eq(loop_watch(&loop, &other, EPOLLPRI), 0);
	for (unsigned i = 0; i < 1000 && n_lost == 0; i++) {
		say(RELAY_DOWN, PLENTY);
		turn();
	}
	ck_assert_uint_eq(n_lost, 1);
} END_TEST

int main(void)
{
	Suite *s = suite_create("relay");
	TCase *tc = unit_case(s, "bytes", set_up, tear_down);

	tcase_add_loop_test(tc, what_one_says_the_other_hears, 0, KINDS);
	tcase_add_test(tc, what_is_there_already_goes_through_at_once);
	tcase_add_loop_test(tc, what_is_told_comes_before_what_the_client_has_said, 0, KINDS);
	tcase_add_loop_test(tc, what_is_told_is_not_counted_as_said_by_the_client, 0, KINDS);
	tcase_add_loop_test(tc, a_client_that_has_ended_already_is_told_of_as_well, 0, KINDS);
	tcase_add_loop_test(tc, a_side_that_is_gone_can_be_told_nothing, 0, KINDS);
	tcase_add_loop_test(tc, what_is_told_waits_for_the_program, 0, KINDS);
	tc = unit_case(s, "ends", set_up, tear_down);
	tcase_add_loop_test(tc, a_client_that_has_ended_still_hears_the_program, 0, KINDS);
	tcase_add_loop_test(tc, a_program_that_has_ended_still_hears_the_client, 0, KINDS);
	tcase_add_loop_test(tc, after_both_ends_there_is_nothing_to_do, 0, KINDS);
	tcase_add_loop_test(tc, both_may_have_ended_before_it_begins, 0, KINDS);
	tcase_add_loop_test(tc, both_may_end_in_one_turn, 0, KINDS);
	tc = unit_case(s, "pressure", set_up, tear_down);
	tcase_add_loop_test(tc, a_side_that_does_not_read_stops_only_the_side_that_sends_to_it, 0, 2 * KINDS);
	tcase_add_loop_test(tc, both_may_not_hear, 0, KINDS);
	tc = unit_case(s, "flush", set_up, tear_down);
	tcase_add_loop_test(tc, flushing_sends_what_the_program_still_said, 0, KINDS);
	tcase_add_loop_test(tc, what_a_slow_client_did_not_take_then_follows, 0, KINDS);
	tcase_add_loop_test(tc, another_process_with_the_programs_socket_is_waited_for, 0, KINDS);
	tcase_add_test(tc, flushing_goes_on_when_the_client_takes_more);
	tcase_add_loop_test(tc, flushing_to_a_client_that_is_gone_is_a_lost_client, 0, KINDS);
	tc = unit_case(s, "failures", set_up, tear_down);
	tcase_add_loop_test(tc, what_cannot_be_watched_cannot_be_relayed, 0, 2);
	tcase_add_test(tc, what_cannot_be_watched_any_more_is_lost);
	return run(s);
}
