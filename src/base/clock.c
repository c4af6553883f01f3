/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading the clocks.
 */
#include <config.h>
#include "clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t clock_us(void)
{
	return clock_ns() / 1000;
}

int64_t clock_ms(void)
{
	const int64_t ms = clock_us() / 1000;

	return ms > 0 ? ms : 1;
}

int64_t clock_deadline(int64_t now_ms, int64_t after_ms)
{
	if (after_ms == 0 || after_ms > CLOCK_NEVER - now_ms)
		return CLOCK_NEVER;
	return now_ms + after_ms;
}

const char *clock_text(char *buf, size_t size)
{
	struct timespec t;
	struct tm tm;
	char date[24];
	int minutes;

	clock_gettime(CLOCK_REALTIME, &t);
	localtime_r(&t.tv_sec, &tm);
	strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
	minutes = (int)(tm.tm_gmtoff / 60);
	snprintf(buf, size, "%s.%03ld%c%02d:%02d", date, t.tv_nsec / 1000000,
	         minutes < 0 ? '-' : '+', abs(minutes) / 60, abs(minutes) % 60);
	return buf;
}
