/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Handlers in Lua, as drover_lua(7) describes them: requests and answers, what a script finds, the
 * options of the module, and the examples.
 */
#include <config.h>
#include "lua_harness.h"

#include <sys/socket.h>
#include <sys/stat.h>

/* ---- requests and answers ------------------------------------------------ */

START_TEST(a_request_is_answered_by_what_is_returned)
{
	struct drover_connection *c;

	start("function request(conn, text) return text:upper() end");
	c = module_host_connect();
	check_answer(c, "abc\nde", "ABC\n");
	check_answer(c, "f\n\n", "DEF\n\n");
	module_host_end(c);
	ck_assert_int_eq(c->reason, DROVER_CLOSED);
	ck_assert_str_eq(module_host_log(), "");
} END_TEST

START_TEST(data_gets_bytes_as_they_come)
{
	struct drover_connection *c;

	start_unframed("function data(conn, bytes) return '<' .. bytes .. '>' end");
	c = module_host_connect();
	module_host_send(c, "a\0b", 3);
	module_host_say(c, "cd");
	ck_assert_mem_eq(module_host_received(c), "<a\0b><cd>", 9);
} END_TEST

START_TEST(open_can_greet_and_close_is_told_the_reason)
{
	struct drover_connection *c;

	start("function open(conn) return 'welcome' end\n"
	      "function request(conn, text) conn:finish() return 'too late' end\n"
	      "function close(conn, reason) log.info(reason .. ' ' .. tostring(conn.closed)) end");
	c = module_host_connect();
	ck_assert_str_eq(module_host_received(c), "welcome\n");
	check_answer(c, "x\ny\n", "");
	ck_assert_int_eq(c->reason, DROVER_FINISHED);
	ck_assert_str_eq(module_host_log(), "info 1-1: finished true\n");
	module_host_leave(module_host_connect());
	ck_assert_str_eq(module_host_log(), "info 1-2: reset true\n");
} END_TEST

static const struct { const char *code, *answer; } returned[] = {
	{ "return 42", "42\n" },
	{ "return 1.5", "1.5\n" },
	{ "return nil", "" },
	{ "return true", "" },
	{ "return", "" },
	{ "return 'a', 'b', 'c'", "a\n" },
	{ "return ''", "\n" },
	{ "return conn:write('x')", "x" },
	{ "return conn:reply('x')", "x\n" },
};

START_TEST(what_is_returned_is_the_answer)
{
	check_code_answers(returned[_i].code, returned[_i].answer);
} END_TEST

START_TEST(fields_of_conn_last_as_long_as_the_connection)
{
	struct drover_connection *a, *b;

	start("function request(conn, text) local before = conn.last; conn.last = text; return before or 'first' end");
	a = module_host_connect();
	b = module_host_connect();
	check_answer(a, "1\n", "first\n");
	check_answer(b, "2\n", "first\n");
	check_answer(a, "3\n", "1\n");
	check_answer(b, "4\n", "2\n");
} END_TEST

START_TEST(conn_can_be_kept_and_is_closed_then)
{
	struct drover_connection *a, *b;

	start("local first\n"
	      "function open(conn) first = first or conn end\n"
	      "function request(conn, text)\n"
	      "  if text == 'id' then return first.id end\n"
	      "  local ok, why = first:write('x')\n"
	      "  first:finish() first:abort() first:pause() first:resume()\n"
	      "  return tostring(ok) .. ' ' .. tostring(why) .. ' ' .. tostring(first.closed) .. ' ' ..\n"
	      "         tostring(first.id) .. ' ' .. tostring(first.peer) .. ' ' .. tostring(first)\n"
	      "end");
	a = module_host_connect();
	b = module_host_connect();
	check_answer(b, "id\n", "1-1\n");
	module_host_leave(a);
	check_answer(b, "x\n", "nil closed true 1-1 nil connection (closed)\n");
} END_TEST

