/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads single members of a hand-over, for the modules that read the whole of it. Each function that
 * returns bool returns false with the reason in `why` if the JSON is not what it has to be. What is
 * read lies in the arena of the hand-over. Which keys there are is known to the callers.
 */
#ifndef DROVER_MASTER_UPGRADE_HANDOVER_READING_H
#define DROVER_MASTER_UPGRADE_HANDOVER_READING_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "handover.h"
#include "handover_words.h"

struct reading {
	struct handover *h;             /* what has been read so far */
	char            *why;           /* the reason of a failure */
	size_t           size;          /* bytes of why */
};

/* Writes the reason; returns false. */
bool reading_fail(const struct reading *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* json_unpack(3) with the keys that are wanted; object names j in errors. */
bool reading_unpack(const struct reading *r, const json_t *j, const char *object, const char *format, ...);

/* A string of handover_put_bytes; NULL for null. */
bool reading_get_bytes(const struct reading *r, const json_t *j, const char *object, const char **bytes);

/* As reading_get_bytes, but null and the empty string are errors. */
bool reading_get_name(const struct reading *r, const json_t *j, const char *object, const char **name);

/* The enumerator of that name. */
bool reading_get_word(const struct reading *r, const struct handover_words *w, const char *name, int *value);

/* A list of indices of sockets, at most CONF_LISTEN_MAX; owner names it in errors. */
bool reading_get_indices(const struct reading *r, const json_t *list, const char *owner, size_t **indices,
                         size_t *n);

/* Room for as many items of that size as the list has; NULL with the reason in why. */
void *reading_room(const struct reading *r, const json_t *list, size_t size);

#endif
