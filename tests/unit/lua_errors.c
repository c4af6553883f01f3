/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Scripts that do what they should not: each error ends the connection and not the worker.
 */
#include <config.h>
#include "lua_harness.h"

static const struct { const char *code, *words; } misuses[] = {
	{ "return {}", "has returned a table, which is no answer" },
	{ "return 'a\\nb'", "the answer cannot be sent: it does not fit into a frame" },
	{ "conn:reply('a\\nb')", "bad argument #1 to 'reply' (does not fit into a frame); traceback: " },
	{ "conn.write('x')", "bad argument #1 to 'write' (drover connection expected, got string)" },
	{ "conn:write({})", "bad argument #1 to 'write' (string expected, got table)" },
	{ "conn:sleep(-1)", "is no time in seconds" },
	{ "conn:sleep(0/0)", "is no time in seconds" },
	{ "conn:sleep(1e300)", "is no time in seconds" },
	{ "conn:sleep('x')", "number expected, got string" },
	{ "conn.peer = 1", "conn.peer belongs to drover and cannot be set" },
	{ "conn.write = 1", "conn.write belongs to drover and cannot be set" },
	{ "conn[nil] = 1", "index is nil" },
	{ "setmetatable(conn, {})", "table expected" },
	{ "getmetatable(conn).__index = 1", "attempt to" },
	{ "drover.after(1)", "function expected" },
	{ "drover.after(-1, print)", "is no time in seconds" },
};

START_TEST(misuse_of_conn_is_an_error)
{
	check_code_fails(misuses[_i].code, misuses[_i].words);
} END_TEST

/* ---- errors --------------------------------------------------------------- */

START_TEST(an_error_closes_the_connection_with_a_traceback)
{
	struct drover_connection *c;

	start("local function inner(x)\n  error('boom')\nend\n"
	      "function request(conn, text)\n  if text == 'ping' then return 'pong' end\n  inner(text)\n  return 1\nend\n"
	      "function close(conn, reason) closed = reason end");
	c = module_host_connect();
	module_host_say(c, "go\n");
	check_failed(c, "error 1-1: lua: request: ", "s.lua:2: boom; traceback: [C]: in function 'error', ",
	             "in upvalue 'inner'", "s.lua:6: in function 'request'", NULL);
	check_still_serves();
} END_TEST

