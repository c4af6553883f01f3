/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Offers EVP_DigestSign and no other way to sign, because that is what libssl uses. Of the paddings
 * of RSA it knows those of TLS: PKCS1, and PSS with a salt as long as the digest (RFC 8446, 4.2.3).
 */
#include <config.h>
#include "key_signature.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include "key_object.h"

struct signature {
	const struct key_object *key;   /* lent: the caller's EVP_PKEY holds it */
	enum key_scheme          scheme;
	enum key_digest          digest;
	EVP_MD_CTX              *md;    /* NULL for KEY_EDDSA */
};

static struct signature *new_signature(enum key_scheme scheme)
{
	struct signature *s = OPENSSL_zalloc(sizeof *s);

	if (s)
		s->scheme = scheme;
	return s;
}

static void *new_rsa(void *provider, const char *properties)
{
	(void)provider, (void)properties;
	return new_signature(KEY_RSA_PKCS1);
}

static void *new_ecdsa(void *provider, const char *properties)
{
	(void)provider, (void)properties;
	return new_signature(KEY_ECDSA);
}

static void *new_eddsa(void *provider, const char *properties)
{
	(void)provider, (void)properties;
	return new_signature(KEY_EDDSA);
}

static void free_signature(void *signature)
{
	struct signature *s = signature;

	if (s)
		EVP_MD_CTX_free(s->md);
	OPENSSL_free(s);
}

static void *duplicate(void *signature)
{
	const struct signature *from = signature;
	struct signature *s = new_signature(from->scheme);

	if (!s)
		return NULL;
	s->key = from->key;
	s->digest = from->digest;
	if (!from->md)
		return s;
	s->md = EVP_MD_CTX_new();
	if (s->md && EVP_MD_CTX_copy_ex(s->md, from->md) == 1)
		return s;
	free_signature(s);
	return NULL;
}

/* ---- parameters --------------------------------------------------------- */

/* An integer, or its name. */
static int padding_of(const OSSL_PARAM *p)
{
	int padding;

	if (p->data_type != OSSL_PARAM_UTF8_STRING)
		return OSSL_PARAM_get_int(p, &padding) ? padding : 0;
	if (strcmp(p->data, OSSL_PKEY_RSA_PAD_MODE_PKCSV15) == 0)
		return RSA_PKCS1_PADDING;
	return strcmp(p->data, OSSL_PKEY_RSA_PAD_MODE_PSS) == 0 ? RSA_PKCS1_PSS_PADDING : 0;
}

static bool set_padding(struct signature *s, const OSSL_PARAM *p)
{
	switch (padding_of(p)) {
	case RSA_PKCS1_PADDING:
		s->scheme = KEY_RSA_PKCS1;
		return true;
	case RSA_PKCS1_PSS_PADDING:
		s->scheme = KEY_RSA_PSS;
		return true;
	}
	return false;
}

static bool is_length_of_digest(const OSSL_PARAM *p)
{
	int length;

	if (p->data_type == OSSL_PARAM_UTF8_STRING)
		return strcmp(p->data, OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST) == 0 ||
		       strcmp(p->data, "-1") == 0;
	return OSSL_PARAM_get_int(p, &length) && length == RSA_PSS_SALTLEN_DIGEST;
}

static int set_rsa_params(void *signature, const OSSL_PARAM params[])
{
	struct signature *s = signature;
	const OSSL_PARAM *padding, *salt;

	if (!params)
		return 1;
	padding = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PAD_MODE);
	salt = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PSS_SALTLEN);
	if ((!padding || set_padding(s, padding)) && (!salt || is_length_of_digest(salt)))
		return 1;
	ERR_raise_data(ERR_LIB_PROV, ERR_R_UNSUPPORTED,
	               "keys in the key process sign with PKCS1 or PSS as TLS has it");
	return 0;
}

static const OSSL_PARAM *settable_rsa_params(void *signature, void *provider)
{
	static const OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0),
		OSSL_PARAM_END,
	};

	(void)signature, (void)provider;
	return params;
}

/* ---- to sign ------------------------------------------------------------ */

static enum key_digest find_digest(const EVP_MD *md)
{
	for (int i = KEY_NO_DIGEST + 1; i < KEY_DIGESTS; i++)
		if (EVP_MD_is_a(md, key_digest_name((enum key_digest)i)))
			return (enum key_digest)i;
	return KEY_NO_DIGEST;
}

static int begin_digest(struct signature *s, const char *name)
{
	EVP_MD *md = EVP_MD_fetch(NULL, name && *name ? name : "SHA2-256", NULL);
	int done = 0;

	s->digest = md ? find_digest(md) : KEY_NO_DIGEST;
	EVP_MD_CTX_free(s->md);
	s->md = EVP_MD_CTX_new();
	if (s->digest == KEY_NO_DIGEST)
		ERR_raise_data(ERR_LIB_PROV, ERR_R_UNSUPPORTED, "keys in the key process do not sign %s",
		               name ? name : "");
	else if (s->md)
		done = EVP_DigestInit_ex2(s->md, md, NULL);
	EVP_MD_free(md);
	return done;
}

