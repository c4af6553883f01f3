/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Workers die: what is lost with them, and how they are replaced. How soon that is, is
 * measured elsewhere; here a replacement "at once" is one without a delay.
 */
#include <config.h>
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct daemon d;

START_TEST(when_a_worker_is_killed_its_connections_end_and_all_others_go_on)
{
	struct load l = { .n_clients = 32, .may_lose = true };
	const struct event *end;
	pid_t victim;
	size_t n_open;

	daemon_start(&d, SERVICES(SERVICE("s", "echo", "workers = 4;")));
	l.address = daemon_address(&d, "s", 0);
	load_start(&l);
	load_wait_flow(&l);
	victim = (pid_t)event_number(daemon_wait_for(&d, "connection-open"), "pid");
	ck_assert_int_eq(kill(victim, SIGKILL), 0);
	end = daemon_wait_for(&d, "worker-end service=s pid=%d how=signal value=%d", victim, SIGKILL);
	n_open = (size_t)event_number(end, "open");
	ck_assert_uint_gt(n_open, 0);
	load_wait_lost(&l, n_open);
	load_wait_flow(&l);
	load_stop(&l);
	ck_assert_uint_eq(l.lost, n_open);
	ck_assert_uint_eq(l.done, 32 - n_open);
} END_TEST

START_TEST(a_killed_worker_is_replaced_at_once)
{
	pid_t worker;
	int fd;

	daemon_start(&d, SERVICES(SERVICE("s", "echo", "workers = 1;")));
	worker = daemon_next_worker(&d, "s");
	ck_assert_int_eq(kill(worker, SIGKILL), 0);
	fd = daemon_connect_echo(&d, "s");      /* waits in the queue, if need be */
	ck_assert_int_ne(daemon_next_worker(&d, "s"), worker);
	ck_assert_uint_eq(daemon_saw(&d, "worker-delayed"), 0);
	close(fd);
} END_TEST

START_TEST(the_end_of_a_worker_tells_how_many_it_served_and_had_open)
{
	const struct event *end;
	int a, b;

	daemon_start(&d, SERVICES(SERVICE("s", "echo", "workers = 1;")));
	for (int i = 0; i < 3; i++) {
		daemon_check_echo(&d, "s");
		daemon_wait_for(&d, "connection-end");
	}
	a = daemon_connect(&d, "s");
	b = daemon_connect(&d, "s");
	client_echo(a);
	client_echo(b);
	ck_assert_int_eq(kill(daemon_next_worker(&d, "s"), SIGKILL), 0);
	end = daemon_wait_for(&d, "worker-end service=s how=signal value=%d", SIGKILL);
	ck_assert_int_eq(event_number(end, "served"), 3);
	ck_assert_int_eq(event_number(end, "open"), 2);
	client_expect_gone(a);
	client_expect_gone(b);
	close(a);
	close(b);
} END_TEST

#define ECHO_AND_DOOMED \
	SERVICES(SERVICE("echo", "echo", "workers = 1;") \
	         SERVICE("doomed", "echo", "workers = 2; %s" \
	                 " restart = { delay_min = \"20ms\"; delay_max = \"160ms\"; };"))

START_TEST(a_service_that_cannot_start_does_not_keep_the_others_from_it)
{
	daemon_start(&d, ECHO_AND_DOOMED, harness_cannot_start());
	daemon_wait_for(&d, "worker-end service=doomed served=0 open=0");
	daemon_check_echo(&d, "echo");
	ck_assert_uint_eq(daemon_saw(&d, "worker-end service=echo"), 0);
	ck_assert_uint_eq(daemon_saw(&d, "worker-ready service=doomed"), 0);
	daemon_wait_status(&d, "doomed");
} END_TEST

START_TEST(delays_double_up_to_the_longest)
{
	long long last = 0;

	daemon_start(&d, ECHO_AND_DOOMED, harness_cannot_start());
	for (int i = 0; i < 20 && last < 160; i++) {
		long long delay = event_number(daemon_wait_for(&d, "worker-delayed service=doomed"),
		                               "delay_ms");

		ck_assert_int_ge(delay, last);
		ck_assert_int_le(delay, last ? 2 * last : 20);
		last = delay;
	}
	ck_assert_int_eq(last, 160);
	ck_assert_uint_eq(daemon_saw(&d, "worker-delayed service=echo"), 0);
} END_TEST

