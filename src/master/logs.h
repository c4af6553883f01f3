/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The logs of a generation: opened by the master, who may, and handed to the
 * workers, who may not.
 */
#ifndef DROVER_MASTER_LOGS_H
#define DROVER_MASTER_LOGS_H

#include "conf.h"
#include "log_sink.h"

struct logs {
	struct log_sink *log;
	struct log_sink *access_log;    /* NULL: none */
	enum log_level   level;
};

/* 0; or -1 with errno, *which being the entry that could not be opened. */
int logs_open(struct logs *l, const struct conf *conf, const struct conf_log **which);
void logs_close(struct logs *l);

/* From now on the master writes there. */
void logs_use(const struct logs *l);

/*
 * Opens renamed files anew; what cannot be opened is logged and goes on in the
 * old file: then false.
 */
bool logs_reopen(struct logs *l);

#endif
