/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the certificate of a client says, as text for programs and logs. A client with a
 * certificate that is not valid is refused in the handshake, so all of this was verified.
 */
#ifndef DROVER_TLS_TLS_PEER_H
#define DROVER_TLS_TLS_PEER_H

#include <stdbool.h>

struct ssl_st;

/* Printable ASCII. A name with other bytes, or with separators in a value, is escaped as RFC 2253 says. */
struct tls_peer {
	char *subject, *issuer;         /* as in RFC 2253: "CN=alice,O=Example" */
	char *serial;                   /* in hexadecimal, upper case */
	char  sha256[65];               /* of the DER, in hexadecimal, lower case */
};

/*
 * Fills p, which the caller gives to tls_peer_free. False, and p is empty: the client has shown no
 * certificate; or errno is ENOMEM, else 0.
 */
bool tls_peer_read(const struct ssl_st *ssl, struct tls_peer *p);
void tls_peer_free(struct tls_peer *p);

#endif
