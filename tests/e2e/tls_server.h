/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A TLS server that is part of the test: a process with a thread for each connection.
 */
#ifndef DROVER_E2E_TLS_SERVER_H
#define DROVER_E2E_TLS_SERVER_H

#include <openssl/ssl.h>
#include <stdbool.h>

/* Files without a folder are in the current one. */
struct tls_server_wish {
	/* Called in a thread for each connection after its handshake, which ends with it. */
	void      (*serve)(SSL *ssl);
	/* Called before the handshake with the socket; false: there will be none. NULL: does nothing. */
	bool      (*greet)(int fd);
	const char *name;               /* of its certificate and key, as certificate_issue wrote them */
	const char *client_ca;          /* clients must show a certificate of this authority */
	int         version;            /* only this one, such as TLS1_2_VERSION; 0: any */
	int         buffer;             /* of sockets, in bytes; 0: the kernel's default */
	bool        without_tickets;
	bool        on_unix;
};

/* Starts it, in one process at a time. Returns the address. */
const char *tls_server_start(const struct tls_server_wish *w);
void tls_server_stop(void);

/* What most servers of tests do: until the client ends, which is answered by close_notify. */
void tls_server_echo(SSL *ssl);

/* Reads all until the client ends. Returns the number of bytes. */
size_t tls_server_drain(SSL *ssl);

#endif
