/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keeps the bytes in one allocation, which grows when bytes are added and is freed when it is empty.
 */
#include <config.h>
#include "buffer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Bytes that were taken are dropped when more are added. */
static void move_to_front(struct buffer *b)
{
	memmove(b->bytes, b->bytes + b->at, buffer_waiting(b));
	b->len -= b->at;
	b->at = 0;
}

int buffer_add(struct buffer *b, const char *bytes, size_t len)
{
	size_t size;
	char *more;

	if (len == 0)
		return 0;
	if (b->at > 0)
		move_to_front(b);
	if (__builtin_add_overflow(b->len, len, &size)) {
		errno = ENOMEM;
		return -1;
	}
	more = realloc(b->bytes, size);
	if (!more)
		return -1;
	memcpy(more + b->len, bytes, len);
	b->bytes = more;
	b->len = size;
	return 0;
}

void buffer_take(struct buffer *b, size_t n)
{
	if (n >= buffer_waiting(b))
		buffer_clear(b);
	else
		b->at += n;
}

void buffer_cut(struct buffer *b, size_t n)
{
	if (n == 0)
		buffer_clear(b);
	else if (n < buffer_waiting(b))
		b->len = b->at + n;
}

void buffer_clear(struct buffer *b)
{
	free(b->bytes);
	*b = (struct buffer){ 0 };
}
