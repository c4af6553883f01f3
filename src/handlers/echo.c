/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * echo, RFC 862: sends back what the client sends.
 */
#include <config.h>
#include "builtin.h"

static const struct drover_server *drover;

static ptrdiff_t echo_data(struct drover_connection *c, const char *bytes, size_t len)
{
	drover->write(c, bytes, len);
	return (ptrdiff_t)len;
}

static const struct drover_module module_echo = {
	DROVER_MODULE("echo", PACKAGE_VERSION),
	.server = &drover,
	.data = echo_data,
};

const struct handler handler_echo = {
	.name = "echo",
	.keeps = HANDLER_KEEPS_NOTHING,
	.module = &module_echo,
	MODULE_FUNCTIONS,
};
