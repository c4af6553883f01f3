/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The functions of drover, which all files of this module call.
 */
#ifndef DROVER_LUA_SERVER_H
#define DROVER_LUA_SERVER_H

#include <drover/module.h>

/* drover writes it before worker_start. NULL in the process that only checks the configuration. */
extern const struct drover_server *lua_server;

#endif
