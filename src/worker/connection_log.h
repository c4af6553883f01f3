/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reports a connection: in the access log, and as an event to the process that listens at
 * DROVER_EVENTS.
 */
#ifndef DROVER_WORKER_CONNECTION_LOG_H
#define DROVER_WORKER_CONNECTION_LOG_H

#include "connection.h"

/* It was accepted. Looks up what only the access log and programs need to know. */
void connection_log_begin(struct connection *c);

/* Looks up the local end of its socket. */
void connection_log_find_local(struct connection *c);

/* Its client is known, and the handler gets it. */
void connection_log_open(struct connection *c);

/* Its stream is about to be closed before its end: keeps what the line will say of TLS. */
void connection_log_keep_tls(struct connection *c);

/* It ended as c->how says, after in and out bytes. */
void connection_log_end(const struct connection *c, uint64_t in, uint64_t out);

#endif
