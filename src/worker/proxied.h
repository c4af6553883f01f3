/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a proxy has said of a client in a PROXY header, kept as long as the connection. Values are
 * untrusted bytes there; here they are texts that fit in a log line and in an environment.
 */
#ifndef DROVER_WORKER_PROXIED_H
#define DROVER_WORKER_PROXIED_H

#include <stdbool.h>

#include "proxy_header.h"

#define PROXIED_VALUE_MAX 255           /* bytes of a value; a longer one is left out */

struct proxied {
	struct endpoint peer, local;    /* the two ends of the socket itself: peer is the proxy's */
	/* NULL: the proxy has not said it. Blanks, backslashes and bytes that are no printable ASCII are \xNN. */
	const char     *unique_id, *authority, *tls_version, *tls_cipher;
	bool            tls;            /* the client came to the proxy over TLS */
	const char     *verify;         /* with tls: "NONE", "SUCCESS" or "FAILED:" and a number of the proxy */
	const char     *subject;        /* SUCCESS: of the client's certificate, "CN=...", as in RFC 2253 */
};

/*
 * Keeps what h, which names a client, says, for a socket with these ends. The caller frees it with
 * free(3). NULL if there is no memory.
 */
struct proxied *proxied_new(const struct proxy_header *h, const struct endpoint *peer,
                            const struct endpoint *local);

#endif
