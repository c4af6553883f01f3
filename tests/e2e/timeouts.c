/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Time-outs of connections. Where a test has to know that time has passed, a
 * longer time-out of the daemon's own tells.
 */
#include <config.h>
#include "harness.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct daemon d;

/* One worker, so that all connections have the same clock. */
static void start_service(const char *type, const char *timeouts)
{
	daemon_start(&d, SERVICES(SERVICE("s", "%s", "workers = 1; timeouts = { %s };")), type, timeouts);
}

START_TEST(a_silent_client_is_idle)
{
	int fd;

	start_service("echo", "idle = \"200ms\";");
	fd = daemon_connect(&d, "s");
	ck_assert_str_eq(event_word(daemon_ended(&d, daemon_accepted(&d, fd)), "how"), "idle");
	client_expect_end(fd);
	close(fd);
} END_TEST

START_TEST(a_client_that_keeps_talking_is_not_idle)
{
	struct load talker = { .n_clients = 1 };
	int silent;

	start_service("echo", "idle = \"400ms\";");
	talker.address = daemon_address(&d, "s", 0);
	load_start(&talker);
	load_wait_flow(&talker);
	silent = daemon_connect(&d, "s");
	ck_assert_str_eq(event_word(daemon_ended(&d, daemon_accepted(&d, silent)), "how"), "idle");
	close(silent);
	load_wait_flow(&talker);
	load_stop(&talker);
	ck_assert_uint_eq(talker.done, 1);
} END_TEST

START_TEST(a_client_that_takes_nothing_runs_into_the_write_timeout)
{
	int fd;

	start_service("chargen", "write = \"200ms\";");
	fd = daemon_connect(&d, "s");
	ck_assert_str_eq(event_word(daemon_ended(&d, daemon_accepted(&d, fd)), "how"), "write");
	client_expect_gone(fd);
	close(fd);
} END_TEST

START_TEST(an_echo_that_is_not_read_runs_into_the_write_timeout)
{
	struct turn_hook flood;
	int fd;

	start_service("echo", "write = \"200ms\"; idle = 0;");
	fd = daemon_connect(&d, "s");
	client_flood(&flood, fd);
	ck_assert_str_eq(event_word(daemon_ended(&d, daemon_accepted(&d, fd)), "how"), "write");
	client_flood_end(&flood);
	close(fd);
} END_TEST

START_TEST(a_session_ends_however_busy_it_is)
{
	struct load talker = { .n_clients = 1, .may_lose = true };
	const struct event *end;

	start_service("echo", "session = \"300ms\";");
	talker.address = daemon_address(&d, "s", 0);
	load_start(&talker);
	load_wait_flow(&talker);
	end = daemon_wait_for(&d, "connection-end");
	ck_assert_str_eq(event_word(end, "how"), "session");
	load_wait_lost(&talker, 1);
	load_stop(&talker);
} END_TEST

START_TEST(timeouts_given_as_numbers_are_seconds)
{
	int fd;

	start_service("echo", "idle = 1; session = 0.2;");
	fd = daemon_connect(&d, "s");
	ck_assert_str_eq(event_word(daemon_ended(&d, daemon_accepted(&d, fd)), "how"), "session");
	close(fd);
} END_TEST

START_TEST(a_closing_connection_is_waited_for_no_longer_than_linger)
{
	const char *const format =
		SERVICES(SERVICE_AT("day", "\"unix:%s\"", "daytime", "workers = 1; timeouts = { linger = \"100ms\"; };")
		         SERVICE("echo", "echo", "workers = 1; timeouts = { session = \"800ms\"; };"));
	int fd, clock;

	daemon_start(&d, format, files_path("day"));
	fd = daemon_connect(&d, "day");
	daemon_wait_for(&d, "connection-end service=day how=served");
	client_say(fd, "still here");
	clock = daemon_connect(&d, "echo");
	daemon_wait_for(&d, "connection-end service=echo how=session");
	client_read_all(fd);
	ck_assert_int_eq(send(fd, "x", 1, MSG_NOSIGNAL), -1);
	close(fd);
	close(clock);
} END_TEST

START_TEST(a_lingering_connection_has_given_its_slot_back)
{
	int first, second;

	daemon_start(&d, SERVICES(SERVICE("s", "daytime", "workers = 1; connections = 1;"
	             " timeouts = { linger = \"1h\"; };")));
	first = daemon_connect(&d, "s");
	ck_assert_uint_gt(strlen(client_read_all(first)), 0);
	second = daemon_connect(&d, "s");
	ck_assert_uint_gt(strlen(client_read_all(second)), 0);
	client_say(first, "I do not go");
	close(first);
	close(second);
} END_TEST

int main(void)
{
	Suite *s = suite_create("timeouts");
	TCase *tc = harness_case(s, "timeouts");

	tcase_add_test(tc, a_silent_client_is_idle);
	tcase_add_test(tc, a_client_that_keeps_talking_is_not_idle);
	tcase_add_test(tc, a_client_that_takes_nothing_runs_into_the_write_timeout);
	tcase_add_test(tc, an_echo_that_is_not_read_runs_into_the_write_timeout);
	tcase_add_test(tc, a_session_ends_however_busy_it_is);
	tcase_add_test(tc, timeouts_given_as_numbers_are_seconds);
	tcase_add_test(tc, a_closing_connection_is_waited_for_no_longer_than_linger);
	tcase_add_test(tc, a_lingering_connection_has_given_its_slot_back);
	return harness_run(s);
}
