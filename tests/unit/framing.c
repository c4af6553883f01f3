/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Frames: where they end, whatever the pieces they come in, and what is no
 * frame.
 */
#include <config.h>
#include "framing.h"

#include "unit.h"

#define MAX 10                          /* bytes of content that are allowed here */

/* What a frame comes to: the same for all ways to cut it. */
struct outcome {
	enum framing_status status;
	size_t              used;
	size_t              content_len;
	char                content[64];
};

struct row {
	const char *name, *kind, *bytes;
	size_t      len;
	enum framing_status status;
	size_t      used;
	const char *content;                    /* of a complete one */
};

#define BYTES(literal) literal, sizeof literal - 1

static const struct row rows[] = {
	{ "a line", "line", BYTES("hello\n"), FRAMING_COMPLETE, 6, "hello" },
	{ "an empty line", "line", BYTES("\n"), FRAMING_COMPLETE, 1, "" },
	{ "a line and the next", "line", BYTES("a\nb\n"), FRAMING_COMPLETE, 2, "a" },
	{ "a CR is content", "line", BYTES("a\r\n"), FRAMING_COMPLETE, 3, "a\r" },
	{ "half a line", "line", BYTES("hell"), FRAMING_MORE, 4, NULL },
	{ "a line as long as allowed", "line", BYTES("0123456789\n"), FRAMING_COMPLETE, 11, "0123456789" },
	{ "one byte more", "line", BYTES("0123456789a\n"), FRAMING_TOO_LONG, 11, NULL },
	{ "full, and it may still end", "line", BYTES("0123456789"), FRAMING_MORE, 10, NULL },

	{ "a netstring", "netstring", BYTES("5:hello,"), FRAMING_COMPLETE, 8, "hello" },
	{ "an empty one", "netstring", BYTES("0:,"), FRAMING_COMPLETE, 3, "" },
	{ "of two digits", "netstring", BYTES("10:0123456789,x"), FRAMING_COMPLETE, 14, "0123456789" },
	{ "one and the next", "netstring", BYTES("1:a,1:b,"), FRAMING_COMPLETE, 4, "a" },
	{ "without its comma yet", "netstring", BYTES("5:hello"), FRAMING_MORE, 7, NULL },
	{ "another than the comma", "netstring", BYTES("5:hello\n"), FRAMING_BROKEN, 8, NULL },
	{ "no comma after nothing", "netstring", BYTES("0:x"), FRAMING_BROKEN, 3, NULL },
	{ "a leading zero", "netstring", BYTES("05:hello,"), FRAMING_BROKEN, 2, NULL },
	{ "two zeros", "netstring", BYTES("00:,"), FRAMING_BROKEN, 2, NULL },
	{ "no number", "netstring", BYTES(":hello,"), FRAMING_BROKEN, 1, NULL },
	{ "a blank", "netstring", BYTES(" 5:hello,"), FRAMING_BROKEN, 1, NULL },
	{ "a sign", "netstring", BYTES("+5:hello,"), FRAMING_BROKEN, 1, NULL },
	{ "a letter", "netstring", BYTES("5a:hello,"), FRAMING_BROKEN, 2, NULL },
	{ "too long", "netstring", BYTES("11:0123456789a,"), FRAMING_TOO_LONG, 2, NULL },
	{ "endless digits", "netstring", BYTES("99999999999999999999999999"), FRAMING_TOO_LONG, 2, NULL },

	{ "two bytes of length", "length16", BYTES("\0\5hello"), FRAMING_COMPLETE, 7, "hello" },
	{ "length 0", "length16", BYTES("\0\0\0\1x"), FRAMING_COMPLETE, 2, "" },
	{ "the high byte is first", "length16", BYTES("\1\0"), FRAMING_TOO_LONG, 2, NULL },
	{ "half a header", "length16", BYTES("\0"), FRAMING_MORE, 1, NULL },
	{ "four bytes of length", "length32", BYTES("\0\0\0\5helloX"), FRAMING_COMPLETE, 9, "hello" },
	{ "length 0 of four bytes", "length32", BYTES("\0\0\0\0"), FRAMING_COMPLETE, 4, "" },
	{ "as long as allowed", "length32", BYTES("\0\0\0\12" "0123456789"), FRAMING_COMPLETE, 14,
	  "0123456789" },
	{ "one more than that", "length32", BYTES("\0\0\0\13"), FRAMING_TOO_LONG, 4, NULL },
	{ "the longest there is", "length32", BYTES("\377\377\377\377"), FRAMING_TOO_LONG, 4, NULL },
	{ "half a content", "length32", BYTES("\0\0\0\5he"), FRAMING_MORE, 6, NULL },

	{ "a fixed length", "fixed:4", BYTES("abcdef"), FRAMING_COMPLETE, 4, "abcd" },
	{ "not all of it", "fixed:4", BYTES("abc"), FRAMING_MORE, 3, NULL },
	{ "beyond what is allowed", "fixed:11", BYTES("a"), FRAMING_TOO_LONG, 0, NULL },
};

