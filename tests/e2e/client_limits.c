/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The limits of a service as its clients see them: how many are served at once, and how many in a
 * time, by all workers together. Limits of sources are in client_limits_source.c.
 */
#include <config.h>
#include "limits_harness.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"

static struct daemon d;

/* ---- connections -------------------------------------------------------- */

#define PLACES 10

START_TEST(eight_workers_serve_ten_clients_at_once_and_the_others_wait)
{
	struct crowd c = { .n_clients = 400 };

	limits_start(&d, 8, "connections = 10;", "");
	c.address = daemon_address(&d, "s", 0);
	crowd_start(&c);
	crowd_wait_inside(&c, PLACES);
	for (int i = 0; i < 8; i++)     /* each worker has looked again whether there is a place */
		daemon_settle_worker(&d, daemon_next_worker(&d, "s"));
	ck_assert_int_eq(limits_shown("open"), PLACES);
	ck_assert_uint_eq(c.admitted, PLACES);
	c.leave_at = PLACES;
	crowd_leave(&c);
	crowd_wait_gone(&c, c.n_clients);
	ck_assert_uint_eq(c.most_inside, PLACES);
	ck_assert_uint_eq(c.admitted, c.n_clients);
	ck_assert_uint_eq(c.refused, 0);
	crowd_stop(&c);
	ck_assert_int_eq(limits_shown("accepted"), (long long)c.n_clients);
	ck_assert_int_eq(limits_shown("connections"), 0);       /* nobody was refused */
} END_TEST

START_TEST(eight_workers_serve_ten_clients_at_once_and_refuse_the_others)
{
	struct crowd c = { .n_clients = 40, .leave_at = PLACES, .come_again = true, .refusal = FULL };

	limits_start(&d, 8, "connections = 10; " REJECT, "");
	c.address = daemon_address(&d, "s", 0);
	crowd_start(&c);
	crowd_wait_admitted(&c, 2000);
	ck_assert_uint_ge(c.refused, 30);
	crowd_stop(&c);
	ck_assert_uint_eq(c.most_inside, PLACES);
	ck_assert_int_eq(limits_shown("accepted"), (long long)c.admitted);
	ck_assert_int_eq(limits_shown("connections"), (long long)c.refused);
	limits_check_room(&d, NULL, PLACES);
} END_TEST

static const char *const echoing[] = {
	"type = \"exec\"; argv = \"/bin/cat\";",
	"type = \"exec\"; argv = \"/bin/cat\"; warm = 2;",
	"type = \"filter\"; argv = \"/bin/cat\"; framing = \"line\";",
};

START_TEST(the_limit_is_that_of_each_handler)
{
	struct crowd c = { .n_clients = 20, .leave_at = 5, .come_again = true, .refusal = FULL };

	files_write("row", "%s\n", echoing[_i]);
	daemon_start(&d, CONTROL "services = { s = { listen = \"127.0.0.1:0\"; handler = { %s }; workers = 4;"
	             " limits = { connections = 5; connections_per_source = 5; " REJECT "}; }; };",
	             control_path(), echoing[_i]);
	c.address = daemon_address(&d, "s", 0);
	crowd_start(&c);
	crowd_wait_admitted(&c, 100);
	crowd_stop(&c);
	ck_assert_uint_eq(c.most_inside, 5);
	limits_check_room(&d, NULL, 5);
	limits_wait_empty();
} END_TEST

START_TEST(clients_that_do_not_wait_in_the_queue_cost_no_place)
{
	struct crowd c = { .n_clients = 4 };

	limits_start(&d, 4, "connections = 4; connections_per_source = 4;", "");
	c.address = daemon_address(&d, "s", 0);
	for (int i = 0; i < 10; i++) {
		crowd_start(&c);
		crowd_wait_inside(&c, 4);
		for (int k = 0; k < 20; k++) {
			int fd = client_connect(c.address);

			if (k % 2)
				client_reset(fd);
			else
				close(fd);
		}
		crowd_stop(&c);
	}
	ck_assert_uint_eq(c.refused, 0);
	limits_wait_empty();
} END_TEST

/* It is accepted, although no worker has a slot for it. */
START_TEST(a_client_is_refused_also_where_no_slot_is_free)
{
	int fds[4];

	limits_start(&d, 2, "connections = 4; " REJECT, "connections = 2;");
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = limits_admit(&d, NULL);
	for (int i = 0; i < 8; i++)
		limits_refuse(&d, NULL, FULL);
	limits_leave(fds, ARRAY_SIZE(fds));
	limits_check_room(&d, NULL, 4);
} END_TEST

