/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Warm programs: joined to connections, and what goes between them. What such a program
 * finds when it starts is in warm_finds.c, how it waits in warm_ends.c, what becomes of
 * odd clients in warm_clients.c, and of the server in warm_server.c.
 */
#include <config.h>
#include "harness.h"
#include "warm_harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BIG ((size_t)64 << 20)

static struct daemon d;

/* Says who it is before anybody asks. */
#define GREETER "echo $$; exec cat"

/* ---- joined ------------------------------------------------------------- */

START_TEST(all_wait_before_the_first_client_comes)
{
	daemon_start(&d, SERVICES(EXEC("s", "argv = \"/bin/cat\"; warm = 3;", "workers = 2;")));
	ck_assert_uint_eq(daemon_saw(&d, "warm-start"), 6);
	for (int i = 0; i < 2; i++) {
		pid_t worker = daemon_next_worker(&d, "s");

		ck_assert_uint_eq(daemon_saw(&d, "warm-start service=s pid=%d", worker), 3);
	}
} END_TEST

START_TEST(the_one_that_has_waited_longest_is_joined)
{
	pid_t waiting[3];
	size_t at = 0;
	int fds[7];

	warm_start_script(&d, GREETER, ARRAY_SIZE(waiting), "", "");
	for (size_t i = 0; i < ARRAY_SIZE(waiting); i++)
		waiting[i] = warm_next(&d);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = daemon_connect(&d, "s");
		ck_assert_int_eq(warm_joined(&d, daemon_accepted(&d, fds[i])), waiting[at]);
		client_expect(fds[i], files_text("%d\n", waiting[at]));
		waiting[at] = warm_next(&d);
		at = (at + 1) % ARRAY_SIZE(waiting);
	}
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		client_echo(fds[i]);
		close(fds[i]);
	}
	ck_assert_uint_eq(daemon_saw(&d, "program-start"), 0);
	ck_assert_uint_eq(daemon_saw(&d, "warm-end"), 0);
} END_TEST

START_TEST(figures_tell_what_warm_programs_do)
{
	const struct event *opened;
	int first, second;

	warm_start(&d, WARM_CAT, 2, "", "restart = { delay_min = \"20s\"; };");
	warm_check_figures(2, 0, 0, 0);
	for (int i = 0; i < 2; i++)
		kill(warm_next(&d), SIGSEGV);
	for (int i = 0; i < 2; i++)
		daemon_wait_for(&d, "warm-end reason=crash");
	warm_check_figures(0, 0, 0, 2);
	first = daemon_connect(&d, "s");
	opened = daemon_accepted(&d, first);
	ck_assert_int_gt(warm_cold(&d, opened), 0);
	warm_check_figures(0, 0, 1, 2);
	daemon_reload(&d, "%s", warm_config(WARM_CAT, 2, "", ""));
	for (int i = 0; i < 2; i++)
		client_echo(first);             /* then its worker has turned its loop: it accepts no more */
	second = daemon_connect_echo(&d, "s");
	warm_joined(&d, daemon_accepted(&d, second));
	for (int i = 0; i < 3; i++)
		warm_next(&d);
	warm_check_figures(2, 1, 1, 2);
	close(first);
	close(second);
} END_TEST

START_TEST(more_than_wait_are_all_served)
{
	struct load l = { .n_clients = 100, .bytes = 50000 };

	warm_start(&d, WARM_CAT, 2, "", "");
	l.address = daemon_address(&d, "s", 0);
	load_start(&l);
	load_stop(&l);
	ck_assert_uint_eq(l.done, 100);
	for (int i = 0; i < 100; i++)
		daemon_wait_for(&d, "connection-end how=exit in=50000 out=50000");
	ck_assert_uint_eq(daemon_saw(&d, "warm-join") + daemon_saw(&d, "program-start"), 100);
} END_TEST

/* ---- bytes -------------------------------------------------------------- */

START_TEST(a_greeting_waits_for_the_client)
{
	int fd;

	warm_start_script(&d, "echo 220 ready; read -r line; echo \"250 $line\"", 1, "", "");
	fd = daemon_connect(&d, "s");
	client_expect(fd, "220 ready\n");
	client_say(fd, "HELO\n");
	client_expect(fd, "250 HELO\n");
	client_expect_end(fd);
	close(fd);
} END_TEST

static const struct { const char *argv, *says, *answer; } filters[] = {
	{ "\"/bin/cat\"",                    "no newline", "no newline" },
	{ "[ \"/usr/bin/wc\", \"-c\" ]",     "seven b",    "7\n" },
	{ "\"/usr/bin/md5sum\"",             "abc",        "900150983cd24fb0d6963f7d28e17f72  -\n" },
	{ "[ \"/usr/bin/sort\", \"-r\" ]",   "a\nb\n",     "b\na\n" },
};

