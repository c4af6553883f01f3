/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pools that size themselves: up under load, down afterwards, to nothing and
 * back on demand; workers that are replaced in time; what is said when no slot
 * is left; and orders in between.
 */
#include <config.h>
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"

#define BURST       500
#define DESCRIPTORS (BURST + 100)

static struct daemon d;

static void close_all(int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
}

static size_t n_workers_started(void)
{
	return daemon_saw(&d, "worker-start service=s");
}

/* ---- up and down -------------------------------------------------------- */

static bool has_descriptors(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == -1 || r.rlim_max < DESCRIPTORS)
		return false;
	if (r.rlim_cur < DESCRIPTORS)
		r.rlim_cur = DESCRIPTORS;
	return setrlimit(RLIMIT_NOFILE, &r) == 0;
}

START_TEST(a_burst_is_served_and_the_pool_gets_small_again)
{
	struct load l = { .n_clients = BURST, .bytes = 20000, .holds = true };

	daemon_start(&d, SERVICES(SERVICE("s", "echo", "connections = 32;"
	             " workers = { min = 1; max = 16; calm = \"50ms\"; };")));
	daemon_next_worker(&d, "s");
	l.address = daemon_address(&d, "s", 0);
	load_start(&l);
	daemon_wait_for(&d, "scaled service=s workers=16 reason=demand");
	for (int i = 0; i < BURST; i++)
		daemon_wait_for(&d, "connection-open");         /* all at once: none has ended */
	load_release(&l);
	load_wait_done(&l, BURST);
	daemon_wait_for(&d, "scaled service=s workers=1 reason=calm");
	for (int i = 0; i < 15; i++)
		daemon_wait_for(&d, "worker-end service=s how=exit value=0 open=0");
	load_stop(&l);
	ck_assert_uint_eq(l.lost, 0);
	ck_assert_uint_eq(n_workers_started(), 16);
	ck_assert_uint_eq(daemon_saw(&d, "scaled service=s reason=calm"), 15);
	daemon_check_echo(&d, "s");
} END_TEST

START_TEST(a_client_that_is_connected_to_a_worker_that_goes_stays_connected)
{
	int fds[12];

	daemon_start(&d, SERVICES(SERVICE("s", "echo", "connections = 4;"
	             " workers = { min = 1; max = 4; spare_min = 1; spare_max = 1; calm = \"20ms\"; };")));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = daemon_connect_echo(&d, "s");
	for (int i = 0; i < 4; i++)
		daemon_next_worker(&d, "s");
	close_all(fds + 3, ARRAY_SIZE(fds) - 3);
	/* Three are left, and one worker has room for four. */
	daemon_wait_for(&d, "scaled service=s workers=1 reason=calm");
	for (size_t i = 0; i < 3; i++) {
		client_echo(fds[i]);
		close(fds[i]);
	}
	for (int i = 0; i < 3; i++)
		daemon_wait_for(&d, "worker-end service=s how=exit value=0 open=0");
} END_TEST

START_TEST(a_pool_between_its_bounds_does_nothing)
{
	int fds[5];

	daemon_start(&d, SERVICES(SERVICE("s", "echo", "connections = 4;"
	             " workers = { min = 1; max = 4; spare_min = 1; spare_max = 4; calm = \"1ms\"; };")));
	for (size_t i = 0; i < 4; i++)
		fds[i] = daemon_connect_echo(&d, "s");
	daemon_wait_for(&d, "scaled service=s workers=2 reason=demand");
	for (int i = 0; i < 2; i++)
		daemon_next_worker(&d, "s");
	for (int i = 0; i < 50; i++) {
		fds[4] = daemon_connect_echo(&d, "s");
		close(fds[4]);
		daemon_wait_for(&d, "connection-end");
	}
	daemon_barrier(&d);
	ck_assert_uint_eq(daemon_saw(&d, "scaled"), 1);
	close_all(fds, 4);
} END_TEST

