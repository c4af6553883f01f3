/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One connection of the bench: it is opened, exchanges messages, and is closed. What it does next, and
 * what is counted, is decided by the thread that owns it (bench_thread.c).
 */
#ifndef DROVER_BENCH_BENCH_CLIENT_H
#define DROVER_BENCH_BENCH_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "answer.h"
#include "bench_origin.h"
#include "bench_plan.h"
#include "bench_tls_stream.h"
#include "failure.h"
#include "list.h"

enum bench_client_state {
	BENCH_CLIENT_CLOSED,
	BENCH_CLIENT_CONNECTING,
	BENCH_CLIENT_HANDSHAKING,       /* TLS, on a connected socket */
	BENCH_CLIENT_QUIET,             /* open, and nothing is expected */
	BENCH_CLIENT_TALKING,           /* an exchange is under way */
	BENCH_CLIENT_STREAMING,
};

/* The result of a call. */
enum bench_news {
	BENCH_NEWS_NONE,                /* it goes on when the socket is ready */
	BENCH_NEWS_OPENED,              /* connected, with TLS after the handshake, and quiet */
	BENCH_NEWS_ANSWERED,            /* the exchange is complete; quiet again */
	BENCH_NEWS_MOVED,               /* streaming: bytes were moved; no more can be now */
	BENCH_NEWS_MORE,                /* the same, and more can be: step it again */
	BENCH_NEWS_FULL,                /* the server's queue has no room (unix sockets): try again */
	BENCH_NEWS_FAILED,              /* closed; failure and error say why */
};

#define BENCH_SCRATCH 65536

/* What the clients of one thread have in common. */
struct bench_lane {
	const struct bench_plan *plan;
	int      epoll_fd;
	int64_t  now_ns;                /* when the clock was last read */
	uint64_t bytes_sent, bytes_received;    /* without those of TLS */
	struct bench_origin origin;
	struct bench_tls *tls;          /* lent; NULL: connections are plain */
	unsigned message_turn;
	char     scratch[BENCH_SCRATCH];
};

struct bench_client {
	int                     fd;
	enum bench_client_state state;
	bool                    to_end;         /* the end of our direction is still to be sent */
	bool                    was_open;       /* opened since it last began to connect */
	bool                    busy;           /* counts in bench_thread.busy */
	enum failure            failure;
	int                     error;          /* errno of FAILURE_OTHER */
	const char             *reason;         /* what OpenSSL says of the failure; NULL: nothing */
	struct bench_tls_stream *tls;           /* NULL: plain, or not connected */
	const char             *request;        /* lent by the plan */
	size_t                  sent;
	struct answer           answer;
	uint64_t                streamed_out, streamed_in, streamed_counted;
	int64_t                 since_ns;       /* when the operation began, or should have */
	int64_t                 moved_ns;       /* when something last began or moved: for time-outs */
	int64_t                 connect_ns;     /* when connecting began */
	int64_t                 handshake_ns;   /* TLS: when the handshake began */
	int64_t                 retry_ns;       /* when it may try again */
	struct list             link;           /* in a list of bench_thread */
};

static inline bool bench_client_is_opening(const struct bench_client *c)
{
	return c->state == BENCH_CLIENT_CONNECTING || c->state == BENCH_CLIENT_HANDSHAKING;
}

/* Begins to connect a closed client. */
enum bench_news bench_client_open(struct bench_lane *l, struct bench_client *c);

/* A quiet client begins an exchange, or begins to stream. A client that streams already goes on. */
enum bench_news bench_client_talk(struct bench_lane *l, struct bench_client *c);
enum bench_news bench_client_stream(struct bench_lane *l, struct bench_client *c);

/*
 * Handles events of the socket. An edge is reported once for all that has happened, but this makes
 * only one step: another may be needed (bench_client_has_more).
 */
enum bench_news bench_client_step(struct bench_lane *l, struct bench_client *c, uint32_t events);

/*
 * True if these events may report more than the step from that state has handled: bytes that came
 * with the connect, or the end of the connection after an answer.
 */
bool bench_client_has_more(enum bench_client_state from, uint32_t events);

/* Closes it as failed. Returns BENCH_NEWS_FAILED. */
enum bench_news bench_client_fail(struct bench_client *c, enum failure why);

/* It may be closed already. */
void bench_client_close(struct bench_client *c);

#endif
