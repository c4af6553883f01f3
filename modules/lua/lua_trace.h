/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Errors of scripts as text for one line of the log.
 */
#ifndef DROVER_LUA_TRACE_H
#define DROVER_LUA_TRACE_H

#include <lua.h>

/*
 * Replaces the value at the top of L, of any type, by a text. May call __tostring of the script,
 * and raise an error.
 */
void lua_trace_to_text(lua_State *L);

/*
 * Replaces the value at the top of L by a text with the traceback of co, in one line. May raise an
 * error, as above.
 */
void lua_trace_add(lua_State *L, lua_State *co);

/* The text at the top of the stack, if it is one; never NULL. Calls nothing, raises no error. */
const char *lua_trace_text(lua_State *L);

#endif
