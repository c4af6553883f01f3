/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * top on a terminal: reads keys, and draws the screen at intervals.
 */
#ifndef DROVER_DROVERCTL_LIVE_H
#define DROVER_DROVERCTL_LIVE_H

#include <stdbool.h>

#include "arguments.h"
#include "refresh.h"

/*
 * Shows r, which has gone through its first round, until a key or the count
 * ends it. False: the terminal cannot do it, and nothing was done. Does not
 * return if a signal ends it; then the terminal has been restored, too.
 */
bool live_run(const struct arguments *a, struct refresh *r);

#endif
