/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Groups become tables with names, lists become arrays, and each value keeps its type.
 */
#include <config.h>
#include "lua_options.h"

#include <lauxlib.h>

static void push_members(lua_State *L, struct drover_config *config, const struct drover_value *parent);

static void push_value(lua_State *L, struct drover_config *config, const struct drover_value *v)
{
	switch ((enum drover_type)v->type) {
	case DROVER_TEXT:
		lua_pushstring(L, v->text);
		return;
	case DROVER_INTEGER:
		lua_pushinteger(L, v->integer);
		return;
	case DROVER_NUMBER:
		lua_pushnumber(L, v->number);
		return;
	case DROVER_BOOLEAN:
		lua_pushboolean(L, v->integer != 0);
		return;
	case DROVER_GROUP:
	case DROVER_LIST:
		push_members(L, config, v);
		return;
	}
	luaL_error(L, "an option has a type that this module does not know");
}

static void push_members(lua_State *L, struct drover_config *config, const struct drover_value *parent)
{
	struct drover_value v = { .size = sizeof v };

	luaL_checkstack(L, 3, "options");
	lua_newtable(L);
	for (size_t i = 0; i < parent->n && config->member(config, parent->option, i, &v); i++) {
		push_value(L, config, &v);
		if (v.name)
			lua_setfield(L, -2, v.name);
		else
			lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
}

void lua_options_push(lua_State *L, struct drover_config *config, const struct drover_value *group)
{
	push_members(L, config, group);
}
