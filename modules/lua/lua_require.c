/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Loads files beside the script, each once. Not while clients are served: reading a file would stop
 * them, and a worker has perhaps lost sight of the folder by then.
 */
#include <config.h>
#include "lua_require.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>

#include "lua_worker.h"

/* Words of letters, digits and _ with dots between them: no way out of the folder. */
static bool is_name(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	size_t n;

	for (;; name += n + 1) {
		n = strspn(name, letters);
		if (n == 0)
			return false;
		if (name[n] != '.')
			return name[n] == '\0';
	}
}

/* Pushes the path of the file. */
static const char *push_path(lua_State *L, const char *name)
{
	const char *script = lua_worker_of(L)->script;

	lua_pushlstring(L, script, (size_t)(strrchr(script, '/') + 1 - script));
	luaL_gsub(L, name, ".", "/");
	lua_pushliteral(L, ".lua");
	lua_concat(L, 3);
	return lua_tostring(L, -1);
}

/* require(name): what is loaded is in the upvalue, by name; false while a file is being loaded. */
static int require(lua_State *L)
{
	const char *name = luaL_checkstring(L, 1);

	lua_settop(L, 1);
	luaL_argcheck(L, is_name(name), 1, "is no name of a file in the folder of the script, without .lua");
	if (lua_getfield(L, lua_upvalueindex(1), name) == LUA_TBOOLEAN && !lua_toboolean(L, -1))
		return luaL_error(L, "require: %s is being loaded already", name);
	if (!lua_isnil(L, -1))
		return 1;
	if (!lua_worker_of(L)->is_loading)
		return luaL_error(L, "require(\"%s\") must be at the top level of the script", name);
	lua_pushboolean(L, 0);
	lua_setfield(L, lua_upvalueindex(1), name);
	if (luaL_loadfilex(L, push_path(L, name), "t") != LUA_OK)
		return lua_error(L);
	lua_call(L, 0, 1);
	if (!lua_toboolean(L, -1))
		lua_pushboolean(L, 1);
	lua_pushvalue(L, -1);
	lua_setfield(L, lua_upvalueindex(1), name);
	return 1;
}

void lua_require_setup(lua_State *L)
{
	lua_newtable(L);
	lua_pushcclosure(L, require, 1);
	lua_setglobal(L, "require");
}
