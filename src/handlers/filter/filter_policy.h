/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What follows when a process of a filter is lost: for the requests that it had,
 * and for the next process. Pure arithmetic; time is an argument.
 */
#ifndef DROVER_HANDLERS_FILTER_FILTER_POLICY_H
#define DROVER_HANDLERS_FILTER_FILTER_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf.h"
#include "filter_process.h"

struct filter_death {
	enum filter_end why;
	uint64_t        answered;       /* requests, in its life */
	size_t          n, n_unread;    /* that it had, and of these those that it had not read */
};

/*
 * Whether the next process has to wait: it was lost before it had done anything,
 * and no request can have been the reason.
 */
bool filter_policy_backs_off(const struct filter_death *d);

/* Whether the i-th request that it had goes to the next process, instead of failing. */
bool filter_policy_gives_on(const struct filter_death *d, size_t i);

struct filter_trouble {                 /* all zero: all is well */
	int64_t delay_ms;               /* that the next process has to wait */
	int64_t since_ms;
};

/* Once more: the delay is longer, twice as long each time. */
void filter_policy_add_trouble(struct filter_trouble *t, const struct conf_restart *rule,
                               int64_t now_ms);

/*
 * When requests that wait have waited in vain: trouble has lasted for as long as
 * one answer may take. CLOCK_NEVER if there is none, or all the time in the world.
 */
int64_t filter_policy_patience_ms(const struct filter_trouble *t, const struct conf_filter *conf);

#endif
