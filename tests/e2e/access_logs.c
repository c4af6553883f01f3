/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Access logs of services: which lines go to which file, also after the files were renamed, and of
 * the workers of before an upgrade.
 */
#include <config.h>
#include "upgrade_harness.h"

#include <signal.h>
#include <stdio.h>

static struct daemon d;

#define OWN(name, log) SERVICE(name, "echo", "workers = 1; access_log = { " log " };")

/* A connection from begin to end. */
static void visit(const char *service)
{
	const int fd = daemon_connect_echo(&d, service);
	const struct event *open = daemon_accepted(&d, fd);

	client_end(fd);
	client_expect_end(fd);
	daemon_ended(&d, open);
	close(fd);
}

static size_t lines_of(const char *path, const char *service)
{
	return files_count(files_read(path), files_text(" service=%s ", service));
}

/* How many lines a file has of two services, and no others. */
static void expect_lines(const char *path, size_t of_a, size_t of_b)
{
	ck_assert_msg(lines_of(path, "a") == of_a && lines_of(path, "b") == of_b &&
	              files_count(files_read(path), "\n") == of_a + of_b, "%s:\n%s", path, files_read(path));
}

START_TEST(a_service_has_its_own_or_that_of_the_top_level_or_none)
{
	const char *all = files_path("all"), *own = files_path("own");

	daemon_start(&d, "access_log = { target = \"%s\"; };"
	             SERVICES(SERVICE("a", "echo", "workers = 1;") OWN("b", "target = \"%s\";")
	                      OWN("c", "target = \"none\";")), all, own);
	visit("a");
	visit("b");
	visit("b");
	visit("c");
	daemon_settle_logs(&d);
	expect_lines(all, 1, 0);
	expect_lines(own, 0, 2);
} END_TEST

START_TEST(services_can_have_the_only_access_logs)
{
	const char *one = files_path("one"), *other = files_path("other");

	daemon_start(&d, SERVICES(OWN("a", "target = \"%s\";") OWN("b", "target = \"%s\"; format = \"json\";")
	                          SERVICE("c", "echo", "workers = 1;")), one, other);
	visit("a");
	visit("b");
	visit("c");
	daemon_settle_logs(&d);
	expect_lines(one, 1, 0);
	harness_contains(files_read(other), "\"service\":\"b\"");
	ck_assert_uint_eq(files_count(files_read(other), "\n"), 1);
} END_TEST

START_TEST(those_of_defaults_can_be_overridden)
{
	const char *one = files_path("one"), *other = files_path("other");

	daemon_start(&d, "defaults = { access_log = { target = \"%s\"; }; };"
	             SERVICES(SERVICE("a", "echo", "workers = 1;") OWN("b", "target = \"%s\";")), one, other);
	visit("a");
	visit("b");
	daemon_settle_logs(&d);
	expect_lines(one, 1, 0);
	expect_lines(other, 0, 1);
} END_TEST

START_TEST(refused_clients_are_in_the_log_of_the_service_that_wants_them)
{
	const char *all = files_path("all");

	daemon_start(&d, "access_log = { target = \"%s\"; };"
	             "defaults = { access = { deny = \"127.0.0.1\"; }; };"
	             SERVICES(SERVICE("a", "echo", "workers = 1;") OWN("b", "refused = true;")), all);
	for (int i = 0; i < 2; i++) {
		const int fd = daemon_connect(&d, i == 0 ? "a" : "b");

		daemon_wait_for(&d, "refused service=%s", i == 0 ? "a" : "b");
		close(fd);
	}
	daemon_settle_logs(&d);
	expect_lines(all, 0, 1);
	harness_contains(files_read(all), "how=refused-access");
} END_TEST

START_TEST(a_template_says_what_is_in_a_line)
{
	const char *path = files_path("log");
	const struct event *open;
	int fd;

	daemon_start(&d, "access_log = { target = \"%s\";"
	             " format = \"{service} <{peer}> {in}/{out} {via} {{{how}}}\"; };"
	             SERVICES(SERVICE("a", "echo", "workers = 1;")
	                      OWN("b", "format = \"{id}\\t{service}\"; refused = true;")), path);
	fd = daemon_connect(&d, "a");
	open = daemon_accepted(&d, fd);
	client_say(fd, "hello");
	client_end(fd);
	client_expect(fd, "hello");
	client_expect_end(fd);
	daemon_ended(&d, open);
	daemon_settle_logs(&d);
	ck_assert_str_eq(files_read(path), files_text("a <%s> 5/5 - {closed}\n", client_name(fd)));
	close(fd);
	fd = daemon_connect_echo(&d, "b");
	open = daemon_accepted(&d, fd);
	close(fd);
	daemon_ended(&d, open);
	daemon_settle_logs(&d);
	harness_contains(files_read(path), files_text("\n%s\tb\n", event_word(open, "id")));
} END_TEST

static void rename_all(const char *const *paths, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(rename(paths[i], files_text("%s.1", paths[i])), 0);
}

