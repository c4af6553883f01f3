/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The small services discard, chargen, daytime and time, as their RFCs describe them.
 */
#include <config.h>
#include "harness.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MEBIBYTE       (1u << 20)
#define FROM_1900      2208988800u      /* seconds, to the epoch of unix */
#define CHARGEN_LINE   74               /* 72 characters, CR, LF */
#define CHARGEN_LINES  190              /* the ring of 95 characters, twice */

static struct daemon d;

static void start_service(const char *type)
{
	daemon_start(&d, SERVICES(SERVICE("s", "%s", "workers = 1;")), type);
}

START_TEST(discard_takes_everything_and_says_nothing)
{
	static char much[MEBIBYTE];
	const struct event *open, *end;
	int fd;

	start_service("discard");
	fd = daemon_connect(&d, "s");
	open = daemon_accepted(&d, fd);
	client_send(fd, much, sizeof much);
	client_end(fd);
	client_expect_end(fd);
	end = daemon_ended(&d, open);
	ck_assert_str_eq(event_word(end, "how"), "closed");
	ck_assert_int_eq(event_number(end, "in"), MEBIBYTE);
	ck_assert_int_eq(event_number(end, "out"), 0);
	close(fd);
} END_TEST

START_TEST(chargen_sends_the_rotating_pattern)
{
	char line[CHARGEN_LINE];
	int fd;

	start_service("chargen");
	fd = daemon_connect(&d, "s");
	for (int i = 0; i < CHARGEN_LINES; i++) {
		client_receive(fd, line, sizeof line);
		for (int k = 0; k < CHARGEN_LINE - 2; k++)
			ck_assert_int_eq(line[k], ' ' + (i + k) % 95);
		ck_assert_int_eq(line[CHARGEN_LINE - 2], '\r');
		ck_assert_int_eq(line[CHARGEN_LINE - 1], '\n');
	}
	client_reset(fd);
} END_TEST

START_TEST(chargen_throws_away_what_it_is_sent)
{
	char line[CHARGEN_LINE];
	int fd;

	start_service("chargen");
	fd = daemon_connect(&d, "s");
	client_say(fd, "does this disturb?");
	for (int i = 0; i < CHARGEN_LINES; i++)
		client_receive(fd, line, sizeof line);
	ck_assert_int_eq(line[0], ' ' + (CHARGEN_LINES - 1) % 95);
	client_reset(fd);
} END_TEST

START_TEST(daytime_sends_one_line_for_people)
{
	const char *line, *year;
	time_t before = time(NULL), after;
	struct tm tm;

	start_service("daytime");
	line = client_ask(daemon_address(&d, "s", 0));
	after = time(NULL);
	ck_assert_uint_gt(strlen(line), 2);
	ck_assert_str_eq(line + strlen(line) - 2, "\r\n");
	for (const char *at = line; *at != '\r'; at++)
		ck_assert_msg(isprint((unsigned char)*at), "byte %#x in the line", *at);

	/* The format of the line is free, but every format has the year. */
	localtime_r(&before, &tm);
	year = files_text("%d", tm.tm_year + 1900);
	if (!strstr(line, year)) {      /* New Year's Eve? */
		localtime_r(&after, &tm);
		year = files_text("%d", tm.tm_year + 1900);
	}
	ck_assert_msg(strstr(line, year), "no %s in %s", year, line);
} END_TEST

START_TEST(time_sends_the_seconds_since_1900)
{
	time_t before = time(NULL);
	uint32_t answer;
	int fd;

	start_service("time");
	fd = daemon_connect(&d, "s");
	client_receive(fd, &answer, sizeof answer);
	client_expect_end(fd);
	close(fd);
	ck_assert_uint_ge(ntohl(answer) - FROM_1900, (uint32_t)before);
	ck_assert_uint_le(ntohl(answer) - FROM_1900, (uint32_t)time(NULL));
} END_TEST

START_TEST(a_short_answer_ends_the_connection_as_served)
{
	const struct event *end;
	int fd;

	start_service("daytime");
	fd = daemon_connect(&d, "s");
	end = daemon_ended(&d, daemon_accepted(&d, fd));
	ck_assert_str_eq(event_word(end, "how"), "served");
	ck_assert_uint_eq((size_t)event_number(end, "out"), strlen(client_read_all(fd)));
	close(fd);
} END_TEST

START_TEST(a_client_that_sends_much_still_gets_the_short_answer)
{
	static char much[MEBIBYTE];
	const char *answer;
	int fd;

	start_service("daytime");
	fd = daemon_connect(&d, "s");
	/* The service has long answered and closed: none of this may become a reset. */
	daemon_ended(&d, daemon_accepted(&d, fd));
	client_send(fd, much, sizeof much);
	answer = client_read_all(fd);
	ck_assert_uint_gt(strlen(answer), 10);
	client_send(fd, much, sizeof much);
	close(fd);
} END_TEST

int main(void)
{
	Suite *s = suite_create("builtin");
	TCase *tc = harness_case(s, "builtin");

	tcase_add_test(tc, discard_takes_everything_and_says_nothing);
	tcase_add_test(tc, chargen_sends_the_rotating_pattern);
	tcase_add_test(tc, chargen_throws_away_what_it_is_sent);
	tcase_add_test(tc, daytime_sends_one_line_for_people);
	tcase_add_test(tc, time_sends_the_seconds_since_1900);
	tcase_add_test(tc, a_short_answer_ends_the_connection_as_served);
	tcase_add_test(tc, a_client_that_sends_much_still_gets_the_short_answer);
	return harness_run(s);
}
