/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The two clocks: one that only goes forward, and one that people read; and times as text.
 */
#ifndef DROVER_BASE_CLOCK_H
#define DROVER_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define CLOCK_NEVER INT64_MAX           /* a time that does not come */
#define CLOCK_TEXT_MAX 32

/*
 * CLOCK_MONOTONIC, the one that systemd means by MONOTONIC_USEC. It starts when the
 * machine boots, perhaps a moment ago: a time before now may be negative. clock_ms is
 * at least 1, so that 0 can stand for "no time".
 */
int64_t clock_ns(void);
int64_t clock_us(void);
int64_t clock_ms(void);

/* The time after_ms from now_ms; CLOCK_NEVER if after_ms is 0, as in the configuration, or too large. */
int64_t clock_deadline(int64_t now_ms, int64_t after_ms);

/* The time that was ms before t; of less than 0, that which comes after it. */
struct timespec clock_before(const struct timespec *t, int64_t ms);

/* In seconds, with milliseconds as its fraction. */
double clock_seconds(const struct timespec *t);

/* Local time as in RFC 3339 with milliseconds: 2026-11-22T15:50:01.123+01:00. Returns buf. */
const char *clock_text(char *buf, size_t size);

/* The same time in UTC: 2026-11-22T15:50:01.123Z, or without milliseconds. Both return buf. */
const char *clock_utc(const struct timespec *when, char buf[static CLOCK_TEXT_MAX]);
const char *clock_utc_seconds(time_t when, char buf[static CLOCK_TEXT_MAX]);

#endif
