/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes contexts from the options. Each error empties OpenSSL's queue of errors, as
 * SSL_get_error(3) demands for the streams.
 */
#include <config.h>
#include "bench_tls.h"

#include <stdio.h>

#ifdef HAVE_OPENSSL

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

/* In a stream one call of the system reads several records of 16 KiB. */
#define STREAM_READ_AHEAD 65536

/* What the oldest error says. Empties the queue. */
static const char *error_text(void)
{
	const unsigned long error = ERR_peek_error();
	const char *text = ERR_SYSTEM_ERROR(error) ? strerror(ERR_GET_REASON(error))
	                                           : ERR_reason_error_string(error);

	ERR_clear_error();
	return text ? text : "unknown error";
}

/* The same, if a file had nothing of what it must have. */
static const char *missing_text(const char *what)
{
	const unsigned long error = ERR_peek_error();
	const int lib = ERR_GET_LIB(error), reason = ERR_GET_REASON(error);
	const bool missing = (lib == ERR_LIB_PEM && reason == PEM_R_NO_START_LINE) ||
	                     (lib == ERR_LIB_OSSL_DECODER && reason == ERR_R_UNSUPPORTED);

	if (!missing)
		return error_text();
	ERR_clear_error();
	return what;
}

static int refuse_password(char *buf, int size, int writing, void *data)
{
	struct bench_tls *t = data;

	(void)buf, (void)size, (void)writing;
	t->was_asked = true;
	return -1;
}

static int set_version(SSL_CTX *context, enum bench_tls_version version)
{
	const int lowest = version == BENCH_TLS_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
	const int highest = version == BENCH_TLS_1_2 ? TLS1_2_VERSION : 0;

	return SSL_CTX_set_min_proto_version(context, lowest) == 1 &&
	       SSL_CTX_set_max_proto_version(context, highest) == 1 ? 0 : -1;
}

/* The name that a verified certificate must have. */
static int set_name(struct bench_tls *t, const char *name)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(t->context);
	unsigned char ip[16];

	if (!*name)
		return 0;
	if (inet_pton(AF_INET, name, ip) == 1 || inet_pton(AF_INET6, name, ip) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1 ? 0 : -1;
	snprintf(t->name, sizeof t->name, "%s", name);
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return X509_VERIFY_PARAM_set1_host(param, name, 0) == 1 ? 0 : -1;
}

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
	struct bench_tls *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	SSL_SESSION_free(t->session);
	t->session = session;
	return 1;                       /* the reference is ours now */
}

static void set_habits(struct bench_tls *t, const struct bench_plan *p)
{
	SSL_CTX *c = t->context;

	SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_default_passwd_cb(c, refuse_password);
	SSL_CTX_set_default_passwd_cb_userdata(c, t);
	SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_app_data(c, t);
	/* A record takes one call of recv(2) instead of two, but needs a buffer. */
	if (p->mode == BENCH_HOLD)
		SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS);
	else
		SSL_CTX_set_read_ahead(c, 1);
	if (p->mode == BENCH_STREAM)
		SSL_CTX_set_default_read_buffer_len(c, STREAM_READ_AHEAD);
	if (p->tls.ca)
		SSL_CTX_set_verify(c, SSL_VERIFY_PEER, NULL);
	if (p->tls.resume) {
		SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
		SSL_CTX_sess_set_new_cb(c, keep_session);
	}
}

/* Each of these returns what is wrong with its file, or NULL. */

static const char *load_ca(SSL_CTX *context, const char *file)
{
	return SSL_CTX_load_verify_file(context, file) == 1 ? NULL : error_text();
}

static const char *load_certificate(SSL_CTX *context, const char *file)
{
	return SSL_CTX_use_certificate_chain_file(context, file) == 1
		? NULL : missing_text("it has no certificate in PEM");
}

static const char *load_key(struct bench_tls *t, const char *file)
{
	if (SSL_CTX_use_PrivateKey_file(t->context, file, SSL_FILETYPE_PEM) == 1)
		return NULL;
	if (!t->was_asked)
		return missing_text("it has no private key in PEM");
	ERR_clear_error();
	return "the private key is encrypted, and must not be (openssl pkey -in FILE -out NEW-FILE)";
}

/* Returns 0, or -1 with a complaint about an option and its file. */
static int load_files(struct bench_tls *t, const struct bench_tls_plan *tls, char *complaint,
                      size_t size)
{
	const char *key = tls->key ? tls->key : tls->cert;
	const char *wrong = NULL, *option = "--ca", *file = tls->ca;

	if (tls->ca)
		wrong = load_ca(t->context, file);
	if (!wrong && tls->cert) {
		option = "--cert";
		file = tls->cert;
		wrong = load_certificate(t->context, file);
	}
	if (!wrong && key) {
		option = tls->key ? "--key" : "--cert";
		file = key;
		wrong = load_key(t, file);
	}
	if (wrong)
		snprintf(complaint, size, "%s %.200s: %s", option, file, wrong);
	return wrong ? -1 : 0;
}

static int set_up(struct bench_tls *t, const struct bench_plan *p, char *complaint, size_t size)
{
	char host[NI_MAXHOST];

	bench_plan_host(p, host, sizeof host);
	t->context = SSL_CTX_new(TLS_client_method());
	if (!t->context || set_version(t->context, p->tls.version) == -1 ||
	    set_name(t, p->tls.sni ? p->tls.sni : host) == -1) {
		snprintf(complaint, size, "--tls: %s", error_text());
		return -1;
	}
	set_habits(t, p);
	return load_files(t, &p->tls, complaint, size);
}

struct bench_tls *bench_tls_new(const struct bench_plan *p, char *complaint, size_t size)
{
	struct bench_tls *t = calloc(1, sizeof *t);

	if (!t)
		snprintf(complaint, size, "--tls: %s", strerror(errno));
	else if (set_up(t, p, complaint, size) == 0)
		return t;
	bench_tls_free(t);
	return NULL;
}

void bench_tls_free(struct bench_tls *t)
{
	if (!t)
		return;
	SSL_SESSION_free(t->session);
	SSL_CTX_free(t->context);
	free(t);
}

#else /* !HAVE_OPENSSL */

struct bench_tls *bench_tls_new(const struct bench_plan *p, char *complaint, size_t size)
{
	(void)p;
	snprintf(complaint, size, "--tls: this drover-bench was built without OpenSSL");
	return NULL;
}

void bench_tls_free(struct bench_tls *t)
{
	(void)t;
}

#endif
