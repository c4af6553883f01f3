/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The access log: one line for each connection, when its outcome is known.
 */
#ifndef DROVER_WORKER_ACCESS_LOG_H
#define DROVER_WORKER_ACCESS_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "log_sink.h"

struct access_record {
	const char            *service;
	const char            *id;
	const struct endpoint *peer;
	const struct endpoint *local;
	int64_t                duration_us;
	bool                   counted;         /* the bytes went through us */
	uint64_t               bytes_in, bytes_out;
	const char            *how;             /* how it ended, one word */
	bool                   has_status;      /* of a program, as from waitpid(2) */
	int                    status;
};

/* sink is lent; NULL: no such log. */
void access_log_put(struct log_sink *sink, const struct access_record *r);

#endif
