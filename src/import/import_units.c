/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Checks each quantity against what drover takes, so that the output is valid.
 */
#include <config.h>
#include "import_units.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "units.h"

#define COUNT_MAX 1000000       /* of connections, and of connections in a second */

int64_t import_units_count(struct import *im, struct import_service *svc, struct import_place place,
                           const char *key, const char *text)
{
	int64_t n = 0;

	if (units_parse_whole(text, COUNT_MAX, &n) == 0 && n > 0)
		return n;
	import_lose(im, svc, place, "%s %s is not carried over (a number from 1 to %d)", key, text,
	            COUNT_MAX);
	return 0;
}

const char *import_units_mode(struct import *im, struct import_service *svc, struct import_place place,
                              const char *key, const char *text)
{
	int mode;

	if (units_parse_mode(text, &mode) == 0 && mode <= 0777)
		return import_printf(im, "%04o", (unsigned)mode);
	import_lose(im, svc, place, "%s %s is not carried over (an octal number)", key, text);
	return NULL;
}

const char *import_units_nice(struct import *im, struct import_service *svc, struct import_place place,
                              const char *text)
{
	const bool negative = *text == '-';
	int64_t n;

	if (units_parse_whole(text + negative, negative ? 20 : 19, &n) == 0)
		return import_printf(im, "%s%" PRId64, negative && n > 0 ? "-" : "", n);
	import_lose(im, svc, place, "nice %s is not carried over (a number from -20 to 19)", text);
	return NULL;
}

/* ---- resource limits ---------------------------------------------------- */

static const struct rlimit_row {
	const char *name;
	size_t      member;             /* of struct import_rlimits */
	bool        size;               /* in bytes */
	int64_t     min;
} rows[] = {
	{ "nofile", offsetof(struct import_rlimits, nofile), false, 16 },
	{ "files", offsetof(struct import_rlimits, nofile), false, 16 },
	{ "nproc", offsetof(struct import_rlimits, nproc), false, 1 },
	{ "core", offsetof(struct import_rlimits, core), true, 0 },
	{ "as", offsetof(struct import_rlimits, as), true, 1 << 20 },
	{ "cpu", offsetof(struct import_rlimits, cpu), false, 1 },
};

static const struct rlimit_row *find_row(const char *name)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strcasecmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

static void set_limit(struct import *im, struct import_service *svc, const struct rlimit_row *row,
                      int64_t n)
{
	const char **member = (const char **)((char *)&svc->rlimits + row->member);
	char text[UNITS_TEXT_MAX];

	if (row->size)
		*member = import_printf(im, "\"%s\"", units_format_size(n, text));
	else
		*member = import_printf(im, "%" PRId64 "%s", n, n > INT32_MAX ? "L" : "");
}

void import_units_rlimit(struct import *im, struct import_service *svc, struct import_place place,
                         const char *name, const char *text)
{
	const struct rlimit_row *row = find_row(name);
	int64_t n;

	if (!row)
		import_lose(im, svc, place, "the resource limit %s %s has no counterpart (rlimits has"
		            " nofile, nproc, core, as and cpu; start the program by"
		            " prlimit(1))", name, text);
	else if (units_parse_size(text, &n) == -1 || n < row->min)
		import_lose(im, svc, place, "the resource limit %s %s is not carried over (a number from"
		            " %" PRId64 ")",
		            name, text, row->min);
	else
		set_limit(im, svc, row, n);
}
