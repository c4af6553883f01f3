/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The counts and rates of a service and of its clients' sources. It does not know who a source is:
 * the entry of a source has only a tag, which is a part of its key.
 *
 *     header with the service's own words | entry entry ...
 *
 * An entry is two words. The first has the tag and the count together, so that an entry changes
 * its source by one compare-and-swap (CAS), and that of a worker which has seen another source or
 * another count fails. Its version is different after each change of the word: the audit sees
 * whether there was one. The second says when the source's bucket is full again (bucket.h).
 *
 * A source is in one of the SOURCES_WINDOW entries that follow from its key. Every look goes over
 * all of them, so that an entry which becomes free leaves no gap. An entry whose count is 0 keeps
 * its source, and the rate of that, until another source needs the entry.
 *
 * Why the limit of a source is exact: two workers that meet a new source at the same time may give
 * it two entries. Therefore a worker adds its connection first, and then looks again at all
 * entries of the source: if their counts are together more than the limit, it gives its place back.
 * Of those who have a place, the last to add has seen the places of all others.
 */
#include <config.h>
#include "sources_private.h"

#include <string.h>

#include "shared_rate.h"
#include "siphash.h"

/* ---- keys --------------------------------------------------------------- */

/* The high bits are the tag, the low ones the place. */
static uint64_t tag_of_key(uint64_t key)
{
	return key >> TAG_SHIFT;
}

/* No source has the tag 0, which is that of an entry that was never used. */
uint64_t sources_key(const struct sources *s, const struct source_id *source)
{
	uint32_t bytes[6] = { source->prefix.family, source->prefix.len };
	uint64_t key;

	if (source->prefix.family == AF_UNIX)
		bytes[2] = source->uid;
	else
		memcpy(&bytes[2], source->prefix.ip, sizeof source->prefix.ip);
	key = siphash(s->secret, bytes, sizeof bytes);
	return tag_of_key(key) > 0 ? key : key | UINT64_C(1) << TAG_SHIFT;
}

/* ---- looking ------------------------------------------------------------ */


/* What a window has to say to one source. */
struct look {
	struct entry *own;              /* the first one of the source; NULL: none */
	uint64_t      word;             /* the first word of `own`, or of `room` */
	uint64_t      sum;              /* of the counts of all entries of the source */
	struct entry *room;             /* the best one for a new source, if there is no own; NULL: none */
	int64_t       room_paid_ns;
};

/* Of entries whose count is 0, the best one is that whose bucket is full, or will be soonest. */
static void consider(struct look *l, struct entry *e, uint64_t word, int64_t now_ns)
{
	int64_t paid_ns = atomic_load_explicit(&e->paid_ns, memory_order_relaxed);

	if (l->own || (l->room && (l->room_paid_ns <= now_ns || paid_ns >= l->room_paid_ns)))
		return;
	l->room = e;
	l->room_paid_ns = paid_ns;
	l->word = word;
}

static struct look look(const struct sources *s, uint64_t key, int64_t now_ns)
{
	const size_t first = key * LINE_ENTRIES & (s->n_entries - 1);
	struct look l = { 0 };

	for (size_t k = 0; k < SOURCES_WINDOW; k++) {
		struct entry *e = &s->entries[(first + k) & (s->n_entries - 1)];
		const uint64_t word = atomic_load(&e->count);

		if (tag_in(word) == tag_of_key(key)) {
			if (!l.own)
				l.word = word;
			l.own = l.own ? l.own : e;
			l.sum += count_in(word);
		} else if (count_in(word) == 0) {
			consider(&l, e, word, now_ns);
		}
	}
	return l;
}

/* ---- changing ----------------------------------------------------------- */

static uint32_t index_of(const struct sources *s, const struct entry *e)
{
	return (uint32_t)(e - s->entries);
}

/* Adds a connection to e, which was seen as `seen` and becomes that of tag. False if it is no longer so. */
static bool add(struct sources *s, struct hold *h, struct entry *e, uint64_t seen, uint64_t tag)
{
	const uint32_t count = tag_in(seen) == tag ? count_in(seen) : 0;
	struct hold_view now = { HOLD_INTENT, index_of(s, e), tag };

	hold_set(h, now);
	now.state = atomic_compare_exchange_strong(&e->count, &seen, changed(seen, tag, count + 1))
	            ? HOLD_HELD : HOLD_NONE;
	hold_set(h, now);
	return now.state == HOLD_HELD;
}

/* Takes a connection off, unless the entry has none or is that of another source: false. */
static bool take_off(struct sources *s, uint32_t index, uint64_t tag)
{
	struct entry *e = &s->entries[index];
	uint64_t seen = atomic_load(&e->count);

	do {
		if (tag_in(seen) != tag || count_in(seen) == 0)
			return false;
	} while (!atomic_compare_exchange_weak(&e->count, &seen, changed(seen, tag, count_in(seen) - 1)));
	return true;
}