static int by_size(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* From the connection that takes the last slot to the event that the new worker accepts. */
START_TEST(growth_is_driven_by_the_slots_and_not_by_a_clock)
{
	int64_t took_us[15];
	int fds[64];

	daemon_start(&d, SERVICES(SERVICE("s", "echo", "connections = 4;"
	             " workers = { min = 1; max = 16; spare_min = 1; };")));
	daemon_next_worker(&d, "s");
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		const int64_t since_us = clock_us();

		fds[i] = daemon_connect(&d, "s");
		if (i % 4 == 3 && i / 4 < ARRAY_SIZE(took_us)) {
			daemon_next_worker(&d, "s");
			took_us[i / 4] = clock_us() - since_us;
		}
		client_echo(fds[i]);
	}
	ck_assert_uint_eq(n_workers_started(), 16);
	qsort(took_us, ARRAY_SIZE(took_us), sizeof *took_us, by_size);
	printf("# from the last spare slot to the new worker accepting: median %lld us,"
	       " slowest of %zu %lld us\n", (long long)took_us[ARRAY_SIZE(took_us) / 2],
	       ARRAY_SIZE(took_us), (long long)took_us[ARRAY_SIZE(took_us) - 1]);
	fflush(stdout);
	close_all(fds, ARRAY_SIZE(fds));
} END_TEST

START_TEST(a_pool_on_a_unix_socket_grows_too)
{
	int fds[8];

	daemon_start(&d, SERVICES(SERVICE_AT("s", "\"unix:%s\"", "echo", "connections = 2;"
	             " workers = { min = 1; max = 4; };")), files_path("s.sock"));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = daemon_connect_echo(&d, "s");
	for (int i = 0; i < 4; i++)
		daemon_next_worker(&d, "s");
	close_all(fds, ARRAY_SIZE(fds));
} END_TEST

START_TEST(programs_make_a_pool_grow)
{
	int fds[4];

	daemon_start(&d, SERVICES(EXEC("s", "argv = \"/bin/cat\";", "connections = 1;"
	             " workers = { min = 1; max = 4; };")));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = daemon_connect_echo(&d, "s");
	for (int i = 0; i < 4; i++)
		daemon_next_worker(&d, "s");
	close_all(fds, ARRAY_SIZE(fds));
} END_TEST

/* ---- on demand ---------------------------------------------------------- */

#define ON_DEMAND(idle) "workers = { min = 0; max = 3; idle_exit = \"" idle "\"; };"

START_TEST(without_clients_there_is_no_worker)
{
	daemon_start(&d, SERVICES(SERVICE_AT("s", "[ \"127.0.0.1:0\", \"unix:%s\" ]", "echo", ON_DEMAND("50ms"))),
	             files_path("s.sock"));
	daemon_wait_status(&d, "s (on demand)");
	for (size_t i = 0; i < 3; i++) {
		int fd;

		daemon_wait_for(&d, "on-demand service=s");
		ck_assert_uint_eq(n_workers_started(), i);
		fd = client_connect_echo(daemon_address(&d, "s", i % 2));
		daemon_wait_for(&d, "scaled service=s workers=1 reason=arrival");
		close(fd);
		daemon_wait_for(&d, "scaled service=s workers=0 reason=idle");
		daemon_wait_for(&d, "worker-end service=s how=exit value=0 open=0");
	}
} END_TEST

START_TEST(a_worker_on_demand_stays_as_long_as_a_client_is_there)
{
	int fd;

	daemon_start(&d, SERVICES(SERVICE("s", "echo", ON_DEMAND("1ms"))
	                          SERVICE("other", "echo", ON_DEMAND("1ms"))));
	fd = daemon_connect_echo(&d, "s");
	for (int i = 0; i < 3; i++) {   /* meanwhile the other one comes and goes */
		close(daemon_connect(&d, "other"));
		daemon_wait_for(&d, "scaled service=other workers=0 reason=idle");
		daemon_wait_for(&d, "worker-end service=other how=exit value=0");
		client_echo(fd);
	}
	ck_assert_uint_eq(daemon_saw(&d, "scaled service=s workers=0"), 0);
	close(fd);
	daemon_wait_for(&d, "scaled service=s workers=0 reason=idle");
} END_TEST

