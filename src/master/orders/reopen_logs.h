/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The order to open the log files again after logrotate(8) has renamed them: USR1, reopen-logs.
 */
#ifndef DROVER_MASTER_REOPEN_LOGS_H
#define DROVER_MASTER_REOPEN_LOGS_H

#include "master.h"

/* Opens the logs of all generations again. False if one could not be opened, after that was logged. */
bool reopen_logs(struct master *m);

/* True while a log process may still write to the old files. */
bool reopen_logs_is_under_way(const struct master *m);

#endif
