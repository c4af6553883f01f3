/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * TLS by OpenSSL 3.0 or later. Each thread has a context of its own, because those that share one
 * also share its counters and locks. The queue of errors of a thread is emptied after each error,
 * as SSL_get_error(3) demands.
 */
#include <config.h>
#include "bench_tls.h"

#include <errno.h>
#include <stdio.h>

#ifdef HAVE_OPENSSL

#include <arpa/inet.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

/* In a stream one call of the system reads several records of 16 KiB. */
#define STREAM_READ_AHEAD 65536

struct bench_tls {
	SSL_CTX     *context;
	SSL_SESSION *session;           /* the newest; NULL: none */
	char         name[NI_MAXHOST];  /* for SNI; empty: none */
	bool         was_asked;         /* for the password of a private key */
};

struct bench_tls_stream {
	SSL                   *ssl;
	struct bench_tls_fault fault;
	bool                   established;     /* the handshake is complete */
	bool                   failed;
	bool                   cut;
};

/* ---- the context -------------------------------------------------------- */

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

/* ---- streams ------------------------------------------------------------ */

struct bench_tls_stream *bench_tls_open(struct bench_tls *t, int fd)
{
	struct bench_tls_stream *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->ssl = SSL_new(t->context);
	if (!s->ssl || SSL_set_fd(s->ssl, fd) != 1 ||
	    (*t->name && SSL_set_tlsext_host_name(s->ssl, t->name) != 1)) {
		bench_tls_close(s, false);
		ERR_clear_error();
		errno = ENOMEM;
		return NULL;
	}
	SSL_set_connect_state(s->ssl);
	if (t->session)
		SSL_set_session(s->ssl, t->session);
	return s;
}

/* A session whose stream is freed without close_notify cannot be resumed. */
void bench_tls_close(struct bench_tls_stream *s, bool orderly)
{
	if (orderly && s->established && !s->failed &&
	    !(SSL_get_shutdown(s->ssl) & SSL_SENT_SHUTDOWN) && SSL_shutdown(s->ssl) < 0)
		ERR_clear_error();
	SSL_free(s->ssl);
	free(s);
}

static int set_fault(struct bench_tls_stream *s, enum failure kind, const char *reason)
{
	s->failed = true;
	s->fault = (struct bench_tls_fault){ kind, reason };
	errno = EPROTO;
	return -1;
}

/* Alerts that were received are errors of the library, by their number in RFC 8446, section 6. */
static bool is_alert(int reason)
{
	return reason >= SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256;
}

/* "unknown ca" of "tlsv1 alert unknown ca". */
static const char *alert_name(const char *text)
{
	const char *alert = strstr(text, "alert ");

	return alert ? alert + strlen("alert ") : text;
}

static int fail_by_library(struct bench_tls_stream *s, unsigned long error)
{
	const int reason = ERR_GET_REASON(error);
	const char *text = ERR_reason_error_string(error);

	text = text ? text : "unknown error";
	if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED)
		return set_fault(s, FAILURE_CERTIFICATE,
		                 X509_verify_cert_error_string(SSL_get_verify_result(s->ssl)));
	if (is_alert(reason))
		return set_fault(s, FAILURE_ALERT, alert_name(text));
	return set_fault(s, FAILURE_TLS, text);
}

/* The server has closed its socket. */
static int fail_by_end(struct bench_tls_stream *s)
{
	s->cut = true;
	if (!s->established)
		return set_fault(s, FAILURE_EARLY_END, "in the handshake");
	s->failed = true;
	return 0;
}

/* What a call that returned rc leads to: -1 with errno, or 0 at the end of the connection. */
static int result_of(struct bench_tls_stream *s, int rc)
{
	const int socket_error = errno, kind = SSL_get_error(s->ssl, rc);
	const unsigned long error = ERR_peek_error();

	ERR_clear_error();
	switch (kind) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		s->failed = true;
		errno = socket_error;
		return socket_error ? -1 : fail_by_end(s);
	default:
		if (ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
			return fail_by_end(s);
		return fail_by_library(s, error);
	}
}

