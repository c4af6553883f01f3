/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Services whose handler is a module: its life in a worker, what it learns of a client, its timers and
 * descriptors, and what the service does to its connections.
 */
#include <config.h>
#include "module_harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "control_harness.h"

/* ---- its life ------------------------------------------------------------- */

START_TEST(a_module_serves_clients_and_is_told_when_its_worker_begins_drains_and_ends)
{
	int fd;

	module_start("", "");
	module_wait_for("version=1 worker-start");
	fd = module_say("echo hello\n");
	client_expect(fd, "hello\n");
	module_ask(fd, "version\n", "1\n");
	daemon_signal(&d, SIGTERM);
	module_wait_for("worker-drain");
	module_ask(fd, "echo still here\n", "still here\n");
	ck_assert_uint_eq(daemon_saw(&d, "probe worker-stop"), 0);
	close(fd);
	module_wait_for("close reason=1 write=-1");
	module_wait_for("worker-stop");
	ck_assert_int_eq(daemon_join(&d), 0);
	ck_assert_uint_eq(daemon_saw(&d, "probe worker-drain"), 1);
	ck_assert_uint_eq(daemon_saw(&d, "probe worker-stop"), 1);
} END_TEST

START_TEST(a_module_that_cannot_start_is_named_in_the_log)
{
	daemon_start(&d, SERVICES(SERVICE("other", "echo", ONE_WORKER) MODULE("s", "fail = \"worker_start\";",
	             ONE_WORKER "restart = { delay_min = \"20ms\"; };")), module_built("probe"));
	daemon_wait_for(&d, "worker-end service=s how=exit");
	daemon_check_echo(&d, "other");
	harness_contains(daemon_errors(&d), "the module probe 1 cannot start in the worker");
	ck_assert_uint_eq(daemon_saw(&d, "worker-ready service=s"), 0);
} END_TEST

START_TEST(a_module_of_the_first_version_of_the_interface_still_runs)
{
	const char *path = files_text("%s/tests/modules/abi-v1-x86_64.so", getenv("top_srcdir"));
	int fd;

	daemon_start(&d, SERVICES(MODULE("s", "greeting = \"welcome\";", ONE_WORKER)), path);
	fd = daemon_connect(&d, "s");
	client_expect(fd, "welcome\n");
	module_ask(fd, "one\ntwo\n", "one\ntwo\n");
	module_ask(fd, "quit\n", "quit\n");
	client_expect_end(fd);
	close(fd);
} END_TEST

static bool has_cxx(void)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/tests/modules/cxx.so", getenv("top_builddir"));
	return access(path, R_OK) == 0;
}

START_TEST(a_module_can_be_written_in_cxx)
{
	int fd;

	daemon_start(&d, SERVICES(MODULE("s", "", ONE_WORKER)), module_built("cxx"));
	fd = module_say("a\nbcd\n");
	client_expect(fd, "1: 1\n2: 3\n");
	close(fd);
} END_TEST

/* While a module blocks, its client waits, and no other. */
START_TEST(a_module_that_blocks_delays_no_other_service)
{
	const char *fifo = files_mkfifo("fifo");
	int slow, writer;

	daemon_start(&d, SERVICES(SERVICE("e", "echo", ONE_WORKER) MODULE("s", "fifo = \"%s\";",
	             "workers = 2; connections = 1;")), module_built("blocking"), fifo);
	slow = module_say("go\n");
	for (int i = 0; i < 10; i++)
		daemon_check_echo(&d, "e");
	writer = open(fifo, O_WRONLY | O_CLOEXEC);      /* waits until the module reads */
	ck_assert_int_ne(writer, -1);
	daemon_check_echo(&d, "e");
	ck_assert_int_eq(write(writer, "done\n", 5), 5);
	close(writer);
	client_expect(slow, "done\n");
	close(slow);
} END_TEST

/* ---- facts ---------------------------------------------------------------- */

START_TEST(a_module_learns_who_its_client_is)
{
	const struct event *open;
	int fd;

	module_start("", "");
	fd = daemon_connect(&d, "s");
	open = daemon_accepted(&d, fd);
	module_ask(fd, "facts\n", files_text("family=2 127.0.0.1 127.0.0.1 port=%s tls=-1  id=%s uid=-1\n",
	                                     client_port(fd), event_word(open, "id")));
	close(fd);
} END_TEST

