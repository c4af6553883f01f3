/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An OpenSSL provider inside this program (provider(7)), whose private keys are in the key process.
 */
#ifndef DROVER_TLS_KEY_PROVIDER_H
#define DROVER_TLS_KEY_PROVIDER_H

#include <stddef.h>

#include <openssl/types.h>

#include "key_client.h"

/*
 * Loads it into OpenSSL's default library context, once in a process, and has OpenSSL prefer all
 * other providers for whatever they can do. The caller ends it with OSSL_PROVIDER_unload. NULL if
 * OpenSSL cannot.
 */
OSSL_PROVIDER *key_provider_load(void);

/*
 * The private key that belongs to this public one, and has that index in the key process. client
 * is lent as long as the key is there. The caller frees it with EVP_PKEY_free. NULL if
 * OpenSSL has no memory, or the key is of a kind with which the key process does not sign.
 */
EVP_PKEY *key_provider_make_key(const EVP_PKEY *public, struct key_client *client, size_t index);

#endif
