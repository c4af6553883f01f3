/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * OpenSSL reads and writes through a BIO of our own, which notes what the socket said: so a
 * short read, which proves that a socket has no more, saves the second one that would say EAGAIN, and
 * no signal comes from a broken connection. Messages of the protocol are limited, because a client
 * could otherwise keep the worker busy with requests for new keys.
 */
#include <config.h>
#include "tls_link.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "fd.h"
#include "text.h"
#include "tls_context.h"

/*
 * What a client may send before the first byte of data, and between two: a record has up to 16 KiB, and
 * OpenSSL takes certificates of 100 KiB. The rest are messages of the protocol, each of which costs time.
 */
#define HANDSHAKE_BYTES 262144
#define IDLE_BYTES      65536
#define IDLE_MESSAGES   256             /* more than records of data, each of which takes one off */
#define RECORDS         64              /* in one call: a record may have a single byte */

struct tls_link {
	SSL    *ssl;
	int     fd;
	bool    dry;                    /* the socket was empty, and was not reported since */
	bool    at_end;                 /* its end was reported: it is never dry again */
	bool    eof;                    /* its end was read */
	bool    begun;                  /* bytes have come */
	bool    established;
	bool    unread;                 /* tls_link_has_unread */
	bool    closed;                 /* the client has said that it sends no more */
	bool    cut;
	bool    receives_after_room, sends_after_bytes;
	bool    ending, told;           /* we are saying that we send no more; it was said */
	bool    discards;               /* we broke off: what still comes is thrown away */
	int     error;                  /* errno of everything from now on; 0: it works */
	int     socket_error;           /* of the last call for the socket */
	size_t  idle;                   /* bytes that came after the last data */
	size_t  messages;               /* of the protocol after the handshake, less the records of data */
	char    why[TLS_WHY_TEXT_MAX];
};

/* ---- the socket --------------------------------------------------------- */

static bool is_flooded(const struct tls_link *l)
{
	return l->idle > (l->established ? IDLE_BYTES : HANDSHAKE_BYTES) || l->messages > IDLE_MESSAGES;
}

/* OpenSSL calls it for each message that it receives or sends. */
static void count_message(int is_sent, int version, int type, const void *bytes, size_t len, SSL *ssl,
                          void *arg)
{
	struct tls_link *l = arg;

	(void)version, (void)bytes, (void)len, (void)ssl;
	l->messages += !is_sent && type == SSL3_RT_HANDSHAKE && l->established;
}

static int read_socket(BIO *b, char *bytes, int size)
{
	struct tls_link *l = BIO_get_data(b);
	ssize_t n;

	BIO_clear_retry_flags(b);
	if (l->dry)
		BIO_set_retry_read(b);
	if (l->dry || is_flooded(l))
		return -1;
	n = recv(l->fd, bytes, (size_t)size, 0);
	if (n > 0) {
		l->begun = true;
		l->idle += (size_t)n;
		l->dry = n < size && !l->at_end;
		return (int)n;
	}
	l->socket_error = n == 0 ? 0 : errno;
	l->eof |= n == 0;
	l->dry = n == -1 && fd_not_yet(errno);
	if (l->dry)
		BIO_set_retry_read(b);
	return (int)n;
}

static int write_socket(BIO *b, const char *bytes, int len)
{
	struct tls_link *l = BIO_get_data(b);
	ssize_t n;

	BIO_clear_retry_flags(b);
	if (l->told)                    /* answers to messages of the protocol, which are not needed any more */
		return len;
	n = send(l->fd, bytes, (size_t)len, MSG_NOSIGNAL);
	if (n == -1) {
		l->socket_error = errno;
		if (fd_not_yet(errno))
			BIO_set_retry_write(b);
	}
	return (int)n;
}

static long control_socket(BIO *b, int command, long number, void *pointer)
{
	const struct tls_link *l = BIO_get_data(b);

	(void)number;
	(void)pointer;
	switch (command) {
	case BIO_CTRL_FLUSH:
		return 1;
	case BIO_CTRL_EOF:
		return l->eof;
	default:
		return 0;
	}
}

static int begin_bio(BIO *b)
{
	BIO_set_init(b, 1);
	return 1;
}

static const BIO_METHOD *socket_method(void)
{
	static BIO_METHOD *method;      /* of the process, as OpenSSL's own methods are */

	if (method)
		return method;
	method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket of a client");
	if (!method)
		return NULL;
	BIO_meth_set_read(method, read_socket);
	BIO_meth_set_write(method, write_socket);
	BIO_meth_set_ctrl(method, control_socket);
	BIO_meth_set_create(method, begin_bio);
	return method;
}

