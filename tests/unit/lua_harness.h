/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Scripts in the shared object lua.so that was built, without a daemon: how the tests of it start them,
 * and ask them.
 */
#ifndef DROVER_TESTS_LUA_HARNESS_H
#define DROVER_TESTS_LUA_HARNESS_H

#include <stdarg.h>

#include "module_host.h"
#include "unit.h"

static char script_path[128];
static bool is_framed;

static inline void set_up(void)
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

static inline void tear_down(void)
{
	module_host_stop();
	unit_leave_folder();
}

/* ---- starting ------------------------------------------------------------ */

static const struct module_host_option small_options[] = {
	HOST_INTEGER("count", 3), HOST_END
};

/* Options for a script in the file s.lua: with framing "line" if is_framed, and limits that tests can reach. */
static inline const struct module_host_option *usual_options(void)
{
	static struct module_host_option options[8];

	memcpy(options, (const struct module_host_option[]){
		HOST_TEXT("script", script_path),
		HOST_GROUP("options", small_options),
		HOST_INTEGER("memory", 8 << 20),
		HOST_INTEGER("instructions", 1000000),
		HOST_INTEGER("time", 600000),
		HOST_TEXT("framing", "line"),
		HOST_END, HOST_END }, sizeof options);
	if (!is_framed)
		options[5] = (struct module_host_option)HOST_END;
	return options;
}

static inline void start(const char *script)
{
	unit_write_file("s.lua", script);
	ck_assert_msg(module_host_start(usual_options()), "%s", module_host_complaints());
}

/* A script without framing, too. */
static inline void start_unframed(const char *script)
{
	is_framed = false;
	start(script);
}

/* The configuration is refused, with these words. */
static inline void check_refused(const struct module_host_option *options, const char *words)
{
	ck_assert(!module_host_configure(options));
	unit_contains(module_host_complaints(), words);
}

static inline void check_script_refused(const char *script, const char *words)
{
	unit_write_file("s.lua", script);
	check_refused(usual_options(), words);
}

/* The client asks a line, and gets that. */
static inline void check_answer(struct drover_connection *c, const char *line, const char *answer)
{
	module_host_say(c, line);
	ck_assert_str_eq(module_host_received(c), answer);
}

/* The connection is closed for an error, of which the log has one line with all these words (NULL at the end). */
static inline void check_failed(struct drover_connection *c, ...)
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
static inline void check_still_serves(void)
{
	struct drover_connection *c = module_host_connect();

	check_answer(c, "ping\n", "pong\n");
	ck_assert_int_eq(c->reason, 0);
}

/* A script whose requests run the code that is given, except "ping". */
static inline void start_with_code(const char *code)
{
	char script[4096];

	snprintf(script, sizeof script,
	         "local function run(conn)\n%s\nend\n"
	         "function request(conn, text)\n if text == 'ping' then return 'pong' end\n return run(conn)\nend\n", code);
	start(script);
}

/* The code fails with these words in the log, and the worker goes on. */
static inline void check_code_fails(const char *code, const char *words)
{
	struct drover_connection *c;

	start_with_code(code);
	c = module_host_connect();
	module_host_say(c, "go\n");
	check_failed(c, "lua: request: ", words, NULL);
	check_still_serves();
}

/* The code answers that. */
static inline void check_code_answers(const char *code, const char *answer)
{
	struct drover_connection *c;

	start_with_code(code);
	c = module_host_connect();
	check_answer(c, "go\n", answer);
	check_still_serves();
}

#endif
