/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Builds the SSL_CTX. Its session id context is a hash of the service's name and of what is
 * demanded of clients: so a session of one service, or one that began before a client
 * certificate was demanded or revoked, is not resumed in place of a check.
 */
#include <config.h>
#include "tls_context.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "tls_keys.h"
#include "tls_names.h"

struct pair {                           /* leaf NULL: not needed so far */
	X509           *leaf;
	STACK_OF(X509) *chain;
	EVP_PKEY       *key;
};

struct tls_context {
	const struct conf_tls *conf;
	struct tls_keys       *keys;
	SSL_CTX               *ctx;
	struct pair           *pairs;   /* as conf->certificates */
	const ASN1_TIME       *next_list; /* when the first CRL expires; lent by ctx; NULL: none does */
	unsigned char         *alpn;    /* as in the extension: each name behind its length; */
	unsigned               alpn_len; /* 0: none is configured */
};

/* ---- certificates ------------------------------------------------------- */

static X509 *parse_certificate(const struct conf_bytes *b)
{
	const unsigned char *at = b->data;

	return d2i_X509(NULL, &at, (long)b->len);
}

static void drop_pair(struct pair *p)
{
	X509_free(p->leaf);
	sk_X509_pop_free(p->chain, X509_free);
	EVP_PKEY_free(p->key);
	*p = (struct pair){ 0 };
}

static bool add_to_chain(struct pair *p, const struct conf_bytes *b)
{
	X509 *x = parse_certificate(b);

	if (x && sk_X509_push(p->chain, x) > 0)
		return true;
	X509_free(x);
	return false;
}

static bool make_pair(struct tls_context *t, size_t index)
{
	const struct conf_certificate *c = &t->conf->certificates[index];
	struct pair *p = &t->pairs[index];
	bool works;

	p->leaf = parse_certificate(&c->der[0]);
	p->chain = sk_X509_new_null();
	p->key = tls_keys_get(t->keys, c, index);
	works = p->leaf && p->chain && p->key;
	for (size_t i = 1; works && i < c->n_der; i++)
		works = add_to_chain(p, &c->der[i]);
	if (!works)
		drop_pair(p);
	return works;
}

/* -1: no pair is for the name that the client asks for, or it asks for none. */
static int find_pair(const struct tls_context *t, const SSL *ssl)
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	return name ? tls_names_find(t->conf->names, name) : -1;
}

/* Called in each handshake that needs a certificate. 1, or 0: the handshake fails. */
static int choose_pair(SSL *ssl, void *arg)
{
	struct tls_context *t = arg;
	const int found = find_pair(t, ssl);
	const size_t index = found == -1 ? 0 : (size_t)found;
	const struct pair *p = &t->pairs[index];

	if (!p->leaf && !make_pair(t, index))
		return 0;
	return SSL_use_cert_and_key(ssl, p->leaf, p->key, p->chain, 1);
}

