/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What ps(1) shows of the processes of a daemon.
 */
#include <config.h>
#include "harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LONG "a_service_with_a_long_name"

static struct daemon d;

static const char *title_of(pid_t pid)
{
	return files_read(files_text("/proc/%d/cmdline", pid));
}

static const char *name_of(pid_t pid)
{
	return process_status(pid, "Name");
}

static bool shows(pid_t pid, const char *file, const char *bytes)
{
	static char text[65536];
	const int fd = open(files_text("/proc/%d/%s", pid, file), O_RDONLY | O_CLOEXEC);
	const ssize_t n = read(fd, text, sizeof text);

	ck_assert_int_ge(n, 0);
	close(fd);
	return memmem(text, (size_t)n, bytes, strlen(bytes));
}

static void have_a_secret(void)
{
	setenv("TEST_SECRET", "sesame", 1);
}

START_TEST(master_and_workers_have_titles)
{
	pid_t s, other;

	daemon_start(&d, SERVICES(SERVICE("s", "echo", "workers = 1;") SERVICE(LONG, "echo", "workers = 1;")));
	s = daemon_next_worker(&d, "s");
	other = daemon_next_worker(&d, LONG);
	ck_assert_str_eq(title_of(d.pid), files_text("droverd: master %s", d.config));
	ck_assert_str_eq(name_of(d.pid), "droverd");
	ck_assert_str_eq(title_of(s), "droverd: worker s");
	ck_assert_str_eq(name_of(s), "drover:s");
	ck_assert_str_eq(title_of(other), "droverd: worker " LONG);
	ck_assert_str_eq(name_of(other), "drover:a_servic");
} END_TEST

START_TEST(without_a_file_the_master_has_its_addresses)
{
	daemon_spawn_with(&d, (const char *const[]){
		"--listen", "127.0.0.1:0", "--listen=127.0.0.2:0", "--name", "s", "--workers=1", "--echo", NULL });
	daemon_wait_ready(&d);
	ck_assert_str_eq(title_of(d.pid), "droverd: master 127.0.0.1:0 127.0.0.2:0");
} END_TEST

START_TEST(programs_keep_their_own)
{
	daemon_start(&d, SERVICES(EXEC("s", "argv = [ \"/bin/cat\", \"/proc/self/comm\", \"/proc/self/cmdline\" ];",
	                               "workers = 1;")));
	ck_assert_str_eq(client_ask(daemon_address(&d, "s", 0)), "cat\n/bin/cat");
} END_TEST

START_TEST(nothing_shows_the_environment)
{
	pid_t worker;

	d.before_exec = have_a_secret;
	daemon_start(&d, SERVICES(EXEC("s", "argv = [ \"/bin/sh\", \"-c\", \"echo $TEST_SECRET\" ];"
	                               " pass_env = \"TEST_SECRET\";", "workers = 1;")));
	worker = daemon_next_worker(&d, "s");
	ck_assert(!shows(d.pid, "environ", "sesame") && !shows(d.pid, "cmdline", "sesame"));
	ck_assert(!shows(worker, "environ", "sesame") && !shows(worker, "cmdline", "sesame"));
	ck_assert_str_eq(client_ask(daemon_address(&d, "s", 0)), "sesame\n");
} END_TEST

START_TEST(an_upgrade_has_the_arguments_of_the_start)
{
	d.before_exec = have_a_secret;
	daemon_start(&d, SERVICES(EXEC("s", "argv = [ \"/bin/sh\", \"-c\", \"echo $TEST_SECRET\" ];"
	                               " pass_env = \"TEST_SECRET\";", "workers = 1;")));
	daemon_next_worker(&d, "s");
	for (int i = 0; i < 2; i++) {
		daemon_signal(&d, SIGUSR2);
		daemon_wait_for(&d, "upgrade-done");
		ck_assert_str_eq(title_of(d.pid), files_text("droverd: master %s", d.config));
		ck_assert_str_eq(name_of(d.pid), "droverd");
		ck_assert_str_eq(title_of(daemon_next_worker(&d, "s")), "droverd: worker s");
		ck_assert(!shows(d.pid, "environ", "sesame"));
	}
	ck_assert_str_eq(client_ask(daemon_address(&d, "s", 0)), "sesame\n");
} END_TEST

int main(void)
{
	Suite *s = suite_create("title");
	TCase *tc = harness_case(s, "title");

	tcase_add_test(tc, master_and_workers_have_titles);
	tcase_add_test(tc, without_a_file_the_master_has_its_addresses);
	tcase_add_test(tc, programs_keep_their_own);
	tcase_add_test(tc, nothing_shows_the_environment);
	tcase_add_test(tc, an_upgrade_has_the_arguments_of_the_start);
	return harness_run(s);
}
