/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Filters whose clients send no frames: what one read brought is a request. Some of the filters
 * are the example process_data.py, as it is or with another function in its place.
 */
#include <config.h>
#include "filter_harness.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLIENTS 8
#define ROUNDS  5
#define LONG    (200 << 10)

static void start(const char *handler, const char *rest)
{
	daemon_start(&d, SERVICES(" s = { listen = \"127.0.0.1:0\"; workers = 1;"
	             " handler = { type = \"filter\"; framing = \"raw\"; %s }; %s };"), handler, rest);
}

/* argv of the example, in which this replaces the function. */
static const char *example_with(const char *function)
{
	const char *script = files_write("script.py",
		"import sys, time\nsys.path.insert(0, '%s/etc/examples')\nimport process_data\n%s\n"
		"process_data.process_data = answer\nprocess_data.main()\n", getenv("top_srcdir"), function);

	return files_text("argv = [ \"/usr/bin/env\", \"python3\", \"-B\", \"%s\" ];", script);
}

/* Bytes of all values, in no order that a frame would have. */
static void fill(char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)(i * 7 + i / 256);
}

/* ---- the example -------------------------------------------------------- */

/* The configuration in its first comment, with a free port and the file where it is. */
static const char *configuration_of_the_example(void)
{
	process_must("/bin/sh", "-c", files_text("cd '%s/etc/examples' && sed -n"
	             " \"s/^#     //; T; s/\\*:7105/127.0.0.1:0/; s,/usr/local/lib,$PWD,; p\""
	             " process_data.py", getenv("top_srcdir")));
	return files_read(files_path("command-output"));
}

START_TEST(the_example_answers_several_clients_as_it_is)
{
	int fds[CLIENTS];

	daemon_start(&d, "%s", configuration_of_the_example());
	for (int i = 0; i < CLIENTS; i++)
		fds[i] = daemon_connect(&d, "process_data");
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < CLIENTS; i++)
			client_say(fds[i], files_text("from client %d, round %d", i, round));
		for (int i = 0; i < CLIENTS; i++)
			client_expect(fds[i], files_text("FROM CLIENT %d, ROUND %d", i, round));
	}
	for (int i = 0; i < CLIENTS; i++)
		close(fds[i]);
	ck_assert_uint_eq(daemon_saw(&d, "filter-end"), 0);
	daemon_stop(&d, SIGTERM);       /* the end of its input ends it: no signal has to */
	daemon_wait_for(&d, "filter-end reason=drained how=exit value=0");
} END_TEST

START_TEST(what_its_function_prints_and_raises_is_in_the_log)
{
	int fd;

	start(files_text("%s error_reply = \"sorry\";", example_with(
	      "def answer(data):\n    print('it is asked')\n    return b'%d' % int(data)")),
	      "restart = { delay_min = \"10ms\"; delay_max = \"10ms\"; };");
	fd = filter_say("17");
	client_expect(fd, "17");
	client_say(fd, "seventeen");
	client_expect(fd, "sorry");
	daemon_wait_for(&d, "filter-end reason=died how=exit value=1");
	client_say(fd, "18");
	client_expect(fd, "18");
	close(fd);
	daemon_stop(&d, SIGTERM);
	harness_contains(daemon_errors(&d), ": it is asked\n");
	harness_contains(daemon_errors(&d), ": ValueError: invalid literal for int()");
} END_TEST

/* ---- what is a request -------------------------------------------------- */

#define MARKS "def answer(data):\n    return b'<' + data + b'>'"

/* As a program sees it that is slow to receive again. */
START_TEST(what_comes_while_a_request_is_answered_is_the_next_one)
{
	pid_t program;
	int fd;

	start(example_with(MARKS), "");
	fd = filter_say("first");
	client_expect(fd, "<first>");
	program = (pid_t)event_number(daemon_wait_for(&d, "filter-start"), "program");
	filter_hold(program);
	client_say(fd, "one");
	filter_barrier();
	client_say(fd, "two, ");
	filter_barrier();
	client_say(fd, "three");
	filter_barrier();
	filter_go_on(program);
	client_expect(fd, "<one><two, three>");
	close(fd);
} END_TEST

START_TEST(one_that_is_longer_than_max_request_is_several)
{
	int fd;

	start(example_with("def answer(data):\n    return b'%d,' % len(data)"), "max_request = 8;");
	fd = filter_say("0123456789abcdefghi");
	client_expect(fd, "8,8,3,");
	client_say(fd, "01234567");
	client_expect(fd, "8,");
	close(fd);
} END_TEST

START_TEST(a_client_that_sends_nothing_and_ends_its_side_asks_nothing)
{
	int fd;

	start(example_with(MARKS), "");
	fd = daemon_connect(&d, "s");
	client_end(fd);
	client_expect_end(fd);
	ck_assert_str_eq(event_word(daemon_wait_for(&d, "connection-end"), "how"), "closed");
	close(fd);
} END_TEST

START_TEST(an_empty_answer_sends_nothing_and_the_client_goes_on)
{
	int fd;

	start(example_with("def answer(data):\n    return data.replace(b'secret', b'')"), "");
	fd = filter_say("secret");
	filter_settle();
	client_say(fd, "hello");
	client_end(fd);
	ck_assert_str_eq(client_read_all(fd), "hello");
	close(fd);
} END_TEST

