/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Opens libraries, and takes away what a script in a server must not have.
 */
#include <config.h>
#include "lua_libraries.h"

#include <lauxlib.h>
#include <lualib.h>
#include <sys/random.h>

#include "lua_limits.h"

/* load(chunk, name, mode, env): the first upvalue is that of Lua. Its bytecode is not checked, and can crash. */
static int load_text(lua_State *L)
{
	int n = lua_gettop(L) < 3 ? 3 : lua_gettop(L);

	lua_settop(L, n);
	lua_pushliteral(L, "t");
	lua_replace(L, 3);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, n, LUA_MULTRET);
	return lua_gettop(L);
}

static void trim_base(lua_State *L)
{
	static const char *const removed[] = { "dofile", "loadfile" };

	lua_pushglobaltable(L);
	for (size_t i = 0; i < sizeof removed / sizeof *removed; i++) {
		lua_pushnil(L);
		lua_setfield(L, -2, removed[i]);
	}
	lua_getfield(L, -1, "load");
	lua_pushcclosure(L, load_text, 1);
	lua_setfield(L, -2, "load");
	lua_limits_set_xpcall(L);
	lua_pop(L, 1);
}

/* Only what looks at the time. */
static void add_os(lua_State *L)
{
	static const char *const kept[] = { "time", "clock", "date" };

	lua_newtable(L);
	lua_pushcfunction(L, luaopen_os);
	lua_call(L, 0, 1);
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
		lua_getfield(L, -1, kept[i]);
		lua_setfield(L, -3, kept[i]);
	}
	lua_pop(L, 1);
	lua_setglobal(L, "os");
}

/* Lua's own seed is made of addresses and seconds, and workers that are forked together share both. */
static void seed_random(lua_State *L)
{
	lua_Integer seed[2] = { 0, 0 };

	if (getrandom(seed, sizeof seed, GRND_NONBLOCK) != sizeof seed)
		return;
	lua_getglobal(L, "math");
	lua_getfield(L, -1, "randomseed");
	lua_pushinteger(L, seed[0]);
	lua_pushinteger(L, seed[1]);
	lua_call(L, 2, 0);
	lua_pop(L, 1);
}

void lua_libraries_setup(lua_State *L)
{
	static const luaL_Reg libraries[] = {
		{ LUA_GNAME,       luaopen_base },
		{ LUA_COLIBNAME,   luaopen_coroutine },
		{ LUA_TABLIBNAME,  luaopen_table },
		{ LUA_STRLIBNAME,  luaopen_string },
		{ LUA_MATHLIBNAME, luaopen_math },
		{ LUA_UTF8LIBNAME, luaopen_utf8 },
	};

	for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++) {
		luaL_requiref(L, libraries[i].name, libraries[i].func, 1);
		lua_pop(L, 1);
	}
	trim_base(L);
	add_os(L);
	seed_random(L);
}