START_TEST(a_service_heals_by_itself)
{
	const char *place = files_mkdir("place");
	pid_t worker;
	int fd;

	daemon_start(&d, SERVICES(SERVICE("s", "echo", "workers = 1; directory = \"%s\";"
	             " restart = { delay_min = \"50ms\"; delay_max = \"50ms\"; };")), place);
	worker = daemon_next_worker(&d, "s");
	ck_assert_int_eq(rmdir(place), 0);
	ck_assert_int_eq(kill(worker, SIGKILL), 0);
	daemon_wait_for(&d, "worker-end pid=%d", worker);
	daemon_wait_for(&d, "worker-end how=exit served=0");
	daemon_wait_for(&d, "worker-delayed service=s");
	fd = daemon_connect(&d, "s");
	client_say(fd, "waits");
	ck_assert_int_eq(mkdir(place, 0755), 0);
	daemon_next_worker(&d, "s");
	client_expect(fd, "waits");
	close(fd);
} END_TEST

START_TEST(more_deaths_than_a_burst_are_slowed_down)
{
	daemon_start(&d, SERVICES(SERVICE("s", "echo", "workers = 1;"
	             " restart = { burst = 3; within = \"1h\"; delay_min = \"30ms\"; };")));
	for (int i = 0; i < 4; i++) {
		ck_assert_uint_eq(daemon_saw(&d, "worker-delayed"), 0);
		ck_assert_int_eq(kill(daemon_next_worker(&d, "s"), SIGKILL), 0);
		daemon_wait_for(&d, "worker-end how=signal");
	}
	ck_assert_int_eq(event_number(daemon_wait_for(&d, "worker-delayed service=s"), "delay_ms"), 30);
	daemon_next_worker(&d, "s");            /* slower, but it comes */
} END_TEST

START_TEST(the_death_of_every_worker_at_once_is_survived)
{
	pid_t workers[4];

	daemon_start(&d, SERVICES(SERVICE("s", "echo", "workers = 4;")));
	for (size_t i = 0; i < ARRAY_SIZE(workers); i++)
		workers[i] = daemon_next_worker(&d, "s");
	for (size_t i = 0; i < ARRAY_SIZE(workers); i++)
		ck_assert_int_eq(kill(workers[i], SIGKILL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(workers); i++)
		daemon_wait_for(&d, "worker-end pid=%d how=signal value=%d", workers[i], SIGKILL);
	for (size_t i = 0; i < ARRAY_SIZE(workers); i++)
		daemon_next_worker(&d, "s");
	daemon_check_echo(&d, "s");
} END_TEST

/* A process that a program left behind becomes the master's child, but is not a worker. */
START_TEST(strangers_are_reaped_in_silence)
{
	const char *fifo = files_mkfifo("fifo");
	const char *script = files_script("leave", "setsid sh -c 'echo $$; exec cat %s' &", fifo);
	const char *log;
	pid_t stranger;
	int fd, watch, release;

	daemon_start(&d, SERVICES(EXEC("s", "argv = \"%s\";", "workers = 1;")), script);
	fd = daemon_connect(&d, "s");
	stranger = (pid_t)strtol(client_read_line(fd), NULL, 10);
	ck_assert_int_gt(stranger, 0);
	daemon_wait_for(&d, "program-end how=exit value=0");
	watch = process_watch(stranger);
	ck_assert_str_eq(process_status(stranger, "PPid"), files_text("%d", d.pid));

	release = open(fifo, O_WRONLY | O_CLOEXEC);     /* waits until the process reads */
	close(release);
	process_wait_end(watch);
	daemon_barrier(&d);
	ck_assert_int_eq(kill(stranger, 0), -1);
	ck_assert_int_eq(errno, ESRCH);         /* not even a zombie */
	ck_assert_uint_eq(daemon_saw(&d, "worker-end"), 0);
	log = daemon_errors(&d);
	ck_assert_msg(!strstr(log, files_text("pid %d)", stranger)), "the stranger is in the log:\n%s", log);
	close(fd);
} END_TEST

int main(void)
{
	Suite *s = suite_create("crash");
	TCase *tc = harness_case(s, "crash");

	tcase_add_test(tc, when_a_worker_is_killed_its_connections_end_and_all_others_go_on);
	tcase_add_test(tc, a_killed_worker_is_replaced_at_once);
	tcase_add_test(tc, the_end_of_a_worker_tells_how_many_it_served_and_had_open);
	tcase_add_test(tc, a_service_that_cannot_start_does_not_keep_the_others_from_it);
	tcase_add_test(tc, delays_double_up_to_the_longest);
	tcase_add_test(tc, a_service_heals_by_itself);
	tcase_add_test(tc, more_deaths_than_a_burst_are_slowed_down);
	tcase_add_test(tc, the_death_of_every_worker_at_once_is_survived);
	tcase_add_test(tc, strangers_are_reaped_in_silence);
	return harness_run(s);
}
