/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reclaims and recounts. Why a look is right: a worker writes INTENT into its hold, changes the
 * count, and writes the hold as it is then. If the count did not change from the begin of a look
 * to its end, and no INTENT was seen, then each hold said the same all the time, or said it
 * before or after an attempt that has changed nothing.
 */
#include <config.h>
#include "audit.h"

#include <stdlib.h>

struct audit_suspect {
	uint32_t             index;
	bool                 is_unused; /* no worker has ever written there: it is not looked at */
	struct audit_finding found;
};

/* How often a pass tries to find the service's count, which changes with each client, unchanged. */
#define SERVICE_LOOKS 32

/* ---- reclaiming --------------------------------------------------------- */

static void reclaim_hold(struct audit_remains *left, const struct hold *h, struct sources *s)
{
	const struct hold_view v = hold_get(h);

	if (v.state == HOLD_NONE)
		return;
	if (v.state == HOLD_INTENT)
		left->intents++;
	else if (v.state == HOLD_HELD && sources_reclaim(s, v.index, v.tag))
		left->given_back++;
	else
		left->ignored++;
}

/* A worker has at most one place for each of its holds. */
static void reclaim_service(struct audit_remains *left, const struct service_hold *h, size_t n_holds,
                            struct sources *s)
{
	const struct service_hold_view v = service_hold_get(h);

	left->intents += v.intent;
	left->ignored += v.held > n_holds;
	left->given_back_service = v.held > n_holds ? (uint32_t)n_holds : v.held;
	sources_reclaim_service(s, left->given_back_service);
}

struct audit_remains audit_reclaim(struct holds *h, size_t i, struct sources *s)
{
	struct audit_remains left = { 0 };
	size_t n;
	const struct hold *holds = holds_of(h, i, &n);

	for (size_t k = 0; k < n; k++)
		reclaim_hold(&left, &holds[k], s);
	reclaim_service(&left, holds_service_of(h, i), holds_each(h), s);
	holds_reset(h, i);
	return left;
}

/* ---- a finding ---------------------------------------------------------- */

enum judgement { AGREES, DIFFERS, LOOK_AGAIN };

static void begin_look(struct audit_finding *f, struct sources_count seen)
{
	f->seen = seen;
	f->held = 0;
	f->unsettled = false;
}

/* At the end of a look: `now` is the count, which the look has seen as `count`. DIFFERS: correct it. */
static enum judgement judge(struct audit_finding *f, struct sources_count now, uint32_t count)
{
	const int64_t off = (int64_t)count - f->held;
	const bool confirmed = f->known && f->off == off;

	if (f->unsettled || now.word != f->seen.word)
		return LOOK_AGAIN;
	if (off == 0)
		return AGREES;
	f->known = !confirmed;          /* after a correction, two looks must find a difference again */
	f->off = off;
	return confirmed ? DIFFERS : LOOK_AGAIN;
}

/* ---- the service -------------------------------------------------------- */

static void look_at_service(struct audit_finding *f, const struct sources *s,
                            struct holds *const *pools, size_t n_pools)
{
	begin_look(f, sources_look_at_service(s));
	for (size_t p = 0; p < n_pools; p++) {
		for (size_t i = 0; i < holds_workers(pools[p]); i++) {
			const struct service_hold_view v = service_hold_get(holds_service_of(pools[p], i));

			f->held += v.held;
			f->unsettled |= v.intent;
		}
	}
}

static enum judgement judge_service(struct audit *a, struct sources *s, struct holds *const *pools,
                                    size_t n_pools)
{
	struct audit_finding *f = &a->service;
	enum judgement j = LOOK_AGAIN;

	for (int i = 0; i < SERVICE_LOOKS && j == LOOK_AGAIN; i++) {
		look_at_service(f, s, pools, n_pools);
		j = judge(f, sources_look_at_service(s), sources_service_count_of(f->seen));
	}
	return j;
}

/* The difference is confirmed by a second look in the same pass, or in the next one. */
static void pass_service(struct audit *a, struct sources *s, struct holds *const *pools,
                         size_t n_pools)
{
	enum judgement j = a->service_is_suspect ? judge_service(a, s, pools, n_pools) : AGREES;

	if (j == DIFFERS && sources_correct_service(s, a->service.seen, a->service.held))
		a->corrected++;
	a->service_is_suspect = j != AGREES;
}

/* ---- sources ------------------------------------------------------------ */

