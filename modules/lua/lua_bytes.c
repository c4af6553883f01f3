/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A buffer that grows by doubling, and is moved to its beginning before that.
 */
#include <config.h>
#include "lua_bytes.h"

#include <lauxlib.h>
#include <string.h>

/* Makes room for len bytes at the end. False if there is no memory. */
static bool grow(lua_State *L, struct lua_bytes *b, size_t len)
{
	const size_t waiting = b->end - b->begin;
	size_t size = b->size ? b->size : len;
	char *bytes;
	void *ud;

	if (b->begin > 0) {
		memmove(b->bytes, b->bytes + b->begin, waiting);
		b->begin = 0;
		b->end = waiting;
	}
	if (b->size >= waiting + len)
		return true;
	while (size < waiting + len)
		size *= 2;
	bytes = lua_getallocf(L, &ud)(ud, b->bytes, b->size, size);
	if (!bytes)
		return false;
	b->bytes = bytes;
	b->size = size;
	return true;
}

char *lua_bytes_room(lua_State *L, struct lua_bytes *b, size_t len)
{
	if (!grow(L, b, len)) {
		/* Lua collects its garbage only for itself. A finalizer may read from the same buffer. */
		lua_gc(L, LUA_GCCOLLECT);
		if (!grow(L, b, len))
			luaL_error(L, "not enough memory");
	}
	return b->bytes + b->end;
}

/* Finalizers may run while there is room made for the string, and when it is made; one may read here as well. */
void lua_bytes_push(lua_State *L, struct lua_bytes *b, size_t len, size_t drop)
{
	luaL_Buffer copy;
	char *string = luaL_buffinitsize(L, &copy, len);

	if (b->end - b->begin < len + drop)
		luaL_error(L, "a finalizer has read these bytes");
	memcpy(string, len ? b->bytes + b->begin : "", len);
	b->begin += len + drop;
	if (b->begin == b->end)
		lua_bytes_clear(L, b);
	luaL_pushresultsize(&copy, len);
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