START_TEST(a_client_that_comes_while_the_last_worker_goes_is_served)
{
	pid_t last;

	daemon_start(&d, SERVICES(SERVICE("s", "echo", ON_DEMAND("1ms"))));
	daemon_check_echo(&d, "s");
	for (int i = 0; i < 20; i++) {
		daemon_wait_for(&d, "scaled service=s workers=0 reason=idle");
		daemon_check_echo(&d, "s");      /* by the one that goes, or by the next one */
		last = (pid_t)event_number(daemon_wait_for(&d, "worker-drain service=s"), "pid");
		daemon_wait_for(&d, "worker-end pid=%d how=exit value=0 open=0", last);
		daemon_check_echo(&d, "s");
	}
	ck_assert_uint_eq(daemon_saw(&d, "worker-end how=signal"), 0);
} END_TEST

START_TEST(many_clients_that_come_at_once_wake_a_whole_pool)
{
	struct load l = { .n_clients = 90, .bytes = 20000, .holds = true };

	daemon_start(&d, SERVICES(SERVICE("s", "echo", "connections = 30;"
	             " workers = { min = 0; max = 3; calm = \"20ms\"; idle_exit = \"20ms\"; };")));
	l.address = daemon_address(&d, "s", 0);
	load_start(&l);
	for (size_t i = 0; i < l.n_clients; i++)
		daemon_wait_for(&d, "connection-open");
	load_release(&l);
	load_wait_done(&l, l.n_clients);
	load_stop(&l);
	daemon_wait_for(&d, "scaled service=s workers=0 reason=idle");
	ck_assert_uint_eq(n_workers_started(), 3);
} END_TEST

START_TEST(a_worker_on_demand_that_dies_is_replaced)
{
	int fd;

	daemon_start(&d, SERVICES(SERVICE("s", "echo", ON_DEMAND("1h"))));
	fd = daemon_connect_echo(&d, "s");
	ck_assert_int_eq(kill(daemon_next_worker(&d, "s"), SIGKILL), 0);
	client_expect_gone(fd);
	close(fd);
	daemon_check_echo(&d, "s");
	ck_assert_uint_eq(daemon_saw(&d, "scaled"), 1);
} END_TEST

START_TEST(a_client_that_wakes_a_worker_that_cannot_start_is_served_after_a_reload)
{
	const char *listen = files_text("( { address = \"unix:%s\"; mode = \"0666\"; }, \"127.0.0.1:0\" )",
	                                files_path("s.sock"));
	int fds[8];

	daemon_start(&d, SERVICES(SERVICE_AT("s", "%s", "echo", "connections = 1; " ON_DEMAND("1h") " %s")),
	             listen, harness_cannot_start());
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = client_connect(daemon_address(&d, "s", i % 2));
		client_say(fds[i], "patience");
	}
	for (int i = 0; i < 3; i++)
		daemon_wait_for(&d, "worker-delayed service=s");
	daemon_wait_status(&d, "NOT serving s");
	ck_assert_uint_le(n_workers_started(), 4);      /* one at a time */
	daemon_reload(&d, SERVICES(SERVICE_AT("s", "%s", "echo", ON_DEMAND("1h"))), listen);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		client_expect(fds[i], "patience");
		close(fds[i]);
	}
} END_TEST

START_TEST(a_pool_asleep_is_reloaded_rests_and_stops)
{
	int fd;

	daemon_start(&d, SERVICES(SERVICE("s", "echo", ON_DEMAND("1h"))));
	daemon_reload(&d, SERVICES(SERVICE("s", "echo", ON_DEMAND("2h"))));
	ck_assert_uint_eq(n_workers_started(), 0);
	daemon_signal(&d, SIGWINCH);
	daemon_wait_for(&d, "resting");
	fd = daemon_connect(&d, "s");           /* starts no worker: they are suspended */
	daemon_barrier(&d);
	ck_assert_uint_eq(n_workers_started(), 0);
	daemon_reload(&d, SERVICES(SERVICE("s", "echo", ON_DEMAND("1ms"))));
	client_echo(fd);
	close(fd);
	daemon_wait_for(&d, "scaled service=s workers=0 reason=idle");
	daemon_stop(&d, SIGTERM);
} END_TEST

