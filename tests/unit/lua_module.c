/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Handlers in Lua, as drover_lua(7) describes them, in the shared object that is installed, without a
 * daemon: the interface of scripts, the limits, and scripts that do what they should not.
 */
#include <config.h>
#include "module_host.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "unit.h"

static char script_path[128];
static bool is_framed;

static void set_up(void)
{
	const char *build = getenv("top_builddir");
	char path[4096];

	unit_block_sigpipe();
	if (!module_host_module()) {
		snprintf(path, sizeof path, "%s/modules/lua/lua.so", build ? build : ".");
		module_host_load(path);
	}
	unit_enter_folder();
	snprintf(script_path, sizeof script_path, "%s/s.lua", unit_folder);
	is_framed = true;
}

static void tear_down(void)
{
	module_host_stop();
	unit_leave_folder();
}

/* ---- starting ------------------------------------------------------------ */

static const struct module_host_option small_options[] = {
	HOST_INTEGER("count", 3), HOST_END
};

/* Options for a script in the file s.lua: with framing "line" if is_framed, and limits that tests can reach. */
static const struct module_host_option *usual_options(void)
{
	static struct module_host_option options[8];

	memcpy(options, (const struct module_host_option[]){
		HOST_TEXT("script", script_path),
		HOST_GROUP("options", small_options),
		HOST_INTEGER("memory", 8 << 20),
		HOST_INTEGER("instructions", 1000000),
		HOST_INTEGER("time", 5000),
		HOST_TEXT("framing", "line"),
		HOST_END, HOST_END }, sizeof options);
	if (!is_framed)
		options[5] = (struct module_host_option)HOST_END;
	return options;
}

static void start(const char *script)
{
	unit_write_file("s.lua", script);
	ck_assert_msg(module_host_start(usual_options()), "%s", module_host_complaints());
}

/* A script without framing, too. */
static void start_unframed(const char *script)
{
	is_framed = false;
	start(script);
}

/* The configuration is refused, with these words. */
static void check_refused(const struct module_host_option *options, const char *words)
{
	ck_assert(!module_host_configure(options));
	unit_contains(module_host_complaints(), words);
}

static void check_script_refused(const char *script, const char *words)
{
	unit_write_file("s.lua", script);
	check_refused(usual_options(), words);
}

/* The client asks a line, and gets that. */
static void check_answer(struct drover_connection *c, const char *line, const char *answer)
{
	module_host_say(c, line);
	ck_assert_str_eq(module_host_received(c), answer);
}

/* The connection is closed for an error, of which the log has one line with all these words (NULL at the end). */
static void check_failed(struct drover_connection *c, ...)
{
	const char *log = module_host_log(), *words;
	va_list args;

	ck_assert_int_eq(c->reason, DROVER_FAILED);
	va_start(args, c);
	while ((words = va_arg(args, const char *)))
		unit_contains(log, words);
	va_end(args);
	ck_assert_msg(strchr(log, '\n') == strrchr(log, '\n'), "more than one line: %s", log);
}

/* Another client is served as if nothing had happened. */
static void check_still_serves(void)
{
	struct drover_connection *c = module_host_connect();

	check_answer(c, "ping\n", "pong\n");
	ck_assert_int_eq(c->reason, 0);
}

/* A script whose requests run the code that is given, except "ping". */
static void start_with_code(const char *code)
{
	char script[4096];

	snprintf(script, sizeof script,
	         "local function run(conn)\n%s\nend\n"
	         "function request(conn, text)\n if text == 'ping' then return 'pong' end\n return run(conn)\nend\n", code);
	start(script);
}

/* The code fails with these words in the log, and the worker goes on. */
static void check_code_fails(const char *code, const char *words)
{
	struct drover_connection *c;

	start_with_code(code);
	c = module_host_connect();
	module_host_say(c, "go\n");
	check_failed(c, "lua: request: ", words, NULL);
	check_still_serves();
}

