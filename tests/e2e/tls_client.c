/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Clients made with libssl over sockets that do not block.
 */
#include <config.h>
#include "tls_client.h"

#include <check.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "files.h"
#include "turn.h"

#define READ_ALL_MAX 65536

/* ---- begin -------------------------------------------------------------- */

static SSL_CTX *make_context(const struct tls_client_wish *w)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	ck_assert_ptr_nonnull(ctx);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_min_proto_version(ctx, w->version);
	SSL_CTX_set_max_proto_version(ctx, w->version);
	if (w->trusts) {
		ck_assert_int_eq(SSL_CTX_load_verify_file(ctx, files_text("%s.pem", w->trusts)), 1);
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	}
	if (w->shows) {
		ck_assert_int_eq(SSL_CTX_use_certificate_file(ctx, files_text("%s.pem", w->shows),
		                                              SSL_FILETYPE_PEM), 1);
		ck_assert_int_eq(SSL_CTX_use_PrivateKey_file(ctx, files_text("%s.key", w->shows),
		                                             SSL_FILETYPE_PEM), 1);
	}
	return ctx;
}

SSL *tls_client_new(int fd, const struct tls_client_wish *w)
{
	SSL_CTX *ctx = make_context(w);
	SSL *ssl = SSL_new(ctx);

	SSL_CTX_free(ctx);
	ck_assert_int_eq(SSL_set_fd(ssl, fd), 1);
	if (w->host) {
		SSL_set_tlsext_host_name(ssl, w->host);
		SSL_set1_host(ssl, w->host);
	}
	if (w->session)
		SSL_set_session(ssl, w->session);
	SSL_set_connect_state(ssl);
	return ssl;
}

SSL *tls_client_connect(const char *address, const struct tls_client_wish *w)
{
	SSL *ssl = tls_client_new(client_connect(address), w);

	ck_assert_msg(tls_client_shake_hands(ssl), "handshake: %s, %s",
	              ERR_reason_error_string(ERR_peek_error()),
	              X509_verify_cert_error_string(SSL_get_verify_result(ssl)));
	return ssl;
}

/* ---- waiting ------------------------------------------------------------ */

/* Waits for what the last call wants. False: it wants nothing, as it has failed or ended. */
static bool wait_after(SSL *ssl, int result)
{
	switch (SSL_get_error(ssl, result)) {
	case SSL_ERROR_WANT_READ:
		turn_until_ready(SSL_get_fd(ssl), POLLIN);
		return true;
	case SSL_ERROR_WANT_WRITE:
		turn_until_ready(SSL_get_fd(ssl), POLLOUT);
		return true;
	default:
		return false;
	}
}

bool tls_client_shake_hands(SSL *ssl)
{
	int result;

	ERR_clear_error();
	while ((result = SSL_do_handshake(ssl)) != 1)
		if (!wait_after(ssl, result))
			return false;
	return true;
}

/* ---- bytes -------------------------------------------------------------- */

void tls_client_send(SSL *ssl, const char *bytes, size_t len)
{
	size_t n;

	ERR_clear_error();
	while (len > 0) {
		const int result = SSL_write_ex(ssl, bytes, len, &n);

		if (result == 1) {
			bytes += n;
			len -= n;
		} else {
			ck_assert_msg(wait_after(ssl, result), "the daemon takes nothing more");
		}
	}
}

void tls_client_say(SSL *ssl, const char *text)
{
	tls_client_send(ssl, text, strlen(text));
}

/* Up to len bytes, or fewer if the end comes; *told: it was announced. */
static size_t receive(SSL *ssl, char *bytes, size_t len, bool *told)
{
	size_t got = 0, n;

	ERR_clear_error();
	*told = false;
	while (got < len) {
		const int result = SSL_read_ex(ssl, bytes + got, len - got, &n);

		*told = result != 1 && SSL_get_error(ssl, result) == SSL_ERROR_ZERO_RETURN;
		if (result == 1)
			got += n;
		else if (!wait_after(ssl, result))
			break;
	}
	return got;
}

void tls_client_receive(SSL *ssl, char *bytes, size_t len)
{
	bool told;

	ck_assert_uint_eq(receive(ssl, bytes, len, &told), len);
}

void tls_client_expect(SSL *ssl, const char *text)
{
	char bytes[1024] = "";
	bool told;

	ck_assert_uint_lt(strlen(text), sizeof bytes);
	receive(ssl, bytes, strlen(text), &told);
	ck_assert_str_eq(bytes, text);
}

const char *tls_client_read_all(SSL *ssl)
{
	static char text[READ_ALL_MAX];
	bool told;
	const size_t n = receive(ssl, text, sizeof text - 1, &told);

	text[n] = '\0';
	ck_assert_msg(told, "an end without notice after: %s", text);
	return text;
}

bool tls_client_is_told_end(SSL *ssl)
{
	char bytes[4096];
	bool told;

	while (receive(ssl, bytes, sizeof bytes, &told) == sizeof bytes)
		;
	return told;
}

/* ---- the end ------------------------------------------------------------ */

void tls_client_end(SSL *ssl)
{
	int result;

	while ((result = SSL_shutdown(ssl)) < 0)
		ck_assert_msg(wait_after(ssl, result), "the daemon takes nothing more");
}

void tls_client_close(SSL *ssl)
{
	const int fd = SSL_get_fd(ssl);

	SSL_free(ssl);
	close(fd);
}