START_TEST(all_of_them_are_reopened)
{
	const char *paths[] = { files_path("all"), files_path("a"), files_path("b") };

	daemon_start(&d, "access_log = { target = \"%s\"; };"
	             SERVICES(OWN("a", "target = \"%s\";") OWN("b", "target = \"%s\";")
	                      SERVICE("c", "echo", "workers = 1;")), paths[0], paths[1], paths[2]);
	visit("a");
	visit("b");
	rename_all(paths, 3);
	daemon_settle_logs(&d);
	visit("a");
	visit("a");
	visit("b");
	visit("c");
	daemon_stop(&d, SIGTERM);
	expect_lines(files_path("a.1"), 1, 0);
	expect_lines(files_path("b.1"), 0, 1);
	expect_lines(paths[1], 2, 0);
	expect_lines(paths[2], 0, 1);
	ck_assert_str_eq(files_read(files_path("all.1")), "");
	ck_assert_uint_eq(lines_of(paths[0], "c"), 1);
} END_TEST

START_TEST(one_that_cannot_be_reopened_goes_on_and_is_named)
{
	const char *a = files_path("a"), *b = files_path("b");

	daemon_start(&d, SERVICES(OWN("a", "target = \"%s\";") OWN("b", "target = \"%s\";")), a, b);
	rename_all((const char *const[]){ a, b }, 2);
	files_mkdir("a");
	daemon_settle_logs(&d);
	visit("a");
	visit("b");
	daemon_stop(&d, SIGTERM);
	harness_contains(daemon_errors(&d),
	                 files_text("reopen the access log %s: Is a directory; it goes on", a));
	expect_lines(files_path("a.1"), 1, 0);
	expect_lines(b, 0, 1);
} END_TEST

/* The old worker may accept one more client after the reload, and so it has to end first. */
START_TEST(a_reload_opens_and_drops_them)
{
	const char *a = files_path("a"), *b = files_path("b");

	daemon_start(&d, SERVICES(OWN("a", "target = \"%s\";")), a);
	visit("a");
	daemon_reload(&d, SERVICES(OWN("a", "target = \"%s\";")), b);
	daemon_wait_for(&d, "generation-gone generation=1");
	visit("a");
	daemon_stop(&d, SIGTERM);
	expect_lines(a, 1, 0);
	expect_lines(b, 1, 0);
} END_TEST

START_TEST(workers_of_before_an_upgrade_keep_theirs)
{
	const char *paths[] = { files_path("all"), files_path("a"), files_path("b") };
	int fds[2];

	daemon_start(&d, "access_log = { target = \"%s\"; };"
	             SERVICES(OWN("a", "target = \"%s\";") OWN("b", "target = \"%s\";")),
	             paths[0], paths[1], paths[2]);
	fds[0] = daemon_connect_echo(&d, "a");
	fds[1] = daemon_connect_echo(&d, "b");
	upgrade_to_next(&d);
	rename_all(paths, 3);
	daemon_signal(&d, SIGUSR1);
	daemon_wait_for(&d, "log-process-switched generation=1");
	close(fds[0]);
	close(fds[1]);
	daemon_wait_for(&d, "generation-gone generation=1");
	expect_lines(paths[0], 0, 0);
	expect_lines(paths[1], 1, 0);
	expect_lines(paths[2], 0, 1);
} END_TEST

/* The new program holds the pipes, and knows which file each leads to. */
START_TEST(so_they_do_if_the_log_process_dies)
{
	const char *a = files_path("a"), *b = files_path("b");
	pid_t old;
	int fds[2];

	daemon_start(&d, SERVICES(OWN("a", "target = \"%s\";") OWN("b", "target = \"%s\";")), a, b);
	old = (pid_t)event_number(daemon_wait_for(&d, "log-process-start generation=1"), "pid");
	fds[0] = daemon_connect_echo(&d, "a");
	fds[1] = daemon_connect_echo(&d, "b");
	upgrade_to_next(&d);
	ck_assert_int_eq(kill(old, SIGKILL), 0);
	daemon_wait_for(&d, "log-process-start generation=1");
	close(fds[0]);
	close(fds[1]);
	daemon_wait_for(&d, "generation-gone generation=1");
	expect_lines(a, 1, 0);
	expect_lines(b, 0, 1);
} END_TEST

int main(void)
{
	Suite *s = suite_create("access_logs");
	TCase *tc = harness_case(s, "services");

	tcase_add_test(tc, a_service_has_its_own_or_that_of_the_top_level_or_none);
	tcase_add_test(tc, services_can_have_the_only_access_logs);
	tcase_add_test(tc, those_of_defaults_can_be_overridden);
	tcase_add_test(tc, refused_clients_are_in_the_log_of_the_service_that_wants_them);
	tcase_add_test(tc, a_template_says_what_is_in_a_line);
	tcase_add_test(tc, all_of_them_are_reopened);
	tcase_add_test(tc, one_that_cannot_be_reopened_goes_on_and_is_named);
	tcase_add_test(tc, a_reload_opens_and_drops_them);
	tc = upgrade_case(s, "upgrade");
	tcase_add_test(tc, workers_of_before_an_upgrade_keep_theirs);
	tcase_add_test(tc, so_they_do_if_the_log_process_dies);
	return harness_run(s);
}
