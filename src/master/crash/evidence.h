/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a worker was doing when it died, or hangs: from its slot on the board,
 * which is wiped soon after. It is for the log and for a crash report.
 */
#ifndef DROVER_MASTER_CRASH_EVIDENCE_H
#define DROVER_MASTER_CRASH_EVIDENCE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "board.h"
#include "conf.h"
#include "source_id.h"
#include "text.h"

struct evidence {
	const char  *service;           /* lent */
	const struct conf_module *module;       /* that ran in it, lent; NULL: none did */
	pid_t        pid;
	unsigned int generation;
	int          status;            /* as from waitpid(2) */
	int64_t      now_ms, age_ms;
	const char  *waited_in;         /* where it hung, if it was aborted for that: proc_describe; lent */
	int64_t      still_ms;          /* and how long its loop had made no turn */
	bool         is_ours;           /* drover has killed it, for another reason than a hang */
	struct board_worker_view     said;
	bool                         at_work;
	struct board_connection_view work;      /* the connection that it was at work for */
	struct source_id source;        /* of its client; not known without one */
	char        *input;             /* the last bytes of that connection, or NULL */
	size_t       input_len;
};

/* Fills in what the board says of worker i, except source and input; the rest stays as it is. */
void evidence_look(struct evidence *e, const struct board *b, size_t i);

/* Fills in source, as conf counts sources; NULL: the service is gone. */
void evidence_name_source(struct evidence *e, const struct conf_service *conf);

/* Copies the input of a dead worker. Without memory, input stays NULL. */
void evidence_take_input(struct evidence *e, const struct board *b, size_t i);
void evidence_free_input(struct evidence *e);

/* "module kv 1.0, ", or nothing. */
void evidence_put_module(struct text *t, const struct evidence *e);

/* "at work for 192.0.2.1:4711, handler, connection 812-3 open for 12.345 s, 64 bytes in, 0 out". */
void evidence_put_work(struct text *t, const struct evidence *e);

/* The report of a death at that time, in the form of droverctl(8). NULL without memory. */
json_t *evidence_json(const struct evidence *e, const char *time);

#endif
