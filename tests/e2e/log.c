/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is logged, where it goes, and what must not be possible: forge a line,
 * or block the server.
 */
#include <config.h>
#include "harness.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct daemon d;

#define ONE_ECHO SERVICES(SERVICE("s", "echo", "workers = 1;"))
#define ONE_SCRIPT SERVICES(EXEC("s", "argv = \"%s\";", "workers = 1;"))

/* A connection of an echo service, from begin to end. Returns its opening; *fd stays open. */
static const struct event *visit(int *fd)
{
	const struct event *open;

	*fd = daemon_connect(&d, "s");
	open = daemon_accepted(&d, *fd);
	client_say(*fd, "hello");
	client_end(*fd);
	client_expect(*fd, "hello");
	client_expect_end(*fd);
	daemon_ended(&d, open);
	return open;
}

/* ---- Access log ---- */

START_TEST(the_access_log_has_a_line_for_each_connection)
{
	const char *path = files_path("access.log");
	const struct event *open;
	const char *line;
	int fd;

	daemon_start(&d, "access_log = { target = \"%s\"; };" ONE_ECHO, path);
	open = visit(&fd);
	daemon_settle_logs(&d);
	line = files_read(path);
	ck_assert_uint_eq(files_count(line, "\n"), 1);
	harness_contains(line, " service=s ");
	harness_contains(line, files_text(" id=%s ", event_word(open, "id")));
	harness_contains(line, files_text(" peer=%s ", client_name(fd)));
	harness_contains(line, files_text(" local=%s ", daemon_address(&d, "s", 0)));
	harness_contains(line, " duration=0.");
	harness_contains(line, " in=5 out=5 how=closed ");
	harness_contains(line, files_text(" pid=%s\n", event_word(open, "pid")));
	close(fd);
	visit(&fd);
	daemon_settle_logs(&d);
	ck_assert_uint_eq(files_count(files_read(path), "\n"), 2);
	close(fd);
} END_TEST

START_TEST(for_programs_the_access_log_has_the_status_and_no_bytes)
{
	static const struct { const char *script, *status; } rows[] = {
		{ "exit 3",        " exit=3\n" },
		{ "kill -KILL $$", " signal=KILL\n" },
	};
	const char *path = files_path("access.log");
	const char *line;

	daemon_start(&d, "access_log = { target = \"%s\"; };" ONE_SCRIPT, path,
	             files_script("script", "%s", rows[_i].script));
	client_ask(daemon_address(&d, "s", 0));
	daemon_wait_for(&d, "connection-end");
	daemon_settle_logs(&d);
	line = files_read(path);
	harness_contains(line, " how=exit ");
	harness_contains(line, rows[_i].status);
	ck_assert_ptr_null(strstr(line, " in="));
	ck_assert_ptr_null(strstr(line, " out="));
} END_TEST

/* ---- JSON ---- */

/* The end of a string or number that begins here; NULL if it is none. */
static const char *skip_json_value(const char *at)
{
	if (*at == '"') {
		for (at++; *at != '"'; at++) {
			if (*at == '\\' && !strchr("\"\\/bfnrtu", *++at))
				return NULL;
			if ((unsigned char)*at < 0x20)
				return NULL;
		}
		return at + 1;
	}
	return isdigit((unsigned char)*at) ? at + strspn(at, "0123456789.") : NULL;
}

/* Whether text is lines, each of them an object of strings and numbers. */
static bool is_json_lines(const char *text)
{
	for (const char *at = text; *at;) {
		if (*at++ != '{')
			return false;
		do {
			at = *at == '"' ? skip_json_value(at) : NULL;
			at = at && *at == ':' ? skip_json_value(at + 1) : NULL;
		} while (at && *at++ == ',');
		if (!at || at[-1] != '}' || *at++ != '\n')
			return false;
	}
	return true;
}

START_TEST(the_access_log_can_be_json)
{
	const char *path = files_path("access.log");
	const struct event *open;
	const char *line;
	int fd;

	daemon_start(&d, "access_log = { target = \"%s\"; format = \"json\"; };" ONE_ECHO, path);
	open = visit(&fd);
	daemon_settle_logs(&d);
	line = files_read(path);
	ck_assert_msg(*line && is_json_lines(line), "no JSON: %s", line);
	harness_contains(line, "\"service\":\"s\"");
	harness_contains(line, files_text("\"id\":\"%s\"", event_word(open, "id")));
	harness_contains(line, files_text("\"peer\":\"%s\"", client_name(fd)));
	harness_contains(line, "\"in\":5,\"out\":5,\"how\":\"closed\"");
	harness_contains(line, files_text("\"pid\":%s", event_word(open, "pid")));
	close(fd);
} END_TEST

/* What a program could write to forge a line, or to play tricks with a terminal. */
#define HOSTILE "printf 'a\\033[31m\\r\\000\\377\"}\\\\ forged\\tline\\n' >&2"

