/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads frames piece by piece, and writes them. A frame has three parts: a header, a content
 * and a trailer; the header and the trailer depend on the kind of frame. Raw messages have only
 * a content.
 */
#include <config.h>
#include "framing.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "units.h"

enum { AT_HEADER, AT_CONTENT, AT_TRAILER, AT_END };

static const char *const names[] = {
	[FRAMING_LINE] = "line",
	[FRAMING_NETSTRING] = "netstring",
	[FRAMING_LENGTH16] = "length16",
	[FRAMING_LENGTH32] = "length32",
	[FRAMING_FIXED] = "fixed",
	[FRAMING_RAW] = "raw",
};

/* ---- names -------------------------------------------------------------- */

static int parse_fixed(const char *text, struct framing *f)
{
	int64_t size;

	if (units_parse_size(text, &size) == -1 || size == 0) {
		errno = EINVAL;
		return -1;
	}
	f->kind = FRAMING_FIXED;
	f->size = (uint64_t)size;
	return 0;
}

int framing_parse(const char *text, struct framing *f)
{
	if (strncmp(text, "fixed:", 6) == 0)
		return parse_fixed(text + 6, f);
	for (enum framing_kind k = FRAMING_LINE; k < FRAMING_FIXED; k++)
		if (strcmp(text, names[k]) == 0) {
			f->kind = k;
			return 0;
		}
	errno = EINVAL;
	return -1;
}

int framing_parse_or_raw(const char *text, struct framing *f)
{
	if (strcmp(text, names[FRAMING_RAW]) != 0)
		return framing_parse(text, f);
	f->kind = FRAMING_RAW;
	return 0;
}

const char *framing_format(const struct framing *f, char buf[static FRAMING_TEXT_MAX])
{
	if (f->kind == FRAMING_FIXED)
		snprintf(buf, FRAMING_TEXT_MAX, "fixed:%" PRIu64, f->size);
	else
		snprintf(buf, FRAMING_TEXT_MAX, "%s", names[f->kind]);
	return buf;
}

/* ---- reading ------------------------------------------------------------ */

/* The length is known, and the content comes next. */
static enum framing_status begin_content(const struct framing *f, struct framing_state *s)
{
	if (s->length > f->max)
		return FRAMING_TOO_LONG;
	s->at = AT_CONTENT;
	return FRAMING_MORE;
}

static enum framing_status take_length_byte(const struct framing *f, struct framing_state *s,
                                            unsigned char byte, unsigned n_bytes)
{
	s->length = s->length << 8 | byte;
	return ++s->header < n_bytes ? FRAMING_MORE : begin_content(f, s);
}

/* Refuses leading zeros, and ends before the number can overflow. */
static enum framing_status take_netstring_byte(const struct framing *f, struct framing_state *s,
                                               char byte)
{
	if (byte == ':')
		return s->header++ ? begin_content(f, s) : FRAMING_BROKEN;
	if (byte < '0' || byte > '9' || (s->header && s->length == 0))
		return FRAMING_BROKEN;
	s->header++;
	if (s->length > UINT64_MAX / 10 - 1)
		return FRAMING_TOO_LONG;
	s->length = s->length * 10 + (uint64_t)(byte - '0');
	return s->length > f->max ? FRAMING_TOO_LONG : FRAMING_MORE;
}

static enum framing_status take_header_byte(const struct framing *f, struct framing_state *s,
                                            char byte)
{
	switch (f->kind) {
	case FRAMING_NETSTRING:
		return take_netstring_byte(f, s, byte);
	case FRAMING_LENGTH16:
		return take_length_byte(f, s, (unsigned char)byte, 2);
	case FRAMING_LENGTH32:
		return take_length_byte(f, s, (unsigned char)byte, 4);
	case FRAMING_LINE:
	case FRAMING_FIXED:
	case FRAMING_RAW:
		break;
	}
	return FRAMING_BROKEN;          /* these have no header: begin_message() skips it */
}

static enum framing_status begin_message(const struct framing *f, struct framing_state *s)
{
	*s = (struct framing_state){ .at = AT_HEADER };
	if (f->kind == FRAMING_LINE)
		s->at = AT_CONTENT;
	if (f->kind != FRAMING_FIXED)
		return FRAMING_MORE;
	s->length = f->size;
	return begin_content(f, s);
}

/* The content of a line ends where its LF is. */
static enum framing_status take_line(const struct framing *f, struct framing_state *s,
                                     const char *bytes, size_t len, struct framing_part *part)
{
	const uint64_t room = f->max - s->content;
	const size_t look = len > room ? (size_t)room + 1 : len;
	const char *end = memchr(bytes, '\n', look);

	part->content_at = 0;
	part->content_len = end ? (size_t)(end - bytes) : look;
	part->used = part->content_len + (end != NULL);
	if (!end && look > room) {
		part->content_len = (size_t)room;
		s->content = f->max;
		return FRAMING_TOO_LONG;
	}
	s->content += part->content_len;
	if (!end)
		return FRAMING_MORE;
	s->at = AT_END;
	return FRAMING_COMPLETE;
}

