/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Scripts that wait: for time, for other servers, and in timers.
 */
#include <config.h>
#include "lua_harness.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

/* ---- waiting -------------------------------------------------------------- */

START_TEST(one_connection_sleeps_while_another_is_served)
{
	struct drover_connection *a, *b;

	start("function request(conn, text) if text == 'slow' then conn:sleep(1.5) end return text end");
	a = module_host_connect();
	b = module_host_connect();
	check_answer(a, "slow\nnext\n", "");
	ck_assert(a->is_paused);
	check_answer(b, "quick\n", "quick\n");
	module_host_advance(1499);
	ck_assert_str_eq(module_host_received(a), "");
	module_host_advance(1);
	ck_assert_str_eq(module_host_received(a), "slow\nnext\n");
	ck_assert(!a->is_paused);
} END_TEST

START_TEST(sleep_in_open_comes_before_the_first_request)
{
	struct drover_connection *c;

	start("function open(conn) conn:sleep(1) conn:sleep(1) return 'ready' end\n"
	      "function request(conn, text) return text end");
	c = module_host_connect();
	check_answer(c, "x\n", "");
	module_host_advance(2000);
	ck_assert_str_eq(module_host_received(c), "ready\nx\n");
} END_TEST

START_TEST(a_client_that_leaves_ends_the_sleep)
{
	struct drover_connection *c;

	start("function request(conn, text)\n"
	      "  local x <close> = setmetatable({}, { __close = function() log.info('closed x') end })\n"
	      "  conn:sleep(100) log.error('woken')\nend\n"
	      "function close(conn, reason) log.info(reason) end");
	c = module_host_connect();
	module_host_say(c, "x\n");
	ck_assert_uint_eq(module_host_n_timers(), 1);
	module_host_leave(c);
	ck_assert_str_eq(module_host_log(), "info 1-1: closed x\ninfo 1-1: reset\n");
	module_host_advance(1000000);
	ck_assert_str_eq(module_host_log(), "");
	ck_assert_uint_eq(module_host_n_timers(), 0);
} END_TEST

/* drover cannot pause without memory, and does not say so. */
START_TEST(bytes_that_come_while_a_function_waits_close_the_connection)
{
	struct drover_connection *c;

	start_with_code("conn:sleep(1)");
	c = module_host_connect();
	module_host_say(c, "x\n");
	c->is_paused = false;
	module_host_say(c, "y\n");
	check_failed(c, "bytes came while request waits", NULL);
	ck_assert_uint_eq(module_host_n_timers(), 0);
	check_still_serves();
} END_TEST

START_TEST(the_limits_begin_again_after_a_wait)
{
	struct drover_connection *c;

	start("function request(conn, text)\n"
	      "  for i = 1, 5 do for j = 1, 200000 do end conn:sleep(0.001) end return 'done' end");
	c = module_host_connect();
	check_answer(c, "x\n", "");
	for (int i = 0; i < 5; i++)
		module_host_advance(1);
	ck_assert_str_eq(module_host_received(c), "done\n");
} END_TEST

START_TEST(resume_does_not_wake_a_sleeper)
{
	struct drover_connection *a, *b;

	start("local first\n"
	      "function open(conn) first = first or conn end\n"
	      "function request(conn, text)\n"
	      "  if conn == first then conn:sleep(1) return text end\n"
	      "  first:resume() return pcall(first.sleep, first, 1) and 'slept' or 'refused' .. select(2, pcall(first.sleep, first, 1))\n"
	      "end");
	a = module_host_connect();
	b = module_host_connect();
	module_host_say(a, "1\n2\n");
	module_host_say(b, "x\n");
	unit_contains(module_host_received(b), "refused");
	ck_assert(a->is_paused);
	ck_assert_str_eq(module_host_received(a), "");
	module_host_advance(2000);
	ck_assert_str_eq(module_host_received(a), "1\n2\n");
} END_TEST

