/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * All that concerns the public key is left to the provider that has made it. An export of the
 * private key is refused: that keeps OpenSSL from copying the key, without its private part, to another
 * provider and signing there (EVP_DigestSignInit does so, if it can).
 */
#include <config.h>
#include "key_object.h"

#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

struct key_kind {
	const char *name;               /* also of OpenSSL's own keys of that kind */
	const char *signature;          /* the algorithm that signs with it */
};

static const struct key_kind rsa = { "RSA", "RSA" }, ec = { "EC", "ECDSA" },
                             ed25519 = { "ED25519", "ED25519" };

static void *new_object(const struct key_kind *kind)
{
	struct key_object *o = OPENSSL_zalloc(sizeof *o);

	if (o)
		o->kind = kind;
	return o;
}

static void *new_rsa(void *provider)
{
	(void)provider;
	return new_object(&rsa);
}

static void *new_ec(void *provider)
{
	(void)provider;
	return new_object(&ec);
}

static void *new_ed25519(void *provider)
{
	(void)provider;
	return new_object(&ed25519);
}

static void free_object(void *object)
{
	struct key_object *o = object;

	if (o)
		EVP_PKEY_free(o->public);
	OPENSSL_free(o);
}

static int has(const void *object, int selection)
{
	const struct key_object *o = object;

	if (!o || ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) && !o->client))
		return 0;
	return o->public || !(selection & OSSL_KEYMGMT_SELECT_ALL);
}

static int match(const void *one, const void *other, int selection)
{
	const struct key_object *a = one, *b = other;

	if (!a->public || !b->public)
		return 0;
	if (selection & OSSL_KEYMGMT_SELECT_KEYPAIR)
		return EVP_PKEY_eq(a->public, b->public) == 1;
	return EVP_PKEY_parameters_eq(a->public, b->public) == 1;
}

/* ---- import and export -------------------------------------------------- */

/* The public key in params, as a key of OpenSSL's own provider. */
static EVP_PKEY *make_public(const struct key_kind *kind, const OSSL_PARAM *params)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, kind->name, "provider!=" KEY_PROVIDER_NAME);
	OSSL_PARAM *copy = OSSL_PARAM_dup(params);
	EVP_PKEY *key = NULL;

	if (ctx && copy && EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, copy) != 1)
		key = NULL;
	OSSL_PARAM_free(copy);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

/* What makes it a private key, if that is among params. */
static int take_private(struct key_object *o, const OSSL_PARAM *params)
{
	const OSSL_PARAM *client = OSSL_PARAM_locate_const(params, KEY_OBJECT_CLIENT);
	const OSSL_PARAM *index = OSSL_PARAM_locate_const(params, KEY_OBJECT_INDEX);

	if (!client)
		return 1;
	if (!index || client->data_size != sizeof o->client)
		return 0;
	memcpy(&o->client, client->data, sizeof o->client);
	return OSSL_PARAM_get_size_t(index, &o->index);
}

static int import(void *object, int selection, const OSSL_PARAM *params)
{
	struct key_object *o = object;

	(void)selection;
	if (o->public)
		return 0;
	o->public = make_public(o->kind, params);
	return o->public && take_private(o, params);
}

/* fromdata(3) asks for this list; import takes what is not in it as well. */
static const OSSL_PARAM *import_types(int selection)
{
	static const OSSL_PARAM types[] = {
		OSSL_PARAM_octet_string(KEY_OBJECT_CLIENT, NULL, 0),
		OSSL_PARAM_size_t(KEY_OBJECT_INDEX, NULL),
		OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
		OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
		OSSL_PARAM_END,
	};

	(void)selection;
	return types;
}

static int export(void *object, int selection, OSSL_CALLBACK *take, void *arg)
{
	const struct key_object *o = object;

	if (!o->public || ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) && o->client))
		return 0;
	return EVP_PKEY_export(o->public, selection & ~OSSL_KEYMGMT_SELECT_PRIVATE_KEY, take, arg);
}

/* ---- what is asked about the key ---------------------------------------- */

static int get_params(void *object, OSSL_PARAM params[])
{
	const struct key_object *o = object;

	return o->public && EVP_PKEY_get_params(o->public, params);
}

static const OSSL_PARAM *gettable_params(void *provider)
{
	static const OSSL_PARAM params[] = {
		OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
		OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
		OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_MANDATORY_DIGEST, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, NULL, 0),
		OSSL_PARAM_END,
	};

	(void)provider;
	return params;
}

static const char *ec_operation(int operation)
{
	return operation == OSSL_OP_SIGNATURE ? ec.signature : NULL;
}

/* ---- tables ------------------------------------------------------------- */

#define FUNCTIONS(kind) \
	{ OSSL_FUNC_KEYMGMT_NEW, (void (*)(void))new_##kind }, \
	{ OSSL_FUNC_KEYMGMT_FREE, (void (*)(void))free_object }, \
	{ OSSL_FUNC_KEYMGMT_HAS, (void (*)(void))has }, \
	{ OSSL_FUNC_KEYMGMT_MATCH, (void (*)(void))match }, \
	{ OSSL_FUNC_KEYMGMT_IMPORT, (void (*)(void))import }, \
	{ OSSL_FUNC_KEYMGMT_IMPORT_TYPES, (void (*)(void))import_types }, \
	{ OSSL_FUNC_KEYMGMT_EXPORT, (void (*)(void))export }, \
	{ OSSL_FUNC_KEYMGMT_EXPORT_TYPES, (void (*)(void))import_types }, \
	{ OSSL_FUNC_KEYMGMT_GET_PARAMS, (void (*)(void))get_params }, \
	{ OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, (void (*)(void))gettable_params }

static const OSSL_DISPATCH rsa_functions[] = { FUNCTIONS(rsa), { 0, NULL } };
static const OSSL_DISPATCH ed25519_functions[] = { FUNCTIONS(ed25519), { 0, NULL } };
static const OSSL_DISPATCH ec_functions[] = {
	FUNCTIONS(ec),
	{ OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, (void (*)(void))ec_operation },
	{ 0, NULL },
};

/* All names that OpenSSL's own provider has for them, so that they are the same algorithms. */
const OSSL_ALGORITHM key_object_algorithms[] = {
	{ "RSA:rsaEncryption:1.2.840.113549.1.1.1", KEY_PROVIDER_PROPERTIES, rsa_functions, NULL },
	{ "EC:id-ecPublicKey:1.2.840.10045.2.1", KEY_PROVIDER_PROPERTIES, ec_functions, NULL },
	{ "ED25519:1.3.101.112", KEY_PROVIDER_PROPERTIES, ed25519_functions, NULL },
	{ NULL, NULL, NULL, NULL },
};
