/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A process of a filter cannot be started, or is of no use from the beginning:
 * what happens to requests, to the log, and to the next process.
 */
#include <config.h>
#include "filter_harness.h"

#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- none can be started ------------------------------------------------ */

static const struct rlimit no_descriptor = { 1, RLIM_INFINITY };

/* Descriptors that are open stay open. Returns the old limit. */
static struct rlimit limit_descriptors(pid_t worker, struct rlimit limit)
{
	struct rlimit old;

	ck_assert_int_eq(prlimit(worker, RLIMIT_NOFILE, NULL, &old), 0);
	limit.rlim_max = old.rlim_max;
	ck_assert_msg(prlimit(worker, RLIMIT_NOFILE, &limit, NULL) == 0, "prlimit: %m");
	return old;
}

#define IMPATIENT "timeout = \"200ms\"; "
#define SOON      "restart = { delay_min = \"10ms\"; delay_max = \"40ms\"; };"

START_TEST(without_descriptors_requests_wait_and_fail_and_then_all_is_well)
{
	struct rlimit old;
	pid_t worker;
	int poisonous, waiting, later;

	filter_start(IMPATIENT "error_reply = \"sorry\";", SOON);
	worker = daemon_next_worker(&d, "s");
	poisonous = filter_say("hello\n");
	waiting = filter_say("hello\n");
	later = filter_say("hello\n");
	client_expect(poisonous, "hello\n");
	client_expect(waiting, "hello\n");
	client_expect(later, "hello\n");
	old = limit_descriptors(worker, no_descriptor);
	client_say(poisonous, "die\n");
	client_expect(poisonous, "sorry\n");
	for (int after = 10; after <= 40; after *= 2)
		daemon_wait_for(&d, "filter-delayed after=%d", after);
	daemon_wait_for(&d, "filter-delayed after=40");
	client_say(waiting, "hello\n");
	client_expect(waiting, "sorry\n");
	harness_contains(daemon_errors(&d), "odd_filter: Too many open files");
	limit_descriptors(worker, old);
	daemon_wait_for(&d, "filter-start");
	daemon_wait_for(&d, "filter-start");
	client_say(later, "count\n");
	client_expect(later, "1\n");
	close(poisonous);
	close(waiting);
	close(later);
	ck_assert_uint_eq(daemon_saw(&d, "worker-end"), 0);
} END_TEST

/* Without the capability, root cannot raise the limit either. */
static void be_poor(void)
{
	const struct rlimit few = { 64, 64 };

	process_give_up(CAP_SYS_RESOURCE);      /* fails for a process that does not have it */
	setrlimit(RLIMIT_NOFILE, &few);
}

START_TEST(as_many_are_started_as_there_are_descriptors)
{
	int one, two;

	d.before_exec = be_poor;
	filter_start("processes = 64;", "connections = 4;");
	one = filter_say("late\n");
	filter_settle();
	two = filter_say("hello\n");
	client_expect(two, "hello\n");
	filter_release();
	client_expect(one, "late\n");
	harness_contains(daemon_errors(&d), "but the limit of descriptors is 64");
	harness_contains(daemon_errors(&d), "odd_filter: Too many open files");
	ck_assert_uint_gt(daemon_saw(&d, "filter-start"), 1);
	close(one);
	close(two);
} END_TEST

/* It is logged when it starts and when it ends. */
START_TEST(that_none_can_be_started_is_logged_once)
{
	struct rlimit old;
	pid_t worker;
	int fd;

	filter_start("error_reply = \"sorry\";", SOON);
	worker = daemon_next_worker(&d, "s");
	fd = filter_say("hello\n");
	client_expect(fd, "hello\n");
	old = limit_descriptors(worker, no_descriptor);
	client_say(fd, "die\n");
	client_expect(fd, "sorry\n");
	for (int i = 0; i < 5; i++)
		daemon_wait_for(&d, "filter-delayed");
	limit_descriptors(worker, old);
	client_say(fd, "hello\n");
	client_expect(fd, "hello\n");
	ck_assert_uint_eq(files_count(daemon_errors(&d), "odd_filter: Too many open files"), 1);
	close(fd);
} END_TEST

