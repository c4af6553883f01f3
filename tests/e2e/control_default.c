/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The control socket that no configuration names. These daemons have a default of the test's
 * (elsewhere.c), in its folder.
 */
#include <config.h>
#include "control_harness.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define WITHOUT SERVICES(SERVICE("s", "echo", "workers = 1;"))

static struct daemon d;

/* With that path as the default. */
static void prepare(struct daemon *daemon, const char *path)
{
	ck_assert_int_eq(setenv("TEST_CONTROL_PATH", path, 1), 0);
	daemon->program = "tests/e2e/elsewhere_droverd";
	daemon->has_default_control = true;
}

START_TEST(it_is_there_without_a_word_about_it)
{
	prepare(&d, control_path());
	daemon_start(&d, WITHOUT);
	ck_assert_uint_eq(files_mode(control_path()), 0600);
	control_check_health(&d);
	daemon_reload(&d, WITHOUT);
	ck_assert_uint_eq(daemon_saw(&d, "control-listening"), 1);
	daemon_stop(&d, SIGTERM);
	ck_assert(!files_exist(control_path()));
} END_TEST

START_TEST(it_has_the_mode_and_groups_of_the_configuration)
{
	prepare(&d, control_path());
	daemon_start(&d, "control = { mode = \"0640\"; };\n" WITHOUT);
	ck_assert_uint_eq(files_mode(control_path()), 0640);
	control_check_health(&d);
} END_TEST

START_TEST(it_comes_and_goes_with_its_folder)
{
	const char *path = files_path("run/control.sock");

	prepare(&d, path);
	daemon_start(&d, WITHOUT);
	ck_assert_uint_eq(daemon_saw(&d, "control-listening"), 0);
	harness_contains(daemon_errors(&d), files_text(
		"control: no socket, because there is no directory for %s", path));
	ck_assert_msg(!strstr(daemon_errors(&d), "control.socket"), "%s", daemon_errors(&d));
	files_mkdir("run");
	daemon_reload(&d, WITHOUT);
	daemon_wait_for(&d, "control-listening address=unix:%s", path);
	files_remove_tree(files_path("run"));
	daemon_reload(&d, WITHOUT);
	daemon_wait_for(&d, "control-closed address=unix:%s", path);
	daemon_check_echo(&d, "s");
} END_TEST

START_TEST(a_second_daemon_serves_without_it)
{
	static struct daemon second;

	prepare(&d, control_path());
	daemon_start(&d, WITHOUT);
	prepare(&second, control_path());
	daemon_start(&second, WITHOUT);
	harness_contains(daemon_errors(&second), files_text(
		"control.socket %s: another process listens there; going on without it", control_path()));
	daemon_check_echo(&second, "s");
	daemon_stop(&second, SIGTERM);
	control_check_health(&d);
} END_TEST

START_TEST(what_lies_there_is_left_alone)
{
	const char *file = files_write("control.sock", "mine");

	prepare(&d, file);
	daemon_start(&d, WITHOUT);
	harness_contains(daemon_errors(&d), "exists and is not a socket");
	ck_assert_str_eq(files_read(file), "mine");
} END_TEST

START_TEST(a_configuration_can_move_it_or_say_none)
{
	const char *other = files_path("other.sock");

	prepare(&d, control_path());
	daemon_start(&d, WITHOUT);
	daemon_reload(&d, CONTROL WITHOUT, other);
	daemon_wait_for(&d, "control-listening address=unix:%s", other);
	ck_assert(!files_exist(control_path()));
	daemon_reload(&d, "control = { socket = \"none\"; };\n" WITHOUT);
	daemon_wait_for(&d, "control-closed address=unix:%s", other);
	daemon_reload(&d, WITHOUT);
	control_check_health(&d);
} END_TEST

START_TEST(a_service_without_a_file_leaves_it_to_others)
{
	prepare(&d, control_path());
	daemon_spawn_with(&d, (const char *const[]){
		"--listen", "127.0.0.1:0", "--name", "s", "--workers", "1", "--echo",
		harness_is_root() ? "--user" : NULL, "root", NULL });
	daemon_wait_ready(&d);
	ck_assert(!files_exist(control_path()));
	ck_assert_uint_eq(daemon_saw(&d, "control-listening"), 0);
} END_TEST

int main(void)
{
	Suite *s = suite_create("control_default");
	TCase *tc = harness_case(s, "default");

	tcase_add_test(tc, it_is_there_without_a_word_about_it);
	tcase_add_test(tc, it_has_the_mode_and_groups_of_the_configuration);
	tcase_add_test(tc, it_comes_and_goes_with_its_folder);
	tcase_add_test(tc, a_second_daemon_serves_without_it);
	tcase_add_test(tc, what_lies_there_is_left_alone);
	tcase_add_test(tc, a_configuration_can_move_it_or_say_none);
	tcase_add_test(tc, a_service_without_a_file_leaves_it_to_others);
	return harness_run(s);
}
