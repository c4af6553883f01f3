/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Signs with a key that is in the key process: the SIGNATURE part of the provider
 * (provider-signature(7)). The digest is computed here; the key process gets that, or the message
 * of Ed25519. It verifies nothing: OpenSSL's own provider does.
 */
#ifndef DROVER_TLS_KEY_SIGNATURE_H
#define DROVER_TLS_KEY_SIGNATURE_H

#include <openssl/core.h>

extern const OSSL_ALGORITHM key_signature_algorithms[];

#endif
