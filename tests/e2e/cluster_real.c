/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two daemons behind HAProxy: where clients go, and that none is lost whatever becomes of a node.
 */
#include <config.h>
#include "cluster_harness.h"
#include "operator.h"
#include "upgrade_harness.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

static struct cluster_node *const a = &cluster[0], *const b = &cluster[1];

#define ECHO_OF(rest) SERVICES(SERVICE("s", "echo", rest))
#define PLAIN   ECHO_OF("workers = 2;")
#define PROXIED ECHO_OF("workers = 2; proxy_protocol = \"v2\"; proxy_from = \"127.0.0.1\";")
#define LIVE    "check port %s inter 200ms"
#define V2      " send-proxy-v2"

/* ---- free slots --------------------------------------------------------- */

#define SLOTS  "workers = 1; connections = 100;"
#define HELD   80
#define COMING 6

static void connect_all(int *fds, size_t n, const char *address)
{
	for (size_t i = 0; i < n; i++)
		fds[i] = client_connect_echo(address);
}

static void close_all(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
}

/* HAProxy does not see the clients that one node has of its own: the agent tells. */
START_TEST(new_clients_go_where_slots_are_free)
{
	int held[HELD], coming[COMING];

	cluster_start(ECHO_OF(SLOTS), ECHO_OF(SLOTS), "");
	connect_all(held, HELD, daemon_address(&a->d, "s", 0));
	cluster_wait_heard(a, "up 20% maxconn:100");
	ck_assert_str_eq(cluster_stat(a, "weight"), "20");
	ck_assert_str_eq(cluster_stat(b, "weight"), "100");
	connect_all(coming, COMING, cluster_address());
	ck_assert_int_le(cluster_count(a, "stot"), 1);
	ck_assert_int_ge(cluster_count(b, "stot"), COMING - 1);
	close_all(coming, COMING);
	close_all(held, HELD);
	cluster_wait_heard(a, "up 100%");
	ck_assert_str_eq(cluster_stat(a, "weight"), "100");
	cluster_stop();
} END_TEST

/* ---- under load --------------------------------------------------------- */

#define CLIENTS  4
#define BYTES    150000
#define SOME     200                    /* requests: each node would get its part of so many */

static struct load load;

static void start_load(const char *services, const char *server)
{
	cluster_start(services, services, server);
	load = (struct load){ .address = cluster_address(), .n_clients = CLIENTS, .bytes = BYTES,
	                      .again = true };
	load_start(&load);
	load_wait_done(&load, SOME);
	ck_assert_int_gt(cluster_count(a, "stot"), 0);
	ck_assert_int_gt(cluster_count(b, "stot"), 0);
}

/* No request was lost. */
static void stop_load(void)
{
	load_stop(&load);
	ck_assert_uint_eq(load.lost, 0);
	for (int i = 0; i < CLUSTER_NODES; i++) {
		ck_assert_int_eq(cluster_count(&cluster[i], "econ"), 0);
		ck_assert_int_eq(cluster_count(&cluster[i], "eresp"), 0);
		ck_assert_int_eq(cluster_count(&cluster[i], "wretr"), 0);
	}
	cluster_stop();
}

/* HAProxy has heard that the node leaves, and sends it no client; all go to the other one. */
static void expect_all_at_b(void)
{
	const long long at_a = cluster_count(a, "stot"), at_b = cluster_count(b, "stot");

	load_wait_done(&load, load.done + SOME);
	ck_assert_int_eq(cluster_count(a, "stot"), at_a);
	ck_assert_int_ge(cluster_count(b, "stot"), at_b + SOME - CLIENTS);
}

static void expect_all_at_both(void)
{
	const long long at_a = cluster_count(a, "stot"), at_b = cluster_count(b, "stot");

	load_wait_done(&load, load.done + SOME);
	ck_assert_int_gt(cluster_count(a, "stot"), at_a);
	ck_assert_int_gt(cluster_count(b, "stot"), at_b);
}