START_TEST(facts_about_the_connection)
{
	struct drover_connection *c;

	start("function request(conn, text)\n"
	      "  local p, l = conn.peer, conn.localaddr\n"
	      "  return ('%s %d %s %s %d %s %s'):format(p.ip, p.port, p.uid, l.ip, l.port, conn.tls, rawequal(p, conn.peer))\n"
	      "end");
	c = module_host_connect();
	check_answer(c, "x\n", "192.0.2.1 40000 nil 192.0.2.9 7000 nil true\n");
} END_TEST

START_TEST(facts_about_a_unix_peer)
{
	struct drover_connection *c;

	start("function request(conn, text)\n"
	      "  return ('%s %s %s %s'):format(conn.peer.ip, conn.peer.port, conn.peer.uid, conn.localaddr) end");
	c = module_host_new();
	c->peer = (struct drover_endpoint){ .family = AF_UNIX, .uid = 1000 };
	c->local.family = 0;
	module_host_open(c);
	check_answer(c, "x\n", "nil nil 1000 nil\n");
} END_TEST

START_TEST(facts_about_tls)
{
	static char subject[1000];
	struct drover_connection *c;

	start("function request(conn, text) local t = conn.tls\n"
	      "  return ('%s %s %s %s %d'):format(t.protocol, t.sni, t.verify, t.issuer, #t.subject) end");
	memset(subject, 'x', sizeof subject - 1);
	c = module_host_new();
	c->tls[DROVER_TLS_PROTOCOL] = "TLSv1.3";
	c->tls[DROVER_TLS_SNI] = "a.example";
	c->tls[DROVER_TLS_VERIFY] = "SUCCESS";
	c->tls[DROVER_TLS_SUBJECT] = subject;
	module_host_open(c);
	check_answer(c, "x\n", "TLSv1.3 a.example SUCCESS nil 999\n");
} END_TEST

START_TEST(reply_needs_framing)
{
	struct drover_connection *c;

	start_unframed("function data(conn, bytes) conn:reply('x') end");
	c = module_host_connect();
	module_host_say(c, "x");
	check_failed(c, "conn:reply needs framing", NULL);
} END_TEST

START_TEST(pause_and_resume)
{
	struct drover_connection *a, *b;

	start("local paused\n"
	      "function request(conn, text)\n"
	      "  if text == 'go' then paused:resume() return 'went' end\n"
	      "  paused = conn; conn:pause() conn:pause() return text\n"
	      "end");
	a = module_host_connect();
	b = module_host_connect();
	check_answer(a, "1\n2\n", "1\n");
	ck_assert(a->is_paused);
	ck_assert_uint_eq(a->n_pauses, 1);
	check_answer(b, "go\n", "went\n");
	ck_assert_str_eq(module_host_received(a), "2\n");
} END_TEST

START_TEST(a_client_that_takes_nothing_is_closed_before_memory_ends)
{
	struct drover_connection *c;

	start("function request(conn, text)\n"
	      "  local n, block = 0, ('x'):rep(1 << 20)\n"
	      "  while conn:write(block) do n = n + 1 end\n"
	      "  log.info(n)\n"
	      "end");
	c = module_host_connect();
	c->is_slow = true;
	module_host_say(c, "x\n");
	ck_assert_int_eq(c->reason, DROVER_FAILED);
	unit_contains(module_host_log(), "the client takes too little: 8388608 bytes wait");
} END_TEST

/* ---- the environment of scripts ------------------------------------------- */

START_TEST(options_keep_their_types)
{
	static const struct module_host_option list[] = { HOST_INTEGER(NULL, 1), HOST_TEXT(NULL, "two"), HOST_END };
	static const struct module_host_option group[] = { HOST_BOOLEAN("yes", 1), HOST_BOOLEAN("no", 0), HOST_END };
	static const struct module_host_option inner[] = {
		HOST_INTEGER("i", 5), HOST_NUMBER("f", 2.5), HOST_TEXT("t", "text"), HOST_LIST("l", list),
		HOST_GROUP("g", group), HOST_END
	};
	const struct module_host_option options[] = {
		HOST_TEXT("script", script_path), HOST_GROUP("options", inner), HOST_END
	};
	struct drover_connection *c;

	unit_write_file("s.lua", "local o = options\nlocal s = ('%s %s %s %d %d %s %s %s %s'):format(math.type(o.i), "
	                "math.type(o.f), o.t, #o.l, o.l[1], o.l[2], o.g.yes, o.g.no, drover.service)\n"
	                "function open(conn) return s end");
	ck_assert(module_host_configure(options));
	ck_assert(module_host_start(options));
	c = module_host_connect();
	ck_assert_str_eq(module_host_received(c), "integer float text 2 1 two true false s");
} END_TEST

