/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes the blocks of all services, from the histories that the master keeps, and the counts of
 * refused clients from the tables that workers write.
 */
#include <config.h>
#include "report_blocked.h"

#include "clock.h"
#include "json_value.h"
#include "report_data.h"

static json_t *block(const struct poison_watch *w, size_t place, const struct report_data *d)
{
	const struct poison_source *s = &w->history.sources[place];
	const int64_t left_ms = s->until_ms > d->now_ms ? s->until_ms - d->now_ms : 0;
	const struct timespec begin = clock_before(&d->now, d->now_ms - s->since_ms),
	                      end = clock_before(&d->now, d->now_ms - s->until_ms);
	char prefix[SOURCE_ID_TEXT_MAX], since[CLOCK_TEXT_MAX], until[CLOCK_TEXT_MAX];

	return json_pack("{s:o, s:s, s:s, s:s, s:o, s:i, s:o}",
		"service", json_value_text(w->service),
		"prefix", source_id_format(&s->source, prefix, sizeof prefix),
		"since", clock_utc(&begin, since), "until", clock_utc(&end, until),
		"left", json_value_seconds(left_ms), "crashes", s->counted,
		"refused", json_value_count(blocks_refused(w->blocks, place)));
}

void report_blocked(void *data, const struct control_request *r, struct answer_writer *o)
{
	const struct report_data *d = data;
	const struct poison_watch *w;

	(void)r;
	answer_writer_begin_list(o, "blocked");
	list_each(&d->master->states.poisons.all, w, struct poison_watch, in_all)
		for (size_t i = 0; i < POISON_SOURCES; i++)
			if (poison_is_blocked(&w->history.sources[i]))
				answer_writer_item(o, block(w, i, d));
	answer_writer_end_list(o);
}
