/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What happens to clients when a filter does not work correctly: odd_filter.c does what it
 * is told, line by line.
 */
#include <config.h>
#include "filter_harness.h"

#include <string.h>
#include <unistd.h>

static const struct { const char *request, *before, *end; } faults[] = {
	{ "die\n", "", "reason=died how=exit value=3" },
	{ "crash\n", "", "reason=died how=signal value=9" },
	{ "never\n", "", "reason=timeout how=signal value=9" },
	{ "mute\n", "", "reason=died how=signal value=9" },
	{ "much 1001\n", "", "reason=too-long how=signal value=9" },
};

/* The others get answers from the next process, at once. */
START_TEST(a_filter_that_fails_costs_the_one_connection)
{
	int before, poisonous, behind;

	filter_start("timeout = \"300ms\";", "max_request = 1000;");
	before = filter_say("hello\n");
	client_expect(before, "hello\n");
	poisonous = filter_say(faults[_i].request);
	behind = filter_say("count\n");
	filter_expect_failure(poisonous);
	client_expect(behind, "1\n");
	daemon_wait_for(&d, "filter-end %s", faults[_i].end);
	client_say(before, "hello\n");
	client_expect(before, "hello\n");
	ck_assert_uint_eq(daemon_saw(&d, "filter-delayed"), 0);
	close(before);
	close(behind);
} END_TEST

/* Also if nothing was ever answered, because the cause is the request. */
START_TEST(poison_does_not_slow_the_service_down)
{
	filter_start("", "");
	for (int i = 0; i < 20; i++)
		filter_expect_failure(filter_say("die\n"));
	filter_check("hello\n", "hello\n");
	ck_assert_uint_eq(daemon_saw(&d, "filter-delayed"), 0);
} END_TEST

START_TEST(error_reply_stands_in_for_the_answer)
{
	filter_start("error_reply = \"sorry\"; timeout = \"300ms\";", "");
	filter_check("one\ndie\ntwo\nnever\nthree\n", "one\nsorry\ntwo\nsorry\nthree\n");
} END_TEST

START_TEST(a_second_answer_has_no_request)
{
	int fd;

	filter_start("", "");
	fd = filter_say("twice\n");
	client_expect(fd, "twice\n");
	daemon_wait_for(&d, "filter-end reason=unasked");
	client_say(fd, "count\n");
	client_expect(fd, "1\n");
	close(fd);
} END_TEST

START_TEST(an_answer_may_come_byte_by_byte)
{
	filter_start("", "");
	filter_check("bytes\nbytes\n", "byte\nbyte\n");
} END_TEST

START_TEST(an_answer_that_is_no_frame_ends_the_filter)
{
	daemon_start(&d, FILTER("argv = \"%s\"; filter_framing = \"length16\"; timeout = \"300ms\";",
	             "max_request = 1000;"), files_script("script", "printf nonsense; cat"));
	filter_expect_failure(filter_say("hello\n"));
} END_TEST

START_TEST(standard_error_goes_to_the_log)
{
	filter_start("", "");
	filter_check("flood\nhello\n", "flood\nhello\n");
	filter_check("flood\nhello\n", "flood\nhello\n");
	harness_contains(daemon_errors(&d), ": complaint 0\n");
} END_TEST

START_TEST(a_program_that_never_answers_may_be_buffering)
{
	filter_start("timeout = \"200ms\";", "");
	filter_expect_failure(filter_say("never\n"));
	harness_contains(daemon_errors(&d),
	                 "No newline within 200ms: is its input or output buffered?");
} END_TEST

START_TEST(a_program_that_dies_at_once_backs_off_alone)
{
	daemon_start(&d, SERVICES(SERVICE("e", "echo", "workers = 1;")
	             " s = { listen = \"127.0.0.1:0\"; workers = 1; restart = { delay_min = \"10ms\"; };"
	             " handler = { type = \"filter\"; framing = \"line\"; timeout = \"200ms\";"
	             " argv = [ \"%s\", \"die\" ]; }; };"), filter_odd());
	for (int after = 10; after <= 160; after *= 2)
		daemon_wait_for(&d, "filter-delayed after=%d service=s", after);
	daemon_check_echo(&d, "e");
	filter_expect_failure(filter_say("hello\n"));
	ck_assert_uint_eq(daemon_saw(&d, "worker-end"), 0);
} END_TEST

START_TEST(a_program_that_talks_before_it_is_asked_backs_off)
{
	filter_start_in("greet", "", "restart = { delay_min = \"10ms\"; };");
	for (int after = 10; after <= 40; after *= 2) {
		daemon_wait_for(&d, "filter-delayed after=%d", after);
		daemon_wait_for(&d, "filter-end reason=unasked how=signal value=9 answered=0");
	}
} END_TEST

START_TEST(what_a_dead_one_has_not_read_goes_to_the_next)
{
	const char *script = files_script("script", "[ -e %1$s ] || { : >%1$s; exit 1; }\nexec cat",
	                                  files_path("was-here"));

	daemon_start(&d, FILTER("argv = \"%s\";", ""), script);
	filter_check("hello\n", "hello\n");
	daemon_wait_for(&d, "filter-end reason=died how=exit value=1 answered=0");
} END_TEST

int main(void)
{
	Suite *s = suite_create("filter_faults");
	TCase *tc = harness_case(s, "faults");

	tcase_add_loop_test(tc, a_filter_that_fails_costs_the_one_connection, 0, (int)ARRAY_SIZE(faults));
	tcase_add_test(tc, poison_does_not_slow_the_service_down);
	tcase_add_test(tc, error_reply_stands_in_for_the_answer);
	tcase_add_test(tc, a_second_answer_has_no_request);
	tcase_add_test(tc, an_answer_may_come_byte_by_byte);
	tcase_add_test(tc, an_answer_that_is_no_frame_ends_the_filter);
	tcase_add_test(tc, standard_error_goes_to_the_log);
	tcase_add_test(tc, a_program_that_never_answers_may_be_buffering);
	tcase_add_test(tc, a_program_that_dies_at_once_backs_off_alone);
	tcase_add_test(tc, a_program_that_talks_before_it_is_asked_backs_off);
	tcase_add_test(tc, what_a_dead_one_has_not_read_goes_to_the_next);
	return harness_run(s);
}
