/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The counts of one thread, and at the end of all threads together.
 */
#ifndef DROVER_BENCH_TALLY_H
#define DROVER_BENCH_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "bench_histogram.h"
#include "failure.h"

/* All zero: empty. Times are in nanoseconds. Texts are constants, which are not freed. */
struct tally {
	uint64_t operations;
	uint64_t bytes_sent, bytes_received;
	uint64_t connections_opened;    /* not those of the warm-up */
	uint64_t arrivals_unserved;     /* open-loop: due, and not begun when time was up */
	uint64_t handshakes, resumed;   /* TLS: not those of the warm-up */
	uint64_t failures[FAILURES];
	int      first_other;           /* errno of the first FAILURE_OTHER; 0: none */
	const char *first_reason[FAILURES];     /* TLS: what OpenSSL said of the first; NULL: nothing */
	const char *tls_version, *tls_cipher;   /* of the first handshake; NULL: there was none */
	struct bench_histogram latency, connect, handshake;
};

/* error: errno, for FAILURE_OTHER. reason: a constant text that says more, or NULL. */
void tally_failure(struct tally *t, enum failure kind, int error, const char *reason);
void tally_handshake(struct tally *t, const char *version, const char *cipher, bool resumed);
uint64_t tally_failures(const struct tally *t);

/* Adds the counts of from. */
void tally_merge(struct tally *t, const struct tally *from);

#endif
