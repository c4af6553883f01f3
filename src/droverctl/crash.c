/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Prints a line for each thing that is known of a crash, and a dump with 16 bytes in a line.
 */
#include <config.h>
#include "crash.h"

#include <string.h>

#include "memory.h"
#include "value.h"

#define LINE_ROOM 1024
#define A_LINE    16

static const struct {
	const char *label, *path;
	void      (*put)(struct text *t, const json_t *value);
} rows[] = {
	{ "time",               "time",                 value_put_text },
	{ "service",            "service",              value_put_text },
	{ "module",             "module.name",          value_put_text },
	{ "  version",          "module.version",       value_put_text },
	{ "  file",             "module.path",          value_put_text },
	{ "worker",             "worker",               value_put_count },
	{ "signal",             "signal",               value_put_text },
	{ "loop stood still",   "hang.still",           value_put_age },
	{ "kernel said",        "hang.kernel",          value_put_text },
	{ "age",                "age",                  value_put_age },
	{ "last turn",          "last_turn",            value_put_age },
	{ "open connections",   "open",                 value_put_count },
	{ "served",             "served",               value_put_count },
	{ "requests",           "requests",             value_put_count },
	{ "received",           "bytes_in",             value_put_size },
	{ "sent",               "bytes_out",            value_put_size },
	{ "at work for",        "connection.id",        value_put_text },
	{ "  peer",             "connection.peer",      value_put_text },
	{ "  source",           "connection.source",    value_put_text },
	{ "  phase",            "connection.phase",     value_put_text },
	{ "  age",              "connection.age",       value_put_age },
	{ "  received",         "connection.bytes_in",  value_put_size },
	{ "  sent",             "connection.bytes_out", value_put_size },
	{ "  program",          "connection.program",   value_put_count },
	{ "captured",           "captured",             value_put_size },
};

/* The value of a hexadecimal digit; -1: it is none. */
static int digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = c ? strchr(digits, c) : NULL;

	return found ? (int)(found - digits) : -1;
}

static char byte_of(const char *hex)
{
	return (char)(digit(hex[0]) << 4 | digit(hex[1]));
}

/* The bytes of one line, "0010  68 65 6c  hel"; hex has 2 digits for each. */
static void print_line(const char *hex, size_t at, size_t n, FILE *out)
{
	char seen[A_LINE + 1] = "";

	fprintf(out, "%06zx ", at);
	for (size_t i = 0; i < A_LINE; i++) {
		if (i >= n) {
			fputs("   ", out);
			continue;
		}
		fprintf(out, " %.2s", hex + 2 * i);
		seen[i] = byte_of(hex + 2 * i);
		if (seen[i] < ' ' || seen[i] > '~')
			seen[i] = '.';
	}
	fprintf(out, "  %s\n", seen);
}

static bool is_hex(const char *hex, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (digit(hex[i]) == -1)
			return false;
	return len % 2 == 0;
}

char *crash_input(const json_t *report, size_t *len)
{
	const json_t *input = value_at(report, "input");
	const char *hex = json_string_value(input);
	char *bytes;

	if (!hex || !is_hex(hex, json_string_length(input)))
		return NULL;
	*len = json_string_length(input) / 2;
	bytes = memory_grow(NULL, *len + 1, 1);
	for (size_t i = 0; i < *len; i++)
		bytes[i] = byte_of(hex + 2 * i);
	return bytes;
}

bool crash_print(const json_t *report, FILE *out)
{
	const json_t *input = value_at(report, "input");
	const char *hex = json_string_value(input);
	const size_t n = json_string_length(input) / 2;
	char buf[LINE_ROOM];

	if (!hex || !is_hex(hex, json_string_length(input)))
		return false;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const json_t *value = value_at(report, rows[i].path);
		struct text t = text_in(buf, sizeof buf);

		if (!value || json_is_null(value))
			continue;
		rows[i].put(&t, value);
		fprintf(out, "%-18s %s\n", rows[i].label, buf);
	}
	for (size_t at = 0; at < n; at += A_LINE)
		print_line(hex + 2 * at, at, n - at < A_LINE ? n - at : A_LINE, out);
	return true;
}
