/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whose turn it is. The filter is cat; the loop is turned by hand.
 */
#include <config.h>
#include "filter_pool.h"

#include "clock.h"
#include "unit.h"
#include "worker.h"

#define ASKERS 3

static const char *const none[] = { NULL };
static const char *cat[] = { "/bin/cat", NULL };
static struct conf_service service;
static struct pool_memory memory;
static struct worker worker;
static _Atomic int64_t paid_ns;
static struct timer guard;
static struct filter_pool *pool;
static struct filter_request askers[ASKERS];
static char order[64];                  /* who was answered, a letter each */

static void fail_late(struct timer *t)
{
	(void)t;
	ck_abort_msg("nothing happened for too long");
}

static void note(const struct filter_request *r, char kind)
{
	const size_t len = strlen(order);

	ck_assert_uint_lt(len + 2, sizeof order);
	order[len] = (char)(kind + (r - askers));
	order[len + 1] = '\0';
	loop_stop(&worker.loop);
}

static void answered(struct filter_request *r, const struct filter_answer *a)
{
	ck_assert_uint_eq(a->content_len, r->content_len);
	ck_assert_mem_eq(a->content, r->content, a->content_len);
	note(r, 'a');
}

static void failed(struct filter_request *r)
{
	note(r, 'A');
}

static void ask(int who)
{
	static const char *const lines[ASKERS] = { "one", "the other", "" };

	askers[who].content = lines[who];
	askers[who].content_len = strlen(lines[who]);
	filter_pool_ask(pool, &askers[who]);
}

static const struct filter_asker asker = { .answered = answered, .failed = failed };

static void set_up(void)
{
	unit_block_sigpipe();
	log_use(NULL, LOG_LEVEL_ERROR);
	order[0] = '\0';
	service = (struct conf_service){
		.name = "test", .connections = ASKERS,
		.restart = { .delay_min = 1, .delay_max = 1000 },
		.handler = { .id = HANDLER_ID_filter, .program = cat[0], .argv = cat,
		             .env = (const char **)(uintptr_t)none,
		             .pass_env = (const char **)(uintptr_t)none, .err = STDERR_LOG,
		             .filter = { .framing = { .max = 100 }, .filter_framing = { .max = 100 },
		                         .processes = 1, .in_flight = 1, .timeout = 5000 } },
	};
	worker = (struct worker){ .service = &service, .pid = getpid() };
	ck_assert_int_eq(loop_init(&worker.loop), 0);
	ck_assert_int_eq(pool_memory_make(&memory, &(struct pool_memory_size){ 1, ASKERS, 0 }), 0);
	worker.start.memory = &memory;
	worker.slot = board_slot(memory.board, 0);
	worker.scratch = malloc(WORKER_SCRATCH);
	guard = (struct timer){ .fire = fail_late };
	loop_timer(&worker.loop, &guard, 15000);
}

static void start(void)
{
	ck_assert_int_eq(programs_init(&worker.programs, &worker.loop, &service, &worker.limits,
	                               &paid_ns), 0);
	pool = filter_pool_new(&worker, &asker);
	ck_assert_ptr_nonnull(pool);
	for (int i = 0; i < ASKERS; i++)
		filter_pool_open(pool, &askers[i]);
}

static void until_noted(size_t n)
{
	while (strlen(order) < n) {
		worker.loop.now_ms = clock_ms();
		loop_run(&worker.loop);
	}
}

static void reap(struct timer *t)
{
	programs_reap(&worker.programs);
	if (programs_none(&worker.programs))
		loop_stop(&worker.loop);
	else
		loop_timer(&worker.loop, t, 1);
}

static void tear_down(void)
{
	struct timer reaping = { .fire = reap };

	for (int i = 0; i < ASKERS; i++)
		filter_pool_close(pool, &askers[i]);
	filter_pool_release(pool);
	ck_assert_uint_eq(atomic_load(&worker.slot->filters), 0);
	ck_assert_uint_eq(atomic_load(&worker.slot->queued), 0);
	loop_timer(&worker.loop, &reaping, 0);
	loop_run(&worker.loop);
	filter_pool_free(pool);
	timer_unset(&worker.loop.timers, &guard);
	ck_assert_uint_eq(worker.loop.timers.n, 0);
	programs_fini(&worker.programs);
	loop_fini(&worker.loop);
	pool_memory_free(&memory);
	free(worker.scratch);
}

START_TEST(each_has_its_turn_in_the_order_they_asked)
{
	start();
	ask(1);
	ask(0);
	ask(2);
	ck_assert_uint_eq(atomic_load(&worker.slot->queued), 3);
	until_noted(1);
	ck_assert_str_eq(order, "b");
	ask(1);                         /* at once again: behind those that wait */
	until_noted(4);
	ck_assert_str_eq(order, "bacb");
	ck_assert_uint_eq(atomic_load(&worker.slot->answered), 4);
	ck_assert_uint_eq(atomic_load(&worker.slot->queued), 0);
	ck_assert_uint_eq(atomic_load(&worker.slot->filters), 1);
} END_TEST

START_TEST(a_client_that_leaves_the_queue_is_passed_over)
{
	start();
	ask(0);
	ask(1);
	ask(2);
	filter_pool_close(pool, &askers[1]);
	until_noted(2);
	ck_assert_str_eq(order, "ac");
} END_TEST

START_TEST(several_may_be_in_flight)
{
	service.handler.filter.in_flight = 2;
	start();
	ask(2);
	ask(1);
	ask(0);
	until_noted(3);
	ck_assert_str_eq(order, "cba");
} END_TEST

/* The time in the queue is not part of it. */
START_TEST(the_board_keeps_how_long_answers_took)
{
	const int64_t begun_ms = worker.loop.now_ms;
	struct board_worker_view v;

	start();
	worker.loop.now_ms = begun_ms - 3000;   /* the process gets the first one then */
	ask(0);
	ask(1);
	timer_run(&worker.loop.timers, worker.loop.now_ms);
	ck_assert_uint_eq(atomic_load(&worker.slot->queued), 1);
	until_noted(2);
	board_view(memory.board, 0, &v);
	ck_assert_uint_eq(histogram_count(&v.answer), v.answered);
	ck_assert_uint_eq(v.answered, 2);
	ck_assert_uint_ge(v.answer.sum_ms, 3000);
	ck_assert_uint_le(v.answer.sum_ms, 3000 + 2 * (uint64_t)(clock_ms() - begun_ms));
} END_TEST

START_TEST(where_none_can_be_executed_requests_fail_at_once)
{
	static const char *no_program[] = { "/no/such/program", NULL };

	service.handler.program = no_program[0];
	service.handler.argv = no_program;
	service.handler.filter.timeout = 0;    /* all the time in the world */
	start();
	ask(1);
	ask(0);
	until_noted(2);
	ck_assert_str_eq(order, "BA");
	ck_assert(health_fails(&worker));
} END_TEST

int main(void)
{
	Suite *s = suite_create("filter_pool");
	TCase *tc = unit_case(s, "turns", set_up, tear_down);

	tcase_add_test(tc, each_has_its_turn_in_the_order_they_asked);
	tcase_add_test(tc, a_client_that_leaves_the_queue_is_passed_over);
	tcase_add_test(tc, several_may_be_in_flight);
	tcase_add_test(tc, the_board_keeps_how_long_answers_took);
	tcase_add_test(tc, where_none_can_be_executed_requests_fail_at_once);
	return unit_run(s);
}
