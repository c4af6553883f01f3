/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * require(name): other .lua files in the folder of the script, while its top level runs.
 */
#ifndef DROVER_LUA_REQUIRE_H
#define DROVER_LUA_REQUIRE_H

#include <lua.h>

/* Sets the global require. May raise errors for lack of memory. */
void lua_require_setup(lua_State *L);

#endif
