/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Has OpenSSL choose between this provider and its own ones. An EVP_PKEY made here is bound to this
 * provider, and is used here whatever else there is; for all else (a client's certificate has an RSA
 * key as well) any provider will do, and the first one in some list of OpenSSL's would be taken.
 * Therefore the default properties say that all others are better. This way the order in which
 * providers are loaded does not matter, nor whether SSL_CTX_new came before.
 */
#include <config.h>
#include "key_provider.h"

#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include "key_object.h"
#include "key_signature.h"

#define OTHERS_FIRST "?provider!=" KEY_PROVIDER_NAME

static const OSSL_ALGORITHM *query(void *provider, int operation, int *no_cache)
{
	(void)provider;
	*no_cache = 0;
	switch (operation) {
	case OSSL_OP_KEYMGMT:
		return key_object_algorithms;
	case OSSL_OP_SIGNATURE:
		return key_signature_algorithms;
	}
	return NULL;
}

static void tear_down(void *provider)
{
	(void)provider;
}

static int init_provider(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *core,
                         const OSSL_DISPATCH **ours, void **context)
{
	static const OSSL_DISPATCH functions[] = {
		{ OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query },
		{ OSSL_FUNC_PROVIDER_TEARDOWN, (void (*)(void))tear_down },
		{ 0, NULL },
	};
	static char no_context;

	(void)handle, (void)core;
	*ours = functions;
	*context = &no_context;         /* OpenSSL takes NULL for a failure */
	return 1;
}

/* openssl.cnf may want certified providers only: then the key process uses such a one as well. */
static int prefer_others(void)
{
	if (EVP_default_properties_is_fips_enabled(NULL))
		return EVP_set_default_properties(NULL, "fips=yes," OTHERS_FIRST);
	return EVP_set_default_properties(NULL, OTHERS_FIRST);
}

OSSL_PROVIDER *key_provider_load(void)
{
	OSSL_PROVIDER *provider;

	if (OSSL_PROVIDER_add_builtin(NULL, KEY_PROVIDER_NAME, init_provider) != 1)
		return NULL;
	/* The last argument keeps the default provider, which is there unless another one is loaded. */
	provider = OSSL_PROVIDER_try_load(NULL, KEY_PROVIDER_NAME, 1);
	if (!provider || prefer_others() == 1)
		return provider;
	OSSL_PROVIDER_unload(provider);
	return NULL;
}

/* The parameters of the public key, and those that make it a private one of ours. */
static OSSL_PARAM *describe(const EVP_PKEY *public, struct key_client *const *client, size_t *index)
{
	const OSSL_PARAM ours[] = {
		OSSL_PARAM_octet_string(KEY_OBJECT_CLIENT, (void *)(uintptr_t)client, sizeof *client),
		OSSL_PARAM_size_t(KEY_OBJECT_INDEX, index),
		OSSL_PARAM_END,
	};
	OSSL_PARAM *its = NULL, *all = NULL;

	if (EVP_PKEY_todata(public, EVP_PKEY_PUBLIC_KEY, &its) == 1)
		all = OSSL_PARAM_merge(its, ours);
	/* A merged array points to the values of both, so they go into a copy. */
	if (all) {
		OSSL_PARAM *copy = OSSL_PARAM_dup(all);

		OPENSSL_free(all);
		all = copy;
	}
	OSSL_PARAM_free(its);
	return all;
}

EVP_PKEY *key_provider_make_key(const EVP_PKEY *public, struct key_client *client, size_t index)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, EVP_PKEY_get0_type_name(public),
	                                               "provider=" KEY_PROVIDER_NAME);
	OSSL_PARAM *params = describe(public, &client, &index);
	EVP_PKEY *key = NULL;

	if (ctx && params && EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) != 1)
		key = NULL;
	OSSL_PARAM_free(params);
	EVP_PKEY_CTX_free(ctx);
	return key;
}
