/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Streams by OpenSSL 3.0 or later. The queue of errors of a thread is emptied after each error, as
 * SSL_get_error(3) demands.
 */
#include <config.h>
#include "bench_tls_stream.h"

#include <errno.h>

#ifdef HAVE_OPENSSL

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

struct bench_tls_stream {
	SSL                   *ssl;
	struct bench_tls_fault fault;
	bool                   established;     /* the handshake is complete */
	bool                   failed;
	bool                   cut;
};

/* Offers a copy, because OpenSSL lets a session of TLS 1.3 be used only once. */
static void offer_session(SSL *ssl, const SSL_SESSION *session)
{
	SSL_SESSION *copy = SSL_SESSION_dup(session);

	if (copy)
		SSL_set_session(ssl, copy);
	SSL_SESSION_free(copy);
}

struct bench_tls_stream *bench_tls_stream_open(struct bench_tls *t, int fd)
{
	struct bench_tls_stream *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->ssl = SSL_new(t->context);
	if (!s->ssl || SSL_set_fd(s->ssl, fd) != 1 ||
	    (*t->name && SSL_set_tlsext_host_name(s->ssl, t->name) != 1)) {
		bench_tls_stream_close(s, false);
		ERR_clear_error();
		errno = ENOMEM;
		return NULL;
	}
	SSL_set_connect_state(s->ssl);
	if (t->session)
		offer_session(s->ssl, t->session);
	return s;
}

/* A session whose stream is freed without close_notify cannot be resumed. */
void bench_tls_stream_close(struct bench_tls_stream *s, bool orderly)
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

int bench_tls_stream_handshake(struct bench_tls_stream *s)
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

struct bench_tls_facts bench_tls_stream_facts(const struct bench_tls_stream *s)
{
	return (struct bench_tls_facts){
		.version = SSL_get_version(s->ssl),
		.cipher = SSL_CIPHER_get_name(SSL_get_current_cipher(s->ssl)),
		.resumed = SSL_session_reused(s->ssl),
	};
}

ssize_t bench_tls_stream_receive(struct bench_tls_stream *s, char *buf, size_t size)
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

ssize_t bench_tls_stream_send(struct bench_tls_stream *s, const char *bytes, size_t len)
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

int bench_tls_stream_end(struct bench_tls_stream *s)
{
	const int rc = SSL_shutdown(s->ssl);

	return rc >= 0 ? 0 : result_of(s, rc);
}

bool bench_tls_stream_was_cut(const struct bench_tls_stream *s)
{
	return s->cut;
}

struct bench_tls_fault bench_tls_stream_fault(const struct bench_tls_stream *s)
{
	return s->fault;
}

#else /* !HAVE_OPENSSL */

struct bench_tls_stream *bench_tls_stream_open(struct bench_tls *t, int fd)
{
	(void)t, (void)fd;
	errno = ENOSYS;
	return NULL;
}

void bench_tls_stream_close(struct bench_tls_stream *s, bool orderly)
{
	(void)s, (void)orderly;
}

static int fail(void)
{
	errno = ENOSYS;
	return -1;
}

int bench_tls_stream_handshake(struct bench_tls_stream *s)
{
	return (void)s, fail();
}

ssize_t bench_tls_stream_receive(struct bench_tls_stream *s, char *buf, size_t size)
{
	return (void)s, (void)buf, (void)size, fail();
}

ssize_t bench_tls_stream_send(struct bench_tls_stream *s, const char *bytes, size_t len)
{
	return (void)s, (void)bytes, (void)len, fail();
}

int bench_tls_stream_end(struct bench_tls_stream *s)
{
	return (void)s, fail();
}

bool bench_tls_stream_was_cut(const struct bench_tls_stream *s)
{
	(void)s;
	return false;
}

struct bench_tls_fault bench_tls_stream_fault(const struct bench_tls_stream *s)
{
	(void)s;
	return (struct bench_tls_fault){ .kind = FAILURE_TLS };
}

struct bench_tls_facts bench_tls_stream_facts(const struct bench_tls_stream *s)
{
	(void)s;
	return (struct bench_tls_facts){ .resumed = false };
}

#endif
