/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Services whose programs are of no use: they cannot be started, or end before they
 * have answered. The server says so with the reason, does not keep clients waiting,
 * and recovers when a program works.
 */
#include <config.h>
#include "filter_harness.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control_harness.h"
#include "operator.h"

#define SOON "restart = { delay_min = \"10ms\"; delay_max = \"40ms\"; };"
#define HOUR "restart = { delay_min = \"1h\"; delay_max = \"1h\"; };"

/* The services of a configuration with a control socket, and an echo beside them that goes on. */
#define ALL(list) "control = { socket = \"%s\"; };\n" SERVICES(SERVICE("e", "echo", "workers = 1;") list)
#define SVC(type, handler, rest) \
	" s = { listen = \"127.0.0.1:0\"; workers = 1; handler = { type = \"" type "\"; argv = \"%s\"; " \
	handler " }; " rest " };"
#define FILTER_OF(handler, rest) ALL(SVC("filter", "framing = \"line\"; " handler, rest))

/* What the check of a configuration cannot see, and execve(2) refuses. */
#define BROKEN "\x7f" "ELF\x01, and no more of it"
#define IS_BROKEN "it is a program for another machine, or broken"

/* A file in the test's folder with just these bytes, which may be executed. */
static const char *write_program(const char *text)
{
	const char *path = files_write("program", "%s", text);

	ck_assert_int_eq(chmod(path, 0755), 0);
	return path;
}

static void expect_failing(const char *reason)
{
	const char *answer = control_ask("{\"command\":\"services\"}", "\"state\":\"failing\"");

	ck_assert_msg(strstr(answer, reason) != NULL, "%s is not in %s", reason, answer);
	operator_run_args(control_path(), "status");
	ck_assert_msg(strstr(operator_output(), "\ns is failing: ") != NULL, "%s", operator_output());
	operator_run_args(control_path(), "services");
	ck_assert_msg(strstr(operator_output(), "\ns is failing: ") != NULL, "%s", operator_output());
	harness_contains(daemon_errors(&d), "s: failing: ");
}

static void expect_well(void)
{
	const char *answer = control_ask("{\"command\":\"services\"}", "\"state\":\"serving\"");

	ck_assert_msg(!strstr(answer, "failing"), "%s", answer);
	harness_contains(answer, "\"reason\":null");
}

/* ---- it cannot be executed ---------------------------------------------- */

static const struct { const char *text, *reason; } scripts[] = {
	{ "#!/usr/bin/pyhton3\n", "its interpreter \\\"/usr/bin/pyhton3\\\" does not exist" },
	{ "#!/bin/sh\r\nexec cat\r\n", "its interpreter \\\"/bin/sh\\\\r\\\" does not exist (the first line ends in CR)" },
	{ "exec cat\n", "it is neither a program nor a script with a #! line" },
};

/* The program worked when the server was started, and has answered. */
START_TEST(a_filter_that_cannot_be_executed_any_more)
{
	const char *program = write_program("#!/bin/sh\nread line; echo \"$line\"\nread line; echo \"$line\"\n");
	int fd;

	daemon_start(&d, FILTER_OF("", HOUR), control_path(), program);
	filter_check("hello\n", "hello\n");           /* its shell has opened the file */
	write_program(scripts[_i].text);
	filter_check("last\n", "last\n");
	daemon_wait_for(&d, "service-failing service=s");
	daemon_wait_status(&d, "NOT serving s (failing: start ");
	fd = filter_say("hello\n");
	filter_expect_failure(fd);
	expect_failing(scripts[_i].reason);
	daemon_check_echo(&d, "e");
} END_TEST

/* Not even the first of its clients waits for anything. */
START_TEST(a_filter_that_could_never_be_executed)
{
	const char *program = write_program(BROKEN);
	int fd;

	daemon_start(&d, FILTER_OF("", HOUR), control_path(), program);
	daemon_wait_status(&d, "NOT serving s (failing: start ");
	fd = filter_say("hello\n");
	filter_expect_failure(fd);
	expect_failing(IS_BROKEN);
	daemon_check_echo(&d, "e");
} END_TEST

