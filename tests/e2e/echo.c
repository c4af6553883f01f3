/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The echo service sends back all bytes that it gets and nothing else, also if
 * its clients do unusual things.
 */
#include <config.h>
#include "harness.h"

#include <stdlib.h>
#include <unistd.h>

#define MEBIBYTE (1u << 20)

#define ECHO(listen, rest) SERVICES(SERVICE_AT("echo", listen, "echo", rest))

static struct daemon d;

START_TEST(two_hundred_clients_at_once_get_their_mebibyte_back)
{
	struct load l = { .n_clients = 200, .bytes = MEBIBYTE };

	daemon_start(&d, ECHO("\"127.0.0.1:0\"", "workers = 4;"));
	l.address = daemon_address(&d, "echo", 0);
	load_start(&l);
	load_wait_done(&l, 200);
	load_stop(&l);
	ck_assert_uint_eq(l.done, 200);
} END_TEST

START_TEST(a_client_that_writes_all_before_it_reads_loses_nothing)
{
	const size_t len = 256 * 1024;
	char *sent = malloc(len), *got = malloc(len);
	int fd;

	for (size_t i = 0; i < len; i++)
		sent[i] = (char)(i * 7 + i / 256);
	daemon_start(&d, ECHO("\"127.0.0.1:0\"", "workers = 1;"));
	fd = daemon_connect(&d, "echo");
	client_send(fd, sent, len);
	client_receive(fd, got, len);
	ck_assert_mem_eq(sent, got, len);
	close(fd);
	free(sent);
	free(got);
} END_TEST

START_TEST(what_was_sent_before_a_half_close_comes_back_after_it)
{
	const struct event *end;
	int fd;

	daemon_start(&d, ECHO("\"127.0.0.1:0\"", "workers = 1;"));
	fd = daemon_connect(&d, "echo");
	client_say(fd, "all I have to say");
	client_end(fd);
	client_expect(fd, "all I have to say");
	client_expect_end(fd);
	end = daemon_ended(&d, daemon_accepted(&d, fd));
	ck_assert_str_eq(event_word(end, "how"), "closed");
	ck_assert_int_eq(event_number(end, "in"), 17);
	ck_assert_int_eq(event_number(end, "out"), 17);
	close(fd);
} END_TEST

START_TEST(a_client_that_sends_and_vanishes_costs_its_own_connection_only)
{
	const struct event *open, *end;
	struct turn_hook flood;
	int fd, other;

	daemon_start(&d, ECHO("\"127.0.0.1:0\"", "workers = 1;"));
	other = daemon_connect_echo(&d, "echo");

	fd = daemon_connect(&d, "echo");
	client_flood(&flood, fd);
	open = daemon_accepted(&d, fd);
	client_flood_end(&flood);
	client_reset(fd);
	end = daemon_ended(&d, open);
	ck_assert_str_eq(event_word(end, "how"), "reset");
	client_echo(other);
	ck_assert_uint_eq(daemon_saw(&d, "worker-end"), 0);
	close(other);
} END_TEST

START_TEST(a_client_that_says_nothing_and_goes_is_no_trouble)
{
	const struct event *open, *end;
	int fd;

	daemon_start(&d, ECHO("\"127.0.0.1:0\"", "workers = 1;"));
	fd = daemon_connect(&d, "echo");
	open = daemon_accepted(&d, fd);
	close(fd);
	end = daemon_ended(&d, open);
	ck_assert_str_eq(event_word(end, "how"), "closed");
	ck_assert_int_eq(event_number(end, "in"), 0);
	ck_assert_int_eq(event_number(end, "out"), 0);
} END_TEST

START_TEST(a_client_that_does_not_read_stops_no_other)
{
	struct load others = { .n_clients = 8, .bytes = MEBIBYTE };
	struct turn_hook flood;
	int fd;

	daemon_start(&d, ECHO("\"127.0.0.1:0\"", "workers = 1;"));
	fd = daemon_connect(&d, "echo");
	client_flood(&flood, fd);
	others.address = daemon_address(&d, "echo", 0);
	load_start(&others);
	load_stop(&others);
	ck_assert_uint_eq(others.done, 8);
	client_flood_end(&flood);
	client_reset(fd);
} END_TEST

START_TEST(every_kind_of_address_is_served)
{
	const char *const addresses[] = {
		"127.0.0.1:0",
		"*:0",
		files_text("unix:%s", files_path("echo.sock")),
		files_text("unix:@%s", files_path("")),
		"[::1]:0",
	};

	daemon_start(&d, ECHO("\"%s\"", "workers = 2;"), addresses[_i]);

	daemon_check_echo(&d, "echo");
	if (_i == 1 && harness_has_ipv6()) {    /* one port for both families */
		ck_assert_str_eq(daemon_port(&d, "echo", 0), daemon_port(&d, "echo", 1));
		client_check_echo(daemon_address(&d, "echo", 1));
	}
} END_TEST

START_TEST(a_service_listens_at_several_addresses)
{
	daemon_start(&d, ECHO("[ \"127.0.0.1:0\", \"127.0.0.1:0\", \"unix:%s\" ]", "workers = 2;"),
	             files_path("echo.sock"));
	for (size_t i = 0; i < 3; i++)
		client_check_echo(daemon_address(&d, "echo", i));
	ck_assert_str_ne(daemon_port(&d, "echo", 0), daemon_port(&d, "echo", 1));
} END_TEST

int main(void)
{
	Suite *s = suite_create("echo");
	TCase *tc = harness_case(s, "echo");

	tcase_add_test(tc, two_hundred_clients_at_once_get_their_mebibyte_back);
	tcase_add_test(tc, a_client_that_writes_all_before_it_reads_loses_nothing);
	tcase_add_test(tc, what_was_sent_before_a_half_close_comes_back_after_it);
	tcase_add_test(tc, a_client_that_sends_and_vanishes_costs_its_own_connection_only);
	tcase_add_test(tc, a_client_that_says_nothing_and_goes_is_no_trouble);
	tcase_add_test(tc, a_client_that_does_not_read_stops_no_other);
	tcase_add_loop_test(tc, every_kind_of_address_is_served, 0, harness_has_ipv6() ? 5 : 4);
	if (!harness_has_ipv6())
		harness_skip("addresses of IPv6", "there are none here");
	tcase_add_test(tc, a_service_listens_at_several_addresses);
	return harness_run(s);
}
