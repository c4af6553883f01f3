/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Counts refusals without a lock. Of the workers that refuse the first client at the same time, one
 * changes the state, and describes the client before the master can see the episode.
 */
#include <config.h>
#include "episode.h"

#include <assert.h>
#include <string.h>

#include "clock.h"

static_assert(sizeof(struct endpoint) == sizeof ((struct episode *)0)->first,
              "an endpoint is three words");

bool episode_note(struct episode *e, const struct endpoint *client, int64_t now_ms)
{
	const uint64_t before = atomic_fetch_add_explicit(&e->refused, 1, memory_order_relaxed);
	uint32_t none = EPISODE_NONE, begins = EPISODE_BEGINS;
	uint64_t words[3];

	atomic_store_explicit(&e->last_ms, now_ms, memory_order_relaxed);
	if (atomic_load_explicit(&e->state, memory_order_relaxed) != EPISODE_NONE ||
	    !atomic_compare_exchange_strong(&e->state, &none, EPISODE_BEGINS))
		return false;
	memcpy(words, client, sizeof words);
	for (size_t i = 0; i < 3; i++)
		atomic_store_explicit(&e->first[i], words[i], memory_order_relaxed);
	atomic_store_explicit(&e->before, before, memory_order_relaxed);
	/* The master may have looked meanwhile: then the log says already that it has begun. */
	atomic_compare_exchange_strong(&e->state, &begins, EPISODE_NEW);
	return true;
}

static struct endpoint first_client(const struct episode *e)
{
	uint64_t words[3];
	struct endpoint first;

	for (size_t i = 0; i < 3; i++)
		words[i] = atomic_load_explicit(&e->first[i], memory_order_relaxed);
	memcpy(&first, words, sizeof first);
	if (first.family == AF_INET || first.family == AF_INET6 || first.family == AF_UNIX)
		return first;
	return (struct endpoint){ 0 };
}

/* described: the worker has written how many were refused before. */
static void begin(struct episode *e, bool described, int64_t now_ms)
{
	if (!described)
		atomic_store(&e->before, atomic_load(&e->refused));
	atomic_store(&e->begun_ms, now_ms);
	atomic_store(&e->state, EPISODE_LOGGED);
}

/* What one that has begun is like now. */
static void describe(const struct episode *e, struct episode_view *v, int64_t now_ms)
{
	const int64_t begun_ms = atomic_load(&e->begun_ms);
	const uint64_t refused = atomic_load(&e->refused), before = atomic_load(&e->before);

	v->refused = refused > before ? refused - before : 0;
	v->lasted_ms = begun_ms > 0 && begun_ms < now_ms ? now_ms - begun_ms : 0;
}

static void end(struct episode *e, struct episode_view *v)
{
	atomic_store(&e->state, EPISODE_NONE);
	v->ends_ms = CLOCK_NEVER;
}

enum episode_news episode_look(struct episode *e, int64_t now_ms, struct episode_view *v)
{
	const uint32_t state = atomic_load_explicit(&e->state, memory_order_acquire);
	const int64_t last_ms = atomic_load(&e->last_ms);

	*v = (struct episode_view){ .ends_ms = CLOCK_NEVER };
	if (state == EPISODE_NONE)
		return EPISODE_NOTHING;
	v->ends_ms = (last_ms > 0 && last_ms < now_ms ? last_ms : now_ms) + EPISODE_QUIET_MS;
	if (state != EPISODE_LOGGED) {
		if (state == EPISODE_NEW)
			v->first = first_client(e);
		begin(e, state == EPISODE_NEW, now_ms);
		return EPISODE_BEGUN;
	}
	describe(e, v, now_ms);
	if (v->ends_ms > now_ms)
		return EPISODE_NOTHING;
	end(e, v);
	return EPISODE_ENDED;
}

bool episode_end(struct episode *e, int64_t now_ms, struct episode_view *v)
{
	const bool is_logged = atomic_load(&e->state) == EPISODE_LOGGED;

	*v = (struct episode_view){ 0 };
	describe(e, v, now_ms);
	end(e, v);
	return is_logged;
}
