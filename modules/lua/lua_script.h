/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes the Lua state of a process, and runs the top level of the script in it.
 */
#ifndef DROVER_LUA_SCRIPT_H
#define DROVER_LUA_SCRIPT_H

#include "lua_worker.h"

/*
 * worker is NULL where the configuration is only checked. NULL if it has complained of the options or
 * of the script, or if there is no memory.
 */
struct lua_worker *lua_script_start(struct drover_config *config, struct drover_worker *worker);

/* Ends the state: what its objects do when they end is done. NULL is fine. */
void lua_script_end(struct lua_worker *w);

#endif
