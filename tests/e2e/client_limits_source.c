/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The limits of each source: what one source is, and that it takes nothing from the others.
 */
#include <config.h>
#include "limits_harness.h"

#include <unistd.h>

static struct daemon d;

#define ONE_EACH "connections_per_source = 1; "

/* ---- one source and another --------------------------------------------- */

START_TEST(a_source_at_its_limit_is_refused_and_another_goes_on)
{
	struct crowd greedy = { .from = "127.0.0.2", .n_clients = 30, .leave_at = 3, .come_again = true };
	struct crowd modest = { .from = "127.0.0.3", .n_clients = 3, .leave_at = 3, .come_again = true };

	limits_start(&d, 4, "connections_per_source = 3;", "");
	greedy.address = modest.address = daemon_address(&d, "s", 0);
	crowd_start(&greedy);
	crowd_start(&modest);
	for (int i = 0; i < 20; i++) {
		crowd_wait_refused(&greedy, greedy.refused + 20);
		crowd_wait_admitted(&greedy, greedy.admitted + 3);
		crowd_wait_admitted(&modest, modest.admitted + 3);
	}
	crowd_stop(&greedy);
	crowd_stop(&modest);
	ck_assert_uint_eq(greedy.most_inside, 3);
	ck_assert_int_eq(limits_shown("accepted"), (long long)(greedy.admitted + modest.admitted));
	ck_assert_int_eq(limits_shown("source"), (long long)(greedy.refused + modest.refused));
	ck_assert_int_eq(limits_shown("untracked"), 0);
	limits_wait_empty();
} END_TEST

/*
 * What is left of a source whose clients have left is a moment later nothing; then as many as before
 * are admitted, and not one more.
 */
START_TEST(all_places_of_a_source_come_back)
{
	int fds[2];

	limits_start(&d, 4, "connections_per_source = 2; connections = 4;" REJECT, "");
	for (int i = 0; i < 50; i++) {
		fds[0] = limits_admit_soon(&d, "127.0.0.2");
		fds[1] = limits_admit_soon(&d, "127.0.0.2");
		limits_refuse(&d, "127.0.0.2", FULL);
		limits_leave(fds, 2);
	}
	fds[0] = limits_admit_soon(&d, "127.0.0.2");
	fds[1] = limits_admit_soon(&d, "127.0.0.2");
	limits_check_room(&d, "127.0.0.3", 2);
	limits_leave(fds, 2);
	limits_wait_empty();
} END_TEST

START_TEST(the_refusals_of_many_sources_are_one_episode)
{
	int inside[8];

	limits_start(&d, 4, ONE_EACH, "");
	for (size_t i = 0; i < ARRAY_SIZE(inside); i++) {
		const char *const from = files_text("127.0.1.%zu", i + 1);

		inside[i] = limits_admit(&d, from);
		limits_refuse(&d, from, "");
		limits_refuse(&d, from, "");
	}
	ck_assert_int_eq(limits_shown("source"), 16);
	daemon_barrier(&d);
	ck_assert_uint_eq(daemon_saw(&d, "refusing-begin service=s reason=source"), 1);
	harness_contains(daemon_errors(&d), "s: refusing clients: limits.connections_per_source is reached;"
	                                    " the first is 127.0.1.1:");
	ck_assert_uint_eq(files_count(daemon_errors(&d), "refusing"), 1);
	limits_leave(inside, ARRAY_SIZE(inside));
} END_TEST

/* ---- what one source is ------------------------------------------------- */

START_TEST(a_shorter_prefix_makes_one_source_of_many_addresses)
{
	int first, other;

	limits_start(&d, 2, ONE_EACH "source_prefix = { ipv4 = 24; };", "");
	first = limits_admit(&d, "127.0.1.1");
	limits_refuse(&d, "127.0.1.255", "");
	other = limits_admit(&d, "127.0.2.1");
	close(first);
	close(other);
} END_TEST

/* An address of the machine for each of them is not needed: a proxy names them. */
static int arrive(const char *ip)
{
	int fd = daemon_connect(&d, "s");

	client_say(fd, files_text("PROXY TCP6 %s 2001:db8::1 40312 443\r\n", ip));
	return fd;
}

static int admit_as(const char *ip)
{
	int fd = arrive(ip);

	client_echo(fd);
	return fd;
}

static void refuse_as(const char *ip, const char *reason)
{
	int fd = arrive(ip);

	client_expect_gone(fd);
	daemon_wait_for(&d, "refused reason=%s peer=[%s]:40312 via=%s", reason, ip, client_name(fd));
	close(fd);
}

