/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The command snapshot of the control socket: what it has beside the status, that its figures agree
 * with each other, and that it names no client.
 */
#include <config.h>
#include "control_harness.h"

#include <jansson.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#ifdef HAVE_OPENSSL
#include "../certificates.h"
#endif

static struct daemon d;

static json_t *get(const json_t *at, const char *key)
{
	json_t *value = json_object_get(at, key);

	ck_assert_msg(value != NULL, "there is no %s", key);
	return value;
}

static json_t *ask(const char *command)
{
	const char *line = control_ask(files_text("{\"command\":\"%s\"}", command), "\"ok\":true");
	json_t *answer = json_loads(line, 0, NULL), *result;

	ck_assert_ptr_nonnull(answer);
	result = json_incref(get(answer, "result"));
	json_decref(answer);
	return result;
}

static json_int_t sum(const json_t *list, const char *key)
{
	json_int_t n = 0;
	json_t *row;
	size_t i;

	json_array_foreach(list, i, row)
		n += json_integer_value(get(row, key));
	return n;
}

START_TEST(it_has_all_that_status_has_and_more)
{
	static const char *const more[] = { "time", "workers", "longest", "crashes" };
	json_t *status, *snapshot, *value;
	const char *key;

	daemon_start(&d, ECHO(""), control_path());
	status = ask("status");
	snapshot = ask("snapshot");
	json_object_foreach(status, key, value)
		ck_assert_int_eq(json_typeof(get(snapshot, key)), json_typeof(value));
	ck_assert_uint_eq(json_object_size(snapshot), json_object_size(status) + ARRAY_SIZE(more));
	for (size_t i = 0; i < ARRAY_SIZE(more); i++)
		get(snapshot, more[i]);
	ck_assert(json_equal(get(status, "services"), get(snapshot, "services")));
	json_decref(status);
	json_decref(snapshot);
} END_TEST

START_TEST(its_time_is_now)
{
	const time_t before = time(NULL);
	json_t *snapshot, *now;

	daemon_start(&d, ECHO(""), control_path());
	snapshot = ask("snapshot");
	now = get(snapshot, "time");
	ck_assert(json_real_value(get(now, "seconds")) >= (double)before);
	ck_assert(json_real_value(get(now, "seconds")) <= (double)(time(NULL) + 1));
	harness_contains(json_string_value(get(now, "utc")), "T");
	json_decref(snapshot);
} END_TEST

START_TEST(its_sums_are_those_of_its_lists)
{
	int fds[5];
	json_t *snapshot, *totals;

	daemon_start(&d, ECHO(""), control_path());
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = daemon_connect_echo(&d, "s");
	snapshot = ask("snapshot");
	totals = get(snapshot, "totals");
	ck_assert_int_eq(sum(get(snapshot, "workers"), "open"), 5);
	ck_assert_int_eq(json_integer_value(get(totals, "open")), 5);
	ck_assert_uint_eq(json_array_size(get(snapshot, "longest")), 5);
	ck_assert_int_eq(sum(get(snapshot, "workers"), "accepted"),
	                 json_integer_value(get(totals, "accepted")));
	ck_assert_int_eq(sum(get(snapshot, "workers"), "bytes_in"),
	                 json_integer_value(get(totals, "bytes_in")));
	ck_assert_int_eq(sum(get(snapshot, "workers"), "slot"), 1);     /* 0 and 1 */
	json_decref(snapshot);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
} END_TEST

START_TEST(of_many_connections_it_has_the_longest_and_names_no_client)
{
	json_t *snapshot, *row;
	double last = 1e9;
	int fds[30];
	const char *ids[20];
	size_t i;

	daemon_start(&d, ONE(""), control_path());
	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = daemon_connect_echo(&d, "s");
		if (i < ARRAY_SIZE(ids))
			ids[i] = event_word(daemon_accepted(&d, fds[i]), "id");
	}
	snapshot = ask("snapshot");
	ck_assert_uint_eq(json_array_size(get(snapshot, "longest")), ARRAY_SIZE(ids));
	json_array_foreach(get(snapshot, "longest"), i, row) {
		ck_assert_str_eq(json_string_value(get(row, "id")), ids[i]);
		ck_assert(json_number_value(get(row, "age")) <= last);
		last = json_number_value(get(row, "age"));
		ck_assert(json_is_null(get(row, "peer")));
		ck_assert(json_is_null(get(row, "via")));
	}
	json_decref(snapshot);
	for (i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
} END_TEST

