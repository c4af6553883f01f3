/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Opens pipes, and makes a worker write to them instead of the real targets.
 */
#include <config.h>
#include "log_pipes.h"

#include <fcntl.h>
#include <unistd.h>

#include "fd.h"

/* Where the log is standard error, one pipe does for both. */
static bool is_needed(const struct logs *l, const struct log_sink *access_log, enum log_pipe which)
{
	switch (which) {
	case LOG_PIPE_LOG:
		return log_sink_is_delicate(l->log);
	case LOG_PIPE_ACCESS_LOG:
		return log_sink_is_delicate(access_log);
	case LOG_PIPE_STDERR:
		return l->err;
	case LOG_PIPES:
		break;
	}
	return false;
}

int log_pipes_open(const struct logs *l, const struct log_sink *access_log, size_t room,
                   struct log_pipes *writers, struct log_pipes *readers)
{
	int ends[2];

	*writers = *readers = LOG_PIPES_NONE;
	for (int i = 0; i < LOG_PIPES; i++) {
		if (!is_needed(l, access_log, (enum log_pipe)i))
			continue;
		if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) == -1) {
			log_pipes_close(writers);
			log_pipes_close(readers);
			return -1;
		}
		fcntl(ends[0], F_SETPIPE_SZ, (int)room);        /* refused: it stays as large as it is */
		readers->fds[i] = ends[0];
		writers->fds[i] = ends[1];
	}
	return 0;
}

void log_pipes_close(struct log_pipes *p)
{
	for (int i = 0; i < LOG_PIPES; i++)
		fd_close(&p->fds[i]);
}

void log_pipes_enter(struct log_pipes *writers, struct log_sink *log, struct log_sink *access_log)
{
	int *fds = writers->fds;

	if (fds[LOG_PIPE_STDERR] != -1) {
		dup2(fds[LOG_PIPE_STDERR], STDERR_FILENO);
		fd_close(&fds[LOG_PIPE_STDERR]);
	} else if (fds[LOG_PIPE_LOG] != -1 && log_sink_is_standard_error(log)) {
		dup2(fds[LOG_PIPE_LOG], STDERR_FILENO);
	}
	if (fds[LOG_PIPE_LOG] != -1)
		log_sink_divert(log, fds[LOG_PIPE_LOG]);
	if (fds[LOG_PIPE_ACCESS_LOG] != -1)
		log_sink_divert(access_log, fds[LOG_PIPE_ACCESS_LOG]);
	*writers = LOG_PIPES_NONE;
}
