/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * echo, RFC 862: sends back what the client sends.
 */
#include <config.h>
#include "handler.h"

static enum handler_verdict echo_received(struct connection *c, const char *bytes, size_t len)
{
	handler_reply(c, bytes, len);
	return HANDLER_GO_ON;
}

const struct handler handler_echo = {
	.name = "echo",
	.keeps = HANDLER_KEEPS_NOTHING,
	.received = echo_received,
};