/* Called in each handshake, also without a name. */
static int check_name(SSL *ssl, int *alert, void *arg)
{
	const struct tls_context *t = arg;

	if (t->conf->sni != TLS_SNI_STRICT || find_pair(t, ssl) != -1)
		return SSL_TLSEXT_ERR_OK;
	*alert = SSL_AD_UNRECOGNIZED_NAME;
	ERR_raise(ERR_LIB_SSL, SSL_R_TLSV1_UNRECOGNIZED_NAME); /* else "callback failed" is all that is known */
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* ---- protocols ---------------------------------------------------------- */

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                           const unsigned char *in, unsigned in_len, void *arg)
{
	const struct tls_context *t = arg;
	unsigned char *chosen;

	(void)ssl;
	if (SSL_select_next_proto(&chosen, out_len, t->alpn, t->alpn_len, in, in_len) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static bool set_alpn(struct tls_context *t)
{
	size_t room = 0;

	for (const char **name = t->conf->alpn; *name; name++)
		room += 1 + strlen(*name);
	if (room == 0)
		return true;
	t->alpn = malloc(room);
	if (!t->alpn)
		return false;
	for (const char **name = t->conf->alpn; *name; name++) {
		const size_t len = strlen(*name);

		t->alpn[t->alpn_len] = (unsigned char)len;
		memcpy(t->alpn + t->alpn_len + 1, *name, len);
		t->alpn_len += 1 + (unsigned)len;
	}
	SSL_CTX_set_alpn_select_cb(t->ctx, choose_protocol, t);
	return true;
}

static bool set_ciphers(struct tls_context *t)
{
	const struct conf_tls *c = t->conf;
	const int min = c->min_version == TLS_VERSION_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;

	return SSL_CTX_set_min_proto_version(t->ctx, min) == 1 &&
	       (!c->ciphers || SSL_CTX_set_cipher_list(t->ctx, c->ciphers) == 1) &&
	       (!c->ciphersuites || SSL_CTX_set_ciphersuites(t->ctx, c->ciphersuites) == 1) &&
	       (!c->groups || SSL_CTX_set1_groups_list(t->ctx, c->groups) == 1);
}

/* ---- clients ------------------------------------------------------------ */

static bool add_authority(struct tls_context *t, X509_STORE *store, const struct conf_bytes *b)
{
	X509 *x = parse_certificate(b);
	const bool works = x && X509_STORE_add_cert(store, x) == 1 && SSL_CTX_add_client_CA(t->ctx, x) == 1;

	X509_free(x);
	return works;
}

static void note_expiry(struct tls_context *t, const X509_CRL *crl)
{
	const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);

	if (next && (!t->next_list || ASN1_TIME_compare(next, t->next_list) < 0))
		t->next_list = next;
}

static bool add_crl(struct tls_context *t, X509_STORE *store, const struct conf_bytes *b)
{
	const unsigned char *at = b->data;
	X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)b->len);
	const bool works = crl && X509_STORE_add_crl(store, crl) == 1;

	if (works)
		note_expiry(t, crl);    /* the store keeps it */
	X509_CRL_free(crl);
	return works;
}

static bool set_clients(struct tls_context *t)
{
	const struct conf_tls *c = t->conf;
	X509_STORE *store = SSL_CTX_get_cert_store(t->ctx);

	if (c->client_auth == TLS_CLIENT_NONE)
		return true;
	for (size_t i = 0; i < c->n_ca; i++)
		if (!add_authority(t, store, &c->ca[i]))
			return false;
	for (size_t i = 0; i < c->n_crl; i++)
		if (!add_crl(t, store, &c->crl[i]))
			return false;
	if (c->n_crl > 0)
		X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER |
	                   (c->client_auth == TLS_CLIENT_REQUIRED ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
	                   NULL);
	return true;
}

/* ---- sessions ----------------------------------------------------------- */

static bool hash_all(EVP_MD_CTX *md, const struct conf_bytes *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (EVP_DigestUpdate(md, list[i].data, list[i].len) != 1)
			return false;
	return true;
}

static bool hash_policy(EVP_MD_CTX *md, const struct conf_tls *c, const char *service,
                        unsigned char hash[static EVP_MAX_MD_SIZE], unsigned *len)
{
	const unsigned char auth = (unsigned char)c->client_auth;

	return EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 &&
	       EVP_DigestUpdate(md, service, strlen(service) + 1) == 1 &&
	       EVP_DigestUpdate(md, &auth, 1) == 1 &&
	       hash_all(md, c->ca, c->n_ca) && hash_all(md, c->crl, c->n_crl) &&
	       EVP_DigestFinal_ex(md, hash, len) == 1;
}

static bool has_passed(const ASN1_TIME *when)
{
	return when && X509_cmp_time(when, NULL) <= 0;
}

