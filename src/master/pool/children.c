/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Counts the workers of a pool by what they do, and chooses the one that suits best. It does not
 * know how a worker is started and ended. The pool owns the memory that the workers share; this
 * module only reads the board in it.
 */
#include <config.h>
#include "children.h"

#include <stdlib.h>

int children_init(struct children *cs, size_t n, const struct pool_memory *memory,
                  const struct child *blank)
{
	*cs = (struct children){ .all = calloc(n, sizeof *cs->all), .memory = memory };
	if (!cs->all)
		return -1;
	cs->n = n;
	for (size_t i = 0; i < n; i++) {
		cs->all[i] = *blank;
		cs->all[i].slot = i;
	}
	return 0;
}

void children_fini(struct children *cs)
{
	free(cs->all);
	*cs = (struct children){ 0 };
}

struct children_census children_census(const struct children *cs)
{
	struct children_census c = { 0 };

	for (size_t i = 0; i < cs->n; i++)
		switch (cs->all[i].state) {
		case CHILD_NONE:
			break;
		case CHILD_STARTING:
			c.starting++;
			break;
		case CHILD_ACCEPTING:
			c.accepting++;
			break;
		case CHILD_DRAINING:
		case CHILD_STOPPING:
		case CHILD_HANGING:
			c.draining++;
			break;
		}
	return c;
}

/* The open connections of a worker, as it says; but no more than it can have. */
static uint32_t open_of(const struct children *cs, size_t i)
{
	const struct board *b = cs->memory->board;
	const uint32_t open = atomic_load(&board_slot(b, i)->open), slots = (uint32_t)board_connections(b);

	return open < slots ? open : slots;
}

struct scaler_counts children_count(const struct children *cs)
{
	struct scaler_counts n = { .board = cs->memory->board };

	for (size_t i = 0; i < cs->n; i++) {
		if (cs->all[i].state != CHILD_ACCEPTING)
			continue;
		n.accepting++;
		n.open += open_of(cs, i);
		n.done += open_of(cs, i) + atomic_load(&board_slot(cs->memory->board, i)->served);
	}
	return n;
}

struct child *children_free_place(struct children *cs)
{
	for (size_t i = 0; i < cs->n; i++) {
		struct child *c = &cs->all[(cs->next + i) % cs->n];

		if (c->state != CHILD_NONE)
			continue;
		cs->next = (children_index(cs, c) + 1) % cs->n;
		return c;
	}
	return NULL;
}

struct child *children_find(const struct children *cs, pid_t pid)
{
	for (size_t i = 0; i < cs->n; i++)
		if (cs->all[i].state != CHILD_NONE && cs->all[i].pid == pid)
			return &cs->all[i];
	return NULL;
}

struct child *children_retiring(const struct children *cs)
{
	for (size_t i = 0; i < cs->n; i++)
		if (cs->all[i].state == CHILD_ACCEPTING && cs->all[i].retiring)
			return &cs->all[i];
	return NULL;
}

struct child *children_least_busy(const struct children *cs)
{
	struct child *best = children_retiring(cs);
	uint32_t fewest = best ? 0 : UINT32_MAX;

	for (size_t i = 0; i < cs->n; i++) {
		if (cs->all[i].state == CHILD_STARTING)
			return &cs->all[i];
		if (cs->all[i].state == CHILD_ACCEPTING && open_of(cs, i) < fewest) {
			best = &cs->all[i];
			fewest = open_of(cs, i);
		}
	}
	return best;
}
