/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The relay, when one side breaks off: who is told, what still arrives, and
 * that a socket that is hung up does not make the loop spin, whatever waits.
 */
#include <config.h>
#include "relay.h"

#include "relay_harness.h"

/* ---- a client that breaks off ------------------------------------------- */

static void nothing(void)
{
}

static void up_waits(void)
{
	stuff(RELAY_UP);
}

static void down_waits(void)
{
	stuff(RELAY_DOWN);
}

static void both_wait(void)
{
	stuff(RELAY_UP);
	stuff(RELAY_DOWN);
}

static void up_is_spliced(void)
{
	stuff(RELAY_UP);
	hear_until(RELAY_UP, flows[RELAY_UP].said);
	until_quiet();
	ck_assert_int_ne(relay.ways[RELAY_UP].pipe[0], -1);
}

static void down_is_spliced(void)
{
	stuff(RELAY_DOWN);
	hear_until(RELAY_DOWN, flows[RELAY_DOWN].said);
	until_quiet();
	ck_assert_int_ne(relay.ways[RELAY_DOWN].pipe[0], -1);
}

static void up_is_refused(void)
{
	shutdown(program, SHUT_RD);
	say(RELAY_UP, 100);
	UNTIL(relay.ways[RELAY_UP].phase == RELAY_REFUSED);
}

static void up_has_ended(void)
{
	shutdown(client, SHUT_WR);
	hear_end(RELAY_UP);
}

static void down_has_ended(void)
{
	shutdown(program, SHUT_WR);
	hear_end(RELAY_DOWN);
}

static void down_ends(void)
{
	stuff(RELAY_DOWN);
	shutdown(program, SHUT_WR);
	until_quiet();
}

static void down_waits_and_up_has_ended(void)
{
	up_has_ended();
	down_waits();
}

enum notice {                           /* when it is noticed that the client is gone */
	NOTICE_AT_ONCE,
	NOTICE_SAID,                    /* when the program says something */
	NOTICE_HEARD,                   /* when it takes something */
};

static const struct {
	const char *name;
	void      (*before)(void);
	enum notice notice;
} resets[] = {
	{ "idle",                            nothing,         NOTICE_AT_ONCE },
	{ "it has said what is not taken",   up_waits,        NOTICE_SAID },
	{ "the same",                        up_waits,        NOTICE_HEARD },
	{ "it did not hear",                 down_waits,      NOTICE_AT_ONCE },
	{ "neither heard",                   both_wait,       NOTICE_AT_ONCE },
	{ "after it said much",              up_is_spliced,   NOTICE_AT_ONCE },
	{ "after it heard much",             down_is_spliced, NOTICE_AT_ONCE },
	{ "its program does not hear",       up_is_refused,   NOTICE_AT_ONCE },
	{ "it had ended",                    up_has_ended,    NOTICE_SAID },
	{ "its program had ended",           down_has_ended,  NOTICE_AT_ONCE },
	{ "its program ended, and it did not hear", down_ends, NOTICE_AT_ONCE },
	{ "it had ended, and did not hear",  down_waits_and_up_has_ended, NOTICE_AT_ONCE },
};

START_TEST(a_client_that_breaks_off_is_told_of_once)
{
	begin(KIND_TCP);
	resets[_i].before();
	until_quiet();
	ck_assert_uint_eq(n_lost, 0);
	reset_client();
	UNTIL(is_hung_up());
	if (resets[_i].notice != NOTICE_AT_ONCE) {
		until_quiet();
		ck_assert_msg(n_lost == 0, "%s", resets[_i].name);
	}
	if (resets[_i].notice == NOTICE_SAID)
		say(RELAY_DOWN, 100);
	while (n_lost == 0 && resets[_i].notice == NOTICE_HEARD)
		hear(RELAY_UP, CHUNK), turn();
	UNTIL(n_lost > 0);
	until_quiet();
	ck_assert_uint_eq(n_lost, 1);
	ck_assert_uint_le(n_finished, resets[_i].before == down_has_ended);
	/* The program finds out, after what was said before. */
	hear_all(RELAY_UP);
	ck_assert(flows[RELAY_UP].ended || flows[RELAY_UP].error == ECONNRESET);
	say(RELAY_DOWN, 1);
	ck_assert(flows[RELAY_DOWN].refused);
} END_TEST

