/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table `log`, print, and the warnings of Lua: lines in the log of drover, which are about the
 * connection whose function runs. Where the configuration is only checked, there is no log.
 */
#ifndef DROVER_LUA_LOG_H
#define DROVER_LUA_LOG_H

#include <lua.h>

/* Sets log and print as globals, and receives warnings. May raise errors for lack of memory. */
void lua_log_setup(lua_State *L);

#endif
