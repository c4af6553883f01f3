/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The `conn` object. Its own fields are those of a table behind it; the methods and the facts about
 * the connection are not in that table, and the script cannot replace them.
 *
 * Its events come in order: while a function of the script waits, drover reads nothing of it.
 */
#include <config.h>
#include "lua_connection.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lua_facts.h"
#include "lua_task.h"
#include "lua_trace.h"

#define METATABLE "drover connection"

struct lua_connection {
	struct lua_task           task;         /* first: runs the functions of this connection */
	struct drover_connection *c;            /* NULL when it has ended */
	int                       self;         /* a reference to the object, while c is there */
	bool                      is_closed;    /* nothing can be written any more */
	bool                      has_ended;    /* it is aborted, or `close` is called */
	bool                      is_paused;    /* by the script */
	bool                      is_stopped;   /* drover reads nothing: paused, or the task waits */
};

static struct lua_connection *check(lua_State *L)
{
	return luaL_checkudata(L, 1, METATABLE);
}

static void stop_or_go(struct lua_connection *conn)
{
	bool stops = conn->is_paused || conn->task.is_waiting;

	if (!conn->c || conn->has_ended || stops == conn->is_stopped)
		return;
	conn->is_stopped = stops;
	(stops ? lua_server->pause : lua_server->resume)(conn->c);
}

static void abort_it(struct lua_connection *conn)
{
	if (conn->c && !conn->has_ended)
		lua_server->abort(conn->c);
	conn->is_closed = conn->has_ended = true;
}

/* ---- writing ------------------------------------------------------------- */

/*
 * What the client does not take is kept outside Lua, where no limit counts it. One client may leave
 * as much there as the scripts may use in all; one that leaves more is closed.
 */
static bool has_room(struct lua_connection *conn, size_t len)
{
	size_t most = conn->task.worker->limits.memory, unsent = lua_server->unsent(conn->c);

	if (unsent <= most && len <= most - unsent)
		return true;
	lua_server->log(conn->c, DROVER_LOG_WARNING,
	                "lua: the client takes too little: %zu bytes wait, and %zu more would be more than memory allows",
	                unsent, len);
	abort_it(conn);
	return false;
}

/* 0, or -1 with errno; EPIPE: nothing can be written any more. */
static int put(struct lua_connection *conn, bool in_frame, const char *bytes, size_t len)
{
	if (conn->is_closed || !has_room(conn, len)) {
		errno = EPIPE;
		return -1;
	}
	return (in_frame ? lua_server->reply : lua_server->write)(conn->c, bytes, len);
}

/* true; or nil and a text if the client is gone. What no frame can hold is an error. */
static int put_argument(lua_State *L, bool in_frame)
{
	struct lua_connection *conn = check(L);
	size_t len;
	const char *bytes = luaL_checklstring(L, 2, &len);

	if (in_frame && !conn->task.worker->framing)
		return luaL_error(L, "conn:reply needs framing; without it there is conn:write");
	if (put(conn, in_frame, bytes, len) == 0) {
		lua_pushboolean(L, 1);
		return 1;
	}
	luaL_argcheck(L, errno != EMSGSIZE && errno != EINVAL, 2, "does not fit into a frame");
	lua_pushnil(L);
	lua_pushstring(L, errno == EPIPE ? "closed" : strerror(errno));
	return 2;
}

static int method_write(lua_State *L) { return put_argument(L, false); }
static int method_reply(lua_State *L) { return put_argument(L, true); }

static int method_finish(lua_State *L)
{
	struct lua_connection *conn = check(L);

	if (!conn->is_closed)
		lua_server->finish(conn->c);
	conn->is_closed = true;
	return 0;
}

static int method_abort(lua_State *L)
{
	struct lua_connection *conn = check(L);

	abort_it(conn);
	return 0;
}

/* ---- reading and waiting ------------------------------------------------- */

static int method_pause(lua_State *L)
{
	struct lua_connection *conn = check(L);

	conn->is_paused = true;
	stop_or_go(conn);
	return 0;
}

static int method_resume(lua_State *L)
{
	struct lua_connection *conn = check(L);

	conn->is_paused = false;
	stop_or_go(conn);
	return 0;
}

static int slept(lua_State *L, int status, lua_KContext unused)
{
	(void)L, (void)status, (void)unused;
	return 0;
}

static int method_sleep(lua_State *L)
{
	struct lua_connection *conn = check(L);
	int64_t ms = lua_task_check_seconds(L, 2);
	struct lua_task *t = lua_task_that_can_wait(L);

	if (t != &conn->task)
		return luaL_error(L, "conn:sleep is for functions of this connection only");
	return lua_task_wait(L, t, ms, NULL, NULL, slept);
}

