/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes one line of an error and its traceback: a line of the log cannot have a newline.
 */
#include <config.h>
#include "lua_trace.h"

#include <lauxlib.h>
#include <stdbool.h>

#include "lua_limits.h"

static bool has_tostring(lua_State *L)
{
	if (luaL_getmetafield(L, -1, "__tostring") == LUA_TNIL)
		return false;
	lua_pop(L, 1);
	return true;
}

void lua_trace_to_text(lua_State *L)
{
	if (lua_type(L, -1) == LUA_TSTRING)
		return;
	if (lua_type(L, -1) == LUA_TNUMBER || has_tostring(L))
		luaL_tolstring(L, -1, NULL);
	else
		lua_pushfstring(L, "(an error that is a %s)", luaL_typename(L, -1));
	lua_remove(L, -2);
}

void lua_trace_add(lua_State *L, lua_State *co)
{
	struct lua_limits *l = lua_limits_of(L);

	l->is_reporting = true;
	lua_trace_to_text(L);
	luaL_traceback(L, co, NULL, 0);
	luaL_gsub(L, lua_tostring(L, -1), "stack traceback:", "");
	luaL_gsub(L, lua_tostring(L, -1), "\n\t", ", ");
	if (lua_rawlen(L, -1) > 2)
		lua_pushfstring(L, "%s; traceback: %s", lua_tostring(L, -4), lua_tostring(L, -1) + 2);
	else
		lua_pushvalue(L, -4);
	lua_replace(L, -5);
	lua_pop(L, 3);
	l->is_reporting = false;
}

const char *lua_trace_text(lua_State *L)
{
	return lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "an error without a text";
}
