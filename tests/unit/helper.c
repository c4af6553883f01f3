/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Children of the master that do one thing: what they are, what is heard of them, and how they
 * end.
 */
#include <config.h>
#include "helper.h"

#include <sysexits.h>

#include "clock.h"
#include "detached.h"
#include "fd.h"
#include "helper_harness.h"
#include "log.h"

static struct helper *helper;
static struct helper_end end;
static int n_done, n_late;
static char heard[256];
static int ends[2], told[2];            /* pipes that a helper may be given */

static void hear(void *arg, const char *bytes, size_t n)
{
	ck_assert_ptr_eq(arg, &loop);
	strncat(heard, bytes, n);
}

static void be_late(void *arg)
{
	ck_assert_ptr_eq(arg, &loop);
	ck_assert_int_gt(helper_pid(helper), 0);
	n_late++;
}

static void finish(void *arg, const struct helper_end *e)
{
	ck_assert_ptr_eq(arg, &loop);
	ck_assert_int_gt(helper_pid(helper), 0);
	end = *e;
	n_done++;
	loop_stop(&loop);
}

static void set_up(void)
{
	open_helpers();
	log_use(NULL, LOG_LEVEL_ERROR);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	n_done = n_late = 0;
	heard[0] = '\0';
}

static void tear_down(void)
{
	fd_close(&ends[0]);
	fd_close(&ends[1]);
	close_helpers();
}

/* With what all tests have in common. */
static void start(struct helper_job job)
{
	job.title = "test";
	job.limit_ms = job.limit_ms ? job.limit_ms : 60000;
	job.late = be_late;
	job.done = finish;
	job.arg = &loop;
	helper = helper_start(&helpers, &job);
	ck_assert_ptr_nonnull(helper);
}

/* Until its end was reported. */
static void run(struct helper_job job)
{
	start(job);
	ck_assert_int_eq(loop_run(&loop), 0);
	ck_assert_int_eq(n_done, 1);
	ck_assert(list_empty(&helpers.all));
	ck_assert_int_eq(timer_next(&loop.timers), CLOCK_NEVER);
}

static _Noreturn void wait_for_ever(void)
{
	for (;;)
		pause();
}

/* ---- what it does ------------------------------------------------------- */

static int hang(void *arg, int out)
{
	(void)arg, (void)out;
	wait_for_ever();
}

static int speak(void *arg, int out)
{
	return arg == &loop && dprintf(out, "some words") == 10 ? 7 : 1;
}

static int be_silent(void *arg, int out)
{
	return arg == &loop && out == -1 ? 8 : 1;
}

static int be_killed(void *arg, int out)
{
	(void)arg, (void)out;
	return raise(SIGKILL);
}

static int end_output_and_hang(void *arg, int out)
{
	(void)arg;
	close(out);
	wait_for_ever();
}

static int leave_one_with_the_output(void *arg, int out)
{
	(void)arg, (void)out;
	if (fork() > 0)
		return 9;
	while (read(ends[0], heard, 1) == -1)
		;
	return 0;
}

static int say_what_is_not_detached(void *arg, int out)
{
	const char *missing = what_is_not_detached();

	(void)arg;
	if (missing)
		dprintf(out, "%s", missing);
	return EX_OK;
}

static bool was_open;

static void look_before(void *arg)
{
	ck_assert_ptr_eq(arg, &loop);
	was_open = fcntl(ends[0], F_GETFD) != -1;
}

static int look_again(void *arg, int out)
{
	(void)arg, (void)out;
	return was_open && fcntl(ends[0], F_GETFD) == -1 ? EX_OK : EX_SOFTWARE;
}

/* ---- the end ------------------------------------------------------------ */

