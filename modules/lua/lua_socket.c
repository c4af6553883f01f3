/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sockets of scripts. A call does what it can at once, and otherwise has its task wait for the socket.
 * A watch is there only while a task waits: epoll would report a socket that was reset in every turn.
 */
#include <config.h>
#include "lua_socket.h"

#include <errno.h>
#include <lauxlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lua_address.h"
#include "lua_bytes.h"
#include "lua_task.h"

#define METATABLE       "drover socket"
#define CHUNK           16384           /* room for the bytes of one recv */
#define DEFAULT_TIMEOUT 30000           /* ms */

struct socket {
	struct lua_worker   *worker;
	int                  fd;                /* -1: closed */
	bool                 is_at_end;         /* the other end sends no more */
	int64_t              timeout_ms;        /* of each wait */
	struct drover_watch *watch;             /* while a task waits */
	struct lua_task     *waiter;
	struct lua_bytes     received;
	size_t               looked_at;         /* that many of them have no newline */
	size_t               sent;              /* bytes of the string that is being written */
};

static struct socket *check(lua_State *L)
{
	return luaL_checkudata(L, 1, METATABLE);
}

/* ---- waiting ------------------------------------------------------------- */

/* The task waits no longer, for whatever reason. */
static void on_stop(void *arg)
{
	struct socket *s = arg;

	if (s->watch)
		lua_server->watch_free(s->watch);
	s->watch = NULL;
	s->waiter = NULL;
}

static void on_ready(void *arg, uint32_t events)
{
	struct socket *s = arg;

	(void)events;
	lua_task_wake(s->waiter);
}

static int wait_for(lua_State *L, struct socket *s, uint32_t events, lua_KFunction then)
{
	struct lua_task *t = lua_task_that_can_wait(L);

	if (s->waiter)
		return luaL_error(L, "another function waits for this socket");
	lua_task_need_timer(L, t);      /* which can fail, before there is a watch */
	s->watch = lua_server->watch_new(s->worker->worker, s->fd, events, on_ready, s);
	if (!s->watch)
		return luaL_error(L, "the socket cannot be watched: %s", strerror(errno));
	s->waiter = t;
	return lua_task_wait(L, t, s->timeout_ms, on_stop, s, then);
}

/* Whether the wait that has just ended took too long. */
static bool is_late(lua_State *L, int status)
{
	struct lua_task *t = lua_worker_of(L)->running;

	return status == LUA_YIELD && t && t->is_late;
}

static int return_error(lua_State *L, const char *text)
{
	lua_pushnil(L);
	lua_pushstring(L, text);
	return 2;
}

static void close_it(lua_State *L, struct socket *s)
{
	struct lua_task *waiter = s->waiter;

	on_stop(s);
	/* It cannot be called from here, but in the next turn of the loop; not if the worker ends. */
	if (waiter && waiter->timer)
		lua_server->timer_set(waiter->timer, 0);
	if (s->fd != -1)
		close(s->fd);
	s->fd = -1;
	lua_bytes_clear(L, &s->received);
}

/* ---- drover.connect ------------------------------------------------------ */

static struct socket *new_socket(lua_State *L)
{
	struct socket *s = lua_newuserdatauv(L, sizeof *s, 0);

	memset(s, 0, sizeof *s);
	s->worker = lua_worker_of(L);
	s->fd = -1;
	luaL_setmetatable(L, METATABLE);
	return s;
}

/* The socket is the value at 4. */
static int connect_failed(lua_State *L, int error)
{
	close_it(L, lua_touserdata(L, 4));
	return return_error(L, strerror(error));
}

static int connected(lua_State *L, int status, lua_KContext unused)
{
	struct socket *s = lua_touserdata(L, 4);
	socklen_t len = sizeof (int);
	int error = ETIMEDOUT;

	(void)unused;
	if (!is_late(L, status) && getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		error = errno;
	if (error != 0)
		return connect_failed(L, error);
	lua_settop(L, 4);
	return 1;
}

/* drover.connect(host, port, seconds) */
static int connect_to(lua_State *L)
{
	const char *host = luaL_checkstring(L, 1);
	lua_Integer port = luaL_optinteger(L, 2, 0);
	int64_t timeout_ms = lua_isnoneornil(L, 3) ? DEFAULT_TIMEOUT : lua_task_check_seconds(L, 3);
	struct sockaddr_storage address;
	socklen_t len;
	const char *problem = lua_address_parse(host, port, &address, &len);
	struct socket *s;

	if (problem)
		return luaL_error(L, "drover.connect: \"%s\" %s", host, problem);
	lua_task_that_can_wait(L);
	lua_settop(L, 3);
	s = new_socket(L);
	s->timeout_ms = timeout_ms;
	s->fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd == -1)
		return connect_failed(L, errno);
	if (connect(s->fd, (struct sockaddr *)&address, len) == 0)
		return 1;
	if (errno != EINPROGRESS)
		return connect_failed(L, errno);
	return wait_for(L, s, EPOLLOUT, connected);
}

/* ---- socket:read --------------------------------------------------------- */

static size_t n_received(const struct socket *s)
{
	return s->received.end - s->received.begin;
}

