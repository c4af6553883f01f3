/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tickets of TLS sessions (RFC 5077, RFC 8446 4.6.1): encrypts and decrypts them with the keys that
 * the workers of a service share, or with those of the file that the configuration names. Which
 * sessions may be resumed, and for how long, is not decided here.
 */
#ifndef DROVER_TLS_TLS_TICKETS_H
#define DROVER_TLS_TLS_TICKETS_H

#include <openssl/types.h>

#include "conf.h"
#include "ticket_keys.h"

struct tls_tickets;

/*
 * Makes ctx use the keys of the configuration, or, if it has none, the shared ones. conf and shared
 * are lent until tls_tickets_free, which ctx must not outlive a handshake of. NULL: no memory.
 */
struct tls_tickets *tls_tickets_new(SSL_CTX *ctx, const struct conf_tls *conf,
                                    const struct ticket_keys *shared);

/* Wipes its copies of keys. NULL is fine. */
void tls_tickets_free(struct tls_tickets *t);

#endif
