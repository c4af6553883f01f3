/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Opens and reopens the server's logs.
 */
#include <config.h>
#include "logs.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fd.h"
#include "log.h"

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

static int open_access_logs(struct logs *l, const struct conf *conf, const struct conf_log **which)
{
	l->access_logs = calloc(conf->n_access_logs, sizeof *l->access_logs);
	if (!l->access_logs)
		return -1;
	for (; l->n_access_logs < conf->n_access_logs; l->n_access_logs++) {
		struct log_sink **sink = &l->access_logs[l->n_access_logs];

		*which = conf->access_logs[l->n_access_logs];
		if (open_one(sink, *which) == -1)
			return -1;
		if (*sink)
			log_sink_hold_fields(*sink);
	}
	return 0;
}

int logs_open(struct logs *l, const struct conf *conf, bool detached, const struct conf_log **which)
{
	*l = (struct logs){ .level = conf->log.level };
	*which = &conf->log;
	if (open_one(&l->log, &conf->log) == -1)
		return -1;
	if (open_access_logs(l, conf, which) == -1 || (!detached && open_err(l, conf) == -1)) {
		logs_close(l);
		return -1;
	}
	return 0;
}

void logs_close(struct logs *l)
{
	log_sink_close(&l->log);
	while (l->n_access_logs > 0)
		log_sink_close(&l->access_logs[--l->n_access_logs]);
	free(l->access_logs);
	l->access_logs = NULL;
	log_sink_close(&l->err);
}

struct log_sink *logs_nth_access_log(const struct logs *l, size_t n)
{
	return n < l->n_access_logs ? l->access_logs[n] : NULL;
}

struct log_sink *logs_access_log(const struct logs *l, const struct conf_service *service)
{
	if (service->access_log.target == LOG_TARGET_NONE)
		return NULL;
	return logs_nth_access_log(l, service->access_log_index);
}

bool logs_are_delicate(const struct logs *l)
{
	for (size_t i = 0; i < l->n_access_logs; i++)
		if (log_sink_is_delicate(l->access_logs[i]))
			return true;
	return log_sink_is_delicate(l->log) || l->err;
}

void logs_use(const struct logs *l)
{
	log_use(l->log, l->level);
}

static bool reopen_one(struct log_sink *sink, const char *name)
{
	const char *path = sink ? log_sink_path(sink) : NULL;
	int fd = sink ? log_sink_open_again(sink) : -1;

	if (fd != -1)
		log_sink_switch(sink, fd);
	else if (sink)
		log_err("reopen the %s%s%s: %m; it goes on as it was", name, path ? " " : "",
		        path ? path : "");
	return !sink || fd != -1;
}

bool logs_reopen(struct logs *l)
{
	bool all = reopen_one(l->log, "log");

	for (size_t i = 0; i < l->n_access_logs; i++)
		all = reopen_one(l->access_logs[i], "access log") && all;
	return all;
}