START_TEST(a_service_drains_and_resumes)
{
	start_load(PROXIED, LIVE V2);
	operator_start(a->control, (const char *const[]){ "drain", "s", NULL });
	cluster_wait_heard(a, "up 0%");
	ck_assert_uint_eq(daemon_saw(&a->d, "worker-drain"), 0);        /* it still accepts */
	ck_assert_str_eq(cluster_stat(a, "weight"), "0");
	expect_all_at_b();
	ck_assert_int_eq(operator_join(), 0);
	daemon_wait_for(&a->d, "worker-drain service=s");
	expect_all_at_b();
	ck_assert_int_eq(operator_run_args(a->control, "resume", "s"), 0);
	cluster_wait_up(a);
	ck_assert_str_ne(cluster_stat(a, "weight"), "0");
	expect_all_at_both();
	stop_load();
} END_TEST

START_TEST(a_node_stops)
{
	start_load(PROXIED, LIVE V2);
	daemon_signal(&a->d, SIGTERM);
	cluster_wait_heard(a, "up 0%");
	ck_assert_uint_eq(daemon_saw(&a->d, "stopping"), 0);
	ck_assert_uint_eq(daemon_saw(&a->d, "worker-drain"), 0);
	ck_assert_str_eq(cluster_stat(a, "weight"), "0");
	expect_all_at_b();
	ck_assert_int_eq(daemon_join(&a->d), 0);
	expect_all_at_b();
	stop_load();
} END_TEST

/* Since HAProxy's log had n_lines about servers, it has heard from a only how much is free. */
static void expect_no_change(size_t n_lines)
{
	for (int i = 0; i < 3; i++)
		cluster_wait_up(a);
	ck_assert_uint_eq(a->n_up, a->n_heard);
	ck_assert_uint_eq(cluster_logged("Server s/"), n_lines);
	expect_all_at_both();
}

START_TEST(a_node_reloads)
{
	size_t n_lines;

	start_load(PLAIN, LIVE);
	n_lines = cluster_logged("Server s/");
	for (int i = 0; i < 2; i++) {
		daemon_signal(&a->d, SIGHUP);
		daemon_wait_for(&a->d, "reload-done");
	}
	daemon_wait_for(&a->d, "generation-gone generation=1");
	expect_no_change(n_lines);
	stop_load();
} END_TEST

START_TEST(a_node_is_upgraded)
{
	size_t n_lines;

	start_load(PLAIN, LIVE);
	n_lines = cluster_logged("Server s/");
	upgrade_to_next(&a->d);
	daemon_wait_for(&a->d, "generation-gone generation=1");
	expect_no_change(n_lines);
	stop_load();
} END_TEST

/* ---- trouble ------------------------------------------------------------ */

static void expect_new_ones_at_b(void)
{
	const long long at_a = cluster_count(a, "stot");

	for (int i = 0; i < COMING; i++)
		client_check_echo(cluster_address());
	ck_assert_int_eq(cluster_count(a, "stot"), at_a);
}

#define WAITS "restart = { within = \"1h\"; burst = 2; delay_min = \"1h\"; delay_max = \"1h\"; };"

START_TEST(a_service_whose_workers_end_is_down)
{
	cluster_start(ECHO_OF("workers = 1; " WAITS), PLAIN, "");
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(kill(daemon_next_worker(&a->d, "s"), SIGKILL), 0);
	harness_contains(cluster_wait_log("s/a failed"), "its workers end too often");
	cluster_wait_log("Server s/a is DOWN");
	expect_new_ones_at_b();
	cluster_stop();
} END_TEST

/* What the check of a configuration cannot see, and execve(2) refuses. */
#define BROKEN "\x7f" "ELF\x01, and no more of it"
#define WHY    "it is a program for another machine, or broken"
#define FILTER SERVICES(" s = { listen = \"127.0.0.1:0\"; workers = 1; handler = { type = \"filter\";" \
                        " framing = \"line\"; argv = \"%s\"; };" \
                        " restart = { delay_min = \"10ms\"; delay_max = \"40ms\"; }; };")

