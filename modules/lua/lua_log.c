/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes what scripts say to the log.
 */
#include <config.h>
#include "lua_log.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>

#include "lua_task.h"

static void say(const struct lua_worker *w, enum drover_level level, const char *text)
{
	if (lua_server)
		lua_server->log(w->running ? w->running->connection : NULL, level, "%s", text);
}

/* The level is the upvalue. */
static int log_at_level(lua_State *L)
{
	say(lua_worker_of(L), (enum drover_level)lua_tointeger(L, lua_upvalueindex(1)),
	    luaL_tolstring(L, 1, NULL));
	return 0;
}

/* All arguments, with tabs between them. */
static int print(lua_State *L)
{
	int n = lua_gettop(L);
	luaL_Buffer b;

	luaL_buffinit(L, &b);
	for (int i = 1; i <= n; i++) {
		if (i > 1)
			luaL_addchar(&b, '\t');
		luaL_tolstring(L, i, NULL);
		luaL_addvalue(&b);
	}
	luaL_pushresult(&b);
	say(lua_worker_of(L), DROVER_LOG_INFO, lua_tostring(L, -1));
	return 0;
}

/* A warning comes in pieces, also from __gc; a single piece that begins with @ is an order to Lua's own function. */
static void on_warning(void *ud, const char *piece, int is_continued)
{
	struct lua_worker *w = ud;
	size_t len = strlen(w->warning);

	if (len == 0 && !is_continued && *piece == '@')
		return;
	strncat(w->warning, piece, sizeof w->warning - 1 - len);
	if (is_continued)
		return;
	say(w, DROVER_LOG_WARNING, w->warning);
	w->warning[0] = '\0';
}

void lua_log_setup(lua_State *L)
{
	static const struct { const char *name; enum drover_level level; } levels[] = {
		{ "error", DROVER_LOG_ERROR },
		{ "warn",  DROVER_LOG_WARNING },
		{ "info",  DROVER_LOG_INFO },
		{ "debug", DROVER_LOG_DEBUG },
	};

	lua_newtable(L);
	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
		lua_pushinteger(L, levels[i].level);
		lua_pushcclosure(L, log_at_level, 1);
		lua_setfield(L, -2, levels[i].name);
	}
	lua_setglobal(L, "log");
	lua_pushcfunction(L, print);
	lua_setglobal(L, "print");
	lua_setwarnf(L, on_warning, lua_worker_of(L));
}
