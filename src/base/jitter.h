/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Random parts of times and counts, so that things that began together do not end together.
 * They are not secret: a client that guesses them gains nothing.
 */
#ifndef DROVER_BASE_JITTER_H
#define DROVER_BASE_JITTER_H

#include <stdint.h>

/* n, or less by up to a tenth of it. */
int64_t jitter_down(int64_t n);

/* n, or less or more by up to a tenth of it. */
int64_t jitter_around(int64_t n);

#endif