START_TEST(behind_a_proxy_the_client_is_the_one_that_the_header_names)
{
	int fd;

	module_start("", "proxy_protocol = \"v1\"; proxy_from = \"127.0.0.1\";");
	fd = module_say("PROXY TCP4 192.0.2.7 198.51.100.1 40312 443\r\nfacts\n");
	harness_contains(client_read_line(fd), "family=2 192.0.2.7 198.51.100.1 port=40312 ");
	close(fd);
} END_TEST

START_TEST(the_user_of_a_client_of_a_unix_socket_is_known)
{
	const char *path = files_path("s.sock");
	int fd;

	daemon_start(&d, "services = { s = { listen = \"unix:%s\"; workers = 1; handler = {"
	             " type = \"module\"; path = \"%s\"; }; }; };", path, module_built("probe"));
	fd = client_connect(daemon_address(&d, "s", 0));
	client_say(fd, "facts\n");
	harness_contains(client_read_line(fd), files_text("uid=%d", (int)getuid()));
	close(fd);
} END_TEST

START_TEST(the_access_log_counts_the_bytes_of_a_module)
{
	const struct event *open, *end;
	int fd;

	module_start("", "");
	fd = daemon_connect(&d, "s");
	open = daemon_accepted(&d, fd);
	module_ask(fd, "echo 1234\n", "1234\n");
	close(fd);
	end = daemon_ended(&d, open);
	ck_assert_int_eq(event_number(end, "in"), 10);
	ck_assert_int_eq(event_number(end, "out"), 5);
	ck_assert_str_eq(event_word(end, "how"), "closed");
} END_TEST

/* ---- timers, descriptors, other connections ------------------------------- */

START_TEST(a_timer_of_a_connection_writes_to_it)
{
	int fd;

	module_start("", "");
	fd = module_say("later tick\n");
	client_expect(fd, "tick\n");
	module_ask(fd, "never\n", "set\n");
	module_ask(fd, "later tock\n", "tock\n");
	close(fd);
} END_TEST

START_TEST(a_timer_of_the_worker_writes_to_all)
{
	int a, b;

	module_start("", "");
	a = module_say("echo a\n");
	client_expect(a, "a\n");
	b = module_say("fire now\n");
	client_expect(b, "now\n");
	client_expect(a, "now\n");
	close(a);
	close(b);
} END_TEST

START_TEST(a_module_hears_of_its_own_descriptor)
{
	int fd;

	module_start("", "");
	fd = module_say("pipe through\n");
	client_expect(fd, "through\n");
	module_ask(fd, "pipe again\n", "again\n");
	close(fd);
} END_TEST

/* Two connections: the first is idle, in the middle of a line, or paused. */
static const char *const quiet[] = { "", "in the middle", "pause\n" };

START_TEST(one_connection_writes_to_another_and_finishes_it)
{
	int quiet_one, chatty;

	module_start("", "");
	quiet_one = module_say("echo here\n");
	client_expect(quiet_one, "here\n");
	client_say(quiet_one, quiet[_i]);
	if (_i == 2)
		module_wait_for("paused");
	chatty = module_say("others hello\n");
	client_expect(quiet_one, "hello\n");
	client_say(chatty, "finish-others bye\n");
	client_expect(quiet_one, "bye\n");
	client_expect_end(quiet_one);
	module_wait_for("close reason=2");
	module_ask(chatty, "echo alone\n", "alone\n");
	close(quiet_one);
	close(chatty);
} END_TEST

START_TEST(what_another_connection_writes_comes_after_what_is_lent)
{
	int slow, chatty;

	module_start("", "");
	slow = module_say("lend 8000000\n");
	chatty = module_say("others hello\necho done\n");
	client_expect(chatty, "done\n");
	client_say(chatty, "finish-others bye\necho done\n");
	client_expect(chatty, "done\n");
	module_check_loan(slow, 0, 8000000);
	client_expect(slow, "hello\nbye\n");
	client_expect_end(slow);
	module_wait_for("released=1");
	close(slow);
	close(chatty);
} END_TEST

START_TEST(one_connection_aborts_another)
{
	int other, chatty;

	module_start("", "");
	other = module_say("echo here\n");
	client_expect(other, "here\n");
	chatty = module_say("abort-others done\n");
	client_expect(chatty, "done\n");
	client_expect_gone(other);
	module_wait_for("close reason=7");
	close(other);
	close(chatty);
} END_TEST

