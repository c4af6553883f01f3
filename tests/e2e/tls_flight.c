/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The client reads from and writes to memory.
 */
#include <config.h>
#include "tls_flight.h"

#include <check.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>

#include "harness.h"

void tls_flight_begin(struct tls_flight *f, const char *address, const struct tls_client_wish *w)
{
	*f = (struct tls_flight){ .cut = TLS_FLIGHT_ALL, .flip = TLS_FLIGHT_ALL };
	f->fd = client_connect(address);
	f->ssl = tls_client_new(f->fd, w);
	SSL_set_bio(f->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
}

void tls_flight_free(struct tls_flight *f)
{
	SSL_free(f->ssl);
	f->ssl = NULL;
}

/* Sends what the client has written, as far as it may. False: nothing more may be sent. */
static bool flush(struct tls_flight *f)
{
	unsigned char *at = f->bytes + f->sent, *changed;
	const int n = BIO_read(SSL_get_wbio(f->ssl), at, (int)(TLS_FLIGHT_MAX - f->sent));
	size_t len = n > 0 ? (size_t)n : 0;

	changed = f->flip >= f->sent && f->flip - f->sent < len ? &f->bytes[f->flip] : NULL;
	if (len > f->cut - f->sent)
		len = f->cut - f->sent;
	if (changed)
		*changed ^= 0x55;
	/* The daemon may have refused it by now, and reset the connection. */
	if (len > 0 && send(f->fd, at, len, MSG_NOSIGNAL) == -1)
		return false;
	f->sent += len;
	return !changed && f->sent < f->cut;
}

/* Waits for bytes of the daemon. False: it has ended the connection. */
static bool hear(struct tls_flight *f)
{
	char bytes[TLS_FLIGHT_MAX];
	ssize_t n;

	turn_until_ready(f->fd, POLLIN);
	n = recv(f->fd, bytes, sizeof bytes, MSG_DONTWAIT);
	return n > 0 && BIO_write(SSL_get_rbio(f->ssl), bytes, (int)n) == (int)n;
}

bool tls_flight_go(struct tls_flight *f)
{
	if (f->cut == 0)
		return false;
	for (;;) {
		int result, kind;

		ERR_clear_error();
		result = SSL_do_handshake(f->ssl);
		kind = SSL_get_error(f->ssl, result);
		if (!flush(f))
			return false;
		if (result == 1)
			return true;
		if (kind != SSL_ERROR_WANT_READ || !hear(f))
			return false;
	}
}

static size_t add_every(const struct tls_flight *f, size_t *offsets)
{
	for (size_t i = 0; i < f->sent; i++)
		offsets[i] = i;
	return f->sent;
}

size_t tls_flight_offsets(const struct tls_flight *f, bool every, size_t offsets[static TLS_FLIGHT_MAX])
{
	static const size_t near[] = { 0, 1, 5, 6 };    /* the header has five bytes */
	size_t n = 0;

	if (every)
		return add_every(f, offsets);
	for (size_t at = 0, end; at < f->sent; at = end) {
		end = at + 5 + (size_t)f->bytes[at + 3] * 256 + f->bytes[at + 4];
		ck_assert_uint_le(end, f->sent);
		for (size_t i = 0; i < ARRAY_SIZE(near); i++)
			if (at + near[i] < end)
				offsets[n++] = at + near[i];
		if (end - at > 12) {
			offsets[n++] = (at + end) / 2;
			offsets[n++] = end - 1;
		}
	}
	return n;
}