START_TEST(without_a_message_a_refused_client_hears_nothing)
{
	int fd;

	limits_start(&d, 1, "connections = 1; overload = \"reject\";", "");
	fd = limits_admit(&d, NULL);
	limits_refuse(&d, NULL, "");
	close(fd);
} END_TEST

/* The first has read all, and does not close its side: it lingers. */
START_TEST(a_connection_that_lingers_counts)
{
	const char *address;
	int first;

	daemon_start(&d, SERVICES(SERVICE("s", "daytime", "workers = 2; timeouts = { linger = \"1h\"; };"
	             " limits = { connections = 1; " REJECT "};")));
	address = daemon_address(&d, "s", 0);
	first = client_connect(address);
	ck_assert_uint_gt(strlen(client_read_all(first)), 0);
	daemon_wait_for(&d, "connection-end how=served");
	ck_assert_str_eq(client_ask(address), FULL);
	close(first);
	while (strcmp(client_ask(address), FULL) == 0)
		;
} END_TEST

/* ---- rates -------------------------------------------------------------- */

/* A token that is used does not come back while the test runs. */
#define SLOW "rate = \"1/h\"; burst = 3; "

START_TEST(as_many_as_the_burst_come_at_once)
{
	limits_start(&d, 4, SLOW REJECT, "");
	for (int i = 0; i < 3; i++)
		close(limits_admit(&d, NULL));
	limits_refuse(&d, NULL, FULL);
	limits_refuse(&d, NULL, FULL);
	ck_assert_int_eq(limits_shown("rate"), 2);
	ck_assert_int_eq(limits_shown("accepted"), 3);
} END_TEST

/* A client that is refused for another reason does not use the rate. */
START_TEST(refused_clients_do_not_count_for_the_rate)
{
	int fd;

	limits_start(&d, 1, "connections = 1; " SLOW REJECT, "access = { deny = \"127.0.0.2\"; };");
	for (int i = 0; i < 5; i++)
		limits_refuse(&d, "127.0.0.2", "");
	fd = limits_admit(&d, NULL);
	for (int i = 0; i < 5; i++)
		limits_refuse(&d, NULL, FULL);
	close(fd);
	close(limits_admit_soon(&d, NULL));
	close(limits_admit_soon(&d, NULL));
	ck_assert_int_eq(limits_shown("rate"), 0);
	limits_refuse(&d, NULL, FULL);
} END_TEST

/* 20 of them: all but the first wait for an interval. */
START_TEST(clients_above_the_rate_wait_until_their_time_has_come)
{
	struct crowd c = { .n_clients = 20, .leave_at = 1 };
	const int64_t begin_ms = clock_ms();

	limits_start(&d, 4, "rate = \"40/s\"; burst = 1;", "");
	c.address = daemon_address(&d, "s", 0);
	crowd_start(&c);
	crowd_wait_admitted(&c, c.n_clients);
	ck_assert_int_ge(clock_ms() - begin_ms, 19 * 25);
	ck_assert_uint_eq(c.refused, 0);
	crowd_stop(&c);
} END_TEST

/* ---- what is told of it ------------------------------------------------- */

START_TEST(the_log_has_one_line_at_the_begin_of_refusals_and_one_at_their_end)
{
	static const char begin[] = "s: refusing clients: limits.connections is reached; the first is 127.";
	int fd;

	limits_start(&d, 4, "connections = 1; " REJECT, "");
	fd = limits_admit(&d, NULL);
	for (int i = 0; i < 40; i++)
		limits_refuse(&d, NULL, FULL);
	daemon_wait_for(&d, "refusing-begin service=s reason=connections");
	close(fd);
	daemon_stop(&d, SIGTERM);
	ck_assert_uint_eq(files_count(daemon_errors(&d), begin), 1);
	ck_assert_uint_eq(files_count(daemon_errors(&d), "refusing clients"), 1);
	ck_assert_uint_eq(files_count(daemon_errors(&d), "s: refusing no more clients: limits.connections is"
	                                                 " reached; 40 in "), 1);
	ck_assert_uint_eq(daemon_saw(&d, "refusing-begin"), 1);
	ck_assert_uint_eq(daemon_saw(&d, "refusing-end reason=connections refused=40"), 1);
} END_TEST

