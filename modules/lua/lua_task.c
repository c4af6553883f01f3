/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Runs functions of the script in coroutines. Each run is one protected call, so that an error of any
 * kind, also one of memory between two functions of the script, ends the task and nothing else.
 */
#include <config.h>
#include "lua_task.h"

#include <errno.h>
#include <lauxlib.h>
#include <math.h>
#include <string.h>

#include "lua_trace.h"

#define MAX_SECONDS 1e9

/* One run, as its protected call gets it. */
struct run {
	struct lua_task *task;
	bool             is_start;
	int              reference;
	int            (*push)(lua_State *L, void *arg);
	void            *arg;
};

void lua_task_init(struct lua_task *t, struct lua_worker *w, const struct lua_task_owner *owner)
{
	memset(t, 0, sizeof *t);
	t->worker = w;
	t->owner = owner;
	t->co_reference = LUA_NOREF;
	t->may_wait = true;
}

static void log_error(struct lua_task *t, const char *text)
{
	lua_server->log(t->connection, DROVER_LOG_ERROR, "lua: %s: %s", t->what, text);
}

/* ---- the coroutine ------------------------------------------------------- */

static void need_coroutine(lua_State *L, struct lua_task *t)
{
	if (t->co)
		return;
	t->co = lua_newthread(L);
	t->co_reference = luaL_ref(L, LUA_REGISTRYINDEX);
}

/* Whether there may be something to close, and instructions would be counted meanwhile. */
static bool can_close(const struct lua_task *t)
{
	const int status = lua_status(t->co);

	return status == LUA_YIELD || (status != LUA_OK && !t->worker->limits.has_raised);
}

/*
 * Closes what the function left open, in a run of its own. is_known: an error was logged already, and
 * the coroutine may repeat it.
 */
static void close_coroutine(struct lua_task *t, bool is_known)
{
	struct lua_worker *w = t->worker;
	struct lua_task *before = w->running;

	w->running = t;
	t->is_closing = true;
	lua_limits_begin(&w->limits, w->L);
	lua_limits_renew(t->co);
	if (lua_resetthread(t->co) != LUA_OK && !is_known)
		log_error(t, lua_trace_text(t->co));
	t->is_closing = false;
	w->running = before;
}

static void drop_coroutine(struct lua_task *t, bool is_known)
{
	struct lua_worker *w = t->worker;

	if (!t->co)
		return;
	if (can_close(t))
		close_coroutine(t, is_known);
	luaL_unref(w->L, LUA_REGISTRYINDEX, t->co_reference);
	t->co = NULL;
	t->co_reference = LUA_NOREF;
}

/* ---- a run --------------------------------------------------------------- */

/* Moves the function and its arguments onto the coroutine. Returns the number of arguments. */
static int prepare(lua_State *L, const struct run *r)
{
	int n;

	need_coroutine(L, r->task);
	lua_rawgeti(L, LUA_REGISTRYINDEX, r->reference);
	n = r->push ? r->push(L, r->arg) : 0;
	if (!lua_checkstack(r->task->co, n + 1))
		luaL_error(L, "stack overflow");
	lua_xmove(L, r->task->co, n + 1);
	return n;
}

/* Raises the error of the coroutine in L, as text with its traceback. */
static int raise_again(lua_State *L, lua_State *co)
{
	lua_xmove(co, L, 1);
	lua_trace_add(L, co);
	return lua_error(L);
}

/* The coroutine has yielded because it exceeded a limit. */
static int raise_excess(lua_State *L, lua_State *co, const struct lua_limits *l)
{
	lua_Debug at;

	if (lua_getstack(co, 0, &at) && lua_getinfo(co, "Sl", &at) && at.currentline > 0)
		lua_pushfstring(L, "%s:%d: ", at.short_src, at.currentline);
	else
		lua_pushliteral(L, "");
	lua_limits_push_excess(L, l);
	lua_concat(L, 2);
	lua_trace_add(L, co);
	return lua_error(L);
}

/* An excess that the script has caught is none the less an error. */
static void check_excess(lua_State *L, const struct lua_limits *l)
{
	if (!l->excess)
		return;
	lua_limits_push_excess(L, l);
	lua_pushliteral(L, ", and has caught that error");
	lua_concat(L, 2);
	lua_error(L);
}

static void take_first_result(lua_State *L, lua_State *co, int n_results)
{
	if (n_results == 0) {
		lua_pushnil(L);
	} else {
		lua_pop(co, n_results - 1);
		lua_xmove(co, L, 1);
	}
	lua_settop(co, 0);
}

