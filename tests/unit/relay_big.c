/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Much through the relay: spliced through a pipe or, where there is none,
 * copied; urgent bytes among it; and both ways at random.
 */
#include <config.h>
#include "relay.h"

#include <stdarg.h>

#include "relay_harness.h"

/* ---- system calls that fail --------------------------------------------- */

static bool no_pipe, no_pipe_size;
static unsigned n_opened, n_sizes;       /* how often they were asked for */

int __real_pipe2(int ends[2], int flags);
int __wrap_pipe2(int ends[2], int flags);
int __real_fcntl(int fd, int command, void *arg);
int __wrap_fcntl(int fd, int command, ...);

int __wrap_pipe2(int ends[2], int flags)
{
	n_opened++;
	if (!no_pipe)
		return __real_pipe2(ends, flags);
	errno = EMFILE;
	return -1;
}

int __wrap_fcntl(int fd, int command, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, command);
	arg = va_arg(ap, void *);
	va_end(ap);
	n_sizes += command == F_SETPIPE_SZ;
	if (command != F_SETPIPE_SZ || !no_pipe_size)
		return __real_fcntl(fd, command, arg);
	errno = EPERM;
	return -1;
}

/* ---- chance, the same each time ----------------------------------------- */

static uint32_t chance_state;

static size_t chance(size_t below)
{
	chance_state ^= chance_state << 13;
	chance_state ^= chance_state >> 17;
	chance_state ^= chance_state << 5;
	return chance_state % below;
}

static const size_t sizes[] = { 1, 7, 100, SCRATCH - 1, SCRATCH, SCRATCH + 1, 30000, 65536 };

static size_t chance_size(void)
{
	return 1 + chance(sizes[chance(ARRAY_SIZE(sizes))]);
}

/* ---- one way ------------------------------------------------------------ */

#define BIG ((size_t)6 << 20)

static bool is_spliced(enum relay_direction d)
{
	return relay.ways[d].pipe[0] != -1;
}

/* In pieces of any size, of which the last is followed by the end. */
static void transfer_big(enum relay_direction d)
{
	const struct flow *s = &flows[d];

	chance_state = 88172645u + (uint32_t)d;
	while (s->heard < BIG) {
		const size_t left = BIG - s->said;
		const size_t size = chance_size() * 3;

		if (left > 0)
			say(d, size < left ? size : left);
		turn();
		if (chance(2) == 0)
			hear(d, chance_size() * 2);
		if (s->said == BIG)
			UNTIL(hear(d, SCRATCH) > 0 || s->heard == BIG);
	}
	shutdown(speaker(d), SHUT_WR);
	hear_end(d);
	until_quiet();
	ck_assert_uint_eq(moved_bytes[d], BIG);
	ck_assert_uint_eq(n_finished, d == RELAY_DOWN);
	ck_assert_uint_eq(n_lost, 0);
}

static const struct { const char *name; bool no_pipe, no_pipe_size; } rows[] = {
	{ "with a large pipe",    false, false },
	{ "with an ordinary one", false, true },
	{ "with none",            true,  true },
};

#define BIG_TESTS ((int)ARRAY_SIZE(rows) * KINDS * RELAY_DIRECTIONS)

START_TEST(much_goes_through_as_it_was_said)
{
	const enum kind kind = (enum kind)(_i % KINDS);
	const enum relay_direction d = (enum relay_direction)(_i / KINDS % RELAY_DIRECTIONS);
	const int row = _i / KINDS / RELAY_DIRECTIONS;

	no_pipe = rows[row].no_pipe;
	no_pipe_size = rows[row].no_pipe_size;
	begin(kind);
	transfer_big(d);
	ck_assert_msg(n_opened > 0, "%s: it was not thought much", rows[row].name);
	ck_assert_msg((n_sizes > 0) == !no_pipe, "%s", rows[row].name);
	ck_assert_int_eq(unit_count_fds(), n_fds + 5);          /* the sockets and the loop */
} END_TEST

