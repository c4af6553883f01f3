/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * discard, RFC 863: throws away what the client sends, and answers nothing.
 */
#include <config.h>
#include "handler.h"

const struct handler handler_discard = {
	.name = "discard",
	.keeps = HANDLER_KEEPS_NOTHING,
};
