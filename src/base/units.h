/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Parses and prints quantities as people write them: whole numbers, durations, sizes, rates, modes,
 * lists of CPUs.
 *
 * Parsers take the whole text or nothing: 0, or -1 with errno EINVAL (not such
 * a quantity) or ERANGE (more than fits). On failure, the value that they would set
 * stays as it was. Formatters return buf, which has room for UNITS_TEXT_MAX bytes,
 * and print what the parser reads back exactly.
 */
#ifndef DROVER_BASE_UNITS_H
#define DROVER_BASE_UNITS_H

#include <sched.h>
#include <stddef.h>
#include <stdint.h>

#define UNITS_TEXT_MAX 32

/* Digits alone; ERANGE above max. */
int units_parse_whole(const char *text, int64_t max, int64_t *n);

/* "250ms", "30s", "5m", "1h", "1d"; without a unit it is seconds. */
int units_parse_duration(const char *text, int64_t *ms);

/* Whole seconds; or seconds with a fraction, rounded to milliseconds: ERANGE if only rounding makes it 0. */
int units_duration_of_seconds(int64_t seconds, int64_t *ms);
int units_duration_of_fraction(double seconds, int64_t *ms);

/* The largest unit that is exact: "90s", "2m", "0". */
const char *units_format_duration(int64_t ms, char *buf);

/* "64k", "16M", "1G", "1T", either case; without a unit it is bytes. */
int units_parse_size(const char *text, int64_t *bytes);
const char *units_format_size(int64_t bytes, char *buf);

/* A number of events in a time. */
struct units_rate {
	int64_t count;
	int64_t per_ms;
};

/* "100/s", "30/m", "500/h"; without a unit it is a second. */
int units_parse_rate(const char *text, struct units_rate *rate);
const char *units_format_rate(const struct units_rate *rate, char *buf);

/* Permission bits in octal: "0660", "027"; at most 07777. */
int units_parse_mode(const char *text, int *mode);
const char *units_format_mode(int mode, char *buf);

/* "0-3,6" */
int units_parse_cpus(const char *text, cpu_set_t *cpus);

#endif
