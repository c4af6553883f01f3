/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes whole lines of the bytes of a pipe whose writers are not trusted. A line that is
 * too long becomes several, and no byte of it can move the cursor of a terminal: each byte that
 * is not printable ASCII or a tab becomes '?'. drover's own lines have only these bytes.
 */
#ifndef DROVER_BASE_LINE_READER_H
#define DROVER_BASE_LINE_READER_H

#include <stddef.h>

#include "log.h"

struct line_reader {                    /* begins as all zero */
	size_t len;
	char   part[LOG_LINE_MAX];      /* the beginning of a line whose end has not come yet */
};

/* Room for the lines that n bytes can become, with the kept part and newlines in lines that are too long. */
#define LINE_READER_ROOM(n) ((n) + (n) / (LOG_LINE_MAX - 1) + 2 * LOG_LINE_MAX)

/* Puts the lines that n more bytes complete into out, each with its newline. Returns their length. */
size_t line_reader_take(struct line_reader *r, const char *bytes, size_t n, char *out);

/* At the end of the file: what is left becomes a line (at most LOG_LINE_MAX bytes). Returns its length. */
size_t line_reader_end(struct line_reader *r, char *out);

#endif