/* A script that takes hold of the coroutine of a callback gains nothing but errors. */
START_TEST(the_coroutine_of_a_callback_cannot_be_misused)
{
	struct drover_connection *a, *b;

	start("local co\n"
	      "function request(conn, text)\n"
	      "  if text == 'ping' then return 'pong' end\n"
	      "  if text == 'sleep' then co = coroutine.running() conn:sleep(1) return 'slept' end\n"
	      "  if text == 'resume' then return tostring(coroutine.resume(co)) end\n"
	      "  if text == 'close' then return tostring(coroutine.close(co)) end\n"
	      "  return coroutine.status(co)\n"
	      "end");
	for (int i = 0; i < 2; i++) {
		a = module_host_connect();
		b = module_host_connect();
		module_host_say(a, "sleep\n");
		module_host_say(b, i == 0 ? "resume\n" : "close\n");
		unit_contains(module_host_received(b), "true");
		module_host_advance(1000);
		check_failed(a, "cannot resume dead coroutine", NULL);
		check_answer(b, "status\n", "dead\n");
		check_still_serves();
	}
} END_TEST

START_TEST(after_calls_a_function_later)
{
	struct drover_connection *c;

	start("local n = 0\n"
	      "drover.after(2, function() log.info('at the top level') end)\n"
	      "function request(conn, text)\n"
	      "  local function tick() n = n + 1 conn:write(n .. ' ') if n < 3 then drover.after(1, tick) end end\n"
	      "  drover.after(1, tick)\n"
	      "end");
	c = module_host_connect();
	module_host_say(c, "x\n");
	module_host_advance(1000);
	ck_assert_str_eq(module_host_received(c), "1 ");
	module_host_advance(5000);
	ck_assert_str_eq(module_host_received(c), "2 3 ");
	ck_assert_str_eq(module_host_log(), "info: at the top level\n");
} END_TEST

START_TEST(a_timer_can_be_cancelled)
{
	check_code_answers(
		"local t = drover.after(1, function() log.error('called') end)\n"
		"local first, second = t:cancel(), t:cancel()\n"
		"local u u = drover.after(0, function() log.info('called ' .. tostring(u:cancel())) end)\n"
		"return tostring(first) .. ' ' .. tostring(second)", "true false\n");
	module_host_advance(2000);
	ck_assert_str_eq(module_host_log(), "info: called false\n");
	ck_assert_uint_eq(module_host_n_timers(), 0);
} END_TEST

START_TEST(an_error_in_a_timer_is_logged)
{
	static const char *const codes[] = { "error('boom')", "conn:sleep(1)", "while true do end", "coroutine.yield()" };
	static const char *const words[] = { "boom", "conn:sleep is for functions of this connection only", "took more",
	                                     "coroutine.yield: not in" };
	char code[256];

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		snprintf(code, sizeof code, "drover.after(1, function() %s end)", codes[i]);
		check_code_answers(code, "");
		module_host_advance(1000);
		unit_contains(module_host_log(), words[i]);
		check_still_serves();
		module_host_stop();
	}
} END_TEST

/* ---- drover.connect ------------------------------------------------------- */

static int backend, peer_fd;

/* A socket of the test that listens on a port of the loopback. Returns the port. */
static int listen_on_loopback(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof sin;

	backend = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(backend, SOL_SOCKET, SO_RCVBUF, &(int){ 4096 }, sizeof (int));       /* so that writes wait */
	ck_assert_int_eq(bind(backend, (struct sockaddr *)&sin, sizeof sin), 0);
	ck_assert_int_eq(listen(backend, 8), 0);
	ck_assert_int_eq(getsockname(backend, (struct sockaddr *)&sin, &len), 0);
	return ntohs(sin.sin_port);
}

/* Starts a script whose request connects to the backend and runs the code with `s`; accepts the connection. */
static struct drover_connection *start_with_backend(const char *code)
{
	struct drover_connection *c;
	char text[2048];

	snprintf(text, sizeof text, "local s <close> = assert(drover.connect('127.0.0.1', %d, 2))\n%s",
	         listen_on_loopback(), code);
	start_with_code(text);
	c = module_host_connect();
	module_host_say(c, "go\n");
	if (module_host_n_watches() > 0)
		module_host_poll();
	peer_fd = accept(backend, NULL, NULL);
	ck_assert_int_ne(peer_fd, -1);
	return c;
}