START_TEST(a_pipe_is_kept_no_longer_than_much_comes)
{
	begin((enum kind)_i);
	stuff(RELAY_DOWN);
	ck_assert(is_spliced(RELAY_DOWN));
	ck_assert(!is_spliced(RELAY_UP));
	hear_until(RELAY_DOWN, flows[RELAY_DOWN].said);
	for (int i = 0; i < 3; i++) {
		say(RELAY_DOWN, 10);
		hear_until(RELAY_DOWN, flows[RELAY_DOWN].said);
	}
	relay_flush(&relay);
	ck_assert(!is_spliced(RELAY_DOWN));
} END_TEST

/* What lies in the pipe is lost with it, and nothing else stays behind. */
START_TEST(it_may_end_with_something_in_the_pipe)
{
	begin((enum kind)_i);
	stuff(RELAY_UP);
	stuff(RELAY_DOWN);
	ck_assert_uint_gt(relay.ways[RELAY_UP].in_pipe, 0);
	ck_assert_uint_gt(relay.ways[RELAY_DOWN].in_pipe, 0);
	relay_end(&relay);
	ck_assert(!is_spliced(RELAY_UP) && !is_spliced(RELAY_DOWN));
	ck_assert(is_quiet());
} END_TEST

START_TEST(flushing_empties_the_pipe)
{
	begin((enum kind)_i);
	stuff(RELAY_DOWN);
	fd_close(&program);
	while (relay_flush(&relay) == RELAY_PENDING)
		hear(RELAY_DOWN, 65536);
	hear_end(RELAY_DOWN);
	until_quiet();
	ck_assert_uint_eq(n_lost, 0);
	ck_assert_uint_eq(moved_bytes[RELAY_DOWN], flows[RELAY_DOWN].said);
} END_TEST

/* Others have them all: then it is copied, until one of them is free. */
START_TEST(there_are_no_more_pipes_than_allowed)
{
	begin((enum kind)_i);
	owner.n_pipes = owner.max_pipes;
	stuff(RELAY_DOWN);
	ck_assert(!is_spliced(RELAY_DOWN));
	owner.n_pipes--;
	hear_until(RELAY_DOWN, flows[RELAY_DOWN].said);
	stuff(RELAY_DOWN);
	ck_assert(is_spliced(RELAY_DOWN));
	ck_assert_uint_eq(owner.n_pipes, owner.max_pipes);
	stuff(RELAY_UP);
	ck_assert(!is_spliced(RELAY_UP));
	owner.n_pipes = 1;                    /* its own */
} END_TEST

/* ---- urgent bytes ------------------------------------------------------- */

static void say_urgent(void)
{
	ck_assert_int_eq(send(client, "!", 1, MSG_OOB | MSG_NOSIGNAL), 1);
}

/* Much comes, and is heard: the next is spliced. */
static void begin_splicing(enum kind kind)
{
	begin(kind);
	stuff(RELAY_UP);
	hear_until(RELAY_UP, flows[RELAY_UP].said - SCRATCH);
	until_quiet();
	ck_assert(is_spliced(RELAY_UP));
}

/* They are not read, and all others are. */
START_TEST(urgent_bytes_are_left_out_while_it_copies)
{
	begin((enum kind)_i);
	for (int i = 0; i < 5; i++) {
		say(RELAY_UP, 100);
		say_urgent();
		if (i % 2 == 0)
			hear_until(RELAY_UP, flows[RELAY_UP].said);
		say(RELAY_UP, 50);
		hear_until(RELAY_UP, flows[RELAY_UP].said);
		ck_assert_uint_le(until_quiet(), 2);
	}
	say_urgent();
	shutdown(client, SHUT_WR);
	hear_end(RELAY_UP);
	ck_assert_uint_eq(n_lost, 0);
} END_TEST

START_TEST(urgent_bytes_are_left_out_while_it_splices)
{
	begin_splicing((enum kind)_i);
	for (int i = 0; i < 5; i++) {
		transfer(RELAY_UP, 200000);
		ck_assert(i > 0 || is_spliced(RELAY_UP));
		say_urgent();
		UNTIL(is_quiet());
		ck_assert_uint_le(until_quiet(), 2);
		transfer(RELAY_UP, 200000);
	}
	shutdown(client, SHUT_WR);
	hear_end(RELAY_UP);
	ck_assert_uint_eq(n_lost, 0);
} END_TEST

