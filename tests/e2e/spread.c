/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Long-lived connections are spread over the workers: none has more than 1.25
 * times its share.
 */
#include <config.h>
#include "harness.h"

#include <sys/resource.h>
#include <unistd.h>

#define CLIENTS       1000
#define WORKERS_MIN   2
#define WORKERS_MAX   8
#define DESCRIPTORS   (CLIENTS + 100)

static struct daemon d;
static int fds[CLIENTS];

static bool has_descriptors(void)
{
	struct rlimit r;

	return getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_max >= DESCRIPTORS;
}

static void start_echo(int n_workers)
{
	struct rlimit r;

	getrlimit(RLIMIT_NOFILE, &r);
	if (r.rlim_cur < DESCRIPTORS)
		r.rlim_cur = DESCRIPTORS;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &r), 0);
	daemon_start(&d, SERVICES(SERVICE("s", "echo", "workers = %d; connections = %d;")), n_workers, CLIENTS);
}

static void check_shares(int n_workers)
{
	for (int i = 0; i < n_workers; i++) {
		pid_t pid = daemon_next_worker(&d, "s");
		size_t n = daemon_saw(&d, "connection-open pid=%d", pid);

		ck_assert_msg(n * 4 * (size_t)n_workers <= CLIENTS * 5,
		              "one of %d workers has %zu of %d connections", n_workers, n, CLIENTS);
	}
	for (size_t i = 0; i < CLIENTS; i++)
		close(fds[i]);
}

START_TEST(connections_that_come_all_at_once_are_spread)
{
	start_echo(_i);
	for (size_t i = 0; i < CLIENTS; i++)
		fds[i] = daemon_connect(&d, "s");
	for (size_t i = 0; i < CLIENTS; i++)
		daemon_wait_for(&d, "connection-open");
	check_shares(_i);
} END_TEST

START_TEST(connections_that_come_one_after_another_are_spread)
{
	start_echo(_i);
	for (size_t i = 0; i < CLIENTS; i++) {
		fds[i] = daemon_connect_echo(&d, "s");
		daemon_wait_for(&d, "connection-open");
	}
	check_shares(_i);
} END_TEST

int main(void)
{
	Suite *s = suite_create("spread");
	TCase *tc = harness_case(s, "spread");

	if (has_descriptors()) {
		tcase_add_loop_test(tc, connections_that_come_all_at_once_are_spread,
		                    WORKERS_MIN, WORKERS_MAX + 1);
		tcase_add_loop_test(tc, connections_that_come_one_after_another_are_spread,
		                    WORKERS_MIN, WORKERS_MAX + 1);
	} else {
		harness_skip("spread", "too few descriptors are allowed here");
	}
	return harness_run(s);
}
