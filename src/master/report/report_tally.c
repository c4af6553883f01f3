/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sorts the rows three times: by source, to make one row of each; by tag, to find the row of an
 * entry of the table; and in the order in which they are shown.
 */
#include <config.h>
#include "report_tally.h"

#include <stdlib.h>

#define ROWS_AT_FIRST 256

/* ---- what boards say ---------------------------------------------------- */

static bool make_room(struct report_tally *t)
{
	const size_t room = t->room > 0 ? 2 * t->room : ROWS_AT_FIRST;
	struct report_tally_row *rows;

	if (t->n < t->room)
		return true;
	rows = reallocarray(t->rows, room, sizeof *rows);
	t->failed = t->failed || !rows;
	if (!rows)
		return false;
	t->rows = rows;
	t->room = room;
	return true;
}

static void see_worker(struct report_tally *t, const struct board *b, size_t i, int ipv4_len, int ipv6_len)
{
	struct board_connection_view v;

	for (size_t k = 0; k < board_connections(b); k++) {
		/* A free record is of interest only for a source that may be in the table. */
		if (!board_view_record(b, i, k, &v) || (v.phase == BOARD_PHASE_NONE && v.source == 0))
			continue;
		if (!make_room(t))
			return;
		t->rows[t->n++] = (struct report_tally_row){
			.source = board_source(&v, ipv4_len, ipv6_len), .open = v.phase != BOARD_PHASE_NONE,
		};
	}
}

void report_tally_see(struct report_tally *t, const struct board *b, int ipv4_len, int ipv6_len)
{
	for (size_t i = 0; i < board_slots(b); i++)
		see_worker(t, b, i, ipv4_len, ipv6_len);
}

/* ---- one row of each source --------------------------------------------- */

static int by_source(const void *a, const void *b)
{
	const struct report_tally_row *x = a, *y = b;

	return source_id_compare(&x->source, &y->source);
}

static void merge(struct report_tally *t)
{
	size_t n = 0;

	qsort(t->rows, t->n, sizeof *t->rows, by_source);
	for (size_t i = 0; i < t->n; i++) {
		if (n > 0 && by_source(&t->rows[n - 1], &t->rows[i]) == 0)
			t->rows[n - 1].open += t->rows[i].open;
		else
			t->rows[n++] = t->rows[i];
	}
	t->n = n;
}

/* ---- what the table says ------------------------------------------------ */

static int by_tag(const void *a, const void *b)
{
	const struct report_tally_row *x = a, *y = b;

	return x->tag < y->tag ? -1 : x->tag > y->tag;
}

static void set_tags(struct report_tally *t, const struct sources *s)
{
	for (size_t i = 0; i < t->n; i++)
		if (source_id_is_known(&t->rows[i].source))
			t->rows[i].tag = sources_tag_of_key(sources_key(s, &t->rows[i].source));
	qsort(t->rows, t->n, sizeof *t->rows, by_tag);
}

static struct report_tally_row *find(const struct report_tally *t, uint64_t tag)
{
	const struct report_tally_row wanted = { .tag = tag };

	return tag > 0 && t->n > 0 ? bsearch(&wanted, t->rows, t->n, sizeof wanted, by_tag) : NULL;
}

/* A source may have two entries for a moment, if two workers have met it at the same time. */
static void count_entry(struct report_tally *t, struct sources_count c, int64_t wait_ns)
{
	struct report_tally_row *row;

	if (sources_count_of(c) == 0 && wait_ns == 0)
		return;
	row = find(t, sources_tag_of(c));
	if (row) {
		row->counted += sources_count_of(c);
		row->wait_ns = row->wait_ns > wait_ns ? row->wait_ns : wait_ns;
	} else {
		t->nameless++;
		t->counted += sources_count_of(c);
	}
}

/* ---- the order ---------------------------------------------------------- */

uint64_t report_tally_connections(const struct report_tally_row *row)
{
	return row->counted > row->open ? row->counted : row->open;
}

int report_tally_compare(const void *a, const void *b)
{
	const struct report_tally_row *x = a, *y = b;
	const uint64_t n = report_tally_connections(x), m = report_tally_connections(y);

	if (n != m)
		return n > m ? -1 : 1;
	if (x->wait_ns != y->wait_ns)
		return x->wait_ns > y->wait_ns ? -1 : 1;
	return by_source(a, b);
}

static void drop_empty(struct report_tally *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		if (report_tally_connections(&t->rows[i]) > 0 || t->rows[i].wait_ns > 0)
			t->rows[n++] = t->rows[i];
	t->n = n;
}

static void count_entries(struct report_tally *t, const struct sources *s,
                          const struct bucket_rate *rate, int64_t now_ns)
{
	struct sources_range used = sources_used(s, 0);

	for (; used.begin < used.end; used = sources_used(s, used.end))
		for (uint32_t i = used.begin; i < used.end; i++)
			count_entry(t, sources_look(s, i), sources_wait_ns(s, i, rate, now_ns));
}

void report_tally_count(struct report_tally *t, const struct sources *s,
                        const struct bucket_rate *rate, int64_t now_ns)
{
	if (t->n > 0) {
		merge(t);
		set_tags(t, s);
	}
	count_entries(t, s, rate, now_ns);
	drop_empty(t);
	if (t->n > 0)
		qsort(t->rows, t->n, sizeof *t->rows, report_tally_compare);
}

void report_tally_free(struct report_tally *t)
{
	free(t->rows);
	*t = (struct report_tally){ .rows = NULL };
}
