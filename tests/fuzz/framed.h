/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The inputs of targets that read framed messages. The first line says how:
 *
 *     FRAMING MAX SCRIPT
 *
 * FRAMING is as in a configuration, MAX is the longest content in bytes, and SCRIPT is read again
 * and again: a digit is the size of the next piece that comes, and 0 stands for all that is left;
 * what letters mean is the target's. The bytes of the client follow.
 */
#ifndef DROVER_TESTS_FRAMED_H
#define DROVER_TESTS_FRAMED_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "framing.h"

#define FRAMED_MAX 65536                /* for MAX */

struct framed {
	struct framing framing;
	char           name[64];        /* FRAMING */
	char           script[64];
	size_t         at;              /* in script */
	const char    *bytes;           /* lent */
	size_t         len;
};

/* False if the first line is something else, or a framing that the configuration refuses. */
static bool framed_parse(struct framed *f, const char *data, size_t size)
{
	const char *end = memchr(data, '\n', size < 128 ? size : 128);
	char line[128];
	unsigned max;

	*f = (struct framed){ .at = 0 };
	if (!end)
		return false;
	memcpy(line, data, (size_t)(end - data));
	line[end - data] = '\0';
	if (sscanf(line, "%63s %5u %63s", f->name, &max, f->script) != 3 || max == 0 || max > FRAMED_MAX)
		return false;
	f->framing.max = max;
	f->bytes = end + 1;
	f->len = size - (size_t)(end + 1 - data);
	return framing_parse_or_raw(f->name, &f->framing) == 0 &&
	       (f->framing.kind != FRAMING_FIXED || f->framing.size <= max);
}

/* The next character of the script that is one of accepted; fallback if there is none. */
static char framed_next(struct framed *f, const char *accepted, char fallback)
{
	const size_t n = strlen(f->script);

	for (size_t i = 0; i < n; i++) {
		const char c = f->script[f->at++ % n];

		if (strchr(accepted, c))
			return c;
	}
	return fallback;
}

/* How many of the left bytes come next: at least 1, if there are any. */
static size_t framed_piece(struct framed *f, size_t left)
{
	const size_t n = (size_t)(framed_next(f, "0123456789", '0') - '0');

	return n == 0 || n > left ? left : n;
}

#endif