/* ---- what passes -------------------------------------------------------- */

static const struct { const char *handler, *rest; } ways[] = {
	{ "", "" },
	{ "filter_framing = \"netstring\"; in_flight = 4;", "" },
	{ "filter_framing = \"length16\";", "" },
	{ "filter_framing = \"length16\"; share = \"connection\";", "max_request = \"16M\";" },
	{ "", "max_request = 1000;" },
	{ "filter_framing = \"netstring\"; in_flight = 8;", "max_request = 1000;" },
};

/* It ends its side before it has read a byte. */
START_TEST(all_bytes_of_a_long_request_come_back)
{
	char *bytes = malloc(LONG), *got = malloc(LONG);
	int fd;

	fill(bytes, LONG);
	start(files_text("argv = \"/bin/cat\"; %s", ways[_i].handler), ways[_i].rest);
	fd = daemon_connect(&d, "s");
	client_send(fd, bytes, LONG);
	client_end(fd);
	client_receive(fd, got, LONG);
	ck_assert_mem_eq(got, bytes, LONG);
	client_expect_end(fd);
	ck_assert_str_eq(event_word(daemon_wait_for(&d, "connection-end"), "how"), "closed");
	ck_assert_uint_eq(daemon_saw(&d, "filter-end reason=broken"), 0);
	close(fd);
	free(bytes);
	free(got);
} END_TEST

/* Bytes of all values, in pieces of all sizes, without waiting for an answer. */
START_TEST(all_bytes_of_a_client_that_does_not_wait_come_back)
{
	char bytes[64 * 63 / 2], got[sizeof bytes];
	size_t at = 0;
	int fd;

	fill(bytes, sizeof bytes);
	start(files_text("argv = \"/bin/cat\"; %s", ways[_i].handler), ways[_i].rest);
	fd = daemon_connect(&d, "s");
	for (size_t n = 1; n < 64; at += n++)
		client_send(fd, bytes + at, n);
	ck_assert_uint_eq(at, sizeof bytes);
	client_receive(fd, got, sizeof bytes);
	ck_assert_mem_eq(got, bytes, sizeof bytes);
	close(fd);
} END_TEST

START_TEST(the_filter_reads_the_address_of_the_client_before_each_request)
{
	const char *said = files_path("said"), *line;
	const struct event *opened;
	int fd;

	start(files_text("filter_framing = \"netstring\"; prefix = \"peer\"; argv = \"%s\";",
	      files_script("script", "while read -r client; do echo \"$client\" >>%s\n"
	                   "dd bs=1 count=6 2>/dev/null\ndone", said)), "");
	fd = daemon_connect(&d, "s");
	opened = daemon_accepted(&d, fd);
	client_say(fd, "abc");
	client_expect(fd, "abc");
	client_say(fd, "\n,:");
	client_expect(fd, "\n,:");
	line = files_text("127.0.0.1 %s %s\n", client_port(fd), event_word(opened, "id"));
	ck_assert_str_eq(files_read(said), files_text("%s%s", line, line));
	close(fd);
} END_TEST

/* No request waits for its end: the time-out `request` only counts while one is answered. */
START_TEST(a_request_that_is_not_answered_in_time_ends_the_connection)
{
	const struct event *asked;
	int silent, fd;

	start(files_text("argv = \"%s\";", files_script("script", "exec sleep 60")),
	      "timeouts = { request = \"300ms\"; };");
	silent = daemon_connect(&d, "s");
	daemon_accepted(&d, silent);
	fd = filter_say("hello");
	asked = daemon_accepted(&d, fd);
	ck_assert_str_eq(event_word(daemon_ended(&d, asked), "how"), "request");
	client_expect_gone(fd);
	ck_assert_uint_eq(daemon_saw(&d, "connection-end"), 1);
	close(silent);
	close(fd);
} END_TEST

static void add_tests_of_the_example(TCase *tc)
{
	tcase_add_test(tc, the_example_answers_several_clients_as_it_is);
	tcase_add_test(tc, what_its_function_prints_and_raises_is_in_the_log);
	tcase_add_test(tc, what_comes_while_a_request_is_answered_is_the_next_one);
	tcase_add_test(tc, one_that_is_longer_than_max_request_is_several);
	tcase_add_test(tc, a_client_that_sends_nothing_and_ends_its_side_asks_nothing);
	tcase_add_test(tc, an_empty_answer_sends_nothing_and_the_client_goes_on);
}

int main(void)
{
	Suite *s = suite_create("filter_raw");
	TCase *tc = harness_case(s, "example");

	if (process_is_installed("python3"))
		add_tests_of_the_example(tc);
	else
		harness_skip("process_data.py", "python3 is not installed");

	tc = harness_case(s, "bytes");
	tcase_add_loop_test(tc, all_bytes_of_a_long_request_come_back, 0, (int)ARRAY_SIZE(ways));
	tcase_add_loop_test(tc, all_bytes_of_a_client_that_does_not_wait_come_back, 0,
	                    (int)ARRAY_SIZE(ways));
	tcase_add_test(tc, the_filter_reads_the_address_of_the_client_before_each_request);
	tcase_add_test(tc, a_request_that_is_not_answered_in_time_ends_the_connection);
	return harness_run(s);
}