START_TEST(log_and_print_are_lines_of_the_log)
{
	struct drover_connection *c;

	start("print('top', 1, nil)\n"
	      "function request(conn, text)\n"
	      "  log.error('e') log.warn('w') log.info(5) log.debug({} ~= nil) print('a%s', 2) warn('from ', 'Lua')\n"
	      "end");
	ck_assert_str_eq(module_host_log(), "info: top\t1\tnil\n");
	c = module_host_connect();
	module_host_say(c, "x\n");
	ck_assert_str_eq(module_host_log(), "error 1-1: e\nwarning 1-1: w\ninfo 1-1: 5\ndebug 1-1: true\n"
	                 "info 1-1: a%s\t2\nwarning 1-1: from Lua\n");
} END_TEST

START_TEST(only_safe_libraries_are_there)
{
	check_code_answers(
		"local bad = {}\n"
		"for _, name in ipairs { 'io', 'package', 'debug', 'dofile', 'loadfile' } do\n"
		"  if _G[name] then bad[#bad + 1] = name end\n"
		"end\n"
		"for name in pairs(os) do if not ({ time = 1, clock = 1, date = 1 })[name] then bad[#bad + 1] = name end end\n"
		"local code = string.dump(function() return 1 end)\n"
		"if load(code) or load(code, 'x', 'b') or load(code, 'x', 'bt', {}) then bad[#bad + 1] = 'load' end\n"
		"if load('return x', 'x', nil, { x = 5 })() ~= 5 then bad[#bad + 1] = 'env' end\n"
		"if load('return 7')() ~= 7 then bad[#bad + 1] = 'text' end\n"
		"return table.concat(bad, ' ') .. type(os.time()) .. type(utf8.char(8364)) .. type(coroutine.wrap)",
		"numberstringfunction\n");
} END_TEST

START_TEST(xpcall_is_that_of_lua)
{
	check_code_answers(
		"local function handler(e) return 'handled ' .. tostring(e) end\n"
		"local a, b, c = xpcall(function(...) return ... end, handler, 1, 2)\n"
		"local d, e = xpcall(error, handler, 'x')\n"
		"local f, g = xpcall(function() conn:sleep(0) return 'woken' end, handler)\n"
		"local h, i = xpcall(function() conn:sleep(0) error('late', 0) end, handler)\n"
		"log.info(('%s %s %s %s %s %s %s %s %s'):format(a, b, c, d, e, f, g, h, i))", "");
	module_host_advance(0);
	module_host_advance(0);
	unit_contains(module_host_log(), "true 1 2 false handled x true woken false handled late");
} END_TEST

START_TEST(require_loads_files_beside_the_script_once)
{
	struct drover_connection *c;

	ck_assert_int_eq(mkdir("sub", 0700), 0);
	unit_write_file("one.lua", "n = (n or 0) + 1; return { value = 'one' }");
	unit_write_file("sub/two.lua", "return function() return require('one').value .. n end");
	start("local one, again, two = require('one'), require('one'), require('sub.two')\n"
	      "function open(conn) return one.value .. tostring(one == again) .. two() end\n"
	      "function request(conn, text) return require(text) end");
	c = module_host_connect();
	ck_assert_str_eq(module_host_received(c), "onetrueone1\n");
	unit_write_file("three.lua", "return 1");
	module_host_say(c, "three\n");
	check_failed(c, "require(\"three\") must be at the top level of the script", NULL);
} END_TEST

static const struct { const char *code, *words; } requires[] = {
	{ "require('../x')", "is no name of a file" },
	{ "require('/etc/passwd')", "is no name of a file" },
	{ "require('')", "is no name of a file" },
	{ "require('a..b')", "is no name of a file" },
	{ "require('missing')", "cannot open " },
	{ "require('wrong')", "wrong.lua:1: syntax error" },
	{ "require('circle')", "circle is being loaded already" },
};

