/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Draws a bar, the rate, the errors and the time left.
 */
#include <config.h>
#include "progress.h"

#include <inttypes.h>

enum { BAR_MIN = 8, BAR_MAX = 30, TEXT_WIDTH = 50 };

/* From 0 to 1, by time or by number, whichever is further; -1 if that is not known. */
static double share_done(const struct progress_now *n)
{
	double by_time = -1, by_count = -1;

	if (n->end_ns != INT64_MAX && n->end_ns > n->start_ns)
		by_time = (double)(n->now_ns - n->start_ns) / (double)(n->end_ns - n->start_ns);
	if (n->count)
		by_count = (double)n->operations / (double)n->count;
	if (by_count > by_time)
		by_time = by_count;
	return by_time > 1 ? 1 : by_time;
}

static void draw_bar(const struct progress *p, double share)
{
	const unsigned room = p->width - TEXT_WIDTH;
	const unsigned width = room > BAR_MAX ? BAR_MAX : room;
	const unsigned full = (unsigned)(share * width + .5);

	putc('[', p->out);
	for (unsigned i = 0; i < width; i++)
		fputs(i < full ? (p->blocks ? "█" : "#") : " ", p->out);
	putc(']', p->out);
}

void progress_show(struct progress *p, const struct progress_now *n)
{
	const double share = share_done(n), passed = (double)(n->now_ns - n->start_ns) / 1e9;
	double rate = 0;

	if (p->last_ns && n->now_ns > p->last_ns && n->operations >= p->last_operations)
		rate = (double)(n->operations - p->last_operations) * 1e9 / (double)(n->now_ns - p->last_ns);
	p->last_ns = n->now_ns;
	p->last_operations = n->operations;
	p->shown = true;
	fprintf(p->out, "\r\033[K%s ", n->phase);
	if (share >= 0 && p->width >= TEXT_WIDTH + BAR_MIN)
		draw_bar(p, share);
	fprintf(p->out, " %.0f/s, %" PRIu64 " errors", rate, n->errors);
	if (share > 0)
		fprintf(p->out, ", %.0f s left", passed / share * (1 - share));
	fflush(p->out);
}

void progress_clear(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", p->out);
	p->shown = false;
	fflush(p->out);
}
