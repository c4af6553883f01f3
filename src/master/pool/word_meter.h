/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Limits how much a worker says over the leash. Each word costs the master a turn of its loop, and
 * LOOK a message to each other worker; a worker that says more than a sound one ever needs to is
 * broken.
 */
#ifndef DROVER_MASTER_POOL_WORD_METER_H
#define DROVER_MASTER_POOL_WORD_METER_H

#include <stdbool.h>
#include <stdint.h>

#include "leash.h"

/*
 * What a sound worker says at most: LOOK 21 times a second (acceptor.c), SLOTS after
 * each word of a sibling that starts or ends, and an answer to each kick of the
 * operator. A thousand workers that start at once are far from the burst.
 */
#define WORD_METER_RATE  500            /* words a second, */
#define WORD_METER_BURST 5000           /* after this number at once */

#define WORD_METER_TEXT  256

/* All zero for a worker that has said nothing. */
struct word_meter {
	int64_t  paid_ns;               /* of a struct bucket */
	int64_t  since_ms;              /* when it began to say more than WORD_METER_RATE */
	uint64_t n[LEASH_WORDS + 1];    /* since then, by word; the last: unknown words */
};

/* Counts one word. False if the worker has said too much. now_ms is of CLOCK_MONOTONIC. */
bool word_meter_count(struct word_meter *m, enum leash_word word, int64_t now_ms);

/* As in "5001 words over the leash in 0.016 s (LOOK 5000, READY 1)". */
void word_meter_describe(const struct word_meter *m, int64_t now_ms, char text[static WORD_METER_TEXT]);

#endif