static int take(lua_State *L, struct socket *s, size_t len, size_t drop)
{
	s->looked_at = 0;
	if (len + drop == 0 && n_received(s) == 0 && s->is_at_end)
		lua_pushnil(L);
	else
		lua_bytes_push(L, &s->received, len, drop);
	return 1;
}

static int take_line(lua_State *L, struct socket *s)
{
	const char *first = s->received.bytes + s->received.begin, *newline = NULL;

	if (n_received(s) > s->looked_at)
		newline = memchr(first + s->looked_at, '\n', n_received(s) - s->looked_at);
	if (newline)
		return take(L, s, (size_t)(newline - first), 1);
	if (s->is_at_end)
		return take(L, s, n_received(s), 0);
	s->looked_at = n_received(s);
	return 0;
}

static int take_number(lua_State *L, struct socket *s, lua_Integer wanted)
{
	if ((lua_Unsigned)wanted <= n_received(s))
		return take(L, s, (size_t)wanted, 0);
	return s->is_at_end ? take(L, s, n_received(s), 0) : 0;
}

/* Pushes what is asked for, if it is there, and returns 1; else 0. */
static int take_wanted(lua_State *L, struct socket *s)
{
	if (lua_type(L, 2) == LUA_TNUMBER)
		return take_number(L, s, lua_tointeger(L, 2));
	if (*lua_tostring(L, 2) == 'l')
		return take_line(L, s);
	if (!s->is_at_end)
		return 0;
	lua_bytes_push(L, &s->received, n_received(s), 0);
	return 1;
}

/* Receives once. 1: more bytes or the end; 0: there is nothing now; -1 with errno. */
static int receive(lua_State *L, struct socket *s)
{
	char *room = lua_bytes_room(L, &s->received, CHUNK);
	ssize_t n = recv(s->fd, room, CHUNK, 0);

	if (n > 0)
		s->received.end += (size_t)n;
	else if (n == 0)
		s->is_at_end = true;
	else
		return errno == EAGAIN ? 0 : errno == EINTR ? 1 : -1;
	return 1;
}

static int read_on(lua_State *L, int status, lua_KContext unused)
{
	struct socket *s = lua_touserdata(L, 1);
	int got;

	(void)unused;
	while (s->fd != -1) {
		if (take_wanted(L, s))
			return 1;
		got = s->is_at_end ? 1 : receive(L, s);
		if (got == -1)
			return return_error(L, strerror(errno));
		if (got == 0 && is_late(L, status))
			return return_error(L, "timed out");
		if (got == 0)
			return wait_for(L, s, EPOLLIN, read_on);
	}
	return return_error(L, "closed");
}

/* socket:read(n | "l" | "a") */
static int method_read(lua_State *L)
{
	const char *format;

	check(L);
	lua_settop(L, 2);
	if (lua_type(L, 2) == LUA_TNUMBER) {
		luaL_argcheck(L, luaL_checkinteger(L, 2) >= 0, 2, "is negative");
	} else {
		format = luaL_optstring(L, 2, "l");
		luaL_argcheck(L, strcmp(format, "l") == 0 || strcmp(format, "a") == 0, 2,
		              "is neither a number nor \"l\" nor \"a\"");
		lua_pushstring(L, format);
		lua_replace(L, 2);
	}
	return read_on(L, LUA_OK, 0);
}

/* ---- socket:write, socket:close ------------------------------------------ */

static int write_on(lua_State *L, int status, lua_KContext unused)
{
	struct socket *s = lua_touserdata(L, 1);
	size_t len;
	const char *bytes = lua_tolstring(L, 2, &len);
	ssize_t n;

	(void)unused;
	while (s->fd != -1 && s->sent < len) {
		n = send(s->fd, bytes + s->sent, len - s->sent, MSG_NOSIGNAL);
		if (n >= 0)
			s->sent += (size_t)n;
		else if (errno != EAGAIN && errno != EINTR)
			return return_error(L, strerror(errno));
		else if (errno == EAGAIN && is_late(L, status))
			return return_error(L, "timed out");
		else if (errno == EAGAIN)
			return wait_for(L, s, EPOLLOUT, write_on);
	}
	if (s->fd == -1)
		return return_error(L, "closed");
	lua_pushboolean(L, 1);
	return 1;
}

static int method_write(lua_State *L)
{
	struct socket *s = check(L);

	luaL_checkstring(L, 2);
	lua_settop(L, 2);
	if (s->waiter)
		return luaL_error(L, "another function waits for this socket");
	s->sent = 0;
	return write_on(L, LUA_OK, 0);
}

/* Also __gc and __close, which may get a socket that is closed already. */
static int method_close(lua_State *L)
{
	close_it(L, check(L));
	return 0;
}

static const luaL_Reg methods[] = {
	{ "read",  method_read },
	{ "write", method_write },
	{ "close", method_close },
	{ NULL,    NULL }
};

void lua_socket_setup(lua_State *L)
{
	luaL_newmetatable(L, METATABLE);
	luaL_newlib(L, methods);
	lua_setfield(L, -2, "__index");
	lua_pushcfunction(L, method_close);
	lua_setfield(L, -2, "__gc");
	lua_pushcfunction(L, method_close);
	lua_setfield(L, -2, "__close");
	lua_pushliteral(L, METATABLE);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 1);
	lua_pushcfunction(L, connect_to);
	lua_setfield(L, -2, "connect");
}
