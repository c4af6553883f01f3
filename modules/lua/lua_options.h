/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Options of the configuration as Lua values.
 */
#ifndef DROVER_LUA_OPTIONS_H
#define DROVER_LUA_OPTIONS_H

#include <lua.h>

#include "lua_server.h"

/* Pushes a table of the members of a group. May raise errors for lack of memory. */
void lua_options_push(lua_State *L, struct drover_config *config, const struct drover_value *group);

#endif
