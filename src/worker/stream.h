/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A client's socket as a stream of bytes, plain or over TLS. This is the only module that receives
 * from the socket, sends to it, splices with it and shuts it down; its users see bytes, their end
 * and errors, and not how these are carried. A relay uses a second stream for the socket of a
 * program. This module knows neither connections nor time-outs.
 */
#ifndef DROVER_WORKER_STREAM_H
#define DROVER_WORKER_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "loop.h"
#include "tls_link.h"

struct stream_tls;
struct tls_context;

enum stream_wait {                      /* what the user of a stream waits for */
	STREAM_NOTHING,                 /* the stream is not watched */
	STREAM_NEXT_BYTES,              /* bytes or their end; reported once: stream_has_more */
	STREAM_NO_BYTES,                /* the client is gone; bytes may be reported, and stay unread */
	STREAM_BYTES,                   /* bytes or their end; reported in each turn that has some */
	STREAM_MORE_BYTES,              /* the same, reported once for each arrival: what came stays unread */
	STREAM_ROOM,                    /* the stream takes bytes */
	STREAM_BYTES_OR_ROOM,
	STREAM_GONE,                    /* the client is gone; reported once */
};

/*
 * Only stream.c uses the members; they are declared here so that a stream can be a member of
 * another struct. `ready` is called with EPOLLIN, EPOLLOUT and the like, which mean the
 * stream: there is something to receive, it takes bytes.
 */
struct stream {
	struct watch watch;             /* its socket; fd -1: closed */
	bool         by_edge;           /* a short read proves that there is no more */
	struct stream_tls *tls;         /* NULL: its bytes are those of the socket */
	void       (*ready)(struct stream *s, uint32_t events);
};

/* Events that come with the end of the client's bytes. */
#define STREAM_AT_END (EPOLLRDHUP | EPOLLHUP | EPOLLERR)

/* Takes fd, a connected and non-blocking socket of that family. Nothing is watched yet. */
void stream_open(struct stream *s, int fd, int family, void (*ready)(struct stream *s, uint32_t events));

/*
 * From now on the client speaks TLS: bytes can be received and sent once stream_handshake has
 * returned TLS_ESTABLISHED. From then on it is watched for STREAM_MORE_BYTES, until the user wants
 * something else. The loop is lent, too. 0, or -1 with ENOMEM, and the stream as it was.
 */
int stream_start_tls(struct stream *s, struct loop *l, struct tls_context *t);

/* Begins or goes on with the handshake. While it is under way, the stream must be watched as it is. */
enum tls_progress stream_handshake(struct stream *s);

/* What can be asked about its TLS, lent; NULL: it is plain, or closed. */
const struct tls_link *stream_tls(const struct stream *s);

/* Closes its socket. The stream may be closed already. */
void stream_close(struct stream *s, struct loop *l);

/* The same when the struct that s is in is to be freed: `reclaim` gets &s->watch, as from loop_reclaim. */
void stream_retire(struct stream *s, struct loop *l, void (*reclaim)(struct watch *w));

/*
 * Ends both directions, throws away what has come, and closes. So the peer of a unix socket
 * reads end of file; if bytes from it were left unread, it would read an error (ECONNRESET).
 * The stream may be closed already.
 */
void stream_hang_up(struct stream *s, struct loop *l, char *scratch, size_t size);

static inline bool stream_is_open(const struct stream *s)
{
	return s->watch.fd != -1;
}

/* Lends its socket, to give it to a program or to ask the kernel about it; -1: it is closed. */
static inline int stream_socket(const struct stream *s)
{
	return s->watch.fd;
}

/*
 * Changes what it is watched for, without a system call if nothing changes. The second form
 * has events reported again that were reported before. 0, or -1 with errno.
 */
int stream_watch(struct stream *s, struct loop *l, enum stream_wait wait);
int stream_watch_anew(struct stream *s, struct loop *l, enum stream_wait wait);

/*
 * Returns how many bytes it received; 0: the client sends no more; -1 with errno: fd_not_yet says
 * whether a later call can succeed. With TLS, an end that the client has not announced is an error.
 */
ssize_t stream_receive(struct stream *s, char *bytes, size_t size);

/*
 * As stream_receive, but the bytes stay to be received; also from a socket that blocks. The second
 * receives len bytes that the first has shown, and drops them; scratch has room for them. 0, or -1
 * with errno. They see what the socket has, even if that is TLS.
 */
ssize_t stream_peek(const struct stream *s, char *bytes, size_t size);
int stream_skip(struct stream *s, char *scratch, size_t len);

/*
 * Whether there may be more to receive, after these events and after stream_receive returned
 * `got` when it had room for `size` bytes. With STREAM_NEXT_BYTES, more is not reported unless
 * stream_watch_anew is called.
 */
bool stream_has_more(const struct stream *s, size_t got, size_t size, uint32_t events);

/*
 * Returns how many bytes it took, or -1 with errno, as stream_receive. The next call must begin
 * with the bytes that it did not take; their address may be another one.
 */
ssize_t stream_send(struct stream *s, const char *bytes, size_t len);

/* Whether bytes can be moved between it and a pipe without copying. With a plain socket they can. */
static inline bool stream_can_splice(const struct stream *s)
{
	return stream_is_open(s) && !s->tls;
}

/* As stream_receive and stream_send, into and from a pipe. */
ssize_t stream_splice_in(struct stream *s, int pipe, size_t max);
ssize_t stream_splice_out(struct stream *s, int pipe, size_t len);

/*
 * Tells the client that nothing more is sent. 0, or -1 with errno. With TLS this is a message, for
 * which the socket may have no room yet: then it is sent later, if the stream is not closed before.
 */
int stream_end(struct stream *s);

/* The same, but with TLS, the client is not told: so it knows that something may be missing. */
int stream_break_off(struct stream *s);
bool stream_is_ending(const struct stream *s);

/* How many bytes it took that the client has not taken yet; 0: none, or that is not known. */
int64_t stream_untaken(const struct stream *s);

/*
 * Has the close reset the connection. For a client that takes nothing: after a plain close, the
 * kernel would keep the bytes for it for minutes.
 */
void stream_reset_on_close(struct stream *s);

#endif
