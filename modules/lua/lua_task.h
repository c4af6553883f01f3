/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A task runs one function of the script after the other, each in a coroutine that can wait. All Lua
 * code of a worker, except the top level of the script, runs in tasks. Knows neither connections nor
 * what is waited for: their owners tell it.
 */
#ifndef DROVER_LUA_TASK_H
#define DROVER_LUA_TASK_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "lua_worker.h"

struct lua_task;

/* What the owner of a task does. Any member may be NULL. */
struct lua_task_owner {
	void (*waits)(struct lua_task *t);      /* the function waits */

	/*
	 * The function has returned; its first result is at the top of L, nil if there is none. May raise
	 * an error, which counts as one of the function.
	 */
	void (*returned)(struct lua_task *t, lua_State *L);

	/* After `returned`, or after an error, which is in the log already. */
	void (*ended)(struct lua_task *t, bool is_ok);
};

struct lua_task {
	struct lua_worker           *worker;
	const struct lua_task_owner *owner;
	struct drover_connection    *connection;        /* for the log, or NULL */
	const char                  *what;      /* the function, as in the log */
	lua_State                   *co;        /* NULL until there is one */
	int                          co_reference;
	bool                         may_wait;
	bool                         is_closing;        /* what an ended function left open is closed */
	bool                         is_waiting;
	bool                         is_late;   /* it waited as long as it might */
	struct drover_timer         *timer;     /* ends the wait */
	void                       (*stop)(void *arg);  /* has what was waited for forget the task; or NULL */
	void                        *stop_arg;
};

void lua_task_init(struct lua_task *t, struct lua_worker *w, const struct lua_task_owner *owner);

/* Ends a wait, without a call of the owner: variables of the function that are to be closed are closed. */
void lua_task_fini(struct lua_task *t);

/*
 * Calls the function of that reference, in a run of its own. push, if not NULL, pushes the arguments
 * on L and returns their number; it may raise errors. what must outlive the task.
 */
void lua_task_start(struct lua_task *t, const char *what, int reference,
                    int (*push)(lua_State *L, void *arg), void *arg);

/* Goes on with a task that waits. */
void lua_task_wake(struct lua_task *t);

/* ---- for functions that Lua code calls ----------------------------------- */

/* The task of L, if it can wait now. Raises an error if it cannot, which says why. */
struct lua_task *lua_task_that_can_wait(lua_State *L);

/* Makes the timer that lua_task_wait needs, if there is none yet. An error of Lua if there is no memory. */
void lua_task_need_timer(lua_State *L, struct lua_task *t);

/*
 * The task waits until lua_task_wake, or for ms, which sets is_late. then is called after that, with
 * the stack as it is now; its result is that of the C function which returns the result of this one.
 * stop may be NULL.
 */
int lua_task_wait(lua_State *L, struct lua_task *t, int64_t ms, void (*stop)(void *arg), void *arg,
                  lua_KFunction then);

/* Seconds of an argument as milliseconds, rounded up; an argument error if they are no such time. */
int64_t lua_task_check_seconds(lua_State *L, int arg);

#endif
