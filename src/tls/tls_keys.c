/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Without isolation all keys are read at once, as the worker will not be able to read the files
 * later; with it, a key is made when it is needed, and costs a few hundred bytes.
 */
#include <config.h>
#include "tls_keys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/x509.h>

#include "key_client.h"
#include "key_provider.h"

struct tls_keys {
	const struct conf_tls *tls;
	struct key_client      client;
	OSSL_PROVIDER         *provider; /* of keys in the key process; NULL: they are here */
	EVP_PKEY             **keys;    /* NULL if they are in the key process */
};

static bool read_keys(struct tls_keys *k, char why[static KEY_FILE_WHY])
{
	const struct conf_tls *tls = k->tls;

	struct tls_key_reader *r = tls_key_reader_new();
	size_t i = 0;

	k->keys = calloc(tls->n_certificates, sizeof *k->keys);
	if (k->keys && r)
		while (i < tls->n_certificates && (k->keys[i] = key_file_read(r, &tls->certificates[i], why)))
			i++;
	else
		snprintf(why, KEY_FILE_WHY, "%s", strerror(ENOMEM));
	tls_key_reader_free(r);
	return i == tls->n_certificates;
}

static bool use_key_process(struct tls_keys *k, const struct key_channel *channel,
                            char why[static KEY_FILE_WHY])
{
	k->client.channel = *channel;
	k->provider = key_provider_load();
	if (k->provider)
		return true;
	snprintf(why, KEY_FILE_WHY, "OpenSSL does not load the provider for the key process");
	return false;
}

struct tls_keys *tls_keys_open(const struct conf_tls *tls, const struct key_channel *channel,
                               char why[static KEY_FILE_WHY])
{
	struct tls_keys *k = calloc(1, sizeof *k);

	if (!k) {
		snprintf(why, KEY_FILE_WHY, "%s", strerror(errno));
		return NULL;
	}
	k->tls = tls;
	if (!(tls->isolate_keys ? use_key_process(k, channel, why) : read_keys(k, why)))
		tls_keys_free(&k);
	return k;
}

/* The key that belongs to the certificate's public one, in the key process. */
static EVP_PKEY *make_key(struct tls_keys *k, const struct conf_certificate *c, size_t index)
{
	const unsigned char *der = c->der[0].data;
	X509 *x509 = d2i_X509(NULL, &der, (long)c->der[0].len);
	const EVP_PKEY *public = x509 ? X509_get0_pubkey(x509) : NULL;
	EVP_PKEY *key = public ? key_provider_make_key(public, &k->client, index) : NULL;

	X509_free(x509);
	return key;
}

EVP_PKEY *tls_keys_get(struct tls_keys *k, const struct conf_certificate *c, size_t index)
{
	if (!k->keys)
		return make_key(k, c, index);
	return EVP_PKEY_up_ref(k->keys[index]) == 1 ? k->keys[index] : NULL;
}

bool tls_keys_await(struct tls_keys *k, int64_t limit_ms, int stop_fd)
{
	return k->keys || key_client_await(&k->client, limit_ms, stop_fd);
}

void tls_keys_free(struct tls_keys **kp)
{
	struct tls_keys *k = *kp;

	*kp = NULL;
	if (!k)
		return;
	for (size_t i = 0; k->keys && i < k->tls->n_certificates; i++)
		EVP_PKEY_free(k->keys[i]);
	free(k->keys);
	if (k->provider)
		OSSL_PROVIDER_unload(k->provider);
	free(k);
}
