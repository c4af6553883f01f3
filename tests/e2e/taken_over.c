/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A worker that does over its leash what none of ours does: it harms its own
 * service at most, is found, and is replaced.
 */
#include <config.h>
#include "control_harness.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static struct daemon d;

static void no_core(void)
{
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
}

static void start(void)
{
	d.program = "tests/e2e/crashy";
	d.before_exec = no_core;
	daemon_start(&d, CONTROL SERVICES(SERVICE("s", "echo", "workers = 1;")
	             SERVICE("other", "echo", "workers = 1;")), control_path());
}

/* A connection to other, and the worker of s. */
static int hold_other(pid_t *worker)
{
	int fd = daemon_connect(&d, "other");

	*worker = daemon_next_worker(&d, "s");
	client_echo(fd);
	return fd;
}

static const struct { const char *word, *evidence; } broken[] = {
	{ "flood\n",  "words over the leash in " },
	{ "mumble\n", "it sent a malformed message over the leash (length 1)" },
	{ "gibber\n", "sent ? (word 99), which workers never send" },
	{ "command\n", "sent END (word 9), which workers never send" },
	{ "hang up\n", "it has closed its end of the leash and has not exited" },
};

START_TEST(a_worker_that_is_broken_is_killed_and_replaced_and_no_other_notices)
{
	pid_t worker;
	int fd, other;

	start();
	other = hold_other(&worker);
	fd = daemon_connect(&d, "s");
	client_say(fd, broken[_i].word);
	daemon_wait_for(&d, "worker-broken service=s pid=%d", worker);
	daemon_wait_for(&d, "worker-end service=s pid=%d how=signal value=%d", worker, SIGKILL);
	ck_assert_int_ne(daemon_next_worker(&d, "s"), worker);
	ck_assert_msg(strstr(daemon_errors(&d), broken[_i].evidence), "%s", daemon_errors(&d));
	client_expect_gone(fd);
	client_echo(other);
	close(fd);
	close(other);
	control_check_health(&d);
} END_TEST

/* With an end that would take a minute, were it the master's to close it. */
START_TEST(a_worker_cannot_hand_its_master_a_descriptor)
{
	pid_t worker;
	int fd, other;

	start();
	other = hold_other(&worker);
	fd = daemon_connect(&d, "s");
	client_say(fd, "smuggle\n");
	client_expect(fd, "no way\n");
	daemon_barrier(&d);
	client_echo(other);
	control_check_health(&d);
	close(fd);
	close(other);
} END_TEST

int main(void)
{
	Suite *s = suite_create("taken_over");
	TCase *tc = harness_case(s, "leash");

	tcase_add_loop_test(tc, a_worker_that_is_broken_is_killed_and_replaced_and_no_other_notices,
	                    0, ARRAY_SIZE(broken));
	tcase_add_test(tc, a_worker_cannot_hand_its_master_a_descriptor);
	return harness_run(s);
}