/* All that comes after it is there already, and the end. (Of two, the first is not urgent any more.) */
START_TEST(an_urgent_byte_is_not_the_end)
{
	begin_splicing((enum kind)_i);
	say(RELAY_UP, 3 * SCRATCH);
	say_urgent();
	say(RELAY_UP, 5 * SCRATCH);
	shutdown(client, SHUT_WR);
	hear_end(RELAY_UP);
	until_quiet();
	ck_assert_uint_eq(moved_bytes[RELAY_UP], flows[RELAY_UP].said);
	ck_assert(relay_client_ended(&relay));
	ck_assert_uint_eq(n_lost, 0);
} END_TEST

/* ---- at random ---------------------------------------------------------- */

#define RANDOM_ROUNDS 60

static struct plan { size_t total; bool said_end; } plans[RELAY_DIRECTIONS];

static void say_some(enum relay_direction d)
{
	struct plan *p = &plans[d];
	const size_t size = chance_size(), left = p->total - flows[d].said;

	if (p->said_end)
		return;
	say(d, size < left ? size : left);
	if (flows[d].said == p->total) {
		ck_assert_int_eq(shutdown(speaker(d), SHUT_WR), 0);
		p->said_end = true;
	}
}

static bool is_over(void)
{
	return flows[RELAY_UP].ended && flows[RELAY_DOWN].ended;
}

/* Sizes from nothing to much, and a side that is lazy for a while. */
START_TEST(both_ways_at_random)
{
	chance_state = 0x9e3779b9u * (uint32_t)(_i + 1);
	no_pipe = chance(8) == 0;
	for (int d = 0; d < RELAY_DIRECTIONS; d++)
		plans[d].total = chance(3) == 0 ? chance(50) : chance((size_t)1 << (12 + chance(9)));
	prepare((enum kind)(_i % KINDS));
	for (size_t i = chance(4); i > 0; i--)
		say_some((enum relay_direction)chance(RELAY_DIRECTIONS));
	ck_assert_int_eq(relay_begin(&relay), 0);
	for (size_t lazy = 0; !is_over(); lazy = chance(50) == 0 ? chance(5) : lazy) {
		const enum relay_direction d = (enum relay_direction)chance(RELAY_DIRECTIONS);

		if (lazy != 1 + (size_t)d)
			say_some(d);
		if (chance(2) == 0)
			turn();
		if (lazy != 3 + (size_t)d)
			hear(d, chance_size());
	}
	until_quiet();
	for (int d = 0; d < RELAY_DIRECTIONS; d++) {
		ck_assert_uint_eq(flows[d].heard, plans[d].total);
		ck_assert_uint_eq(moved_bytes[d], plans[d].total);
		ck_assert_int_eq(flows[d].error, 0);
	}
	ck_assert_uint_eq(n_finished, 1);
	ck_assert_uint_eq(n_lost, 0);
} END_TEST

int main(void)
{
	Suite *s = suite_create("relay_big");
	TCase *tc = unit_case(s, "big", set_up, tear_down);

	tcase_add_loop_test(tc, much_goes_through_as_it_was_said, 0, BIG_TESTS);
	tcase_add_loop_test(tc, a_pipe_is_kept_no_longer_than_much_comes, 0, KINDS);
	tcase_add_loop_test(tc, it_may_end_with_something_in_the_pipe, 0, KINDS);
	tcase_add_loop_test(tc, there_are_no_more_pipes_than_allowed, 0, KINDS);
	tcase_add_loop_test(tc, flushing_empties_the_pipe, 0, KINDS);
	tc = unit_case(s, "urgent", set_up, tear_down);
	tcase_add_loop_test(tc, urgent_bytes_are_left_out_while_it_copies, 0, KINDS);
	tcase_add_loop_test(tc, urgent_bytes_are_left_out_while_it_splices, 0, KINDS);
	tcase_add_loop_test(tc, an_urgent_byte_is_not_the_end, 0, KINDS);
	tc = unit_case(s, "random", set_up, tear_down);
	tcase_add_loop_test(tc, both_ways_at_random, 0, RANDOM_ROUNDS);
	return run(s);
}
