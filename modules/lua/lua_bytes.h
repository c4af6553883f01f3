/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bytes that were received and not yet read, in memory of the Lua state, so that its limit counts
 * them.
 */
#ifndef DROVER_LUA_BYTES_H
#define DROVER_LUA_BYTES_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

/* All zero is an empty one. */
struct lua_bytes {
	char  *bytes;
	size_t begin, end, size;        /* the bytes from begin to end, of size that are allocated */
};

/* Makes room for at least len bytes at the end. Raises LUA_ERRMEM's message as an error if there is none. */
char *lua_bytes_room(lua_State *L, struct lua_bytes *b, size_t len);

/* Pushes the first len bytes, and then drop bytes after them are thrown away with them. */
void lua_bytes_push(lua_State *L, struct lua_bytes *b, size_t len, size_t drop);

void lua_bytes_clear(lua_State *L, struct lua_bytes *b);

#endif
