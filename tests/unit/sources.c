/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table of sources: limits and rates of one process, races of several, and the memory. How it
 * survives deaths is tested in audit.c.
 */
#include <config.h>
#include "sources.h"

#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "stepping.h"
#include "unit.h"

#define S           INT64_C(1000000000)
#define MS          INT64_C(1000000)
#define NOW         (1000 * S)

static const struct bucket_rate no_rate = { 0 };
static struct sources *s;

static void set_up(void)
{
	s = sources_make(1024);
	ck_assert_ptr_nonnull(s);
}

static void tear_down(void)
{
	sources_free(&s);
}

/* A key whose window begins at that entry, of four at least; tags from 1 on are different sources. */
static uint64_t key_at(uint64_t entry, uint64_t tag)
{
	return tag << 24 | entry / 4;
}

static struct source_limits at_most(uint32_t connections)
{
	return (struct source_limits){ .connections = connections };
}

static struct source_limits at_rate(int64_t interval_ns, int64_t burst)
{
	return (struct source_limits){ .rate = { interval_ns, burst * interval_ns } };
}

static enum sources_result take(uint64_t key, struct source_limits limits, int64_t now_ns,
                                struct hold *h)
{
	return sources_take(s, key, &limits, now_ns, h);
}

static uint32_t count_at(const struct hold *h)
{
	return sources_count_of(sources_look(s, sources_of_hold(h) - 1));
}

/* The sum of the counts of all sources. */
static uint64_t count_all(const struct sources *of)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < sources_entries(of); i++)
		sum += sources_count_of(sources_look(of, i));
	return sum;
}

/* ---- keys --------------------------------------------------------------- */

static uint64_t key_in(const struct sources *of, const char *text)
{
	struct source_id id;

	ck_assert_int_eq(source_id_parse(text, &id), CIDR_OK);
	return sources_key(of, &id);
}

static uint64_t key(const char *text)
{
	return key_in(s, text);
}

