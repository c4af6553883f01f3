/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reports what happens to the processes of a filter: in the log, and as events to the process
 * that listens at DROVER_EVENTS.
 */
#ifndef DROVER_HANDLERS_FILTER_FILTER_LOG_H
#define DROVER_HANDLERS_FILTER_FILTER_LOG_H

#include "filter_process.h"

struct worker;

void filter_log_start(const struct worker *w, const struct filter_process *p);

/* It does not serve any more, and was not dismissed. */
void filter_log_loss(const struct worker *w, const struct filter_process *p);

/* It has ended, with that status of waitpid(2). */
void filter_log_end(const struct worker *w, const struct filter_process *p, int status);

/* Adds the reason why no process is of use, taken from the end of p, which has ended. */
void filter_log_reason(const struct worker *w, const struct filter_process *p, int status,
                       struct text *t);

#endif
