/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Memory that is filled piece by piece and freed as a whole.
 *
 * The pages are shared with children that are forked later, and they lie at the
 * same address there: a child can build a structure with pointers in it, and
 * the parent reads it after the child is gone. That is how a configuration is
 * read in a child of its own (conf_fetch.c).
 */
#ifndef DROVER_BASE_ARENA_H
#define DROVER_BASE_ARENA_H

#include <stddef.h>

struct arena {
	char   *base;           /* page aligned; NULL when closed */
	size_t  size;           /* bytes mapped */
	size_t  used;           /* bytes handed out, from base */
};

/* Maps size bytes (address space only, until they are written). 0, or -1 with errno. */
int arena_open(struct arena *a, size_t size);

/* Unmaps all of it. A closed arena is fine. */
void arena_close(struct arena *a);

/*
 * Zeroed memory, aligned for any type, lent until arena_close. NULL with
 * ENOMEM when the arena is full.
 */
void *arena_alloc(struct arena *a, size_t size);

/* Copies of a string (len bytes of it and a NUL) in the arena; NULL as above. */
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t len);

/* Wipes and takes back all that was handed out from `from` on; NULL: nothing. */
void arena_rewind(struct arena *a, void *from);

/*
 * Makes the first `used` bytes private and read-only, at the same addresses,
 * and unmaps the rest. Processes that shared the pages cannot change them any more,
 * and a child that is forked later cannot make them writable for others. 0, or
 * -1 with errno.
 */
int arena_seal(struct arena *a, size_t used);

/*
 * Moves the mark to the next page boundary and returns that address, so that what
 * follows can be unmapped without what came before. NULL as above.
 */
void *arena_next_page(struct arena *a);

#endif
