/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes one value of a snapshot as HTML. What a cell shows is said by its kind, whose name is also
 * in the document, so that page.js shows the same when it has a newer snapshot: each kind has
 * a function there, too.
 */
#ifndef DROVER_STATUS_PAGE_CELL_H
#define DROVER_STATUS_PAGE_CELL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* X(NAME, name): the value is a number or a text, or the object that is named here. */
#define PAGE_CELLS(X) \
	X(TEXT, text)           /* a text, or a whole number such as a process id */ \
	X(COUNT, count) \
	X(BYTES, bytes) \
	X(AGE, age) \
	X(WHEN, when)           /* a time such as 2026-11-22T15:50:01.123Z */ \
	X(BADGE, badge)         /* the word of a state, with a colour */ \
	X(NAME, name)           /* of a service, with its handler and its addresses: the service */ \
	X(STATE, state)         /* of a service, with the reason: the service */ \
	X(WORKERS, workers)     /* `workers` of a service */ \
	X(SLOTS, slots)         /* `slots` of a service */ \
	X(ROOM, room)           /* the slots of a worker: the worker */ \
	X(QUEUE, queue)         /* `queue` of a service */ \
	X(REFUSED, refused)     /* refused and untracked clients: the service, or the totals */ \
	X(DEATHS, deaths)       /* workers that died, connections that were lost: the service */ \
	X(PROGRAMS, programs)   /* `filter` and `warm`: the service */ \
	X(TIMES, times)         /* `times` of a service, as means */ \
	X(SIGNAL, signal)       /* that ended a worker: the crash */ \
	X(NAMES, names)         /* of a certificate: a list */ \
	X(DAYS, days)           /* that are left */ \
	X(RELOAD, reload)       /* how the last reload went: the whole snapshot */ \
	X(REFUSAL, refusal)     /* why it was refused: the whole snapshot */

enum page_cell {
#define X(NAME, name) PAGE_CELL_##NAME,
	PAGE_CELLS(X)
#undef X
};

const char *page_cell_name(enum page_cell kind);

/* The value at a path such as "totals.open"; root itself for "". NULL if there is none. */
const json_t *page_cell_find(const json_t *root, const char *path);

/* Writes nothing and returns false if the value is absent or says nothing. */
bool page_cell_write(FILE *out, enum page_cell kind, const json_t *value);

#endif
