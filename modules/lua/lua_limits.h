/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the scripts of one worker may use: memory for all of them together; instructions and CPU
 * time for each run, which lasts from the moment when drover calls Lua until Lua returns or waits.
 */
#ifndef DROVER_LUA_LIMITS_H
#define DROVER_LUA_LIMITS_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lua_limits_excess {
	LUA_LIMITS_KEPT,                /* the run is within its limits */
	LUA_LIMITS_INSTRUCTIONS,
	LUA_LIMITS_TIME
};

struct lua_limits {
	size_t  memory;                 /* the limit, in bytes; 0: none */
	int64_t instructions, time_ms;  /* the limits of a run */

	size_t  used;                   /* bytes that Lua has allocated */
	bool    is_reporting;           /* an error is being described: a little more memory may be used */
	int64_t executed;               /* instructions of this run, in whole steps of the hook */
	int64_t began_wall_ns, began_cpu_ns;    /* 0: it has not been looked at yet */
	enum lua_limits_excess excess;
	lua_State *coroutine;           /* the run is in this one: an excess ends it with a yield; or NULL */
	bool    has_raised;             /* an error was raised in its hook: if that ends it, Lua calls it no more */
};

/* The allocator: lua_Alloc, with a struct lua_limits as ud. NULL if the limit would be exceeded. */
void *lua_limits_allocate(void *ud, void *block, size_t old_size, size_t new_size);

/*
 * L is the main thread of its state, and a new run begins. Has the instructions of L counted, and of
 * the coroutines that are made from now on.
 */
void lua_limits_begin(struct lua_limits *l, lua_State *L);

/* Counts the instructions of a coroutine again that has exceeded a limit, as in a new run. */
void lua_limits_renew(lua_State *co);

/* Pushes what is said of a run that has exceeded a limit. May raise an error for lack of memory. */
void lua_limits_push_excess(lua_State *L, const struct lua_limits *l);

/* Replaces xpcall in the table at the top of the stack, for the reason that lua_limits.c gives. */
void lua_limits_set_xpcall(lua_State *L);

/* The limits of the state of L. */
struct lua_limits *lua_limits_of(lua_State *L);

#endif
