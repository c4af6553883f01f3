/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes requests. Unframed ones are windows on one stretch of random bytes, so that
 * 4096 of them take no more room than two; framed ones lie side by side.
 */
#include <config.h>
#include "message.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
	VARIANTS = 4096,
	FRAMED_ROOM = 1 << 20,          /* bytes of framed variants, unless two are more */
	STEP = 2039,                    /* odd: visits each of a power of two, neighbours last */
};

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One escape, behind its backslash: its byte, or -1. */
static int unescape(const char **at)
{
	static const char letters[] = "nrt0\\", bytes[] = "\n\r\t\0\\";
	const char c = *(*at)++;
	const char *found = c ? strchr(letters, c) : NULL;

	if (found)
		return (unsigned char)bytes[found - letters];
	if (c != 'x' || hex((*at)[0]) < 0 || hex((*at)[1]) < 0)
		return -1;
	*at += 2;
	return hex((*at)[-2]) << 4 | hex((*at)[-1]);
}

int message_unescape(const char *text, char **bytes, size_t *len)
{
	char *out = malloc(strlen(text) + 1);
	size_t n = 0;

	if (!out)
		return -1;
	while (*text) {
		const bool escaped = *text == '\\';
		int byte = (unsigned char)*text++;

		if (escaped)
			byte = unescape(&text);
		if (byte == -1) {
			free(out);
			return -1;
		}
		out[n++] = (char)byte;
	}
	*bytes = out;
	*len = n;
	return 0;
}

/* Puts content in a frame at `at`, where there is room. Returns the length. */
static size_t put_framed(char *at, const char *content, size_t len, const struct framing *f)
{
	char header[FRAMING_HEADER_MAX];
	size_t n = framing_header(f, len, header);

	memcpy(at, header, n);
	memcpy(at + n, content, len);
	return n + len + framing_trailer(f, at + n + len);
}

int message_of_bytes(struct message *m, const char *bytes, size_t len, const struct framing *f)
{
	*m = (struct message){ .n = 1, .bytes = malloc(len + FRAMING_HEADER_MAX + 1), .len = len };
	if (!m->bytes)
		return -1;
	if (f)
		m->len = put_framed(m->bytes, bytes, len, f);
	else
		memcpy(m->bytes, bytes, len);
	return 0;
}

/* The same bytes in every run: xorshift64. */
static void fill(char *bytes, size_t len, bool printable)
{
	uint64_t x = UINT64_C(0x9e3779b97f4a7c15);

	for (size_t i = 0; i < len; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		bytes[i] = (char)(printable ? '!' + (x >> 32) % ('~' - '!' + 1) : x >> 32);
	}
}

static unsigned framed_variants(size_t len)
{
	unsigned n = VARIANTS;

	while (n > 2 && len * n > FRAMED_ROOM)
		n /= 2;
	return n;
}

int message_generate(struct message *m, size_t len, const struct framing *f)
{
	char *window = malloc(len + VARIANTS);

	*m = (struct message){ .bytes = window, .len = len, .stride = 1, .n = VARIANTS };
	if (!window)
		return -1;
	fill(window, len + VARIANTS, f && f->kind == FRAMING_LINE);
	if (!f)
		return 0;
	m->n = framed_variants(len + FRAMING_HEADER_MAX + 1);
	m->bytes = calloc(m->n, len + FRAMING_HEADER_MAX + 1);
	for (unsigned i = 0; m->bytes && i < m->n; i++)
		m->len = m->stride = put_framed(m->bytes + i * m->stride, window + i, len, f);
	free(window);
	return m->bytes ? 0 : -1;
}

void message_free(struct message *m)
{
	free(m->bytes);
	*m = (struct message){ 0 };
}

const char *message_next(const struct message *m, unsigned *turn)
{
	*turn += STEP;
	return m->bytes + (*turn & (m->n - 1)) * m->stride;
}
