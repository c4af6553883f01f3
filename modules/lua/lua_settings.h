/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The options of the module itself: which script, and what it may use.
 */
#ifndef DROVER_LUA_SETTINGS_H
#define DROVER_LUA_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "lua_server.h"

struct lua_settings {
	const char         *script;             /* absolute path */
	const char         *framing;            /* or NULL */
	int64_t             memory;             /* bytes */
	int64_t             instructions;
	int64_t             time_ms;
	struct drover_value script_option;      /* for complaints */
	struct drover_value options;            /* the group for the script; n is 0 if there is none */
};

/* Reads and checks them. False if it has complained. Texts live as long as config. */
bool lua_settings_read(struct lua_settings *s, struct drover_config *config);

#endif