START_TEST(its_end_and_all_it_said_are_told_once)
{
	static const struct {
		const char       *name;
		struct helper_job job;
		int               status;
		int               n_late;
		const char       *heard;
	} rows[] = {
		{ "with output", { .run = speak, .hear = hear }, W_EXITCODE(7, 0), 0, "some words" },
		{ "without", { .run = be_silent }, W_EXITCODE(8, 0), 0, "" },
		{ "a signal from elsewhere", { .run = be_killed }, SIGKILL, 0, "" },
		{ "it hangs", { .run = hang, .limit_ms = 1 }, SIGKILL, 1, "" },
		{ "it hangs with output", { .run = hang, .limit_ms = 1, .hear = hear }, SIGKILL, 1, "" },
		{ "it hangs without its output", { .run = end_output_and_hang, .limit_ms = 1, .hear = hear },
		  SIGKILL, 1, "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		n_done = n_late = 0;
		heard[0] = '\0';
		run(rows[i].job);
		ck_assert_msg(end.status == rows[i].status, "%s: %#x", rows[i].name, (unsigned)end.status);
		ck_assert_msg(end.too_late == (rows[i].n_late > 0) && n_late == rows[i].n_late,
		              "%s: %d", rows[i].name, n_late);
		ck_assert_msg(strcmp(heard, rows[i].heard) == 0, "%s: %s", rows[i].name, heard);
	}
} END_TEST

/* The child of the helper keeps it until we close our end of the other pipe. */
START_TEST(another_process_with_its_output_does_not_keep_it_beyond_the_limit)
{
	int status;

	start((struct helper_job){ .run = leave_one_with_the_output, .hear = hear, .keep = ends, .n_keep = 1 });
	ck_assert_int_eq(waitpid(helper_pid(helper), &status, 0), helper_pid(helper));
	ck_assert(helpers_reaped(&helpers, helper_pid(helper), status));
	ck_assert(!helpers_reaped(&helpers, helper_pid(helper), status));
	ck_assert_int_eq(n_done, 0);
	timer_run(&loop.timers, timer_next(&loop.timers));
	ck_assert_int_eq(n_done, 1);
	ck_assert_int_eq(n_late, 1);
	ck_assert_int_eq(end.status, W_EXITCODE(9, 0));
	ck_assert(end.too_late);
} END_TEST

START_TEST(one_that_is_not_wanted_any_more_is_killed_and_not_told_of)
{
	start((struct helper_job){ .run = hang, .hear = hear });
	helper_free(&helper);
	ck_assert_ptr_null(helper);
	helper_free(&helper);
	ck_assert_int_eq(timer_next(&loop.timers), CLOCK_NEVER);
	ck_assert_int_eq(loop_run(&loop), 0);
	ck_assert_int_eq(n_strangers, 1);
	ck_assert_int_eq(n_done, 0);
} END_TEST

START_TEST(other_processes_are_none)
{
	start((struct helper_job){ .run = hang });
	ck_assert(!helpers_reaped(&helpers, helper_pid(helper) + 1, 0));
	ck_assert_int_eq(n_done, 0);
	helper_free(&helper);
	ck_assert_int_eq(loop_run(&loop), 0);
} END_TEST

/* ---- what it is --------------------------------------------------------- */

START_TEST(it_has_left_the_terminal)
{
	run((struct helper_job){ .run = say_what_is_not_detached, .hear = hear });
	ck_assert_str_eq(heard, "");
} END_TEST

/* A leash that it kept open would hide the end of the master. */
START_TEST(it_has_no_descriptor_but_those_it_was_given)
{
	char byte;
	int given[2];

	ck_assert_int_eq(pipe2(given, O_CLOEXEC), 0);
	start((struct helper_job){ .run = hang, .keep = (int[]){ given[1], -1 }, .n_keep = 2 });
	fd_close(&ends[1]);
	ck_assert_int_eq(read(ends[0], &byte, 1), 0);           /* the end, though it lives */
	fd_close(&given[1]);
	ck_assert_int_eq(fd_adopt(given[0]), 0);
	ck_assert_int_eq(read(given[0], &byte, 1), -1);
	helper_free(&helper);
	ck_assert_int_eq(loop_run(&loop), 0);
	ck_assert_int_eq(read(given[0], &byte, 1), 0);
	close(given[0]);
} END_TEST

START_TEST(it_can_use_the_masters_descriptors_before_they_are_closed)
{
	run((struct helper_job){ .prepare = look_before, .run = look_again });
	ck_assert_int_eq(end.status, W_EXITCODE(EX_OK, 0));
} END_TEST

START_TEST(signals_that_are_meant_for_the_server_do_not_end_it)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH, SIGALRM };

	start((struct helper_job){ .run = hang });
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		ck_assert_int_eq(kill(helper_pid(helper), signals[i]), 0);
	ck_assert_int_eq(kill(helper_pid(helper), SIGKILL), 0);
	ck_assert_int_eq(loop_run(&loop), 0);
	ck_assert_int_eq(end.status, SIGKILL);
	ck_assert(!end.too_late);
} END_TEST

