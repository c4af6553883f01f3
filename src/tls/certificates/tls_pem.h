/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cuts text in PEM (RFC 7468) into its blocks. It does not know what the blocks mean.
 */
#ifndef DROVER_TLS_CERTIFICATES_TLS_PEM_H
#define DROVER_TLS_CERTIFICATES_TLS_PEM_H

#include <stdbool.h>
#include <stddef.h>

#define TLS_WHY_MAX 512                 /* bytes of a text that says what is wrong, with NUL */

/* What of the text is left to read. */
struct tls_pem {
	const char *next;
	int         line;               /* of next; the first one is 1 */
};

struct tls_pem_block {
	char          *label;           /* "CERTIFICATE", "PRIVATE KEY", ... */
	bool           encrypted;       /* the bytes are encrypted with a passphrase */
	unsigned char *der;
	long           len;
	int            line;            /* where it begins */
};

/* text, which ends in NUL, is lent until the last block is cut. */
struct tls_pem tls_pem_in(const char *text);

/*
 * Cuts the next block, which the caller releases; text between blocks is skipped. Returns 1; 0 at
 * the end; or -1 with what is wrong in why: a block that is malformed or has no end.
 */
int tls_pem_cut(struct tls_pem *p, struct tls_pem_block *block, char why[static TLS_WHY_MAX]);

/* Wipes and frees what the block holds. An empty block is fine. */
void tls_pem_release(struct tls_pem_block *block);

/* Whether the bytes are DER, which people take for PEM: they begin as an ASN.1 SEQUENCE does. */
bool tls_pem_is_der(const char *bytes, size_t len);

/* The first reason that OpenSSL gave for its last failure, as text; forgets all of them. */
const char *tls_pem_reason(void);

#endif
