/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The plan of a run: what the command line means. It is written once, and only read during the
 * run.
 */
#ifndef DROVER_BENCH_BENCH_PLAN_H
#define DROVER_BENCH_BENCH_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "address_range.h"
#include "answer.h"
#include "message.h"
#include "units.h"

enum bench_mode {
	BENCH_PING_PONG,                /* exchanges on connections that stay open */
	BENCH_CONNECT,                  /* connect, one exchange, close, and again */
	BENCH_HOLD,                     /* open, and keep open */
	BENCH_STREAM,                   /* bytes, as fast as possible */
	BENCH_OPEN_LOOP,                /* exchanges that begin by the clock */
	BENCH_MODES
};

enum bench_proxy { BENCH_PROXY_NONE, BENCH_PROXY_V1, BENCH_PROXY_V2 };
enum bench_stream { BENCH_STREAM_BOTH, BENCH_STREAM_SEND, BENCH_STREAM_RECEIVE };

enum bench_tls_version { BENCH_TLS_ANY, BENCH_TLS_1_2, BENCH_TLS_1_3 };

/* Files are PEM. */
struct bench_tls_plan {
	bool        on;
	enum bench_tls_version version;
	const char *ca;                 /* certificates to verify the server with; NULL: it is not verified */
	const char *sni;                /* the server's name, "": none; NULL: the host of the target */
	const char *cert, *key;         /* ours; NULL: none */
	bool        resume;
};

struct bench_plan {
	enum bench_mode mode;
	const char     *target;         /* as it was given */
	struct address  to;
	unsigned        connections, threads;
	unsigned        opening;        /* connects under way at once while all are opened */

	int64_t  duration_ns;           /* 0: no end in time */
	int64_t  warm_up_ns;            /* 0: none */
	int64_t  timeout_ns;
	uint64_t count;                 /* of operations; 0: no end in number */
	uint64_t max_errors;

	double rate;                    /* arrivals a second; 0: none */
	double connect_rate;            /* connects a second; 0: unlimited */
	bool   poisson;
	bool   new_connections;

	struct message     message;     /* in a stream: repeated until it is long */
	size_t             message_bytes;       /* of one, without its frame; in a stream, of an operation */
	bool               has_message; /* an option says what to send */
	struct answer_rule answer;
	enum bench_stream  stream;

	struct address_range source;    /* count 0: the kernel chooses */
	enum bench_proxy     proxy;
	struct address_range proxy_source;      /* count 0: our real address */

	struct bench_tls_plan tls;

	bool        quiet, json, gate;
	const char *save, *compare;     /* files; NULL: none */
};

const char *bench_mode_name(enum bench_mode mode);
int bench_mode_parse(const char *text, enum bench_mode *mode);
const char *bench_stream_name(enum bench_stream stream);
int bench_stream_parse(const char *text, enum bench_stream *stream);

/* Copies the host of the target as it was given, without brackets; empty for a unix socket. */
void bench_plan_host(const struct bench_plan *p, char *buf, size_t size);

/* True if operations go on connections that were opened before. */
bool bench_plan_keeps_connections(const struct bench_plan *p);

void bench_plan_free(struct bench_plan *p);

#endif
