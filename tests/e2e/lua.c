/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Handlers in Lua, in the real daemon: what tests/unit/lua_module.c cannot show. The module is the one
 * that was built.
 */
#include <config.h>
#include "harness.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef HAVE_OPENSSL
#include "../certificates.h"
#include "tls_client.h"
#endif

static struct daemon d;

/* Options of the handler of a script, with framing "line". */
static const char *handler(const char *script, const char *rest)
{
	return files_text("handler = { type = \"module\"; path = \"%s\"; options = { script = \"%s\"; framing = \"line\"; %s }; };",
	                  process_built("modules/lua/lua.so"), script, rest);
}

/* The service s, with one worker, and a script in a file. */
static void start_script_with(const char *script, const char *options, const char *rest)
{
	daemon_start(&d, SERVICES(" s = { listen = \"127.0.0.1:0\"; workers = 1; %s %s };"),
	             handler(script, options), rest);
}

static void start_script(const char *text)
{
	start_script_with(files_write("s.lua", "%s", text), "", "");
}

static const char *example(const char *name)
{
	return files_text("%s/etc/examples/lua/%s", getenv("top_srcdir"), name);
}

static void check_answer(int fd, const char *line, const char *answer)
{
	client_say(fd, line);
	client_expect(fd, answer);
}

START_TEST(the_calculator_answers)
{
	int fd;

	start_script_with(example("calc.lua"), "", "");
	fd = daemon_connect(&d, "s");
	check_answer(fd, "1 + 2\n2 * 3\n", "3\n6\n");
	client_end(fd);
	client_expect_end(fd);
	close(fd);
} END_TEST

START_TEST(the_keys_of_type_lua_are_its_options)
{
	const char *script = files_write("s.lua", "function request(conn, text)"
	                                 " return options.greeting .. \" \" .. text end\n");
	int fd;

	ck_assert_int_eq(setenv("DROVER_MODULES", process_built("modules/lua"), 1), 0);
	daemon_start(&d, SERVICES(" s = { listen = \"127.0.0.1:0\"; workers = 1; handler = { type = \"lua\";"
	             " script = \"%s\"; framing = \"line\"; options = { greeting = \"hello\"; }; }; };"), script);
	fd = daemon_connect(&d, "s");
	check_answer(fd, "world\n", "hello world\n");
	close(fd);
} END_TEST

START_TEST(an_error_closes_the_connection_and_the_worker_stays)
{
	const struct event *open;
	pid_t worker;
	int fd;

	start_script("function request(conn, text) if text == 'bad' then error('boom') end return text end");
	worker = daemon_next_worker(&d, "s");
	fd = daemon_connect(&d, "s");
	open = daemon_accepted(&d, fd);
	ck_assert_int_eq(event_number(open, "pid"), worker);
	client_say(fd, "bad\n");
	client_expect_gone(fd);
	daemon_ended(&d, open);
	close(fd);
	fd = daemon_connect(&d, "s");
	ck_assert_int_eq(event_number(daemon_accepted(&d, fd), "pid"), worker);
	check_answer(fd, "good\n", "good\n");
	close(fd);
	daemon_stop(&d, SIGTERM);
	harness_contains(daemon_errors(&d), "lua: request: ");
	harness_contains(daemon_errors(&d), "s.lua:1: boom; traceback: [C]: in function 'error', ");
} END_TEST

START_TEST(an_endless_loop_is_ended_and_the_worker_stays)
{
	pid_t worker;
	int fd;

	start_script("function request(conn, text) while text == 'loop' do pcall(error) end return text end");
	worker = daemon_next_worker(&d, "s");
	fd = daemon_connect(&d, "s");
	client_say(fd, "loop\n");
	client_expect_gone(fd);
	close(fd);
	fd = daemon_connect(&d, "s");
	check_answer(fd, "good\n", "good\n");
	ck_assert_int_eq(kill(worker, 0), 0);
	close(fd);
	daemon_stop(&d, SIGTERM);
	harness_contains(daemon_errors(&d), "took more than ");         /* instructions, or time on a slow machine */
} END_TEST

/* It comes from the event loop then, and not from a request. */
START_TEST(an_error_after_a_wait_closes_the_connection)
{
	int fd;

	start_script("function request(conn, text) conn:sleep(0.01) error('late') end");
	fd = daemon_connect(&d, "s");
	client_say(fd, "x\n");
	client_expect_gone(fd);
	close(fd);
	daemon_stop(&d, SIGTERM);
	harness_contains(daemon_errors(&d), "s.lua:1: late; traceback: ");
} END_TEST

/* Both sleep at the same time in one worker: the one that came later and sleeps less is answered first. */
START_TEST(a_function_that_sleeps_for_no_time_lets_the_others_have_their_turn)
{
	int busy, other;

	start_script("function request(conn, text)\n"
	             "  if text ~= 'stay' then return text end\n"
	             "  conn:reply('here')\n"
	             "  while true do conn:sleep(0) end\n"
	             "end\n");
	busy = daemon_connect(&d, "s");
	check_answer(busy, "stay\n", "here\n");
	other = daemon_connect(&d, "s");
	check_answer(other, "me\n", "me\n");
	close(busy);
	close(other);
} END_TEST

START_TEST(two_clients_sleep_at_once)
{
	int a, b;

	start_script("function request(conn, text)\n"
	             "  if text == 'long' then while not woken do conn:sleep(0.01) end return 'long done' end\n"
	             "  conn:sleep(0.01) woken = true return 'short done'\nend");
	a = daemon_connect(&d, "s");
	client_say(a, "long\nshort\n");
	b = daemon_connect(&d, "s");
	check_answer(b, "short\n", "short done\n");
	client_expect(a, "long done\nshort done\n");
	close(a);
	close(b);
} END_TEST

