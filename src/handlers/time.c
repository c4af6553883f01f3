/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * time, RFC 868: sends the seconds since 1900-01-01 00:00 GMT as 32 bits, most significant byte
 * first. The number wraps around in 2036, as the RFC says.
 */
#include <config.h>
#include "handler.h"

#include <arpa/inet.h>
#include <time.h>

#define SECONDS_1900_TO_1970 2208988800u        /* given in the RFC */

static enum handler_verdict time_opened(struct connection *c)
{
	uint32_t seconds = htonl((uint32_t)time(NULL) + SECONDS_1900_TO_1970);

	handler_reply(c, (const char *)&seconds, sizeof seconds);
	return HANDLER_FINISH;
}

const struct handler handler_time = {
	.name = "time",
	.keeps = HANDLER_KEEPS_NOTHING,
	.opened = time_opened,
};
