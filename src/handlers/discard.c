/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * RFC 863: what comes is thrown away, and nothing is answered.
 */
#include <config.h>
#include "handler.h"

const struct handler handler_discard = {
	.name = "discard",
	.keeps = HANDLER_KEEPS_NOTHING,
};
