/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Decides what follows when a process of a filter is lost, for the requests that it had and for
 * the next process. It only computes: it changes nothing else, and time is an argument.
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
	uint64_t        answered;       /* requests that it has answered */
	size_t          n, n_unread;    /* requests that it had; the last of them, which it had not read */
};

/*
 * Whether the next process must be delayed: this one was lost before it had done anything, and no
 * request can have been the reason.
 */
bool filter_policy_backs_off(const struct filter_death *d);

/* Whether the request with index i, of those that it had, goes to another process; else it fails. */
bool filter_policy_gives_on(const struct filter_death *d, size_t i);

struct filter_trouble {                 /* all zero: there is none */
	int64_t delay_ms;               /* the next process is delayed by this */
	int64_t since_ms;               /* when it began; 0: there is none */
};

/* A process was lost or could not be started: doubles the delay, within the bounds of rule. */
void filter_policy_add_trouble(struct filter_trouble *t, const struct conf_restart *rule,
                               int64_t now_ms);

/*
 * When requests that wait for a process fail: when trouble has lasted for as long as one answer
 * may take. CLOCK_NEVER if there is no trouble, or no time-out for answers.
 */
int64_t filter_policy_patience_ms(const struct filter_trouble *t, const struct conf_filter *conf);

#endif