static int begin(void *signature, const char *digest, void *key, const OSSL_PARAM params[])
{
	struct signature *s = signature;

	if (key)
		s->key = key;
	if (!s->key || !s->key->client || !begin_digest(s, digest))
		return 0;
	return s->scheme == KEY_ECDSA || set_rsa_params(s, params);
}

static int begin_eddsa(void *signature, const char *digest, void *key, const OSSL_PARAM params[])
{
	struct signature *s = signature;

	(void)params;
	if (key)
		s->key = key;
	return s->key && s->key->client && (!digest || !*digest);
}

static int update(void *signature, const unsigned char *data, size_t len)
{
	const struct signature *s = signature;

	return EVP_DigestUpdate(s->md, data, len);
}

static const char *reason(int error)
{
	switch (error) {
	case ETIMEDOUT:
	case EAGAIN:
		return "it does not answer";
	case EPIPE:
		return "it is gone";
	case ENOKEY:
		return "it does not have the key";
	default:
		return "it cannot sign";
	}
}

static int sign(const struct signature *s, const uint8_t *data, size_t len, unsigned char *to,
                size_t *to_len, size_t room)
{
	struct key_answer a;

	if (key_client_sign(s->key->client, s->key->index, s->scheme, s->digest, data, len, &a) == -1) {
		ERR_raise_data(ERR_LIB_PROV, ERR_R_OPERATION_FAIL, "key process: %s", reason(errno));
		return 0;
	}
	if (a.len > room) {
		ERR_raise_data(ERR_LIB_PROV, ERR_R_OPERATION_FAIL, "key process: malformed answer");
		return 0;
	}
	memcpy(to, a.data, a.len);
	*to_len = a.len;
	return 1;
}

/* The size that any signature of the key can have. */
static int tell_size(const struct signature *s, size_t *len)
{
	const int size = EVP_PKEY_get_size(s->key->public);

	*len = size > 0 ? (size_t)size : 0;
	return size > 0;
}

static int finish(void *signature, unsigned char *to, size_t *to_len, size_t room)
{
	const struct signature *s = signature;
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned int len;

	if (!to)
		return tell_size(s, to_len);
	return EVP_DigestFinal_ex(s->md, digest, &len) && sign(s, digest, len, to, to_len, room);
}

static int sign_message(void *signature, unsigned char *to, size_t *to_len, size_t room,
                        const unsigned char *message, size_t len)
{
	const struct signature *s = signature;

	return to ? sign(s, message, len, to, to_len, room) : tell_size(s, to_len);
}

/* ---- tables ------------------------------------------------------------- */

#define FUNCTIONS(kind) \
	{ OSSL_FUNC_SIGNATURE_NEWCTX, (void (*)(void))new_##kind }, \
	{ OSSL_FUNC_SIGNATURE_FREECTX, (void (*)(void))free_signature }, \
	{ OSSL_FUNC_SIGNATURE_DUPCTX, (void (*)(void))duplicate }

#define DIGEST_FUNCTIONS \
	{ OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, (void (*)(void))begin }, \
	{ OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE, (void (*)(void))update }, \
	{ OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL, (void (*)(void))finish }

static const OSSL_DISPATCH rsa_functions[] = {
	FUNCTIONS(rsa), DIGEST_FUNCTIONS,
	{ OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, (void (*)(void))set_rsa_params },
	{ OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, (void (*)(void))settable_rsa_params },
	{ 0, NULL },
};

static const OSSL_DISPATCH ecdsa_functions[] = { FUNCTIONS(ecdsa), DIGEST_FUNCTIONS, { 0, NULL } };

static const OSSL_DISPATCH eddsa_functions[] = {
	FUNCTIONS(eddsa),
	{ OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, (void (*)(void))begin_eddsa },
	{ OSSL_FUNC_SIGNATURE_DIGEST_SIGN, (void (*)(void))sign_message },
	{ 0, NULL },
};

const OSSL_ALGORITHM key_signature_algorithms[] = {
	{ "RSA:rsaEncryption:1.2.840.113549.1.1.1", KEY_PROVIDER_PROPERTIES, rsa_functions, NULL },
	{ "ECDSA", KEY_PROVIDER_PROPERTIES, ecdsa_functions, NULL },
	{ "ED25519:1.3.101.112", KEY_PROVIDER_PROPERTIES, eddsa_functions, NULL },
	{ NULL, NULL, NULL, NULL },
};
