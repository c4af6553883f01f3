/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What drover knows of a connection, as Lua values: each function pushes one. May raise errors for
 * lack of memory.
 */
#ifndef DROVER_LUA_FACTS_H
#define DROVER_LUA_FACTS_H

#include <lua.h>

#include "lua_server.h"

/* A table with ip and port, or uid; nil if it is not known. side: enum drover_side. */
void lua_facts_push_endpoint(lua_State *L, const struct drover_connection *c, int side);

/* A table with the facts that there are; nil without TLS. */
void lua_facts_push_tls(lua_State *L, const struct drover_connection *c);

/* The id, as in the log. */
void lua_facts_push_id(lua_State *L, const struct drover_connection *c);

/* Why a connection has ended, in a word. reason: enum drover_reason. */
const char *lua_facts_reason(int reason);

#endif
