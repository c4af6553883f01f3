/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What dead workers leave is given back: by deaths after each instruction, by real ones at any
 * time, and by what a broken worker writes. And what living workers hold is never taken from them.
 */
#include <config.h>
#include "audit.h"

#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "stepping.h"
#include "unit.h"

#define N_WORKERS   3
#define N_HOLDS     16
#define PASSES_MAX  8                   /* a recount of what stands still needs no more */
#define NOW         INT64_C(1000000000000)

static const struct source_limits no_limits = { 0 };
static struct sources *s;
static struct holds *h;
static struct audit a;

static void set_up(void)
{
	s = sources_make(64);
	h = holds_new(N_WORKERS, N_HOLDS);
	ck_assert(s && h);
}

static void tear_down(void)
{
	audit_end(&a);
	holds_free(&h);
	sources_free(&s);
}

static uint64_t key_of(uint64_t source)
{
	return (source + 1) << 24;
}

/* The count of a source, wherever it is. */
static uint32_t count_of(const struct sources *of, uint64_t source)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < sources_entries(of); i++) {
		const struct sources_count c = sources_look(of, i);

		sum += sources_tag_of(c) == source + 1 ? sources_count_of(c) : 0;
	}
	return sum;
}

static uint64_t count_all(void)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < sources_entries(s); i++)
		sum += sources_count_of(sources_look(s, i));
	return sum;
}

/* Recounts until it is done; the number of passes. */
static int recount_of(struct sources *of, struct holds *holds)
{
	int passes = 1;

	audit_begin(&a);
	while (audit_pass(&a, of, &holds, 1) == AUDIT_AGAIN && passes < 100)
		passes++;
	return passes;
}

static int recount(void)
{
	return recount_of(s, h);
}

/* ---- workers ------------------------------------------------------------ */

/* A worker that takes n places of a source and in the service, and is gone then; not reaped for us. */
static void take_as(size_t worker, uint64_t source, int n)
{
	pid_t child = fork();

	for (int i = 0; child == 0 && i < n; i++) {
		if (i == 0 && holds_enter(h, worker) == -1)
			_exit(1);
		if (!sources_take_service(s, holds_service(h), 0) ||
		    sources_take(s, key_of(source), &no_limits, NOW, holds_get(h)) != SOURCES_TAKEN)
			_exit(2);
	}
	if (child == 0)
		_exit(0);
	unit_child_succeeds(child);
}

START_TEST(what_a_dead_worker_held_is_given_back)
{
	struct audit_remains left;

	take_as(0, 1, 3);
	take_as(1, 1, 2);
	take_as(2, 7, 4);
	left = audit_reclaim(h, 0, s);
	ck_assert_uint_eq(left.given_back, 3);
	ck_assert_uint_eq(left.given_back_service, 3);
	ck_assert_uint_eq(left.intents + left.ignored, 0);
	ck_assert_uint_eq(count_of(s, 1), 2);
	ck_assert_uint_eq(count_of(s, 7), 4);
	ck_assert_uint_eq(sources_service_count(s), 6);
	left = audit_reclaim(h, 0, s);
	ck_assert_uint_eq(left.given_back + left.given_back_service, 0);
	ck_assert_int_eq(recount(), 1);
	ck_assert_uint_eq(a.corrected, 0);
	ck_assert_uint_eq(count_all(), 6);
} END_TEST

START_TEST(without_a_beginning_there_is_nothing_to_do)
{
	take_as(0, 1, 3);
	ck_assert_int_eq(audit_pass(&a, s, &h, 1), AUDIT_DONE);
	ck_assert_int_eq(audit_pass(&a, s, NULL, 0), AUDIT_DONE);
	audit_end(&a);
	ck_assert_uint_eq(count_all(), 3);
} END_TEST

START_TEST(the_holds_of_all_pools_count)
{
	struct holds *pools[2] = { h, holds_new(1, N_HOLDS) };

	take_as(0, 1, 3);
	h = pools[1];
	take_as(0, 1, 2);
	h = pools[0];
	audit_begin(&a);
	ck_assert_int_eq(audit_pass(&a, s, pools, 2), AUDIT_DONE);
	ck_assert_uint_eq(a.corrected, 0);
	ck_assert_uint_eq(count_of(s, 1), 5);
	ck_assert_uint_eq(sources_service_count(s), 5);
	holds_free(&pools[1]);
} END_TEST