/* ---- fields -------------------------------------------------------------- */

static const luaL_Reg methods[] = {
	{ "write",  method_write },
	{ "reply",  method_reply },
	{ "finish", method_finish },
	{ "abort",  method_abort },
	{ "pause",  method_pause },
	{ "resume", method_resume },
	{ "sleep",  method_sleep },
	{ NULL,     NULL }
};

/* What drover says of a connection; nil when it has ended. */
static const char *const facts[] = { "peer", "localaddr", "tls", "id", "closed", NULL };
enum fact { FACT_PEER, FACT_LOCAL, FACT_TLS, FACT_ID, FACT_CLOSED };

static int find_fact(const char *name)
{
	for (int i = 0; facts[i]; i++)
		if (strcmp(name, facts[i]) == 0)
			return i;
	return -1;
}

static void push_fact(lua_State *L, const struct lua_connection *conn, enum fact fact)
{
	if (fact == FACT_CLOSED)
		lua_pushboolean(L, conn->is_closed);
	else if (!conn->c)
		lua_pushnil(L);
	else if (fact == FACT_TLS)
		lua_facts_push_tls(L, conn->c);
	else if (fact == FACT_ID)
		lua_facts_push_id(L, conn->c);
	else
		lua_facts_push_endpoint(L, conn->c, fact == FACT_PEER ? DROVER_PEER : DROVER_LOCAL);
}

/*
 * A fact, which is kept in the table of fields when it is asked for, so that it is made only once and
 * is still there when the connection has ended.
 */
static int index_fact(lua_State *L, const struct lua_connection *conn, enum fact fact)
{
	push_fact(L, conn, fact);
	if (fact != FACT_CLOSED && !lua_isnil(L, -1)) {
		lua_pushvalue(L, 2);
		lua_pushvalue(L, -2);
		lua_rawset(L, 3);
	}
	return 1;
}

/* conn.KEY: the methods are the upvalue. */
static int on_index(lua_State *L)
{
	struct lua_connection *conn = check(L);
	int fact;

	lua_settop(L, 2);
	lua_pushvalue(L, 2);
	if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
		return 1;
	lua_pop(L, 1);
	lua_getiuservalue(L, 1, 1);
	lua_pushvalue(L, 2);
	if (lua_rawget(L, 3) != LUA_TNIL || lua_type(L, 2) != LUA_TSTRING)
		return 1;
	fact = find_fact(lua_tostring(L, 2));
	return fact == -1 ? 1 : index_fact(L, conn, fact);
}

/* conn.KEY = VALUE */
static int on_newindex(lua_State *L)
{
	check(L);
	lua_settop(L, 3);
	lua_pushvalue(L, 2);
	if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL ||
	    (lua_type(L, 2) == LUA_TSTRING && find_fact(lua_tostring(L, 2)) != -1))
		return luaL_error(L, "conn.%s belongs to drover and cannot be set", lua_tostring(L, 2));
	lua_pop(L, 1);
	lua_getiuservalue(L, 1, 1);
	lua_insert(L, 2);
	lua_rawset(L, 2);
	return 0;
}

static int on_tostring(lua_State *L)
{
	struct lua_connection *conn = check(L);

	if (!conn->c) {
		lua_pushliteral(L, "connection (closed)");
		return 1;
	}
	lua_pushliteral(L, "connection ");
	lua_facts_push_id(L, conn->c);
	lua_concat(L, 2);
	return 1;
}

void lua_connection_setup(lua_State *L)
{
	luaL_newmetatable(L, METATABLE);
	luaL_newlib(L, methods);
	lua_pushvalue(L, -1);
	lua_pushcclosure(L, on_index, 1);
	lua_setfield(L, -3, "__index");
	lua_pushcclosure(L, on_newindex, 1);
	lua_setfield(L, -2, "__newindex");
	lua_pushcfunction(L, on_tostring);
	lua_setfield(L, -2, "__tostring");
	lua_pushliteral(L, METATABLE);          /* what getmetatable returns, in place of this table */
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 1);
}

/* ---- functions of the script --------------------------------------------- */

static void on_waits(struct lua_task *t)
{
	stop_or_go((struct lua_connection *)t);
}

