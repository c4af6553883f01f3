/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Finds where a message ends in a stream of bytes, for five ways to frame it, and one in which
 * nothing but the reader's pieces tell messages apart. The reader gets bytes in pieces of any
 * size, keeps none of them, and allocates nothing.
 */
#ifndef DROVER_BASE_FRAMING_H
#define DROVER_BASE_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"

enum framing_kind {
	FRAMING_LINE,                   /* ends with LF; a CR before it is content */
	FRAMING_NETSTRING,              /* "5:hello,": decimal, no leading zeros */
	FRAMING_LENGTH16,               /* two bytes of length, the high one first */
	FRAMING_LENGTH32,               /* four of them */
	FRAMING_FIXED,                  /* `size` bytes */
	FRAMING_RAW,                    /* the bytes of one call of framing_feed, without a frame */
};

struct framing {
	enum framing_kind kind;
	uint64_t          size;         /* FRAMING_FIXED: of each frame, at least 1 */
	uint64_t          max;          /* bytes of content in a frame, at most; at least 1 for FRAMING_RAW */
};

/* Where the reader is. All zero: at the start of a frame. */
struct framing_state {
	uint8_t  at;                    /* inside framing.c: the part of the frame */
	uint8_t  header;                /* bytes before the content, so far */
	uint64_t length;                /* of the content, as announced so far */
	uint64_t content;               /* bytes of content so far */
};

enum framing_status {
	FRAMING_MORE,                   /* all bytes belong to this frame, and it goes on */
	FRAMING_COMPLETE,               /* it ends with these */
	FRAMING_BROKEN,                 /* the bytes are not a frame of this kind */
	FRAMING_TOO_LONG,               /* it has, or announces, more than max */
};

/* What of the bytes at hand belongs to the frame, and what of that is content. */
struct framing_part {
	size_t used;                    /* if broken or too long: including the byte that shows it */
	size_t content_at, content_len;
};

#define FRAMING_HEADER_MAX 24           /* room for what comes before a content */
#define FRAMING_TEXT_MAX   32           /* room for framing_format */

/*
 * "line", "netstring", "length16", "length32", "fixed:N". Leaves max alone. 0,
 * or -1 with errno EINVAL, and *f as it was.
 */
int framing_parse(const char *text, struct framing *f);

/* The same, and "raw": for a caller to which it does not matter where a message ends. */
int framing_parse_or_raw(const char *text, struct framing *f);

const char *framing_format(const struct framing *f, char buf[static FRAMING_TEXT_MAX]);

/*
 * Reads the next len bytes. After FRAMING_COMPLETE, s->header and s->content are the
 * lengths of these parts of the frame, until the next call, which begins the next frame.
 * After an error nothing more can be read. The outcome does not depend on the sizes of the
 * pieces that the bytes come in, except for FRAMING_RAW: there each piece is a message, and one
 * that is longer than max is several. These are never empty.
 */
enum framing_status framing_feed(const struct framing *f, struct framing_state *s,
                                 const char *bytes, size_t len, struct framing_part *part);

/*
 * The length that a frame has announced, read in the other byte order, for a hint in an
 * error message. 0 if the kind has no such length, or the frame has not announced it yet.
 */
uint64_t framing_swapped_length(const struct framing *f, const struct framing_state *s);

/* Whether this content can be put into a frame. */
bool framing_can_hold(const struct framing *f, const char *content, size_t len);

/* Write what goes before and after a content of this length. Both return the length of that, often 0. */
size_t framing_header(const struct framing *f, size_t len, char buf[static FRAMING_HEADER_MAX]);
size_t framing_trailer(const struct framing *f, char buf[static 1]);

/* Adds a content in its frame. 0, or -1 for lack of memory: then a part of it may have been added. */
int framing_add(const struct framing *f, const char *content, size_t len, struct buffer *b);

#endif
