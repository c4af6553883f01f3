/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Warm programs and the server around them: it reloads, stops, is upgraded, or loses
 * a worker. Connections go on as long as they may, and no program is left behind.
 */
#include <config.h>
#include "harness.h"
#include "warm_harness.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static struct daemon d;

#define N_MAX 4

/* Programs that are watched from their start. */
struct watched {
	pid_t  pids[N_MAX];
	int    fds[N_MAX];
	size_t n;
};

/* All that were started to wait up to now, and have not been asked for. */
static void watch_next(struct watched *w, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		w->pids[w->n] = warm_next(&d);
		w->fds[w->n] = process_watch(w->pids[w->n]);
		w->n++;
	}
}

static void check_all_ended(const struct watched *w)
{
	for (size_t i = 0; i < w->n; i++) {
		ck_assert_msg(warm_has_ended(w->fds[i]), "program %d was left behind", w->pids[i]);
		close(w->fds[i]);
	}
}

/* Starts n programs that neither read nor end by themselves: see tests/e2e/stubborn.c. */
static void start_stubborn(const struct warm_fifo *up, size_t n, const char *timeout)
{
	const char *argv = files_text("[ \"%s\", \"%s\" ]", process_built("tests/e2e/stubborn"), up->path);

	daemon_start(&d, "shutdown_timeout = \"%s\";\n%s", timeout, warm_config(argv, (int)n, "", ""));
}

/* ---- reload ------------------------------------------------------------- */

START_TEST(a_reload_replaces_those_that_wait)
{
	struct watched old = { .n = 0 };
	int before, after;
	pid_t worker, next;

	warm_start(&d, WARM_CAT, 2, "", "");
	worker = daemon_next_worker(&d, "s");
	before = daemon_connect_echo(&d, "s");
	ck_assert_int_eq(warm_joined(&d, daemon_accepted(&d, before)), warm_next(&d));
	watch_next(&old, 2);

	daemon_reload(&d, "%s", warm_config(WARM_CAT, 3, "", ""));
	for (size_t i = 0; i < old.n; i++)
		daemon_wait_for(&d, "warm-end program=%d reason=drained how=exit value=0", old.pids[i]);
	check_all_ended(&old);
	client_echo(before);

	next = daemon_next_worker(&d, "s");
	after = daemon_connect_echo(&d, "s");
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(event_number(daemon_wait_for(&d, "warm-start"), "pid"), next);
	daemon_wait_for(&d, "warm-join pid=%d", next);
	client_echo(before);
	close(before);
	daemon_wait_for(&d, "worker-end pid=%d how=exit value=0", worker);
	ck_assert_uint_eq(daemon_saw(&d, "warm-start pid=%d", worker), 3);
	close(after);
} END_TEST

START_TEST(a_reload_can_begin_and_end_it)
{
	struct load l = { .n_clients = 8, .bytes = 20000, .again = true };

	daemon_start(&d, SERVICES(EXEC("s", "argv = \"/bin/cat\";", "workers = 1;")));
	l.address = daemon_address(&d, "s", 0);
	load_start(&l);
	for (int i = 0; i < 5; i++) {
		load_wait_done(&l, l.done + 10);
		daemon_reload(&d, SERVICES(EXEC("s", "argv = \"/bin/cat\"; warm = 4;", "workers = 1;")));
		load_wait_done(&l, l.done + 10);
		daemon_reload(&d, SERVICES(EXEC("s", "argv = \"/bin/cat\";", "workers = 1;")));
	}
	load_stop(&l);
	ck_assert_uint_eq(l.lost, 0);
	for (int i = 0; i < 10; i++)
		daemon_wait_for(&d, "generation-gone");
	ck_assert_uint_gt(daemon_saw(&d, "warm-join"), 0);
	ck_assert_uint_eq(daemon_saw(&d, "worker-end how=signal"), 0);
} END_TEST

/* ---- stop --------------------------------------------------------------- */

static const int stops[] = { SIGTERM, SIGQUIT, SIGINT };

START_TEST(a_stop_leaves_no_program_behind)
{
	struct watched all = { .n = 0 };

	warm_start(&d, WARM_CAT, 3, "", "");
	watch_next(&all, 3);
	daemon_signal(&d, stops[_i]);
	ck_assert_int_eq(daemon_join(&d), 0);
	check_all_ended(&all);
	for (size_t i = 0; i < all.n; i++)
		ck_assert_uint_eq(daemon_saw(&d, "warm-end program=%d reason=drained", all.pids[i]), 1);
} END_TEST

START_TEST(a_stop_leaves_no_program_behind_that_does_not_read)
{
	const struct warm_fifo up = warm_fifo("up");
	struct watched all = { .n = 0 };

	start_stubborn(&up, 2, "30s");
	watch_next(&all, 2);
	for (int i = 0; i < 2; i++)
		ck_assert_str_eq(warm_hear(&up), "ready");
	daemon_signal(&d, stops[_i]);
	for (int i = 0; i < 2; i++)
		ck_assert_str_eq(warm_hear(&up), "TERM");
	ck_assert_int_eq(daemon_join(&d), 0);
	check_all_ended(&all);
} END_TEST

