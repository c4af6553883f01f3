/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the TLS connections of one thread share: the context of OpenSSL, and the newest session.
 * Each thread has its own, because threads that share a context also share its counters and locks.
 */
#ifndef DROVER_BENCH_BENCH_TLS_H
#define DROVER_BENCH_BENCH_TLS_H

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>

#include "bench_plan.h"

struct bench_tls {
	struct ssl_ctx_st     *context;         /* SSL_CTX */
	struct ssl_session_st *session;         /* SSL_SESSION, the newest; NULL: none, or no --resume */
	char                   name[NI_MAXHOST];        /* for SNI; empty: none */
	bool                   was_asked;       /* for the password of a private key */
};

/*
 * Reads the files that the plan names. Returns NULL if it cannot, or if the program was built
 * without OpenSSL; complaint says why, in a line. SIGPIPE must be ignored while streams are used.
 */
struct bench_tls *bench_tls_new(const struct bench_plan *p, char *complaint, size_t size);

/* NULL is fine. All streams must be closed before. */
void bench_tls_free(struct bench_tls *t);

#endif