/* The new source does not pay for the one before. Not if another worker was here in the meantime. */
static void forget_debt(struct entry *e, int64_t paid_ns, int64_t now_ns)
{
	if (paid_ns > now_ns)
		atomic_compare_exchange_strong(&e->paid_ns, &paid_ns, 0);
}

/* ---- one source --------------------------------------------------------- */

/* A request to sources_take. */
struct request {
	uint64_t                    key;
	const struct source_limits *limits;
	int64_t                     now_ns;
	struct hold                *hold;
};

static bool is_above(const struct source_limits *limits, uint64_t connections)
{
	return limits->connections > 0 && connections > limits->connections;
}

/*
 * Adds to the entry of the source that l has found. If the source is at a limit, nothing is
 * written: a flood of one source does not take the cache line from the others. False: look again.
 */
static bool add_to_own(struct sources *s, const struct request *r, const struct look *l,
                       enum sources_result *result)
{
	*result = SOURCES_TAKEN;
	if (is_above(r->limits, l->sum + 1))
		*result = SOURCES_FULL;
	else if (shared_rate_wait(&l->own->paid_ns, &r->limits->rate, r->now_ns) > 0)
		*result = SOURCES_TOO_FAST;
	else if (count_in(l->word) == SOURCES_COUNT_MAX)
		*result = SOURCES_UNTRACKED;
	else
		return add(s, r->hold, l->own, l->word, tag_of_key(r->key));
	return true;
}

/* Makes the entry that l has found that of the source. False: look again. */
static bool add_to_room(struct sources *s, const struct request *r, const struct look *l,
                        enum sources_result *result)
{
	*result = l->room ? SOURCES_TAKEN : SOURCES_UNTRACKED;
	if (!l->room)
		return true;
	if (!add(s, r->hold, l->room, l->word, tag_of_key(r->key)))
		return false;
	forget_debt(l->room, l->room_paid_ns, r->now_ns);
	return true;
}

/*
 * The source has a place in e, which is kept only if no limit is exceeded with it. If there is an
 * earlier entry of the source, the place is given back as well, and another one is taken
 * there: the later entry dies out. False: look again.
 */
static bool keep(struct sources *s, const struct request *r, const struct entry *e,
                 enum sources_result *result)
{
	const struct look l = look(s, r->key, r->now_ns);
	const bool full = is_above(r->limits, l.sum);

	if (!full && l.own == e && shared_rate_pay(&l.own->paid_ns, &r->limits->rate, r->now_ns) == 0)
		return true;
	sources_give(s, r->hold);
	*result = full ? SOURCES_FULL : SOURCES_TOO_FAST;
	return full || l.own == e;
}

enum sources_result sources_take(struct sources *s, uint64_t key, const struct source_limits *limits,
                                 int64_t now_ns, struct hold *h)
{
	const struct request r = { key, limits, now_ns, h };
	enum sources_result result;
	struct look l;
	bool done;

	if (!h)
		return SOURCES_UNTRACKED;
	do {
		l = look(s, key, now_ns);
		done = l.own ? add_to_own(s, &r, &l, &result) : add_to_room(s, &r, &l, &result);
		if (done && result == SOURCES_TAKEN)
			done = keep(s, &r, l.own ? l.own : l.room, &result);
	} while (!done);
	return result;
}

void sources_give(struct sources *s, struct hold *h)
{
	struct hold_view now = h ? hold_get(h) : (struct hold_view){ .state = HOLD_NONE };

	if (now.state != HOLD_HELD || now.index >= s->n_entries)
		return;
	now.state = HOLD_INTENT;
	hold_set(h, now);
	take_off(s, now.index, now.tag);
	now.state = HOLD_NONE;
	hold_set(h, now);
}

bool sources_reclaim(struct sources *s, uint32_t index, uint64_t tag)
{
	return index < s->n_entries && take_off(s, index, tag);
}

uint32_t sources_of_hold(const struct hold *h)
{
	const struct hold_view now = h ? hold_get(h) : (struct hold_view){ .state = HOLD_NONE };

	return now.state == HOLD_HELD ? 1 + now.index : 0;
}

/* ---- for the audit and for reports -------------------------------------- */

struct sources_count sources_look(const struct sources *s, uint32_t index)
{
	return (struct sources_count){ atomic_load(&s->entries[index].count) };
}

uint32_t sources_count_of(struct sources_count c)
{
	return count_in(c.word);
}

uint64_t sources_tag_of(struct sources_count c)
{
	return tag_in(c.word);
}

uint64_t sources_tag_of_key(uint64_t key)
{
	return tag_of_key(key);
}

int64_t sources_wait_ns(const struct sources *s, uint32_t index, const struct bucket_rate *rate,
                        int64_t now_ns)
{
	return shared_rate_wait_of(rate, atomic_load_explicit(&s->entries[index].paid_ns, memory_order_relaxed),
	                           now_ns);
}

bool sources_correct(struct sources *s, uint32_t index, struct sources_count seen, uint32_t count)
{
	return atomic_compare_exchange_strong(&s->entries[index].count, &seen.word,
	                                      changed(seen.word, tag_in(seen.word), count));
}
