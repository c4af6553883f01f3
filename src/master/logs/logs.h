/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The logs of a generation: opened by the master, who may. Workers are handed
 * those that only take bytes; the others have pipes before them (log_pipes.h).
 */
#ifndef DROVER_MASTER_LOGS_LOGS_H
#define DROVER_MASTER_LOGS_LOGS_H

#include "conf.h"
#include "log_sink.h"

struct logs {
	struct log_sink *log;
	struct log_sink *access_log;    /* NULL: none */
	struct log_sink *err;           /* standard error, if that is delicate and not the log; else NULL */
	enum log_level   level;
};

/* 0; or -1 with errno, *which being the entry that could not be opened. detached: there is no standard error. */
int logs_open(struct logs *l, const struct conf *conf, bool detached, const struct conf_log **which);
void logs_close(struct logs *l);

/* True if one of them is not for workers (log_sink_is_delicate). */
bool logs_are_delicate(const struct logs *l);

/* From now on the master writes there. */
void logs_use(const struct logs *l);

/*
 * Opens renamed files anew; what cannot be opened is logged and goes on in the
 * old file: then false.
 */
bool logs_reopen(struct logs *l);

#endif
