/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The standard libraries of Lua, without what reads files, runs programs or loads machine code.
 */
#ifndef DROVER_LUA_LIBRARIES_H
#define DROVER_LUA_LIBRARIES_H

#include <lua.h>

/* Makes their globals. May raise errors for lack of memory. */
void lua_libraries_setup(lua_State *L);

#endif