START_TEST(error_reply_is_the_answer_to_its_clients)
{
	const char *program = write_program(BROKEN);
	int fd;

	daemon_start(&d, FILTER_OF("error_reply = \"sorry\";", HOUR), control_path(), program);
	fd = filter_say("hello\nhello\n");
	client_expect(fd, "sorry\nsorry\n");
	close(fd);
} END_TEST

START_TEST(a_process_of_ones_own_that_cannot_be_executed)
{
	const char *program = write_program(BROKEN);
	int fd;

	daemon_start(&d, FILTER_OF("share = \"connection\";", HOUR), control_path(), program);
	fd = filter_say("hello\n");
	filter_expect_failure(fd);
	expect_failing(IS_BROKEN);
} END_TEST

/* A program for each connection is tried with the first client: a second later it may be there. */
static const struct { const char *handler; unsigned pauses; } execs[] = { { "", 1 }, { "warm = 2;", 0 } };

START_TEST(a_program_of_a_connection_that_cannot_be_executed)
{
	const char *program = write_program(BROKEN);
	int fd;

	daemon_start(&d, ALL(SVC("exec", "%s", HOUR)), control_path(), program, execs[_i].handler);
	for (int i = 0; i < 3; i++) {
		fd = daemon_connect(&d, "s");
		client_expect_gone(fd);
		close(fd);
	}
	daemon_wait_status(&d, "NOT serving s (failing: start ");
	expect_failing(IS_BROKEN);
	ck_assert_uint_eq(daemon_saw(&d, "accept-paused"), execs[_i].pauses);
	ck_assert_uint_eq(files_count(daemon_errors(&d), IS_BROKEN), 1);
	daemon_check_echo(&d, "e");

	write_program("#!/bin/sh\necho here I am\n");
	ck_assert_str_eq(client_ask(daemon_address(&d, "s", 0)), "here I am\n");
	daemon_wait_for(&d, "service-works service=s");
	expect_well();
} END_TEST

START_TEST(several_workers_say_it_once_if_one_has_said_it)
{
	const char *program = write_program(BROKEN);
	int fd;

	daemon_start(&d, ALL(" s = { listen = \"127.0.0.1:0\"; workers = { min = 1; max = 2; };"
	             " handler = { type = \"filter\"; framing = \"line\"; argv = \"%s\"; }; };"),
	             control_path(), program);
	daemon_wait_for(&d, "service-failing service=s");
	control_ask("{\"command\":\"scale\",\"service\":\"s\",\"to\":\"2\"}", "\"ok\":true");
	fd = filter_say("hello\n");
	filter_expect_failure(fd);
	ck_assert_uint_eq(files_count(daemon_errors(&d), IS_BROKEN), 1);
} END_TEST

/* ---- it ends before it answers ------------------------------------------ */

#define IMPORT_ERROR "echo 'Traceback (most recent call last):' >&2\n" \
	"echo \"ModuleNotFoundError: No module named 'shouting'\" >&2\nexit 1"

START_TEST(a_filter_that_dies_at_its_start_each_time)
{
	const char *script = files_script("script", IMPORT_ERROR);
	int fd;

	daemon_start(&d, FILTER_OF("", SOON), control_path(), script);
	daemon_wait_for(&d, "service-failing service=s");
	daemon_wait_status(&d, "NOT serving s (failing: ");
	fd = filter_say("hello\n");
	filter_expect_failure(fd);
	expect_failing("ends before it answers (exit 1); it said"
	               " \\\"ModuleNotFoundError: No module named 'shouting'\\\"");
	daemon_check_echo(&d, "e");

	files_script("script", "exec cat");
	daemon_wait_for(&d, "service-works service=s");
	daemon_wait_status(&d, "serving e (1), s (1)");
	filter_check("hello\n", "hello\n");
	expect_well();
	harness_contains(daemon_errors(&d), "s: its program works again");
} END_TEST

