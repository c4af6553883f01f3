/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The origin of connections: the address that they are bound to, and the client that a PROXY
 * header names.
 */
#ifndef DROVER_BENCH_BENCH_ORIGIN_H
#define DROVER_BENCH_BENCH_ORIGIN_H

#include <stdint.h>
#include <sys/types.h>

#include "bench_plan.h"

/*
 * Which addresses come next. There are two counters, because connects that are under way at once
 * may announce their clients in another order than they were bound.
 */
struct bench_origin {
	uint64_t source, client;
	uint64_t step;                  /* threads, among which the addresses are divided */
};

/* For the index-th of n threads. */
struct bench_origin bench_origin_of(unsigned index, unsigned n);

/* Binds a socket to the next source address, if the plan has any. Returns 0, or -1 with errno. */
int bench_origin_bind(struct bench_origin *o, const struct bench_plan *p, int fd);

/* Sends the PROXY header, if the plan wants one. Returns its length (0: none), or -1 with errno. */
ssize_t bench_origin_announce(struct bench_origin *o, const struct bench_plan *p, int fd);

#endif