START_TEST(two_clients_chat)
{
	int a, b;

	start_script_with(example("chat.lua"), "", "");
	a = daemon_connect(&d, "s");
	client_expect(a, "* Your name?\n");
	check_answer(a, "ann\n", "* Welcome, ann.\n");
	b = daemon_connect(&d, "s");
	client_expect(b, "* Your name?\n");
	check_answer(b, "bob\n", "* Welcome, bob.\n");
	client_expect(a, "* bob has come.\n");
	client_say(a, "hello\n");
	client_expect(b, "ann: hello\n");
	close(b);
	client_expect(a, "* bob has left.\n");
	close(a);
} END_TEST

START_TEST(a_backend_is_asked)
{
	const char *port;
	int fd, backend = client_listen(&port), peer;

	start_script(files_text("function request(conn, text)\n"
	                        "  local s <close> = assert(drover.connect('127.0.0.1', %s))\n"
	                        "  s:write(text .. '\\n') return 'backend: ' .. s:read('l')\nend", port));
	fd = daemon_connect(&d, "s");
	client_say(fd, "question\n");
	peer = accept(backend, NULL, NULL);
	ck_assert_int_ne(peer, -1);
	client_expect(peer, "question\n");
	client_say(peer, "answer\n");
	client_expect(fd, "backend: answer\n");
	client_expect_end(peer);
	close(peer);
	close(fd);
	close(backend);
} END_TEST

START_TEST(a_slow_client_gets_all)
{
	const size_t n = 4u << 20;
	char *bytes = malloc(n + 1);
	int fd;

	ck_assert_ptr_nonnull(bytes);
	start_script("function request(conn, text) conn:write(('x'):rep(4 << 20)) conn:reply('') conn:finish() end");
	fd = daemon_connect(&d, "s");
	client_say(fd, "x\n");
	client_receive(fd, bytes, n + 1);
	ck_assert_int_eq(bytes[n], '\n');
	client_expect_end(fd);
	close(fd);
	free(bytes);
} END_TEST

START_TEST(a_bad_script_is_a_bad_configuration)
{
	const char *script = files_write("s.lua", "x = nil + 1\n");

	daemon_config(&d, SERVICES(" s = { listen = \"127.0.0.1:0\"; %s };"), handler(script, ""));
	ck_assert_int_eq(daemon_run_args(&d, "-t", "-c", d.config), 78);
	harness_contains(daemon_errors(&d), "s.lua:1: attempt to perform arithmetic on a nil value");
} END_TEST

/* The old worker may accept one more client after the reload, and so it has to end first. */
START_TEST(a_reload_brings_the_new_script)
{
	pid_t worker;
	int fd;

	start_script("function request(conn, text) return 'old' end");
	worker = daemon_next_worker(&d, "s");
	fd = daemon_connect(&d, "s");
	check_answer(fd, "x\n", "old\n");
	daemon_reload(&d, SERVICES(" s = { listen = \"127.0.0.1:0\"; workers = 1; %s };"),
	              handler(files_write("s.lua", "function request(conn, text) return 'new' end"), ""));
	check_answer(fd, "x\n", "old\n");
	close(fd);
	daemon_wait_for(&d, "worker-end pid=%d", (int)worker);
	fd = daemon_connect(&d, "s");
	check_answer(fd, "x\n", "new\n");
	close(fd);
} END_TEST

#ifdef HAVE_OPENSSL
START_TEST(a_script_knows_facts_of_tls)
{
	const struct tls_client_wish w = { .host = "s.example", .trusts = "ca", .version = TLS1_3_VERSION };
	const char *at = files_path("");
	SSL *ssl;

	ck_assert_int_eq(chdir(at), 0);
	certificate_issue("ca", &(struct certificate_wish){ .is_ca = true });
	certificate_issue("s", &(struct certificate_wish){ .issued_by = "ca", .names = "DNS:s.example" });
	start_script_with(files_write("s.lua", "function request(conn, text)\n"
	                              "  return conn.tls.protocol .. ' ' .. conn.tls.sni .. ' ' .. conn.tls.verify end"), "",
	                  files_text("tls = { chain = \"%s/s.pem\"; key = \"%s/s.key\"; };", at, at));
	ssl = tls_client_connect(daemon_address(&d, "s", 0), &w);
	tls_client_say(ssl, "x\n");
	tls_client_expect(ssl, "TLSv1.3 s.example NONE\n");
	tls_client_close(ssl);
} END_TEST
#endif

int main(void)
{
	Suite *s = suite_create("lua");
	TCase *tc = harness_case(s, "lua");

	tcase_add_test(tc, the_calculator_answers);
	tcase_add_test(tc, the_keys_of_type_lua_are_its_options);
	tcase_add_test(tc, an_error_closes_the_connection_and_the_worker_stays);
	tcase_add_test(tc, an_endless_loop_is_ended_and_the_worker_stays);
	tcase_add_test(tc, an_error_after_a_wait_closes_the_connection);
	tcase_add_test(tc, a_function_that_sleeps_for_no_time_lets_the_others_have_their_turn);
	tcase_add_test(tc, two_clients_sleep_at_once);
	tcase_add_test(tc, two_clients_chat);
	tcase_add_test(tc, a_backend_is_asked);
	tcase_add_test(tc, a_slow_client_gets_all);
	tcase_add_test(tc, a_bad_script_is_a_bad_configuration);
	tcase_add_test(tc, a_reload_brings_the_new_script);
#ifdef HAVE_OPENSSL
	tcase_add_test(tc, a_script_knows_facts_of_tls);
#endif
	return harness_run(s);
}