static void backend_says(const char *text)
{
	ck_assert_int_eq(write(peer_fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void backend_ends(void)
{
	close(peer_fd);
	close(backend);
}

static void check_backend_got(const char *text)
{
	char got[256];

	ck_assert_int_eq(recv(peer_fd, got, strlen(text), MSG_WAITALL), (ssize_t)strlen(text));
	ck_assert_mem_eq(got, text, strlen(text));
}

START_TEST(a_backend_is_asked_and_others_are_served)
{
	struct drover_connection *c = start_with_backend("s:write('question\\n') return 'got ' .. s:read('l')");

	check_backend_got("question\n");
	ck_assert(c->is_paused);
	check_still_serves();
	backend_says("ans");
	ck_assert(module_host_poll());
	ck_assert_str_eq(module_host_received(c), "");
	backend_says("wer\nmore");
	ck_assert(module_host_poll());
	ck_assert_str_eq(module_host_received(c), "got answer\n");
	ck_assert_uint_eq(module_host_n_watches(), 0);
	ck_assert_uint_eq(module_host_n_timers(), 0);
	backend_ends();
} END_TEST

START_TEST(reads_by_length_by_line_and_to_the_end)
{
	struct drover_connection *c = start_with_backend(
		"local r = { s:read(3), s:read(0), s:read('l'), s:read(), s:read('l'), s:read(5), s:read('a') }\n"
		"r[#r + 1] = s:read('a') r[#r + 1] = tostring(s:read('l')) r[#r + 1] = tostring(s:read(1))\n"
		"return table.concat(r, '|')");

	backend_says("abcdef\n\nline\n12345rest");
	backend_ends();
	while (module_host_n_watches() > 0 && module_host_poll())
		;
	ck_assert_str_eq(module_host_received(c), "abc||def||line|12345|rest||nil|nil\n");
} END_TEST

START_TEST(the_last_line_needs_no_newline)
{
	struct drover_connection *c = start_with_backend("return s:read('l') .. s:read(10)");

	(void)c;
	backend_says("last");
	backend_ends();
	while (module_host_n_watches() > 0 && module_host_poll())
		;
	check_failed(c, "attempt to concatenate a nil value", NULL);
} END_TEST

START_TEST(a_long_write_waits_for_the_backend)
{
	struct drover_connection *c = start_with_backend("return tostring(s:write(('x'):rep(3 << 20)))");
	size_t n = 0;
	char bytes[65536];
	ssize_t got;

	ck_assert(c->is_paused);
	while (n < (size_t)3 << 20) {
		got = recv(peer_fd, bytes, sizeof bytes, module_host_n_watches() > 0 ? MSG_DONTWAIT : 0);
		ck_assert_msg(got != 0, "%zu bytes, then the end; log: %s", n, module_host_log());
		if (got > 0)
			n += (size_t)got;
		else if (poll(&(struct pollfd){ .fd = peer_fd, .events = POLLIN }, 1, 50) == 0)
			ck_assert(module_host_poll());
	}
	ck_assert_str_eq(module_host_received(c), "true\n");
	backend_ends();
} END_TEST

START_TEST(a_silent_backend_is_waited_for_for_a_limited_time)
{
	struct drover_connection *c = start_with_backend("local r, why = s:read('l') return tostring(r) .. ' ' .. why");

	module_host_advance(1999);
	ck_assert_str_eq(module_host_received(c), "");
	module_host_advance(1);
	ck_assert_str_eq(module_host_received(c), "nil timed out\n");
	backend_ends();
} END_TEST

START_TEST(a_client_that_leaves_closes_its_backend)
{
	struct drover_connection *c = start_with_backend("return s:read('a')");
	char byte;

	module_host_leave(c);
	ck_assert_uint_eq(module_host_n_watches(), 0);
	ck_assert_int_eq(read(peer_fd, &byte, 1), 0);
	backend_ends();
} END_TEST

START_TEST(a_backend_that_sends_too_much_fails_only_the_connection)
{
	struct drover_connection *c = start_with_backend("return s:read('a')");
	static char much[65536];

	ck_assert_int_eq(fcntl(peer_fd, F_SETFL, O_NONBLOCK), 0);
	while (c->reason == 0) {
		if (write(peer_fd, much, sizeof much) == -1)
			ck_assert(module_host_poll());
		else if (c->reason == 0)
			module_host_poll();
	}
	check_failed(c, "not enough memory", NULL);
	check_still_serves();
	backend_ends();
} END_TEST

START_TEST(connecting_can_fail)
{
	struct drover_connection *c;
	char code[256];

	snprintf(code, sizeof code, "local s, why = drover.connect('127.0.0.1', %d) return tostring(s) .. ' ' .. why",
	         listen_on_loopback());
	close(backend);
	start_with_code(code);
	c = module_host_connect();
	module_host_say(c, "go\n");
	if (module_host_n_watches() > 0)
		module_host_poll();
	ck_assert_str_eq(module_host_received(c), "nil Connection refused\n");
} END_TEST

START_TEST(a_unix_socket_is_connected_to)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct drover_connection *c;
	char code[256];

	snprintf(sun.sun_path, sizeof sun.sun_path, "%s/b.sock", unit_folder);
	backend = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(backend, (struct sockaddr *)&sun, sizeof sun), 0);
	ck_assert_int_eq(listen(backend, 8), 0);
	snprintf(code, sizeof code, "local s = drover.connect('unix:%s') s:write('hi') s:close() s:close()\n"
	         "return tostring(s:write('x')) .. tostring(s:read('a'))", sun.sun_path);
	start_with_code(code);
	c = module_host_connect();
	check_answer(c, "go\n", "nilnil\n");
	peer_fd = accept(backend, NULL, NULL);
	check_backend_got("hi");
	backend_ends();
	module_host_stop();
	start_with_code("local s, why = drover.connect('unix:/nonexistent') return why");
	check_answer(module_host_connect(), "go\n", "No such file or directory\n");
} END_TEST

static const struct { const char *code, *words; } socket_misuses[] = {
	{ "s:read(-1)", "is negative" },
	{ "s:read('x')", "is neither a number nor" },
	{ "s:read({})", "string expected, got table" },
	{ "s:read(1.5)", "number has no integer representation" },
	{ "s:write()", "string expected, got no value" },
	{ "s.read(conn)", "drover socket expected" },
	{ "table.sort({ 1, 2 }, function() s:read('l') end)", "cannot wait here" },
	{ "coroutine.wrap(function() s:read('l') end)()", "a coroutine that the script has made cannot wait" },
};

START_TEST(misuse_of_a_socket_is_an_error)
{
	struct drover_connection *c = start_with_backend(socket_misuses[_i].code);

	check_failed(c, socket_misuses[_i].words, NULL);
	check_still_serves();
	backend_ends();
} END_TEST

/* One waits for it, another one reads, then closes it. */
START_TEST(one_socket_and_two_connections)
{
	struct drover_connection *a, *b;
	char script[1024];

	snprintf(script, sizeof script,
	         "local s\nfunction request(conn, text)\n"
	         "  if not s then s = drover.connect('127.0.0.1', %d) local r, why = s:read('l') return why end\n"
	         "  if text == 'close' then s:close() return 'did' end\n"
	         "  return select(2, pcall(s[text], s, 'l'))\nend", listen_on_loopback());
	start(script);
	a = module_host_connect();
	module_host_say(a, "x\n");
	if (module_host_n_watches() > 0)
		module_host_poll();
	b = module_host_connect();
	check_answer(b, "read\n", "another function waits for this socket\n");
	check_answer(b, "write\n", "another function waits for this socket\n");
	check_answer(b, "close\n", "did\n");
	module_host_advance(0);
	ck_assert_str_eq(module_host_received(a), "closed\n");
	close(backend);
} END_TEST

START_TEST(a_timer_can_use_a_socket)
{
	char script[1024];

	snprintf(script, sizeof script,
	         "drover.after(1, function() local s = drover.connect('127.0.0.1', %d) log.info(s:read('l')) end)\n"
	         "function request() return 'pong' end", listen_on_loopback());
	start(script);
	module_host_advance(1000);
	while (module_host_n_watches() == 1 && (peer_fd = accept4(backend, NULL, NULL, SOCK_NONBLOCK)) == -1)
		module_host_poll();
	backend_says("hello\n");
	while (module_host_n_watches() > 0)
		module_host_poll();
	ck_assert_str_eq(module_host_log(), "info: hello\n");
	backend_ends();
} END_TEST

START_TEST(a_worker_that_stops_frees_timers_and_sockets_that_wait)
{
	char script[1024];

	snprintf(script, sizeof script,
	         "drover.after(1000, print)\n"
	         "drover.after(1, function() local s <close> = drover.connect('127.0.0.1', %d) s:read('l') end)\n"
	         "function request(conn) conn:sleep(1000) end", listen_on_loopback());
	start(script);
	module_host_advance(1);
	module_host_say(module_host_connect(), "x\n");
	module_host_advance(1000);
	module_host_stop();
	close(backend);
} END_TEST

/* Finalizers run for the newest first: the timer is gone when the socket is closed. */
START_TEST(a_worker_that_stops_ends_a_timer_that_waits_for_an_older_socket)
{
	char script[1024];

	snprintf(script, sizeof script,
	         "function request()\n"
	         "  if not sock then\n"
	         "    sock = drover.connect('127.0.0.1', %d)\n"
	         "    drover.after(1, function() sock:read('l') end)\n"
	         "  end\n"
	         "  return 'pong'\n"
	         "end", listen_on_loopback());
	start(script);
	module_host_say(module_host_connect(), "x\n");
	if (module_host_n_watches() > 0)
		module_host_poll();
	module_host_advance(1000);
	ck_assert_uint_eq(module_host_n_watches(), 1);
	module_host_stop();
	close(backend);
} END_TEST

int main(void)
{
	Suite *s = suite_create("lua_waiting");
	TCase *tc;

	tc = unit_case(s, "waiting", set_up, tear_down);
	tcase_add_test(tc, one_connection_sleeps_while_another_is_served);
	tcase_add_test(tc, sleep_in_open_comes_before_the_first_request);
	tcase_add_test(tc, a_client_that_leaves_ends_the_sleep);
	tcase_add_test(tc, bytes_that_come_while_a_function_waits_close_the_connection);
	tcase_add_test(tc, the_limits_begin_again_after_a_wait);
	tcase_add_test(tc, resume_does_not_wake_a_sleeper);
	tcase_add_test(tc, the_coroutine_of_a_callback_cannot_be_misused);
	tcase_add_test(tc, after_calls_a_function_later);
	tcase_add_test(tc, a_timer_can_be_cancelled);
	tcase_add_test(tc, an_error_in_a_timer_is_logged);
	tc = unit_case(s, "sockets", set_up, tear_down);
	tcase_add_test(tc, a_backend_is_asked_and_others_are_served);
	tcase_add_test(tc, reads_by_length_by_line_and_to_the_end);
	tcase_add_test(tc, the_last_line_needs_no_newline);
	tcase_add_test(tc, a_long_write_waits_for_the_backend);
	tcase_add_test(tc, a_silent_backend_is_waited_for_for_a_limited_time);
	tcase_add_test(tc, a_client_that_leaves_closes_its_backend);
	tcase_add_test(tc, a_backend_that_sends_too_much_fails_only_the_connection);
	tcase_add_test(tc, connecting_can_fail);
	tcase_add_test(tc, a_unix_socket_is_connected_to);
	tcase_add_loop_test(tc, misuse_of_a_socket_is_an_error, 0, ARRAY_SIZE(socket_misuses));
	tcase_add_test(tc, one_socket_and_two_connections);
	tcase_add_test(tc, a_timer_can_use_a_socket);
	tcase_add_test(tc, a_worker_that_stops_frees_timers_and_sockets_that_wait);
	tcase_add_test(tc, a_worker_that_stops_ends_a_timer_that_waits_for_an_older_socket);
	return unit_run(s);
}
