/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Limits how many bytes a second of the standard error of programs go to the log, for all
 * workers of a service together. Bytes beyond that are counted; the log says when that begins
 * and when it is over.
 */
#ifndef DROVER_WORKER_STDERR_RATE_H
#define DROVER_WORKER_STDERR_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bucket.h"
#include "loop.h"

#define STDERR_RATE_BURST   16          /* at once, as much as the rate allows in this number of seconds */
#define STDERR_RATE_CALM_MS 10000       /* if no line was dropped for this time, dropping is over */
#define STDERR_RATE_HEAD    48          /* bytes of a line for its time, level and process id */

struct stderr_rate {
	struct loop      *loop;
	const char       *service;      /* lent */
	struct bucket     bucket;       /* its paid_ns is not used */
	_Atomic int64_t  *paid_ns;      /* shared with the other workers */
	uint64_t          lines, bytes; /* dropped since dropping began; lines 0: none is dropped */
	int64_t           last_ms;      /* when the last line was dropped */
	struct timer      calm;         /* looks whether dropping is over */
};

/* rate is in bytes per second; 0: no limit. service and paid_ns are lent. */
void stderr_rate_init(struct stderr_rate *r, struct loop *l, const char *service, int64_t rate,
                      _Atomic int64_t *paid_ns);

/* Whether a line of len bytes of that program may be logged. If not, it is counted as dropped. */
bool stderr_rate_takes(struct stderr_rate *r, const char *program, size_t len);

/* Logs how much was dropped since dropping began, if anything was. */
void stderr_rate_fini(struct stderr_rate *r);

#endif
