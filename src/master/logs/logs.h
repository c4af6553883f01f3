/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The logs of a generation. The master opens them, because it has the rights to. Workers get the
 * descriptors of logs that only take bytes; for the others they get pipes (log_pipes.h).
 */
#ifndef DROVER_MASTER_LOGS_LOGS_H
#define DROVER_MASTER_LOGS_LOGS_H

#include "conf.h"
#include "log_sink.h"

struct logs {
	struct log_sink  *log;
	struct log_sink **access_logs;  /* each of conf.access_logs, once; NULL where that is none */
	size_t            n_access_logs;
	struct log_sink  *err;          /* standard error, if that is delicate and not the log; else NULL */
	enum log_level    level;
};

/* 0; or -1 with errno and *which, the entry that could not be opened. detached: no standard error. */
int logs_open(struct logs *l, const struct conf *conf, bool detached, const struct conf_log **which);
void logs_close(struct logs *l);

/* The access log of a service of that configuration, lent; NULL: it has none. */
struct log_sink *logs_access_log(const struct logs *l, const struct conf_service *service);

/* The n-th access log, lent; NULL: it is none, or there are not so many. */
struct log_sink *logs_nth_access_log(const struct logs *l, size_t n);

/* True if one of them is not for workers (log_sink_is_delicate). */
bool logs_are_delicate(const struct logs *l);

/* From now on the master writes there. */
void logs_use(const struct logs *l);

/*
 * Opens renamed files again. If one cannot be opened, that is logged, its lines go on to the old
 * file, and the result is false.
 */
bool logs_reopen(struct logs *l);

#endif
