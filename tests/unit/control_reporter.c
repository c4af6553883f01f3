/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Children that answer: to fast, slow and absent readers, and what becomes of
 * one that hangs.
 */
#include <config.h>
#include "reporter.h"

#include <sys/socket.h>

#include "clock.h"
#include "helper_harness.h"

#define N_ITEMS 200000                  /* far more than any socket's buffer holds */

static int ours, its;                   /* the client's end, and the one the reporter writes to */
static int n_done;
static bool was_ok;
static const struct control_request no_request;

static void set_up(void)
{
	int pair[2];

	open_helpers();
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	ours = pair[0];
	its = pair[1];
	n_done = 0;
}

static void tear_down(void)
{
	close_helpers();
	close(ours);
	if (its != -1)
		close(its);
}

static void on_done(void *arg, bool ok)
{
	ck_assert_ptr_eq(arg, &loop);
	n_done++;
	was_ok = ok;
	loop_stop(&loop);
}

static struct reporter *start(const struct report_job *job)
{
	struct reporter *r = reporter_start(&helpers, NULL, job, &no_request, its, on_done, &loop);

	ck_assert_ptr_nonnull(r);
	close(its);                     /* the child has its own */
	its = -1;
	return r;
}

/* Until what came of it has been told. */
static void finish(void)
{
	ck_assert_int_eq(loop_run(&loop), 0);
	ck_assert_int_eq(n_done, 1);
	ck_assert_int_eq(timer_next(&loop.timers), CLOCK_NEVER);
}

static void write_list(void *data, const struct control_request *r, struct answer_writer *o)
{
	(void)r;
	answer_writer_begin_list(o, data);
	for (int i = 0; i < N_ITEMS; i++)
		answer_writer_item(o, json_integer(i));
	answer_writer_end_list(o);
}

static void write_no_memory(void *data, const struct control_request *r, struct answer_writer *o)
{
	(void)data, (void)r;
	answer_writer_begin_list(o, "x");
	answer_writer_item(o, NULL);
	answer_writer_end_list(o);
}

static void hang(void *data, const struct control_request *r, struct answer_writer *o)
{
	(void)data, (void)r, (void)o;
	for (;;)
		pause();
}

static void *gather_name(void *arg)
{
	static char name[] = "numbers";

	return arg == &loop ? name : NULL;
}

START_TEST(a_long_answer_comes_whole)
{
	FILE *in = fdopen(dup(ours), "r");
	json_t *answer, *list;

	start(&(struct report_job){ "list", 10000, gather_name, write_list, &loop, 0 });
	answer = json_loadf(in, 0, NULL);
	ck_assert_ptr_nonnull(answer);
	list = json_object_get(json_object_get(answer, "result"), "numbers");
	ck_assert_uint_eq(json_array_size(list), N_ITEMS);
	ck_assert_int_eq(json_integer_value(json_array_get(list, N_ITEMS - 1)), N_ITEMS - 1);
	json_decref(answer);
	fclose(in);
	finish();
	ck_assert(was_ok);
} END_TEST

START_TEST(a_client_that_does_not_read_in_time_gets_no_more)
{
	start(&(struct report_job){ "list", 50, gather_name, write_list, &loop, 0 });
	finish();
	ck_assert(!was_ok);
} END_TEST

START_TEST(a_client_that_is_gone_is_not_waited_for)
{
	close(ours);
	ours = -1;
	start(&(struct report_job){ "list", 1000000, gather_name, write_list, &loop, 0 });
	finish();
	ck_assert(!was_ok);
} END_TEST

START_TEST(what_cannot_be_made_is_no_answer)
{
	start(&(struct report_job){ "x", 10000, NULL, write_no_memory, NULL, 0 });
	finish();
	ck_assert(!was_ok);
} END_TEST

START_TEST(one_that_hangs_is_killed)
{
	start(&(struct report_job){ "x", 1, NULL, hang, NULL, 0 });
	timer_run(&loop.timers, timer_next(&loop.timers));
	finish();
	ck_assert(!was_ok);
} END_TEST

START_TEST(one_that_is_not_wanted_any_more_ends)
{
	struct reporter *r = start(&(struct report_job){ "x", 1000000, NULL, hang, NULL, 0 });

	reporter_cancel(&r);
	ck_assert_ptr_null(r);
	reporter_cancel(&r);
	ck_assert_int_eq(loop_run(&loop), 0);
	ck_assert_int_eq(n_strangers, 1);
	ck_assert_int_eq(n_done, 0);
} END_TEST

int main(void)
{
	Suite *s = suite_create("control_reporter");
	TCase *tc = unit_case(s, "control_reporter", set_up, tear_down);

	tcase_add_test(tc, a_long_answer_comes_whole);
	tcase_add_test(tc, a_client_that_does_not_read_in_time_gets_no_more);
	tcase_add_test(tc, a_client_that_is_gone_is_not_waited_for);
	tcase_add_test(tc, what_cannot_be_made_is_no_answer);
	tcase_add_test(tc, one_that_hangs_is_killed);
	tcase_add_test(tc, one_that_is_not_wanted_any_more_ends);
	return unit_run(s);
}
