/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The orders that say how many workers there should be: one more or one fewer in every service
 * (TTIN, TTOU), or as many in one service as a client says (scale).
 */
#ifndef DROVER_MASTER_SCALE_H
#define DROVER_MASTER_SCALE_H

#include "master.h"

/* by is 1 or -1. It is noted while there are no workers of our own that it could be done to. */
void scale_all(struct master *m, int by);

/* Does what was noted, if it can be done by now. */
void scale_catch_up(struct master *m);

/* What a client says: "7", or "+1" or "-1" beside from. False if it is no number of workers. */
bool scale_parse(const char *text, int from, int *to);

/* to is from scale_parse, and within 1 and workers.max. */
void scale_service(const struct service *s, const char *text, int to);

#endif
