/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The key `access`: clients from addresses of the loopback are admitted or refused.
 */
#include <config.h>
#include "control_harness.h"
#include "operator.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static struct daemon d;

#define ACCESS(rest) ONE("access = { " rest " };")

/* The workers before the reload accept no more: they could admit whom the new ones refuse. */
#define reload_wholly(...) \
	do { \
		daemon_reload(&d, __VA_ARGS__); \
		daemon_wait_for(&d, "generation-gone"); \
	} while (0)

/* A client from that address is served. */
static void check_admitted(const char *ip)
{
	int fd = client_connect_from(ip, daemon_address(&d, "s", 0));

	client_echo(fd);
	close(fd);
}

/* It is closed, and has received no byte. */
static void check_refused(const char *ip)
{
	int fd = client_connect_from(ip, daemon_address(&d, "s", 0));

	client_expect_end(fd);
	daemon_wait_for(&d, "refused service=s reason=access peer=%s", client_name(fd));
	close(fd);
}

START_TEST(clients_that_are_not_allowed_are_refused)
{
	daemon_start(&d, ACCESS("allow = [ \"127.0.0.2\", \"127.1.0.0/16\" ];"), control_path());
	check_admitted("127.0.0.2");
	check_refused("127.0.0.1");
	check_refused("127.0.0.3");
	check_admitted("127.1.255.255");
	check_refused("127.2.0.0");
} END_TEST

START_TEST(clients_that_are_denied_are_refused)
{
	daemon_start(&d, ACCESS("deny = \"127.0.0.2\";"), control_path());
	check_admitted("127.0.0.1");
	check_refused("127.0.0.2");
	check_admitted("127.0.0.3");
} END_TEST

START_TEST(the_most_specific_prefix_decides)
{
	daemon_start(&d, ACCESS("allow = [ \"127.0.0.0/8\", \"127.3.3.0/24\" ];"
	                        "deny = [ \"127.3.0.0/16\", \"127.3.3.3\" ];"), control_path());
	check_admitted("127.2.0.1");
	check_refused("127.3.0.1");
	check_admitted("127.3.3.1");
	check_refused("127.3.3.3");
} END_TEST

/* No program is started: the handler does not learn of the client. */
START_TEST(a_refused_client_is_nothing_to_the_handler)
{
	int fd;

	daemon_start(&d, SERVICES(EXEC("s", "argv = \"/bin/cat\";",
	             "workers = 1; access = { deny = \"127.0.0.2\"; };")));
	for (int i = 0; i < 3; i++)
		check_refused("127.0.0.2");
	fd = daemon_connect_echo(&d, "s");
	daemon_wait_for(&d, "program-start");
	close(fd);
	ck_assert_uint_eq(daemon_saw(&d, "program-start"), 1);
	ck_assert_uint_eq(daemon_saw(&d, "connection-open"), 1);
} END_TEST

/* What it has sent is not read. */
START_TEST(a_refused_client_that_sends_at_once_is_refused_likewise)
{
	int fd;

	daemon_start(&d, ACCESS("deny = \"127.0.0.2\";"), control_path());
	for (int i = 0; i < 10; i++) {
		fd = client_connect_from("127.0.0.2", daemon_address(&d, "s", 0));
		(void)!write(fd, "hello\n", 6);
		client_expect_gone(fd);
		close(fd);
	}
	check_admitted("127.0.0.1");
} END_TEST

START_TEST(refused_clients_are_counted_and_not_accepted)
{
	daemon_start(&d, ACCESS("deny = \"127.0.0.2\";"), control_path());
	check_refused("127.0.0.2");
	check_refused("127.0.0.2");
	check_admitted("127.0.0.1");
	daemon_wait_for(&d, "connection-end");
	harness_contains(control_ask("{\"command\":\"status\"}", "\"refused\":{\"access\":2,"),
	                 "\"accepted\":1,\"served\":1");
	ck_assert_int_eq(operator_run_args(control_path(), "--json", "status"), 0);
	harness_contains(operator_output(), "\"access\":2");
	/* Also when the worker that refused them is gone. */
	reload_wholly(ACCESS("deny = \"127.0.0.2\";"), control_path());
	check_refused("127.0.0.2");
	control_ask("{\"command\":\"status\"}", "\"refused\":{\"access\":3,");
} END_TEST

/* ---- files -------------------------------------------------------------- */

#define DENY_FILE ACCESS("deny_file = \"%s\";"), control_path(), files_path("deny")

START_TEST(a_file_is_read_again_at_a_reload)
{
	const struct event *opened;
	int old;

	files_write("deny", "# a test\n127.0.0.2\n");
	daemon_start(&d, DENY_FILE);
	check_refused("127.0.0.2");
	old = client_connect_from("127.0.0.3", daemon_address(&d, "s", 0));
	client_echo(old);
	opened = daemon_accepted(&d, old);
	files_write("deny", "127.0.0.3/32\r\n");
	check_refused("127.0.0.2");             /* not before the reload */
	daemon_reload(&d, DENY_FILE);
	daemon_settle_worker(&d, (pid_t)event_number(opened, "pid"));
	check_admitted("127.0.0.2");
	check_refused("127.0.0.3");
	client_echo(old);                       /* an open connection goes on */
	close(old);
} END_TEST

