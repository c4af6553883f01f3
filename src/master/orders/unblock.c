/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Finds blocks in the watches of all services. What a block is, poison_watch.c knows.
 */
#include <config.h>
#include "unblock.h"

#include "json_value.h"

static void lift(struct poison_watch *w, size_t place, json_t *lifted)
{
	char prefix[SOURCE_ID_TEXT_MAX];

	source_id_format(&w->history.sources[place].source, prefix, sizeof prefix);
	json_array_append_new(lifted, json_pack("{s:o, s:s}", "service", json_value_text(w->service),
	                                        "prefix", prefix));
	poison_watch_lift(w, place);
}

bool unblock_source(struct master *m, const struct source_id *named, json_t *lifted)
{
	struct poison_watch *w;
	bool some = false;

	list_each(&m->states.poisons.all, w, struct poison_watch, in_all)
		for (size_t i = 0; i < POISON_SOURCES; i++) {
			if (!poison_watch_means(w, i, named))
				continue;
			lift(w, i, lifted);
			some = true;
		}
	return some;
}
