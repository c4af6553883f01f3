/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bytes that wait for a slow receiver: they are added at the end and taken from the front. An
 * empty buffer has no memory, so that a connection without waiting bytes costs nothing.
 */
#ifndef DROVER_BASE_BUFFER_H
#define DROVER_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct buffer {                         /* all zero: empty */
	char  *bytes;                   /* NULL: empty */
	size_t at, len;                 /* bytes[at] to bytes[len - 1] wait */
};

static inline bool buffer_is_empty(const struct buffer *b)
{
	return !b->bytes;
}

/* Lends what waits, until the next call for b. */
static inline const char *buffer_first(const struct buffer *b)
{
	return b->bytes + b->at;
}

static inline size_t buffer_waiting(const struct buffer *b)
{
	return b->len - b->at;
}

/* Adds a copy. 0, or -1 with errno ENOMEM, and b as it was. */
int buffer_add(struct buffer *b, const char *bytes, size_t len);

/* Drops the first n of what waits, at most all. */
void buffer_take(struct buffer *b, size_t n);

/* Drops all but the first n of what waits. */
void buffer_cut(struct buffer *b, size_t n);

/* Drops everything. */
void buffer_clear(struct buffer *b);

#endif
