/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A client's socket as a stream of bytes. This is the only module that receives from it,
 * sends to it, splices with it and shuts it down; its users see bytes, their end and
 * errors, and not how these are carried. A relay uses a second stream for the socket of a
 * program. It knows neither connections nor time-outs.
 */
#ifndef DROVER_WORKER_STREAM_H
#define DROVER_WORKER_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "loop.h"

enum stream_wait {                      /* what its user waits for */
	STREAM_NOTHING,                 /* it is not watched */
	STREAM_NEXT_BYTES,              /* bytes or their end; told once: stream_has_more */
	STREAM_NO_BYTES,                /* the client is gone; bytes may be told of, and stay where they are */
	STREAM_BYTES,                   /* bytes or their end, in each turn in which there are some */
	STREAM_ROOM,                    /* it takes bytes */
	STREAM_BYTES_OR_ROOM,
	STREAM_GONE,                    /* the client is gone; told once */
};

/*
 * Its members are stream.c's; they are here to be part of something else. `ready` is
 * called with EPOLLIN, EPOLLOUT and the like, which mean the stream: there is something to
 * receive, it takes bytes.
 */
struct stream {
	struct watch watch;             /* its socket; fd -1: closed */
	bool         by_edge;           /* a short read proves that there is no more */
	void       (*ready)(struct stream *s, uint32_t events);
};

/* Events that come with the end of the client's bytes. */
#define STREAM_AT_END (EPOLLRDHUP | EPOLLHUP | EPOLLERR)

/* Takes fd, a connected and non-blocking socket of that family. Nothing is watched yet. */
void stream_open(struct stream *s, int fd, int family, void (*ready)(struct stream *s, uint32_t events));

/* Closes its socket. A stream that is closed already is fine. */
void stream_close(struct stream *s, struct loop *l);

/* The same at the end of what s lies in: bury gets &s->watch, as from loop_reclaim. */
void stream_retire(struct stream *s, struct loop *l, void (*reclaim)(struct watch *w));

/*
 * Ends both directions, throws away what has come, and closes. The peer, over a unix
 * socket, reads an end; if bytes of it lay here unread, it would read an error (ECONNRESET).
 * A stream that is closed already is fine.
 */
void stream_hang_up(struct stream *s, struct loop *l, char *scratch, size_t size);

static inline bool stream_is_open(const struct stream *s)
{
	return s->watch.fd != -1;
}

/* Lends its socket, to be given to a program or to ask the kernel about; -1: closed. */
static inline int stream_socket(const struct stream *s)
{
	return s->watch.fd;
}

/*
 * Changes what it is watched for, at no cost if nothing changes; the second form tells
 * once more of what was told already. 0, or -1 with errno.
 */
int stream_watch(struct stream *s, struct loop *l, enum stream_wait wait);
int stream_watch_anew(struct stream *s, struct loop *l, enum stream_wait wait);

/* How many bytes it received; 0: the client sends no more; -1 with errno, as fd_not_yet tells. */
ssize_t stream_receive(struct stream *s, char *bytes, size_t size);

/*
 * Whether there may be more after stream_receive got so many of `size` bytes, as a result of
 * these events: with STREAM_NEXT_BYTES it is not told of unless stream_watch_anew is called.
 */
bool stream_has_more(const struct stream *s, size_t got, size_t size, uint32_t events);

/*
 * How many bytes it took, or -1 with errno, as fd_not_yet tells. What it did not take comes
 * first in the next call, from whatever address.
 */
ssize_t stream_send(struct stream *s, const char *bytes, size_t len);

/* Whether bytes can be moved between it and a pipe uncopied. Those of a plain socket can. */
static inline bool stream_can_splice(const struct stream *s)
{
	return stream_is_open(s);
}

/* As stream_receive and stream_send, into and from a pipe. */
ssize_t stream_splice_in(struct stream *s, int pipe, size_t max);
ssize_t stream_splice_out(struct stream *s, int pipe, size_t len);

/* Tells the client that nothing more is sent. 0, or -1 with errno. */
int stream_end(struct stream *s);

/* How many bytes it took and the client has not; 0: none, or that is not known. */
int64_t stream_untaken(const struct stream *s);

/* For a client that takes nothing: a plain close would keep its bytes in the kernel for minutes. */
void stream_reset_on_close(struct stream *s);

#endif
