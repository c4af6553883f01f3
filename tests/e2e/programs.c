/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lives and ends of programs: their own, by time-out, by a stop, with their
 * worker. exec.c tests what they find when they start.
 */
#include <config.h>
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct daemon d;

#define PROGRAM(argv, rest) SERVICES(EXEC("s", "argv = [ " argv " ];", "workers = 1; " rest))
#define CAT(rest) PROGRAM("\"/bin/cat\"", rest)

/* Tells its client when it is told to go. */
#define TELLS_OF_TERM "trap 'echo got TERM; exit 0' TERM; echo ready; read -r line"

/* Cannot be told to go; neither can what it has started. */
#define IGNORES_TERM "trap '' TERM; exec 3<&0; sh -c 'echo $$; read -r line' <&3 & wait"

static void start_script(const char *text, const char *rest)
{
	daemon_start(&d, SERVICES(EXEC("s", "argv = \"%s\";", "workers = 1; %s")),
	             files_script("script", "%s", text), rest);
}

/* ---- Bytes ---- */

START_TEST(a_hundred_programs_at_once_lose_no_byte)
{
	struct load l = { .n_clients = 100, .bytes = 50000 };

	daemon_start(&d, SERVICES(EXEC("s", "argv = \"/bin/cat\";", "workers = 2;")));
	l.address = daemon_address(&d, "s", 0);
	load_start(&l);
	load_stop(&l);
	ck_assert_uint_eq(l.done, 100);
} END_TEST

START_TEST(a_program_sees_the_clients_half_close)
{
	int fd;

	start_script("wc -c", "");
	fd = daemon_connect(&d, "s");
	client_say(fd, "seven b");
	client_end(fd);
	ck_assert_int_eq(atoi(client_read_all(fd)), 7);
	close(fd);
} END_TEST

START_TEST(a_client_sees_the_programs_half_close)
{
	const char *fifo = files_mkfifo("fifo");
	int fd, release;

	start_script(files_text("echo bye; exec >&-; exec <%s; read x", fifo), "");
	fd = daemon_connect(&d, "s");
	client_expect(fd, "bye\n");
	release = open(fifo, O_WRONLY | O_CLOEXEC);     /* it is past its exec now, and still there */
	ck_assert_uint_eq(daemon_saw(&d, "program-end"), 0);
	client_expect_end(fd);
	close(release);
	daemon_wait_for(&d, "program-end how=exit value=1");
	close(fd);
} END_TEST

START_TEST(a_program_that_ignores_its_input_is_served_and_forgotten)
{
	const struct event *end;
	struct turn_hook flood;
	int fd;

	start_script("exit 0", "connections = 1;");
	fd = daemon_connect(&d, "s");
	client_flood(&flood, fd);
	end = daemon_ended(&d, daemon_accepted(&d, fd));
	client_flood_end(&flood);
	ck_assert_str_eq(event_word(end, "how"), "exit");
	client_expect_gone(fd);
	close(fd);
	client_ask(daemon_address(&d, "s", 0));
} END_TEST

START_TEST(a_client_that_vanishes_is_left_to_the_program)
{
	int fd;

	daemon_start(&d, CAT(""));
	fd = daemon_connect_echo(&d, "s");
	client_reset(fd);
	daemon_wait_for(&d, "program-end");
	daemon_check_echo(&d, "s");
} END_TEST

/* ---- Standard error ---- */

#define COMPLAINS "echo one >&2; printf 'two\\nthree' >&2; echo done"

START_TEST(standard_error_goes_to_the_log_line_by_line)
{
	static const char *const lines[] = { "one", "two", "three" };
	const struct event *started;
	const char *log;

	start_script(COMPLAINS, "");
	ck_assert_str_eq(client_ask(daemon_address(&d, "s", 0)), "done\n");
	started = daemon_wait_for(&d, "program-start");
	daemon_wait_for(&d, "connection-end");
	daemon_stop(&d, SIGTERM);
	log = daemon_errors(&d);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		ck_assert_msg(files_count(log, files_text(" s %s %lld: %s\n", event_word(started, "id"),
		                                          event_number(started, "program"), lines[i])) == 1,
		              "no line with %s in the log:\n%s", lines[i], log);
} END_TEST

static void check_no_complaint_in_log(void)
{
	daemon_stop(&d, SIGTERM);
	ck_assert_ptr_null(strstr(daemon_errors(&d), "three"));
}

START_TEST(standard_error_can_go_to_the_client)
{
	daemon_start(&d, SERVICES(EXEC("s", "argv = \"%s\"; stderr = \"client\";", "workers = 1;")),
	             files_script("script", "%s", COMPLAINS));
	ck_assert_str_eq(client_ask(daemon_address(&d, "s", 0)), "one\ntwo\nthreedone\n");
	check_no_complaint_in_log();
} END_TEST