/* ---- a death after each instruction ------------------------------------- */

/* Where worker 0 does one thing after the other, while two other connections of its source are open. */
static int take_and_give(void *arg)
{
	_Atomic bool *done = arg;
	struct hold *hold;

	if (holds_enter(h, 0) == -1)    /* unmaps memory, which AddressSanitizer marks byte by byte */
		return 1;
	raise(SIGSTOP);
	hold = holds_get(h);
	sources_take_service(s, holds_service(h), 5);
	sources_take(s, key_of(1), &no_limits, NOW, hold);      /* of a known source */
	sources_give(s, hold);
	sources_take(s, key_of(2), &no_limits, NOW, hold);      /* of a new one */
	sources_give(s, hold);
	sources_give_service(s, holds_service(h));
	atomic_store(done, true);
	return 0;
}

static void copy_memory(int from, int to, size_t len)
{
	static char bytes[65536];

	if (pread(from, bytes, len, 0) != (ssize_t)len || pwrite(to, bytes, len, 0) != (ssize_t)len)
		ck_abort_msg("copy: %s", strerror(errno));
}

static size_t size_of(int fd)
{
	const off_t size = lseek(fd, 0, SEEK_END);

	ck_assert_int_gt(size, 0);
	ck_assert_int_le(size, 65536);
	return (size_t)size;
}

/* As the master, when worker 0 has died: on copies of what it and the others have written. */
static void expect_two(struct sources *of, struct holds *holds, int step)
{
	const struct audit_remains left = audit_reclaim(holds, 0, of);
	const uint32_t one = count_of(of, 1), two = count_of(of, 2), all = sources_service_count(of);

	if (left.ignored > 0)
		ck_abort_msg("%d: nonsense", step);
	if (one < 2 || one > 3 || two > 1 || all < 2 || all > 3)
		ck_abort_msg("%d: counts are wrong by more than one", step);
	if (left.intents == 0 && (one != 2 || two != 0 || all != 2))
		ck_abort_msg("%d: counts are wrong without an intent", step);
	if (recount_of(of, holds) > PASSES_MAX)
		ck_abort_msg("%d: too many passes", step);
	if (count_of(of, 1) != 2 || count_of(of, 2) != 0 || sources_service_count(of) != 2)
		ck_abort_msg("%d: counts are wrong", step);
}

