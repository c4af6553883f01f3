/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Turns the facts of a connection into Lua values.
 */
#include <config.h>
#include "lua_facts.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define ID_SIZE 64

static const struct { const char *name; enum drover_tls_fact fact; } tls_facts[] = {
	{ "protocol", DROVER_TLS_PROTOCOL },
	{ "cipher",   DROVER_TLS_CIPHER },
	{ "sni",      DROVER_TLS_SNI },
	{ "verify",   DROVER_TLS_VERIFY },
	{ "subject",  DROVER_TLS_SUBJECT },
	{ "issuer",   DROVER_TLS_ISSUER },
	{ "serial",   DROVER_TLS_SERIAL },
	{ "sha256",   DROVER_TLS_SHA256 },
};

static const char *const reasons[] = {
	[DROVER_CLOSED]    = "closed",
	[DROVER_FINISHED]  = "finished",
	[DROVER_RESET]     = "reset",
	[DROVER_TIMED_OUT] = "timed out",
	[DROVER_STOPPED]   = "stopped",
	[DROVER_KICKED]    = "kicked",
	[DROVER_FAILED]    = "failed",
};

void lua_facts_push_endpoint(lua_State *L, const struct drover_connection *c, int side)
{
	struct drover_endpoint e = { .size = sizeof e };

	if (lua_server->endpoint(c, side, &e) == -1) {
		lua_pushnil(L);
		return;
	}
	lua_createtable(L, 0, 2);
	if (e.family != AF_UNIX) {
		lua_pushstring(L, e.ip);
		lua_setfield(L, -2, "ip");
		lua_pushinteger(L, e.port);
		lua_setfield(L, -2, "port");
	} else if (e.uid != UINT32_MAX) {
		lua_pushinteger(L, e.uid);
		lua_setfield(L, -2, "uid");
	}
}

/* The length of a text is known only after a call; a longer one is fetched again. */
static bool push_tls_fact(lua_State *L, const struct drover_connection *c, int fact)
{
	char text[256];
	int len = lua_server->tls(c, fact, text, sizeof text);
	luaL_Buffer b;
	char *long_text;

	if (len <= 0)
		return false;
	if ((size_t)len < sizeof text) {
		lua_pushlstring(L, text, len);
		return true;
	}
	long_text = luaL_buffinitsize(L, &b, (size_t)len + 1);
	lua_server->tls(c, fact, long_text, (size_t)len + 1);
	luaL_pushresultsize(&b, len);
	return true;
}

void lua_facts_push_tls(lua_State *L, const struct drover_connection *c)
{
	char unused[1];

	if (lua_server->tls(c, DROVER_TLS_PROTOCOL, unused, sizeof unused) == -1) {
		lua_pushnil(L);
		return;
	}
	lua_createtable(L, 0, 8);
	for (size_t i = 0; i < sizeof tls_facts / sizeof *tls_facts; i++)
		if (push_tls_fact(L, c, tls_facts[i].fact))
			lua_setfield(L, -2, tls_facts[i].name);
}

void lua_facts_push_id(lua_State *L, const struct drover_connection *c)
{
	char id[ID_SIZE];

	lua_server->id(c, id, sizeof id);
	lua_pushstring(L, id);
}

const char *lua_facts_reason(int reason)
{
	if (reason < 0 || (size_t)reason >= sizeof reasons / sizeof *reasons || !reasons[reason])
		return "failed";        /* a reason that a later drover has */
	return reasons[reason];
}