static struct framing framing_of(const char *text)
{
	struct framing f = { .max = MAX };

	ck_assert_int_eq(framing_parse_or_raw(text, &f), 0);
	return f;
}

/* Feeds pieces of this size till something else than MORE comes. */
static struct outcome feed(const struct framing *f, const char *bytes, size_t len, size_t piece)
{
	struct framing_state s = { 0 };
	struct outcome o = { .status = FRAMING_MORE };

	while (o.used < len && o.status == FRAMING_MORE) {
		const size_t n = len - o.used < piece ? len - o.used : piece;
		struct framing_part part;

		o.status = framing_feed(f, &s, bytes + o.used, n, &part);
		ck_assert_uint_le(part.used, n);
		ck_assert_uint_le(part.content_at + part.content_len, part.used);
		ck_assert(o.status != FRAMING_MORE || part.used == n);
		memcpy(o.content + o.content_len, bytes + o.used + part.content_at, part.content_len);
		o.content_len += part.content_len;
		o.used += part.used;
	}
	if (o.status == FRAMING_COMPLETE) {
		ck_assert_uint_eq(s.content, o.content_len);
		ck_assert_mem_eq(bytes + s.header, o.content, o.content_len);
	}
	return o;
}

START_TEST(a_frame_ends_where_it_should_in_pieces_of_any_size)
{
	const struct row *row = &rows[_i];
	const struct framing f = framing_of(row->kind);

	for (size_t piece = 1; piece <= row->len; piece++) {
		const struct outcome o = feed(&f, row->bytes, row->len, piece);

		ck_assert_msg(o.status == row->status, "%s, by %zu: status %d", row->name, piece, o.status);
		ck_assert_msg(o.used == row->used, "%s, by %zu: %zu used", row->name, piece, o.used);
		if (row->content)
			ck_assert_msg(o.content_len == strlen(row->content) &&
			              memcmp(o.content, row->content, o.content_len) == 0,
			              "%s, by %zu: %s", row->name, piece, o.content);
	}
} END_TEST

/* All kinds, several frames in a row, all ways to cut them. */
START_TEST(frames_follow_one_another)
{
	static const char *const kinds[] = { "line", "netstring", "length16", "length32", "fixed:3" };
	static const char *const contents[] = { "abc", "def", "ghi" };
	const struct framing f = framing_of(kinds[_i]);
	struct buffer b = { 0 };
	const char *stream;
	size_t len;

	for (size_t i = 0; i < ARRAY_SIZE(contents); i++) {
		ck_assert(framing_can_hold(&f, contents[i], 3));
		ck_assert_int_eq(framing_add(&f, contents[i], 3, &b), 0);
	}
	stream = buffer_first(&b);
	len = buffer_waiting(&b);
	for (size_t piece = 1; piece <= len; piece++) {
		struct framing_state s = { 0 };
		struct framing_part part;
		char content[4] = "";
		size_t n_frames = 0, have = 0;

		for (size_t at = 0; at < len; at += part.used) {
			const size_t n = len - at < piece ? len - at : piece;
			const enum framing_status status = framing_feed(&f, &s, stream + at, n, &part);

			memcpy(content + have, stream + at + part.content_at, part.content_len);
			have += part.content_len;
			if (status == FRAMING_MORE)
				continue;
			ck_assert_int_eq(status, FRAMING_COMPLETE);
			ck_assert_str_eq(content, contents[n_frames++]);
			have = 0;
		}
		ck_assert_uint_eq(n_frames, ARRAY_SIZE(contents));
	}
	buffer_clear(&b);
} END_TEST