START_TEST(a_program_sees_the_clients_half_close)
{
	const struct event *opened;
	int fd;

	warm_start(&d, filters[_i].argv, 1, "", "");
	fd = daemon_connect(&d, "s");
	opened = daemon_accepted(&d, fd);
	client_say(fd, filters[_i].says);
	client_end(fd);
	ck_assert_str_eq(client_read_all(fd), filters[_i].answer);
	ck_assert(event_has(daemon_ended(&d, opened), files_text("connection-end how=exit in=%zu out=%zu",
	                    strlen(filters[_i].says), strlen(filters[_i].answer))));
	close(fd);
} END_TEST

/* Also for a client that sends nothing, and for one that has sent all before it is joined. */
START_TEST(an_end_that_comes_first_is_passed_on)
{
	int fd;

	warm_start(&d, "[ \"/usr/bin/wc\", \"-c\" ]", 1, "", "");
	for (int i = 0; i < 5; i++) {
		fd = daemon_connect(&d, "s");
		client_end(fd);
		ck_assert_str_eq(client_read_all(fd), "0\n");
		close(fd);
	}
} END_TEST

/* Noise in a file of the test, and in memory. */
static const char *make_big(const char **path)
{
	const char *bytes;
	int fd;

	*path = files_path("big");
	ck_assert_int_eq(process_run_args("sh", "-c", files_text("head -c %zu /dev/urandom >%s", BIG,
	                                                         *path)), 0);
	fd = open(*path, O_RDONLY | O_CLOEXEC);
	bytes = mmap(NULL, BIG, PROT_READ, MAP_PRIVATE, fd, 0);
	ck_assert_msg(bytes != MAP_FAILED, "mmap: %m");
	close(fd);
	return bytes;
}

START_TEST(much_goes_to_a_program)
{
	const struct event *opened;
	const char *path, *bytes = make_big(&path);
	int fd;

	ck_assert_int_eq(process_run_args("sh", "-c", files_text("sha256sum <%s >%s.sum", path, path)), 0);
	warm_start(&d, "\"/usr/bin/sha256sum\"", 1, "", "");
	fd = daemon_connect(&d, "s");
	opened = daemon_accepted(&d, fd);
	client_send(fd, bytes, BIG);
	client_end(fd);
	ck_assert_str_eq(client_read_all(fd), files_read(files_path("big.sum")));
	ck_assert_int_eq(event_number(daemon_ended(&d, opened), "in"), (long long)BIG);
	close(fd);
} END_TEST

/* It closes first, and as soon as it has written the last byte. */
START_TEST(much_comes_from_a_program)
{
	const struct event *opened;
	const char *path, *bytes = make_big(&path);
	char *got = malloc(BIG);
	int fd;

	warm_start(&d, files_text("[ \"/bin/cat\", \"%s\" ]", path), 1, "", "");
	fd = daemon_connect(&d, "s");
	opened = daemon_accepted(&d, fd);
	client_receive(fd, got, BIG);
	client_expect_end(fd);
	ck_assert_int_eq(memcmp(got, bytes, BIG), 0);
	free(got);
	ck_assert(event_has(daemon_ended(&d, opened),
	                    files_text("connection-end how=exit in=0 out=%zu", BIG)));
	close(fd);
} END_TEST

START_TEST(much_goes_both_ways_at_once)
{
	struct load l = { .n_clients = 1, .bytes = BIG };

	warm_start(&d, WARM_CAT, 1, "", "");
	l.address = daemon_address(&d, "s", 0);
	load_start(&l);
	load_stop(&l);
	ck_assert_uint_eq(l.done, 1);
} END_TEST

START_TEST(a_client_sees_the_programs_half_close)
{
	const struct warm_fifo result = warm_fifo("result");
	const char *script = files_write("script.py", "import socket\n"
		"s = socket.socket(fileno=0)\n"
		"s.sendall(b'bye\\n')\n"
		"s.shutdown(socket.SHUT_WR)\n"
		"n = len(s.makefile('rb').read())\n"
		"open('%s', 'w').write('%%d\\n' %% n)\n", result.path);
	int fd;

	warm_start(&d, files_text("[ \"/usr/bin/env\", \"python3\", \"%s\" ]", script), 1, "", "");
	fd = daemon_connect(&d, "s");
	ck_assert_str_eq(client_read_all(fd), "bye\n");
	ck_assert_uint_eq(daemon_saw(&d, "program-end"), 0);
	client_say(fd, "still heard");
	client_end(fd);
	ck_assert_str_eq(warm_hear(&result), "11");
	daemon_wait_for(&d, "program-end how=exit value=0");
	ck_assert(event_has(daemon_wait_for(&d, "connection-end"), "connection-end how=exit in=11 out=4"));
	close(fd);
} END_TEST

/* ---- how it ended, and what it complained about ------------------------- */