/* From the third death on, since a line for each would fill the log. */
START_TEST(its_deaths_are_not_logged_one_by_one)
{
	const char *script = files_script("script", IMPORT_ERROR);

	daemon_start(&d, FILTER_OF("", SOON), control_path(), script);
	daemon_wait_for(&d, "service-failing service=s");
	for (int i = 0; i < 8; i++)
		daemon_wait_for(&d, "filter-end reason=died");
	ck_assert_uint_eq(files_count(daemon_errors(&d), "ended by itself"), 3);
	ck_assert_uint_eq(files_count(daemon_errors(&d), "s: failing: "), 1);
} END_TEST

/* It has never answered, although each of its clients gets an error at once. */
START_TEST(a_filter_that_dies_of_each_request_is_failing_too)
{
	const char *script = files_script("script", "read line; exit 4");
	int fd;

	daemon_start(&d, FILTER_OF("", SOON), control_path(), script);
	for (int i = 0; i < 3; i++) {
		fd = filter_say("hello\n");
		filter_expect_failure(fd);
	}
	daemon_wait_for(&d, "service-failing service=s");
	expect_failing("ends before it answers (exit 4)");
} END_TEST

/* A filter that has answered is not failing because some requests kill it. */
START_TEST(poison_does_not_make_a_service_fail)
{
	int fd;

	daemon_start(&d, "control = { socket = \"%s\"; };\n" FILTER("%s", SOON), control_path(),
	             filter_argv("normal"));
	filter_check("hello\n", "hello\n");
	for (int i = 0; i < 4; i++) {
		fd = filter_say("die\n");
		filter_expect_failure(fd);
		daemon_wait_for(&d, "filter-end reason=died how=exit value=3");
	}
	expect_well();
} END_TEST

START_TEST(warm_programs_that_crash_at_their_start)
{
	const char *script = files_script("script", "echo no good >&2; exit 5");

	daemon_start(&d, ALL(SVC("exec", "warm = 1;", SOON)), control_path(), script);
	daemon_wait_for(&d, "service-failing service=s");
	expect_failing("crashes while it waits (exit 5); it said \\\"no good\\\"");
	files_script("script", "exec cat");
	daemon_wait_for(&d, "service-works service=s");
	expect_well();
} END_TEST

/* ---- at a reload -------------------------------------------------------- */

START_TEST(a_reload_with_a_new_service_that_cannot_be_executed_is_refused)
{
	daemon_start(&d, ALL(""), control_path());
	daemon_config(&d, FILTER_OF("", ""), control_path(), write_program(BROKEN));
	ck_assert_int_eq(operator_run_args(control_path(), "reload"), 1);
	ck_assert_msg(strstr(operator_errors(), "service \"s\": start ") &&
	              strstr(operator_errors(), IS_BROKEN),
	              "%s", operator_errors());
	control_ask("{\"command\":\"status\"}", "\"generation\":1");
	daemon_check_echo(&d, "e");
} END_TEST

/* A service that fails already does not stop a reload that mends others. */
START_TEST(a_reload_with_one_that_failed_before_is_done_and_says_so)
{
	const char *program = write_program(BROKEN);

	daemon_start(&d, FILTER_OF("", ""), control_path(), program);
	daemon_wait_for(&d, "service-failing service=s");
	ck_assert_int_eq(operator_run_args(control_path(), "reload"), 0);
	ck_assert_msg(strstr(operator_output(), "reloaded: generation 2\ns is failing: start ") != NULL,
	              "%s", operator_output());
	write_program("#!/bin/sh\nexec cat\n");
	ck_assert_int_eq(operator_run_args(control_path(), "reload"), 0);
	ck_assert_str_eq(operator_output(), "reloaded: generation 3\n");
	/* Until an old worker obeys its order to drain, it may accept the next client. */
	daemon_wait_for(&d, "generation-gone generation=2");
	filter_check("hello\n", "hello\n");
	expect_well();
} END_TEST

