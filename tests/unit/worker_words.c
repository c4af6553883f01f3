/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a worker has to say while its pipe to the master is full: it is said when there
 * is room, and the master waits for nothing that does not come.
 */
#include <config.h>
#include "worker.h"

#include <errno.h>

#include "connection_harness.h"

static struct leash master;

static void open_leash(void)
{
	set_up();
	ck_assert_int_eq(leash_open(&master, &worker.start.leash), 0);
}

static void close_leash(void)
{
	leash_close(&master);
	leash_close(&worker.start.leash);
	tear_down();
}

static void nothing(struct watch *w, uint32_t events)
{
	(void)w, (void)events;
}

static void fill_pipe(void)
{
	while (leash_say(&worker.start.leash, &(struct leash_message){ .word = LEASH_LOOK }) == 0)
		;
	ck_assert_int_eq(errno, EAGAIN);
}

/* The next word behind those that have filled the pipe; its loop turns meanwhile. */
static struct leash_message next_word(void)
{
	struct leash_message m = { .word = LEASH_LOOK };

	while (m.word == LEASH_LOOK && leash_hear(&master, &m) == LEASH_OK)
		;
	turn();
	while (m.word == LEASH_LOOK && leash_hear(&master, &m) == LEASH_OK)
		;
	return m;
}

START_TEST(that_the_slots_have_become_few_is_not_lost)
{
	int clients[SLOTS];

	worker_watch_slots(&worker, 1, 0);
	for (int i = 0; i < SLOTS; i++) {
		if (i == SLOTS - 1)
			fill_pipe();
		clients[i] = connect_pair(HANDLER_ID_echo);
	}
	ck_assert_int_eq(next_word().word, LEASH_SLOTS);
	for (int i = 0; i < SLOTS; i++)
		close(clients[i]);
	turns(2);
} END_TEST

START_TEST(that_a_connection_was_kicked_is_not_lost)
{
	int client = connect_pair(HANDLER_ID_echo);
	struct leash_message m;

	fill_pipe();
	connection_kick(newest());
	m = next_word();
	ck_assert_int_eq(m.word, LEASH_KICK);
	ck_assert_uint_eq(m.number, 1);
	close(client);
} END_TEST

START_TEST(that_there_is_no_connection_to_kick_is_not_lost)
{
	struct leash_message m;

	fill_pipe();
	worker_say_of(&worker, LEASH_NO_SUCH, 77);
	m = next_word();
	ck_assert_int_eq(m.word, LEASH_NO_SUCH);
	ck_assert_uint_eq(m.number, 77);
} END_TEST

START_TEST(that_programs_fail_is_not_lost)
{
	worker.leash.ready = nothing;           /* as of one that has begun */
	fill_pipe();
	health_failed(&worker, "it is not there");
	ck_assert_int_eq(next_word().word, LEASH_PROGRAMS);
} END_TEST

int main(void)
{
	Suite *s = suite_create("worker_words");
	TCase *tc = unit_case(s, "words", open_leash, close_leash);

	tcase_add_test(tc, that_the_slots_have_become_few_is_not_lost);
	tcase_add_test(tc, that_a_connection_was_kicked_is_not_lost);
	tcase_add_test(tc, that_there_is_no_connection_to_kick_is_not_lost);
	tcase_add_test(tc, that_programs_fail_is_not_lost);
	return unit_run(s);
}
