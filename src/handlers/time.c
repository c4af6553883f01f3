/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * time, RFC 868: sends the seconds since 1900-01-01 00:00 GMT as 32 bits, most significant byte
 * first. The number wraps around in 2036, as the RFC says.
 */
#include <config.h>
#include "builtin.h"

#include <arpa/inet.h>
#include <time.h>

#define SECONDS_1900_TO_1970 2208988800u        /* given in the RFC */

static const struct drover_server *drover;

static int time_open(struct drover_connection *c)
{
	const uint32_t seconds = htonl((uint32_t)time(NULL) + SECONDS_1900_TO_1970);

	drover->write(c, &seconds, sizeof seconds);
	drover->finish(c);
	return 0;
}

static const struct drover_module module_time = {
	DROVER_MODULE("time", PACKAGE_VERSION),
	.server = &drover,
	.open = time_open,
};

const struct handler handler_time = {
	.name = "time",
	.keeps = HANDLER_KEEPS_NOTHING,
	.module = &module_time,
	MODULE_FUNCTIONS,
};
