/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A TLS client whose handshake the test carries to the daemon byte by byte, and may cut off or
 * change on the way. The client itself knows nothing of that.
 */
#ifndef DROVER_E2E_TLS_FLIGHT_H
#define DROVER_E2E_TLS_FLIGHT_H

#include <stdbool.h>
#include <stddef.h>

#include "tls_client.h"

#define TLS_FLIGHT_MAX  16384
#define TLS_FLIGHT_ALL  ((size_t)-1)

struct tls_flight {
	/* What the test may set: */
	size_t cut;                     /* no more than that many bytes are sent; TLS_FLIGHT_ALL */
	size_t flip;                    /* the byte at this offset is changed, and none is sent after the
	                                   bytes that go with it; TLS_FLIGHT_ALL: none */

	SSL          *ssl;
	int           fd;               /* the connection */
	size_t        sent;
	unsigned char bytes[TLS_FLIGHT_MAX];    /* as the client made them */
};

/* Connects, and sends nothing. */
void tls_flight_begin(struct tls_flight *f, const char *address, const struct tls_client_wish *w);

/* Does the handshake. False: it was cut, a byte was changed, or the daemon has refused it. */
bool tls_flight_go(struct tls_flight *f);

/* Frees the client. The connection stays open, and is the caller's. */
void tls_flight_free(struct tls_flight *f);

/*
 * Offsets in what a client has sent at which something may go wrong: around the begin and in the
 * middle of each record, below the number of bytes sent; or each offset, if every is set. Returns their number.
 */
size_t tls_flight_offsets(const struct tls_flight *f, bool every, size_t offsets[static TLS_FLIGHT_MAX]);

#endif
