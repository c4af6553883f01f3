/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Clients in processes of their own, which make one full TLS handshake after the other, for tests in
 * which none of them may fail.
 */
#ifndef DROVER_E2E_TLS_LOAD_H
#define DROVER_E2E_TLS_LOAD_H

#include <sys/types.h>

#define TLS_LOAD_CLIENTS 8

struct tls_load {
	pid_t pids[TLS_LOAD_CLIENTS];
	int   stop;                     /* closed to end them */
	int   counts;                   /* what they count is read here */
};

/* They connect with an echo service at that port of 127.0.0.1, and have a line echoed each time. */
void tls_load_start(struct tls_load *l, const char *port);

/* Ends them. Returns the number of connections that were served; *failed of those that were not. */
long tls_load_stop(struct tls_load *l, long *failed);

#endif