START_TEST(a_stop_leaves_no_program_behind_that_ignores_it)
{
	const struct warm_fifo up = warm_fifo("up"), never = warm_fifo("never");
	struct watched all = { .n = 0 };

	warm_start_script(&d, files_text("trap '' TERM; echo ready >%s; read -r line <%s", up.path,
	                  never.path), 2, "", "");
	watch_next(&all, 2);
	for (int i = 0; i < 2; i++)
		warm_hear(&up);
	daemon_signal(&d, stops[_i]);
	ck_assert_int_eq(daemon_join(&d), 0);
	check_all_ended(&all);
	for (size_t i = 0; i < all.n; i++)
		ck_assert_uint_eq(daemon_saw(&d, "warm-end program=%d reason=drained how=signal value=%d",
		                             all.pids[i], SIGKILL), 1);
} END_TEST

/* TERM and QUIT: those that wait go at once, the one with a client when that is done. */
START_TEST(a_stop_waits_for_a_client)
{
	struct watched all = { .n = 0 };
	int fd;

	warm_start(&d, WARM_CAT, 2, "", "");
	fd = daemon_connect_echo(&d, "s");
	watch_next(&all, 3);
	daemon_signal(&d, stops[_i]);
	for (size_t i = 1; i < all.n; i++)
		daemon_wait_for(&d, "warm-end program=%d reason=drained", all.pids[i]);
	client_echo(fd);
	ck_assert(!warm_has_ended(all.fds[0]));
	client_end(fd);
	client_expect_end(fd);
	ck_assert_int_eq(daemon_join(&d), 0);
	daemon_wait_for(&d, "connection-end how=exit");
	check_all_ended(&all);
	close(fd);
} END_TEST

/* Its greeting was not read; that it ends is not an error. */
START_TEST(a_stop_is_the_end_of_file_for_a_client_that_has_spoken)
{
	const struct warm_fifo up = warm_fifo("up");

	warm_start_script(&d, files_text("echo 220 ready; echo >%s; exec cat", up.path), 2, "", "");
	for (int i = 0; i < 2; i++)
		warm_hear(&up);
	daemon_stop(&d, SIGTERM);
	ck_assert_uint_eq(daemon_saw(&d, "warm-end reason=drained how=exit value=0"), 2);
	ck_assert_ptr_null(strstr(daemon_errors(&d), " cat: "));
} END_TEST

static const struct { int signal; const char *timeout; } hurries[] = {
	{ SIGINT,  "30s" },
	{ SIGTERM, "100ms" },
};

START_TEST(a_program_with_a_client_gets_term)
{
	const struct warm_fifo up = warm_fifo("up");
	struct watched all = { .n = 0 };
	int fd;

	start_stubborn(&up, 1, hurries[_i].timeout);
	watch_next(&all, 1);
	ck_assert_str_eq(warm_hear(&up), "ready");
	fd = daemon_connect(&d, "s");
	watch_next(&all, 1);
	ck_assert_str_eq(warm_hear(&up), "ready");
	daemon_signal(&d, hurries[_i].signal);
	for (int i = 0; i < 2; i++)
		ck_assert_str_eq(warm_hear(&up), "TERM");
	client_expect_gone(fd);
	ck_assert_int_eq(daemon_join(&d), 0);
	daemon_wait_for(&d, "program-end program=%d how=exit value=7", all.pids[0]);
	daemon_wait_for(&d, "connection-end how=stop");
	check_all_ended(&all);
	close(fd);
} END_TEST

/* ---- a worker that is not there any more -------------------------------- */

START_TEST(a_worker_that_is_killed_takes_its_programs_along)
{
	const struct warm_fifo up = warm_fifo("up");
	struct watched all = { .n = 0 };
	pid_t first;
	int fd;

	start_stubborn(&up, 2, "30s");
	first = daemon_next_worker(&d, "s");
	fd = daemon_connect(&d, "s");
	watch_next(&all, 3);
	for (int i = 0; i < 3; i++)
		ck_assert_str_eq(warm_hear(&up), "ready");
	ck_assert_int_eq(kill(first, SIGKILL), 0);
	client_expect_gone(fd);
	for (size_t i = 0; i < all.n; i++)
		process_wait_end(all.fds[i]);
	for (int terms = 0, fresh = 0; terms < 3 || fresh < 2;) {
		const char *line = warm_hear(&up);

		terms += strcmp(line, "TERM") == 0;
		fresh += strcmp(line, "ready") == 0;
	}
	ck_assert_int_ne(daemon_next_worker(&d, "s"), first);
	close(fd);
	fd = daemon_connect(&d, "s");
	ck_assert_int_eq(warm_joined(&d, daemon_accepted(&d, fd)), warm_next(&d));
	close(fd);
} END_TEST

