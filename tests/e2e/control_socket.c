/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The file of the control socket: its mode, its path, and other processes that
 * want the same path.
 */
#include <config.h>
#include "control_harness.h"

#include <signal.h>
#include <unistd.h>

static struct daemon d;

START_TEST(the_socket_has_the_mode_that_was_asked_for)
{
	daemon_start(&d, ECHO(""), control_path());
	ck_assert_uint_eq(files_mode(control_path()), 0600);
	daemon_reload(&d, "control = { socket = \"%s\"; mode = \"0640\"; };\n"
	              SERVICES(SERVICE("s", "echo", "")), control_path());
	ck_assert_uint_eq(files_mode(control_path()), 0640);
	ck_assert_uint_eq(daemon_saw(&d, "control-listening"), 1);
	daemon_reload(&d, ECHO(""), control_path());
	ck_assert_uint_eq(files_mode(control_path()), 0600);
} END_TEST

START_TEST(the_socket_can_move_and_go)
{
	const char *other = files_path("other.sock");
	int fd, idle;

	daemon_start(&d, ECHO(""), control_path());
	fd = control_connect();
	daemon_config(&d, ECHO(""), other);
	control_say(fd, "{\"command\":\"reload\"}");
	control_expect(fd, "\"generation\":2");
	ck_assert(!files_exist(control_path()));
	idle = client_connect(files_text("unix:%s", other));
	control_say(idle, "{\"command\":\"version\"}");
	control_expect(idle, "\"version\"");
	daemon_config(&d, "control = { socket = \"none\"; };" SERVICES(SERVICE("s", "echo", "")));
	control_say(fd, "{\"command\":\"reload\"}");
	control_expect(fd, "\"generation\":3");
	ck_assert(!files_exist(other));
	client_expect_end(idle);
	daemon_config(&d, ECHO(""), control_path());
	daemon_signal(&d, SIGHUP);
	daemon_wait_for(&d, "reload-done generation=4");
	control_ask("{\"command\":\"status\"}", "\"generation\":4");
	close(fd);
	close(idle);
} END_TEST

START_TEST(a_socket_that_was_removed_comes_back_with_a_reload)
{
	daemon_start(&d, ECHO(""), control_path());
	ck_assert_int_eq(unlink(control_path()), 0);
	daemon_reload(&d, ECHO(""), control_path());
	control_ask("{\"command\":\"version\"}", "\"ok\":true");
} END_TEST

START_TEST(a_reload_without_room_for_the_socket_is_refused)
{
	const char *file = files_write("other.sock", "mine");

	daemon_start(&d, ECHO(""), control_path());
	daemon_config(&d, ECHO(""), file);
	control_ask("{\"command\":\"reload\"}", files_text("\"message\":\"%s:%d: control.socket %s"
	            " exists and is not a socket\"", d.config, daemon_config_lines_before() + 1, file));
	ck_assert_str_eq(files_read(file), "mine");
	daemon_config(&d, ECHO(""), control_path());
	control_check_health(&d);
} END_TEST

START_TEST(two_daemons_cannot_have_one_socket)
{
	static struct daemon second;

	daemon_start(&d, ECHO(""), control_path());
	daemon_config(&second, ECHO(""), control_path());
	ck_assert_int_eq(daemon_run_args(&second, "-c", second.config), 69);
	harness_contains(daemon_errors(&second), "another process listens there");
	control_check_health(&d);
} END_TEST

START_TEST(a_socket_that_was_left_behind_is_replaced)
{
	daemon_start(&d, ECHO(""), control_path());
	daemon_signal(&d, SIGKILL);
	daemon_join(&d);
	ck_assert(files_exist(control_path()));
	daemon_spawn(&d);
	daemon_wait_ready(&d);
	control_ask("{\"command\":\"version\"}", "\"ok\":true");
} END_TEST

int main(void)
{
	Suite *s = suite_create("control_socket");
	TCase *tc = harness_case(s, "socket");

	tcase_add_test(tc, the_socket_has_the_mode_that_was_asked_for);
	tcase_add_test(tc, the_socket_can_move_and_go);
	tcase_add_test(tc, a_socket_that_was_removed_comes_back_with_a_reload);
	tcase_add_test(tc, a_reload_without_room_for_the_socket_is_refused);
	tcase_add_test(tc, two_daemons_cannot_have_one_socket);
	tcase_add_test(tc, a_socket_that_was_left_behind_is_replaced);
	return harness_run(s);
}
