/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * daytime, RFC 867: sends the time of day for people, in the form that the RFC calls popular:
 * "Tuesday, February 22, 1982 17:37:43-PST".
 */
#include <config.h>
#include "builtin.h"

#include <time.h>

static const struct drover_server *drover;

static int daytime_open(struct drover_connection *c)
{
	time_t now = time(NULL);
	char line[128];
	struct tm tm;

	localtime_r(&now, &tm);
	drover->write(c, line, strftime(line, sizeof line, "%A, %B %d, %Y %H:%M:%S-%Z\r\n", &tm));
	drover->finish(c);
	return 0;
}

static const struct drover_module module_daytime = {
	DROVER_MODULE("daytime", PACKAGE_VERSION),
	.server = &drover,
	.open = daytime_open,
};

const struct handler handler_daytime = {
	.name = "daytime",
	.keeps = HANDLER_KEEPS_NOTHING,
	.module = &module_daytime,
	MODULE_FUNCTIONS,
};