static void refuse_header(void)
{
	int fd = daemon_connect(&d, "s");

	client_say(fd, "GET / HTTP/1.0\r\n");
	client_expect_gone(fd);
	daemon_wait_for(&d, "refused reason=proxy peer=%s", client_name(fd));
	close(fd);
}

#define PROXIED "proxy_protocol = \"v1\"; proxy_from = \"127.0.0.1\"; "

START_TEST(the_addresses_of_an_ipv6_network_are_one_source)
{
	int fds[2];

	limits_start(&d, 2, ONE_EACH, PROXIED);
	fds[0] = admit_as("2001:db8:0:7::1");
	refuse_as("2001:db8:0:7::1", "source");
	refuse_as("2001:db8:0:7:ffff:ffff:ffff:ffff", "source");
	fds[1] = admit_as("2001:db8:0:8::1");
	ck_assert_int_eq(limits_shown("source"), 2);
	limits_leave(fds, 2);
} END_TEST

/* Nothing of it is left: not its place in the service, and not the rate. */
START_TEST(a_client_that_is_refused_behind_a_proxy_gives_everything_back)
{
	int fds[3];

	limits_start(&d, 2, ONE_EACH "connections = 3; rate = \"1/h\"; burst = 3;"
	             "overload = \"reject\";",
	             PROXIED "access = { deny = \"2001:db8:0:9::/64\"; };");
	fds[0] = admit_as("2001:db8:0:1::1");
	for (int i = 0; i < 10; i++) {
		refuse_as("2001:db8:0:1::2", "source");
		refuse_as("2001:db8:0:9::1", "access");
		refuse_header();
	}
	for (int i = 0; i < 2; i++)     /* the places come back after the connections have ended */
		daemon_settle_worker(&d, daemon_next_worker(&d, "s"));
	fds[1] = admit_as("2001:db8:0:2::1");
	fds[2] = admit_as("2001:db8:0:3::1");
	client_expect_end(client_connect(daemon_address(&d, "s", 0)));
	ck_assert_int_eq(limits_shown("connections"), 1);
	limits_leave(fds, 3);
	limits_wait_empty();
} END_TEST

/* It is told so, as one without a proxy; also where a program would have got its socket. */
START_TEST(a_client_that_is_refused_behind_a_proxy_is_told_the_reject_message)
{
	static const char *const handlers[] = {
		"type = \"echo\";", "type = \"exec\"; argv = \"/bin/cat\";",
	};
	int inside, fd;

	daemon_start(&d, CONTROL SERVICES("s = { listen = \"127.0.0.1:0\"; workers = 1;"
	             "handler = { %s }; limits = { " ONE_EACH "connections = 3; " REJECT "};" PROXIED
	             "access = { deny = \"2001:db8:0:9::/64\"; }; };"), control_path(), handlers[_i]);
	inside = admit_as("2001:db8:0:1::1");
	fd = arrive("2001:db8:0:1::2");
	ck_assert_str_eq(client_read_all(fd), FULL);
	close(fd);
	fd = arrive("2001:db8:0:9::1");
	ck_assert_str_eq(client_read_all(fd), "");
	close(fd);
	close(inside);
} END_TEST

/* ---- unix sockets ------------------------------------------------------- */

#define UNIX_SERVICE \
	CONTROL SERVICES(SERVICE_AT("s", "( { address = \"unix:%s\"; mode = \"0666\"; } )", "echo", \
	                            "workers = 2; limits = { " ONE_EACH "};")), \
	control_path(), files_path("s")

START_TEST(the_clients_of_a_user_are_one_source)
{
	int fd;

	daemon_start(&d, UNIX_SERVICE);
	fd = limits_admit(&d, NULL);
	limits_refuse(&d, NULL, "");
	close(fd);
	close(limits_admit_soon(&d, NULL));
} END_TEST

static int connect_as_another_user(void)
{
	const char *address = daemon_address(&d, "s", 0);       /* may write a file of the test, as root */
	int fd;

	ck_assert_int_eq(seteuid(4711), 0);
	fd = client_connect(address);
	ck_assert_int_eq(seteuid(0), 0);
	return fd;
}

START_TEST(another_user_is_another_source)
{
	int ours, theirs, more;

	daemon_start(&d, UNIX_SERVICE);
	ours = limits_admit(&d, NULL);
	theirs = connect_as_another_user();
	client_echo(theirs);
	more = connect_as_another_user();
	client_expect_end(more);
	limits_refuse(&d, NULL, "");
	close(ours);
	close(limits_admit_soon(&d, NULL));
	close(theirs);
	close(more);
} END_TEST

