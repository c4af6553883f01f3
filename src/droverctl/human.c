/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Formats numbers for people. Each function chooses the unit and rounds.
 */
#include <config.h>
#include "human.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define MINUTE 60.0
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

/* Nothing that is counted comes to more, which might not fit in 64 bits. */
static bool is_sensible(double n)
{
	return n >= 0 && n < 1e18;
}

static const char *nothing(char *buf)
{
	return memcpy(buf, "-", sizeof "-");
}

/* Two units, the larger first; the smaller is left out if there is none of it. */
static const char *two_units(char *buf, double n, double large, char large_name, double small,
                             char small_name)
{
	long long whole = (long long)(n / large);
	long long rest = (long long)((n - (double)whole * large) / small);

	if (rest == 0)
		snprintf(buf, HUMAN_TEXT_MAX, "%lld%c", whole, large_name);
	else
		snprintf(buf, HUMAN_TEXT_MAX, "%lld%c%lld%c", whole, large_name, rest, small_name);
	return buf;
}

const char *human_age(double seconds, char *buf)
{
	if (!is_sensible(seconds))
		return nothing(buf);
	if (seconds >= DAY)
		return two_units(buf, seconds, DAY, 'd', HOUR, 'h');
	if (seconds >= HOUR)
		return two_units(buf, seconds, HOUR, 'h', MINUTE, 'm');
	if (seconds >= MINUTE)
		return two_units(buf, seconds, MINUTE, 'm', 1, 's');
	if (seconds >= 1)
		snprintf(buf, HUMAN_TEXT_MAX, "%ds", (int)seconds);
	else if (seconds >= 0.001)
		snprintf(buf, HUMAN_TEXT_MAX, "%dms", (int)(seconds * 1000));
	else
		memcpy(buf, "0s", sizeof "0s");
	return buf;
}

const char *human_size(double bytes, char *buf)
{
	static const char units[] = "kMGTPE";
	const char *unit = units;

	if (!is_sensible(bytes))
		return nothing(buf);
	if (bytes < 1024) {
		snprintf(buf, HUMAN_TEXT_MAX, "%d", (int)bytes);
		return buf;
	}
	/* Beyond this limit, three digits would be rounded to four. */
	for (bytes /= 1024; bytes >= 999.5; unit++)
		bytes /= 1024;
	snprintf(buf, HUMAN_TEXT_MAX, bytes < 9.95 ? "%.1f%c" : "%.0f%c", bytes, *unit);
	return buf;
}

const char *human_count(double n, char *buf)
{
	if (!is_sensible(n))
		return nothing(buf);
	snprintf(buf, HUMAN_TEXT_MAX, "%.0f", n);
	return buf;
}

const char *human_rate(double per_second, char *buf)
{
	if (!is_sensible(per_second))
		return nothing(buf);
	snprintf(buf, HUMAN_TEXT_MAX, per_second > 0 && per_second < 9.95 ? "%.1f" : "%.0f", per_second);
	return buf;
}

const char *human_share(double part, double whole, char *buf)
{
	double percent = part / whole * 100;

	if (!is_sensible(part) || !is_sensible(whole) || whole <= 0)
		return nothing(buf);
	snprintf(buf, HUMAN_TEXT_MAX, percent > 0 && percent < 0.95 ? "%.1f%%" : "%.0f%%", percent);
	return buf;
}
