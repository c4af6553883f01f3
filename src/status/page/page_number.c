/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Chooses units for numbers, and rounds them.
 */
#include <config.h>
#include "page_number.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#define SPACE "\xc2\xa0"        /* at which no line is broken */
#define MICRO "\xc2\xb5"

#define MINUTE 60.0
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

static bool is_sensible(double n)
{
	return n >= 0 && n < 1e18;
}

static long long rounded(double n)
{
	return (long long)floor(n + 0.5);
}

/*
 * One decimal, unless there are three digits before it. printf would round halves to even, as
 * no script does.
 */
static const char *with_unit(double n, const char *unit, char *buf)
{
	long long tenths = rounded(n * 10);

	if (tenths >= 1000)
		snprintf(buf, PAGE_NUMBER_MAX, "%lld" SPACE "%s", rounded(n), unit);
	else
		snprintf(buf, PAGE_NUMBER_MAX, "%lld.%lld" SPACE "%s", tenths / 10, tenths % 10, unit);
	return buf;
}

/* From the first unit on. Beyond 999.5, three digits would be rounded to four. */
static const char *scaled(double n, double step, const char *const *unit, char *buf)
{
	for (n /= step; n >= 999.5; unit++)
		n /= step;
	return with_unit(n, *unit, buf);
}

const char *page_number_count(double n, char *buf)
{
	static const char *const units[] = { "k", "M", "G", "T", "P", "E" };

	if (!is_sensible(n))
		return NULL;
	if (n >= 9999.5)
		return scaled(n, 1000, units, buf);
	snprintf(buf, PAGE_NUMBER_MAX, "%lld", rounded(n));
	return buf;
}

const char *page_number_bytes(double n, char *buf)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };

	if (!is_sensible(n))
		return NULL;
	if (n >= 1023.5)
		return scaled(n, 1024, units, buf);
	snprintf(buf, PAGE_NUMBER_MAX, "%lld" SPACE "B", rounded(n));
	return buf;
}

/* The smaller unit is left out if there is none of it. */
static const char *two_units(double n, double large, const char *large_name, double small,
                             const char *small_name, char *buf)
{
	long long whole = (long long)(n / large);
	long long rest = (long long)((n - (double)whole * large) / small);

	if (rest == 0)
		snprintf(buf, PAGE_NUMBER_MAX, "%lld" SPACE "%s", whole, large_name);
	else
		snprintf(buf, PAGE_NUMBER_MAX, "%lld" SPACE "%s" SPACE "%lld" SPACE "%s",
		         whole, large_name, rest, small_name);
	return buf;
}

const char *page_number_age(double seconds, char *buf)
{
	if (!is_sensible(seconds))
		return NULL;
	if (seconds >= DAY)
		return two_units(seconds, DAY, "d", HOUR, "h", buf);
	if (seconds >= HOUR)
		return two_units(seconds, HOUR, "h", MINUTE, "min", buf);
	if (seconds >= MINUTE)
		return two_units(seconds, MINUTE, "min", 1, "s", buf);
	snprintf(buf, PAGE_NUMBER_MAX, "%d" SPACE "s", (int)seconds);
	return buf;
}

const char *page_number_time(double seconds, char *buf)
{
	if (!is_sensible(seconds))
		return NULL;
	if (seconds >= MINUTE)
		return page_number_age(seconds, buf);
	if (seconds >= 0.9995)
		return with_unit(seconds, "s", buf);
	if (seconds >= 0.0009995)
		return with_unit(seconds * 1000, "ms", buf);
	snprintf(buf, PAGE_NUMBER_MAX, "%lld" SPACE MICRO "s", rounded(seconds * 1e6));
	return buf;
}