START_TEST(a_worker_may_die_after_each_instruction)
{
	struct sources *copy = sources_make(64);
	struct holds *holds_copy = holds_new(N_WORKERS, N_HOLDS);
	const size_t len = size_of(sources_fd(s)), holds_len = size_of(holds_fd(h));
	_Atomic bool *done = mmap(NULL, sizeof *done, PROT_READ | PROT_WRITE,
	                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child;

	take_as(1, 1, 2);
	child = stepping_begin(take_and_give, (void *)done);
	stepping_skip(child);
	for (int step = 0; !*done; step++) {
		copy_memory(sources_fd(s), sources_fd(copy), len);
		copy_memory(holds_fd(h), holds_fd(holds_copy), holds_len);
		expect_two(copy, holds_copy, step);
		stepping_step(child);
	}
	ck_assert_int_eq(stepping_finish(child), 0);
	holds_free(&holds_copy);
	sources_free(&copy);
} END_TEST

/* ---- a worker that stands still ----------------------------------------- */

/* As if worker i had been stopped in the middle of a change: sets its first hold. */
static void set_hold(size_t i, enum hold_state state)
{
	size_t n;
	struct hold *of = holds_of(h, i, &n);
	struct hold_view v = hold_get(&of[0]);

	ck_assert_uint_gt(n, 0);
	v.state = state;
	hold_set(&of[0], v);
}

START_TEST(a_recount_waits_for_a_worker_in_the_middle_of_a_change)
{
	take_as(0, 1, 1);
	take_as(1, 1, 1);
	set_hold(0, HOLD_INTENT);
	audit_begin(&a);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(audit_pass(&a, s, &h, 1), AUDIT_AGAIN);
	ck_assert_uint_eq(count_of(s, 1), 2);
	set_hold(0, HOLD_NONE);         /* it was told that it had not happened */
	for (int i = 0; i < PASSES_MAX && audit_pass(&a, s, &h, 1) == AUDIT_AGAIN; i++)
		;
	ck_assert_uint_eq(count_of(s, 1), 1);
	ck_assert_uint_eq(a.corrected, 1);
	ck_assert_int_eq(audit_pass(&a, s, &h, 1), AUDIT_DONE);
} END_TEST

START_TEST(a_recount_of_the_service_waits_as_well)
{
	struct service_hold *of;

	take_as(0, 1, 3);
	of = holds_service_of(h, 0);
	service_hold_set(of, (struct service_hold_view){ 2, true });
	audit_begin(&a);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(audit_pass(&a, s, &h, 1), AUDIT_AGAIN);
	ck_assert_uint_eq(sources_service_count(s), 3);
	service_hold_set(of, (struct service_hold_view){ 2, false });
	for (int i = 0; i < PASSES_MAX && audit_pass(&a, s, &h, 1) == AUDIT_AGAIN; i++)
		;
	ck_assert_uint_eq(sources_service_count(s), 2);
} END_TEST

/* Another worker changes the count between the passes: a difference counts only if it lasts. */
START_TEST(a_difference_must_be_seen_twice)
{
	take_as(0, 1, 1);
	set_hold(0, HOLD_NONE);
	audit_begin(&a);
	ck_assert_int_eq(audit_pass(&a, s, &h, 1), AUDIT_AGAIN);
	ck_assert_uint_eq(a.corrected, 0);
	take_as(1, 1, 1);
	ck_assert_int_eq(audit_pass(&a, s, &h, 1), AUDIT_AGAIN);
	ck_assert_uint_eq(a.corrected, 1);
	ck_assert_uint_eq(count_of(s, 1), 1);
} END_TEST

/* ---- broken workers ----------------------------------------------------- */

/* The entry of a source, which has one. */
static uint32_t index_of(uint64_t source)
{
	for (uint32_t i = 0; i < sources_entries(s); i++)
		if (sources_tag_of(sources_look(s, i)) == source + 1)
			return i;
	ck_abort_msg("no entry");
	return 0;
}

static const uint32_t scribbled[] = { 0, 1, 4, 6, 60000, SOURCES_COUNT_MAX };

START_TEST(counts_that_were_written_over_are_corrected)
{
	take_as(0, 1, 2);
	take_as(1, 1, 3);
	take_as(2, 2, 1);
	ck_assert(sources_correct(s, index_of(1), sources_look(s, index_of(1)), scribbled[_i]));
	ck_assert(sources_correct_service(s, sources_look_at_service(s), scribbled[_i]));
	ck_assert_int_le(recount(), PASSES_MAX);
	ck_assert_uint_eq(count_of(s, 1), 5);
	ck_assert_uint_eq(count_of(s, 2), 1);
	ck_assert_uint_eq(sources_service_count(s), 6);
	ck_assert_uint_eq(a.corrected, scribbled[_i] == 6 ? 1 : 2);
} END_TEST

START_TEST(a_count_that_has_changed_is_not_corrected)
{
	struct sources_count seen;

	take_as(0, 1, 1);
	seen = sources_look(s, index_of(1));
	take_as(1, 1, 1);
	ck_assert(!sources_correct(s, index_of(1), seen, 1));
	seen = sources_look_at_service(s);
	take_as(2, 2, 1);
	ck_assert(!sources_correct_service(s, seen, 1));
	ck_assert_uint_eq(count_all(), 3);
} END_TEST

/* Into the holds of worker 0, which has none of them. */
static const struct { const char *name; struct hold_view v; uint64_t ignored; } nonsense[] = {
	{ "an index behind the table", { HOLD_HELD, 64, 2 }, 1 },
	{ "the largest of all",        { HOLD_HELD, (1 << HOLD_INDEX_BITS) - 1, 2 }, 1 },
	{ "an entry without a source", { HOLD_HELD, 63, 0 }, 1 },
	{ "another tag",               { HOLD_HELD, 0, 99 }, 1 },
	{ "no state",                  { (enum hold_state)3, 0, 2 }, 1 },
	{ "intents behind the table",  { HOLD_INTENT, 64, 2 }, 0 },
};

START_TEST(nonsense_in_a_hold_is_ignored)
{
	struct audit_remains left;
	struct hold *of;
	size_t n;

	take_as(0, 5, 1);
	take_as(1, 1, 2);
	of = holds_of(h, 0, &n);
	hold_set(&of[0], nonsense[_i].v);
	ck_assert_int_le(recount(), PASSES_MAX);        /* while it lives, too */
	ck_assert_msg(count_of(s, 5) == 0, "%s", nonsense[_i].name);
	left = audit_reclaim(h, 0, s);
	ck_assert_uint_eq(left.ignored, nonsense[_i].ignored);
	ck_assert_int_le(recount(), PASSES_MAX);
	ck_assert_msg(count_of(s, 1) == 2 && count_of(s, 5) == 0 && count_all() == 2, "%s",
	              nonsense[_i].name);
	ck_assert_uint_eq(sources_service_count(s), 2);
} END_TEST

START_TEST(a_worker_that_claims_all_places_gets_back_no_more_than_it_can_have)
{
	struct audit_remains left;

	take_as(0, 1, 1);
	for (size_t i = 1; i < N_WORKERS; i++)
		take_as(i, 1, N_HOLDS);
	service_hold_set(holds_service_of(h, 0), (struct service_hold_view){ UINT32_MAX, false });
	left = audit_reclaim(h, 0, s);
	ck_assert_uint_eq(left.given_back_service, N_HOLDS);
	ck_assert_uint_eq(left.ignored, 1);
	ck_assert_uint_eq(sources_service_count(s), (N_WORKERS - 1) * N_HOLDS + 1 - N_HOLDS);
	ck_assert_int_le(recount(), PASSES_MAX);
	ck_assert_uint_eq(sources_service_count(s), (N_WORKERS - 1) * N_HOLDS);
} END_TEST

/* ---- large tables ------------------------------------------------------- */

START_TEST(a_large_table_needs_more_passes)
{
	sources_free(&s);
	s = sources_make(4 * AUDIT_CHUNK);
	take_as(0, 1, 3);
	count_all();                            /* looks at all of them, so that all are looked at again */
	ck_assert_int_eq(recount(), 4);
	for (uint32_t i = 7; i < sources_entries(s); i += AUDIT_CHUNK)
		ck_assert(sources_correct(s, i, sources_look(s, i), i % 1000));
	ck_assert_int_le(recount(), 4 + PASSES_MAX);
	ck_assert_uint_eq(a.corrected, 4);
	ck_assert_uint_eq(count_all(), 3);
} END_TEST

/* Not even if the service has no limits, and was given the largest table all the same. */
START_TEST(a_recount_needs_no_memory_for_sources_that_never_came)
{
	struct stat st;

	sources_free(&s);
	s = sources_make(SOURCES_MAX);
	take_as(0, 1, 3);
	sources_correct(s, SOURCES_MAX / 2, sources_look(s, SOURCES_MAX / 2), 7);
	ck_assert_int_le(recount(), PASSES_MAX);
	ck_assert_uint_eq(a.corrected, 1);
	ck_assert_uint_eq(sources_count_of(sources_look(s, SOURCES_MAX / 2)), 0);
	ck_assert_int_eq(fstat(sources_fd(s), &st), 0);
	ck_assert_int_le(st.st_blocks * 512, 65536);
} END_TEST

START_TEST(a_recount_can_be_ended_or_begun_anew_at_any_time)
{
	sources_free(&s);
	s = sources_make(2 * AUDIT_CHUNK);
	take_as(0, 1, 3);
	sources_correct(s, index_of(1), sources_look(s, index_of(1)), 9);
	audit_begin(&a);
	ck_assert_int_eq(audit_pass(&a, s, &h, 1), AUDIT_AGAIN);
	audit_begin(&a);
	ck_assert_int_eq(audit_pass(&a, s, &h, 1), AUDIT_AGAIN);
	ck_assert_int_eq(audit_pass(&a, s, &h, 1), AUDIT_AGAIN);
	audit_end(&a);
	ck_assert_int_eq(audit_pass(&a, s, &h, 1), AUDIT_DONE);
} END_TEST

/* ---- real workers, and real deaths -------------------------------------- */

#define BUSY_SOURCES  6
#define BUSY_LIMIT    4                 /* of each source */
#define BUSY_ALL      10                /* of the service; there are more who want a place */

struct busy {
	_Atomic bool     stop;
	_Atomic uint64_t turns[N_WORKERS];
	_Atomic bool     still[N_WORKERS];
	_Atomic uint32_t held[N_WORKERS];       /* when it is still: places in the service, */
	_Atomic uint32_t of[BUSY_SOURCES];      /* and of sources, by all */
};

static struct busy *busy;

struct client {
	struct hold *hold;              /* NULL: there is none */
	uint64_t     source;
	bool         counted;           /* has a place of its source */
};

static void let_go(struct client *c)
{
	sources_give(s, c->hold);
	holds_put(h, c->hold);
	sources_give_service(s, holds_service(h));
	*c = (struct client){ 0 };
}

static void come(struct client *c, uint64_t source)
{
	const struct source_limits limits = { .connections = BUSY_LIMIT };

	if (!sources_take_service(s, holds_service(h), BUSY_ALL))
		return;
	*c = (struct client){ .hold = holds_get(h), .source = source };
	c->counted = sources_take(s, key_of(source), &limits, NOW, c->hold) == SOURCES_TAKEN;
	if (!c->counted)
		let_go(c);
}

/* What it holds when it has been told to stop. */
static _Noreturn void be_still(size_t me, const struct client *clients, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!clients[i].hold)
			continue;
		atomic_fetch_add(&busy->held[me], 1);
		atomic_fetch_add(&busy->of[clients[i].source], 1);
	}
	atomic_store(&busy->still[me], true);
	for (;;)
		pause();
}

