/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Episodes of refusals: when the master hears of one, and when it is over.
 */
#include <config.h>
#include "episode.h"

#include <sys/mman.h>

#include "clock.h"
#include "stepping.h"

static struct episode e;
static struct episode_view v;
static const struct endpoint client = { .family = AF_INET, .port = 7, .ip = { 192, 0, 2, 1 } };
static const struct endpoint other = { .family = AF_INET, .port = 8, .ip = { 192, 0, 2, 2 } };

START_TEST(the_master_is_told_of_the_first_refusal_only)
{
	ck_assert_int_eq(episode_look(&e, 5000, &v), EPISODE_NOTHING);
	ck_assert_int_eq(v.ends_ms, CLOCK_NEVER);
	ck_assert(episode_note(&e, &client, 5000));
	ck_assert(!episode_note(&e, &other, 5001));
	ck_assert_int_eq(episode_look(&e, 5002, &v), EPISODE_BEGUN);
	ck_assert_mem_eq(&v.first, &client, sizeof client);
	ck_assert(!episode_note(&e, &other, 5003));
	ck_assert_int_eq(episode_look(&e, 5004, &v), EPISODE_NOTHING);
	ck_assert_uint_eq(v.refused, 3);        /* also the one that came before the master had looked */
	ck_assert_int_eq(v.ends_ms, 5003 + EPISODE_QUIET_MS);
} END_TEST

START_TEST(it_ends_when_it_was_quiet_for_a_while)
{
	episode_note(&e, &client, 5000);
	episode_look(&e, 5000, &v);
	for (int64_t ms = 5000; ms < 90000; ms += EPISODE_QUIET_MS - 1) {
		ck_assert_int_eq(episode_look(&e, ms, &v), EPISODE_NOTHING);
		episode_note(&e, &client, ms);
	}
	ck_assert_int_eq(episode_look(&e, v.ends_ms + 90000, &v), EPISODE_ENDED);
	ck_assert_uint_eq(v.refused, 10);
	ck_assert_int_eq(v.ends_ms, CLOCK_NEVER);
	ck_assert(episode_note(&e, &other, 200000));
	ck_assert_int_eq(episode_look(&e, 200000, &v), EPISODE_BEGUN);
	ck_assert_mem_eq(&v.first, &other, sizeof other);
	ck_assert_int_eq(episode_look(&e, 200000 + EPISODE_QUIET_MS, &v), EPISODE_ENDED);
	ck_assert_uint_eq(v.refused, 1);
	ck_assert_int_eq(v.lasted_ms, EPISODE_QUIET_MS);
} END_TEST

/* It died between the two changes of the state. */
START_TEST(a_worker_that_dies_while_it_begins_one_has_begun_it)
{
	atomic_store(&e.state, EPISODE_BEGINS);
	ck_assert(!episode_note(&e, &client, 5000));
	ck_assert_int_eq(episode_look(&e, 5001, &v), EPISODE_BEGUN);
	ck_assert_int_eq(v.first.family, 0);
	ck_assert_int_eq(episode_look(&e, 5000 + EPISODE_QUIET_MS, &v), EPISODE_ENDED);
} END_TEST

static int note(void *arg)
{
	return episode_note(arg, &client, 5000) ? 0 : 1;
}

/* A timer of another episode makes it look, after each instruction of the worker. */
START_TEST(it_begins_once_even_if_the_master_looks_while_a_worker_begins_it)
{
	struct episode *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
	                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bool goes_on = true;
	int each;

	ck_assert_ptr_ne(shared, MAP_FAILED);
	each = stepping_stride(note, shared);
	for (int after = 0; goes_on; after += each) {
		pid_t worker;
		int begun = 0;

		memset((void *)shared, 0, sizeof *shared);
		worker = stepping_begin(note, shared);
		for (int i = 0; goes_on && i < after; i++)
			goes_on = stepping_goes_on(worker);
		begun += episode_look(shared, 5000, &v) == EPISODE_BEGUN;
		if (goes_on)
			unit_require(stepping_finish(worker) == 0);
		begun += episode_look(shared, 5001, &v) == EPISODE_BEGUN;
		unit_require(begun == 1);
	}
	munmap(shared, sizeof *shared);
} END_TEST

START_TEST(it_can_be_ended_before_it_is_quiet)
{
	ck_assert(!episode_end(&e, 5000, &v));
	episode_note(&e, &client, 5000);
	episode_look(&e, 5000, &v);
	episode_note(&e, &client, 6000);
	ck_assert(episode_end(&e, 6500, &v));
	ck_assert_uint_eq(v.refused, 2);
	ck_assert_int_eq(v.lasted_ms, 1500);
	ck_assert_int_eq(v.ends_ms, CLOCK_NEVER);
	ck_assert_int_eq(episode_look(&e, 7000, &v), EPISODE_NOTHING);
	ck_assert(!episode_end(&e, 7000, &v));
	/* One that the log does not know ends without a line. */
	ck_assert(episode_note(&e, &client, 8000));
	ck_assert(!episode_end(&e, 8000, &v));
	ck_assert(episode_note(&e, &client, 9000));
} END_TEST

START_TEST(nonsense_is_bounded)
{
	memset((void *)&e, 0xa5 + _i, sizeof e);
	atomic_store(&e.state, (uint32_t)_i);
	for (int64_t ms = 1; ms < 200000; ms += 50000) {
		episode_look(&e, ms, &v);
		ck_assert_int_ge(v.lasted_ms, 0);
		ck_assert_int_le(v.lasted_ms, ms);
		ck_assert(v.ends_ms == CLOCK_NEVER || v.ends_ms <= ms + EPISODE_QUIET_MS);
		ck_assert_int_eq(v.first.family, 0);
	}
	ck_assert_int_ne(atomic_load(&e.state), EPISODE_BEGINS);
} END_TEST

int main(void)
{
	Suite *s = suite_create("episode");
	TCase *tc = unit_case(s, "episode", NULL, NULL);

	tcase_add_test(tc, the_master_is_told_of_the_first_refusal_only);
	tcase_add_test(tc, it_ends_when_it_was_quiet_for_a_while);
	tcase_add_test(tc, a_worker_that_dies_while_it_begins_one_has_begun_it);
	unit_add_if(stepping_is_possible(), "ptrace(2) is refused here", tc,
	            it_begins_once_even_if_the_master_looks_while_a_worker_begins_it);
	tcase_add_test(tc, it_can_be_ended_before_it_is_quiet);
	tcase_add_loop_test(tc, nonsense_is_bounded, 0, 6);
	return unit_run(s);
}
