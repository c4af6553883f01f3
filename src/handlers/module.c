/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * module and lua: the handlers whose code is in a shared object (module/).
 */
#include <config.h>
#include "builtin.h"

const struct handler handler_module = {
	.name = "module",
	.keeps = HANDLER_KEEPS_NOTHING,
	MODULE_FUNCTIONS,
};

const struct handler handler_lua = {
	.name = "lua",
	.keeps = HANDLER_KEEPS_NOTHING,
	MODULE_FUNCTIONS,
};

const struct handler handler_producer = {
	.name = "module",
	.keeps = HANDLER_KEEPS_NOTHING,
	PRODUCER_FUNCTIONS,
};
