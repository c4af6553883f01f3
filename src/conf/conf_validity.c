/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Computes from the times in a certificate, and asks no clock.
 */
#include <config.h>
#include "conf_validity.h"

#include <stdio.h>
#include <stdlib.h>

#include "clock.h"

#define DAY         INT64_C(86400)
#define SHORT_DAYS  14

bool conf_validity_is_short(const struct conf_certificate *c, int64_t now)
{
	return c->not_after - now < SHORT_DAYS * DAY;
}

int64_t conf_validity_days(const struct conf_certificate *c, int64_t now)
{
	const int64_t left = c->not_after - now;

	return left >= 0 ? left / DAY : (left + 1) / DAY - 1;
}

static const char *duration(int64_t seconds, char *buf, size_t size)
{
	const int64_t days = seconds / DAY;

	if (days == 0)
		snprintf(buf, size, "less than a day");
	else
		snprintf(buf, size, "%lld day%s", (long long)days, days == 1 ? "" : "s");
	return buf;
}

const char *conf_validity_text(const struct conf_certificate *c, int64_t now,
                               char buf[static CONF_VALIDITY_TEXT])
{
	const bool is_over = c->not_after < now;
	char when[CLOCK_TEXT_MAX], how_long[32];

	duration(is_over ? now - c->not_after : c->not_after - now, how_long, sizeof how_long);
	snprintf(buf, CONF_VALIDITY_TEXT, is_over ? "expired %s ago, at %s" : "expires in %s, at %s", how_long,
	         clock_utc_seconds(c->not_after, when));
	return buf;
}