START_TEST(a_reload_from_workers_to_none_keeps_connected_clients)
{
	int fd, other;

	daemon_start(&d, SERVICES(SERVICE("s", "echo", "workers = 2;")));
	fd = daemon_connect_echo(&d, "s");
	daemon_reload(&d, SERVICES(SERVICE("s", "echo", ON_DEMAND("1h"))));
	/* The one without a connection goes, the other has turned its loop. */
	daemon_wait_for(&d, "worker-end service=s how=exit value=0");
	for (int i = 0; i < 2; i++)
		client_echo(fd);
	other = daemon_connect_echo(&d, "s");
	daemon_wait_for(&d, "scaled service=s workers=1 reason=arrival");
	client_echo(fd);
	close(fd);
	daemon_wait_for(&d, "worker-end service=s how=exit value=0");
	client_echo(other);
	close(other);
} END_TEST

/* ---- after a number of connections -------------------------------------- */

#define ACCEPTS 20

/* How many accept, as the master tells it: between lo and hi from the moment that lo do. */
static void check_accepting(int lo, int hi)
{
	int n = 0;
	bool began = false;

	for (size_t i = 0; i < d.events.n; i++) {
		const struct event *e = d.events.events[i];

		n += event_has(e, "worker-ready");
		n -= event_has(e, "worker-drain");
		began |= n == lo;
		ck_assert_msg(!began || (n >= lo && n <= hi), "%d accept, after \"%s\"", n, e->text);
	}
	ck_assert(began);
}

START_TEST(a_worker_is_replaced_after_so_many_connections)
{
	daemon_start(&d, SERVICES(SERVICE("s", "echo", "workers = 2; max_accepts = %d;")), ACCEPTS);
	while (daemon_saw(&d, "worker-end service=s how=exit value=0 open=0") < 4)
		daemon_check_echo(&d, "s");
	for (int i = 0; i < 4; i++) {
		long long accepted = event_number(daemon_wait_for(&d, "retiring service=s"), "accepted");

		ck_assert_int_ge(accepted, ACCEPTS - ACCEPTS / 10);
		ck_assert_int_le(accepted, ACCEPTS + ACCEPTS / 10);
	}
	check_accepting(2, 3);
	ck_assert_uint_eq(daemon_saw(&d, "worker-end how=signal"), 0);
	ck_assert_uint_eq(daemon_saw(&d, "scaled"), 0);
} END_TEST

START_TEST(a_worker_that_retires_finishes_its_connections)
{
	int fds[ACCEPTS];
	pid_t first;

	daemon_start(&d, SERVICES(SERVICE("s", "echo", "workers = 1; max_accepts = 5;")));
	first = daemon_next_worker(&d, "s");
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = daemon_connect_echo(&d, "s");
	daemon_wait_for(&d, "worker-drain pid=%d", first);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		client_echo(fds[i]);
		close(fds[i]);
	}
	daemon_wait_for(&d, "worker-end pid=%d how=exit value=0 open=0", first);
	check_accepting(1, 2);
} END_TEST

START_TEST(a_worker_that_cannot_be_replaced_goes_on)
{
	const char *folder = files_mkdir("here");
	pid_t first;

	daemon_start(&d, SERVICES(SERVICE("s", "echo", "workers = 1; max_accepts = 3; directory = \"%s\"; %s")),
	             folder, harness_is_root() ? "user = \"nobody\";" : "");
	first = daemon_next_worker(&d, "s");
	ck_assert_int_eq(chmod(folder, 0), 0);
	for (int i = 0; i < 10; i++)
		daemon_check_echo(&d, "s");
	daemon_wait_for(&d, "worker-delayed service=s");
	for (int i = 0; i < 10; i++)
		daemon_check_echo(&d, "s");
	ck_assert_uint_eq(daemon_saw(&d, "connection-open pid=%d", first), 20);
	ck_assert_int_eq(chmod(folder, 0755), 0);
	daemon_wait_for(&d, "worker-drain pid=%d", first);
	daemon_check_echo(&d, "s");
	check_accepting(1, 2);
} END_TEST