static const struct { const char *code, *words; } errors[] = {
	{ "error({})", "(an error that is a table); traceback: " },
	{ "error()", "(an error that is a nil)" },
	{ "error(conn)", "connection 1-1" },
	{ "error(5)", "request: 5; traceback: " },
	{ "error(setmetatable({}, { __tostring = function() error('in it', 0) end }))", "in it" },
	{ "error(setmetatable({}, { __tostring = function() while true do end end }))", "took more than" },
	{ "local function f() return 1 + f() end f()", "not enough memory" },
	{ "local t = {} setmetatable(t, { __index = function(t, k) return t[k .. 'x'] end }) return t.x", "overflow" },
	{ "string.rep('x', 1 << 30)", "not enough memory" },
	{ "string.rep('x', 1 << 62)", "resulting string too large" },
	{ "local s = 'x' while true do s = s .. s end", "not enough memory" },
	{ "local t = {} while true do t[#t + 1] = {} end", "not enough memory" },
	{ "local f = function() end while true do local g = f f = function() return g end end", "not enough memory" },
	{ "local t = {} for i = 1, 1e6 do t[i] = coroutine.create(print) end", "not enough memory" },
	{ "coroutine.yield()", "coroutine.yield: not in a coroutine that the script has made; traceback: " },
	{ "coroutine.yield(conn, 1, 2)", "coroutine.yield: not in a coroutine" },
	{ "pcall(coroutine.yield)", "coroutine.yield: not in a coroutine" },
	{ "coroutine.wrap(function() conn:sleep(1) end)()", "a coroutine that the script has made cannot wait" },
	{ "table.sort({ 3, 2, 1 }, function(a, b) conn:sleep(1) end)", "cannot wait here, inside a C function" },
	{ "('x'):gsub('x', function() conn:sleep(1) end)", "cannot wait here, inside a C function" },
	{ "table.sort({ 3, 2, 1 }, function(a, b) coroutine.yield() end)", "attempt to yield across a C-call boundary" },
	{ "while true do end", "took more than 1000000 instructions; traceback: " },
	{ "while true do pcall(function() while true do end end) end", "took more than 1000000 instructions" },
	{ "pcall(function() while true do end end) return 'caught'", "took more than 1000000 instructions" },
	{ "local function f() pcall(f) while true do end end f()", "took more than 1000000 instructions" },
	{ "while true do pcall(pcall, pcall, error) end", "took more than 1000000 instructions" },
	{ "xpcall(function() while true do end end, function() while true do end end)", "took more than 1000000" },
	{ "xpcall(error, function() while true do end end)", "took more than 1000000 instructions" },
	{ "while true do coroutine.wrap(function() while true do end end)() end", "took more than 1000000" },
	{ "while true do coroutine.resume(coroutine.create(function() while true do end end)) end", "took more than" },
	{ "coroutine.resume(coroutine.create(function() while true do end end)) return 'x'",
	  "took more than 1000000 instructions" },
	{ "local f = coroutine.wrap(function()\n"
	  "local x <close> = setmetatable({}, { __close = function() while true do end end }) while true do end end) f()",
	  "took more than 1000000 instructions" },
	{ "local co = coroutine.create(function()\n"
	  "local x <close> = setmetatable({}, { __close = function() while true do end end }) while true do end end)\n"
	  "coroutine.resume(co) coroutine.close(co)", "took more than 1000000 instructions" },
	{ "coroutine.resume(coroutine.create(function() table.sort({ 3, 2, 1 }, function() while true do end end) end))",
	  "took more than 1000000 instructions, and has caught that error" },
	{ "local x <close> = setmetatable({}, { __close = function() error('in close', 0) end }) error('first')",
	  "first" },
	{ "do local x <close> = setmetatable({}, { __close = function() error('in close', 0) end }) end", "in close" },
	{ "local x <close> = setmetatable({}, { __close = function() while true do end end }) error('first')", "first" },
	{ "local x <close> = setmetatable({}, { __close = function() coroutine.yield() end }) error('first')", "first" },
	{ "local x <close> = setmetatable({}, { __close = function() conn:sleep(1) end }) error('first')", "first" },
	{ "local x <close> = setmetatable({}, { __close = function() while true do end end }) while true do end",
	  "s.lua:2: took more than 1000000 instructions; traceback: " },
	{ "local x <close> = setmetatable({}, { __close = function() error('in close') end }) while true do end",
	  "took more than 1000000 instructions" },
	{ "local x <close> = setmetatable({}, { __close = function() while true do end end })\n"
	  "table.sort({ 3, 2, 1 }, function() while true do end end)", "took more than 1000000 instructions" },
	{ "local x <close> = setmetatable({}, { __close = function() while true do end end })\n"
	  "coroutine.wrap(function() while true do end end)()", "took more than 1000000 instructions" },
	{ "for i in coroutine.wrap(function() while true do end end) do end conn:write('x')", "took more than 1000000" },
	{ "undefined()", "attempt to call a nil value (global 'undefined')" },
	{ "drover.connect('localhost', 80)", "\"localhost\" is no address in numbers, and names are not looked up" },
	{ "drover.connect('127.0.0.1')", "needs a port from 1 to 65535" },
	{ "drover.connect('::1', 70000)", "needs a port from 1 to 65535" },
	{ "drover.connect('unix:x')", "has no absolute path" },
	{ "drover.connect('unix:/' .. ('x'):rep(200))", "has a path that is too long" },
	{ "drover.connect()", "string expected" },
};

START_TEST(an_error_ends_the_connection_and_not_the_worker)
{
	check_code_fails(errors[_i].code, errors[_i].words);
} END_TEST

START_TEST(what_is_marked_close_is_closed_after_an_excess)
{
	struct drover_connection *c;

	start_with_code("local x <close> = setmetatable({}, { __close = function() log.info('closed') end }) while true do end");
	c = module_host_connect();
	module_host_say(c, "x\n");
	ck_assert_int_eq(c->reason, DROVER_FAILED);
	unit_contains(module_host_log(), "info 1-1: closed\n");
	check_still_serves();
} END_TEST

/* It is no different in a function that another one has called. */
START_TEST(time_is_limited)
{
	const struct module_host_option options[] = {
		HOST_TEXT("script", script_path), HOST_INTEGER("time", 30), HOST_INTEGER("instructions", INT64_C(1000000000)),
		HOST_TEXT("framing", "line"), HOST_END
	};
	struct drover_connection *c;

	unit_write_file("s.lua", "function request(conn, text) if text == 'ping' then return 'pong' end while true do end end");
	ck_assert(module_host_start(options));
	c = module_host_connect();
	module_host_say(c, "x\n");
	check_failed(c, "took more than 30 ms of CPU time; traceback: ", NULL);
	check_still_serves();
} END_TEST

/* With memory for it, the stack of Lua has a limit of its own. */
START_TEST(recursion_is_limited)
{
	const struct module_host_option options[] = {
		HOST_TEXT("script", script_path), HOST_TEXT("framing", "line"), HOST_INTEGER("memory", 1 << 28),
		HOST_INTEGER("time", 600000), HOST_END
	};
	struct drover_connection *c;

	unit_write_file("s.lua", "local function f() return 1 + f() end\n"
	                "function request(conn, text) if text == 'ping' then return 'pong' end return f() end");
	ck_assert(module_host_start(options));
	c = module_host_connect();
	module_host_say(c, "x\n");
	check_failed(c, "stack overflow", "; traceback: ", "(skipping ", NULL);
	check_still_serves();
} END_TEST

