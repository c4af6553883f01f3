/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Builds strings of bounded length, and escapes bytes that are not trusted.
 */
#include <config.h>
#include "text.h"

#include <stdio.h>
#include <string.h>

struct text text_in(char *buf, size_t size)
{
	buf[0] = '\0';
	return (struct text){ .buf = buf, .size = size };
}

void text_vadd(struct text *t, const char *format, va_list ap)
{
	size_t room = t->size - t->len;
	int n = vsnprintf(t->buf + t->len, room, format, ap);

	if (n < 0)
		t->buf[t->len] = '\0';
	else
		t->len += (size_t)n < room ? (size_t)n : room - 1;
}

void text_add(struct text *t, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	text_vadd(t, format, ap);
	va_end(ap);
}

static void add_cut(struct text *t, const char *bytes, size_t len)
{
	const size_t room = t->size - t->len - 1;

	if (len > room)
		len = room;
	memcpy(t->buf + t->len, bytes, len);
	t->len += len;
	t->buf[t->len] = '\0';
}

void text_add_string(struct text *t, const char *string)
{
	add_cut(t, string, strlen(string));
}

void text_add_number(struct text *t, uint64_t number)
{
	char digits[20];        /* of 2^64 - 1 */
	char *first = digits + sizeof digits;

	do
		*--first = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	add_cut(t, first, (size_t)(digits + sizeof digits - first));
}

/* Adds all of piece, or nothing and returns false. */
static bool add_whole(struct text *t, const char *piece, size_t len)
{
	if (len >= t->size - t->len)
		return false;
	memcpy(t->buf + t->len, piece, len);
	t->len += len;
	t->buf[t->len] = '\0';
	return true;
}

enum escaping { SAFE, JSON, WORD };

static bool needs_number(unsigned char c, enum escaping how)
{
	return c < 0x20 || c > 0x7e || (how == WORD && strchr(" \"',;|", c));
}

static void add_escaped(struct text *t, const char *bytes, size_t len, enum escaping how)
{
	char piece[8];
	int n;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (needs_number(c, how))
			n = snprintf(piece, sizeof piece, "%s\\x%02x", how == JSON ? "\\" : "", c);
		else if (how == JSON && (c == '"' || c == '\\'))
			n = snprintf(piece, sizeof piece, "\\%c", c);
		else
			n = snprintf(piece, sizeof piece, "%c", c);
		if (!add_whole(t, piece, (size_t)n))
			return;
	}
}

void text_add_safe(struct text *t, const char *bytes, size_t len)
{
	add_escaped(t, bytes, len, SAFE);
}

void text_add_hex(struct text *t, const void *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *byte = bytes;

	for (size_t i = 0; i < len; i++)
		add_cut(t, (const char[]){ digits[byte[i] >> 4], digits[byte[i] & 15] }, 2);
}

void text_add_json(struct text *t, const char *bytes, size_t len)
{
	add_escaped(t, bytes, len, JSON);
}

void text_add_word(struct text *t, const char *bytes, size_t len)
{
	add_escaped(t, bytes, len, WORD);
}