static _Noreturn void be_busy(size_t me, uint64_t random)
{
	struct client clients[6] = { { 0 } };

	if (holds_enter(h, me) == -1)
		_exit(1);
	while (!atomic_load(&busy->stop)) {
		struct client *c;

		random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
		c = &clients[(random >> 33) % ARRAY_SIZE(clients)];
		if (c->hold)
			let_go(c);
		else
			come(c, (random >> 40) % BUSY_SOURCES);
		atomic_fetch_add(&busy->turns[me], 1);
	}
	be_still(me, clients, ARRAY_SIZE(clients));
}

static pid_t start_busy(size_t me, uint64_t random)
{
	pid_t child = fork();

	if (child == 0)
		be_busy(me, random);
	ck_assert_int_ne(child, -1);
	return child;
}

static void kill_busy(size_t me, pid_t child)
{
	int status;

	kill(child, SIGKILL);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(WIFSIGNALED(status), "status %x", (unsigned)status);
	ck_assert_uint_eq(audit_reclaim(h, me, s).ignored, 0);
}

static void wait_for_turns(size_t me, uint64_t n)
{
	const uint64_t from = atomic_load(&busy->turns[me]);

	while (atomic_load(&busy->turns[me]) < from + n)
		sched_yield();
}

static void expect_limits_kept(void)
{
	for (uint64_t i = 0; i < BUSY_SOURCES; i++)
		ck_assert_uint_le(count_of(s, i), BUSY_LIMIT);
	ck_assert_uint_le(sources_service_count(s), BUSY_ALL);
}