START_TEST(a_service_whose_program_is_broken_is_down)
{
	const char *program = files_write("program", "%s", BROKEN);

	ck_assert_int_eq(chmod(program, 0755), 0);
	cluster_start(files_text(FILTER, program), PLAIN, "");
	harness_contains(cluster_wait_log("s/a failed"), WHY);
	cluster_wait_log("Server s/a is DOWN");
	expect_new_ones_at_b();
	files_script("program", "while read -r line; do echo \"$line\"; done");
	cluster_wait_log("Server s/a is UP");
	cluster_stop();
} END_TEST

/* The agent cannot say how the node is, and closes; its workers serve. */
START_TEST(a_master_that_stands_still_changes_nothing)
{
	size_t n_lines;
	long long at_a;

	cluster_start(PLAIN, PLAIN, "");
	n_lines = cluster_logged("Server s/");
	daemon_signal(&a->d, SIGSTOP);
	while (a->n_silent < 2)
		turn_once();
	at_a = cluster_count(a, "stot");
	for (int i = 0; i < COMING; i++)
		client_check_echo(cluster_address());
	ck_assert_int_gt(cluster_count(a, "stot"), at_a);
	ck_assert_str_eq(cluster_stat(a, "weight"), "100");
	ck_assert_uint_eq(a->n_leaving + a->n_down, 0);
	daemon_signal(&a->d, SIGCONT);
	cluster_wait_heard(a, "up 100%");
	ck_assert_uint_eq(cluster_logged("Server s/"), n_lines);
	cluster_stop();
} END_TEST

#define HANGS ECHO_OF("workers = 2; connections = 100; hang_timeout = \"4s\";")

static void stop_workers(int n)
{
	for (int i = 0; i < n; i++)
		ck_assert_int_eq(kill(daemon_next_worker(&a->d, "s"), SIGSTOP), 0);
}

/* The kernel completes connections for them, so that a check that only connects sees nothing. */
START_TEST(a_node_whose_workers_stand_still_is_down)
{
	cluster_start(HANGS, PLAIN, "");
	stop_workers(2);
	cluster_wait_heard(a, "down #its workers stand still");
	ck_assert_uint_eq(daemon_saw(&a->d, "worker-hang"), 0);         /* it does not wait for that */
	harness_contains(cluster_wait_log("s/a failed"), "its workers stand still");
	cluster_wait_log("Server s/a is DOWN");
	close(client_connect(daemon_address(&a->d, "s", 0)));
	expect_new_ones_at_b();
	cluster_wait_log("Server s/a is UP");   /* others have taken their places */
	daemon_wait_for(&a->d, "worker-hang");
	cluster_stop();
} END_TEST

START_TEST(slots_of_a_worker_that_stands_still_are_not_free)
{
	cluster_start(HANGS, PLAIN, "");
	stop_workers(1);
	cluster_wait_heard(a, "up 50% maxconn:200");
	ck_assert_str_eq(cluster_stat(a, "weight"), "50");
	ck_assert_uint_eq(daemon_saw(&a->d, "worker-hang"), 0);
	cluster_wait_heard(a, "up 100% maxconn:200");
	daemon_wait_for(&a->d, "worker-hang");
	cluster_stop();
} END_TEST

int main(void)
{
	Suite *s = suite_create("cluster_real");
	TCase *tc = harness_case(s, "slots");
	const bool can = cluster_has_haproxy();
	static const char why[] = "haproxy is not installed";

	harness_add_if(can, why, tc, new_clients_go_where_slots_are_free);

	tc = harness_case(s, "load");
	harness_add_if(can, why, tc, a_service_drains_and_resumes);
	harness_add_if(can, why, tc, a_node_stops);
	harness_add_if(can, why, tc, a_node_reloads);
	tc = upgrade_case(s, "upgrade");
	harness_add_if(can, why, tc, a_node_is_upgraded);

	tc = harness_case(s, "trouble");
	harness_add_if(can, why, tc, a_service_whose_workers_end_is_down);
	harness_add_if(can, why, tc, a_service_whose_program_is_broken_is_down);
	harness_add_if(can, why, tc, a_master_that_stands_still_changes_nothing);
	tc = harness_case(s, "still");
	harness_add_if(can, why, tc, a_node_whose_workers_stand_still_is_down);
	harness_add_if(can, why, tc, slots_of_a_worker_that_stands_still_are_not_free);
	return harness_run(s);
}
