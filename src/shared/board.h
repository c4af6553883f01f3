/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The scoreboard of a service: shared memory in which each of its workers says
 * what it does. A slot has one writer at a time: the worker while it lives, the
 * master otherwise. Readers take what they find for a hint: there are no locks,
 * nothing that is shared is a pointer or a length, and a broken worker may
 * write nonsense.
 */
#ifndef DROVER_SHARED_BOARD_H
#define DROVER_SHARED_BOARD_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BOARD_LINE 64                   /* bytes of a cache line: no two workers write in one */

enum board_state {
	BOARD_FREE,                     /* no worker here */
	BOARD_STARTING,                 /* forked, not yet accepting */
	BOARD_ACCEPTING,
	BOARD_DRAINING,
};

struct board_slot {
	alignas(BOARD_LINE) _Atomic uint32_t state;     /* enum board_state */
	_Atomic uint32_t open;          /* connections that hold a slot of the worker */
	_Atomic uint64_t served;        /* connections that have ended */
};

struct board;

/* Shared with children forked later. NULL with errno. */
struct board *board_new(size_t n_slots);

/* Unmaps *bp and sets it to NULL; NULL is fine. */
void board_free(struct board **bp);

/* Lent. i is below n_slots. */
struct board_slot *board_slot(struct board *b, size_t i);

/* Empties slot i for the next worker, or after the last. */
void board_reset(struct board *b, size_t i, enum board_state state);

/*
 * True if worker i holds clearly more open connections than a quarter of the others
 * that accept and have room, with `slots` each. Compares with BOARD_SAMPLE of
 * them. *done becomes a number that changes when those behind it get something
 * done.
 */
bool board_is_ahead(struct board *b, size_t i, uint32_t slots, uint64_t *done);

/*
 * What the workers that accept say together, with `slots` each. Looks no
 * further once more than `enough` are free.
 */
struct board_sum { uint64_t open, free; };
struct board_sum board_sum(struct board *b, uint32_t slots, uint64_t enough);

#define BOARD_SAMPLE 16

#endif
