/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a pool remembers of workers that have ended. Instead of serving, a worker
 * says on its board what the test wants, and ends as the test wants.
 */
#include <config.h>
#include "pool.h"

#include <sys/wait.h>

#include "unit.h"
#include "worker.h"

#define WORKERS 3

_Noreturn void __wrap_worker_main(const struct worker_start *start);

static struct loop loop;
static struct conf_service service;
static struct pool *pool;

/* Each by its place: the second is killed, the others end well. */
_Noreturn void __wrap_worker_main(const struct worker_start *start)
{
	struct board_slot *slot = board_slot(start->memory->board, start->slot);
	const uint64_t n = start->slot + 1;

	board_add(&slot->accepted, 2 * n);
	board_add(&slot->served, n);
	board_add(&slot->bytes_in, 100 * n);
	board_add(&slot->bytes_out, 1000 * n);
	board_add(&slot->requests, 10 * n);
	board_add(&slot->answered, 11 * n);
	board_add(&slot->replaced, 12 * n);
	board_add(&slot->joined, 13 * n);
	board_add(&slot->cold, 14 * n);
	board_add(&slot->crashed, 15 * n);
#define X(name) board_add_time(&slot->name, 1000 * (int64_t)n);
	BOARD_HISTOGRAMS(X)
#undef X
	if (start->slot == 1)
		raise(SIGKILL);
	_exit(0);
}

static void forget(void *arg, const struct pool *p)
{
	(void)arg, (void)p;
}

static void changed(void *arg, struct pool *p)
{
	(void)arg, (void)p;
}

static void crashed(void *arg, const struct evidence *e)
{
	(void)arg, (void)e;
}

START_TEST(what_ended_workers_had_done_is_added_up)
{
	static struct service_states states;
	static struct pool_context context = { .loop = &loop, .states = &states, .forget = forget,
	                                       .changed = changed, .crashed = crashed };
	const struct totals *t;
	int status;

	log_use(NULL, LOG_LEVEL_ERROR);
	ck_assert_int_eq(loop_init(&loop), 0);
	service_states_init(&states, &loop, NULL);
	service = (struct conf_service){
		.name = "test", .connections = 4,
		.workers = { .min = WORKERS, .max = WORKERS, .calm = 1 },
		.restart = { .burst = 10, .within = 10000, .delay_min = 10000, .delay_max = 10000 },
	};
	pool = pool_new(&context, &service, 1, 0, NULL, 0);
	ck_assert_ptr_nonnull(pool);
	pool_start(pool);
	t = pool_totals(pool);
	ck_assert_uint_eq(t->accepted + t->served + t->by_signal[SIGKILL], 0);
	for (int i = 0; i < WORKERS; i++) {
		pid_t pid = waitpid(-1, &status, 0);

		ck_assert(pool_reaped(pool, pid, status));
	}
	t = pool_totals(pool);
	ck_assert_uint_eq(t->accepted, 12);
	ck_assert_uint_eq(t->served, 6);
	ck_assert_uint_eq(t->lost, 6);          /* what is missing for accepted */
	ck_assert_uint_eq(t->bytes_in, 600);
	ck_assert_uint_eq(t->bytes_out, 6000);
	ck_assert_uint_eq(t->requests, 60);
	ck_assert_uint_eq(t->answered, 66);
	ck_assert_uint_eq(t->replaced, 72);
	ck_assert_uint_eq(t->joined, 78);
	ck_assert_uint_eq(t->cold, 84);
	ck_assert_uint_eq(t->crashed, 90);
#define X(name) \
	ck_assert_uint_eq(t->name.buckets[5], 1);       /* to 1 s */ \
	ck_assert_uint_eq(t->name.buckets[6], 2);       /* to 4 s */ \
	ck_assert_uint_eq(histogram_count(&t->name), 3); \
	ck_assert_uint_eq(t->name.sum_ms, 6000);
	BOARD_HISTOGRAMS(X)
#undef X
	ck_assert_uint_eq(t->by_signal[SIGKILL], 1);
	pool_stop(pool);
	pool_free(&pool);
	loop_fini(&loop);
} END_TEST

int main(void)
{
	Suite *s = suite_create("totals");
	TCase *tc = unit_case(s, "totals", NULL, NULL);

	tcase_add_test(tc, what_ended_workers_had_done_is_added_up);
	return unit_run(s);
}
