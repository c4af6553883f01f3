/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Checks options together: that they do not contradict each other, and that none is missing.
 */
#ifndef DROVER_BENCH_BENCH_CHECK_H
#define DROVER_BENCH_BENCH_CHECK_H

#include "bench_plan.h"

/* What the command line said and the plan does not show. */
struct bench_wish {
	const char *text, *file, *size;         /* --message, --message-file, --size */
	const char *expect, *expect_file;
	bool        answer, echo, raw, duration, opening, arrivals, stream;
	bool        tls_is_missing;             /* --tls, in a program without OpenSSL */
	int64_t     bytes;                      /* --size, or its default */
};

/* What is wrong and what would be right; NULL: nothing is wrong. The second needs p->to. */
const char *bench_check(const struct bench_plan *p, const struct bench_wish *w);
const char *bench_check_addresses(const struct bench_plan *p);

#endif
