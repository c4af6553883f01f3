/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files of certificates and keys that the configuration names, and the DER that is kept of them.
 */
#ifndef DROVER_CONF_CONF_PEM_H
#define DROVER_CONF_CONF_PEM_H

#include <openssl/types.h>

#include "conf_draft.h"
#include "tls_chain.h"

#define CONF_PEM_MAX (16u << 20)        /* bytes in a file */

/* DER that was put into the arena for one service: what many chains share is there once. */
struct conf_ders {
	struct conf_bytes *items;       /* on the heap; their bytes are in the arena */
	size_t             n, room;
};

/* All that reading the files of one service needs. */
struct conf_pem_reader {
	struct conf_loader      *ld;
	const struct conf_draft *draft;
	int64_t                  now;   /* seconds since 1970, UTC */
	SSL_CTX                 *scratch; /* as a worker will have one: OpenSSL judges with it */
	struct tls_key_reader   *keys;
	struct tls_chain         last;  /* the chain that was read before: the next one may end like it */
	struct conf_ders         ders;
	struct tls_name         *names; /* on the heap */
	size_t                   n_names, names_room;
};

/*
 * The bytes of a file that setting names, with two NULs behind them; the caller wipes them if they
 * are secret, and frees them. NULL after a complaint; or after a warning, if an ordinary user
 * checks a file that only a daemon needs to read: the service's tls.unread is then set.
 */
char *conf_pem_read(struct conf_pem_reader *r, const config_setting_t *setting, const char *path,
                    size_t *len);

/* A copy of DER in the arena. */
struct conf_bytes conf_pem_keep(struct conf_pem_reader *r, const uint8_t *der, size_t len);

#endif