/* The code answers that. */
static void check_code_answers(const char *code, const char *answer)
{
	struct drover_connection *c;

	start_with_code(code);
	c = module_host_connect();
	check_answer(c, "go\n", answer);
	check_still_serves();
}

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
	  "took more than 1000000 instructions, and has caught that error" },
	{ "local x <close> = setmetatable({}, { __close = function() error('in close', 0) end }) error('first')",
	  "first" },
	{ "do local x <close> = setmetatable({}, { __close = function() error('in close', 0) end }) end", "in close" },
	{ "local x <close> = setmetatable({}, { __close = function() while true do end end }) error('first')", "first" },
	{ "local x <close> = setmetatable({}, { __close = function() coroutine.yield() end }) error('first')", "first" },
	{ "local x <close> = setmetatable({}, { __close = function() conn:sleep(1) end }) error('first')", "first" },
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
		HOST_TEXT("script", script_path), HOST_TEXT("framing", "line"), HOST_INTEGER("memory", 1 << 28), HOST_END
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

static void add_requests(Suite *s)
{
	TCase *tc = unit_case(s, "requests", set_up, tear_down);

	tcase_add_test(tc, a_request_is_answered_by_what_is_returned);
	tcase_add_test(tc, data_gets_bytes_as_they_come);
	tcase_add_test(tc, open_can_greet_and_close_is_told_the_reason);
	tcase_add_loop_test(tc, what_is_returned_is_the_answer, 0, ARRAY_SIZE(returned));
	tcase_add_test(tc, fields_of_conn_last_as_long_as_the_connection);
	tcase_add_test(tc, conn_can_be_kept_and_is_closed_then);
	tcase_add_test(tc, facts_about_the_connection);
	tcase_add_test(tc, facts_about_a_unix_peer);
	tcase_add_test(tc, facts_about_tls);
	tcase_add_loop_test(tc, misuse_of_conn_is_an_error, 0, ARRAY_SIZE(misuses));
	tcase_add_test(tc, reply_needs_framing);
	tcase_add_test(tc, pause_and_resume);
	tcase_add_test(tc, a_client_that_takes_nothing_is_closed_before_memory_ends);
}

static void add_environment(Suite *s)
{
	TCase *tc = unit_case(s, "environment", set_up, tear_down);

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
}

static void add_errors(Suite *s)
{
	TCase *tc = unit_case(s, "errors", set_up, tear_down);

	tcase_add_test(tc, an_error_closes_the_connection_with_a_traceback);
	tcase_add_loop_test(tc, an_error_ends_the_connection_and_not_the_worker, 0, ARRAY_SIZE(errors));
	tcase_add_test(tc, time_is_limited);
	tcase_add_test(tc, recursion_is_limited);
	tcase_add_test(tc, memory_comes_back_when_a_connection_has_failed);
	tcase_add_test(tc, a_script_that_keeps_all_memory_serves_no_more);
	tcase_add_test(tc, an_error_in_open);
	tcase_add_test(tc, errors_in_close_are_logged);
	tcase_add_test(tc, errors_in_finalizers_are_warnings);
	tcase_add_test(tc, without_memory_for_timers_only_the_connection_fails);
	tcase_add_test(tc, a_closed_connection_is_not_served);
}

static void add_waiting(Suite *s)
{
	TCase *tc = unit_case(s, "waiting", set_up, tear_down);

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
}

static void add_sockets(Suite *s)
{
	TCase *tc = unit_case(s, "sockets", set_up, tear_down);

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
}

int main(void)
{
	Suite *s = suite_create("lua_module");
	TCase *tc;

	add_requests(s);
	add_environment(s);
	add_errors(s);
	add_waiting(s);
	add_sockets(s);
	tc = unit_case(s, "examples", set_up, tear_down);
	tcase_add_test(tc, the_calculator);
	tcase_add_test(tc, the_http_server);
	tcase_add_test(tc, the_json_validator);
	tcase_add_test(tc, the_chat_room);
	return unit_run(s);
}