START_TEST(each_prefix_and_each_user_has_a_key)
{
	const uint64_t keys[] = {
		key("10.0.0.0/8"), key("10.0.0.0/16"), key("10.0.0.0/32"), key("10.0.0.1/32"),
		key("a00::/8"), key("a00::/16"), key("::/0"), key("0.0.0.0/0"), key("2001:db8::/64"),
		key("uid:0"), key("uid:1000"), key("uid:167772160"), key("uid:10"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		for (size_t k = 0; k < i; k++)
			ck_assert_msg(keys[i] != keys[k], "%zu and %zu", i, k);
	ck_assert_uint_eq(key("10.0.0.0/8"), keys[0]);
	ck_assert_uint_eq(key("uid:1000"), keys[10]);
} END_TEST

START_TEST(keys_differ_from_table_to_table)
{
	struct sources *other = sources_make(1024);

	ck_assert_uint_ne(key("192.0.2.1/32"), key_in(other, "192.0.2.1/32"));
	ck_assert_uint_ne(key("uid:1"), key_in(other, "uid:1"));
	sources_free(&other);
} END_TEST

static uint64_t key_of_user(const struct sources *of, uid_t uid)
{
	const struct source_id id = { .prefix.family = AF_UNIX, .uid = uid };

	return sources_key(of, &id);
}

/* ---- connections of a source -------------------------------------------- */

START_TEST(a_source_has_no_more_places_than_its_limit)
{
	struct hold h[4] = { 0 };

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(take(key_at(0, 1), at_most(3), NOW, &h[i]), SOURCES_TAKEN);
	ck_assert_int_eq(take(key_at(0, 1), at_most(3), NOW, &h[3]), SOURCES_FULL);
	ck_assert_int_eq(hold_get(&h[3]).state, HOLD_NONE);
	ck_assert_uint_eq(count_at(&h[0]), 3);
	ck_assert_int_eq(take(key_at(0, 2), at_most(3), NOW, &h[3]), SOURCES_TAKEN);
	ck_assert_uint_ne(sources_of_hold(&h[3]), sources_of_hold(&h[0]));
	sources_give(s, &h[1]);
	ck_assert_int_eq(hold_get(&h[1]).state, HOLD_NONE);
	ck_assert_int_eq(take(key_at(0, 1), at_most(3), NOW, &h[1]), SOURCES_TAKEN);
	for (int i = 0; i < 4; i++)
		sources_give(s, &h[i]);
	ck_assert_uint_eq(count_all(s), 0);
} END_TEST

START_TEST(without_a_limit_connections_are_counted)
{
	struct hold h[100] = { 0 };

	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(take(key_at(8, 1), at_most(0), NOW, &h[i]), SOURCES_TAKEN);
	ck_assert_uint_eq(count_at(&h[0]), 100);
} END_TEST

/* As after a reload. */
START_TEST(a_limit_that_was_lowered_waits_for_connections_to_end)
{
	struct hold h[6] = { 0 };

	for (int i = 0; i < 5; i++)
		take(key_at(8, 1), at_most(5), NOW, &h[i]);
	ck_assert_int_eq(take(key_at(8, 1), at_most(4), NOW, &h[5]), SOURCES_FULL);
	sources_give(s, &h[0]);
	ck_assert_int_eq(take(key_at(8, 1), at_most(4), NOW, &h[5]), SOURCES_FULL);
	sources_give(s, &h[1]);
	ck_assert_int_eq(take(key_at(8, 1), at_most(4), NOW, &h[5]), SOURCES_TAKEN);
} END_TEST

START_TEST(what_is_not_held_is_not_given_back)
{
	struct hold h[2] = { 0 };

	take(key_at(8, 1), at_most(0), NOW, &h[0]);
	sources_give(s, &h[1]);
	sources_give(s, NULL);
	ck_assert_uint_eq(count_all(s), 1);
	ck_assert_uint_eq(sources_of_hold(&h[1]), 0);
	ck_assert_uint_eq(sources_of_hold(NULL), 0);
	sources_give(s, &h[0]);
	sources_give(s, &h[0]);
	ck_assert_uint_eq(count_all(s), 0);
} END_TEST

START_TEST(without_a_hold_a_client_is_not_counted)
{
	ck_assert_int_eq(take(key_at(8, 1), at_most(1), NOW, NULL), SOURCES_UNTRACKED);
	ck_assert_uint_eq(count_all(s), 0);
} END_TEST

/* A worker that wrote nonsense into its own hold. */
START_TEST(a_hold_of_another_source_changes_nothing)
{
	struct hold h = { 0 }, wrong = { 0 };
	struct hold_view v;

	take(key_at(8, 1), at_most(0), NOW, &h);
	v = hold_get(&h);
	v.tag++;
	hold_set(&wrong, v);
	sources_give(s, &wrong);
	v.tag--;
	v.index = 1023;
	hold_set(&wrong, v);
	sources_give(s, &wrong);
	v.index = 1024;                 /* behind the table */
	hold_set(&wrong, v);
	sources_give(s, &wrong);
	ck_assert_uint_eq(count_all(s), 1);
} END_TEST

START_TEST(the_largest_count)
{
	static struct hold h[SOURCES_COUNT_MAX + 1];

	for (size_t i = 0; i < SOURCES_COUNT_MAX; i++)
		unit_require(take(key_at(8, 1), at_most(0), NOW, &h[i]) == SOURCES_TAKEN);
	ck_assert_int_eq(take(key_at(8, 1), at_most(SOURCES_COUNT_MAX), NOW, &h[SOURCES_COUNT_MAX]),
	                 SOURCES_FULL);
	ck_assert_int_eq(take(key_at(8, 1), at_most(0), NOW, &h[SOURCES_COUNT_MAX]), SOURCES_UNTRACKED);
	ck_assert_uint_eq(count_at(&h[0]), SOURCES_COUNT_MAX);
	ck_assert_uint_eq(count_all(s), SOURCES_COUNT_MAX);
} END_TEST

/* ---- windows ------------------------------------------------------------ */

START_TEST(a_full_window_counts_no_new_source)
{
	struct hold h[SOURCES_WINDOW + 1] = { 0 };

	for (uint64_t i = 0; i < SOURCES_WINDOW; i++)
		ck_assert_int_eq(take(key_at(8, 1 + i), at_most(1), NOW, &h[i]), SOURCES_TAKEN);
	ck_assert_int_eq(take(key_at(8, 99), at_most(1), NOW, &h[SOURCES_WINDOW]), SOURCES_UNTRACKED);
	ck_assert_int_eq(hold_get(&h[SOURCES_WINDOW]).state, HOLD_NONE);
	ck_assert_int_eq(take(key_at(8, 5), at_most(1), NOW, &h[SOURCES_WINDOW]), SOURCES_FULL);
	sources_give(s, &h[7]);
	ck_assert_int_eq(take(key_at(8, 99), at_most(1), NOW, &h[SOURCES_WINDOW]), SOURCES_TAKEN);
	ck_assert_uint_eq(count_all(s), SOURCES_WINDOW);
} END_TEST

/* The last window begins again at the first entry. */
START_TEST(a_source_is_in_the_window_of_its_key)
{
	struct hold h[SOURCES_WINDOW] = { 0 };

	for (uint64_t i = 0; i < SOURCES_WINDOW; i++) {
		ck_assert_int_eq(take(key_at(1016, 1 + i), at_most(1), NOW, &h[i]), SOURCES_TAKEN);
		ck_assert_uint_lt((sources_of_hold(&h[i]) - 1 + 1024 - 1016) % 1024, SOURCES_WINDOW);
	}
} END_TEST

START_TEST(the_smallest_table_is_one_window)
{
	struct sources *small = sources_make(SOURCES_MIN);
	struct hold h[SOURCES_MIN + 1] = { 0 };
	const struct source_limits limits = at_most(1);

	for (uint32_t i = 0; i < SOURCES_MIN; i++)
		ck_assert_int_eq(sources_take(small, key_of_user(small, i), &limits, NOW, &h[i]),
		                 SOURCES_TAKEN);
	ck_assert_int_eq(sources_take(small, key_of_user(small, 77), &limits, NOW,
	                              &h[SOURCES_MIN]), SOURCES_UNTRACKED);
	sources_free(&small);
} END_TEST

static off_t size_of(const struct sources *of)
{
	struct stat st;

	ck_assert_int_eq(fstat(sources_fd(of), &st), 0);
	return st.st_size;
}

START_TEST(a_million_sources_in_turn)
{
	struct sources *big = sources_make(65536);
	const struct source_limits limits = { 10, { S, 10 * S } };
	const off_t size = size_of(big);
	struct hold h = { 0 };

	for (uint32_t i = 0; i < 1000000; i++) {
		const uint64_t its = key_of_user(big, i);

		unit_require(sources_take(big, its, &limits, NOW + i * INT64_C(1000), &h) == SOURCES_TAKEN);
		/* At most SOURCES_WINDOW probes find it, as at the beginning. */
		unit_require((sources_of_hold(&h) - 1 - its * 4) % 65536 < SOURCES_WINDOW);
		sources_give(big, &h);
	}
	ck_assert_uint_eq(count_all(big), 0);
	ck_assert_int_eq(size_of(big), size);
	sources_free(&big);
} END_TEST

/* The configuration allows no more slots than half of the entries. */
START_TEST(a_table_that_is_half_full_counts_nearly_all)
{
	static struct hold h[32768];
	struct sources *big = sources_make(65536);
	const struct source_limits limits = at_most(1);
	uint32_t untracked = 0;

	for (uint32_t i = 0; i < ARRAY_SIZE(h); i++)
		untracked += sources_take(big, key_of_user(big, i), &limits, NOW, &h[i]) !=
		             SOURCES_TAKEN;
	ck_assert_msg(untracked < ARRAY_SIZE(h) / 1000, "%u", untracked);
	sources_free(&big);
} END_TEST

/* ---- rates of a source -------------------------------------------------- */

/* Takes and gives back. */
static enum sources_result visit(uint64_t its_key, struct source_limits limits, int64_t now_ns)
{
	struct hold h = { 0 };
	enum sources_result r = take(its_key, limits, now_ns, &h);

	ck_assert_int_eq(hold_get(&h).state, r == SOURCES_TAKEN ? HOLD_HELD : HOLD_NONE);
	sources_give(s, &h);
	return r;
}

START_TEST(a_burst_at_once_and_a_rate_after_that)
{
	const struct source_limits limits = at_rate(100 * MS, 3);

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(visit(key_at(0, 1), limits, NOW), SOURCES_TAKEN);
	ck_assert_int_eq(visit(key_at(0, 1), limits, NOW), SOURCES_TOO_FAST);
	ck_assert_int_eq(visit(key_at(0, 1), limits, NOW + 100 * MS - 1), SOURCES_TOO_FAST);
	ck_assert_int_eq(visit(key_at(0, 2), limits, NOW), SOURCES_TAKEN);
	ck_assert_int_eq(visit(key_at(0, 1), limits, NOW + 100 * MS), SOURCES_TAKEN);
	ck_assert_int_eq(visit(key_at(0, 1), limits, NOW + 100 * MS), SOURCES_TOO_FAST);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(visit(key_at(0, 1), limits, NOW + 10 * S), SOURCES_TAKEN);
	ck_assert_int_eq(visit(key_at(0, 1), limits, NOW + 10 * S), SOURCES_TOO_FAST);
	ck_assert_uint_eq(count_all(s), 0);
} END_TEST

START_TEST(a_client_above_the_limit_takes_no_token)
{
	struct source_limits limits = { 1, { S, 2 * S } };
	struct hold h = { 0 }, other = { 0 };

	ck_assert_int_eq(take(key_at(0, 1), limits, NOW, &h), SOURCES_TAKEN);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(take(key_at(0, 1), limits, NOW, &other), SOURCES_FULL);
	sources_give(s, &h);
	ck_assert_int_eq(take(key_at(0, 1), limits, NOW, &h), SOURCES_TAKEN);
} END_TEST

/* As after a reload from 1/h with a burst of 100 to 10/s. */
START_TEST(a_rate_that_was_raised_does_not_wait_for_the_old_one)
{
	const struct source_limits before = at_rate(3600 * S, 100), after = at_rate(100 * MS, 2);

	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(visit(key_at(0, 1), before, NOW), SOURCES_TAKEN);
	ck_assert_int_eq(visit(key_at(0, 1), after, NOW), SOURCES_TOO_FAST);
	ck_assert_int_eq(visit(key_at(0, 1), after, NOW + 100 * MS - 1), SOURCES_TOO_FAST);
	ck_assert_int_eq(visit(key_at(0, 1), after, NOW + 100 * MS), SOURCES_TAKEN);
} END_TEST

START_TEST(a_source_that_returns_is_known)
{
	const struct source_limits limits = at_rate(S, 2);

	ck_assert_int_eq(visit(key_at(0, 1), limits, NOW), SOURCES_TAKEN);
	ck_assert_int_eq(visit(key_at(0, 1), limits, NOW), SOURCES_TAKEN);
	for (uint64_t i = 2; i <= SOURCES_WINDOW; i++)          /* others come, and there is room */
		ck_assert_int_eq(visit(key_at(0, i), limits, NOW), SOURCES_TAKEN);
	ck_assert_int_eq(visit(key_at(0, 1), limits, NOW), SOURCES_TOO_FAST);
} END_TEST

/* Which of 16 sources without connections has to go: `free`, then who owes least. */
START_TEST(who_owes_most_is_forgotten_last)
{
	const struct source_limits limits = at_rate(S, 100);
	struct hold h[2] = { 0 };

	for (uint64_t i = 1; i <= SOURCES_WINDOW; i++)
		for (uint64_t k = 0; k < (i == 9 ? 1 : 20 + i); k++)
			ck_assert_int_eq(visit(key_at(0, i), limits, NOW), SOURCES_TAKEN);
	/* A second later, 9 has its burst again; of the others, 1 owes least. */
	take(key_at(0, 100), limits, NOW + S, &h[0]);
	ck_assert_uint_eq(sources_of_hold(&h[0]), 9);
	take(key_at(0, 101), limits, NOW + S, &h[1]);
	ck_assert_uint_eq(sources_of_hold(&h[1]), 1);
} END_TEST

START_TEST(a_new_source_does_not_pay_for_the_one_before)
{
	const struct source_limits limits = at_rate(S, 3);

	for (uint64_t i = 1; i <= SOURCES_WINDOW; i++)
		for (int k = 0; k < 3; k++)
			ck_assert_int_eq(visit(key_at(0, i), limits, NOW), SOURCES_TAKEN);
	for (int k = 0; k < 3; k++)
		ck_assert_int_eq(visit(key_at(0, 77), limits, NOW), SOURCES_TAKEN);
	ck_assert_int_eq(visit(key_at(0, 77), limits, NOW), SOURCES_TOO_FAST);
} END_TEST

/* ---- the service -------------------------------------------------------- */

START_TEST(the_service_has_no_more_places_than_its_limit)
{
	struct service_hold a = { 0 }, b = { 0 };

	ck_assert(sources_take_service(s, &a, 2));
	ck_assert(sources_take_service(s, &b, 2));
	ck_assert(!sources_take_service(s, &a, 2));
	ck_assert_uint_eq(service_hold_get(&a).held, 1);
	ck_assert(!service_hold_get(&a).intent);
	ck_assert(sources_take_service(s, &a, 0));
	ck_assert_uint_eq(sources_service_count(s), 3);
	ck_assert_uint_eq(service_hold_get(&a).held, 2);
	for (int i = 0; i < 3; i++)
		sources_give_service(s, &a);            /* the third time without effect */
	ck_assert_uint_eq(sources_service_count(s), 1);
	ck_assert(sources_take_service(s, &a, 2));
	ck_assert(!sources_take_service(s, &a, 2));
} END_TEST

START_TEST(the_service_has_a_rate)
{
	const struct bucket_rate rate = { 100 * MS, 200 * MS };

	ck_assert_int_eq(sources_service_wait_ns(s, &rate, NOW), 0);
	ck_assert_int_eq(sources_service_pay(s, &rate, NOW), 0);
	ck_assert_int_eq(sources_service_pay(s, &rate, NOW), 0);
	ck_assert_int_eq(sources_service_wait_ns(s, &rate, NOW), 100 * MS);
	ck_assert_int_eq(sources_service_pay(s, &rate, NOW + 40 * MS), 60 * MS);
	sources_service_refund(s, &rate);
	ck_assert_int_eq(sources_service_wait_ns(s, &rate, NOW), 0);
	ck_assert_int_eq(sources_service_pay(s, &rate, NOW), 0);
	ck_assert_int_eq(sources_service_pay(s, &rate, NOW), 100 * MS);
} END_TEST

START_TEST(without_a_rate_nothing_waits)
{
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(sources_service_pay(s, &no_rate, NOW), 0);
	ck_assert_int_eq(sources_service_wait_ns(s, &no_rate, NOW), 0);
	sources_service_refund(s, &no_rate);
	ck_assert_int_eq(sources_service_wait_ns(s, &(struct bucket_rate){ S, S }, NOW), 0);
} END_TEST

START_TEST(the_rate_of_the_service_that_was_raised_does_not_wait_for_the_old_one)
{
	const struct bucket_rate before = { 3600 * S, 36000 * S }, after = { 100 * MS, 200 * MS };

	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(sources_service_pay(s, &before, NOW), 0);
	ck_assert_int_eq(sources_service_wait_ns(s, &after, NOW), 100 * MS);
	ck_assert_int_eq(sources_service_wait_ns(s, &after, NOW + 100 * MS), 0);
	ck_assert_int_eq(sources_service_pay(s, &after, NOW + 100 * MS), 0);
} END_TEST

/* ---- memory ------------------------------------------------------------- */

START_TEST(adopted_memory_is_the_same_table)
{
	const int before = unit_count_fds();
	struct sources *made = sources_make(1024), *adopted;
	const int fd = fcntl(sources_fd(made), F_DUPFD_CLOEXEC, 0);
	const struct source_limits limits = at_most(1);
	struct hold h = { 0 }, other = { 0 };
	struct service_hold sh = { 0 };

	ck_assert_ptr_null(sources_adopt(fd, 2048));
	ck_assert(unit_fd_is_open(fd));
	adopted = sources_adopt(fd, 1024);
	ck_assert_ptr_nonnull(adopted);
	sources_take(made, key_of_user(made, 5), &limits, NOW, &h);
	ck_assert_int_eq(sources_take(adopted, key_of_user(adopted, 5), &limits, NOW, &other),
	                 SOURCES_FULL);
	sources_take_service(made, &sh, 0);
	ck_assert_uint_eq(sources_service_count(adopted), 1);
	sources_give(adopted, &h);
	ck_assert_uint_eq(count_all(made), 0);
	sources_free(&made);
	ck_assert_ptr_null(made);
	sources_free(&made);
	ck_assert_uint_eq(sources_entries(adopted), 1024);
	sources_free(&adopted);
	ck_assert_int_eq(unit_count_fds(), before);
} END_TEST

static const size_t impossible[] = {
	0, 1, SOURCES_MIN / 2, SOURCES_MIN + 1, 1000, SOURCES_MAX + 1, (size_t)SOURCES_MAX * 2, SIZE_MAX,
};

START_TEST(impossible_sizes_are_refused)
{
	const int before = unit_count_fds();

	errno = 0;
	ck_assert_ptr_null(sources_make(impossible[_i]));
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(unit_count_fds(), before);
} END_TEST

START_TEST(the_largest_table_takes_memory_only_where_it_is_used)
{
	struct sources *big = sources_make(SOURCES_MAX);
	struct hold h = { 0 };
	const struct source_limits limits = at_most(1);
	struct stat st;

	ck_assert_int_eq(sources_take(big, key_of_user(big, 1), &limits, NOW, &h), SOURCES_TAKEN);
	ck_assert_int_eq(fstat(sources_fd(big), &st), 0);
	ck_assert_int_le(st.st_blocks * 512, 16384);
	sources_free(&big);
} END_TEST

START_TEST(entries_that_were_used_are_found_and_no_others_are_looked_at)
{
	struct sources *big = sources_make(SOURCES_MAX);
	const struct source_limits limits = at_most(1);
	struct sources_range used = { 0, 0 };
	uint32_t sum = 0, found = 0;
	struct hold h[8] = { 0 };

	for (uint32_t i = 0; i < ARRAY_SIZE(h); i++)
		ck_assert_int_eq(sources_take(big, key_of_user(big, i), &limits, NOW, &h[i]), SOURCES_TAKEN);
	for (used = sources_used(big, 0); used.begin < used.end; used = sources_used(big, used.end)) {
		sum += used.end - used.begin;
		for (size_t i = 0; i < ARRAY_SIZE(h); i++)
			found += sources_of_hold(&h[i]) - 1 >= used.begin && sources_of_hold(&h[i]) - 1 < used.end;
	}
	ck_assert_uint_eq(used.begin, SOURCES_MAX);
	ck_assert_uint_eq(found, ARRAY_SIZE(h));
	ck_assert_uint_le(sum, (2 * ARRAY_SIZE(h) + 1) * 256);
	sources_enter(big);                     /* without the file, each one may have been used */
	used = sources_used(big, 7);
	ck_assert(used.begin == 7 && used.end == SOURCES_MAX);
	sources_free(&big);
} END_TEST

START_TEST(a_worker_keeps_no_descriptor)
{
	const int fd = sources_fd(s);
	struct hold h = { 0 };

	sources_enter(s);
	ck_assert(!unit_fd_is_open(fd));
	ck_assert_int_eq(take(key_at(0, 1), at_most(1), NOW, &h), SOURCES_TAKEN);
} END_TEST

START_TEST(there_is_room_for_episodes)
{
	for (size_t i = 0; i < SOURCES_EPISODES; i++) {
		char *room = (char *)sources_episode(s, i);

		ck_assert_uint_eq((uintptr_t)room % 64, 0);
		ck_assert(i == 0 || room - (char *)sources_episode(s, i - 1) == 64);
		for (int k = 0; k < 64; k++)
			ck_assert_int_eq(room[k], 0);
		memset(room, 0xff, 64);
	}
	ck_assert_uint_eq(count_all(s), 0);
	ck_assert_uint_eq(sources_service_count(s), 0);
	ck_assert_int_eq(sources_service_wait_ns(s, &(struct bucket_rate){ S, S }, NOW), 0);
} END_TEST

/* ---- races -------------------------------------------------------------- */

#define RACERS      8
#define RACE_KEYS   20                  /* more than a window has entries */
#define RACE_LIMIT  3
#define RACE_ALL    10                  /* of the service */

struct race {
	_Atomic int ready, wrong;
	_Atomic int inside[RACE_KEYS];  /* connections of each source, as the racers see it */
	_Atomic int inside_service;
	_Atomic int seen_full, seen_full_service, taken, untracked;
	struct hold holds[RACERS][2];
	struct service_hold service[RACERS];
};

static struct race *race;

static void enter_race(_Atomic int *inside, int limit)
{
	if (atomic_fetch_add(inside, 1) >= limit)
		atomic_fetch_add(&race->wrong, 1);
}

/* One client, of a source; and meanwhile, a client of the next source. */
static void race_once(int me, uint64_t source, int depth)
{
	const struct source_limits limits = at_most(RACE_LIMIT);
	struct hold *h = &race->holds[me][depth];

	switch (sources_take(s, key_at(0, 1 + source), &limits, NOW, h)) {
	case SOURCES_TAKEN:
		enter_race(&race->inside[source], RACE_LIMIT);
		atomic_fetch_add(&race->taken, 1);
		if (depth == 0)
			race_once(me, (source + 1) % RACE_KEYS, 1);
		atomic_fetch_sub(&race->inside[source], 1);
		break;
	case SOURCES_FULL:
		atomic_fetch_add(&race->seen_full, 1);
		break;
	case SOURCES_UNTRACKED:
		atomic_fetch_add(&race->untracked, 1);
		break;
	case SOURCES_TOO_FAST:
		atomic_fetch_add(&race->wrong, 1);
	}
	sources_give(s, h);
}

static void race_for_service(int me)
{
	if (!sources_take_service(s, &race->service[me], RACE_ALL)) {
		atomic_fetch_add(&race->seen_full_service, 1);
		return;
	}
	enter_race(&race->inside_service, RACE_ALL);
	sched_yield();
	atomic_fetch_sub(&race->inside_service, 1);
	sources_give_service(s, &race->service[me]);
}

static _Noreturn void be_racer(int me, int rounds)
{
	uint64_t random = (uint64_t)me + 1;

	atomic_fetch_add(&race->ready, 1);
	while (atomic_load(&race->ready) < RACERS)
		sched_yield();
	for (int i = 0; i < rounds; i++) {
		random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
		race_once(me, (random >> 33) % RACE_KEYS, 0);
		if (i % 16 == 0)
			race_for_service(me);
	}
	_exit(0);
}

/* Never above a limit; and when all are gone, all is zero. */
START_TEST(eight_workers_race)
{
	const int rounds = getenv("DROVER_LONG_TESTS") ? 3000000 : 30000;
	pid_t racers[RACERS];

	race = mmap(NULL, sizeof *race, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(race, MAP_FAILED);
	sources_free(&s);
	s = sources_make(SOURCES_MIN);          /* one window: sources come and go in each entry */
	for (int i = 0; i < RACERS; i++) {
		racers[i] = fork();
		if (racers[i] == 0)
			be_racer(i, rounds);
	}
	for (int i = 0; i < RACERS; i++)
		unit_child_succeeds(racers[i]);
	ck_assert_int_eq(race->wrong, 0);
	ck_assert_int_gt(race->taken, 0);
	ck_assert_uint_eq(count_all(s), 0);
	ck_assert_uint_eq(sources_service_count(s), 0);
} END_TEST

/* Rates are exact, too: the sum over all racers is the burst, at a clock that stands still. */
START_TEST(eight_workers_share_a_burst)
{
	const struct source_limits limits = at_rate(S, 1000);
	const struct bucket_rate service = { S, 700 * S };
	struct shared { _Atomic int taken, paid; struct hold h[RACERS]; } *shared;
	pid_t racers[RACERS];

	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < RACERS; i++) {
		racers[i] = fork();
		for (int k = 0; racers[i] == 0 && k < 500; k++) {
			if (take(key_at(0, 1), limits, NOW, &shared->h[i]) == SOURCES_TAKEN)
				atomic_fetch_add(&shared->taken, 1);
			sources_give(s, &shared->h[i]);
			if (sources_service_pay(s, &service, NOW) == 0)
				atomic_fetch_add(&shared->paid, 1);
		}
		if (racers[i] == 0)
			_exit(0);
	}
	for (int i = 0; i < RACERS; i++)
		unit_child_succeeds(racers[i]);
	ck_assert_int_eq(shared->taken, 1000);
	ck_assert_int_eq(shared->paid, 700);
	ck_assert_uint_eq(count_all(s), 0);
} END_TEST

/* ---- each interleaving of two workers ----------------------------------- */

/*
 * A worker takes a place of source 1, of which there is only one, or there are two. After so many
 * instructions, another worker does something, and then the first one goes on.
 */
struct two {
	int64_t              now_ns;    /* the clock of the first one */
	struct source_limits limits;
	struct hold          mine, others[2];
	_Atomic bool         done;      /* by the first one */
};

static struct two *two;

static int take_mine(void *arg)
{
	const int result = (int)take(key_at(0, 1), two->limits, two->now_ns, &two->mine);

	(void)arg;
	atomic_store(&two->done, true);
	return result;
}

static enum sources_result just_take(void)
{
	return take(key_at(0, 1), two->limits, NOW, &two->others[1]);
}

/* The first entry of the window becomes free, and the source gets it. */
static enum sources_result free_the_first_entry_and_take(void)
{
	sources_give(s, &two->others[0]);
	return just_take();
}

static enum sources_result take_and_give(void)
{
	const enum sources_result r = just_take();

	sources_give(s, &two->others[1]);
	return r == SOURCES_TAKEN ? SOURCES_FULL : r;   /* it has no place any more */
}

/* The first entry is that of source 50, which has one connection at first, and owes a second. */
static const struct interleaving {
	const char *name;
	enum sources_result (*meanwhile)(void);
	bool    is_free;                /* 50 has no connection */
	int64_t later_ns;               /* so much is the first one's clock before that of the other one */
	int     places;                 /* of the source */
	int     least;                  /* who have one at the end: at least so many, whatever the order */
} interleavings[] = {
	{ "both take",                            just_take, false, 0, 1, 1 },
	{ "an earlier entry becomes free",        free_the_first_entry_and_take, false, 0, 1, 1 },
	{ "the same with two places",             free_the_first_entry_and_take, false, 0, 2, 2 },
	{ "only one finds the first entry best",  just_take, true, 10 * S, 1, 1 },
	{ "the other one takes and gives back",   take_and_give, false, 0, 1, 0 },
};

static void prepare_two(const struct interleaving *way)
{
	s = sources_make(SOURCES_MIN);
	*two = (struct two){ .now_ns = NOW + way->later_ns,
	                     .limits = { (uint32_t)way->places, { S, 5 * S } } };
	take(key_at(0, 50), two->limits, NOW, &two->others[0]);
	if (way->is_free)
		sources_give(s, &two->others[0]);
}

/* No two entries count one source for long: one that comes second goes to where the first one is. */
static void check_interleaving(const struct interleaving *way, int n_taken, int instructions)
{
	if (n_taken > way->places || n_taken < way->least)
		ck_abort_msg("%s: %d have a place, after %d", way->name, n_taken, instructions);
	if (n_taken == 2 && sources_of_hold(&two->mine) != sources_of_hold(&two->others[1]))
		ck_abort_msg("%s: in two entries, after %d", way->name, instructions);
	sources_give(s, &two->mine);
	sources_give(s, &two->others[0]);
	sources_give(s, &two->others[1]);
	if (count_all(s) != 0)
		ck_abort_msg("%s: something is left, after %d", way->name, instructions);
}

/* False if the first one is at its end before so many instructions. */
static bool interleave(const struct interleaving *way, int instructions)
{
	int steps = 0, mine, others;
	pid_t child;

	prepare_two(way);
	child = stepping_begin(take_mine, NULL);
	for (; steps < instructions && !two->done; steps++)
		stepping_step(child);
	others = way->meanwhile();
	mine = stepping_finish(child);
	check_interleaving(way, (mine == SOURCES_TAKEN) + (others == SOURCES_TAKEN), instructions);
	sources_free(&s);
	return steps == instructions;
}

/* Each one, or only some: more of those in which the first one looks at the table, and changes it. */
static int next_of(int instructions)
{
	return instructions + (getenv("DROVER_LONG_TESTS") ? 1 : instructions < 200 ? 8 : 90);
}

START_TEST(two_workers_after_each_instruction)
{
	sources_free(&s);
	two = mmap(NULL, sizeof *two, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int n = 0; interleave(&interleavings[_i], n); )
		n = next_of(n);
} END_TEST

int main(void)
{
	Suite *suite = suite_create("sources");
	TCase *source = unit_case(suite, "source", set_up, tear_down);
	TCase *rate = unit_case(suite, "rate", set_up, tear_down);
	TCase *service = unit_case(suite, "service", set_up, tear_down);
	TCase *memory = unit_case(suite, "memory", set_up, tear_down);
	TCase *races = unit_case(suite, "races", set_up, tear_down);

	tcase_add_test(source, each_prefix_and_each_user_has_a_key);
	tcase_add_test(source, keys_differ_from_table_to_table);
	tcase_add_test(source, a_source_has_no_more_places_than_its_limit);
	tcase_add_test(source, without_a_limit_connections_are_counted);
	tcase_add_test(source, a_limit_that_was_lowered_waits_for_connections_to_end);
	tcase_add_test(source, what_is_not_held_is_not_given_back);
	tcase_add_test(source, without_a_hold_a_client_is_not_counted);
	tcase_add_test(source, a_hold_of_another_source_changes_nothing);
	tcase_add_test(source, the_largest_count);
	tcase_add_test(source, a_full_window_counts_no_new_source);
	tcase_add_test(source, a_source_is_in_the_window_of_its_key);
	tcase_add_test(source, the_smallest_table_is_one_window);
	tcase_add_test(source, a_million_sources_in_turn);
	tcase_add_test(source, a_table_that_is_half_full_counts_nearly_all);

	tcase_add_test(rate, a_burst_at_once_and_a_rate_after_that);
	tcase_add_test(rate, a_client_above_the_limit_takes_no_token);
	tcase_add_test(rate, a_rate_that_was_raised_does_not_wait_for_the_old_one);
	tcase_add_test(rate, a_source_that_returns_is_known);
	tcase_add_test(rate, who_owes_most_is_forgotten_last);
	tcase_add_test(rate, a_new_source_does_not_pay_for_the_one_before);

	tcase_add_test(service, the_service_has_no_more_places_than_its_limit);
	tcase_add_test(service, the_service_has_a_rate);
	tcase_add_test(service, without_a_rate_nothing_waits);
	tcase_add_test(service, the_rate_of_the_service_that_was_raised_does_not_wait_for_the_old_one);

	tcase_add_test(memory, adopted_memory_is_the_same_table);
	tcase_add_loop_test(memory, impossible_sizes_are_refused, 0, ARRAY_SIZE(impossible));
	tcase_add_test(memory, the_largest_table_takes_memory_only_where_it_is_used);
	tcase_add_test(memory, entries_that_were_used_are_found_and_no_others_are_looked_at);
	tcase_add_test(memory, a_worker_keeps_no_descriptor);
	tcase_add_test(memory, there_is_room_for_episodes);

	tcase_set_timeout(races, 300);
	tcase_add_test(races, eight_workers_race);
	tcase_add_test(races, eight_workers_share_a_burst);
	unit_add_rows_if(stepping_is_possible(), "ptrace(2) is refused here", races,
	                 two_workers_after_each_instruction, ARRAY_SIZE(interleavings));
	return unit_run(suite);
}
