/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Helpers that answer in lines: what the master hears of their end.
 */
#include <config.h>
#include "task.h"

#include <sysexits.h>

#include "helper_harness.h"
#include "log.h"

static struct task *task;
static int exit_code = -1;
static char said[256];

static void on_done(void *arg, const struct task_result *r)
{
	(void)arg;
	exit_code = r->exit_code;
	snprintf(said, sizeof said, "%s", r->complaints);
	loop_stop(&loop);
}

static int complain_and_exit(void *arg, int out)
{
	(void)arg;
	return dprintf(out, "no\n") == 3 ? EX_CONFIG : EX_OSERR;
}

static int wait_for_ever(void *arg, int out)
{
	(void)arg, (void)out;
	while (pause() == -1)
		;
	return 0;
}

static int be_killed(void *arg, int out)
{
	(void)arg, (void)out;
	return raise(SIGKILL);
}

static void set_up(void)
{
	open_helpers();
	log_use(NULL, LOG_LEVEL_ERROR);
}

static const struct {
	const char *name;
	int       (*does)(void *arg, int out);
	int64_t     limit_ms;
	int         status;
	const char *says;
} ends[] = {
	{ "what it says itself", complain_and_exit, 60000, EX_CONFIG, "no" },
	{ "the time is up: it may be a name server", wait_for_ever, 1, EX_TEMPFAIL, "a test takes more than" },
	{ "a signal from elsewhere", be_killed, 60000, EX_SOFTWARE, "ended by signal KILL" },
};

START_TEST(the_exit_status_says_how_it_ended)
{
	const struct task_job job = { .what = "a test", .title = "test",
	                                .limit_ms = ends[_i].limit_ms, .run = ends[_i].does,
	                                .keep = -1, .done = on_done };

	task = task_start(&helpers, &job);
	ck_assert_ptr_nonnull(task);
	ck_assert_int_eq(loop_run(&loop), 0);
	ck_assert_msg(exit_code == ends[_i].status, "%s: %d", ends[_i].name, exit_code);
	ck_assert_msg(strstr(said, ends[_i].says) != NULL, "%s: %s", ends[_i].name, said);
} END_TEST

int main(void)
{
	Suite *s = suite_create("task");
	TCase *tc = unit_case(s, "task", set_up, close_helpers);

	tcase_add_loop_test(tc, the_exit_status_says_how_it_ended, 0, ARRAY_SIZE(ends));
	return unit_run(s);
}
