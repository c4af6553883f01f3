/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Time-outs of connections with warm programs. Where a test has to know that time has
 * passed, another connection of the same worker times out.
 */
#include <config.h>
#include "harness.h"
#include "warm_harness.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "operator.h"

static struct daemon d;

/* ---- time-outs ---------------------------------------------------------- */

#define ENDS_AT_TERM "trap 'exit 7' TERM; echo ready; read -r line"

static const struct { const char *timeouts, *how; } timeouts[] = {
	{ "timeouts = { idle = \"300ms\"; };",                "idle" },
	{ "timeouts = { session = \"300ms\"; };",             "session" },
	{ "timeouts = { session = \"300ms\"; idle = 0; };",   "session" },
};

START_TEST(a_silent_connection_times_out)
{
	const struct event *opened;
	pid_t pid;
	int fd;

	warm_start_script(&d, ENDS_AT_TERM, 1, "", timeouts[_i].timeouts);
	fd = daemon_connect(&d, "s");
	opened = daemon_accepted(&d, fd);
	pid = warm_joined(&d, opened);
	client_expect(fd, "ready\n");
	daemon_wait_for(&d, "program-end program=%d how=exit value=7", pid);
	ck_assert_str_eq(event_word(daemon_ended(&d, opened), "how"), timeouts[_i].how);
	client_expect_gone(fd);
	close(fd);
	ck_assert_uint_eq(daemon_saw(&d, "warm-end"), 0);       /* who waits is not idle */
} END_TEST

/* The clock: a connection that came later, and is silent. */
static void wait_until_idle(void)
{
	int fd = daemon_connect(&d, "s");

	ck_assert_str_eq(event_word(daemon_ended(&d, daemon_accepted(&d, fd)), "how"), "idle");
	close(fd);
}

START_TEST(bytes_from_the_client_keep_a_connection)
{
	const struct event *opened;
	struct turn_hook flood;
	int fd;

	warm_start(&d, "[ \"/usr/bin/wc\", \"-c\" ]", 2, "", "timeouts = { idle = \"1s\"; };");
	fd = daemon_connect(&d, "s");
	opened = daemon_accepted(&d, fd);
	client_flood(&flood, fd);
	wait_until_idle();
	client_flood_end(&flood);
	ck_assert_uint_eq(daemon_saw(&d, "connection-end id=%s", event_word(opened, "id")), 0);
	client_end(fd);
	ck_assert_uint_gt(strlen(client_read_all(fd)), 1);
	ck_assert_str_eq(event_word(daemon_ended(&d, opened), "how"), "exit");
	close(fd);
} END_TEST

START_TEST(bytes_from_the_program_keep_a_connection)
{
	const struct event *opened;
	struct warm_reader r;
	size_t before;
	int fd;

	warm_start_script(&d, "read -r what; if [ \"$what\" = talk ]; then exec yes; fi", 2, "",
	                  "timeouts = { idle = \"1s\"; };");
	fd = daemon_connect(&d, "s");
	opened = daemon_accepted(&d, fd);
	client_say(fd, "talk\n");
	warm_reader_start(&r, fd);
	wait_until_idle();
	ck_assert_uint_eq(daemon_saw(&d, "connection-end id=%s", event_word(opened, "id")), 0);
	for (before = r.got; r.got == before;)
		turn_once();
	ck_assert(!r.over);
	warm_reader_stop(&r);
	close(fd);
	ck_assert_str_eq(event_word(daemon_ended(&d, opened), "how"), "reset");
} END_TEST

/* What the program has said before TERM may or may not fit on the way. */
START_TEST(a_client_that_takes_nothing_is_idle)
{
	const struct event *opened, *end;
	size_t got;
	pid_t pid;
	int fd, error;

	warm_start(&d, "\"/usr/bin/yes\"", 1, "", "timeouts = { idle = \"300ms\"; };");
	fd = daemon_connect(&d, "s");
	opened = daemon_accepted(&d, fd);
	pid = warm_joined(&d, opened);
	daemon_wait_for(&d, "program-end program=%d how=signal value=%d", pid, SIGTERM);
	end = daemon_ended(&d, opened);
	ck_assert_str_eq(event_word(end, "how"), "idle");
	error = warm_read_away(fd, &got);
	ck_assert(error == ECONNRESET || (error == 0 && (long long)got == event_number(end, "out")));
	close(fd);
} END_TEST

/* With a clean end it would believe that this was all: a process that it left behind writes more. */
START_TEST(a_client_that_takes_nothing_is_reset_when_the_program_has_ended)
{
	const struct event *opened;
	int fd;

	warm_start_script(&d, "read -r line; yes & exit 0", 1, "", "timeouts = { idle = \"300ms\"; };");
	fd = daemon_connect(&d, "s");
	opened = daemon_accepted(&d, fd);
	client_say(fd, "go\n");
	daemon_wait_for(&d, "program-end id=%s how=exit value=0", event_word(opened, "id"));
	ck_assert_str_eq(event_word(daemon_ended(&d, opened), "how"), "idle");
	ck_assert_int_eq(warm_read_away(fd, NULL), ECONNRESET);
	close(fd);
} END_TEST