int bench_tls_handshake(struct bench_tls_stream *s)
{
	const int rc = SSL_do_handshake(s->ssl);

	if (rc == 1) {
		s->established = true;
		return 1;
	}
	if (result_of(s, rc) == -1)
		return -1;
	return set_fault(s, FAILURE_EARLY_END, "in the handshake");
}

struct bench_tls_facts bench_tls_facts(const struct bench_tls_stream *s)
{
	return (struct bench_tls_facts){
		.version = SSL_get_version(s->ssl),
		.cipher = SSL_CIPHER_get_name(SSL_get_current_cipher(s->ssl)),
		.resumed = SSL_session_reused(s->ssl),
	};
}

ssize_t bench_tls_receive(struct bench_tls_stream *s, char *buf, size_t size)
{
	size_t n;
	const int rc = SSL_read_ex(s->ssl, buf, size, &n);

	return rc == 1 ? (ssize_t)n : result_of(s, rc);
}

/*
 * A server that refuses us sends an alert and closes. If it did not read all that we sent, the
 * next write fails, while the alert waits to be read.
 */
static ssize_t fail_to_send(struct bench_tls_stream *s, int rc)
{
	int error;
	char byte;
	size_t n;

	if (result_of(s, rc) == 0)      /* the server ended first, which only a read reports */
		errno = EPIPE;
	if (errno != EPIPE && errno != ECONNRESET)
		return -1;
	error = errno;
	if (SSL_read_ex(s->ssl, &byte, 1, &n) == 1 || result_of(s, 0) == 0 ||
	    errno != EPROTO || s->fault.kind != FAILURE_ALERT)
		errno = error;
	return -1;
}

ssize_t bench_tls_send(struct bench_tls_stream *s, const char *bytes, size_t len)
{
	size_t sent = 0;

	while (sent < len) {
		size_t n;
		const int rc = SSL_write_ex(s->ssl, bytes + sent, len - sent, &n);

		if (rc == 1)
			sent += n;
		else if (fail_to_send(s, rc) == -1 && (errno != EAGAIN || sent == 0))
			return -1;
		else
			break;
	}
	return (ssize_t)sent;
}

int bench_tls_end(struct bench_tls_stream *s)
{
	const int rc = SSL_shutdown(s->ssl);

	return rc >= 0 ? 0 : result_of(s, rc);
}

bool bench_tls_was_cut(const struct bench_tls_stream *s)
{
	return s->cut;
}

struct bench_tls_fault bench_tls_fault(const struct bench_tls_stream *s)
{
	return s->fault;
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

struct bench_tls_stream *bench_tls_open(struct bench_tls *t, int fd)
{
	(void)t, (void)fd;
	errno = ENOSYS;
	return NULL;
}

void bench_tls_close(struct bench_tls_stream *s, bool orderly)
{
	(void)s, (void)orderly;
}

static int fail(void)
{
	errno = ENOSYS;
	return -1;
}

int bench_tls_handshake(struct bench_tls_stream *s)
{
	return (void)s, fail();
}

ssize_t bench_tls_receive(struct bench_tls_stream *s, char *buf, size_t size)
{
	return (void)s, (void)buf, (void)size, fail();
}

ssize_t bench_tls_send(struct bench_tls_stream *s, const char *bytes, size_t len)
{
	return (void)s, (void)bytes, (void)len, fail();
}

int bench_tls_end(struct bench_tls_stream *s)
{
	return (void)s, fail();
}

bool bench_tls_was_cut(const struct bench_tls_stream *s)
{
	(void)s;
	return false;
}

struct bench_tls_fault bench_tls_fault(const struct bench_tls_stream *s)
{
	(void)s;
	return (struct bench_tls_fault){ .kind = FAILURE_TLS };
}

struct bench_tls_facts bench_tls_facts(const struct bench_tls_stream *s)
{
	(void)s;
	return (struct bench_tls_facts){ .resumed = false };
}

#endif