START_TEST(the_log_says_once_that_clients_wait)
{
	struct crowd c = { .n_clients = 40 };

	limits_start(&d, 4, "connections = 2;", "");
	c.address = daemon_address(&d, "s", 0);
	crowd_start(&c);
	daemon_wait_for(&d, "refusing-begin service=s reason=connections");
	crowd_stop(&c);
	daemon_stop(&d, SIGTERM);
	ck_assert_uint_eq(files_count(daemon_errors(&d), "s: clients wait in the queue: limits.connections"
	                                                 " is reached\n"), 1);
	ck_assert_uint_eq(files_count(daemon_errors(&d), "s: clients do not wait any more: "), 1);
	ck_assert_uint_eq(files_count(daemon_errors(&d), "refusing"), 0);
} END_TEST

#define WOULD_REFUSE "s: limits.dry_run, would refuse clients: "

START_TEST(a_trial_serves_all_and_says_whom_it_would_refuse)
{
	int fds[5];

	limits_start(&d, 2, "connections = 2; connections_per_source = 2; dry_run = true; " REJECT, "");
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = limits_admit(&d, NULL);
	ck_assert_int_eq(limits_shown("open"), 5);
	ck_assert_int_eq(limits_shown("connections"), 3);
	ck_assert_int_eq(limits_shown("source"), 3);
	limits_leave(fds, ARRAY_SIZE(fds));
	daemon_wait_for(&d, "refusing-begin service=s reason=source");
	harness_contains(daemon_errors(&d), WOULD_REFUSE "limits.connections is reached;");
	harness_contains(daemon_errors(&d), WOULD_REFUSE "limits.connections_per_source is reached;");
} END_TEST

START_TEST(the_access_log_has_refused_clients_if_that_is_wanted)
{
	const char *const path = files_path("access.log");
	const char *who;
	int inside, fd;

	daemon_start(&d, "access_log = { target = \"%s\"; refused = %s; };"
	             SERVICES(SERVICE("s", "echo", "workers = 1; limits = { connections = 1; " REJECT "};")),
	             path, _i ? "true" : "false");
	inside = limits_admit(&d, NULL);
	fd = client_connect(daemon_address(&d, "s", 0));
	who = client_name(fd);
	ck_assert_str_eq(client_read_all(fd), FULL);
	close(fd);
	close(inside);
	daemon_wait_for(&d, "connection-end");
	daemon_settle_logs(&d);
	ck_assert_uint_eq(files_count(files_read(path), "how=refused-connections"), (size_t)_i);
	ck_assert_uint_eq(files_count(files_read(path), files_text(" id=- peer=%s ", who)), (size_t)_i);
	ck_assert_uint_eq(files_count(files_read(path), "\n"), 1 + (size_t)_i);
} END_TEST

int main(void)
{
	Suite *s = suite_create("client_limits");
	TCase *tc = harness_case(s, "connections");

	tcase_add_test(tc, eight_workers_serve_ten_clients_at_once_and_the_others_wait);
	tcase_add_test(tc, eight_workers_serve_ten_clients_at_once_and_refuse_the_others);
	tcase_add_loop_test(tc, the_limit_is_that_of_each_handler, 0, ARRAY_SIZE(echoing));
	tcase_add_test(tc, clients_that_do_not_wait_in_the_queue_cost_no_place);
	tcase_add_test(tc, a_client_is_refused_also_where_no_slot_is_free);
	tcase_add_test(tc, without_a_message_a_refused_client_hears_nothing);
	tcase_add_test(tc, a_connection_that_lingers_counts);
	tc = harness_case(s, "rates");
	tcase_add_test(tc, as_many_as_the_burst_come_at_once);
	tcase_add_test(tc, refused_clients_do_not_count_for_the_rate);
	tcase_add_test(tc, clients_above_the_rate_wait_until_their_time_has_come);
	tc = harness_case(s, "told");
	tcase_add_test(tc, the_log_has_one_line_at_the_begin_of_refusals_and_one_at_their_end);
	tcase_add_test(tc, the_log_says_once_that_clients_wait);
	tcase_add_test(tc, a_trial_serves_all_and_says_whom_it_would_refuse);
	tcase_add_loop_test(tc, the_access_log_has_refused_clients_if_that_is_wanted, 0, 2);
	return harness_run(s);
}
