/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Opens and reopens the server's logs.
 */
#include <config.h>
#include "logs.h"

#include <stddef.h>
#include <unistd.h>

#include "fd.h"

static int open_one(struct log_sink **sink, const struct conf_log *c)
{
	*sink = NULL;
	if (c->target == LOG_TARGET_NONE)
		return 0;
	*sink = log_sink_open(c->target, c->path, c->format);
	return *sink ? 0 : -1;
}

/* What libc or a sanitizer says in a worker. The log has it already, if it goes there. */
static int open_err(struct logs *l, const struct conf *conf)
{
	if (fd_only_takes_bytes(STDERR_FILENO) || conf->log.target == LOG_TARGET_STDERR)
		return 0;
	l->err = log_sink_open(LOG_TARGET_STDERR, NULL, LOG_FORMAT_PLAIN);
	return l->err ? 0 : -1;
}

int logs_open(struct logs *l, const struct conf *conf, bool detached, const struct conf_log **which)
{
	*l = (struct logs){ .level = conf->log.level };
	*which = &conf->log;
	if (open_one(&l->log, &conf->log) == -1)
		return -1;
	*which = &conf->access_log;
	if (open_one(&l->access_log, &conf->access_log) == -1 ||
	    (!detached && open_err(l, conf) == -1)) {
		logs_close(l);
		return -1;
	}
	if (l->access_log)
		log_sink_hold_fields(l->access_log);
	return 0;
}

void logs_close(struct logs *l)
{
	log_sink_close(&l->log);
	log_sink_close(&l->access_log);
	log_sink_close(&l->err);
}

bool logs_are_delicate(const struct logs *l)
{
	return log_sink_is_delicate(l->log) || log_sink_is_delicate(l->access_log) || l->err;
}

void logs_use(const struct logs *l)
{
	log_use(l->log, l->level);
}

static bool reopen_one(struct log_sink *sink, const char *name)
{
	int fd = sink ? log_sink_open_again(sink) : -1;

	if (fd != -1)
		log_sink_switch(sink, fd);
	else if (sink)
		log_err("reopen the %s: %m; it goes on as it was", name);
	return !sink || fd != -1;
}

bool logs_reopen(struct logs *l)
{
	const bool log = reopen_one(l->log, "log");

	return reopen_one(l->access_log, "access log") && log;
}
