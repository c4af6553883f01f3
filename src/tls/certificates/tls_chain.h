/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The certificates of one file: reads them, judges their order, and tells what the first one says.
 * It does not know the configuration, and asks no clock.
 */
#ifndef DROVER_TLS_CERTIFICATES_TLS_CHAIN_H
#define DROVER_TLS_CERTIFICATES_TLS_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

#include "tls_pem.h"

#define TLS_CHAIN_MAX 100               /* certificates in a chain; real ones have up to 5 */

struct tls_link {
	X509          *certificate;
	unsigned char *der;             /* as it is in the file */
	size_t         len;
};

struct tls_chain {
	struct tls_link *links;         /* in the order of the file */
	size_t           n;
};

/* What a certificate says, beside its names. */
struct tls_facts {
	int64_t not_before, not_after;  /* seconds since 1970 */
	char    type[64];               /* of its key: tls_key_type */
	uint8_t sha256[32];             /* of its DER */
	uint8_t spki_sha256[32];        /* of its public key: tls_key_sha256 */
};

/*
 * Reads all certificates of a text; other blocks are skipped. False with what is wrong in why: no
 * certificate, more than max, or one that cannot be decoded. In both cases the caller frees it.
 * What the chain `like` has already (NULL: nothing) is not decoded again: many chains end alike.
 */
bool tls_chain_read(struct tls_chain *c, const char *text, size_t len, size_t max,
                    const struct tls_chain *like, char why[static TLS_WHY_MAX]);
void tls_chain_free(struct tls_chain *c);

enum tls_order {
	TLS_ORDER_RIGHT,                /* each certificate has issued the one before it */
	TLS_ORDER_WRONG,                /* they are a chain in another order */
	TLS_ORDER_FOREIGN,              /* a chain, and behind it some that are not of it */
};

/*
 * Judges the order. key (NULL: unknown) is the private key, which the first certificate must be of.
 * Unless the order is right, says in why what would be.
 */
enum tls_order tls_chain_order(const struct tls_chain *c, const EVP_PKEY *key,
                               char why[static TLS_WHY_MAX]);

/* False if OpenSSL cannot tell, because the key or a time is none that it knows; why says which. */
bool tls_chain_facts(const X509 *certificate, struct tls_facts *facts, char why[static TLS_WHY_MAX]);

/*
 * Calls take for each name in subjectAltName that is for servers: DNS names in lower case, addresses
 * as text. Names with bytes that no host name has are passed over. The text is lent for the call.
 */
void tls_chain_names(const X509 *certificate, void (*take)(void *arg, const char *name), void *arg);

/* "CN=...", or all of the subject, for messages. Returns buf. */
const char *tls_chain_subject(const X509 *certificate, char *buf, size_t size);

#endif
