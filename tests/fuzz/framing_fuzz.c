/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any bytes in any framing: where messages begin and end, and what is in them, does not depend on
 * the pieces that the bytes come in; and a message that is written is the one that was read. Raw
 * messages end where the pieces do.
 */
#include <config.h>

#include <assert.h>
#include <stdlib.h>

#include "framed.h"
#include "fuzz.h"

/* What was read: the contents one after the other, and the place of each end. */
struct reading {
	enum framing_status status;     /* the last one */
	size_t              used;       /* bytes up to there */
	size_t              n_ends;
	size_t             *ends;       /* in contents */
	char               *contents;
	size_t              len;
};

static struct reading new_reading(size_t len)
{
	struct reading r = { .ends = calloc(len + 1, sizeof *r.ends), .contents = malloc(len + 1) };

	if (!r.ends || !r.contents)
		abort();
	return r;
}

static void free_reading(struct reading *r)
{
	free(r->ends);
	free(r->contents);
}

/* The message whose bytes are these, and whose content is the last one of r. */
static void check_written(const struct framing *f, const struct reading *r, const char *message, size_t len)
{
	const size_t begin = r->n_ends > 1 ? r->ends[r->n_ends - 2] : 0;
	const char *content = r->contents + begin;
	const size_t content_len = r->len - begin;
	char header[FRAMING_HEADER_MAX], trailer[1];
	const size_t before = framing_header(f, content_len, header), after = framing_trailer(f, trailer);

	assert(framing_can_hold(f, content, content_len));
	assert(before + content_len + after == len);
	assert(memcmp(message, header, before) == 0);
	assert(memcmp(message + before, content, content_len) == 0);
	assert(memcmp(message + before + content_len, trailer, after) == 0);
}

/* Reads len bytes, which come as one piece. Returns how many were used. */
static size_t feed(const struct framing *f, struct framing_state *s, struct reading *r,
                   const char *bytes, size_t len)
{
	struct framing_part part;

	r->status = framing_feed(f, s, bytes, len, &part);
	assert(part.used <= len && part.content_at + part.content_len <= part.used);
	assert(r->status != FRAMING_MORE || part.used == len);
	assert(s->content <= f->max);
	if (part.content_len > 0)
		memcpy(r->contents + r->len, bytes + part.content_at, part.content_len);
	r->len += part.content_len;
	r->used += part.used;
	(void)framing_swapped_length(f, s);
	return part.used;
}

/* Reads all of it, in pieces or as a whole. */
static struct reading read_all(struct framed *in, bool in_pieces)
{
	struct reading r = new_reading(in->len);
	struct framing_state s = { 0 };
	size_t begin = 0, piece = 0;

	while (r.used < in->len) {
		if (piece == 0)
			piece = in_pieces ? framed_piece(in, in->len - r.used) : in->len - r.used;
		piece -= feed(&in->framing, &s, &r, in->bytes + r.used, piece);
		if (r.status == FRAMING_BROKEN || r.status == FRAMING_TOO_LONG)
			break;
		if (r.status == FRAMING_COMPLETE) {
			r.ends[r.n_ends++] = r.len;
			check_written(&in->framing, &r, in->bytes + begin, r.used - begin);
			assert(s.header + s.content <= r.used - begin);
			begin = r.used;
		}
	}
	return r;
}

static void check_equal(const struct framing *f, const struct reading *a, const struct reading *b)
{
	assert(a->status == b->status && a->used == b->used && a->len == b->len);
	assert(memcmp(a->contents, b->contents, a->len) == 0);
	if (f->kind == FRAMING_RAW)
		return;
	assert(a->n_ends == b->n_ends);
	assert(memcmp(a->ends, b->ends, a->n_ends * sizeof *a->ends) == 0);
}

/* Raw messages are all the bytes, and none is empty. */
static void check_raw(const struct framed *in, const struct reading *r)
{
	assert(r->used == in->len && r->len == in->len);
	assert(memcmp(r->contents, in->bytes, r->len) == 0);
	for (size_t i = 0; i < r->n_ends; i++)
		assert(r->ends[i] > (i > 0 ? r->ends[i - 1] : 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct framed in;
	struct reading whole, pieces;
	char text[FRAMING_TEXT_MAX];
	struct framing again = { 0 };

	if (!framed_parse(&in, (const char *)data, size))
		return 0;
	assert(framing_parse_or_raw(framing_format(&in.framing, text), &again) == 0);
	assert(again.kind == in.framing.kind && again.size == in.framing.size);
	whole = read_all(&in, false);
	pieces = read_all(&in, true);
	check_equal(&in.framing, &whole, &pieces);
	if (in.framing.kind == FRAMING_RAW)
		check_raw(&in, &pieces);
	free_reading(&whole);
	free_reading(&pieces);
	return 0;
}
