/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What all TLS connections of a service have in common: one SSL_CTX with the policy of the
 * configuration. Which certificate a client gets is decided in each handshake by the name that it
 * asks for; a certificate is parsed when it is needed first. So thousands of them cost little.
 * This module reads no files, and does not know where private keys are: tls_keys.c does.
 */
#ifndef DROVER_TLS_TLS_CONTEXT_H
#define DROVER_TLS_TLS_CONTEXT_H

#include <stddef.h>

struct conf_tls;
struct ssl_ctx_st;
struct tls_context;
struct tls_keys;

/*
 * Makes the context of that service. conf and keys are lent until tls_context_free. Must be called
 * before the process changes its root directory, because OpenSSL may read its own configuration.
 * NULL with the reason in why.
 */
struct tls_context *tls_context_new(const struct conf_tls *conf, const char *service,
                                    struct tls_keys *keys, char *why, size_t size);

/* NULL is fine. */
void tls_context_free(struct tls_context *t);

/* The context of OpenSSL, lent. */
struct ssl_ctx_st *tls_context_ssl_ctx(struct tls_context *t);

#endif
