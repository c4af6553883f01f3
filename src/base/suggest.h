/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Finds the known name that is nearest to a misspelt word, for "did you mean".
 */
#ifndef DROVER_BASE_SUGGEST_H
#define DROVER_BASE_SUGGEST_H

#include <stddef.h>

struct suggest {
	const char *word;
	const char *best;       /* the nearest name so far; NULL: none is near */
	size_t      distance;   /* from word to best, or the first that is too far */
};

/* Starts a search for word, which is lent until it ends. */
struct suggest suggest_for(const char *word);

/* One more candidate; lent as long as best is used. */
void suggest_offer(struct suggest *s, const char *name);

#endif
