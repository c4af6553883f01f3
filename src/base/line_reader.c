/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Copies bytes one by one, and keeps those behind the last newline.
 */
#include <config.h>
#include "line_reader.h"

#include <string.h>

/* There are control characters above ASCII, too: U+009B begins a command to a terminal. */
static char harmless(char byte)
{
	return (byte >= ' ' && byte <= '~') || byte == '\t' ? byte : '?';
}

size_t line_reader_take(struct line_reader *r, const char *bytes, size_t n, char *out)
{
	size_t begin = 0, end = r->len;         /* of the line that is being made, in out */

	memcpy(out, r->part, r->len);
	for (size_t i = 0; i < n; i++) {
		const bool ends = bytes[i] == '\n';

		if (ends || end - begin == LOG_LINE_MAX - 1) {
			out[end++] = '\n';
			begin = end;
		}
		if (!ends)
			out[end++] = harmless(bytes[i]);
	}
	r->len = end - begin;
	memcpy(r->part, out + begin, r->len);
	return begin;
}

size_t line_reader_end(struct line_reader *r, char *out)
{
	const size_t len = r->len;

	if (len == 0)
		return 0;
	memcpy(out, r->part, len);
	out[len] = '\n';
	r->len = 0;
	return len + 1;
}
