/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * daytime, RFC 867: sends the time of day for people, in the form that the RFC calls popular:
 * "Tuesday, February 22, 1982 17:37:43-PST".
 */
#include <config.h>
#include "handler.h"

#include <time.h>

static enum handler_verdict daytime_opened(struct connection *c)
{
	time_t now = time(NULL);
	char line[128];
	struct tm tm;

	localtime_r(&now, &tm);
	handler_reply(c, line, strftime(line, sizeof line, "%A, %B %d, %Y %H:%M:%S-%Z\r\n", &tm));
	return HANDLER_FINISH;
}

const struct handler handler_daytime = {
	.name = "daytime",
	.keeps = HANDLER_KEEPS_NOTHING,
	.opened = daytime_opened,
};