static void check_reload_fails(void)
{
	daemon_signal(&d, SIGHUP);
	daemon_wait_for(&d, "reload-failed reason=check");
}

START_TEST(with_an_error_in_a_file_the_old_lists_go_on)
{
	files_write("deny", "127.0.0.2\n");
	daemon_start(&d, DENY_FILE);
	files_write("deny", "127.0.0.3\n\n127.1.2.3/8\n");
	check_reload_fails();
	harness_contains(daemon_errors(&d), files_text("%s:3: 127.1.2.3/8 has host bits (did you mean"
	                                               " 127.0.0.0/8?)", files_path("deny")));
	check_refused("127.0.0.2");
	check_admitted("127.0.0.3");
	ck_assert_int_eq(unlink(files_path("deny")), 0);
	check_reload_fails();
	harness_contains(daemon_errors(&d), files_text("cannot open %s: No such file", files_path("deny")));
	check_refused("127.0.0.2");
	check_admitted("127.0.0.3");
	files_write("deny", "127.0.0.3\n");
	reload_wholly(DENY_FILE);
	check_admitted("127.0.0.2");
	check_refused("127.0.0.3");
} END_TEST

START_TEST(the_check_names_the_file_and_the_number_of_its_prefixes)
{
	files_write("deny", "127.0.0.2\n::1\n");
	daemon_config(&d, DENY_FILE);
	ck_assert_int_eq(daemon_run_args(&d, "-t", "-c", d.config), 0);
	harness_contains(daemon_output(&d), files_text("%s: read, 2 prefixes\n", files_path("deny")));
} END_TEST

/* ---- families ----------------------------------------------------------- */

START_TEST(ipv6_clients_are_decided_by_their_own_prefixes)
{
	daemon_start(&d, CONTROL SERVICES(SERVICE_AT("s", "\"[::1]:0\"", "echo",
	             "workers = 1; access = { allow = [ \"::/64\" ]; };")), control_path());
	check_admitted("::1");
	reload_wholly(CONTROL SERVICES(SERVICE_AT("s", "\"[::1]:0\"", "echo",
	              "workers = 1; access = { allow = [ \"127.0.0.0/8\" ]; };")), control_path());
	check_refused("::1");
	reload_wholly(CONTROL SERVICES(SERVICE_AT("s", "\"[::1]:0\"", "echo",
	              "workers = 1; access = { deny = [ \"::1\" ]; };")), control_path());
	check_refused("::1");
} END_TEST

/* ---- proxies ------------------------------------------------------------ */

static int connect_as(const char *address)
{
	int fd = client_connect(daemon_address(&d, "s", 0));

	client_say(fd, files_text("PROXY TCP4 %s 192.0.2.1 40312 7007\r\n", address));
	return fd;
}

START_TEST(behind_a_proxy_the_real_client_is_decided_about)
{
	int fd;

	daemon_start(&d, ONE("proxy_protocol = \"v1\"; proxy_from = \"127.0.0.0/8\";"
	                     "access = { allow = \"192.0.2.0/24\"; deny = \"192.0.2.7\"; };"), control_path());
	fd = connect_as("192.0.2.8");
	client_echo(fd);
	close(fd);
	fd = connect_as("192.0.2.7");
	client_expect_end(fd);
	daemon_wait_for(&d, "refused service=s reason=access peer=192.0.2.7:40312");
	close(fd);
	fd = connect_as("192.0.3.8");
	client_expect_end(fd);
	daemon_wait_for(&d, "refused service=s reason=access peer=192.0.3.8:40312");
	close(fd);
} END_TEST

int main(void)
{
	Suite *s = suite_create("access");
	TCase *tc = harness_case(s, "lists");

	tcase_add_test(tc, clients_that_are_not_allowed_are_refused);
	tcase_add_test(tc, clients_that_are_denied_are_refused);
	tcase_add_test(tc, the_most_specific_prefix_decides);
	tcase_add_test(tc, a_refused_client_is_nothing_to_the_handler);
	tcase_add_test(tc, a_refused_client_that_sends_at_once_is_refused_likewise);
	tcase_add_test(tc, refused_clients_are_counted_and_not_accepted);
	tc = harness_case(s, "files");
	tcase_add_test(tc, a_file_is_read_again_at_a_reload);
	tcase_add_test(tc, with_an_error_in_a_file_the_old_lists_go_on);
	tcase_add_test(tc, the_check_names_the_file_and_the_number_of_its_prefixes);
	tc = harness_case(s, "families");
	harness_add_if(harness_has_ipv6(), "the loopback has no IPv6 address", tc,
	               ipv6_clients_are_decided_by_their_own_prefixes);
	tc = harness_case(s, "proxies");
	tcase_add_test(tc, behind_a_proxy_the_real_client_is_decided_about);
	return harness_run(s);
}
