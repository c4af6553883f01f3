/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The `conn` object: a connection as the script sees it. It lives until the connection has ended and
 * the script has forgotten it.
 */
#ifndef DROVER_LUA_CONNECTION_H
#define DROVER_LUA_CONNECTION_H

#include <stddef.h>

#include "lua_worker.h"

struct lua_connection;

/* Makes the metatable. May raise an error for lack of memory. */
void lua_connection_setup(lua_State *L);

/* Makes the object, and calls `open`. -1: there is no memory for it, or the framing is refused; it is logged. */
int lua_connection_open(struct lua_worker *w, struct drover_connection *c);

/* Calls `data` or `request` with bytes of the client. */
void lua_connection_receive(struct lua_connection *conn, enum lua_worker_function function,
                            const char *bytes, size_t len);

/* Ends what the connection waits for, calls `close`, and lets the object go. */
void lua_connection_close(struct lua_connection *conn, int reason);

#endif
