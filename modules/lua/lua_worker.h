/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one Lua state of a worker, and what belongs to it. Also the process that checks the
 * configuration has one, without a worker.
 */
#ifndef DROVER_LUA_WORKER_H
#define DROVER_LUA_WORKER_H

#include <lua.h>

#include "lua_limits.h"
#include "lua_server.h"

/* The functions that a script may define. */
enum lua_worker_function {
	LUA_WORKER_OPEN,
	LUA_WORKER_DATA,
	LUA_WORKER_REQUEST,
	LUA_WORKER_CLOSE,
	LUA_WORKER_N_FUNCTIONS
};

struct lua_task;

struct lua_worker {
	lua_State            *L;                /* the main thread; callbacks run in coroutines */
	struct drover_worker *worker;           /* NULL: the configuration is only checked */
	struct lua_limits     limits;
	struct lua_task      *running;          /* the task whose Lua code runs now, or NULL */
	char                 *script, *framing; /* framing: NULL if there is none */
	int                   functions[LUA_WORKER_N_FUNCTIONS];        /* references, or LUA_NOREF */
	bool                  is_loading;       /* the top level of the script runs */
	char                  warning[512];     /* the pieces of a warning so far */
};

/* The worker of a state, from any of its coroutines. */
static inline struct lua_worker *lua_worker_of(lua_State *L)
{
	return *(struct lua_worker **)lua_getextraspace(L);
}

#endif
