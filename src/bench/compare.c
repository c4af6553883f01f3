/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Prints the table of two reports, which are JSON objects. A number that is missing in one of them
 * is left out.
 */
#include <config.h>
#include "compare.h"

#include <stdbool.h>
#include <string.h>

/* What must be the same in both runs, or their numbers cannot be compared. */
static const char *const conditions[] = {
	"mode", "connections", "threads", "message_bytes", "answer", "rate", "arrivals",
	"new_connections", "stream", "tls", "tls_cipher", "tls_resume",
};

/* The numbers, and where they are: a member of the report, or of its member `group`. */
static const struct { const char *label, *group, *name; } rows[] = {
	{ "operations/s", NULL, "operations_per_second" },
	{ "errors", NULL, "errors" },
	{ "latency min, us", "latency_usec", "min" },
	{ "latency mean, us", "latency_usec", "mean" },
	{ "latency p50, us", "latency_usec", "p50" },
	{ "latency p75, us", "latency_usec", "p75" },
	{ "latency p90, us", "latency_usec", "p90" },
	{ "latency p99, us", "latency_usec", "p99" },
	{ "latency p99.9, us", "latency_usec", "p99.9" },
	{ "latency p99.99, us", "latency_usec", "p99.99" },
	{ "latency max, us", "latency_usec", "max" },
	{ "connect p50, us", "connect_usec", "p50" },
	{ "connect p99, us", "connect_usec", "p99" },
	{ "handshakes/s", NULL, "handshakes_per_second" },
	{ "resumed share", NULL, "resumed_share" },
	{ "handshake p50, us", "handshake_usec", "p50" },
	{ "handshake p99, us", "handshake_usec", "p99" },
	{ "client cpu, s", NULL, "client_cpu_seconds" },
};

/* A missing member is the same as null. */
static const json_t *member(const json_t *report, const char *name)
{
	const json_t *value = json_object_get(report, name);

	return value ? value : json_null();
}

static bool are_alike(const json_t *a, const json_t *b)
{
	if (json_is_number(a) && json_is_number(b))
		return json_number_value(a) == json_number_value(b);
	return json_equal(a, b) == 1;
}

static void put_value(FILE *out, const json_t *value)
{
	if (json_is_string(value))
		fprintf(out, "%.40s", json_string_value(value));
	else if (json_is_number(value))
		fprintf(out, "%.6g", json_number_value(value));
	else
		fputs(json_is_true(value) ? "yes" : json_is_false(value) ? "no" : "none", out);
}

static void print_differences(FILE *out, const json_t *then, const json_t *now)
{
	bool first = true;

	for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++) {
		const json_t *a = member(then, conditions[i]), *b = member(now, conditions[i]);

		if (are_alike(a, b))
			continue;
		fputs(first ? "\nThe two runs were not alike:\n" : "", out);
		first = false;
		fprintf(out, "  %s: then ", conditions[i]);
		put_value(out, a);
		fputs(", now ", out);
		put_value(out, b);
		putc('\n', out);
	}
}

static const json_t *find_value(const json_t *report, const char *group, const char *name)
{
	return json_object_get(group ? json_object_get(report, group) : report, name);
}

void compare_print(FILE *out, const json_t *then, const json_t *now)
{
	print_differences(out, then, now);
	fprintf(out, "\n%-20s%14s%14s%10s\n", "", "then", "now", "now/then");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const json_t *a = find_value(then, rows[i].group, rows[i].name);
		const json_t *b = find_value(now, rows[i].group, rows[i].name);
		const double x = json_number_value(a), y = json_number_value(b);

		if (!json_is_number(a) || !json_is_number(b))
			continue;
		fprintf(out, "%-20s%14.6g%14.6g", rows[i].label, x, y);
		if (x > 0)
			fprintf(out, "%10.3f\n", y / x);
		else
			fprintf(out, "%10s\n", "-");
	}
}