static void crash(void)
{
	int fd = daemon_connect_echo(&d, "s");
	const pid_t worker = (pid_t)event_number(daemon_accepted(&d, fd), "pid");

	ck_assert_int_eq(kill(worker, SIGABRT), 0);
	daemon_wait_for(&d, "crash-report");
	client_expect_gone(fd);
	close(fd);
}

START_TEST(it_has_the_last_crashes_without_their_clients)
{
	json_t *snapshot, *crashes, *all, *row;
	size_t i;

	files_mkdir("state");
	daemon_start(&d, ECHO("restart = { burst = 100; };"), control_path());
	for (i = 0; i < 12; i++)
		crash();
	snapshot = ask("snapshot");
	all = ask("crashes");
	crashes = get(snapshot, "crashes");
	ck_assert_uint_eq(json_array_size(get(all, "crashes")), 12);
	ck_assert_uint_eq(json_array_size(crashes), 10);
	json_array_foreach(crashes, i, row) {
		ck_assert_str_eq(json_string_value(get(row, "name")),
		                 json_string_value(get(json_array_get(get(all, "crashes"), i + 2), "name")));
		ck_assert_str_eq(json_string_value(get(row, "signal")), "SIGABRT");
		ck_assert_ptr_null(json_object_get(row, "input"));
		if (!json_is_object(get(row, "connection")))
			continue;               /* it was not at work for it when it died */
		ck_assert(json_is_null(get(get(row, "connection"), "peer")));
		ck_assert(json_is_null(get(get(row, "connection"), "source")));
	}
	json_decref(snapshot);
	json_decref(all);
} END_TEST

START_TEST(without_reports_it_has_no_crashes)
{
	json_t *snapshot;

	daemon_start(&d, ECHO(""), control_path());
	if (_i == 1)
		files_write("state", "a file, where a directory should be");
	snapshot = ask("snapshot");
	ck_assert(json_is_array(get(snapshot, "crashes")));
	ck_assert_uint_eq(json_array_size(get(snapshot, "crashes")), 0);
	json_decref(snapshot);
} END_TEST

#ifdef HAVE_OPENSSL
START_TEST(it_has_all_certificates)
{
	struct certificate *c = certificate_make(&(struct certificate_wish){ .subject = "s", .names = "DNS:s",
		.to = FROM_NOW(CERTIFICATES_DAY * 91 / 2) });  /* not at the end of a day of those that are left */
	json_t *snapshot, *all, *status;

	certificate_write(files_path("pair"), c);
	certificate_add_key(files_path("pair"), c);
	certificate_free(c);
	daemon_start(&d, ECHO("tls = { chain = \"%s\"; };"), control_path(), files_path("pair"));
	snapshot = ask("snapshot");
	all = ask("certificates");
	status = ask("status");
	ck_assert_uint_eq(json_array_size(get(snapshot, "certificates")), 1);
	ck_assert(json_equal(get(snapshot, "certificates"), get(all, "certificates")));
	ck_assert_uint_eq(json_array_size(get(status, "certificates")), 0);
	json_decref(snapshot);
	json_decref(all);
	json_decref(status);
} END_TEST
#endif

int main(void)
{
	Suite *s = suite_create("snapshot");
	TCase *tc = harness_case(s, "snapshot");

	tcase_add_test(tc, it_has_all_that_status_has_and_more);
	tcase_add_test(tc, its_time_is_now);
	tcase_add_test(tc, its_sums_are_those_of_its_lists);
	tcase_add_test(tc, of_many_connections_it_has_the_longest_and_names_no_client);
	tcase_add_test(tc, it_has_the_last_crashes_without_their_clients);
	tcase_add_loop_test(tc, without_reports_it_has_no_crashes, 0, 2);
#ifdef HAVE_OPENSSL
	tcase_add_test(tc, it_has_all_certificates);
#endif
	return harness_run(s);
}
