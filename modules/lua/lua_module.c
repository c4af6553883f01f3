/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lua 5.4 as a module of drover: the descriptor, and the callbacks that drover calls. What scripts see
 * is described in drover_lua(7).
 */
#include <config.h>

#include "lua_connection.h"
#include "lua_script.h"

static struct lua_worker *worker_of(const struct drover_connection *c)
{
	return lua_server->worker_pointer(lua_server->worker(c));
}

static int on_configure(struct drover_config *config)
{
	struct lua_worker *w = lua_script_start(config, NULL);

	if (!w)
		return -1;
	lua_script_end(w);
	return 0;
}

static int on_worker_start(struct drover_worker *worker, struct drover_config *config)
{
	struct lua_worker *w = lua_script_start(config, worker);

	lua_server->set_worker_pointer(worker, w);
	return w ? 0 : -1;
}

static void on_worker_stop(struct drover_worker *worker)
{
	lua_script_end(lua_server->worker_pointer(worker));
	lua_server->set_worker_pointer(worker, NULL);
}

static int on_open(struct drover_connection *c)
{
	return lua_connection_open(worker_of(c), c);
}

static ptrdiff_t on_data(struct drover_connection *c, const char *bytes, size_t len)
{
	lua_connection_receive(lua_server->pointer(c), LUA_WORKER_DATA, bytes, len);
	return (ptrdiff_t)len;
}

static int on_request(struct drover_connection *c, const char *bytes, size_t len)
{
	lua_connection_receive(lua_server->pointer(c), LUA_WORKER_REQUEST, bytes, len);
	return 0;
}

/* There is no object if open found no memory for it. */
static void on_close(struct drover_connection *c, int reason)
{
	struct lua_connection *conn = lua_server->pointer(c);

	if (conn)
		lua_connection_close(conn, reason);
}

const struct drover_module drover_module_v1 = {
	DROVER_MODULE("lua", PACKAGE_VERSION),
	.server = &lua_server,
	.configure = on_configure,
	.worker_start = on_worker_start,
	.worker_stop = on_worker_stop,
	.open = on_open,
	.data = on_data,
	.request = on_request,
	.close = on_close,
};