/* Makes AUDIT_CHUNK entries suspects, from the next one that may have been used. False without memory. */
static bool add_suspects(struct audit *a, const struct sources *s)
{
	struct sources_range used = sources_used(s, (uint32_t)a->next);
	const size_t left = sources_entries(s) - used.begin, n = left < AUDIT_CHUNK ? left : AUDIT_CHUNK;
	const uint32_t end = used.begin + (uint32_t)n;
	struct audit_suspect *all = realloc(a->suspects, (a->n_suspects + n + 1) * sizeof *all);

	if (!all)
		return false;
	a->suspects = all;
	for (uint32_t i = used.begin; i < end; i++) {
		if (i == used.end)
			used = sources_used(s, i);
		all[a->n_suspects++] = (struct audit_suspect){ .index = i, .is_unused = i < used.begin };
	}
	a->next = end;
	return true;
}

static int by_index(const void *key, const void *suspect)
{
	const uint32_t index = *(const uint32_t *)key;
	const struct audit_suspect *of = suspect;

	return index < of->index ? -1 : index > of->index;
}

/* Suspects from first_of_chunk on are consecutive entries. */
static struct audit_suspect *find(const struct audit *a, size_t first_of_chunk, uint32_t index)
{
	const struct audit_suspect *chunk = &a->suspects[first_of_chunk];

	if (first_of_chunk < a->n_suspects && index >= chunk->index && index < a->next)
		return &a->suspects[first_of_chunk + (index - chunk->index)];
	return bsearch(&index, a->suspects, first_of_chunk, sizeof *a->suspects, by_index);
}

static void count_hold(const struct audit *a, size_t first_of_chunk, const struct hold *h)
{
	const struct hold_view v = hold_get(h);
	struct audit_suspect *of = v.state == HOLD_NONE ? NULL : find(a, first_of_chunk, v.index);

	if (!of)
		return;
	if (v.state == HOLD_INTENT)
		of->found.unsettled = true;
	else if (v.state == HOLD_HELD && v.tag > 0 && v.tag == sources_tag_of(of->found.seen) &&
	         of->found.held < SOURCES_COUNT_MAX)
		of->found.held++;
}

static void count_holds(const struct audit *a, size_t first_of_chunk, const struct holds *pool)
{
	for (size_t i = 0; i < holds_workers(pool); i++) {
		size_t n;
		const struct hold *holds = holds_of(pool, i, &n);

		for (size_t k = 0; k < n; k++)
			count_hold(a, first_of_chunk, &holds[k]);
	}
}

/* Keeps those that must be looked at again. */
static void judge_suspects(struct audit *a, struct sources *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < a->n_suspects; i++) {
		struct audit_suspect *of = &a->suspects[i];
		struct audit_finding *f = &of->found;
		enum judgement j = of->is_unused ? AGREES
		                   : judge(f, sources_look(s, of->index), sources_count_of(f->seen));

		if (j == DIFFERS && sources_correct(s, of->index, f->seen, f->held))
			a->corrected++;
		if (j != AGREES)
			a->suspects[kept++] = *of;
	}
	a->n_suspects = kept;
}

/* Gives memory back that the suspects of a chunk needed. */
static void shrink(struct audit *a)
{
	struct audit_suspect *fewer = NULL;

	if (a->n_suspects > 0)
		fewer = realloc(a->suspects, a->n_suspects * sizeof *fewer);
	else
		free(a->suspects);
	a->suspects = a->n_suspects > 0 && !fewer ? a->suspects : fewer;
}

static void pass_sources(struct audit *a, struct sources *s, struct holds *const *pools,
                         size_t n_pools)
{
	const size_t first_of_chunk = a->n_suspects;

	if (a->next < sources_entries(s) && !add_suspects(a, s))
		return;
	for (size_t i = 0; i < a->n_suspects; i++)
		if (!a->suspects[i].is_unused)
			begin_look(&a->suspects[i].found, sources_look(s, a->suspects[i].index));
	for (size_t p = 0; p < n_pools && a->n_suspects > 0; p++)
		count_holds(a, first_of_chunk, pools[p]);
	judge_suspects(a, s);
	shrink(a);
}

/* ---- the recount -------------------------------------------------------- */

void audit_end(struct audit *a)
{
	free(a->suspects);
	*a = (struct audit){ .corrected = a->corrected };
}

void audit_begin(struct audit *a)
{
	audit_end(a);
	*a = (struct audit){ .going_on = true, .service_is_suspect = true };
}

enum audit_result audit_pass(struct audit *a, struct sources *s, struct holds *const *pools,
                             size_t n_pools)
{
	if (!a->going_on)
		return AUDIT_DONE;
	pass_service(a, s, pools, n_pools);
	pass_sources(a, s, pools, n_pools);
	a->going_on = a->service_is_suspect || a->n_suspects > 0 || a->next < sources_entries(s);
	return a->going_on ? AUDIT_AGAIN : AUDIT_DONE;
}
