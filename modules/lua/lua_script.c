/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From the options of the module to a state whose script has run once. The same happens where the
 * configuration is checked and in each worker, so that the check finds what a worker would stumble over.
 */
#include <config.h>
#include "lua_script.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "lua_connection.h"
#include "lua_libraries.h"
#include "lua_log.h"
#include "lua_options.h"
#include "lua_require.h"
#include "lua_settings.h"
#include "lua_socket.h"
#include "lua_timer.h"
#include "lua_trace.h"

static const char *const functions[] = {
	[LUA_WORKER_OPEN] = "open",
	[LUA_WORKER_DATA] = "data",
	[LUA_WORKER_REQUEST] = "request",
	[LUA_WORKER_CLOSE] = "close",
};

/* What a protected call gets. */
struct loading {
	struct drover_config      *config;
	const struct lua_settings *settings;
};

/* ---- the state ----------------------------------------------------------- */

/* Only an error outside all protected calls comes here. */
static int on_panic(lua_State *L)
{
	if (lua_server)
		lua_server->log(NULL, DROVER_LOG_ERROR, "lua: bug in the module: %s", lua_trace_text(L));
	return 0;               /* Lua calls abort(3) */
}

/* The table drover, and options. */
static int set_up(lua_State *L)
{
	const struct loading *l = lua_touserdata(L, 1);

	lua_libraries_setup(L);
	lua_log_setup(L);
	lua_require_setup(L);
	lua_connection_setup(L);
	lua_newtable(L);
	lua_pushstring(L, l->config->service);
	lua_setfield(L, -2, "service");
	lua_timer_setup(L);
	lua_socket_setup(L);
	lua_setglobal(L, "drover");
	lua_options_push(L, l->config, &l->settings->options);
	lua_setglobal(L, "options");
	return 0;
}

static struct lua_worker *make(const struct lua_settings *s, struct drover_worker *worker)
{
	struct lua_worker *w = calloc(1, sizeof *w);

	if (!w)
		return NULL;
	w->worker = worker;
	w->limits.memory = (size_t)s->memory;
	w->limits.instructions = s->instructions;
	w->limits.time_ms = s->time_ms;
	w->script = strdup(s->script);
	w->framing = s->framing ? strdup(s->framing) : NULL;
	w->L = lua_newstate(lua_limits_allocate, &w->limits);
	if (!w->script || !w->L || (s->framing && !w->framing)) {
		lua_script_end(w);
		return NULL;
	}
	*(struct lua_worker **)lua_getextraspace(w->L) = w;
	lua_atpanic(w->L, on_panic);
	return w;
}

void lua_script_end(struct lua_worker *w)
{
	if (!w)
		return;
	if (w->L)
		lua_close(w->L);
	free(w->script);
	free(w->framing);
	free(w);
}

/* ---- the script ---------------------------------------------------------- */

/* A message with its place, as Lua makes it; the limits are those of a run. */
static int load_and_run(lua_State *L)
{
	const struct lua_worker *w = lua_worker_of(L);

	if (luaL_loadfilex(L, w->script, "t") != LUA_OK)
		return lua_error(L);
	lua_call(L, 0, 0);
	if (w->limits.excess) {
		lua_limits_push_excess(L, &w->limits);
		return lua_error(L);
	}
	return 0;
}

/* The error of the top level as text: the value at 1. */
static int error_to_text(lua_State *L)
{
	lua_trace_to_text(L);
	return 1;
}

static int keep_functions(lua_State *L)
{
	struct lua_worker *w = lua_worker_of(L);

	lua_pushglobaltable(L);
	for (int i = 0; i < LUA_WORKER_N_FUNCTIONS; i++) {
		lua_pushstring(L, functions[i]);
		if (lua_rawget(L, -2) == LUA_TFUNCTION) {
			w->functions[i] = luaL_ref(L, LUA_REGISTRYINDEX);
			continue;
		}
		w->functions[i] = LUA_NOREF;
		if (!lua_isnil(L, -1))
			return luaL_error(L, "%s: %s is no function", w->script, functions[i]);
		lua_pop(L, 1);
	}
	return 0;
}

/* Complains of the script with the error at the top of the stack. */
static bool fail(struct lua_worker *w, const struct loading *l)
{
	w->limits.is_reporting = true;
	lua_pushcfunction(w->L, error_to_text);
	lua_insert(w->L, -2);
	lua_pcall(w->L, 1, 1, 0);
	l->config->complain(l->config, l->settings->script_option.option, "%s", lua_trace_text(w->L));
	lua_settop(w->L, 0);
	return false;
}

static bool protected_call(struct lua_worker *w, struct loading *l, lua_CFunction function)
{
	lua_limits_begin(&w->limits, w->L);
	lua_pushcfunction(w->L, function);
	lua_pushlightuserdata(w->L, l);
	return lua_pcall(w->L, 1, 0, 0) == LUA_OK || fail(w, l);
}

static const char *wrong_functions(const struct lua_worker *w)
{
	bool open = w->functions[LUA_WORKER_OPEN] != LUA_NOREF;
	bool data = w->functions[LUA_WORKER_DATA] != LUA_NOREF;
	bool request = w->functions[LUA_WORKER_REQUEST] != LUA_NOREF;

	if (!open && !data && !request)
		return "defines none of the functions open, data and request";
	if (request && !w->framing)
		return "defines the function request, which needs framing";
	if (data && w->framing)
		return "defines the function data, which is not called with framing; request is";
	if (!request && w->framing)
		return "defines no function request, which framing needs";
	return NULL;
}

struct lua_worker *lua_script_start(struct drover_config *config, struct drover_worker *worker)
{
	struct lua_settings s;
	struct loading l = { config, &s };
	struct lua_worker *w;
	const char *wrong;
	bool is_good;

	if (!lua_settings_read(&s, config))
		return NULL;
	w = make(&s, worker);
	if (!w) {
		config->complain(config, s.script_option.option, "cannot be loaded: not enough memory");
		return NULL;
	}
	w->is_loading = true;
	is_good = protected_call(w, &l, set_up) && protected_call(w, &l, load_and_run) &&
	          protected_call(w, &l, keep_functions);
	w->is_loading = false;
	wrong = is_good ? wrong_functions(w) : NULL;
	if (wrong)
		config->complain(config, s.script_option.option, "%s", wrong);
	if (is_good && !wrong)
		return w;
	lua_script_end(w);
	return NULL;
}
