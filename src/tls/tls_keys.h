/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The private keys of a service, in a worker: either the keys themselves, or keys that have the key
 * process sign (isolate_keys).
 */
#ifndef DROVER_TLS_TLS_KEYS_H
#define DROVER_TLS_TLS_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

#include "conf.h"
#include "key_file.h"
#include "key_wire.h"

struct tls_keys;

/*
 * Must be called before the worker gives up its privileges, because it may have to read files, and
 * once only, before the first SSL_CTX is made. tls is lent; so is channel, the worker's ends to
 * the key process, which are not used unless tls->isolate_keys. NULL with the reason in why.
 */
struct tls_keys *tls_keys_open(const struct conf_tls *tls, const struct key_channel *channel,
                               char why[static KEY_FILE_WHY]);

/*
 * The private key of that certificate, which has that index in conf_tls. The caller frees it with
 * EVP_PKEY_free, before tls_keys_free. NULL if OpenSSL cannot make it.
 */
EVP_PKEY *tls_keys_get(struct tls_keys *k, const struct conf_certificate *c, size_t index);

/* As key_client_await; true if there is nothing to wait for. */
bool tls_keys_await(struct tls_keys *k, int64_t limit_ms, int stop_fd);

/* Sets *kp to NULL; NULL is fine. */
void tls_keys_free(struct tls_keys **kp);

#endif