START_TEST(workers_on_demand_retire_too)
{
	daemon_start(&d, SERVICES(SERVICE("s", "echo", ON_DEMAND("10ms") " max_accepts = 2;")));
	for (int i = 0; i < 50; i++)
		daemon_check_echo(&d, "s");
	daemon_wait_for(&d, "scaled service=s workers=0 reason=idle");
	daemon_check_echo(&d, "s");
} END_TEST

/* ---- no slot left ------------------------------------------------------- */

START_TEST(an_exhausted_pool_is_told_once_at_its_beginning_and_once_at_its_end)
{
	int fds[5];

	daemon_start(&d, SERVICES(SERVICE("s", "echo", "connections = 2;"
	             " workers = { min = 1; max = 2; calm = \"40ms\"; };")));
	for (size_t i = 0; i < 4; i++)
		fds[i] = daemon_connect_echo(&d, "s");
	daemon_wait_for(&d, "exhausted service=s busy=4 slots=4");
	daemon_wait_status(&d, "s (2, exhausted)");
	fds[4] = daemon_connect(&d, "s");
	client_say(fds[4], "waiting");
	for (int i = 0; i < 10; i++) {  /* no new episode each time that one comes and goes */
		close(fds[0]);
		client_expect(fds[4], "waiting");
		fds[0] = fds[4];
		fds[4] = daemon_connect(&d, "s");
		client_say(fds[4], "waiting");
	}
	close_all(fds, ARRAY_SIZE(fds));
	daemon_wait_for(&d, "relieved service=s");
	ck_assert_uint_eq(daemon_saw(&d, "exhausted"), 1);
	ck_assert_uint_eq(files_count(daemon_errors(&d), "s: pool exhausted: 4 of 4 slots of 2 workers"), 1);
	ck_assert_uint_eq(files_count(daemon_errors(&d), "s: pool relieved: exhausted for "), 1);
	ck_assert_uint_eq(files_count(daemon_errors(&d), "more workers.max or connections"), 1);
} END_TEST

START_TEST(a_pool_of_a_fixed_number_is_exhausted_too_and_a_reload_ends_it)
{
	int fds[2];

	daemon_start(&d, SERVICES(SERVICE("s", "echo", "connections = 1; workers = 2;")));
	for (size_t i = 0; i < 2; i++)
		fds[i] = daemon_connect_echo(&d, "s");
	daemon_wait_for(&d, "exhausted service=s busy=2 slots=2");
	ck_assert_uint_eq(daemon_saw(&d, "scaled"), 0);
	daemon_reload(&d, SERVICES(SERVICE("s", "echo", "connections = 2; workers = 2;")));
	daemon_wait_for(&d, "relieved service=s");
	daemon_check_echo(&d, "s");
	close_all(fds, 2);
} END_TEST

/* ---- orders ------------------------------------------------------------- */

static void order(int signal, int expected)
{
	daemon_signal(&d, signal);
	daemon_wait_for(&d, "scaled service=s workers=%d reason=order", expected);
}

static void order_in_vain(int signal)
{
	size_t before = daemon_saw(&d, "scaled");

	daemon_signal(&d, signal);
	daemon_barrier(&d);
	ck_assert_uint_eq(daemon_saw(&d, "scaled"), before);
}

START_TEST(ttin_and_ttou_move_the_least_of_a_range)
{
	daemon_start(&d, SERVICES(SERVICE("s", "echo", "workers = { min = 1; max = 3; calm = \"1ms\"; };")));
	order(SIGTTIN, 2);
	order(SIGTTIN, 3);
	order_in_vain(SIGTTIN);
	for (int i = 0; i < 3; i++)
		daemon_next_worker(&d, "s");
	order(SIGTTOU, 2);
	order(SIGTTOU, 1);
	order_in_vain(SIGTTOU);
	for (int i = 0; i < 2; i++)
		daemon_wait_for(&d, "worker-end service=s how=exit value=0");
	daemon_check_echo(&d, "s");
} END_TEST

