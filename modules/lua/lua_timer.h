/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * drover.after(seconds, fn): calls a function of the script later, outside all connections.
 */
#ifndef DROVER_LUA_TIMER_H
#define DROVER_LUA_TIMER_H

#include <lua.h>

/* Makes the metatable, and sets `after` in the table at the top of the stack. May raise errors. */
void lua_timer_setup(lua_State *L);

#endif
