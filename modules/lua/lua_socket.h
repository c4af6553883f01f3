/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * drover.connect(host, port): sockets whose calls wait for the function of the script, and not for
 * the worker.
 */
#ifndef DROVER_LUA_SOCKET_H
#define DROVER_LUA_SOCKET_H

#include <lua.h>

/* Makes the metatable, and sets `connect` in the table at the top of the stack. May raise errors. */
void lua_socket_setup(lua_State *L);

#endif