START_TEST(ttou_does_not_keep_a_grown_pool_from_getting_smaller)
{
	int fds[8];

	daemon_start(&d, SERVICES(SERVICE("s", "echo", "connections = 2;"
	             " workers = { min = 1; max = 8; spare_min = 1; spare_max = 1; calm = \"20ms\"; };")));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = daemon_connect_echo(&d, "s");
	daemon_wait_for(&d, "scaled service=s workers=5 reason=demand");
	for (int i = 0; i < 5; i++)
		daemon_next_worker(&d, "s");
	close_all(fds, ARRAY_SIZE(fds));
	daemon_signal(&d, SIGTTOU);
	daemon_wait_for(&d, "scaled service=s workers=1 reason=calm");
} END_TEST

START_TEST(ttin_wakes_a_pool_and_keeps_it_awake)
{
	daemon_start(&d, SERVICES(SERVICE("s", "echo", ON_DEMAND("1ms"))
	                          SERVICE("other", "echo", ON_DEMAND("1ms"))));
	order_in_vain(SIGTTOU);
	order(SIGTTIN, 1);
	daemon_next_worker(&d, "s");
	daemon_check_echo(&d, "s");
	daemon_reload(&d, SERVICES(SERVICE("s", "echo", ON_DEMAND("1ms"))
	                           SERVICE("other", "echo", ON_DEMAND("1ms"))));
	daemon_wait_for(&d, "generation-gone generation=1");    /* its workers took all that came */
	daemon_check_echo(&d, "s");
	daemon_wait_for(&d, "scaled service=s workers=0 reason=idle");
	ck_assert_uint_eq(daemon_saw(&d, "scaled service=s workers=0"), 1);
} END_TEST

int main(void)
{
	Suite *s = suite_create("scaling");
	TCase *tc = harness_case(s, "range");

	harness_add_if(has_descriptors(), "too few descriptors are allowed here", tc,
	               a_burst_is_served_and_the_pool_gets_small_again);
	tcase_add_test(tc, a_client_that_is_connected_to_a_worker_that_goes_stays_connected);
	tcase_add_test(tc, a_pool_between_its_bounds_does_nothing);
	tcase_add_test(tc, growth_is_driven_by_the_slots_and_not_by_a_clock);
	tcase_add_test(tc, a_pool_on_a_unix_socket_grows_too);
	tcase_add_test(tc, programs_make_a_pool_grow);

	tc = harness_case(s, "on-demand");
	tcase_add_test(tc, without_clients_there_is_no_worker);
	tcase_add_test(tc, a_worker_on_demand_stays_as_long_as_a_client_is_there);
	tcase_add_test(tc, a_client_that_comes_while_the_last_worker_goes_is_served);
	tcase_add_test(tc, many_clients_that_come_at_once_wake_a_whole_pool);
	tcase_add_test(tc, a_worker_on_demand_that_dies_is_replaced);
	tcase_add_test(tc, a_client_that_wakes_a_worker_that_cannot_start_is_served_after_a_reload);
	tcase_add_test(tc, a_pool_asleep_is_reloaded_rests_and_stops);
	tcase_add_test(tc, a_reload_from_workers_to_none_keeps_connected_clients);

	tc = harness_case(s, "max_accepts");
	tcase_add_test(tc, a_worker_is_replaced_after_so_many_connections);
	tcase_add_test(tc, a_worker_that_retires_finishes_its_connections);
	tcase_add_test(tc, a_worker_that_cannot_be_replaced_goes_on);
	tcase_add_test(tc, workers_on_demand_retire_too);

	tc = harness_case(s, "exhausted");
	tcase_add_test(tc, an_exhausted_pool_is_told_once_at_its_beginning_and_once_at_its_end);
	tcase_add_test(tc, a_pool_of_a_fixed_number_is_exhausted_too_and_a_reload_ends_it);

	tc = harness_case(s, "orders");
	tcase_add_test(tc, ttin_and_ttou_move_the_least_of_a_range);
	tcase_add_test(tc, ttou_does_not_keep_a_grown_pool_from_getting_smaller);
	tcase_add_test(tc, ttin_wakes_a_pool_and_keeps_it_awake);
	return harness_run(s);
}
