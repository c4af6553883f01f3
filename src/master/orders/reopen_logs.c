/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Opens the log files of all generations again. The processes that write to them for workers
 * follow a moment later; this file does not know which client waits for that.
 */
#include <config.h>
#include "reopen_logs.h"

#include "log.h"

bool reopen_logs(struct master *m)
{
	struct generation *g;
	bool all = true;

	list_each(&m->generations, g, struct generation, in_master)
		all = generation_reopen_logs(g) && all;
	if (m->current)
		status_holder_use_log(m->status, generation_log_fd(m->current));
	log_about(LOG_LEVEL_INFO, LOG_ABOUT(.event = LOG_EVENT_LOGS_REOPENED), "logs reopened");
	notify_send(m->events, "logs-reopened");
	return all;
}

bool reopen_logs_is_under_way(const struct master *m)
{
	const struct generation *g;

	list_each(&m->generations, g, struct generation, in_master)
		if (log_process_is_switching(g->log_process))
			return true;
	return false;
}
