/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The orders that say how many workers there should be: one more or one fewer in every service
 * (TTIN, TTOU), or the number that a client names for one service (scale).
 */
#ifndef DROVER_MASTER_SCALE_H
#define DROVER_MASTER_SCALE_H

#include "master.h"

/* by is 1 or -1. The change is noted, to be made later, while it is not permitted. */
void scale_all(struct master *m, int by);

/* Makes the noted changes that are permitted by now. */
void scale_catch_up(struct master *m);

/* Parses "7", or "+1" or "-1" relative to from. False if text is not a number of workers. */
bool scale_parse(const char *text, int from, int *to);

/* to is what scale_parse made of text, and is from 1 to workers.max. */
void scale_service(const struct service *s, const char *text, int to);

#endif