/* A string or a number is the answer. nil and booleans say nothing, as after `return conn:write(s)`. */
static void on_returned(struct lua_task *t, lua_State *L)
{
	struct lua_connection *conn = (struct lua_connection *)t;
	int type = lua_type(L, -1);
	size_t len;
	const char *bytes;

	if (type == LUA_TNIL || type == LUA_TBOOLEAN || conn->has_ended)
		return;
	if (type != LUA_TSTRING && type != LUA_TNUMBER)
		luaL_error(L, "has returned a %s, which is no answer", lua_typename(L, type));
	bytes = lua_tolstring(L, -1, &len);
	if (put(conn, t->worker->framing != NULL, bytes, len) == -1 && errno != EPIPE)
		luaL_error(L, "the answer cannot be sent: %s",
		           errno == EMSGSIZE || errno == EINVAL ? "it does not fit into a frame" : strerror(errno));
}

static void on_ended(struct lua_task *t, bool is_ok)
{
	struct lua_connection *conn = (struct lua_connection *)t;

	if (is_ok)
		stop_or_go(conn);
	else
		abort_it(conn);
}

static const struct lua_task_owner owner = {
	.waits = on_waits,
	.returned = on_returned,
	.ended = on_ended,
};

struct arguments {
	struct lua_connection *conn;
	const char            *bytes;           /* the second argument, or NULL */
	size_t                 len;
};

static int push_arguments(lua_State *L, void *arg)
{
	const struct arguments *a = arg;

	lua_rawgeti(L, LUA_REGISTRYINDEX, a->conn->self);
	if (!a->bytes)
		return 1;
	lua_pushlstring(L, a->bytes, a->len);
	return 2;
}

static void call(struct lua_connection *conn, enum lua_worker_function function, const char *bytes,
                 size_t len)
{
	static const char *const names[] = {
		[LUA_WORKER_OPEN] = "open", [LUA_WORKER_DATA] = "data",
		[LUA_WORKER_REQUEST] = "request", [LUA_WORKER_CLOSE] = "close"
	};
	int reference = conn->task.worker->functions[function];

	if (reference != LUA_NOREF)
		lua_task_start(&conn->task, names[function], reference, push_arguments,
		               &(struct arguments){ conn, bytes, len });
}

/* ---- its life ------------------------------------------------------------ */

static int new_protected(lua_State *L)
{
	struct drover_connection *c = lua_touserdata(L, 1);
	struct lua_connection *conn = lua_newuserdatauv(L, sizeof *conn, 1);

	memset(conn, 0, sizeof *conn);
	luaL_setmetatable(L, METATABLE);
	lua_newtable(L);
	lua_setiuservalue(L, -2, 1);
	lua_task_init(&conn->task, lua_worker_of(L), &owner);
	conn->self = luaL_ref(L, LUA_REGISTRYINDEX);
	conn->c = conn->task.connection = c;
	lua_server->set_pointer(c, conn);
	return 0;
}

int lua_connection_open(struct lua_worker *w, struct drover_connection *c)
{
	if (w->framing && lua_server->frame(c, w->framing) == -1) {
		lua_server->log(c, DROVER_LOG_ERROR, "lua: framing \"%s\": %s", w->framing, strerror(errno));
		return -1;
	}
	lua_limits_begin(&w->limits, w->L);
	lua_pushcfunction(w->L, new_protected);
	lua_pushlightuserdata(w->L, c);
	if (lua_pcall(w->L, 1, 0, 0) != LUA_OK) {
		lua_server->log(c, DROVER_LOG_ERROR, "lua: no new connection: %s", lua_trace_text(w->L));
		lua_pop(w->L, 1);
		return -1;
	}
	call(lua_server->pointer(c), LUA_WORKER_OPEN, NULL, 0);
	return 0;
}

void lua_connection_receive(struct lua_connection *conn, enum lua_worker_function function,
                            const char *bytes, size_t len)
{
	if (conn->is_closed)
		return;
	if (conn->task.is_waiting) {
		/* drover had no memory to pause it, and cannot say so. */
		lua_server->log(conn->c, DROVER_LOG_ERROR, "lua: bytes came while %s waits", conn->task.what);
		abort_it(conn);
		return;
	}
	call(conn, function, bytes, len);
}

void lua_connection_close(struct lua_connection *conn, int reason)
{
	const char *word = lua_facts_reason(reason);
	struct lua_worker *w = conn->task.worker;

	conn->is_closed = conn->has_ended = true;
	if (conn->task.is_waiting)
		lua_task_fini(&conn->task);
	conn->task.may_wait = false;
	call(conn, LUA_WORKER_CLOSE, word, strlen(word));
	lua_task_fini(&conn->task);
	lua_server->set_pointer(conn->c, NULL);
	conn->c = conn->task.connection = NULL;
	luaL_unref(w->L, LUA_REGISTRYINDEX, conn->self);
}
