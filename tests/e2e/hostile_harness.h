/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An echo service "s" over TLS of one worker, with a client that stays, and what is known of other clients
 * that do not keep to the protocol: each costs its own connection, and the one that stays is served.
 */
#ifndef DROVER_E2E_HOSTILE_HARNESS_H
#define DROVER_E2E_HOSTILE_HARNESS_H

#include "../certificates.h"
#include "harness.h"
#include "tls_client.h"

/* Of the test: they are in files of the current folder as NAME.pem and NAME.key, "ca" and "s". */
extern struct certificate *hostile_ca, *hostile_server;

/* A new case of s, with these certificates, and SIGPIPE ignored. */
TCase *hostile_case(Suite *s, const char *name);

/* Starts the daemon with that in its group `tls`, and the client that stays. */
void hostile_start(const char *tls);

/* A connected socket; and a connection that said hello and was answered, with that version of TLS. */
int hostile_connect(void);
SSL *hostile_connect_tls(int version);

/*
 * Waits until the daemon has ended the connection, and expects that it logs it with this `how` and a
 * reason that begins with why. Then the client that stays must be served.
 */
void hostile_expect_end(const char *how, const char *why);

/* No worker has died, a new client is served, and so many handshakes were counted as refused. */
void hostile_check(int n_refused);

#endif
