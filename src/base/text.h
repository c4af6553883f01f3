/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Builds lines from bytes that are not trusted: a text of bounded length in which no byte can
 * begin a second line.
 */
#ifndef DROVER_BASE_TEXT_H
#define DROVER_BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A string that is cut where its room ends. */
struct text {
	char   *buf;            /* always ends in NUL */
	size_t  size;           /* room in buf, with the NUL */
	size_t  len;
};

/* An empty text in buf, which is lent; size is at least 1. */
struct text text_in(char *buf, size_t size);

void text_add(struct text *t, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void text_vadd(struct text *t, const char *format, va_list ap)
	__attribute__((format(printf, 2, 0)));

/* Without a format, for code that runs often: a string; a number in decimal. */
void text_add_string(struct text *t, const char *string);
void text_add_number(struct text *t, uint64_t number);

/* len bytes, those outside printable ASCII as \xNN. An escape is never cut in two. */
void text_add_safe(struct text *t, const char *bytes, size_t len);

/*
 * As text_add_safe, and also blanks and " ' , ; | become \xNN: what is added is one word, inside
 * quotes as well as between any of these.
 */
void text_add_word(struct text *t, const char *bytes, size_t len);

/* Two lower-case hexadecimal digits for each byte. */
void text_add_hex(struct text *t, const void *bytes, size_t len);

/* As text_add_safe, and also fit for the inside of a JSON string. */
void text_add_json(struct text *t, const char *bytes, size_t len);

#endif
