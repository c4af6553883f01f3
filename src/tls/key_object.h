/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A private key that is not here: the KEYMGMT part of the provider (provider-keymgmt(7)). It knows
 * the public key, as a key of OpenSSL's own provider, and which key of the key process belongs to it.
 */
#ifndef DROVER_TLS_KEY_OBJECT_H
#define DROVER_TLS_KEY_OBJECT_H

#include <stddef.h>

#include <openssl/core.h>
#include <openssl/types.h>

#include "key_client.h"

#define KEY_PROVIDER_NAME "drover"
#define KEY_PROVIDER_PROPERTIES "provider=" KEY_PROVIDER_NAME ",fips=yes"

/* Parameters beside those of the public key, from which a private key is made. */
#define KEY_OBJECT_CLIENT "drover-client"       /* octets: the address of a struct key_client */
#define KEY_OBJECT_INDEX  "drover-index"        /* size_t: its index in the key process */

struct key_object {
	const struct key_kind *kind;
	EVP_PKEY          *public;      /* of another provider; NULL before it is imported */
	struct key_client *client;      /* lent; NULL: this is a public key only */
	size_t             index;
};

extern const OSSL_ALGORITHM key_object_algorithms[];

#endif