/* The master of this one is a child of ours, which ends at once. */
static void start_and_end_master(struct helper_job job)
{
	const pid_t master = fork();
	int status;

	if (master == 0) {
		start(job);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(master, &status, 0), master);
	ck_assert_int_eq(status, 0);
}

START_TEST(it_dies_with_the_master)
{
	char byte;

	start_and_end_master((struct helper_job){ .run = hang, .keep = &ends[1], .n_keep = 1 });
	fd_close(&ends[1]);
	ck_assert_int_eq(read(ends[0], &byte, 1), 0);
} END_TEST

/* Writes when it is sure that its master has ended. */
static int write_when_told(void *arg, int out)
{
	char byte;

	(void)arg, (void)out;
	return read(told[0], &byte, 1) == 0 && write(ends[1], "", 1) == 1 ? EX_OK : EX_SOFTWARE;
}

START_TEST(one_that_is_to_outlive_the_master_does)
{
	char byte;

	ck_assert_int_eq(pipe2(told, O_CLOEXEC), 0);
	start_and_end_master((struct helper_job){ .run = write_when_told, .outlives = true,
	                                          .keep = (int[]){ told[0], ends[1] }, .n_keep = 2 });
	fd_close(&ends[1]);
	fd_close(&told[1]);
	ck_assert_int_eq(read(ends[0], &byte, 1), 1);
	fd_close(&told[0]);
} END_TEST

/* Its own limit ends it: ours is that of a loop that does not turn. */
START_TEST(one_that_outlives_the_master_does_not_do_so_for_longer_than_its_limit)
{
	int status;

	start((struct helper_job){ .run = hang, .outlives = true, .limit_ms = 1 });
	ck_assert_int_eq(wait(&status), helper_pid(helper));
	ck_assert_int_eq(status, SIGALRM);
	ck_assert(helpers_reaped(&helpers, helper_pid(helper), status));
	ck_assert_int_eq(n_done, 1);
	ck_assert(end.too_late);
} END_TEST

START_TEST(one_that_outlives_the_master_is_let_go)
{
	pid_t pid;

	start((struct helper_job){ .run = hang, .outlives = true, .keep = &ends[1], .n_keep = 1 });
	pid = helper_pid(helper);
	helper_free(&helper);
	ck_assert_ptr_null(helper);
	fd_close(&ends[1]);
	ck_assert_int_eq(kill(pid, SIGTERM), 0);
	ck_assert_int_eq(kill(pid, SIGALRM), 0);
	ck_assert_int_eq(loop_run(&loop), 0);
	ck_assert_int_eq(n_strangers, 1);
	ck_assert_int_eq(n_done, 0);
} END_TEST

int main(void)
{
	Suite *s = suite_create("helper");
	TCase *tc = unit_case(s, "helper", set_up, tear_down);

	tcase_add_test(tc, its_end_and_all_it_said_are_told_once);
	tcase_add_test(tc, another_process_with_its_output_does_not_keep_it_beyond_the_limit);
	tcase_add_test(tc, one_that_is_not_wanted_any_more_is_killed_and_not_told_of);
	tcase_add_test(tc, other_processes_are_none);
	tcase_add_test(tc, it_has_left_the_terminal);
	tcase_add_test(tc, it_has_no_descriptor_but_those_it_was_given);
	tcase_add_test(tc, it_can_use_the_masters_descriptors_before_they_are_closed);
	tcase_add_test(tc, signals_that_are_meant_for_the_server_do_not_end_it);
	tcase_add_test(tc, it_dies_with_the_master);
	tcase_add_test(tc, one_that_is_to_outlive_the_master_does);
	tcase_add_test(tc, one_that_outlives_the_master_does_not_do_so_for_longer_than_its_limit);
	tcase_add_test(tc, one_that_outlives_the_master_is_let_go);
	return unit_run(s);
}
