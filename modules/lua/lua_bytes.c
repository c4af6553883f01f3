/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A buffer that grows by doubling, and is moved to its beginning before that.
 */
#include <config.h>
#include "lua_bytes.h"

#include <lauxlib.h>
#include <string.h>

char *lua_bytes_room(lua_State *L, struct lua_bytes *b, size_t len)
{
	size_t waiting = b->end - b->begin, size = b->size ? b->size : len;
	lua_Alloc allocate;
	char *bytes;
	void *ud;

	if (b->begin > 0) {
		memmove(b->bytes, b->bytes + b->begin, waiting);
		b->begin = 0;
		b->end = waiting;
	}
	if (b->size >= waiting + len)
		return b->bytes + b->end;
	while (size < waiting + len)
		size *= 2;
	allocate = lua_getallocf(L, &ud);
	bytes = allocate(ud, b->bytes, b->size, size);
	if (!bytes) {
		/* Lua collects its garbage only for itself. */
		lua_gc(L, LUA_GCCOLLECT);
		bytes = allocate(ud, b->bytes, b->size, size);
	}
	if (!bytes)
		luaL_error(L, "not enough memory");
	b->bytes = bytes;
	b->size = size;
	return b->bytes + b->end;
}

void lua_bytes_push(lua_State *L, struct lua_bytes *b, size_t len, size_t drop)
{
	lua_pushlstring(L, len ? b->bytes + b->begin : "", len);
	b->begin += len + drop;
	if (b->begin == b->end)
		lua_bytes_clear(L, b);
}

void lua_bytes_clear(lua_State *L, struct lua_bytes *b)
{
	lua_Alloc allocate;
	void *ud;

	allocate = lua_getallocf(L, &ud);
	if (b->bytes)
		allocate(ud, b->bytes, b->size, 0);
	memset(b, 0, sizeof *b);
}
