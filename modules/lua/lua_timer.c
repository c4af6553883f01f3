/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Timers of a worker. A timer that is set, or whose function runs, is in the registry; otherwise it
 * belongs to the script, which may have forgotten it. Where the configuration is only checked, a timer
 * is made but never fires.
 */
#include <config.h>
#include "lua_timer.h"

#include <errno.h>
#include <lauxlib.h>
#include <string.h>

#include "lua_task.h"

#define METATABLE "drover timer"

struct timer {
	struct lua_task      task;              /* first: runs the function */
	struct drover_timer *timer;             /* NULL: it was called or cancelled */
	int                  self, function;    /* references */
};

static struct timer *check(lua_State *L)
{
	return luaL_checkudata(L, 1, METATABLE);
}

static void forget(struct timer *t)
{
	lua_State *L = t->task.worker->L;

	luaL_unref(L, LUA_REGISTRYINDEX, t->self);
	luaL_unref(L, LUA_REGISTRYINDEX, t->function);
	t->self = t->function = LUA_NOREF;
}

static void stop(struct timer *t)
{
	if (t->timer)
		lua_server->timer_free(t->timer);
	t->timer = NULL;
}

static void on_ended(struct lua_task *task, bool is_ok)
{
	struct timer *t = (struct timer *)task;

	(void)is_ok;
	lua_task_fini(task);
	forget(t);
}

static const struct lua_task_owner owner = { .ended = on_ended };

static void on_fire(void *arg)
{
	struct timer *t = arg;

	stop(t);
	lua_task_start(&t->task, "the function of drover.after", t->function, NULL, NULL);
}

/* timer:cancel(): true if the function would still have been called. */
static int method_cancel(lua_State *L)
{
	struct timer *t = check(L);

	lua_pushboolean(L, t->timer != NULL);
	if (t->timer) {
		stop(t);
		forget(t);
	}
	return 1;
}

/* Also when the worker ends while the function waits. */
static int on_gc(lua_State *L)
{
	struct timer *t = check(L);

	stop(t);
	if (t->task.timer)
		lua_server->timer_free(t->task.timer);
	t->task.timer = NULL;
	return 0;
}

static void start(lua_State *L, struct timer *t, int64_t ms)
{
	/* Each of the three can fail; only the last one has it called. */
	lua_pushvalue(L, 2);
	t->function = luaL_ref(L, LUA_REGISTRYINDEX);
	lua_pushvalue(L, -1);
	t->self = luaL_ref(L, LUA_REGISTRYINDEX);
	t->timer = lua_server->timer_new(t->task.worker->worker, on_fire, t);
	if (!t->timer) {
		const int error = errno;

		forget(t);
		luaL_error(L, "no timer: %s", strerror(error));
	}
	lua_server->timer_set(t->timer, ms);
}

static int after(lua_State *L)
{
	int64_t ms = lua_task_check_seconds(L, 1);
	struct timer *t;

	luaL_checktype(L, 2, LUA_TFUNCTION);
	lua_settop(L, 2);
	t = lua_newuserdatauv(L, sizeof *t, 0);
	memset(t, 0, sizeof *t);
	t->self = t->function = LUA_NOREF;
	lua_task_init(&t->task, lua_worker_of(L), &owner);
	luaL_setmetatable(L, METATABLE);
	if (t->task.worker->worker)
		start(L, t, ms);
	return 1;
}

void lua_timer_setup(lua_State *L)
{
	static const luaL_Reg methods[] = { { "cancel", method_cancel }, { NULL, NULL } };

	luaL_newmetatable(L, METATABLE);
	luaL_newlib(L, methods);
	lua_setfield(L, -2, "__index");
	lua_pushcfunction(L, on_gc);
	lua_setfield(L, -2, "__gc");
	lua_pushliteral(L, METATABLE);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 1);
	lua_pushcfunction(L, after);
	lua_setfield(L, -2, "after");
}
