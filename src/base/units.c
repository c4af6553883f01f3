/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Parses quantities and prints them. Which quantity makes sense where is decided by the tables
 * that use this module.
 */
#include <config.h>
#include "units.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct unit {
	const char *name;
	int64_t     worth;
};

/* Small to large; formatting takes the last one that divides. */
static const struct unit durations[] = {
	{ "ms", 1 },
	{ "s",  1000 },
	{ "m",  60 * 1000 },
	{ "h",  60 * 60 * 1000 },
	{ "d",  24 * 60 * 60 * 1000 },
	{ NULL, 0 },
};

static const struct unit sizes[] = {
	{ "",  1 },
	{ "k", INT64_C(1) << 10 },
	{ "M", INT64_C(1) << 20 },
	{ "G", INT64_C(1) << 30 },
	{ "T", INT64_C(1) << 40 },
	{ NULL, 0 },
};

/* What may follow the number of a rate. */
static const struct unit rates[] = {
	{ "/s", 1000 },
	{ "/m", 60 * 1000 },
	{ "/h", 60 * 60 * 1000 },
	{ "/d", 24 * 60 * 60 * 1000 },
	{ NULL, 0 },
};

static int fail_with(int err)
{
	errno = err;
	return -1;
}

/* Reads digits at *at and moves it behind them. */
static int take_number(const char **at, int64_t *value)
{
	int64_t n = 0;

	if (**at < '0' || **at > '9')
		return fail_with(EINVAL);
	for (; **at >= '0' && **at <= '9'; ++*at)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, **at - '0', &n))
			return fail_with(ERANGE);
	*value = n;
	return 0;
}

int units_parse_whole(const char *text, int64_t max, int64_t *n)
{
	int64_t value;

	if (take_number(&text, &value) == -1)
		return -1;
	if (*text || value > max)
		return fail_with(*text ? EINVAL : ERANGE);
	*n = value;
	return 0;
}

static int multiply(int64_t n, int64_t worth, int64_t *value)
{
	if (__builtin_mul_overflow(n, worth, &n))
		return fail_with(ERANGE);
	*value = n;
	return 0;
}

/* A number and one of units; a number alone is in the unit called plain. */
static int parse_quantity(const char *text, const struct unit *units,
                          const char *plain, int64_t *value)
{
	int64_t n;

	if (take_number(&text, &n) == -1)
		return -1;
	if (*text == '\0')
		text = plain;
	for (; units->name; units++)
		if (strcmp(text, units->name) == 0)
			return multiply(n, units->worth, value);
	return fail_with(EINVAL);
}

static const char *format_quantity(int64_t value, const struct unit *units, char *buf)
{
	const struct unit *best = units;

	if (value == 0)
		return memcpy(buf, "0", sizeof "0");
	for (; units->name; units++)
		if (value % units->worth == 0)
			best = units;
	snprintf(buf, UNITS_TEXT_MAX, "%" PRId64 "%s", value / best->worth, best->name);
	return buf;
}

int units_parse_duration(const char *text, int64_t *ms)
{
	return parse_quantity(text, durations, "s", ms);
}

int units_duration_of_seconds(int64_t seconds, int64_t *ms)
{
	if (seconds < 0)
		return fail_with(ERANGE);
	return multiply(seconds, 1000, ms);
}

int units_duration_of_fraction(double seconds, int64_t *ms)
{
	int64_t rounded;

	if (!(seconds >= 0 && seconds < 1e15))  /* also if it is NaN */
		return fail_with(ERANGE);
	rounded = (int64_t)(seconds * 1000 + 0.5);
	if (rounded == 0 && seconds > 0)
		return fail_with(ERANGE); /* 0 would mean never */
	*ms = rounded;
	return 0;
}

const char *units_format_duration(int64_t ms, char *buf)
{
	return format_quantity(ms, durations, buf);
}

int units_parse_size(const char *text, int64_t *bytes)
{
	char copy[UNITS_TEXT_MAX];
	size_t len = strlen(text);

	if (len == 0 || len >= sizeof copy)
		return fail_with(EINVAL);
	memcpy(copy, text, len + 1);
	switch (copy[len - 1]) {
	case 'K':
		copy[len - 1] = 'k';
		break;
	case 'm':
	case 'g':
	case 't':
		copy[len - 1] = (char)(copy[len - 1] - 'a' + 'A');
		break;
	}
	return parse_quantity(copy, sizes, "", bytes);
}

const char *units_format_size(int64_t bytes, char *buf)
{
	return format_quantity(bytes, sizes, buf);
}

int units_parse_rate(const char *text, struct units_rate *rate)
{
	int64_t count;

	if (take_number(&text, &count) == -1)
		return -1;
	if (*text == '\0')
		text = "/s";
	for (const struct unit *u = rates; u->name; u++)
		if (strcmp(text, u->name) == 0) {
			*rate = (struct units_rate){ .count = count, .per_ms = u->worth };
			return 0;
		}
	return fail_with(EINVAL);
}

const char *units_format_rate(const struct units_rate *rate, char *buf)
{
	const struct unit *u = rates;

	while (u[1].name && u->worth != rate->per_ms)
		u++;
	snprintf(buf, UNITS_TEXT_MAX, "%" PRId64 "%s", rate->count, u->name);
	return buf;
}

int units_parse_mode(const char *text, int *mode)
{
	int bits = 0;

	if (*text == '\0')
		return fail_with(EINVAL);
	for (; *text; text++) {
		if (*text < '0' || *text > '7')
			return fail_with(EINVAL);
		bits = bits << 3 | (*text - '0');
		if (bits > 07777)
			return fail_with(ERANGE);
	}
	*mode = bits;
	return 0;
}

const char *units_format_mode(int mode, char *buf)
{
	snprintf(buf, UNITS_TEXT_MAX, "%04o", (unsigned)mode);
	return buf;
}

int units_parse_cpus(const char *text, cpu_set_t *cpus)
{
	cpu_set_t set;
	int64_t first, last;

	CPU_ZERO(&set);
	for (;; text++) {
		if (take_number(&text, &first) == -1)
			return -1;
		last = first;
		if (*text == '-') {
			text++;
			if (take_number(&text, &last) == -1)
				return -1;
		}
		if (last < first)
			return fail_with(EINVAL);
		if (last >= CPU_SETSIZE)
			return fail_with(ERANGE);
		for (; first <= last; first++)
			CPU_SET((size_t)first, &set);
		if (*text != ',')
			break;
	}
	if (*text)
		return fail_with(EINVAL);
	*cpus = set;
	return 0;
}