START_TEST(one_connection_pauses_another_and_has_it_resume)
{
	int other, chatty;

	module_start("", "");
	other = module_say("echo here\n");
	client_expect(other, "here\n");
	chatty = module_say("pause-others done\n");
	client_expect(chatty, "done\n");
	client_say(other, "echo after resume\n");
	daemon_settle_worker(&d, daemon_next_worker(&d, "s"));
	client_say(chatty, "resume-others first\n");
	client_expect(other, "first\nafter resume\n");
	close(other);
	close(chatty);
} END_TEST

/* ---- what the service does to its connections ------------------------------ */

static const struct { const char *name, *options, *rest, *say, *how, *reason; } limits[] = {
	{ "idle",    "",                     "timeouts = { idle = \"50ms\"; };",    "echo x\n",        "idle",    "4" },
	{ "a pause", "framing = \"line\";",  "timeouts = { request = \"50ms\"; };", "pause\n",         "request", "4" },
	{ "a slow client", "",               "timeouts = { write = \"50ms\"; };",   "lend 50000000\n", "write",   "4" },
	{ "session", "",                     "timeouts = { session = \"50ms\"; };", "pause\n",         "session", "4" },
};

START_TEST(time_outs_of_the_service_end_connections_of_a_module)
{
	const struct event *open;
	int fd;

	module_start(limits[_i].options, limits[_i].rest);
	fd = daemon_connect(&d, "s");
	open = daemon_accepted(&d, fd);
	client_say(fd, limits[_i].say);
	module_wait_for(files_text("close reason=%s", limits[_i].reason));
	ck_assert_str_eq(event_word(daemon_ended(&d, open), "how"), limits[_i].how);
	close(fd);
} END_TEST

START_TEST(a_kick_is_told_as_such)
{
	const struct event *open;
	int fd;

	daemon_start(&d, "control = { socket = \"%s\"; };\n%s", control_path(),
	             module_probe_at(module_built("probe"), "", ""));
	fd = daemon_connect(&d, "s");
	open = daemon_accepted(&d, fd);
	module_ask(fd, "echo x\n", "x\n");
	control_ask(files_text("{\"command\":\"kick\",\"connection\":\"%s\"}", event_word(open, "id")),
	            "\"ok\":true");
	module_wait_for("close reason=6");
	client_expect_gone(fd);
	close(fd);
} END_TEST

START_TEST(a_stop_at_once_is_told_as_such)
{
	int fd;

	module_start("", "");
	fd = module_say("echo x\n");
	client_expect(fd, "x\n");
	daemon_signal(&d, SIGINT);
	module_wait_for("close reason=5");
	module_wait_for("worker-stop");
	ck_assert_int_eq(daemon_join(&d), 0);
	close(fd);
} END_TEST

int main(void)
{
	Suite *s = suite_create("module");
	TCase *tc = harness_case(s, "module");

	tcase_add_test(tc, a_module_serves_clients_and_is_told_when_its_worker_begins_drains_and_ends);
	tcase_add_test(tc, a_module_that_cannot_start_is_named_in_the_log);
#if defined __x86_64__ && !defined __ILP32__
	tcase_add_test(tc, a_module_of_the_first_version_of_the_interface_still_runs);
#else
	harness_skip("a_module_of_the_first_version_of_the_interface_still_runs", "it is for x86_64");
#endif
	harness_add_if(has_cxx(), "no C++ compiler", tc, a_module_can_be_written_in_cxx);
	tcase_add_test(tc, a_module_that_blocks_delays_no_other_service);
	tcase_add_test(tc, a_module_learns_who_its_client_is);
	tcase_add_test(tc, behind_a_proxy_the_client_is_the_one_that_the_header_names);
	tcase_add_test(tc, the_user_of_a_client_of_a_unix_socket_is_known);
	tcase_add_test(tc, the_access_log_counts_the_bytes_of_a_module);
	tcase_add_test(tc, a_timer_of_a_connection_writes_to_it);
	tcase_add_test(tc, a_timer_of_the_worker_writes_to_all);
	tcase_add_test(tc, a_module_hears_of_its_own_descriptor);
	tcase_add_loop_test(tc, one_connection_writes_to_another_and_finishes_it, 0, ARRAY_SIZE(quiet));
	tcase_add_test(tc, what_another_connection_writes_comes_after_what_is_lent);
	tcase_add_test(tc, one_connection_aborts_another);
	tcase_add_test(tc, one_connection_pauses_another_and_has_it_resume);
	tcase_add_loop_test(tc, time_outs_of_the_service_end_connections_of_a_module, 0, ARRAY_SIZE(limits));
	tcase_add_test(tc, a_kick_is_told_as_such);
	tcase_add_test(tc, a_stop_at_once_is_told_as_such);
	return harness_run(s);
}
