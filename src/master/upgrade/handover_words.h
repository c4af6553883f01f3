/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The form of enumerators, foreign bytes, addresses and histograms in a hand-over.
 */
#ifndef DROVER_MASTER_UPGRADE_HANDOVER_WORDS_H
#define DROVER_MASTER_UPGRADE_HANDOVER_WORDS_H

#include <jansson.h>
#include <stdbool.h>

#include "address.h"
#include "arena.h"
#include "histogram.h"

struct handover_words { const char *const *names; int n; };    /* by enumerator; NULL: never written */

extern const struct handover_words handover_states;            /* enum child_state */
extern const struct handover_words handover_kinds;             /* enum listen_kind */
extern const struct handover_words handover_targets;           /* enum log_target */
extern const struct handover_words handover_formats;           /* enum log_format */
extern const struct handover_words handover_levels;            /* enum log_level */
extern const struct handover_words handover_pipes;             /* enum log_pipe */

/* The enumerator; -1 if there is none of that name. */
int handover_word(const struct handover_words *w, const char *name);

/*
 * From now on, what the JSON library frees is wiped. Call it before a hand-over is written or read,
 * because there may be passwords in it.
 */
void handover_words_wipe(void);

/*
 * Bytes as a JSON string: each byte is one character, from U+0001 to U+00FF. NULL becomes null, and
 * null becomes NULL. handover_get_bytes returns false for anything else, or without memory.
 */
json_t *handover_put_bytes(const char *bytes);
bool handover_get_bytes(struct arena *a, const json_t *j, const char **bytes);

/* An address as the kernel has it, in hexadecimal digits. */
json_t *handover_put_address(const struct address *a);
bool handover_get_address(const json_t *j, struct address *a);

/*
 * A histogram as a list of whole numbers: its sum in milliseconds, then its buckets. If the list
 * has another length, its buckets have other bounds than ours, and *h becomes empty. False for
 * anything else.
 */
json_t *handover_put_histogram(const struct histogram *h);
bool handover_get_histogram(const json_t *j, struct histogram *h);

#endif