/* Closing is not breaking off, until a side sends something. */
START_TEST(a_client_that_closes_is_lost_when_it_is_spoken_to)
{
	begin((enum kind)_i);
	say(RELAY_UP, 100);
	fd_close(&client);
	hear_end(RELAY_UP);
	until_quiet();
	ck_assert_uint_eq(n_lost, 0);
	for (int i = 0; i < 10000 && n_lost == 0; i++) {
		say(RELAY_DOWN, 1);
		turn();
	}
	ck_assert_uint_eq(n_lost, 1);
	ck_assert_uint_eq(n_finished, 0);
} END_TEST

/* Over a unix socket that can be known. */
START_TEST(a_client_that_does_not_hear_any_more_is_lost)
{
	begin(KIND_UNIX);
	shutdown(client, SHUT_RD);
	ck_assert_uint_eq(until_quiet(), 0);
	say(RELAY_UP, 100);
	hear_until(RELAY_UP, 100);
	say(RELAY_DOWN, 100);
	until_quiet();
	ck_assert_uint_eq(n_lost, 1);
	ck_assert_uint_eq(moved_bytes[RELAY_DOWN], 0);
} END_TEST

/* ---- a program that breaks off ------------------------------------------ */

/* Its socket is reset then, but what it had said is said. */
START_TEST(a_program_may_close_without_having_read)
{
	const bool much = _i / KINDS;

	begin((enum kind)(_i % KINDS));
	say(RELAY_UP, 100);
	UNTIL(moved_bytes[RELAY_UP] == 100);
	if (much)
		stuff(RELAY_DOWN);
	else
		say(RELAY_DOWN, 3 * SCRATCH);
	fd_close(&program);
	hear_end(RELAY_DOWN);
	until_quiet();
	ck_assert_uint_eq(n_finished, 1);
	ck_assert_uint_eq(n_lost, 0);
	/* The client's bytes are neither read nor counted; and then it ends. */
	for (size_t sum = 0; sum < 1 << 20; )
		sum += say(RELAY_UP, CHUNK), turn();
	until_quiet();
	shutdown(client, SHUT_WR);
	UNTIL(relay_client_ended(&relay));
	until_quiet();
	ck_assert_uint_eq(moved_bytes[RELAY_UP], 100);
	ck_assert_uint_eq(n_finished, 1);
	ck_assert_uint_eq(n_lost, 0);
} END_TEST

START_TEST(a_program_may_close_with_much_on_its_way_to_it)
{
	begin((enum kind)_i);
	stuff(RELAY_UP);
	say(RELAY_DOWN, 10);
	fd_close(&program);
	hear_end(RELAY_DOWN);
	UNTIL(relay.ways[RELAY_UP].phase == RELAY_REFUSED);
	ck_assert_int_eq(relay.ways[RELAY_UP].pipe[0], -1);
	UNTIL(say(RELAY_UP, 100) > 0);
	until_quiet();
	ck_assert_uint_lt(moved_bytes[RELAY_UP], flows[RELAY_UP].said);
	ck_assert_uint_eq(n_finished, 1);
	ck_assert_uint_eq(n_lost, 0);
} END_TEST

/* It is not read, not counted, and stops nothing. */
START_TEST(what_a_program_does_not_read_any_more_is_thrown_away)
{
	begin((enum kind)_i);
	shutdown(program, SHUT_RD);
	ck_assert_uint_eq(until_quiet(), 0);
	for (size_t sum = 0; sum < 8 << 20; )
		sum += say(RELAY_UP, CHUNK), turn();
	transfer(RELAY_DOWN, 100 * SCRATCH);
	until_quiet();
	ck_assert_uint_eq(moved_bytes[RELAY_UP], 0);
	ck_assert(!relay_client_ended(&relay));
	shutdown(client, SHUT_WR);
	UNTIL(relay_client_ended(&relay));
	transfer(RELAY_DOWN, 10);
	fd_close(&program);
	hear_end(RELAY_DOWN);
	until_quiet();
	ck_assert_uint_eq(n_finished, 1);
	ck_assert_uint_eq(n_lost, 0);
} END_TEST

/* ---- no spinning -------------------------------------------------------- */

enum act { ACT_NOTHING, ACT_SHUT_WR, ACT_SHUT_RD, ACT_CLOSE, ACT_RESET, ACTS };

static void do_act(enum act act, int *fd)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };

	if (act == ACT_SHUT_WR || act == ACT_SHUT_RD)
		shutdown(*fd, act == ACT_SHUT_WR ? SHUT_WR : SHUT_RD);
	if (act == ACT_RESET)
		setsockopt(*fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	if (act == ACT_CLOSE || act == ACT_RESET)
		fd_close(fd);
}

