/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A worker names a key by its index in its own service; there is no index for keys of others. The
 * keys lie in OpenSSL's secure heap, which is locked in memory if the limits allow it.
 */
#include <config.h>
#include "key_table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#define HEAP_MIN ((size_t)1 << 20)
#define HEAP_OF_A_KEY ((size_t)16 << 10)        /* RSA with 16384 bits takes 9 KiB */
#define HEAP_PIECE 32                   /* bytes: the smallest piece */

struct table_key {
	EVP_PKEY        *key;           /* NULL: it could not be read */
	EVP_PKEY_CTX    *ctx;           /* as it signed last, or NULL; to make one takes as long as signing */
	enum key_scheme  scheme;
	enum key_digest  digest;
};

struct service_keys {
	size_t            n;
	struct table_key *keys;
};

struct key_table {
	EVP_MD             *digests[KEY_DIGESTS];
	size_t              n_services;
	struct service_keys services[];
};

/* ---- keys --------------------------------------------------------------- */

static size_t n_isolated(const struct conf_service *s)
{
	return s->tls.on && s->tls.isolate_keys ? s->tls.n_certificates : 0;
}

/* Address space; pages that are never used cost nothing. Without it, keys are in the common heap. */
static void make_heap(const struct conf *conf)
{
	size_t n = 0, size = HEAP_MIN;

	for (size_t i = 0; i < conf->n_services; i++)
		n += n_isolated(conf->services[i]);
	while (size < n * HEAP_OF_A_KEY + HEAP_MIN)
		size *= 2;
	CRYPTO_secure_malloc_init(size, HEAP_PIECE);
}

static bool read_service(struct tls_key_reader *r, struct service_keys *k,
                         const struct conf_service *s, size_t *n_missing, char why[static KEY_FILE_WHY])
{
	char more[KEY_FILE_WHY];

	k->n = n_isolated(s);
	k->keys = calloc(k->n + 1, sizeof *k->keys);
	if (!k->keys)
		return false;
	for (size_t i = 0; i < k->n; i++) {
		k->keys[i].key = key_file_read(r, &s->tls.certificates[i], *n_missing == 0 ? why : more);
		*n_missing += !k->keys[i].key;
	}
	return true;
}

static bool fetch_digests(struct key_table *t)
{
	for (int i = KEY_NO_DIGEST + 1; i < KEY_DIGESTS; i++) {
		t->digests[i] = EVP_MD_fetch(NULL, key_digest_name((enum key_digest)i), NULL);
		if (!t->digests[i])
			return false;
	}
	return true;
}

struct key_table *key_table_read(const struct conf *conf, size_t *n_missing,
                                 char why[static KEY_FILE_WHY])
{
	struct key_table *t = calloc(1, sizeof *t + conf->n_services * sizeof t->services[0]);
	struct tls_key_reader *r = tls_key_reader_new();
	bool done = t && r && fetch_digests(t);

	*n_missing = 0;
	make_heap(conf);
	for (; done && t->n_services < conf->n_services; t->n_services++)
		done = read_service(r, &t->services[t->n_services], conf->services[t->n_services],
		                    n_missing, why);
	tls_key_reader_free(r);
	if (done)
		return t;
	snprintf(why, KEY_FILE_WHY, "make room for private keys: %s", strerror(ENOMEM));
	key_table_free(&t);
	return NULL;
}

static void free_service(struct service_keys *k)
{
	for (size_t i = 0; k->keys && i < k->n; i++) {
		EVP_PKEY_CTX_free(k->keys[i].ctx);
		EVP_PKEY_free(k->keys[i].key);
	}
	free(k->keys);
}

void key_table_free(struct key_table **tp)
{
	struct key_table *t = *tp;

	*tp = NULL;
	if (!t)
		return;
	for (size_t i = 0; i < t->n_services; i++)
		free_service(&t->services[i]);
	for (int i = 0; i < KEY_DIGESTS; i++)
		EVP_MD_free(t->digests[i]);
	free(t);
}

/* ---- signatures --------------------------------------------------------- */

static bool signs_so(const EVP_PKEY *key, enum key_scheme scheme)
{
	switch (scheme) {
	case KEY_RSA_PKCS1:
	case KEY_RSA_PSS:
		return EVP_PKEY_is_a(key, "RSA");
	case KEY_ECDSA:
		return EVP_PKEY_is_a(key, "EC");
	case KEY_EDDSA:
		return EVP_PKEY_is_a(key, "ED25519");
	case KEY_SCHEMES:
		break;
	}
	return false;
}

static bool set_padding(EVP_PKEY_CTX *ctx, enum key_scheme scheme)
{
	if (scheme == KEY_RSA_PKCS1)
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0;
	return scheme != KEY_RSA_PSS ||
	       (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
	        EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0);
}

/* False without a context. */
static bool prepare(const struct key_table *t, struct table_key *k, const struct key_request *r)
{
	if (k->ctx && k->scheme == (enum key_scheme)r->scheme && k->digest == (enum key_digest)r->digest)
		return true;
	EVP_PKEY_CTX_free(k->ctx);
	k->ctx = EVP_PKEY_CTX_new(k->key, NULL);
	k->scheme = (enum key_scheme)r->scheme;
	k->digest = (enum key_digest)r->digest;
	if (k->ctx && EVP_PKEY_sign_init(k->ctx) > 0 && set_padding(k->ctx, k->scheme) &&
	    EVP_PKEY_CTX_set_signature_md(k->ctx, t->digests[k->digest]) > 0)
		return true;
	EVP_PKEY_CTX_free(k->ctx);
	k->ctx = NULL;
	return false;
}

static bool sign_digest(const struct key_table *t, struct table_key *k, const struct key_request *r,
                        struct key_answer *a, size_t *len)
{
	return prepare(t, k, r) && EVP_PKEY_sign(k->ctx, a->data, len, r->data, r->len) > 0;
}

static bool sign_message(EVP_PKEY *key, const struct key_request *r, struct key_answer *a, size_t *len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const bool done = ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) > 0 &&
	                  EVP_DigestSign(ctx, a->data, len, r->data, r->len) > 0;

	EVP_MD_CTX_free(ctx);
	return done;
}

static enum key_status sign(const struct key_table *t, struct table_key *k,
                            const struct key_request *r, struct key_answer *a)
{
	size_t len = sizeof a->data;
	bool done;

	if (!k || !k->key)
		return KEY_UNKNOWN;
	if (!signs_so(k->key, (enum key_scheme)r->scheme))
		return KEY_REFUSED;
	done = r->scheme == KEY_EDDSA ? sign_message(k->key, r, a, &len) : sign_digest(t, k, r, a, &len);
	ERR_clear_error();
	if (!done)
		return KEY_FAILED;
	a->len = (uint32_t)len;
	return KEY_SIGNED;
}

void key_table_answer(const struct key_table *t, size_t service, const struct key_request *r,
                      struct key_answer *a)
{
	const struct service_keys *k = &t->services[service];
	struct table_key *key = r->key < k->n ? &k->keys[r->key] : NULL;

	a->magic = KEY_MAGIC;
	a->number = r->number;
	a->len = 0;
	a->status = sign(t, key, r, a);
}
