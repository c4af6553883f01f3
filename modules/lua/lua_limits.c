/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Limits of memory, instructions and time. Memory is limited by the allocator of the state; the rest
 * by a hook that Lua calls every STEP instructions of a coroutine. Lua calls no hook inside C
 * functions and inside __gc: what takes long there is ended by hang_timeout of drover only.
 */
#include <config.h>
#include "lua_limits.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <time.h>

#define STEP    1000                    /* instructions between two looks at the limits */
#define RESERVE ((size_t)64 << 10)      /* bytes beyond the limit that the description of an error may use */

/* ---- memory -------------------------------------------------------------- */

static bool may_grow(const struct lua_limits *l, size_t by)
{
	size_t most = l->memory + (l->is_reporting ? RESERVE : 0);

	return l->memory == 0 || (l->used <= most && by <= most - l->used);
}

void *lua_limits_allocate(void *ud, void *block, size_t old_size, size_t new_size)
{
	struct lua_limits *l = ud;
	void *new_block;

	if (!block)
		old_size = 0;           /* it is the kind of object then */
	if (new_size == 0) {
		free(block);
		l->used -= old_size;
		return NULL;
	}
	if (new_size > old_size && !may_grow(l, new_size - old_size))
		return NULL;
	new_block = realloc(block, new_size);
	if (new_block)
		l->used += new_size - old_size;
	return new_block;
}

struct lua_limits *lua_limits_of(lua_State *L)
{
	void *ud;

	lua_getallocf(L, &ud);
	return ud;
}

/* ---- instructions and time ----------------------------------------------- */

static int64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/*
 * CPU time is meant, so that a busy machine closes no connection; but reading that clock is a system
 * call. It never runs faster than the other one, which is read first for that reason.
 */
static bool is_late(struct lua_limits *l)
{
	int64_t most = l->time_ms * 1000000;

	/* The time begins with the first look, so that a short run costs no system call. */
	if (l->began_wall_ns == 0) {
		l->began_wall_ns = clock_ns(CLOCK_MONOTONIC);
		l->began_cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	}
	return clock_ns(CLOCK_MONOTONIC) - l->began_wall_ns > most &&
	       clock_ns(CLOCK_PROCESS_CPUTIME_ID) - l->began_cpu_ns > most;
}

static void look(struct lua_limits *l)
{
	if (l->excess)
		return;
	if (l->executed > l->instructions)
		l->excess = LUA_LIMITS_INSTRUCTIONS;
	else if (is_late(l))
		l->excess = LUA_LIMITS_TIME;
}

void lua_limits_push_excess(lua_State *L, const struct lua_limits *l)
{
	if (l->excess == LUA_LIMITS_TIME)
		lua_pushfstring(L, "took more than %I ms of CPU time", (LUAI_UACINT)l->time_ms);
	else
		lua_pushfstring(L, "took more than %I instructions", (LUAI_UACINT)l->instructions);
}

/*
 * A coroutine yields, that of the run as soon as it goes on: no pcall of the script sees that, and what the
 * script has marked <close> can be closed with a hook, which Lua does not call after an error that was raised
 * in one. Functions that C functions call cannot yield and get an error. pcall can catch it; from then on it
 * is raised again at each instruction of this coroutine, and so also in the function that has called pcall.
 */
static void on_count(lua_State *L, lua_Debug *ar)
{
	struct lua_limits *l = lua_limits_of(L);

	(void)ar;
	if (l->excess == LUA_LIMITS_KEPT) {
		l->executed += STEP;
		look(l);
	}
	if (l->excess == LUA_LIMITS_KEPT)
		return;
	lua_sethook(L, on_count, LUA_MASKCOUNT, 1);
	if (l->coroutine && lua_isyieldable(L)) {
		lua_sethook(l->coroutine, on_count, LUA_MASKCOUNT, 1);
		lua_yield(L, 0);        /* in a hook it returns, and takes effect after it */
		return;
	}
	l->has_raised |= L == l->coroutine;
	luaL_where(L, 0);
	lua_limits_push_excess(L, l);
	lua_concat(L, 2);
	lua_error(L);
}

void lua_limits_renew(lua_State *co)
{
	lua_sethook(co, on_count, LUA_MASKCOUNT, STEP);
}

void lua_limits_begin(struct lua_limits *l, lua_State *L)
{
	if (l->excess || lua_gethook(L) != on_count)
		lua_limits_renew(L);
	l->excess = LUA_LIMITS_KEPT;
	l->is_reporting = false;
	l->coroutine = NULL;
	l->has_raised = false;
	l->executed = 0;
	l->began_wall_ns = 0;
}

/* ---- xpcall -------------------------------------------------------------- */

/*
 * Lua calls the message handler of xpcall inside the hook that raised the error, and therefore calls
 * no hook while it runs: a handler with an endless loop would never end. So a script's handler is not
 * called for an excess; the error keeps its text.
 */
static int handle_message(lua_State *L)
{
	if (lua_limits_of(L)->excess)
		return 1;
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
	return lua_gettop(L);
}

/* The stack has: f, the handler, true, and the results or the error. */
static int xpcall_end(lua_State *L, int status, lua_KContext unused)
{
	(void)unused;
	if (status == LUA_OK || status == LUA_YIELD)
		return lua_gettop(L) - 2;
	lua_pushboolean(L, 0);
	lua_pushvalue(L, -2);
	return 2;
}

/* xpcall(f, handler, ...) */
static int limited_xpcall(lua_State *L)
{
	int n = lua_gettop(L);

	luaL_checktype(L, 2, LUA_TFUNCTION);
	lua_pushvalue(L, 2);
	lua_pushcclosure(L, handle_message, 1);
	lua_replace(L, 2);
	lua_pushboolean(L, 1);
	lua_pushvalue(L, 1);
	lua_rotate(L, 3, 2);            /* f, handler, true, f, ... */
	return xpcall_end(L, lua_pcallk(L, n - 2, LUA_MULTRET, 2, 0, xpcall_end), 0);
}

void lua_limits_set_xpcall(lua_State *L)
{
	lua_pushcfunction(L, limited_xpcall);
	lua_setfield(L, -2, "xpcall");
}