/* The answers of the process that runs say nothing about those that do not start. */
START_TEST(the_delay_grows_though_another_process_answers)
{
	struct rlimit old;
	pid_t worker;
	int one, two;

	filter_start("processes = 2; error_reply = \"sorry\";",
	             "restart = { delay_min = \"50ms\"; delay_max = \"10s\"; };");
	worker = daemon_next_worker(&d, "s");
	one = filter_say("late\n");
	filter_settle();
	two = filter_say("hello\n");
	client_expect(two, "hello\n");
	filter_release();
	client_expect(one, "late\n");          /* now each of the processes has answered */
	old = limit_descriptors(worker, no_descriptor);
	client_say(two, "die\n");
	client_expect(two, "sorry\n");
	for (int after = 50; after <= 400; after *= 2) {
		ck_assert_int_eq(event_number(daemon_wait_for(&d, "filter-delayed"), "after"), after);
		client_say(one, "hello\n");
		client_expect(one, "hello\n");
	}
	limit_descriptors(worker, old);
	close(one);
	close(two);
} END_TEST

START_TEST(a_client_that_can_have_no_process_of_its_own_is_told_in_time)
{
	struct rlimit old;
	pid_t worker;
	int lucky, unlucky;

	filter_start("share = \"connection\"; " IMPATIENT, SOON);
	worker = daemon_next_worker(&d, "s");
	lucky = filter_say("hello\n");
	client_expect(lucky, "hello\n");
	filter_settle();
	filter_hold(worker);
	unlucky = daemon_connect(&d, "s");
	/* Room for the connection, and for no pipe beside it. */
	old = limit_descriptors(worker, (struct rlimit){ filter_descriptors(worker) + 1, 0 });
	filter_go_on(worker);
	client_say(unlucky, "hello\n");
	filter_expect_failure(unlucky);
	client_say(lucky, "count\n");
	client_expect(lucky, "2\n");
	limit_descriptors(worker, old);
	close(lucky);
} END_TEST

/* ---- it speaks first ---------------------------------------------------- */

/* The first one may be asked before it greets; those after it are looked at for a while. */
START_TEST(a_program_that_greets_is_never_believed)
{
	int fds[3];

	daemon_start(&d, SERVICES(SERVICE("e", "echo", "workers = 1;")
	             " s = { listen = \"127.0.0.1:0\"; workers = 1; restart = { delay_min = \"200ms\"; };"
	             " handler = { type = \"filter\"; framing = \"line\"; timeout = \"1s\"; %s }; };"),
	             filter_argv("greet"));
	daemon_wait_for(&d, "filter-delayed after=200 service=s");
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = filter_say("hello\n");
	for (int after = 400; after <= 800; after *= 2)
		daemon_wait_for(&d, "filter-delayed after=%d service=s", after);
	daemon_wait_for(&d, "filter-end reason=unasked how=signal value=9 answered=0");
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		filter_expect_failure(fds[i]);
	harness_contains(daemon_errors(&d), " said something without being asked (does it greet?); killed");
	daemon_check_echo(&d, "e");
	ck_assert_uint_eq(daemon_saw(&d, "worker-end"), 0);
} END_TEST

int main(void)
{
	Suite *s = suite_create("filter_starts");
	TCase *tc = harness_case(s, "starts");

	tcase_add_test(tc, without_descriptors_requests_wait_and_fail_and_then_all_is_well);
	tcase_add_test(tc, as_many_are_started_as_there_are_descriptors);
	tcase_add_test(tc, that_none_can_be_started_is_logged_once);
	tcase_add_test(tc, the_delay_grows_though_another_process_answers);
	tcase_add_test(tc, a_client_that_can_have_no_process_of_its_own_is_told_in_time);

	tc = harness_case(s, "greeting");
	tcase_add_test(tc, a_program_that_greets_is_never_believed);
	return harness_run(s);
}
