/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads the clocks, and writes times for people.
 */
#include <config.h>
#include "clock.h"

#include <stdio.h>
#include <stdlib.h>

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

struct timespec clock_before(const struct timespec *t, int64_t ms)
{
	struct timespec before = { .tv_sec = t->tv_sec - (time_t)(ms / 1000),
	                           .tv_nsec = t->tv_nsec - (long)(ms % 1000) * 1000000 };

	if (before.tv_nsec < 0) {
		before.tv_nsec += 1000000000;
		before.tv_sec--;
	} else if (before.tv_nsec >= 1000000000) {
		before.tv_nsec -= 1000000000;
		before.tv_sec++;
	}
	return before;
}

double clock_seconds(const struct timespec *t)
{
	return (double)t->tv_sec + (double)(t->tv_nsec / 1000000) / 1000;
}

#define DATE_MAX 24

static const char *format_date(const struct tm *tm, char buf[static DATE_MAX])
{
	strftime(buf, DATE_MAX, "%Y-%m-%dT%H:%M:%S", tm);
	return buf;
}

const char *clock_text(char *buf, size_t size)
{
	struct timespec t;
	struct tm tm;
	char date[DATE_MAX];
	int minutes;

	clock_gettime(CLOCK_REALTIME, &t);
	localtime_r(&t.tv_sec, &tm);
	format_date(&tm, date);
	minutes = (int)(tm.tm_gmtoff / 60);
	snprintf(buf, size, "%s.%03ld%c%02d:%02d", date, t.tv_nsec / 1000000,
	         minutes < 0 ? '-' : '+', abs(minutes) / 60, abs(minutes) % 60);
	return buf;
}

const char *clock_utc(const struct timespec *when, char buf[static CLOCK_TEXT_MAX])
{
	struct tm tm;
	char date[DATE_MAX];

	gmtime_r(&when->tv_sec, &tm);
	snprintf(buf, CLOCK_TEXT_MAX, "%s.%03dZ", format_date(&tm, date), (int)(when->tv_nsec / 1000000));
	return buf;
}

const char *clock_utc_seconds(time_t when, char buf[static CLOCK_TEXT_MAX])
{
	struct tm tm;
	char date[DATE_MAX];

	gmtime_r(&when, &tm);
	snprintf(buf, CLOCK_TEXT_MAX, "%sZ", format_date(&tm, date));
	return buf;
}