START_TEST(standard_error_can_go_nowhere)
{
	daemon_start(&d, SERVICES(EXEC("s", "argv = \"%s\"; stderr = \"null\";", "workers = 1;")),
	             files_script("script", "%s", COMPLAINS));
	ck_assert_str_eq(client_ask(daemon_address(&d, "s", 0)), "done\n");
	check_no_complaint_in_log();
} END_TEST

START_TEST(a_program_that_floods_its_standard_error_is_not_held_up)
{
	start_script("i=0; while [ $i -lt 20000 ]; do echo 'a line of no interest at all' >&2;"
	             " i=$((i+1)); done; echo done", "");
	ck_assert_str_eq(client_ask(daemon_address(&d, "s", 0)), "done\n");
} END_TEST

/* ---- Ends ---- */

START_TEST(how_a_program_ended_is_told)
{
	static const struct { const char *script, *how; int value; } rows[] = {
		{ "exit 0",        "exit",   0 },
		{ "exit 3",        "exit",   3 },
		{ "kill -SEGV $$", "signal", SIGSEGV },
	};

	start_script(rows[_i].script, "");
	client_ask(daemon_address(&d, "s", 0));
	daemon_wait_for(&d, "program-end how=%s value=%d", rows[_i].how, rows[_i].value);
	daemon_wait_for(&d, "connection-end how=exit");
} END_TEST

START_TEST(a_slot_is_taken_until_the_program_ends)
{
	const char *fifo = files_mkfifo("fifo");
	const struct event *first_end, *second_start;
	int first, second, release;

	start_script(files_text("echo started; exec </dev/null >/dev/null; exec cat %s", fifo), "connections = 1;");
	first = daemon_connect(&d, "s");
	ck_assert_str_eq(client_read_all(first), "started\n");
	second = daemon_connect(&d, "s");
	release = open(fifo, O_WRONLY | O_CLOEXEC);
	close(release);
	first_end = daemon_wait_for(&d, "program-end");
	daemon_wait_for(&d, "program-start");
	second_start = daemon_wait_for(&d, "program-start");
	ck_assert_uint_gt(second_start->nr, first_end->nr);
	client_expect(second, "started\n");
	release = open(fifo, O_WRONLY | O_CLOEXEC);
	close(release);
	close(first);
	close(second);
} END_TEST

START_TEST(a_program_that_never_ends_gets_term_when_its_session_is_over)
{
	int fd;

	start_script(TELLS_OF_TERM, "timeouts = { session = \"300ms\"; };");
	fd = daemon_connect(&d, "s");
	ck_assert_str_eq(client_read_all(fd), "ready\ngot TERM\n");
	daemon_wait_for(&d, "program-end how=exit value=0");
	close(fd);
} END_TEST

START_TEST(a_program_that_ignores_term_is_killed_with_its_group)
{
	int fd, watch;

	start_script(IGNORES_TERM, "timeouts = { session = \"100ms\"; };");
	fd = daemon_connect(&d, "s");
	watch = process_watch((pid_t)strtol(client_read_line(fd), NULL, 10));
	daemon_wait_for(&d, "program-end how=signal value=%d", SIGKILL);
	process_wait_end(watch);
	client_expect_gone(fd);
	close(fd);
} END_TEST

START_TEST(a_program_that_cannot_be_executed_costs_its_connection)
{
	const char *script = files_script("script", "echo here I am");
	int fd;

	daemon_start(&d, SERVICES(EXEC("s", "argv = \"%s\";", "workers = 1;")), script);
	ck_assert_int_eq(unlink(script), 0);
	fd = daemon_connect(&d, "s");
	client_expect_gone(fd);
	close(fd);
	daemon_wait_for(&d, "accept-paused reason=program");
	harness_contains(daemon_errors(&d), strerror(ENOENT));
	harness_contains(daemon_errors(&d), script);

	files_script("script", "echo here I am");
	ck_assert_str_eq(client_ask(daemon_address(&d, "s", 0)), "here I am\n");
	ck_assert_uint_eq(daemon_saw(&d, "accept-resumed"), 1);
	ck_assert_uint_eq(daemon_saw(&d, "worker-end"), 0);
} END_TEST

/* ---- Together with the server ---- */

