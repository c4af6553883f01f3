/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * discard, RFC 863: throws away what the client sends, and answers nothing.
 */
#include <config.h>
#include "builtin.h"

static const struct drover_module module_discard = {
	DROVER_MODULE("discard", PACKAGE_VERSION),
	.flags = 0,
};

const struct handler handler_discard = {
	.name = "discard",
	.keeps = HANDLER_KEEPS_NOTHING,
	.module = &module_discard,
	MODULE_FUNCTIONS,
};
