/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The log process: it writes what comes through the pipes of the workers to the files. It ends
 * when no process can write to any of the pipes, so that nothing that a worker has written is
 * lost, even if that worker or the master has ended before.
 */
#ifndef DROVER_MASTER_LOGS_LOG_WRITER_H
#define DROVER_MASTER_LOGS_LOG_WRITER_H

#include "leash.h"
#include "log_pipes.h"
#include "logs.h"

struct log_input {
	enum log_pipe to;
	size_t        access_log;       /* for LOG_PIPE_ACCESS_LOG: which of logs.access_logs */
	int           fd;
};

struct log_writer_start {               /* all of it lent */
	const struct log_input *inputs;
	size_t                  n_inputs;
	const struct logs      *logs;
	struct leash            leash;  /* LOGS: new descriptors of the log and of the access log `number`;
	                                 * answered by the same, when they are in use.
	                                 * END: no worker is left; not answered */
	bool                    detached;
};

/*
 * To be called in a child that was just forked, with everything of the master's given up
 * that is memory. Closes the master's other descriptors. Never returns.
 */
_Noreturn void log_writer_main(const struct log_writer_start *start);

#endif