START_TEST(require_refuses_other_files)
{
	unit_write_file("wrong.lua", "x x");
	unit_write_file("circle.lua", "require('circle')");
	check_script_refused(requires[_i].code, requires[_i].words);
} END_TEST

/* ---- the configuration ---------------------------------------------------- */

static const struct { const char *script, *words; } bad_scripts[] = {
	{ "function request(\n", "script /tmp/" },
	{ "function request(\n", "s.lua:2: <name> or '...' expected near <eof>" },
	{ "x = nil + 1\n", "s.lua:1: attempt to perform arithmetic on a nil value" },
	{ "error('stop', 0)\n", "script stop" },
	{ "error({})\n", "(an error that is a table)" },
	{ "error(setmetatable({}, { __tostring = function() return 'speaking' end }))\n", "script speaking" },
	{ "error(setmetatable({}, { __tostring = function() return {} end }))\n", "'__tostring' must return a string" },
	{ "error(setmetatable({}, { __tostring = function() error {} end }))\n", "an error without a text" },
	{ "error()\n", "(an error that is a nil)" },
	{ "x = 1\n", "defines none of the functions open, data and request" },
	{ "function close() end\n", "defines none of the functions" },
	{ "function data() end\n", "defines the function data, which is not called with framing" },
	{ "function open() end\n", "defines no function request, which framing needs" },
	{ "request = 5\n", "request is no function" },
	{ "while true do end\n", "took more than 1000000 instructions" },
	{ "pcall(function() while true do end end)\n", "took more than 1000000 instructions" },
	{ "x = ('x'):rep(1 << 30)\n", "not enough memory" },
	{ "local t = {} for i = 1, 1e9 do t[i] = {} end\n", "not enough memory" },
	{ "coroutine.yield()\n", "attempt to yield from outside a coroutine" },
	{ "drover.connect('127.0.0.1', 1)\n", "the top level of the script cannot wait" },
};

START_TEST(a_bad_script_is_a_bad_configuration)
{
	check_script_refused(bad_scripts[_i].script, bad_scripts[_i].words);
} END_TEST

START_TEST(a_bad_script_starts_no_worker)
{
	unit_write_file("s.lua", "error('stop', 0)");
	ck_assert(!module_host_start(usual_options()));
	ck_assert_str_eq(module_host_complaints(), "script stop\n");
} END_TEST

START_TEST(request_needs_framing)
{
	is_framed = false;
	check_script_refused("function request() end", "defines the function request, which needs framing");
} END_TEST

START_TEST(a_good_script_is_checked_without_a_server)
{
	unit_write_file("s.lua", "log.info('x') print('x') warn('x') drover.after(1, print):cancel()\n"
	                "drover.after(1, print)\nfunction request() end");
	ck_assert_msg(module_host_configure(usual_options()), "%s", module_host_complaints());
	ck_assert_str_eq(module_host_complaints(), "");
} END_TEST

START_TEST(options_of_the_module_are_checked)
{
	static const struct { struct module_host_option option; const char *words; } rows[] = {
		{ HOST_TEXT("script", "s.lua"), "script is no absolute path" },
		{ HOST_TEXT("script", "/nonexistent/s.lua"), "script cannot open /nonexistent/s.lua" },
		{ HOST_TEXT("script", "/"), "script cannot read /" },
		{ HOST_INTEGER("script", 1), "script has the wrong type" },
		{ HOST_TEXT("framing", "words"), "framing must be line, netstring, " },
		{ HOST_TEXT("framing", "fixed:0"), "framing must be line, netstring, " },
		{ HOST_TEXT("framing", "fixed:5x"), "framing must be line, netstring, " },
		{ HOST_INTEGER("memory", 0), "memory must be from 1 to " },
		{ HOST_INTEGER("memory", 1), "script cannot be loaded: not enough memory" },
		{ HOST_INTEGER("memory", 10000), "not enough memory" },
		{ HOST_INTEGER("instructions", -5), "instructions must be from 1 to " },
		{ HOST_INTEGER("time", INT64_MAX), "time must be from 1 to " },
		{ HOST_TEXT("time", "1s"), "time has the wrong type" },
	};
	struct module_host_option options[] = { HOST_TEXT("script", script_path), rows[_i].option, HOST_END };

	unit_write_file("s.lua", "function open() end");
	if (strcmp(rows[_i].option.name, "script") == 0)
		options[0] = (struct module_host_option)HOST_INTEGER("time", 100);
	check_refused(options, rows[_i].words);
} END_TEST