static const char *hostile_log(const char *format)
{
	daemon_start(&d, "log = { target = \"stderr\"; level = \"debug\"; format = \"%s\"; };" ONE_SCRIPT,
	             format, files_script("script", "%s", HOSTILE));
	client_ask(daemon_address(&d, "s", 0));
	daemon_wait_for(&d, "connection-end");
	daemon_stop(&d, SIGTERM);
	return daemon_errors(&d);
}

START_TEST(hostile_bytes_do_not_forge_a_line)
{
	const char *log = hostile_log("text");

	harness_contains(log, "a\\x1b[31m\\x0d");
	ck_assert_uint_eq(files_count(log, "forged"), 1);
	for (const char *at = log; *at; at++)
		ck_assert_msg(*at == '\n' || (*at >= ' ' && *at <= '~'), "byte %#x in the log", *at);
} END_TEST

START_TEST(hostile_bytes_do_not_break_json)
{
	const char *log = hostile_log("json");

	ck_assert_msg(is_json_lines(log), "no JSON:\n%s", log);
	ck_assert_uint_eq(files_count(log, "forged"), 1);
} END_TEST

START_TEST(lines_are_cut)
{
	const char *log, *end;

	daemon_start(&d, ONE_SCRIPT,
	             files_script("script", "head -c 20000 /dev/zero | tr '\\000' x >&2"));
	client_ask(daemon_address(&d, "s", 0));
	daemon_wait_for(&d, "connection-end");
	log = daemon_errors(&d);
	harness_contains(log, "xxxxxxxx");
	for (const char *at = log; (end = strchr(at, '\n')); at = end + 1)
		ck_assert_int_le(end - at, 2048);
} END_TEST

START_TEST(what_is_less_important_than_the_level_is_not_logged)
{
	daemon_start(&d, "log = { target = \"stderr\"; level = \"error\"; };" ONE_ECHO);
	daemon_reload(&d, "log = { target = \"stderr\"; level = \"error\"; };" ONE_ECHO);
	ck_assert_str_eq(daemon_errors(&d), "");
} END_TEST

/* ---- USR1 ---- */

START_TEST(after_usr1_master_and_workers_write_to_the_new_files)
{
	const char *log = files_path("log"), *access = files_path("access.log");
	const char *old_log = files_path("log.1"), *old_access = files_path("access.log.1");

	daemon_start(&d, "log = { target = \"%s\"; }; access_log = { target = \"%s\"; };"
	             SERVICES(EXEC("s", "argv = \"%s\";", "workers = 2;")), log, access,
	             files_script("script", "echo complaint >&2"));
	client_ask(daemon_address(&d, "s", 0));
	daemon_wait_for(&d, "connection-end");
	ck_assert_int_eq(rename(log, old_log), 0);
	ck_assert_int_eq(rename(access, old_access), 0);
	daemon_settle_logs(&d);
	for (int i = 0; i < 8; i++) {
		client_ask(daemon_address(&d, "s", 0));
		daemon_wait_for(&d, "connection-end");
	}
	daemon_stop(&d, SIGTERM);
	ck_assert_uint_eq(files_count(files_read(old_access), "\n"), 1);
	ck_assert_uint_eq(files_count(files_read(access), "\n"), 8);
	ck_assert_uint_eq(files_count(files_read(old_log), "complaint"), 1);
	ck_assert_uint_eq(files_count(files_read(log), "complaint"), 8);
	harness_contains(files_read(log), "stopped");     /* that was the master */
} END_TEST

START_TEST(a_worker_that_has_just_ended_needs_no_new_file)
{
	pid_t worker;
	int end;

	daemon_start(&d, SERVICES(SERVICE("s", "echo", "workers = 1;")));
	worker = daemon_next_worker(&d, "s");
	end = process_watch(worker);
	daemon_signal(&d, SIGSTOP);
	daemon_signal(&d, SIGUSR1);     /* the lower number is told first */
	ck_assert_int_eq(kill(worker, SIGKILL), 0);
	process_wait_end(end);
	daemon_signal(&d, SIGCONT);
	daemon_wait_for(&d, "logs-reopened");
	daemon_next_worker(&d, "s");
	ck_assert_uint_eq(files_count(daemon_errors(&d), "hand the logs"), 0);
} END_TEST

START_TEST(workers_that_are_born_after_usr1_write_to_the_new_file)
{
	const char *access = files_path("access.log");
	int fd;

	daemon_start(&d, "access_log = { target = \"%s\"; };" ONE_ECHO, access);
	ck_assert_int_eq(rename(access, files_path("access.log.1")), 0);
	daemon_settle_logs(&d);
	ck_assert_int_eq(kill(daemon_next_worker(&d, "s"), SIGKILL), 0);
	daemon_next_worker(&d, "s");
	visit(&fd);
	close(fd);
	daemon_settle_logs(&d);
	ck_assert_uint_eq(files_count(files_read(access), "\n"), 1);
} END_TEST

/* ---- A target that is not read ---- */