/* By the clocks, idle has come and gone since then: the program of opened was left alone. */
static void check_left_alone(const struct event *opened, const struct warm_fifo *release)
{
	for (int i = 0; i < 2; i++) {
		int clock = daemon_connect(&d, "s");

		client_say(clock, "wait\n");
		ck_assert_str_eq(event_word(daemon_ended(&d, daemon_accepted(&d, clock)), "how"), "idle");
		close(clock);
	}
	ck_assert_uint_eq(daemon_saw(&d, "program-end id=%s", event_word(opened, "id")), 0);
	ck_assert_uint_eq(daemon_saw(&d, "connection-end id=%s", event_word(opened, "id")), 0);
	warm_tell(release, "now");
	daemon_wait_for(&d, "program-end id=%s how=exit value=0", event_word(opened, "id"));
	ck_assert_str_eq(event_word(daemon_ended(&d, opened), "how"), "reset");
}

START_TEST(a_program_that_works_on_after_a_reset_is_left_alone)
{
	const struct warm_work w = warm_start_work(&d, 2, "timeouts = { idle = \"500ms\"; };");

	client_reset(w.fd);
	ck_assert_str_eq(warm_hear(&w.up), "gone");
	check_left_alone(w.opened, &w.release);
} END_TEST

/* What the program says to a closed socket, is answered by a reset. */
START_TEST(a_program_that_works_on_after_a_close_is_left_alone)
{
	const struct warm_work w = warm_start_work(&d, 2, "timeouts = { idle = \"500ms\"; };");

	close(w.fd);
	ck_assert_str_eq(warm_hear(&w.up), "gone");
	check_left_alone(w.opened, &w.release);
} END_TEST

/* Sends until no more is taken, also when the worker has turned its loop meanwhile. */
static void fill_up(int fd)
{
	static const char much[65536];
	size_t before, sent = 0;

	do {
		before = sent;
		for (ssize_t n; (n = send(fd, much, sizeof much, MSG_DONTWAIT | MSG_NOSIGNAL)) > 0;)
			sent += (size_t)n;
		for (int i = 0; i < 2; i++)
			daemon_check_echo(&d, "s");
	} while (sent > before);
}

/* The worker does not read from the client then, since the program does not. */
START_TEST(a_program_that_works_on_after_a_reset_with_much_unread_is_left_alone)
{
	const struct warm_fifo up = warm_fifo("up"), release = warm_fifo("release");
	const struct event *opened;
	int fd;

	warm_start_script(&d, files_text("trap 'exit 7' TERM; read -r line; echo \"$line\"\n"
	                  "[ \"$line\" = work ] || exec cat\n"
	                  "echo working >%s; read -r line <%s; exit 0", up.path, release.path), 2, "",
	                  "timeouts = { idle = \"1s\"; };");
	fd = daemon_connect(&d, "s");
	opened = daemon_accepted(&d, fd);
	client_say(fd, "work\n");
	client_expect(fd, "work\n");
	ck_assert_str_eq(warm_hear(&up), "working");
	fill_up(fd);
	client_reset(fd);
	check_left_alone(opened, &release);
} END_TEST

/* And the connection, though its client is still there. */
START_TEST(a_kick_ends_the_program)
{
	const struct event *opened;
	int fd;

	warm_start_script(&d, ENDS_AT_TERM, 1, "", "timeouts = { linger = \"1h\"; };");
	fd = daemon_connect(&d, "s");
	opened = daemon_accepted(&d, fd);
	client_expect(fd, "ready\n");
	ck_assert_int_eq(operator_run_args(files_path("control.sock"), "kick", event_word(opened, "id")), 0);
	daemon_wait_for(&d, "program-end id=%s how=exit value=7", event_word(opened, "id"));
	ck_assert_str_eq(event_word(daemon_ended(&d, opened), "how"), "kick");
	client_expect_gone(fd);
	close(fd);
} END_TEST

int main(void)
{
	Suite *s = suite_create("warm_timeouts");
	TCase *tc = harness_case(s, "timeouts");

	tcase_add_loop_test(tc, a_silent_connection_times_out, 0, (int)ARRAY_SIZE(timeouts));
	tcase_add_test(tc, bytes_from_the_client_keep_a_connection);
	tcase_add_test(tc, bytes_from_the_program_keep_a_connection);
	tcase_add_test(tc, a_client_that_takes_nothing_is_idle);
	tcase_add_test(tc, a_client_that_takes_nothing_is_reset_when_the_program_has_ended);
	tcase_add_test(tc, a_program_that_works_on_after_a_reset_is_left_alone);
	tcase_add_test(tc, a_program_that_works_on_after_a_close_is_left_alone);
	tcase_add_test(tc, a_program_that_works_on_after_a_reset_with_much_unread_is_left_alone);
	tcase_add_test(tc, a_kick_ends_the_program);
	return harness_run(s);
}