START_TEST(how_it_ended_is_told)
{
	static const struct { const char *script, *how; int value; const char *log; } rows[] = {
		{ "read -r line; echo hello; exit 0",        "exit",   0,       " exit=0\n" },
		{ "read -r line; echo hello; exit 3",        "exit",   3,       " exit=3\n" },
		{ "read -r line; echo hello; kill -SEGV $$", "signal", SIGSEGV, " signal=SEGV\n" },
	};
	const struct event *opened;
	const char *script, *log;
	pid_t pid;
	int fd;

	script = files_script("script", "%s", rows[_i].script);
	daemon_start(&d, "access_log = { target = \"%s\"; };\n%s", files_path("access.log"),
	             warm_config(files_text("\"%s\"", script), 1, "", ""));
	pid = warm_next(&d);
	fd = daemon_connect(&d, "s");
	opened = daemon_accepted(&d, fd);
	client_say(fd, "go\n");
	ck_assert_str_eq(client_read_all(fd), "hello\n");
	daemon_wait_for(&d, "program-end id=%s program=%d how=%s value=%d", event_word(opened, "id"), pid,
	                rows[_i].how, rows[_i].value);
	ck_assert(event_has(daemon_ended(&d, opened), "connection-end how=exit in=3 out=6"));
	close(fd);
	daemon_settle_logs(&d);
	log = files_read(files_path("access.log"));
	ck_assert_msg(strstr(log, " in=3 out=6 how=exit "), "%s", log);
	ck_assert_msg(strstr(log, rows[_i].log), "%s", log);
	ck_assert_msg(strstr(log, files_text(" id=%s peer=127.0.0.1:", event_word(opened, "id"))), "%s", log);
} END_TEST

/* Of the second one, so that all it said was heard in a turn in which the first was joined. */
START_TEST(standard_error_goes_to_the_log_under_the_name_that_it_has)
{
	const struct warm_fifo up = warm_fifo("up");
	const struct event *opened;
	const char *log;
	pid_t second;
	int fds[2];

	warm_start_script(&d, files_text("echo 'too early' >&2; echo >%s; read -r line; echo 'too late' >&2",
	                  up.path), 2, "", "");
	warm_next(&d);
	second = warm_next(&d);
	for (int i = 0; i < 2; i++)
		warm_hear(&up);
	for (int i = 0; i < 2; i++) {
		fds[i] = daemon_connect(&d, "s");
		opened = daemon_accepted(&d, fds[i]);
	}
	ck_assert_int_eq(warm_joined(&d, opened), second);
	for (int i = 0; i < 2; i++) {
		client_say(fds[i], "go\n");
		client_expect_end(fds[i]);
		close(fds[i]);
	}
	daemon_ended(&d, opened);
	daemon_stop(&d, SIGTERM);
	log = daemon_errors(&d);
	ck_assert_uint_eq(files_count(log, files_text(" s %d: too early\n", second)), 1);
	ck_assert_uint_eq(files_count(log, files_text(" s %s %d: too late\n", event_word(opened, "id"), second)), 1);
} END_TEST

static void check_no_complaint_in_log(void)
{
	daemon_stop(&d, SIGTERM);
	ck_assert_ptr_null(strstr(daemon_errors(&d), "complaint"));
}

#define COMPLAINS "echo complaint 1 >&2; read -r line; echo complaint 2 >&2; echo done"

START_TEST(standard_error_can_go_to_the_client)
{
	int fd;

	warm_start_script(&d, COMPLAINS, 1, "stderr = \"client\";", "");
	fd = daemon_connect(&d, "s");
	client_expect(fd, "complaint 1\n");
	client_say(fd, "go\n");
	ck_assert_str_eq(client_read_all(fd), "complaint 2\ndone\n");
	close(fd);
	check_no_complaint_in_log();
} END_TEST

START_TEST(standard_error_can_go_nowhere)
{
	int fd;

	warm_start_script(&d, COMPLAINS, 1, "stderr = \"null\";", "");
	fd = daemon_connect(&d, "s");
	client_say(fd, "go\n");
	ck_assert_str_eq(client_read_all(fd), "done\n");
	close(fd);
	check_no_complaint_in_log();
} END_TEST

int main(void)
{
	Suite *s = suite_create("warm");
	TCase *tc = harness_case(s, "joined");

	tcase_add_test(tc, all_wait_before_the_first_client_comes);
	tcase_add_test(tc, the_one_that_has_waited_longest_is_joined);
	tcase_add_test(tc, figures_tell_what_warm_programs_do);
	tcase_add_test(tc, more_than_wait_are_all_served);

	tc = harness_case(s, "bytes");
	tcase_add_test(tc, a_greeting_waits_for_the_client);
	tcase_add_loop_test(tc, a_program_sees_the_clients_half_close, 0, (int)ARRAY_SIZE(filters));
	tcase_add_test(tc, an_end_that_comes_first_is_passed_on);
	tcase_add_test(tc, much_goes_to_a_program);
	tcase_add_test(tc, much_comes_from_a_program);
	tcase_add_test(tc, much_goes_both_ways_at_once);
	harness_add_if(process_is_installed("python3"), "python3 is not installed", tc,
	               a_client_sees_the_programs_half_close);

	tc = harness_case(s, "told");
	tcase_add_loop_test(tc, how_it_ended_is_told, 0, 3);
	tcase_add_test(tc, standard_error_goes_to_the_log_under_the_name_that_it_has);
	tcase_add_test(tc, standard_error_can_go_to_the_client);
	tcase_add_test(tc, standard_error_can_go_nowhere);
	return harness_run(s);
}