static int ours = -1, theirs = -1;      /* two ends; the daemon's standard error is theirs */

static void use_as_stderr(void)
{
	dup2(theirs, STDERR_FILENO);
}

static void make_ends(bool is_pipe)
{
	int ends[2];

	if (is_pipe)
		ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	else
		ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	ours = ends[0];
	theirs = ends[1];
	d.before_exec = use_as_stderr;
}

static void fill(int fd)
{
	static const char dots[4096];
	int flags = fcntl(fd, F_GETFL);
	size_t len = sizeof dots;

	ck_assert_int_eq(fcntl(fd, F_SETFL, flags | O_NONBLOCK), 0);
	while (len > 0)
		if (write(fd, dots, len) == -1)
			len /= 2;
	ck_assert_int_eq(fcntl(fd, F_SETFL, flags), 0);
}

/* All that can be read now, without NUL bytes. */
static const char *drain(int fd)
{
	static char text[1 << 20];
	char piece[4096];
	size_t len = 0;
	ssize_t n;
	int flags = fcntl(fd, F_GETFL);

	ck_assert_int_eq(fcntl(fd, F_SETFL, flags | O_NONBLOCK), 0);
	while ((n = read(fd, piece, sizeof piece)) > 0)
		for (ssize_t i = 0; i < n && len < sizeof text - 1; i++)
			if (piece[i])
				text[len++] = piece[i];
	text[len] = '\0';
	return text;
}

START_TEST(a_blocked_log_blocks_no_process_and_dropped_lines_are_counted)
{
	const char *log;
	int fd;

	make_ends(_i == 0);
	fill(theirs);
	daemon_start(&d, "access_log = { target = \"stderr\"; };" ONE_ECHO);
	for (int i = 0; i < 17; i++) {
		visit(&fd);
		close(fd);
	}
	ck_assert_ptr_null(strstr(drain(ours), "service=s"));
	visit(&fd);
	close(fd);
	log = drain(ours);
	ck_assert_msg(strstr(log, " dropped=17 pid=") && strstr(log, " reason=\"its target was blocked\"\n"),
	              "no word of 17 dropped lines:\n%s", log);
	ck_assert_uint_eq(files_count(log, "service=s"), 1);
} END_TEST

START_TEST(a_server_whose_log_is_blocked_reloads_and_stops)
{
	make_ends(_i == 0);
	fill(theirs);
	daemon_start(&d, "log = { target = \"stderr\"; level = \"debug\"; };" ONE_ECHO);
	daemon_reload(&d, ONE_ECHO);
	daemon_stop(&d, SIGTERM);
} END_TEST

START_TEST(the_standard_error_that_was_inherited_stays_as_it_was)
{
	int fd;

	make_ends(_i == 0);
	daemon_start(&d, "access_log = { target = \"stderr\"; };" ONE_ECHO);
	visit(&fd);
	close(fd);
	ck_assert_int_eq(fcntl(theirs, F_GETFL) & O_NONBLOCK, 0);
	harness_contains(drain(ours), "service=s");
} END_TEST

START_TEST(a_log_whose_reader_has_gone_is_no_reason_to_die)
{
	int fd;

	make_ends(_i == 0);
	daemon_start(&d, "access_log = { target = \"stderr\"; };" ONE_ECHO);
	close(ours);
	close(theirs);
	visit(&fd);
	close(fd);
	daemon_reload(&d, ONE_ECHO);
	visit(&fd);
	close(fd);
} END_TEST

int main(void)
{
	Suite *s = suite_create("log");
	TCase *tc = harness_case(s, "lines");

	tcase_add_test(tc, the_access_log_has_a_line_for_each_connection);
	tcase_add_loop_test(tc, for_programs_the_access_log_has_the_status_and_no_bytes, 0, 2);
	tcase_add_test(tc, the_access_log_can_be_json);
	tcase_add_test(tc, hostile_bytes_do_not_forge_a_line);
	tcase_add_test(tc, hostile_bytes_do_not_break_json);
	tcase_add_test(tc, lines_are_cut);
	tcase_add_test(tc, what_is_less_important_than_the_level_is_not_logged);

	tc = harness_case(s, "reopen");
	tcase_add_test(tc, after_usr1_master_and_workers_write_to_the_new_files);
	tcase_add_test(tc, a_worker_that_has_just_ended_needs_no_new_file);
	tcase_add_test(tc, workers_that_are_born_after_usr1_write_to_the_new_file);

	tc = harness_case(s, "blocked");
	tcase_add_loop_test(tc, a_blocked_log_blocks_no_process_and_dropped_lines_are_counted, 0, 2);
	tcase_add_loop_test(tc, a_server_whose_log_is_blocked_reloads_and_stops, 0, 2);
	tcase_add_loop_test(tc, the_standard_error_that_was_inherited_stays_as_it_was, 0, 2);
	tcase_add_loop_test(tc, a_log_whose_reader_has_gone_is_no_reason_to_die, 0, 2);
	return harness_run(s);
}
