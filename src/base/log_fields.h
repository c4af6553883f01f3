/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a log line is about, apart from its text: service, worker, connection, event. The journal
 * has them as fields, JSON as members. It does not know where lines go: log_sink.c does.
 */
#ifndef DROVER_BASE_LOG_FIELDS_H
#define DROVER_BASE_LOG_FIELDS_H

#include <stddef.h>

#include "log_events.h"
#include "text.h"

/* A worker is named by its slot, so that there are as many names as slots; 0: no worker. */
#define LOG_WORKER(slot) ((unsigned int)(slot) + 1)

struct log_fields {
	const char    *service;         /* NULL: that of the process, if it has one */
	unsigned int   worker;          /* LOG_WORKER(slot); 0: the process itself, if it is a worker */
	const char    *connection;      /* its id; NULL: the line is not about one */
	enum log_event event;
};

/* A pointer to such a struct, for one call: LOG_ABOUT(.service = name, .event = LOG_EVENT_READY). */
#define LOG_ABOUT(...) (&(const struct log_fields){ __VA_ARGS__ })

#define LOG_FIELDS_MAX 1024             /* room for what these functions add, with NUL */

/*
 * From now on this process is a worker of service (lent), and all its lines say so. In a process
 * that was not told, lines have only what they are about.
 */
void log_fields_identify(const char *service, unsigned int worker);

/* Lines NAME=VALUE of the journal's protocol. f may be NULL. No byte of a value can begin another field. */
void log_fields_add_journal(struct text *t, const struct log_fields *f);

/* Members of a JSON object, each with a comma after it. */
void log_fields_add_json(struct text *t, const struct log_fields *f);

#endif
