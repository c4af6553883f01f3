/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Children that do one thing: what the master hears of their end.
 */
#include <config.h>
#include "errand.h"

#include <sys/wait.h>
#include <sysexits.h>

#include "detached.h"
#include "log.h"
#include "signals.h"
#include "unit.h"

static struct loop loop;
static struct watch children;
static struct errand *errand;
static int exit_code = -1;
static char said[256];

static void on_done(void *arg, const struct errand_result *r)
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

/* As the master does at SIGCHLD. */
static void on_signal(struct watch *w, uint32_t events)
{
	struct signalfd_siginfo info[SIGNALS_AT_ONCE];
	int status;
	pid_t pid;

	(void)events;
	signals_read(w->fd, info);
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		ck_assert(errand_reaped(errand, pid, status));
}

static void set_up(void)
{
	static const int signals[] = { SIGCHLD };

	signals_take_over();
	ck_assert_int_eq(loop_init(&loop), 0);
	log_use(NULL, LOG_LEVEL_ERROR);
	children = (struct watch){ .fd = signals_open(signals, 1), .ready = on_signal };
	ck_assert_int_eq(loop_watch(&loop, &children, EPOLLIN), 0);
}

static void tear_down(void)
{
	close(children.fd);
	loop_fini(&loop);
}

START_TEST(the_exit_status_says_how_it_ended)
{
	static const struct {
		const char *name;
		int       (*does)(void *arg, int out);
		int64_t     limit_ms;
		int         status;
		const char *says;
	} rows[] = {
		{ "what it says itself", complain_and_exit, 60000, EX_CONFIG, "no" },
		{ "the time is up: it may be a name server", wait_for_ever, 1, EX_TEMPFAIL, "a test takes more than" },
		{ "a signal from elsewhere", be_killed, 60000, EX_SOFTWARE, "ended by signal KILL" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct errand_job job = { .what = "a test", .limit_ms = rows[i].limit_ms,
		                                .run = rows[i].does, .keep = -1, .done = on_done };

		errand = errand_start(&loop, &job);
		ck_assert_ptr_nonnull(errand);
		ck_assert_int_eq(loop_run(&loop), 0);
		ck_assert_msg(exit_code == rows[i].status, "%s: %d", rows[i].name, exit_code);
		ck_assert_msg(strstr(said, rows[i].says) != NULL, "%s: %s", rows[i].name, said);
	}
} END_TEST

static int say_whether_detached(void *arg, int out)
{
	const char *missing = what_is_not_detached();

	(void)arg;
	if (missing)
		dprintf(out, "%s\n", missing);
	return missing ? EX_SOFTWARE : EX_OK;
}

START_TEST(it_has_left_the_terminal)
{
	const struct errand_job job = { .what = "a test", .limit_ms = 60000, .run = say_whether_detached,
	                                .keep = -1, .done = on_done };

	errand = errand_start(&loop, &job);
	ck_assert_ptr_nonnull(errand);
	ck_assert_int_eq(loop_run(&loop), 0);
	ck_assert_msg(exit_code == EX_OK, "%s", said);
} END_TEST

int main(void)
{
	Suite *s = suite_create("errand");
	TCase *tc = unit_case(s, "errand", set_up, tear_down);

	tcase_add_test(tc, the_exit_status_says_how_it_ended);
	tcase_add_test(tc, it_has_left_the_terminal);
	return unit_run(s);
}
