/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The functions of drover: the one variable that drover itself writes.
 */
#include <config.h>
#include "lua_server.h"

const struct drover_server *lua_server;
