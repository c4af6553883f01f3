/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Counting and choosing.
 */
#include <config.h>
#include "children.h"

#include <stdlib.h>

#include "fd.h"

static int init(struct children *cs, size_t n, uint32_t slots, const struct child *blank)
{
	*cs = (struct children){ .all = calloc(n, sizeof *cs->all), .slots = slots,
	                         .foreign_board = -1 };
	if (!cs->all)
		return -1;
	cs->n = n;
	for (size_t i = 0; i < n; i++)
		cs->all[i] = *blank;
	return 0;
}

int children_init(struct children *cs, size_t n, uint32_t slots, size_t input_size,
                  const struct child *blank)
{
	if (init(cs, n, slots, blank) == -1)
		return -1;
	cs->board = board_new(n, slots, input_size);
	return cs->board ? 0 : -1;
}

int children_adopt(struct children *cs, size_t n, uint32_t slots, size_t input_size,
                   const struct child *blank, int fd, int version)
{
	const bool is_foreign = version != BOARD_VERSION;

	if (init(cs, n, slots, blank) == -1)
		return -1;
	cs->board = is_foreign ? board_new(n, slots, 0) : board_adopt(fd, n, slots, input_size);
	if (!cs->board)
		return -1;
	if (is_foreign) {
		cs->foreign_board = fd;
		cs->foreign_version = version;
	}
	return 0;
}

int children_board_fd(const struct children *cs, int *version)
{
	const bool is_foreign = cs->foreign_board != -1;

	*version = is_foreign ? cs->foreign_version : BOARD_VERSION;
	return is_foreign ? cs->foreign_board : board_fd(cs->board);
}

void children_fini(struct children *cs)
{
	board_free(&cs->board);
	if (cs->all)
		fd_close(&cs->foreign_board);
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

/* Connections of a worker as it says: more than it has room for is nonsense. */
static uint32_t open_of(const struct children *cs, size_t i)
{
	const uint32_t open = atomic_load(&board_slot(cs->board, i)->open);

	return open < cs->slots ? open : cs->slots;
}

struct scaler_counts children_count(const struct children *cs)
{
	struct scaler_counts n = { .board = cs->board };

	for (size_t i = 0; i < cs->n; i++) {
		if (cs->all[i].state != CHILD_ACCEPTING)
			continue;
		n.accepting++;
		n.open += open_of(cs, i);
		n.done += open_of(cs, i) + atomic_load(&board_slot(cs->board, i)->served);
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
