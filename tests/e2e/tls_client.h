/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Clients that speak TLS with the daemon under test. Whatever does not go as expected fails the
 * test. They wait as other clients do: in turn.c.
 */
#ifndef DROVER_E2E_TLS_CLIENT_H
#define DROVER_E2E_TLS_CLIENT_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

/* Files are in the current folder, as certificate_issue wrote them: NAME.pem and NAME.key. */
struct tls_client_wish {
	const char  *host;              /* asked for, and expected in the certificate; NULL: neither */
	const char  *trusts;            /* the certificate that must have issued the daemon's; NULL: any */
	const char  *shows;             /* a certificate of the client; NULL: none */
	int          version;           /* only this one; 0: any */
	SSL_SESSION *session;           /* to be resumed; NULL: none */
};

/* Before the handshake, over a connected socket, which it takes. */
SSL *tls_client_new(int fd, const struct tls_client_wish *w);

/* Connects, and shakes hands. */
SSL *tls_client_connect(const char *address, const struct tls_client_wish *w);

/* Does the handshake. False: the daemon has refused it. */
bool tls_client_shake_hands(SSL *ssl);

void tls_client_send(SSL *ssl, const char *bytes, size_t len);
void tls_client_say(SSL *ssl, const char *text);
void tls_client_receive(SSL *ssl, char *bytes, size_t len);
void tls_client_expect(SSL *ssl, const char *text);

/* All text up to the end, which must be announced; lent until the next call. */
const char *tls_client_read_all(SSL *ssl);

/* Reads up to the end. Whether it was announced by close_notify. */
bool tls_client_is_told_end(SSL *ssl);

/* Says that it sends no more. */
void tls_client_end(SSL *ssl);

/* Closes the socket, without a word. */
void tls_client_close(SSL *ssl);

#endif