/* Bytes that would mean something in other framings, cut into two pieces of any sizes. */
START_TEST(each_piece_is_a_raw_message)
{
	static const char bytes[] = "\n5:a,\0\0\0\1";
	const struct framing f = framing_of("raw");
	const size_t len = sizeof bytes - 1;

	ck_assert_uint_eq(len, MAX - 1);
	for (size_t cut = 1; cut <= len; cut++) {
		struct framing_state s = { 0 };
		struct framing_part part;

		ck_assert_int_eq(framing_feed(&f, &s, bytes, cut, &part), FRAMING_COMPLETE);
		ck_assert(part.used == cut && part.content_at == 0 && part.content_len == cut);
		ck_assert(s.header == 0 && s.content == cut);
		ck_assert_int_eq(framing_feed(&f, &s, bytes + cut, len - cut, &part),
		                 cut < len ? FRAMING_COMPLETE : FRAMING_MORE);
		ck_assert(part.used == len - cut && part.content_len == len - cut);
	}
} END_TEST

START_TEST(a_raw_message_is_cut_where_it_would_be_too_long)
{
	static const size_t want[] = { MAX, MAX, 3 };
	const struct framing f = framing_of("raw");
	struct framing_state s = { 0 };
	struct framing_part part;
	size_t len = 2 * MAX + 3;

	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		ck_assert_int_eq(framing_feed(&f, &s, "0123456789abcdefghijklm" + 2 * MAX + 3 - len, len,
		                              &part), FRAMING_COMPLETE);
		ck_assert_uint_eq(part.content_len, want[i]);
		ck_assert_uint_eq(s.content, want[i]);
		len -= part.used;
	}
	ck_assert_uint_eq(len, 0);
} END_TEST

START_TEST(nothing_is_written_around_a_raw_message)
{
	const struct framing f = framing_of("raw");
	char header[FRAMING_HEADER_MAX], trailer[1];

	ck_assert_uint_eq(framing_header(&f, 5, header), 0);
	ck_assert_uint_eq(framing_trailer(&f, trailer), 0);
} END_TEST

START_TEST(nothing_fed_changes_nothing)
{
	const struct framing f = framing_of("netstring");
	struct framing_state s = { 0 };
	struct framing_part part;

	ck_assert_int_eq(framing_feed(&f, &s, "", 0, &part), FRAMING_MORE);
	ck_assert_int_eq(framing_feed(&f, &s, "1:a", 3, &part), FRAMING_MORE);
	ck_assert_int_eq(framing_feed(&f, &s, "", 0, &part), FRAMING_MORE);
	ck_assert_uint_eq(part.used, 0);
	ck_assert_int_eq(framing_feed(&f, &s, ",", 1, &part), FRAMING_COMPLETE);
} END_TEST

START_TEST(a_length_that_no_number_holds_is_too_long)
{
	struct framing f = framing_of("netstring");

	f.max = UINT64_MAX;
	ck_assert_int_eq(feed(&f, BYTES("18446744073709551615"), 1).status, FRAMING_TOO_LONG);
	ck_assert_int_eq(feed(&f, BYTES("18446744073709551616"), 20).status, FRAMING_TOO_LONG);
} END_TEST

