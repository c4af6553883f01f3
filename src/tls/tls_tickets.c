/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The callback by which OpenSSL asks for the keys of a ticket. A copy of the shared keys is kept, and
 * renewed when the master has made another one.
 */
#include <config.h>
#include "tls_tickets.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

struct tls_tickets {
	const struct ticket_keys *shared;       /* NULL: the keys do not change */
	uint64_t                  turn;         /* of the copy */
	struct ticket_key         keys[TICKET_KEYS_MAX]; /* the one that encrypts first */
	size_t                    n;
	EVP_CIPHER               *ciphers[2];   /* fetched once; for keys of 16 bytes, of 32 bytes */
};

/* What the callback returns: SSL_CTX_set_tlsext_ticket_key_evp_cb(3). */
enum { FAILED = -1, UNKNOWN = 0, GOOD = 1, GOOD_AND_RENEWED = 2 };

static bool set_mac(const struct ticket_key *k, EVP_MAC_CTX *mac)
{
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)(uintptr_t)k->mac, k->len),
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){ "SHA256" }, 0),
		OSSL_PARAM_construct_end(),
	};

	return EVP_MAC_CTX_set_params(mac, params) == 1;
}

static const EVP_CIPHER *cipher_for(const struct tls_tickets *t, const struct ticket_key *k)
{
	return t->ciphers[k->len == sizeof k->cipher];
}

static int encrypt(const struct tls_tickets *t, unsigned char *name, unsigned char *iv,
                   EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
	const struct ticket_key *k = &t->keys[0];

	if (t->n == 0 || RAND_bytes(iv, EVP_CIPHER_get_iv_length(cipher_for(t, k))) != 1)
		return FAILED;
	memcpy(name, k->name, sizeof k->name);
	return EVP_EncryptInit_ex2(cipher, cipher_for(t, k), k->cipher, iv, NULL) == 1 && set_mac(k, mac) ?
	       GOOD : FAILED;
}

/* A client of TLS 1.3 uses a ticket once: it gets another one with each session. */
static int decrypt(const struct tls_tickets *t, const SSL *ssl, const unsigned char *name,
                   const unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
	size_t i = 0;

	while (i < t->n && memcmp(name, t->keys[i].name, sizeof t->keys[i].name) != 0)
		i++;
	if (i == t->n)
		return UNKNOWN;
	if (EVP_DecryptInit_ex2(cipher, cipher_for(t, &t->keys[i]), t->keys[i].cipher, iv, NULL) != 1 ||
	    !set_mac(&t->keys[i], mac))
		return FAILED;
	return i == 0 && SSL_version(ssl) < TLS1_3_VERSION ? GOOD : GOOD_AND_RENEWED;
}

static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int encrypts)
{
	struct tls_tickets *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	if (t->shared)
		ticket_keys_read(t->shared, &t->turn, t->keys, &t->n);
	return encrypts ? encrypt(t, name, iv, cipher, mac) : decrypt(t, ssl, name, iv, cipher, mac);
}

/* Keys that are not shared, for a worker that finds no keys: only it can resume its sessions. */
static bool make_own_key(struct tls_tickets *t)
{
	t->n = 1;
	t->keys[0].len = sizeof t->keys[0].cipher;
	return RAND_bytes((unsigned char *)&t->keys[0], offsetof(struct ticket_key, len)) == 1;
}

static bool take_keys(struct tls_tickets *t, const struct conf_tls *conf, const struct ticket_keys *shared)
{
	t->n = conf->n_ticket_secrets;
	if (t->n > 0)
		memcpy(t->keys, conf->ticket_secrets, t->n * sizeof t->keys[0]);
	else
		t->shared = shared;
	if (t->shared)
		ticket_keys_read(t->shared, &t->turn, t->keys, &t->n);
	return t->n > 0 || make_own_key(t);
}

struct tls_tickets *tls_tickets_new(SSL_CTX *ctx, const struct conf_tls *conf,
                                    const struct ticket_keys *shared)
{
	struct tls_tickets *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	t->ciphers[0] = EVP_CIPHER_fetch(NULL, "AES-128-CBC", NULL);
	t->ciphers[1] = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
	if (t->ciphers[0] && t->ciphers[1] && take_keys(t, conf, shared) &&
	    SSL_CTX_set_app_data(ctx, t) == 1 &&
	    SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket) == 1)
		return t;
	tls_tickets_free(t);
	return NULL;
}

void tls_tickets_free(struct tls_tickets *t)
{
	if (!t)
		return;
	EVP_CIPHER_free(t->ciphers[0]);
	EVP_CIPHER_free(t->ciphers[1]);
	explicit_bzero(t, sizeof *t);
	free(t);
}
