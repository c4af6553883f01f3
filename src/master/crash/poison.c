/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Counts crashes by source, and computes blocks. A source that was not heard of for the longest time
 * is forgotten when its place is needed; one that is blocked is not.
 */
#include <config.h>
#include "poison.h"

#include <string.h>

#include "clock.h"

static bool is_free(const struct poison_source *s)
{
	return !source_id_is_known(&s->source);
}

static bool is_recent(const struct conf_poison *rule, int64_t crash_ms, int64_t now_ms)
{
	return now_ms - crash_ms <= rule->within;
}

/* ---- places ------------------------------------------------------------- */

static size_t find_source(const struct poison *p, const struct source_id *source)
{
	size_t i = 0;

	while (i < POISON_SOURCES && (is_free(&p->sources[i]) ||
	                              !source_id_equal(&p->sources[i].source, source)))
		i++;
	return i;
}

/* A free place, else that of the source that changed first. */
static size_t find_place(const struct poison *p)
{
	size_t best = POISON_SOURCES;

	for (size_t i = 0; i < POISON_SOURCES; i++) {
		const struct poison_source *s = &p->sources[i];

		if (is_free(s))
			return i;
		if (!poison_is_blocked(s) &&
		    (best == POISON_SOURCES || s->changed_ms < p->sources[best].changed_ms))
			best = i;
	}
	return best;
}

static size_t place_of(struct poison *p, const struct source_id *source)
{
	size_t i = find_source(p, source);

	if (i != POISON_SOURCES)
		return i;
	i = find_place(p);
	if (i != POISON_SOURCES)
		p->sources[i] = (struct poison_source){ .source = *source };
	return i;
}

/* ---- crashes ------------------------------------------------------------ */

static void add_crash(struct poison_source *s, int64_t now_ms)
{
	memmove(&s->crashes_ms[1], &s->crashes_ms[0], sizeof s->crashes_ms - sizeof s->crashes_ms[0]);
	s->crashes_ms[0] = now_ms;
	if (s->n_crashes < CONF_POISON_CRASHES_MAX)
		s->n_crashes++;
	s->counted += poison_is_blocked(s);
	s->changed_ms = now_ms;
}

static int recent_crashes(const struct poison_source *s, const struct conf_poison *rule, int64_t now_ms)
{
	int n = 0;

	while (n < s->n_crashes && is_recent(rule, s->crashes_ms[n], now_ms))
		n++;
	return n;
}

static int count_sources(const struct poison *p, const struct conf_poison *rule, int64_t now_ms)
{
	int n = 0;

	for (size_t i = 0; i < POISON_SOURCES; i++)
		n += recent_crashes(&p->sources[i], rule, now_ms) > 0;
	return n;
}

/* True once, until `within` has passed without it. */
static bool is_news(struct poison *p, const struct conf_poison *rule, int64_t now_ms)
{
	const bool news = p->spread_ms == 0 || !is_recent(rule, p->spread_ms, now_ms);

	p->spread_ms = now_ms;
	return news;
}

static int64_t next_block_ms(const struct poison_source *s, const struct conf_poison *rule, int64_t now_ms)
{
	if (s->block_ms == 0 || now_ms - s->free_ms > rule->block_max)
		return rule->block;
	return s->block_ms < rule->block_max / 2 ? 2 * s->block_ms : rule->block_max;
}

static void begin_block(struct poison_source *s, const struct conf_poison *rule, int64_t now_ms)
{
	s->block_ms = next_block_ms(s, rule, now_ms);
	s->since_ms = now_ms;
	s->until_ms = now_ms + s->block_ms;
	s->counted = recent_crashes(s, rule, now_ms);
}

enum poison_verdict poison_note(struct poison *p, const struct conf_poison *rule,
                                const struct source_id *source, bool is_exempt, int64_t now_ms,
                                size_t *place)
{
	struct poison_source *s;

	*place = place_of(p, source);
	if (*place == POISON_SOURCES)
		return POISON_NOTED;
	s = &p->sources[*place];
	add_crash(s, now_ms);
	if (is_exempt || poison_is_blocked(s) || recent_crashes(s, rule, now_ms) < rule->crashes)
		return POISON_NOTED;
	if (count_sources(p, rule, now_ms) >= POISON_SPREAD)
		return is_news(p, rule, now_ms) ? POISON_IS_SPREAD : POISON_NOTED;
	begin_block(s, rule, now_ms);
	return POISON_BLOCKED;
}

/* ---- ends --------------------------------------------------------------- */

int64_t poison_next_ms(const struct poison *p)
{
	int64_t next_ms = CLOCK_NEVER;

	for (size_t i = 0; i < POISON_SOURCES; i++)
		if (poison_is_blocked(&p->sources[i]) && p->sources[i].until_ms < next_ms)
			next_ms = p->sources[i].until_ms;
	return next_ms;
}

size_t poison_find_ended(const struct poison *p, int64_t now_ms)
{
	size_t i = 0;

	while (i < POISON_SOURCES &&
	       (!poison_is_blocked(&p->sources[i]) || p->sources[i].until_ms > now_ms))
		i++;
	return i;
}

void poison_end(struct poison *p, size_t place, int64_t now_ms)
{
	struct poison_source *s = &p->sources[place];

	s->n_crashes = s->counted = 0;
	s->since_ms = s->until_ms = 0;
	s->free_ms = s->changed_ms = now_ms;
}

/* ---- for the next program ----------------------------------------------- */

static bool makes_sense(const struct poison_source *s)
{
	if (is_free(s) || s->n_crashes < 0 || s->n_crashes > CONF_POISON_CRASHES_MAX ||
	    s->counted < 0 || s->block_ms < 0)
		return false;
	for (int i = 1; i < s->n_crashes; i++)
		if (s->crashes_ms[i] > s->crashes_ms[i - 1])
			return false;
	return !poison_is_blocked(s) || (s->since_ms <= s->until_ms && s->block_ms > 0);
}

bool poison_restore(struct poison *p, size_t place, const struct poison_source *source)
{
	if (place >= POISON_SOURCES || !is_free(&p->sources[place]) || !makes_sense(source) ||
	    find_source(p, &source->source) != POISON_SOURCES)
		return false;
	p->sources[place] = *source;
	return true;
}
