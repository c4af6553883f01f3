/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Programs that change hands, and those that have ended and were not waited
 * for. They are real ones; the loop is turned by hand.
 */
#include <config.h>
#include "programs.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include "log_sink.h"
#include "unit.h"

static const char *const none[] = { NULL };
static const char *argv[] = { "/bin/sh", "-c", NULL, NULL };

static struct conf_service service;
static struct rlimit_list no_limits;
static struct loop loop;
static struct timer tick;
static struct programs programs;
static _Atomic int64_t paid_ns;
static struct log_sink *sink;
static int ours, theirs;                /* of the socket that is 0 and 1 of a program */

struct owner { int n_ended, status; };

static void stop(struct timer *t)
{
	(void)t;
	loop_stop(&loop);
}

static void set_up(void)
{
	int ends[2];

	unit_enter_folder();
	sink = log_sink_open(LOG_TARGET_FILE, "log", LOG_FORMAT_TEXT);
	log_use(sink, LOG_LEVEL_INFO);
	service = (struct conf_service){
		.name = "test",
		.handler = { .program = argv[0], .argv = argv, .env = (const char **)(uintptr_t)none,
		             .pass_env = (const char **)(uintptr_t)none, .err = STDERR_LOG } };
	ck_assert_int_eq(loop_init(&loop), 0);
	tick = (struct timer){ .fire = stop };
	ck_assert_int_eq(programs_init(&programs, &loop, &service, &no_limits, &paid_ns), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	ours = ends[0];
	theirs = ends[1];
}

static void tear_down(void)
{
	ck_assert(programs_none(&programs));
	programs_fini(&programs);
	loop_fini(&loop);
	log_use(NULL, LOG_LEVEL_ERROR);
	log_sink_close(&sink);
	close(ours);
	unit_leave_folder();
}

static void note_end(void *arg, int status)
{
	struct owner *o = arg;

	o->n_ended++;
	o->status = status;
}

static struct program *start(const char *script, struct owner *o)
{
	struct program *p;

	argv[2] = script;
	p = program_start(&programs, &(struct program_request){
		.name = "before", .with_pid = true, .envp = programs.environment.strings,
		.in = theirs, .out = theirs, .ended = note_end, .arg = o });
	ck_assert_ptr_nonnull(p);
	close(theirs);
	return p;
}

/* Reads a byte that the program says, and then its standard error so far. */
static void hear(void)
{
	char c;

	ck_assert_int_eq(read(ours, &c, 1), 1);
	loop_timer_at(&loop, &tick, 0);
	loop_run(&loop);
}

static void wait_for_end(const struct program *p)
{
	siginfo_t info;

	ck_assert_int_eq(waitid(P_PID, (id_t)program_pid(p), &info, WEXITED | WNOWAIT), 0);
}

/* pid 0: the name is logged without one. */
static bool was_logged(const char *name, pid_t pid, const char *what)
{
	char line[128];

	if (pid != 0)
		snprintf(line, sizeof line, " %s %d: %s\n", name, (int)pid, what);
	else
		snprintf(line, sizeof line, " %s: %s\n", name, what);
	return strstr(unit_read_file("log"), line) != NULL;
}

START_TEST(the_owner_of_a_program_is_told_of_its_end)
{
	struct owner first = { 0 }, second = { 0 };
	struct program *p = start("read x; exit 3", &first);

	program_give(p, "after", NULL, note_end, &second);
	ck_assert_int_eq(write(ours, "\n", 1), 1);
	wait_for_end(p);
	programs_reap(&programs);
	ck_assert_int_eq(first.n_ended, 0);
	ck_assert_int_eq(second.n_ended, 1);
	ck_assert_int_eq(WEXITSTATUS(second.status), 3);
} END_TEST

/* Whole lines, and the piece that it had begun. */
START_TEST(what_it_said_before_was_said_under_its_old_name)
{
	struct owner o = { 0 };
	struct program *p = start("echo one >&2; printf two >&2; echo; read x; echo three >&2", &o);
	const pid_t pid = program_pid(p);

	hear();
	ck_assert(was_logged("before", pid, "one"));
	ck_assert(!was_logged("before", pid, "two"));
	program_give(p, "after", NULL, note_end, &o);
	ck_assert(was_logged("before", pid, "two"));
	ck_assert_int_eq(write(ours, "\n", 1), 1);
	wait_for_end(p);
	programs_reap(&programs);
	ck_assert(was_logged("after", pid, "three"));
	ck_assert_int_eq(o.n_ended, 1);
} END_TEST

/* Asking does not wait for it: its end is told as ever. */
START_TEST(one_that_has_ended_can_be_told)
{
	struct owner o = { 0 };
	struct program *p = start("read x; exit 5", &o);

	ck_assert(!program_has_ended(p));
	ck_assert_int_eq(write(ours, "\n", 1), 1);
	wait_for_end(p);
	ck_assert(program_has_ended(p));
	ck_assert(program_has_ended(p));
	ck_assert_int_eq(o.n_ended, 0);
	programs_reap(&programs);
	ck_assert_int_eq(o.n_ended, 1);
	ck_assert_int_eq(WEXITSTATUS(o.status), 5);
} END_TEST

START_TEST(one_that_was_stopped_has_not_ended)
{
	struct owner o = { 0 };
	struct program *p = start("read x", &o);
	siginfo_t info;

	kill(program_pid(p), SIGSTOP);
	ck_assert_int_eq(waitid(P_PID, (id_t)program_pid(p), &info, WSTOPPED | WNOWAIT), 0);
	ck_assert(!program_has_ended(p));
	program_kill(p);
	wait_for_end(p);
	ck_assert(program_has_ended(p));
	programs_reap(&programs);
	ck_assert_int_eq(WTERMSIG(o.status), SIGKILL);
} END_TEST

/* ---- what programs leave ------------------------------------------------ */

#define LEAVES_A_JOB "exec 3<&0; (read x <&3; echo late >&2) >/dev/null & exit 0"

static void leave_a_job(void)
{
	struct owner o = { 0 };
	struct program *p;

	argv[2] = LEAVES_A_JOB;
	p = program_start(&programs, &(struct program_request){
		.name = "left", .envp = programs.environment.strings, .in = theirs, .out = theirs,
		.ended = note_end, .arg = &o });
	ck_assert_ptr_nonnull(p);
	wait_for_end(p);
	programs_reap(&programs);
	ck_assert_int_eq(o.n_ended, 1);
	ck_assert_int_eq(o.status, 0);
}

/* Jobs go on when their input ends. */
static void let_jobs_go_on(void)
{
	close(ours);
	ours = -1;
}

static void wait_for_jobs(void)
{
	struct pollfd p = { .fd = loop.epoll_fd, .events = POLLIN };

	while (programs.n_left > 0) {
		ck_assert_int_eq(poll(&p, 1, -1), 1);
		loop_timer_at(&loop, &tick, 0);
		loop_run(&loop);
	}
}

static size_t count_logged(const char *part)
{
	size_t n = 0;

	for (const char *p = unit_read_file("log"); (p = strstr(p, part)); p++)
		n++;
	return n;
}

START_TEST(a_job_that_a_program_leaves_is_heard_to_its_end)
{
	leave_a_job();
	ck_assert(programs_none(&programs));    /* the job is not waited for */
	ck_assert_int_eq(programs.n_left, 1);
	let_jobs_go_on();
	wait_for_jobs();
	ck_assert(was_logged("left", 0, "late"));
	close(theirs);
} END_TEST

START_TEST(of_too_many_jobs_the_oldest_is_heard_no_more)
{
	const int n_fds = unit_count_fds();

	for (int i = 0; i < PROGRAMS_LEFT_MAX; i++)
		leave_a_job();
	ck_assert_uint_eq(count_logged("more than"), 0);
	leave_a_job();
	leave_a_job();
	ck_assert_int_eq(programs.n_left, PROGRAMS_LEFT_MAX);
	ck_assert_uint_eq(count_logged("test: more than 64 ended programs"), 1);
	ck_assert_int_eq(unit_count_fds(), n_fds + PROGRAMS_LEFT_MAX);
	let_jobs_go_on();
	wait_for_jobs();
	ck_assert_uint_eq(count_logged("left: late\n"), PROGRAMS_LEFT_MAX);
	close(theirs);
} END_TEST

/* What has come by then is logged. */
START_TEST(a_worker_that_ends_waits_for_no_job)
{
	leave_a_job();
	programs_fini(&programs);
	ck_assert_int_eq(programs.n_left, 0);
	ck_assert_int_eq(programs_init(&programs, &loop, &service, &no_limits, &paid_ns), 0);
	close(theirs);
} END_TEST

START_TEST(lines_beyond_the_rate_are_dropped)
{
	struct owner o = { 0 };
	struct program *p;

	programs.rate.bucket.rate = 1;
	p = start("yes nothing | head -n 1000 >&2; echo; read x", &o);
	hear();
	ck_assert_int_eq(write(ours, "\n", 1), 1);
	wait_for_end(p);
	programs_reap(&programs);
	ck_assert_uint_gt(count_logged(": nothing\n"), 0);
	ck_assert_uint_lt(count_logged(": nothing\n"), 200);
	ck_assert_uint_eq(count_logged("dropping the rest"), 1);
} END_TEST

/* ---- on trial ----------------------------------------------------------- */

/* It says one line, and ends when its input does. */
static struct program *start_on_trial(struct owner *o)
{
	struct program *p;
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	close(ours);
	ours = ends[0];
	argv[2] = "echo the same >&2; echo; read x";
	p = program_start(&programs, &(struct program_request){
		.name = "before", .with_pid = true, .on_trial = true,
		.envp = programs.environment.strings,
		.in = ends[1], .out = ends[1], .ended = note_end, .arg = o });
	ck_assert_ptr_nonnull(p);
	close(ends[1]);
	hear();
	return p;
}

static void end_by_itself(const struct program *p)
{
	ck_assert_int_eq(write(ours, "\n", 1), 1);
	wait_for_end(p);
	programs_reap(&programs);
}

/* One has ended, and another one says the same. */
static struct program *start_second(struct owner *o)
{
	struct program *p;

	close(theirs);
	end_by_itself(start_on_trial(o));
	ck_assert_uint_eq(count_logged(": the same\n"), 1);
	p = start_on_trial(o);
	ck_assert_uint_eq(count_logged(": the same\n"), 1);
	return p;
}

START_TEST(what_others_said_before_they_ended_is_counted)
{
	struct owner o = { 0 };

	end_by_itself(start_second(&o));
	ck_assert_uint_eq(count_logged(": the same\n"), 1);
	ck_assert_uint_eq(count_logged("standard error: 1 more\n"), 1);
} END_TEST

START_TEST(one_that_passes_has_said_it_itself)
{
	struct owner o = { 0 };
	struct program *p = start_second(&o);

	program_passes(p);
	ck_assert_uint_eq(count_logged(": the same\n"), 2);
	end_by_itself(p);
	ck_assert_uint_eq(count_logged(": the same\n"), 2);
	ck_assert_uint_eq(count_logged(" more\n"), 0);
} END_TEST

START_TEST(one_that_is_given_away_has_said_it_under_its_old_name)
{
	struct owner o = { 0 };
	struct program *p = start_second(&o);

	program_give(p, "after", NULL, note_end, &o);
	ck_assert(was_logged("before", program_pid(p), "the same"));
	end_by_itself(p);
} END_TEST

START_TEST(nothing_is_held_back_for_longer_than_a_trial)
{
	struct owner o = { 0 };
	struct program *p = start_second(&o);

	timer_run(&loop.timers, loop.now_ms + PROGRAM_TRIAL_MS);
	ck_assert_uint_eq(count_logged(": the same\n"), 2);
	end_by_itself(p);
} END_TEST

int main(void)
{
	Suite *s = suite_create("programs");
	TCase *tc = unit_case(s, "programs", set_up, tear_down);

	tcase_add_test(tc, the_owner_of_a_program_is_told_of_its_end);
	tcase_add_test(tc, what_it_said_before_was_said_under_its_old_name);
	tcase_add_test(tc, one_that_has_ended_can_be_told);
	tcase_add_test(tc, one_that_was_stopped_has_not_ended);
	tcase_add_test(tc, a_job_that_a_program_leaves_is_heard_to_its_end);
	tcase_add_test(tc, of_too_many_jobs_the_oldest_is_heard_no_more);
	tcase_add_test(tc, a_worker_that_ends_waits_for_no_job);
	tcase_add_test(tc, lines_beyond_the_rate_are_dropped);

	tc = unit_case(s, "trial", set_up, tear_down);
	tcase_add_test(tc, what_others_said_before_they_ended_is_counted);
	tcase_add_test(tc, one_that_passes_has_said_it_itself);
	tcase_add_test(tc, one_that_is_given_away_has_said_it_under_its_old_name);
	tcase_add_test(tc, nothing_is_held_back_for_longer_than_a_trial);
	return unit_run(s);
}