START_TEST(memory_comes_back_when_a_connection_has_failed)
{
	start("function request(conn, text)\n  if text == 'ping' then return 'pong' end\n"
	      "  conn.t = {} while true do conn.t[#conn.t + 1] = ('x'):rep(1000) .. #conn.t end\nend");
	for (int i = 0; i < 20; i++) {
		struct drover_connection *c = module_host_connect();

		module_host_say(c, "x\n");
		check_failed(c, "not enough memory", NULL);
	}
	check_still_serves();
} END_TEST

/* What the script itself keeps is not freed: each connection fails, and the worker stays. */
START_TEST(a_script_that_keeps_all_memory_serves_no_more)
{
	struct drover_connection *c;

	start("kept = {}\n"
	      "function request(conn, text) while true do kept[#kept + 1] = {} end end");
	for (int i = 0; i < 40; i++) {
		c = module_host_connect();
		module_host_say(c, "x\n");
		ck_assert_int_eq(c->reason, DROVER_FAILED);
	}
	unit_contains(module_host_log(), "not enough memory");
} END_TEST

START_TEST(an_error_in_open)
{
	struct drover_connection *c;

	start("function open(conn) error('at the door') end\nfunction request(conn, text) end\n"
	      "function close(conn, reason) log.info('closed: ' .. reason) end");
	c = module_host_connect();
	ck_assert_int_eq(c->reason, DROVER_FAILED);
	unit_contains(module_host_log(), "at the door");
} END_TEST

START_TEST(errors_in_close_are_logged)
{
	static const char *const codes[] = { "error('boom')", "conn:sleep(1)", "while true do end", "coroutine.yield()" };
	static const char *const words[] = { "boom", "close cannot wait", "took more than", "coroutine.yield: not in" };
	char script[512];

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		snprintf(script, sizeof script, "function request(conn, text) return 'pong' end\n"
		         "function close(conn, reason) %s end", codes[i]);
		start(script);
		module_host_leave(module_host_connect());
		unit_contains(module_host_log(), words[i]);
		check_still_serves();
		module_host_stop();
	}
} END_TEST

START_TEST(errors_in_finalizers_are_warnings)
{
	struct drover_connection *c;

	start("function request(conn, text)\n"
	      "  setmetatable({}, { __gc = function() error('in gc') end })\n"
	      "  setmetatable({}, { __gc = function() conn:sleep(1) end })\n"
	      "  setmetatable({}, { __gc = function() coroutine.yield() end })\n"
	      "  collectgarbage() return 'ok'\nend");
	c = module_host_connect();
	check_answer(c, "x\n", "ok\n");
	unit_contains(module_host_log(), "in gc");
} END_TEST

START_TEST(without_memory_for_timers_only_the_connection_fails)
{
	struct drover_connection *c;

	start_with_code("conn:sleep(1)");
	c = module_host_connect();
	module_host_refuse(true);
	module_host_say(c, "x\n");
	check_failed(c, "no timer: ", NULL);
	check_still_serves();
} END_TEST

START_TEST(a_closed_connection_is_not_served)
{
	struct drover_connection *c;

	start("function request(conn, text) conn:abort() conn:write('x') conn:finish() return 'y' end");
	c = module_host_connect();
	check_answer(c, "x\nz\n", "");
	ck_assert_int_eq(c->reason, DROVER_FAILED);
	ck_assert_str_eq(module_host_log(), "");
} END_TEST

int main(void)
{
	Suite *s = suite_create("lua_errors");
	TCase *tc;

	tc = unit_case(s, "errors", set_up, tear_down);
	tcase_add_test(tc, an_error_closes_the_connection_with_a_traceback);
	tcase_add_loop_test(tc, an_error_ends_the_connection_and_not_the_worker, 0, ARRAY_SIZE(errors));
	tcase_add_test(tc, what_is_marked_close_is_closed_after_an_excess);
	tcase_add_test(tc, time_is_limited);
	tcase_add_test(tc, recursion_is_limited);
	tcase_add_test(tc, memory_comes_back_when_a_connection_has_failed);
	tcase_add_test(tc, a_script_that_keeps_all_memory_serves_no_more);
	tcase_add_test(tc, an_error_in_open);
	tcase_add_test(tc, errors_in_close_are_logged);
	tcase_add_test(tc, errors_in_finalizers_are_warnings);
	tcase_add_test(tc, without_memory_for_timers_only_the_connection_fails);
	tcase_add_test(tc, a_closed_connection_is_not_served);
	tcase_add_loop_test(tc, misuse_of_conn_is_an_error, 0, ARRAY_SIZE(misuses));
	return unit_run(s);
}
