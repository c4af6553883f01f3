/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Computes how soon a dead worker is replaced: at once, unless workers die young or often. It is
 * pure arithmetic; time is an argument.
 */
#ifndef DROVER_MASTER_POOL_RESTART_H
#define DROVER_MASTER_POOL_RESTART_H

#include <stdbool.h>
#include <stdint.h>

#include "conf.h"

struct restart {
	int64_t window_ms;      /* of the first death that is counted now */
	int     deaths;         /* since then, with that one */
	int64_t delay_ms;       /* the last delay; 0: all is well */
	int64_t last_ms;        /* of the last death */
};

/*
 * Notes a death at now_ms; early: before the worker accepted. Returns how many milliseconds the
 * replacement has to wait: 0, or a delay that doubles from delay_min to delay_max. After `within`
 * without a death, earlier deaths are forgotten.
 */
int64_t restart_after_death(struct restart *r, const struct conf_restart *rule, bool early,
                            int64_t now_ms);

#endif
