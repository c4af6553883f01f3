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
#include "failure.h"
#include "list.h"

enum bench_client_state {
	BENCH_CLIENT_CLOSED,
	BENCH_CLIENT_CONNECTING,
	BENCH_CLIENT_QUIET,             /* open, and nothing is expected */
	BENCH_CLIENT_TALKING,           /* an exchange is under way */
	BENCH_CLIENT_STREAMING,
};

/* What a call has led to. */
enum bench_news {
	BENCH_NEWS_NONE,                /* it goes on when the socket is ready */
	BENCH_NEWS_OPENED,              /* connected, and quiet */
	BENCH_NEWS_ANSWERED,            /* the exchange is complete; quiet again */
	BENCH_NEWS_MOVED,               /* streaming: bytes went, and no more can for now */
	BENCH_NEWS_MORE,                /* the same, and more can: to be stepped again */
	BENCH_NEWS_FULL,                /* the server's queue has no room (unix sockets): try again */
	BENCH_NEWS_FAILED,              /* closed; failure and error say why */
};

#define BENCH_SCRATCH 65536

/* What the clients of one thread have in common. */
struct bench_lane {
	const struct bench_plan *plan;
	int      epoll_fd;
	int64_t  now_ns;                /* as of the last look at the clock */
	uint64_t bytes_sent, bytes_received;
	struct bench_origin origin;
	unsigned message_turn;
	char     scratch[BENCH_SCRATCH];
};

struct bench_client {
	int                     fd;
	enum bench_client_state state;
	bool                    was_open;       /* since it was last closed */
	bool                    busy;           /* counts in bench_thread.busy */
	enum failure            failure;
	int                     error;          /* errno of FAILURE_OTHER */
	const char             *request;        /* lent by the plan */
	size_t                  sent;
	struct answer           answer;
	uint64_t                streamed_out, streamed_in, streamed_counted;
	int64_t                 since_ns;       /* when the operation began, or should have */
	int64_t                 moved_ns;       /* when something was last begun: for time-outs */
	int64_t                 connect_ns;     /* when connecting began */
	int64_t                 retry_ns;       /* when it may try again */
	struct list             link;           /* in a list of bench_thread */
};

/* Begins to connect a closed one. */
enum bench_news bench_client_open(struct bench_lane *l, struct bench_client *c);

/* A quiet one begins an exchange, or to stream; one that streams goes on with it. */
enum bench_news bench_client_talk(struct bench_lane *l, struct bench_client *c);
enum bench_news bench_client_stream(struct bench_lane *l, struct bench_client *c);

/*
 * Its socket is ready. An edge comes once for all that has happened, and this
 * makes one step: there may be another (bench_client_has_more).
 */
enum bench_news bench_client_step(struct bench_lane *l, struct bench_client *c, uint32_t events);

/*
 * True if these events may tell of more than the step from that state has
 * seen: of bytes that came with the connect, or of an end behind an answer.
 */
bool bench_client_has_more(enum bench_client_state from, uint32_t events);

/* Closes it as failed, and says so. */
enum bench_news bench_client_fail(struct bench_client *c, enum failure why);

/* One that is closed is fine. */
void bench_client_close(struct bench_client *c);

#endif