START_TEST(a_draining_worker_outlives_its_programs)
{
	const struct event *program_end;
	pid_t worker;
	int fd;

	daemon_start(&d, CAT(""));
	worker = daemon_next_worker(&d, "s");
	fd = daemon_connect_echo(&d, "s");
	daemon_reload(&d, CAT(""));
	daemon_wait_for(&d, "worker-drain pid=%d", worker);
	client_echo(fd);
	ck_assert_uint_eq(daemon_saw(&d, "worker-end"), 0);
	close(fd);
	program_end = daemon_wait_for(&d, "program-end how=exit value=0");
	ck_assert_int_eq(event_number(program_end, "pid"), worker);
	daemon_wait_for(&d, "worker-end pid=%d how=exit value=0", worker);
	daemon_wait_for(&d, "generation-gone");
} END_TEST

START_TEST(a_stop_waits_for_programs)
{
	int fd;

	daemon_start(&d, CAT(""));
	fd = daemon_connect_echo(&d, "s");
	daemon_signal(&d, SIGTERM);
	daemon_wait_for(&d, "stopping");
	client_echo(fd);
	close(fd);
	daemon_wait_for(&d, "program-end how=exit value=0");
	ck_assert_int_eq(daemon_join(&d), 0);
} END_TEST

START_TEST(programs_get_term_when_shutdown_timeout_is_up)
{
	int fd;

	daemon_start(&d, "shutdown_timeout = \"300ms\";" SERVICES(EXEC("s", "argv = \"%s\";", "workers = 1;")),
	             files_script("script", "%s", TELLS_OF_TERM));
	fd = daemon_connect(&d, "s");
	client_expect(fd, "ready\n");
	daemon_signal(&d, SIGTERM);
	client_expect(fd, "got TERM\n");
	client_expect_end(fd);
	ck_assert_int_eq(daemon_join(&d), 0);
	close(fd);
} END_TEST

START_TEST(programs_get_term_at_once_when_the_server_stops_at_once)
{
	int fd;

	start_script(TELLS_OF_TERM, "");
	fd = daemon_connect(&d, "s");
	client_expect(fd, "ready\n");
	daemon_signal(&d, SIGINT);
	client_expect(fd, "got TERM\n");
	ck_assert_int_eq(daemon_join(&d), 0);
	close(fd);
} END_TEST

START_TEST(a_program_that_ignores_term_is_killed_before_the_server_ends)
{
	int fd, watch;

	start_script(IGNORES_TERM, "");
	fd = daemon_connect(&d, "s");
	watch = process_watch((pid_t)strtol(client_read_line(fd), NULL, 10));
	daemon_stop(&d, SIGINT);
	process_wait_end(watch);
	client_expect_gone(fd);
	close(fd);
} END_TEST

START_TEST(a_program_gets_term_when_its_worker_is_killed)
{
	int fd;

	start_script(TELLS_OF_TERM, "");
	fd = daemon_connect(&d, "s");
	client_expect(fd, "ready\n");
	ck_assert_int_eq(kill(daemon_next_worker(&d, "s"), SIGKILL), 0);
	client_expect(fd, "got TERM\n");
	client_expect_end(fd);
	close(fd);
} END_TEST

int main(void)
{
	Suite *s = suite_create("programs");
	TCase *tc = harness_case(s, "bytes");

	tcase_add_test(tc, a_hundred_programs_at_once_lose_no_byte);
	tcase_add_test(tc, a_program_sees_the_clients_half_close);
	tcase_add_test(tc, a_client_sees_the_programs_half_close);
	tcase_add_test(tc, a_program_that_ignores_its_input_is_served_and_forgotten);
	tcase_add_test(tc, a_client_that_vanishes_is_left_to_the_program);

	tc = harness_case(s, "stderr");
	tcase_add_test(tc, standard_error_goes_to_the_log_line_by_line);
	tcase_add_test(tc, standard_error_can_go_to_the_client);
	tcase_add_test(tc, standard_error_can_go_nowhere);
	tcase_add_test(tc, a_program_that_floods_its_standard_error_is_not_held_up);

	tc = harness_case(s, "ends");
	tcase_add_loop_test(tc, how_a_program_ended_is_told, 0, 3);
	tcase_add_test(tc, a_slot_is_taken_until_the_program_ends);
	tcase_add_test(tc, a_program_that_never_ends_gets_term_when_its_session_is_over);
	tcase_add_test(tc, a_program_that_ignores_term_is_killed_with_its_group);
	tcase_add_test(tc, a_program_that_cannot_be_executed_costs_its_connection);

	tc = harness_case(s, "server");
	tcase_add_test(tc, a_draining_worker_outlives_its_programs);
	tcase_add_test(tc, a_stop_waits_for_programs);
	tcase_add_test(tc, programs_get_term_when_shutdown_timeout_is_up);
	tcase_add_test(tc, programs_get_term_at_once_when_the_server_stops_at_once);
	tcase_add_test(tc, a_program_that_ignores_term_is_killed_before_the_server_ends);
	tcase_add_test(tc, a_program_gets_term_when_its_worker_is_killed);
	return harness_run(s);
}