START_TEST(a_script_is_needed)
{
	check_refused((const struct module_host_option[]){ HOST_END }, "options need a script");
} END_TEST

/* ---- the examples --------------------------------------------------------- */

static void start_example(const char *name, const char *framing)
{
	const char *source = getenv("top_srcdir");
	struct module_host_option options[3] = { { .name = "script", .type = DROVER_TEXT } };
	static char path[4096];

	snprintf(path, sizeof path, "%s/etc/examples/lua/%s", source ? source : "..", name);
	options[0].text = realpath(path, NULL);
	if (framing)
		options[1] = (struct module_host_option)HOST_TEXT("framing", framing);
	ck_assert_msg(module_host_configure(options), "%s", module_host_complaints());
	ck_assert_msg(module_host_start(options), "%s", module_host_complaints());
	free((char *)options[0].text);
}

START_TEST(the_calculator)
{
	struct drover_connection *c;

	start_example("calc.lua", "line");
	c = module_host_connect();
	check_answer(c, "2 * (3 + 4) ^ 2\n", "98.0\n");
	check_answer(c, " 1+2*3 \n", "7\n");
	check_answer(c, "-2 - -3\n", "1\n");
	check_answer(c, "7 / 2\n", "3.5\n");
	check_answer(c, "1 +\n", "error: number expected at 4\n");
	check_answer(c, "(1\n", "error: missing )\n");
	check_answer(c, "1 os.exit()\n", "error: not understood: os.exit()\n");
	check_answer(c, "\n", "error: number expected at 1\n");
	ck_assert_int_eq(c->reason, 0);
} END_TEST

START_TEST(the_http_server)
{
	struct drover_connection *c;

	start_example("hello_http.lua", NULL);
	c = module_host_connect();
	module_host_say(c, "GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\n");
	unit_contains(module_host_received(c), "Hello, 192.0.2.1! This is /a.\n");
	check_answer(c, "Connection: close\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 30\r\n"
	             "Connection: close\r\n\r\nHello, 192.0.2.1! This is /b.\n");
	ck_assert_int_eq(c->reason, DROVER_FINISHED);
	c = module_host_connect();
	module_host_say(c, "POST / HTTP/1.1\r\n\r\n");
	unit_contains(module_host_received(c), "405 Method Not Allowed");
	c = module_host_connect();
	module_host_say(c, "nonsense\r\n\r\n");
	unit_contains(module_host_received(c), "400 Bad Request");
	c = module_host_connect();
	for (int i = 0; i < 9000 && !c->reason; i += 9)
		module_host_say(c, "xxxxxxxxx");
	unit_contains(module_host_received(c), "431 Request Header");
} END_TEST

START_TEST(the_json_validator)
{
	static const struct { const char *line, *answer; } rows[] = {
		{ "{\"a\": [1, -2.5e3, null, true, \"\\u00e9\\n\"]}\n", "ok\n" },
		{ "0\n", "ok\n" },
		{ " [ ] \n", "ok\n" },
		{ "{\"a\": }\n", "byte 7: a value is missing\n" },
		{ "[1 2]\n", "byte 4: a comma or ] is missing\n" },
		{ "01\n", "byte 2: something follows the value\n" },
		{ "nul\n", "byte 1: not a word of JSON\n" },
		{ "\"abc\n", "byte 5: the string does not end, or has a control character\n" },
		{ "\"\\x\"\n", "byte 2: an escape is wrong\n" },
		{ "{1:2}\n", "byte 2: a name is missing\n" },
		{ "\"\xff\"\n", "byte 2: not UTF-8\n" },
		{ "\n", "byte 1: a value is missing\n" },
		{ "[1,]\n", "byte 4: a value is missing\n" },
	};
	char deep[300];
	struct drover_connection *c;

	start_example("jsonlines.lua", "line");
	c = module_host_connect();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check_answer(c, rows[i].line, rows[i].answer);
	memset(deep, '[', sizeof deep);
	deep[298] = '\n', deep[299] = '\0';
	check_answer(c, deep, "byte 102: too deep\n");
	ck_assert_int_eq(c->reason, 0);
} END_TEST