static enum framing_status take_trailer(struct framing_state *s, const char *bytes, size_t len,
                                        struct framing_part *part)
{
	if (part->used == len)
		return FRAMING_MORE;
	if (bytes[part->used++] != ',')
		return FRAMING_BROKEN;
	s->at = AT_END;
	return FRAMING_COMPLETE;
}

/* A content of known length, from part->used on, and what follows it. */
static enum framing_status take_content(const struct framing *f, struct framing_state *s,
                                        const char *bytes, size_t len, struct framing_part *part)
{
	const uint64_t missing = s->length - s->content;
	const size_t here = len - part->used;

	part->content_at = part->used;
	part->content_len = here < missing ? here : (size_t)missing;
	part->used += part->content_len;
	s->content += part->content_len;
	if (s->content < s->length)
		return FRAMING_MORE;
	if (f->kind == FRAMING_NETSTRING) {
		s->at = AT_TRAILER;
		return take_trailer(s, bytes, len, part);
	}
	s->at = AT_END;
	return FRAMING_COMPLETE;
}

/* All that is at hand is a message. */
static enum framing_status take_raw(const struct framing *f, struct framing_state *s, size_t len,
                                    struct framing_part *part)
{
	assert(f->max > 0);
	part->used = part->content_len = len > f->max ? (size_t)f->max : len;
	*s = (struct framing_state){ .at = AT_END, .content = part->content_len };
	return FRAMING_COMPLETE;
}

enum framing_status framing_feed(const struct framing *f, struct framing_state *s,
                                 const char *bytes, size_t len, struct framing_part *part)
{
	enum framing_status status;

	*part = (struct framing_part){ 0 };
	if (len == 0)
		return FRAMING_MORE;
	if (f->kind == FRAMING_RAW)
		return take_raw(f, s, len, part);
	if (s->at == AT_END || (s->at == AT_HEADER && s->header == 0)) {
		status = begin_message(f, s);
		if (status != FRAMING_MORE)
			return status;
	}
	if (s->at == AT_CONTENT && f->kind == FRAMING_LINE)
		return take_line(f, s, bytes, len, part);
	if (s->at == AT_TRAILER)
		return take_trailer(s, bytes, len, part);
	while (s->at == AT_HEADER && part->used < len) {
		status = take_header_byte(f, s, bytes[part->used++]);
		if (status != FRAMING_MORE)
			return status;
	}
	return s->at == AT_CONTENT ? take_content(f, s, bytes, len, part) : FRAMING_MORE;
}

uint64_t framing_swapped_length(const struct framing *f, const struct framing_state *s)
{
	if (f->kind == FRAMING_LENGTH16 && s->header == 2)
		return __builtin_bswap16((uint16_t)s->length);
	if (f->kind == FRAMING_LENGTH32 && s->header == 4)
		return __builtin_bswap32((uint32_t)s->length);
	return 0;
}

/* ---- writing ------------------------------------------------------------ */

bool framing_can_hold(const struct framing *f, const char *content, size_t len)
{
	if (len > f->max)
		return false;
	switch (f->kind) {
	case FRAMING_LINE:
		return !memchr(content, '\n', len);
	case FRAMING_NETSTRING:
	case FRAMING_RAW:
		return true;
	case FRAMING_LENGTH16:
		return len <= UINT16_MAX;
	case FRAMING_LENGTH32:
		return len <= UINT32_MAX;
	case FRAMING_FIXED:
		return len == f->size;
	}
	return false;
}

static size_t put_length(char *buf, size_t len, unsigned n_bytes)
{
	for (unsigned i = 0; i < n_bytes; i++)
		buf[i] = (char)(len >> 8 * (n_bytes - 1 - i));
	return n_bytes;
}

size_t framing_header(const struct framing *f, size_t len, char buf[static FRAMING_HEADER_MAX])
{
	switch (f->kind) {
	case FRAMING_NETSTRING:
		return (size_t)snprintf(buf, FRAMING_HEADER_MAX, "%zu:", len);
	case FRAMING_LENGTH16:
		return put_length(buf, len, 2);
	case FRAMING_LENGTH32:
		return put_length(buf, len, 4);
	case FRAMING_LINE:
	case FRAMING_FIXED:
	case FRAMING_RAW:
		break;
	}
	return 0;
}

size_t framing_trailer(const struct framing *f, char buf[static 1])
{
	if (f->kind == FRAMING_LINE)
		buf[0] = '\n';
	else if (f->kind == FRAMING_NETSTRING)
		buf[0] = ',';
	else
		return 0;
	return 1;
}

int framing_add(const struct framing *f, const char *content, size_t len, struct buffer *b)
{
	char header[FRAMING_HEADER_MAX], trailer[1];

	if (buffer_add(b, header, framing_header(f, len, header)) == -1 || buffer_add(b, content, len) == -1)
		return -1;
	return buffer_add(b, trailer, framing_trailer(f, trailer));
}