static void start_all_busy(pid_t children[N_WORKERS])
{
	busy = mmap(NULL, sizeof *busy, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(busy, MAP_FAILED);
	for (size_t i = 0; i < N_WORKERS; i++)
		children[i] = start_busy(i, i);
}

/* They stop, with what they hold: all counts must agree with that. */
static void expect_agreement(void)
{
	uint32_t held = 0;

	atomic_store(&busy->stop, true);
	for (size_t i = 0; i < N_WORKERS; i++) {
		while (!atomic_load(&busy->still[i]))
			sched_yield();
		held += atomic_load(&busy->held[i]);
	}
	ck_assert_int_le(recount(), PASSES_MAX);
	for (uint64_t i = 0; i < BUSY_SOURCES; i++)
		ck_assert_uint_eq(count_of(s, i), atomic_load(&busy->of[i]));
	ck_assert_uint_eq(sources_service_count(s), held);
	ck_assert_uint_eq(count_all(), held);
}

static void expect_nothing_left(pid_t children[N_WORKERS])
{
	for (size_t i = 0; i < N_WORKERS; i++)
		kill_busy(i, children[i]);
	ck_assert_int_le(recount(), PASSES_MAX);
	ck_assert_uint_eq(count_all(), 0);
	ck_assert_uint_eq(sources_service_count(s), 0);
}

START_TEST(workers_are_killed_at_any_time)
{
	const int kills = getenv("DROVER_LONG_TESTS") ? 3000 : 60;
	pid_t children[N_WORKERS];
	uint64_t random = 1;

	start_all_busy(children);
	for (int i = 0; i < kills; i++) {
		const size_t victim = (size_t)i % N_WORKERS;

		random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
		wait_for_turns(victim, (random >> 33) % 200);
		kill_busy(victim, children[victim]);
		audit_begin(&a);
		audit_pass(&a, s, &h, 1);
		audit_pass(&a, s, &h, 1);
		expect_limits_kept();
		children[victim] = start_busy(victim, random);
	}
	expect_agreement();
	expect_nothing_left(children);
} END_TEST

/* However often they are recounted, and whatever they are just doing. */
START_TEST(a_recount_never_takes_from_the_living)
{
	const int passes = getenv("DROVER_LONG_TESTS") ? 200000 : 2000;
	pid_t children[N_WORKERS];
	uint64_t corrected = 0;

	start_all_busy(children);
	audit_begin(&a);
	for (int i = 0; i < passes; i++) {
		if (audit_pass(&a, s, &h, 1) == AUDIT_AGAIN)
			continue;
		corrected += a.corrected;
		audit_begin(&a);
	}
	corrected += a.corrected;
	ck_assert_uint_eq(corrected, 0);
	expect_agreement();
	ck_assert_uint_eq(a.corrected, 0);
	expect_nothing_left(children);
} END_TEST

int main(void)
{
	Suite *suite = suite_create("audit");
	TCase *dead = unit_case(suite, "dead", set_up, tear_down);
	TCase *living = unit_case(suite, "living", set_up, tear_down);
	TCase *broken = unit_case(suite, "broken", set_up, tear_down);
	TCase *large = unit_case(suite, "large", set_up, tear_down);
	TCase *real = unit_case(suite, "real", set_up, tear_down);

	tcase_add_test(dead, what_a_dead_worker_held_is_given_back);
	tcase_add_test(dead, without_a_beginning_there_is_nothing_to_do);
	tcase_add_test(dead, the_holds_of_all_pools_count);
	unit_add_if(stepping_is_possible(), "ptrace(2) is refused here", dead,
	            a_worker_may_die_after_each_instruction);

	tcase_add_test(living, a_recount_waits_for_a_worker_in_the_middle_of_a_change);
	tcase_add_test(living, a_recount_of_the_service_waits_as_well);
	tcase_add_test(living, a_difference_must_be_seen_twice);

	tcase_add_loop_test(broken, counts_that_were_written_over_are_corrected, 0,
	                    ARRAY_SIZE(scribbled));
	tcase_add_test(broken, a_count_that_has_changed_is_not_corrected);
	tcase_add_loop_test(broken, nonsense_in_a_hold_is_ignored, 0, ARRAY_SIZE(nonsense));
	tcase_add_test(broken, a_worker_that_claims_all_places_gets_back_no_more_than_it_can_have);

	tcase_add_test(large, a_large_table_needs_more_passes);
	tcase_add_test(large, a_recount_needs_no_memory_for_sources_that_never_came);
	tcase_add_test(large, a_recount_can_be_ended_or_begun_anew_at_any_time);

	tcase_set_timeout(real, 600);
	tcase_add_test(real, workers_are_killed_at_any_time);
	tcase_add_test(real, a_recount_never_takes_from_the_living);
	return unit_run(suite);
}