/* ---- the unit hides it -------------------------------------------------- */

static void be_in_a_unit(void)
{
	setenv("INVOCATION_ID", "0123456789abcdef0123456789abcdef", 1);
}

START_TEST(a_folder_that_the_unit_hides_is_named)
{
	const char *program = write_program("#!/bin/sh\nexec cat\n");
	int fd;

	d.before_exec = be_in_a_unit;
	daemon_start(&d, ALL(SVC("exec", "", "")), control_path(), program);
	ck_assert_int_eq(unlink(program), 0);
	fd = daemon_connect(&d, "s");
	client_expect_gone(fd);
	close(fd);
	daemon_wait_for(&d, "service-failing service=s");
	harness_contains(daemon_errors(&d), "PrivateTmp= of the systemd unit hides /tmp");
	harness_contains(daemon_errors(&d), "tmp.conf");
} END_TEST

/* ---- frames that do not end --------------------------------------------- */

static const struct { const char *framing, *says, *hint; } frames[] = {
	{ "length32", "printf '\\005\\000\\000\\000hello'", "killed; its length is 83886080, in the other byte order 5" },
	{ "length16", "printf '\\005\\000hello'",
	  "; 7 bytes of a frame came, 1275 are missing; its length is 1280, in the other byte order 5" },
	{ "netstring", "printf 9:hello", "; 7 bytes of a frame came, 4 are missing" },
	{ "netstring", ":", "; nothing came" },
};

START_TEST(an_answer_without_an_end_says_what_came)
{
	const char *script = files_script("script", "head -c 1 >/dev/null; %s; exec sleep 100", frames[_i].says);
	int fd;

	daemon_start(&d, SERVICES(" s = { listen = \"127.0.0.1:0\"; workers = 1; handler = { type = \"filter\";"
	             " argv = \"%s\"; framing = \"line\"; filter_framing = \"%s\"; timeout = \"300ms\"; }; };"),
	             script, frames[_i].framing);
	fd = filter_say("hello\n");
	filter_expect_failure(fd);
	ck_assert_msg(strstr(daemon_errors(&d), frames[_i].hint) != NULL, "%s", daemon_errors(&d));
} END_TEST

int main(void)
{
	Suite *s = suite_create("failing");
	TCase *tc = harness_case(s, "execute");

	tcase_add_loop_test(tc, a_filter_that_cannot_be_executed_any_more, 0, (int)ARRAY_SIZE(scripts));
	tcase_add_test(tc, a_filter_that_could_never_be_executed);
	tcase_add_test(tc, error_reply_is_the_answer_to_its_clients);
	tcase_add_test(tc, a_process_of_ones_own_that_cannot_be_executed);
	tcase_add_loop_test(tc, a_program_of_a_connection_that_cannot_be_executed, 0, (int)ARRAY_SIZE(execs));
	tcase_add_test(tc, several_workers_say_it_once_if_one_has_said_it);

	tc = harness_case(s, "end");
	tcase_add_test(tc, a_filter_that_dies_at_its_start_each_time);
	tcase_add_test(tc, its_deaths_are_not_logged_one_by_one);
	tcase_add_test(tc, a_filter_that_dies_of_each_request_is_failing_too);
	tcase_add_test(tc, poison_does_not_make_a_service_fail);
	tcase_add_test(tc, warm_programs_that_crash_at_their_start);

	tc = harness_case(s, "reload");
	tcase_add_test(tc, a_reload_with_a_new_service_that_cannot_be_executed_is_refused);
	tcase_add_test(tc, a_reload_with_one_that_failed_before_is_done_and_says_so);

	tc = harness_case(s, "unit");
	tcase_add_test(tc, a_folder_that_the_unit_hides_is_named);
	tc = harness_case(s, "frames");
	tcase_add_loop_test(tc, an_answer_without_an_end_says_what_came, 0, (int)ARRAY_SIZE(frames));
	return harness_run(s);
}