/* ---- exempt ------------------------------------------------------------- */

START_TEST(exempt_sources_have_no_limit_but_that_of_the_service)
{
	int fds[5];

	limits_start(&d, 2, ONE_EACH "rate_per_source = \"1/h\"; connections = 5;"
	             "exempt = \"127.0.0.2\"; " REJECT, "");
	for (size_t i = 0; i < 4; i++)
		fds[i] = limits_admit(&d, "127.0.0.2");
	fds[4] = limits_admit(&d, "127.0.0.3");
	limits_refuse(&d, "127.0.0.2", FULL);
	ck_assert_int_eq(limits_shown("connections"), 1);
	ck_assert_int_eq(limits_shown("source"), 0);
	limits_leave(fds, ARRAY_SIZE(fds));
} END_TEST

/* ---- rates -------------------------------------------------------------- */

START_TEST(a_source_that_comes_too_often_is_refused_and_another_is_not)
{
	limits_start(&d, 4, "rate_per_source = \"1/h\"; burst_per_source = 3;", "");
	for (int i = 0; i < 3; i++)
		close(limits_admit(&d, "127.0.0.2"));
	for (int i = 0; i < 4; i++)
		limits_refuse(&d, "127.0.0.2", "");
	for (int i = 0; i < 3; i++)
		close(limits_admit(&d, "127.0.0.3"));
	limits_refuse(&d, "127.0.0.3", "");
	ck_assert_int_eq(limits_shown("source_rate"), 5);
	ck_assert_int_eq(limits_shown("accepted"), 6);
} END_TEST

/* A client that is refused because its source has its connections does not use up the rate. */
START_TEST(a_source_that_is_refused_keeps_its_rate)
{
	int fd;

	limits_start(&d, 1, ONE_EACH "rate_per_source = \"1/h\"; burst_per_source = 2;", "");
	fd = limits_admit(&d, "127.0.0.2");
	for (int i = 0; i < 10; i++)
		limits_refuse(&d, "127.0.0.2", "");
	close(fd);
	close(limits_admit_soon(&d, "127.0.0.2"));
	daemon_wait_for(&d, "connection-end");
	daemon_wait_for(&d, "connection-end");
	limits_refuse(&d, "127.0.0.2", "");
	ck_assert_int_eq(limits_shown("source_rate"), 1);
} END_TEST

/* Its place in the service and the rate of the service were taken before its source was looked at. */
START_TEST(a_source_that_is_refused_leaves_the_rate_of_the_service_to_others)
{
	int fds[2];

	limits_start(&d, 2, ONE_EACH "connections = 2; rate = \"1/h\"; burst = 2;", "");
	fds[0] = limits_admit(&d, "127.0.0.2");
	for (int i = 0; i < 10; i++)
		limits_refuse(&d, "127.0.0.2", "");
	fds[1] = limits_admit(&d, "127.0.0.3");
	limits_leave(fds, 2);
} END_TEST

int main(void)
{
	Suite *s = suite_create("client_limits_source");
	TCase *tc = harness_case(s, "connections");

	tcase_add_test(tc, a_source_at_its_limit_is_refused_and_another_goes_on);
	tcase_add_test(tc, all_places_of_a_source_come_back);
	tcase_add_test(tc, the_refusals_of_many_sources_are_one_episode);
	tc = harness_case(s, "sources");
	tcase_add_test(tc, a_shorter_prefix_makes_one_source_of_many_addresses);
	tcase_add_test(tc, the_addresses_of_an_ipv6_network_are_one_source);
	tcase_add_test(tc, a_client_that_is_refused_behind_a_proxy_gives_everything_back);
	tcase_add_loop_test(tc, a_client_that_is_refused_behind_a_proxy_is_told_the_reject_message, 0, 2);
	tcase_add_test(tc, the_clients_of_a_user_are_one_source);
	harness_add_for_root(tc, another_user_is_another_source);
	tcase_add_test(tc, exempt_sources_have_no_limit_but_that_of_the_service);
	tc = harness_case(s, "rates");
	tcase_add_test(tc, a_source_that_comes_too_often_is_refused_and_another_is_not);
	tcase_add_test(tc, a_source_that_is_refused_keeps_its_rate);
	tcase_add_test(tc, a_source_that_is_refused_leaves_the_rate_of_the_service_to_others);
	return harness_run(s);
}