static const char *const names[] = {
	"line", "netstring", "length16", "length32", "fixed:1", "fixed:4096", "raw",
};

START_TEST(names_are_read_and_written)
{
	const struct framing f = framing_of(names[_i]);
	char buf[FRAMING_TEXT_MAX];

	ck_assert_str_eq(framing_format(&f, buf), names[_i]);
	ck_assert_uint_eq(f.max, MAX);
} END_TEST

static const char *const no_names[] = {
	"", "lines", "Line", "fixed", "fixed:", "fixed:0", "fixed:-1", "fixed:x", "length64", "netstring ",
	"Raw", "raw ", "raw:1",
};

START_TEST(what_is_no_name_is_refused)
{
	struct framing f = { .kind = FRAMING_LENGTH16 };

	ck_assert_msg(framing_parse(no_names[_i], &f) == -1 && errno == EINVAL, "\"%s\"", no_names[_i]);
	errno = 0;
	ck_assert_msg(framing_parse_or_raw(no_names[_i], &f) == -1 && errno == EINVAL, "\"%s\"",
	              no_names[_i]);
	ck_assert_int_eq(f.kind, FRAMING_LENGTH16);
} END_TEST

START_TEST(raw_is_only_read_where_the_caller_wants_it)
{
	struct framing f = { .kind = FRAMING_LENGTH16 };

	ck_assert(framing_parse("raw", &f) == -1 && errno == EINVAL);
	ck_assert_int_eq(f.kind, FRAMING_LENGTH16);
	ck_assert_int_eq(framing_parse_or_raw("raw", &f), 0);
	ck_assert_int_eq(f.kind, FRAMING_RAW);
} END_TEST

static char much[65536];

static const struct {
	const char *kind;
	uint64_t    max;
	const char *bytes;
	size_t      len;
	bool        want;
} lengths[] = {
	{ "line", MAX, much, 10, true },
	{ "line", MAX, much, 11, false },
	{ "line", MAX, "a\nb", 3, false },
	{ "netstring", MAX, much, 11, false },
	{ "fixed:3", MAX, much, 3, true },
	{ "fixed:3", MAX, much, 2, false },
	{ "length16", UINT64_MAX, much, 65535, true },
	{ "length16", UINT64_MAX, much, 65536, false },
	{ "raw", MAX, "a\nb", 3, true },
	{ "raw", MAX, much, 11, false },
};

START_TEST(what_no_frame_can_hold_is_refused)
{
	struct framing f = framing_of(lengths[_i].kind);

	f.max = lengths[_i].max;
	ck_assert_msg(framing_can_hold(&f, lengths[_i].bytes, lengths[_i].len) == lengths[_i].want, "%s: %zu",
	              lengths[_i].kind, lengths[_i].len);
} END_TEST

int main(void)
{
	Suite *s = suite_create("framing");
	TCase *tc = unit_case(s, "framing", NULL, NULL);

	tcase_add_loop_test(tc, a_frame_ends_where_it_should_in_pieces_of_any_size, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, frames_follow_one_another, 0, 5);
	tcase_add_test(tc, each_piece_is_a_raw_message);
	tcase_add_test(tc, a_raw_message_is_cut_where_it_would_be_too_long);
	tcase_add_test(tc, nothing_is_written_around_a_raw_message);
	tcase_add_test(tc, nothing_fed_changes_nothing);
	tcase_add_test(tc, a_length_that_no_number_holds_is_too_long);
	tcase_add_loop_test(tc, names_are_read_and_written, 0, ARRAY_SIZE(names));
	tcase_add_loop_test(tc, what_is_no_name_is_refused, 0, ARRAY_SIZE(no_names));
	tcase_add_test(tc, raw_is_only_read_where_the_caller_wants_it);
	tcase_add_loop_test(tc, what_no_frame_can_hold_is_refused, 0, ARRAY_SIZE(lengths));
	return unit_run(s);
}