/* ---- begin and end ------------------------------------------------------ */

static int attach_socket(struct tls_link *l)
{
	const BIO_METHOD *method = socket_method();
	BIO *b = method ? BIO_new(method) : NULL;

	if (!b)
		return -1;
	BIO_set_data(b, l);
	SSL_set_bio(l->ssl, b, b);
	SSL_set_app_data(l->ssl, l);
	SSL_set_msg_callback(l->ssl, count_message);
	SSL_set_msg_callback_arg(l->ssl, l);
	SSL_set_accept_state(l->ssl);
	return 0;
}

struct tls_link *tls_link_new(struct tls_context *t, int fd)
{
	struct tls_link *l = calloc(1, sizeof *l);

	if (!l)
		return NULL;
	l->fd = fd;
	l->ssl = SSL_new(tls_context_ssl_ctx(t));
	if (!l->ssl || attach_socket(l) == -1) {
		tls_link_free(l);
		ERR_clear_error();
		errno = ENOMEM;
		return NULL;
	}
	return l;
}

void tls_link_free(struct tls_link *l)
{
	if (!l)
		return;
	SSL_free(l->ssl);
	free(l);
}

void tls_link_stir(struct tls_link *l, bool at_end)
{
	l->dry = false;
	l->at_end |= at_end;
}

/* ---- errors ------------------------------------------------------------- */

static const char *reason_of(const struct tls_link *l)
{
	const unsigned long e = ERR_peek_error();
	const long verified = SSL_get_verify_result(l->ssl);
	const char *text;

	if (l->cut)
		return "the client ended the connection";
	if (is_flooded(l))
		return "too many messages without data";
	if (verified != X509_V_OK)
		return X509_verify_cert_error_string(verified);
	text = e ? ERR_reason_error_string(e) : NULL;
	return text ? text : l->socket_error ? strerror(l->socket_error) : "unknown error";
}

/* From now on, nothing can be received or sent. */
static void fail(struct tls_link *l, int error, const char *why)
{
	struct text t = text_in(l->why, sizeof l->why);

	l->error = error;
	l->ending = false;
	text_add_safe(&t, why, strlen(why));
}

/* An error that OpenSSL has told. */
static void fail_by(struct tls_link *l, int kind)
{
	const bool is_broken = (kind == SSL_ERROR_SYSCALL && !is_flooded(l)) ||
	                       ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;

	l->cut = is_broken && l->eof;
	fail(l, is_broken ? ECONNRESET : EPROTO, reason_of(l));
	ERR_clear_error();
}

/* What a call without success means for the next one. *crossed: it waits for the other direction. */
static int judge(struct tls_link *l, int result, int own, bool *crossed)
{
	const int kind = SSL_get_error(l->ssl, result);

	*crossed = (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) && kind != own;
	if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE)
		errno = EAGAIN;
	else if (kind == SSL_ERROR_ZERO_RETURN)
		l->closed = true;
	else {
		fail_by(l, kind);
		errno = l->error;
	}
	return kind;
}

/* Whether another call may receive something, though the socket may not be reported. */
static bool has_more(const struct tls_link *l)
{
	return !l->dry || SSL_has_pending(l->ssl);
}

/* ---- the handshake ------------------------------------------------------ */

enum tls_progress tls_link_handshake(struct tls_link *l)
{
	int result;

	if (l->error != 0)
		return TLS_FAILED;
	ERR_clear_error();
	result = SSL_do_handshake(l->ssl);
	if (result == 1) {
		l->established = true;
		l->idle = 0;
		l->receives_after_room = false;
		l->unread = has_more(l);
		return TLS_ESTABLISHED;
	}
	judge(l, result, SSL_ERROR_WANT_READ, &l->receives_after_room);
	if (l->closed)
		fail(l, EPROTO, "the client ended the handshake");
	return l->error != 0 ? TLS_FAILED : TLS_UNDER_WAY;
}

/* ---- bytes -------------------------------------------------------------- */

/* Reads once. Returns the bytes; 0: there are none, now or for good. */
static size_t receive_some(struct tls_link *l, char *bytes, size_t size)
{
	size_t n = 0;
	const int result = SSL_read_ex(l->ssl, bytes, size, &n);

	if (result != 1) {
		judge(l, result, SSL_ERROR_WANT_READ, &l->receives_after_room);
		return 0;
	}
	l->receives_after_room = false;
	l->idle = 0;
	l->messages -= l->messages > 0;
	return n;
}

/*
 * Nothing more can be received. If we broke off, the client's bytes are thrown away until it ends:
 * if they stayed unread, the kernel would reset the connection, and the client might not get our reason.
 */