static void take_all(enum relay_direction d)
{
	if (hearer(d) == -1)
		return;
	do
		until_quiet();
	while (hear(d, CHUNK) > 0);
}

#define PROGRAM_ACTS ((int)ACT_RESET)           /* it has a unix socket */
#define COMBINATIONS (KINDS * 2 * 2 * 2 * (int)ACTS * PROGRAM_ACTS)
#define PART         (COMBINATIONS / 8)

struct combination {
	enum kind kind;
	bool      up, down;             /* whether each direction waits */
	bool      early;                /* the program acts first, or the relay begins first */
	enum act  client, program;
};

static struct combination combination(int i)
{
	struct combination it = { .kind = (enum kind)(i % KINDS) };

	it.up = (i /= KINDS) % 2;
	it.down = (i /= 2) % 2;
	it.early = (i /= 2) % 2;
	it.client = (enum act)((i /= 2) % (int)ACTS);
	it.program = (enum act)(i / (int)ACTS % PROGRAM_ACTS);
	return it;
}

/* Whether each direction waits, what each side does and in which order; then they hear all. */
static void check_spinning(int i)
{
	const struct combination now = combination(i);

	begin(now.kind);
	if (now.up)
		stuff(RELAY_UP);
	if (now.down)
		stuff(RELAY_DOWN);
	if (now.early)
		do_act(now.program, &program);
	until_quiet();
	do_act(now.client, &client);
	until_quiet();
	if (!now.early)
		do_act(now.program, &program);
	until_quiet();
	take_all(RELAY_UP);
	take_all(RELAY_DOWN);
	until_quiet();
	fd_close(&client);
	until_quiet();
	fd_close(&program);
	until_quiet();
	ck_assert_uint_le(n_lost, 1);
	ck_assert_uint_le(n_finished, 1);
	ck_assert_uint_ge(n_lost + n_finished, 1);
}

/* The same without the turns between. */
static void check_at_once(int i)
{
	const struct combination now = combination(i);

	prepare(now.kind);
	if (now.early)
		ck_assert_int_eq(relay_begin(&relay), 0);
	say(RELAY_UP, now.up ? 10 * SCRATCH : 0);
	say(RELAY_DOWN, now.down ? 10 * SCRATCH : 0);
	do_act(now.client, &client);
	do_act(now.program, &program);
	if (!now.early)
		ck_assert_int_eq(relay_begin(&relay), 0);
	until_quiet();
	take_all(RELAY_UP);
	take_all(RELAY_DOWN);
	fd_close(&program);
	UNTIL(n_lost + n_finished > 0);
	until_quiet();
	ck_assert_uint_le(n_lost, 1);
	ck_assert_uint_le(n_finished, 1);
	if (now.client == ACT_NOTHING || now.client == ACT_SHUT_WR) {
		hear_end(RELAY_DOWN);
		ck_assert_uint_eq(n_lost, 0);
	}
}

/* Many in one test: a process for each would take longer than all that they do. */
static void check_part(int part, void (*check)(int i))
{
	for (int i = part * PART; i < (part + 1) * PART; i++) {
		check(i);
		tear_down();
		set_up();
	}
}

START_TEST(hung_up_sockets_do_not_make_it_spin)
{
	check_part(_i, check_spinning);
} END_TEST

START_TEST(it_may_all_come_at_once)
{
	check_part(_i, check_at_once);
} END_TEST

int main(void)
{
	Suite *s = suite_create("relay_broken");
	TCase *tc = unit_case(s, "client", set_up, tear_down);

	tcase_add_loop_test(tc, a_client_that_breaks_off_is_told_of_once, 0, (int)ARRAY_SIZE(resets));
	tcase_add_loop_test(tc, a_client_that_closes_is_lost_when_it_is_spoken_to, 0, KINDS);
	tcase_add_test(tc, a_client_that_does_not_hear_any_more_is_lost);
	tc = unit_case(s, "program", set_up, tear_down);
	tcase_add_loop_test(tc, a_program_may_close_without_having_read, 0, 2 * KINDS);
	tcase_add_loop_test(tc, a_program_may_close_with_much_on_its_way_to_it, 0, KINDS);
	tcase_add_loop_test(tc, what_a_program_does_not_read_any_more_is_thrown_away, 0, KINDS);
	tc = unit_case(s, "spin", set_up, tear_down);
	tcase_add_loop_test(tc, hung_up_sockets_do_not_make_it_spin, 0, COMBINATIONS / PART);
	tcase_add_loop_test(tc, it_may_all_come_at_once, 0, COMBINATIONS / PART);
	return run(s);
}