static int run_protected(lua_State *L)
{
	const struct run *r = lua_touserdata(L, 1);
	struct lua_task *t = r->task;
	struct lua_limits *limits = &t->worker->limits;
	int n_args = r->is_start ? prepare(L, r) : 0;
	int n_results, status;

	t->worker->running = t;
	limits->coroutine = t->co;
	status = lua_resume(t->co, L, n_args, &n_results);
	limits->coroutine = NULL;
	if (status != LUA_OK && status != LUA_YIELD)
		return raise_again(L, t->co);
	if (status == LUA_YIELD && limits->excess && !t->is_waiting)
		return raise_excess(L, t->co, limits);
	check_excess(L, limits);
	if (status == LUA_YIELD && !t->is_waiting) {
		lua_pushliteral(L, "coroutine.yield: not in a coroutine that the script has made");
		lua_trace_add(L, t->co);
		return lua_error(L);
	}
	if (status == LUA_OK) {
		take_first_result(L, t->co, n_results);
		if (t->owner->returned)
			t->owner->returned(t, L);
	}
	return 0;
}

static void forget_wait(struct lua_task *t)
{
	void (*stop)(void *) = t->stop;

	t->is_waiting = false;
	t->stop = NULL;
	if (t->timer)
		lua_server->timer_set(t->timer, -1);
	if (stop)
		stop(t->stop_arg);
}

static void end(struct lua_task *t, bool is_ok)
{
	if (!is_ok)
		drop_coroutine(t, true);
	if (t->owner->ended)
		t->owner->ended(t, is_ok);
}

static void run(struct lua_task *t, struct run *r)
{
	struct lua_worker *w = t->worker;
	struct lua_task *before = w->running;
	lua_State *L = w->L;
	bool is_ok;

	lua_limits_begin(&w->limits, L);
	lua_pushcfunction(L, run_protected);
	lua_pushlightuserdata(L, r);
	is_ok = lua_pcall(L, 1, 0, 0) == LUA_OK;
	w->running = before;
	if (!is_ok) {
		log_error(t, lua_trace_text(L));
		lua_pop(L, 1);
		forget_wait(t);
	}
	if (!t->is_waiting)
		end(t, is_ok);
	else if (t->owner->waits)
		t->owner->waits(t);
}

void lua_task_start(struct lua_task *t, const char *what, int reference,
                    int (*push)(lua_State *L, void *arg), void *arg)
{
	t->what = what;
	run(t, &(struct run){ .task = t, .is_start = true, .reference = reference, .push = push, .arg = arg });
}

void lua_task_wake(struct lua_task *t)
{
	forget_wait(t);
	run(t, &(struct run){ .task = t });
}

void lua_task_fini(struct lua_task *t)
{
	if (t->is_waiting)
		forget_wait(t);
	drop_coroutine(t, false);
	if (t->timer)
		lua_server->timer_free(t->timer);
	t->timer = NULL;
}

/* ---- waiting ------------------------------------------------------------- */

struct lua_task *lua_task_that_can_wait(lua_State *L)
{
	struct lua_worker *w = lua_worker_of(L);
	struct lua_task *t = w->running;

	if (w->is_loading)
		luaL_error(L, "the top level of the script cannot wait");
	if (!t || t->is_closing)
		luaL_error(L, "the end of a function (__gc, __close) cannot wait");
	if (!t->may_wait)
		luaL_error(L, "%s cannot wait", t->what);
	if (t->co != L)
		luaL_error(L, "a coroutine that the script has made cannot wait; only the callback itself can");
	if (!lua_isyieldable(L))
		luaL_error(L, "cannot wait here, inside a C function such as table.sort or string.gsub");
	return t;
}

static void on_timer(void *arg)
{
	struct lua_task *t = arg;

	t->is_late = true;
	lua_task_wake(t);
}

void lua_task_need_timer(lua_State *L, struct lua_task *t)
{
	if (!t->timer)
		t->timer = lua_server->timer_new(t->worker->worker, on_timer, t);
	if (!t->timer)
		luaL_error(L, "no timer: %s", strerror(errno));
}

int lua_task_wait(lua_State *L, struct lua_task *t, int64_t ms, void (*stop)(void *arg), void *arg,
                  lua_KFunction then)
{
	lua_task_need_timer(L, t);
	lua_server->timer_set(t->timer, ms);
	t->is_late = false;
	t->is_waiting = true;
	t->stop = stop;
	t->stop_arg = arg;
	return lua_yieldk(L, 0, 0, then);
}

int64_t lua_task_check_seconds(lua_State *L, int arg)
{
	lua_Number seconds = luaL_checknumber(L, arg);

	/* NaN is neither. */
	luaL_argcheck(L, seconds >= 0 && seconds <= MAX_SECONDS, arg, "is no time in seconds, from 0 to 1e9");
	return (int64_t)ceil(seconds * 1000);
}