/*
 * A certificate is verified in full handshakes only, and with TLS 1.3 a client gets a new ticket whenever it
 * resumes: so what may have expired since then is looked at here. s is NULL if it is not known.
 */
static SSL_TICKET_RETURN judge_ticket(SSL *ssl, SSL_SESSION *s, const unsigned char *name,
                                      size_t len, SSL_TICKET_STATUS status, void *arg)
{
	const struct tls_context *t = arg;
	const X509 *peer = s ? SSL_SESSION_get0_peer(s) : NULL;

	(void)ssl, (void)name, (void)len;
	if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	if (peer && (has_passed(X509_get0_notAfter(peer)) || has_passed(t->next_list)))
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

static bool set_sessions(struct tls_context *t, const char *service)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	unsigned len = 0;
	const bool works = md && hash_policy(md, t->conf, service, hash, &len) &&
	                   SSL_CTX_set_session_id_context(t->ctx, hash, len) == 1;

	EVP_MD_CTX_free(md);
	SSL_CTX_set_session_ticket_cb(t->ctx, NULL, judge_ticket, t);
	SSL_CTX_set_session_cache_mode(t->ctx, SSL_SESS_CACHE_OFF);
	/* A client gets a new one whenever it resumes. */
	SSL_CTX_set_num_tickets(t->ctx, t->conf->tickets ? 1 : 0);
	if (!t->conf->tickets)
		SSL_CTX_set_options(t->ctx, SSL_OP_NO_TICKET);
	return works;
}

/* ---- the context -------------------------------------------------------- */

static void set_habits(struct tls_context *t)
{
	SSL_CTX_set_options(t->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_clear_options(t->ctx, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF |
	                      SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION);
	SSL_CTX_set_max_early_data(t->ctx, 0);
	SSL_CTX_set_mode(t->ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
	                 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_read_ahead(t->ctx, 1);      /* one system call for a record, and not two */
	SSL_CTX_set_cert_cb(t->ctx, choose_pair, t);
	SSL_CTX_set_tlsext_servername_callback(t->ctx, check_name);
	SSL_CTX_set_tlsext_servername_arg(t->ctx, t);
}

/* A word for what failed, or NULL. */
static const char *set_all(struct tls_context *t, const char *service)
{
	set_habits(t);
	if (!set_ciphers(t))
		return "ciphers";
	if (!set_alpn(t))
		return "alpn";
	if (!set_clients(t))
		return "client certificates";
	return set_sessions(t, service) ? NULL : "sessions";
}

struct tls_context *tls_context_new(const struct conf_tls *conf, const char *service,
                                    struct tls_keys *keys, char *why, size_t size)
{
	struct tls_context *t = calloc(1, sizeof *t);
	const char *failed = "memory", *reason;

	ERR_clear_error();
	if (!t)
		goto fail;
	*t = (struct tls_context){ .conf = conf, .keys = keys };
	t->pairs = calloc(conf->n_certificates, sizeof *t->pairs);
	t->ctx = SSL_CTX_new(TLS_server_method());
	if (!t->pairs || !t->ctx)
		goto fail;
	failed = set_all(t, service);
	/* The one that most clients get: so a key that cannot be had is noticed before a client comes. */
	if (!failed && !make_pair(t, 0))
		failed = "private key";
	if (!failed)
		return t;
fail:
	reason = ERR_reason_error_string(ERR_peek_error());
	snprintf(why, size, "%s: %s", failed, reason ? reason : strerror(errno));
	ERR_clear_error();
	tls_context_free(t);
	return NULL;
}

void tls_context_free(struct tls_context *t)
{
	if (!t)
		return;
	for (size_t i = 0; t->pairs && i < t->conf->n_certificates; i++)
		drop_pair(&t->pairs[i]);
	free(t->pairs);
	free(t->alpn);
	SSL_CTX_free(t->ctx);
	free(t);
}

SSL_CTX *tls_context_ssl_ctx(struct tls_context *t)
{
	return t->ctx;
}
