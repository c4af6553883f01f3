/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The pipes through which the workers of one service write to what is too delicate for
 * them: log files, and standard error where it is a file or a terminal. A line is shorter
 * than PIPE_BUF, so that each is written as a whole or not at all. A service has its own:
 * a worker that was taken over can fill them, or forge lines, for its siblings alone.
 */
#ifndef DROVER_MASTER_LOGS_LOG_PIPES_H
#define DROVER_MASTER_LOGS_LOG_PIPES_H

#include "logs.h"

enum log_pipe { LOG_PIPE_LOG, LOG_PIPE_ACCESS_LOG, LOG_PIPE_STDERR, LOG_PIPES };

struct log_pipes { int fds[LOG_PIPES]; };       /* one end of each; -1: that one needs none */

#define LOG_PIPES_NONE ((struct log_pipes){ .fds = { -1, -1, -1 } })

/*
 * Opens those that a service with that access log (NULL: none) needs, all close-on-exec and
 * non-blocking; room is the bytes that wait in one before lines are dropped, or less, as the kernel
 * allows. 0; or -1 with errno and none.
 */
int log_pipes_open(const struct logs *l, const struct log_sink *access_log, size_t room,
                   struct log_pipes *writers, struct log_pipes *readers);

void log_pipes_close(struct log_pipes *p);

/* In a worker: logs, which is its copy, and standard error go into the pipes. Takes their ends. */
void log_pipes_enter(struct log_pipes *writers, struct log_sink *log, struct log_sink *access_log);

#endif