static ssize_t receive_no_more(struct tls_link *l, char *bytes, size_t size)
{
	l->unread = false;
	if (l->discards)
		return recv(l->fd, bytes, size, 0);
	errno = l->error;
	return l->error != 0 ? -1 : 0;
}

ssize_t tls_link_receive(struct tls_link *l, char *bytes, size_t size)
{
	size_t got = 0, n;
	int records = 0;

	if (l->error != 0 || l->closed)
		return receive_no_more(l, bytes, size);
	ERR_clear_error();
	do {
		n = receive_some(l, bytes + got, size - got);
		got += n;
	} while (n > 0 && got < size && ++records < RECORDS && has_more(l));
	/* Without a byte, what OpenSSL has is a part of a record, which is of no use without the rest. */
	l->unread = n > 0 ? has_more(l) : got > 0 && (l->error != 0 || l->closed);
	if (got > 0)
		return (ssize_t)got;
	if (l->error != 0 || l->closed)
		return receive_no_more(l, bytes, size);
	errno = EAGAIN;
	return -1;
}

/* One record in each call of OpenSSL, because partial writes are allowed. */
ssize_t tls_link_send(struct tls_link *l, const char *bytes, size_t len)
{
	size_t taken = 0, n;

	if (l->error != 0) {
		errno = l->error;
		return -1;
	}
	ERR_clear_error();
	while (taken < len) {
		const int result = SSL_write_ex(l->ssl, bytes + taken, len - taken, &n);

		if (result != 1) {
			judge(l, result, SSL_ERROR_WANT_WRITE, &l->sends_after_bytes);
			break;
		}
		l->sends_after_bytes = false;
		taken += n;
	}
	return taken > 0 || len == 0 ? (ssize_t)taken : -1;
}

/* ---- the end ------------------------------------------------------------ */

int tls_link_end(struct tls_link *l)
{
	bool crossed;
	int result;

	if (l->told || !l->established || l->error != 0) {
		l->discards = l->error == EPROTO && !l->unread;         /* the caller knows of the error */
		l->told = true;
		return shutdown(l->fd, SHUT_WR);
	}
	ERR_clear_error();
	result = SSL_shutdown(l->ssl);
	l->ending = result < 0 && judge(l, result, SSL_ERROR_WANT_WRITE, &crossed) == SSL_ERROR_WANT_WRITE;
	if (result < 0)
		return -1;
	l->told = true;
	return shutdown(l->fd, SHUT_WR);
}

int tls_link_break_off(struct tls_link *l)
{
	l->told = true;
	l->ending = false;
	return shutdown(l->fd, SHUT_WR);
}

bool tls_link_is_ending(const struct tls_link *l)
{
	return l->ending;
}

bool tls_link_has_unread(const struct tls_link *l)
{
	return l->unread;
}

bool tls_link_is_at_end(const struct tls_link *l)
{
	return l->closed || (l->error != 0 && !l->discards);
}

bool tls_link_receives_after_room(const struct tls_link *l)
{
	return l->receives_after_room;
}

bool tls_link_sends_after_bytes(const struct tls_link *l)
{
	return l->sends_after_bytes;
}

bool tls_link_has_failed(const struct tls_link *l)
{
	return l->error != 0;
}

bool tls_link_was_cut(const struct tls_link *l)
{
	return l->cut;
}

bool tls_link_has_begun(const struct tls_link *l)
{
	return l->begun;
}

/* ---- facts -------------------------------------------------------------- */

static void write_sni(char *to, size_t size, const char *name)
{
	struct text t = text_in(to, size);

	for (; name && *name; name++) {
		const unsigned char c = (unsigned char)*name;

		text_add(&t, c <= ' ' || c > '~' || c == '\\' ? "\\x%02x" : "%c", c);
	}
}

void tls_link_facts(const struct tls_link *l, struct tls_link_facts *f)
{
	const SSL_CIPHER *cipher = SSL_get_current_cipher(l->ssl);

	*f = (struct tls_link_facts){
		.version = l->established ? SSL_get_version(l->ssl) : NULL,
		.cipher = l->established && cipher ? SSL_CIPHER_get_name(cipher) : NULL,
		.resumed = l->established && SSL_session_reused(l->ssl),
		.error = l->why[0] ? l->why : NULL,
	};
	for (size_t i = 0; i < sizeof l->why; i++)
		f->why[i] = l->why[i] == ' ' ? '-' : l->why[i];
	write_sni(f->sni, sizeof f->sni, SSL_get_servername(l->ssl, TLSEXT_NAMETYPE_host_name));
}

bool tls_link_peer(const struct tls_link *l, struct tls_peer *p)
{
	return tls_peer_read(l->ssl, p);
}