START_TEST(the_chat_room)
{
	struct drover_connection *a, *b, *d;

	start_example("chat.lua", "line");
	a = module_host_connect();
	ck_assert_str_eq(module_host_received(a), "* Your name?\n");
	check_answer(a, "ann\n", "* Welcome, ann.\n");
	b = module_host_connect();
	module_host_received(b);
	check_answer(b, "ann\n", "* That name is taken.\n");
	check_answer(b, "b b\n", "* A name has up to 16 letters and digits.\n");
	check_answer(b, "bob\n", "* Welcome, bob.\n");
	check_answer(a, "hello \33[31m\n", "* bob has come.\n");
	ck_assert_str_eq(module_host_received(b), "ann: hello [31m\n");
	check_answer(b, "/who\n", "* Here: ann, bob\n");
	d = module_host_connect();
	module_host_leave(d);
	module_host_leave(b);
	ck_assert_str_eq(module_host_received(a), "* bob has left.\n");
	module_host_advance(600000);
	ck_assert_str_eq(module_host_received(a), "* You were quiet for too long.\n");
	ck_assert_int_eq(a->reason, DROVER_FINISHED);
	ck_assert_str_eq(module_host_log(), "");
} END_TEST

int main(void)
{
	Suite *s = suite_create("lua_module");
	TCase *tc;

	tc = unit_case(s, "requests", set_up, tear_down);
	tcase_add_test(tc, a_request_is_answered_by_what_is_returned);
	tcase_add_test(tc, data_gets_bytes_as_they_come);
	tcase_add_test(tc, open_can_greet_and_close_is_told_the_reason);
	tcase_add_loop_test(tc, what_is_returned_is_the_answer, 0, ARRAY_SIZE(returned));
	tcase_add_test(tc, fields_of_conn_last_as_long_as_the_connection);
	tcase_add_test(tc, conn_can_be_kept_and_is_closed_then);
	tcase_add_test(tc, facts_about_the_connection);
	tcase_add_test(tc, facts_about_a_unix_peer);
	tcase_add_test(tc, facts_about_tls);
	tcase_add_test(tc, reply_needs_framing);
	tcase_add_test(tc, pause_and_resume);
	tcase_add_test(tc, a_client_that_takes_nothing_is_closed_before_memory_ends);
	tc = unit_case(s, "environment", set_up, tear_down);
	tcase_add_test(tc, options_keep_their_types);
	tcase_add_test(tc, log_and_print_are_lines_of_the_log);
	tcase_add_test(tc, only_safe_libraries_are_there);
	tcase_add_test(tc, xpcall_is_that_of_lua);
	tcase_add_test(tc, require_loads_files_beside_the_script_once);
	tcase_add_loop_test(tc, require_refuses_other_files, 0, ARRAY_SIZE(requires));
	tc = unit_case(s, "configuration", set_up, tear_down);
	tcase_add_loop_test(tc, a_bad_script_is_a_bad_configuration, 0, ARRAY_SIZE(bad_scripts));
	tcase_add_test(tc, a_bad_script_starts_no_worker);
	tcase_add_test(tc, request_needs_framing);
	tcase_add_test(tc, a_good_script_is_checked_without_a_server);
	tcase_add_loop_test(tc, options_of_the_module_are_checked, 0, 13);
	tcase_add_test(tc, a_script_is_needed);
	tc = unit_case(s, "examples", set_up, tear_down);
	tcase_add_test(tc, the_calculator);
	tcase_add_test(tc, the_http_server);
	tcase_add_test(tc, the_json_validator);
	tcase_add_test(tc, the_chat_room);
	return unit_run(s);
}
