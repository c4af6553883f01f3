/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * TLS on one connection of the bench. The calls are like those of a socket that does not block. It
 * does not know what is sent, nor what is counted. In a program that was built without OpenSSL
 * nothing of this is called, because there is no context.
 */
#ifndef DROVER_BENCH_BENCH_TLS_STREAM_H
#define DROVER_BENCH_BENCH_TLS_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "bench_tls.h"
#include "failure.h"

struct bench_tls_stream;

/* Why a call failed with EPROTO. The reason is a constant text. */
struct bench_tls_fault {
	enum failure kind;
	const char  *reason;
};

/* The results of a handshake. Both texts are constant. */
struct bench_tls_facts {
	const char *version, *cipher;
	bool        resumed;
};

/*
 * Makes a stream on a connected socket, which stays the caller's. With --resume it offers the
 * newest session that a stream of t was given. Returns NULL with errno if it cannot.
 */
struct bench_tls_stream *bench_tls_stream_open(struct bench_tls *t, int fd);

/*
 * Sends close_notify if the handshake is complete, the stream has not failed and `orderly` is true;
 * frees the stream. What cannot be sent at once is not sent.
 */
void bench_tls_stream_close(struct bench_tls_stream *s, bool orderly);

/*
 * Goes on with the handshake. Returns 1 when it is complete. Otherwise -1 with errno: EAGAIN: it
 * goes on when the socket is ready; EPROTO: see bench_tls_stream_fault; else an error of the socket.
 */
int bench_tls_stream_handshake(struct bench_tls_stream *s);
struct bench_tls_facts bench_tls_stream_facts(const struct bench_tls_stream *s);

/*
 * Like recv(2) and send(2), also with EPROTO. A read returns what one record has: there may be more
 * until EAGAIN. 0: the server has ended the connection (bench_tls_was_cut tells how). A write that
 * returned EAGAIN must be made again with the same bytes, or more.
 */
ssize_t bench_tls_stream_receive(struct bench_tls_stream *s, char *buf, size_t size);
ssize_t bench_tls_stream_send(struct bench_tls_stream *s, const char *bytes, size_t len);

/* Ends our direction by close_notify. Returns 0, or -1 with errno; EAGAIN: call it again. */
int bench_tls_stream_end(struct bench_tls_stream *s);

/* True if the server ended the connection without close_notify. */
bool bench_tls_stream_was_cut(const struct bench_tls_stream *s);

struct bench_tls_fault bench_tls_stream_fault(const struct bench_tls_stream *s);

#endif