START_TEST(without_a_master_those_that_wait_go_and_the_client_stays)
{
	struct watched all = { .n = 0 };
	int fd, worker;

	warm_start(&d, WARM_CAT, 2, "", "");
	worker = process_watch(daemon_next_worker(&d, "s"));
	fd = daemon_connect_echo(&d, "s");
	watch_next(&all, 3);
	daemon_signal(&d, SIGKILL);
	for (size_t i = 1; i < all.n; i++)
		daemon_wait_for(&d, "warm-end program=%d reason=drained how=exit value=0", all.pids[i]);
	client_echo(fd);
	ck_assert(!warm_has_ended(all.fds[0]));
	client_end(fd);
	client_expect_end(fd);
	close(fd);
	process_wait_end(worker);
	check_all_ended(&all);
	daemon_join(&d);
} END_TEST

START_TEST(a_worker_on_demand_takes_its_programs_along)
{
	daemon_start(&d, SERVICES(EXEC("s", "argv = \"/bin/cat\"; warm = 2;",
	             "workers = { min = 0; max = 1; idle_exit = \"50ms\"; };")));
	for (int round = 0; round < 3; round++) {
		struct watched all = { .n = 0 };
		int fd;

		daemon_wait_for(&d, "on-demand service=s");
		ck_assert_uint_eq(daemon_saw(&d, "warm-start"), (size_t)round * 3);
		fd = daemon_connect_echo(&d, "s");
		watch_next(&all, 3);
		ck_assert_int_eq(warm_joined(&d, daemon_accepted(&d, fd)), all.pids[0]);
		close(fd);
		daemon_wait_for(&d, "worker-end how=exit value=0");
		check_all_ended(&all);
		for (size_t i = 1; i < all.n; i++)
			daemon_wait_for(&d, "warm-end program=%d reason=drained", all.pids[i]);
	}
} END_TEST

/* ---- upgrade ------------------------------------------------------------ */

START_TEST(an_upgrade_is_noticed_by_no_client)
{
	struct watched old = { .n = 0 };
	pid_t worker;
	int before, after;

	warm_start(&d, WARM_CAT, 2, "", "");
	worker = daemon_next_worker(&d, "s");
	before = daemon_connect_echo(&d, "s");
	warm_joined(&d, daemon_accepted(&d, before));
	watch_next(&old, 3);
	daemon_signal(&d, SIGUSR2);
	daemon_wait_for(&d, "upgrade-done");
	for (size_t i = 1; i < old.n; i++)
		process_wait_end(old.fds[i]);
	old.n = 1;
	client_echo(before);
	after = daemon_connect_echo(&d, "s");
	warm_joined(&d, daemon_accepted(&d, after));
	client_echo(before);
	ck_assert_uint_eq(daemon_saw(&d, "worker-end"), 0);
	for (int i = 0; i < 3; i++)
		ck_assert_int_ne(event_number(daemon_wait_for(&d, "warm-start"), "pid"), worker);
	warm_check_figures(2, 2, 0, 0);
	close(before);
	daemon_wait_for(&d, "worker-end pid=%d how=exit value=0", worker);
	check_all_ended(&old);
	client_echo(after);
	close(after);
} END_TEST

/* ---- descriptors -------------------------------------------------------- */

static void limit_descriptors(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = 99;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* The client, the program's socket and standard error, a pipe each way. */
START_TEST(a_worker_wants_descriptors_for_all_that_connections_may_have)
{
	const char *limits, *line;
	unsigned long have = 0;

	d.before_exec = limit_descriptors;
	warm_start(&d, WARM_CAT, 1, "", "connections = 100;");
	limits = files_read(files_text("/proc/%d/limits", daemon_next_worker(&d, "s")));
	line = strstr(limits, "Max open files");
	ck_assert_ptr_nonnull(line);
	ck_assert_int_eq(sscanf(line, "Max open files %lu", &have), 1);
	ck_assert_uint_ge(have, 100 * 7);
} END_TEST

int main(void)
{
	Suite *s = suite_create("warm_server");
	TCase *tc = harness_case(s, "reload");

	tcase_add_test(tc, a_reload_replaces_those_that_wait);
	tcase_add_test(tc, a_reload_can_begin_and_end_it);

	tc = harness_case(s, "stop");
	tcase_add_loop_test(tc, a_stop_leaves_no_program_behind, 0, 3);
	tcase_add_loop_test(tc, a_stop_leaves_no_program_behind_that_does_not_read, 0, 3);
	tcase_add_loop_test(tc, a_stop_leaves_no_program_behind_that_ignores_it, 1, 3);
	tcase_add_loop_test(tc, a_stop_waits_for_a_client, 0, 2);
	tcase_add_test(tc, a_stop_is_the_end_of_file_for_a_client_that_has_spoken);
	tcase_add_loop_test(tc, a_program_with_a_client_gets_term, 0, (int)ARRAY_SIZE(hurries));

	tc = harness_case(s, "worker");
	tcase_add_test(tc, a_worker_that_is_killed_takes_its_programs_along);
	tcase_add_test(tc, without_a_master_those_that_wait_go_and_the_client_stays);
	tcase_add_test(tc, a_worker_on_demand_takes_its_programs_along);

	tc = harness_case(s, "upgrade");
	tcase_add_test(tc, an_upgrade_is_noticed_by_no_client);
	tc = harness_case(s, "descriptors");
	tcase_add_test(tc, a_worker_wants_descriptors_for_all_that_connections_may_have);
	return harness_run(s);
}
