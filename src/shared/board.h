/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The scoreboard of a service: shared memory in which each worker writes what it does. A slot
 * and its records have one writer at a time: the worker while it lives, the master otherwise.
 * There are no locks, and nothing that is shared is a pointer or a length. A broken worker may
 * write nonsense: readers take copies (board_view.c), in which every value is in its range.
 */
#ifndef DROVER_SHARED_BOARD_H
#define DROVER_SHARED_BOARD_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "address.h"
#include "histogram.h"
#include "refusals.h"
#include "source_id.h"

#define BOARD_VERSION 6                 /* of the memory's layout */
#define BOARD_LINE 64                   /* bytes of a cache line: no two workers write in one */

enum board_state {                      /* of a worker */
	BOARD_FREE,                     /* no worker here */
	BOARD_STARTING,                 /* forked, not yet accepting */
	BOARD_ACCEPTING,
	BOARD_DRAINING,
};

enum board_phase {                      /* of a connection */
	BOARD_PHASE_NONE,               /* the record is free */
	BOARD_PHASE_HANDSHAKE,          /* what comes before the handler's bytes */
	BOARD_PHASE_READING,            /* in the middle of a request */
	BOARD_PHASE_HANDLER,            /* a handler has its request; or: at_work says so, in a view */
	BOARD_PHASE_WRITING,            /* waits until the client receives */
	BOARD_PHASE_IDLE,               /* waits until the client sends; no request is open */
	BOARD_PHASE_PROGRAM,            /* a program has the socket */
	BOARD_PHASE_CLOSING,            /* told to end, and not gone yet */
};

enum board_programs {                   /* whether the programs of a worker are of any use */
	BOARD_PROGRAMS_UNKNOWN,         /* none has been needed yet, or the service has none */
	BOARD_PROGRAMS_WORK,
	BOARD_PROGRAMS_FAIL,            /* they cannot be started, or end before they are of use */
};

#define BOARD_REASON 240                /* bytes for why they fail, with NUL */

struct board_histogram {                /* struct histogram, read while it changes */
	_Atomic uint64_t buckets[HISTOGRAM_BUCKETS];
	_Atomic uint64_t sum_ms;
};

/*
 * What a worker says of itself. Its siblings read the first line when they
 * accept; what changes with each message is in the second, the third is for
 * services with filters or warm programs, and the last four are for those with programs.
 */
struct board_slot {
	alignas(BOARD_LINE) _Atomic uint32_t state;     /* enum board_state */
	_Atomic uint32_t pid;           /* for show only */
	_Atomic uint32_t open;          /* connections that hold a slot of the worker */
	_Atomic uint32_t used;          /* records from here on have never been used */
	_Atomic uint64_t accepted;
	_Atomic uint64_t served;        /* connections that have ended */
	_Atomic int64_t  born_ms;       /* CLOCK_MONOTONIC, as all times here */

	alignas(BOARD_LINE) _Atomic uint32_t at_work;   /* 1 + record whose event is handled */
	_Atomic uint64_t bytes_in, bytes_out;
	_Atomic uint64_t requests;      /* times that a client's bytes came; 1 for each program */
	_Atomic int64_t  turn_ms;       /* when its loop last woke up */

	alignas(BOARD_LINE) _Atomic uint32_t filters;   /* processes of a filter that serve */
	_Atomic uint32_t queued;        /* requests that wait for a filter */
	_Atomic uint64_t answered;      /* requests, by filters */
	_Atomic uint64_t replaced;      /* filters that had to go */
	_Atomic uint32_t warm;          /* programs that wait for a connection */
	_Atomic uint64_t joined, cold;  /* connections that found one; for which one had to be started */
	_Atomic uint64_t crashed;       /* programs that died while they waited */

	alignas(BOARD_LINE)             /* clients that were refused, by reason (refusals.h) */
#define X(NAME, name, how, words) _Atomic uint64_t refused_##name;
	REFUSALS(X)
#undef X
	_Atomic uint64_t untracked;     /* clients that were not counted by source */

	alignas(BOARD_LINE)             /* how long it took: */
	struct board_histogram duration;        /* connections that have ended, from accept(2) to their end */
	struct board_histogram accept_wait;     /* TCP clients in the queue of a listener, if that is measured */
	struct board_histogram answer;          /* requests, from the write to a filter to its answer */
	struct board_histogram handshake;       /* TLS handshakes that have succeeded */

	alignas(BOARD_LINE) _Atomic uint32_t programs;  /* enum board_programs */
	_Atomic int64_t  programs_ms;   /* when a program last worked, or failed */
	char             reason[BOARD_REASON];  /* FAIL: why; may be read while it is written */
};

/*
 * A connection, as long as it holds a slot. The first cache line changes with its bytes; the
 * second is written once its client is known.
 */
struct board_connection {
	alignas(BOARD_LINE) _Atomic uint32_t phase;     /* enum board_phase */
	_Atomic uint32_t program;       /* pid of its program, for show only; 0: none */
	_Atomic uint64_t number;        /* as in its id, PID-NUMBER */
	_Atomic int64_t  since_ms;      /* accepted */
	_Atomic uint64_t bytes_in, bytes_out;
	_Atomic uint64_t peer[3];       /* the client, a struct endpoint */

	alignas(BOARD_LINE) _Atomic uint64_t via[3];    /* the proxy that named the client, if any */
	_Atomic uint32_t user;          /* 1 + uid of a unix peer; 0: not known */
	_Atomic uint32_t source;        /* 1 + index of its source's entry (sources.h); 0: not counted */
};

/*
 * The input that a worker keeps, if it is configured to: a ring with the last bytes
 * that came on one connection, without bytes of other connections in between.
 */
struct board_input {
	alignas(BOARD_LINE) _Atomic uint64_t number;    /* of the connection; 0: none yet */
	_Atomic uint64_t total;         /* bytes put into the ring: the next goes to total % size */
	char             bytes[];
};

struct board;

/* ---- the memory --------------------------------------------------------- */

/*
 * For n_slots workers with n_connections records each, and input_size bytes of
 * input (0: none is kept), shared with children forked later. Memory is taken
 * when it is first written. NULL with errno.
 */
struct board *board_new(size_t n_slots, size_t n_connections, size_t input_size);

/*
 * Maps a board that an earlier program made, of this version and of the same sizes. Takes
 * fd. On failure returns NULL with errno, and fd is still the caller's.
 */
struct board *board_adopt(int fd, size_t n_slots, size_t n_connections, size_t input_size);

/* Unmaps *bp and sets it to NULL; NULL is fine. Not after board_enter. */
void board_free(struct board **bp);

/* The memfd, lent; its size is sealed. */
int board_fd(const struct board *b);

/* In worker i, for good: closes the descriptor, and unmaps the records of the others. 0, or -1 with errno. */
int board_enter(struct board *b, size_t i);

/*
 * The paid_ns (bucket.h) of the standard error of all programs of this service, of whichever
 * worker they are. Lent; all workers write it.
 */
_Atomic int64_t *board_stderr_paid(const struct board *b);

size_t board_slots(const struct board *b);
size_t board_connections(const struct board *b);

/* Lent. i is below board_slots. The second: the first of board_connections records. */
struct board_slot *board_slot(const struct board *b, size_t i);
struct board_connection *board_records(const struct board *b, size_t i);

/* Lent; NULL if no input is kept. */
struct board_input *board_input(const struct board *b, size_t i);
size_t board_input_size(const struct board *b);

/*
 * Empties slot i and its records for the next worker, or after the last one. What the worker
 * has counted stays until then, for a reader that still counts it as alive.
 */
void board_reset(struct board *b, size_t i, enum board_state state);

/*
 * True if worker i holds clearly more open connections than a quarter of the others
 * that accept and have room, with `slots` each. Compares with BOARD_SAMPLE of
 * them. *done becomes a number that changes when those behind it get something
 * done.
 */
bool board_is_ahead(struct board *b, size_t i, uint32_t slots, uint64_t *done);

/*
 * Adds up the open connections and the free slots of the workers that accept, with
 * `slots` each. Stops once more than `enough` are free.
 */
struct board_sum { uint64_t open, free; };
struct board_sum board_sum(struct board *b, uint32_t slots, uint64_t enough);

#define BOARD_SAMPLE 16

/* ---- writing: the worker ------------------------------------------------ */

/* Only the writer adds: a load and a store are enough. */
static inline void board_add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
	                      memory_order_relaxed);
}

/* A thing has taken that long. */
void board_add_time(struct board_histogram *h, int64_t ms);

/* Stores a member for which the order among other stores does not matter. */
#define board_set(member, value) \
	atomic_store_explicit((member), (value), memory_order_relaxed)

/* Makes a free record show a connection; and makes it free again. */
void board_take_record(struct board_connection *r, uint64_t number, int64_t since_ms,
                       const struct endpoint *peer, enum board_phase phase);
void board_give_record(struct board_connection *r);

/* The record's connection is that of client, as the proxy via has said. */
void board_show_client(struct board_connection *r, const struct endpoint *client,
                       const struct endpoint *via);

/* Whether the programs of a worker work; reason, which is cut where its room ends, only for FAIL. */
void board_tell_programs(struct board_slot *s, enum board_programs now, int64_t now_ms,
                         const char *reason);

/* Connection `number` has received these bytes; size is board_input_size. */
void board_keep_input(struct board_input *in, size_t size, uint64_t number, const char *bytes,
                      size_t len);

/* ---- reading ------------------------------------------------------------ */

/* No counter gets this far. Sums of as many as there can be do not overflow, and JSON holds it exactly. */
#define BOARD_COUNT_MAX ((uint64_t)1 << 53)

/*
 * What a worker has done, which still counts when it has ended: a row for each
 * member of its slot that is added up over workers (totals.h).
 */
#define BOARD_COUNTERS(X) \
	X(accepted) \
	X(served) \
	X(bytes_in) \
	X(bytes_out) \
	X(requests) \
	X(answered) \
	X(replaced) \
	X(joined) \
	X(cold) \
	X(crashed) \
	X(refused_access) \
	X(refused_blocked) \
	X(refused_proxy) \
	X(refused_tls) \
	X(refused_connections) \
	X(refused_source) \
	X(refused_rate) \
	X(refused_source_rate) \
	X(refused_memory) \
	X(untracked)

/* The same for how long things took: a row for each histogram of its slot. */
#define BOARD_HISTOGRAMS(X) \
	X(duration) \
	X(accept_wait) \
	X(answer) \
	X(handshake)

/*
 * What a worker has just now, which is gone when it ends: a row for each member of its
 * slot that is added up over the workers that live (report_data.h).
 */
#define BOARD_GAUGES(X) \
	X(open) \
	X(filters) \
	X(queued) \
	X(warm)

struct board_worker_view {
	enum board_state state;
	pid_t            pid;           /* for show only; 0: unknown */
#define X(name) uint32_t name;
	BOARD_GAUGES(X)                 /* at most the records; processes: fewer than there can be */
#undef X
#define X(name) uint64_t name;
	BOARD_COUNTERS(X)               /* to BOARD_COUNT_MAX */
#undef X
#define X(name) struct histogram name;
	BOARD_HISTOGRAMS(X)             /* to BOARD_COUNT_MAX, each bucket and the sum */
#undef X
	int64_t          turn_ms, born_ms;      /* neither negative nor later than now; 0: not yet */
	bool             at_work;
	uint32_t         work;          /* if at_work: index of the record */
};

struct board_connection_view {
	enum board_phase phase;
	pid_t            program;       /* for show only; 0: none */
	uint64_t         number;
	int64_t          since_ms;      /* neither negative nor later than now */
	uint64_t         bytes_in, bytes_out;   /* to BOARD_COUNT_MAX */
	struct endpoint  peer;          /* as endpoint_of makes them */
	struct endpoint  via;           /* family 0: no proxy has named the peer */
	uint32_t         user;          /* 1 + uid of a unix peer, of any value; 0: not known */
	uint32_t         source;        /* 1 + index in the table of sources, of any value; 0: none */
};

/* Copies what worker i says; a value that makes no sense becomes 0, or the nearest one that does. */
void board_view(const struct board *b, size_t i, struct board_worker_view *v);

/* False if record k of worker i is free, or got another connection each time it was read. Any k is fine. */
bool board_view_connection(const struct board *b, size_t i, size_t k,
                           struct board_connection_view *v);

/*
 * The same, also of a record that is free: that of the connection which had it last, with
 * BOARD_PHASE_NONE. False if it was never used, or got another connection each time it was read.
 */
bool board_view_record(const struct board *b, size_t i, size_t k, struct board_connection_view *v);

/*
 * The source of the connection, as source_id_of makes it; not known for a unix peer whose user is
 * not.
 */
struct source_id board_source(const struct board_connection_view *v, int ipv4_len, int ipv6_len);

/*
 * What worker i works on, or did when it died: also a connection that has just
 * given its record back. False if nothing.
 */
bool board_view_work(const struct board *b, size_t i, struct board_connection_view *v);

/*
 * Copies what worker i, which is dead, kept of connection `number` to bytes,
 * which has room for board_input_size. Returns how much that is.
 */
size_t board_copy_input(const struct board *b, size_t i, uint64_t number, char *bytes);

#define BOARD_REASON_TEXT (4 * BOARD_REASON)    /* a byte becomes up to four */

struct board_programs_view {
	enum board_programs now;
	int64_t             since_ms;   /* when one last worked, or failed; not later than now */
	char                reason[BOARD_REASON_TEXT];  /* FAIL: why, in printable ASCII */
};

/* Copies what worker i says of its programs. */
void board_view_programs(const struct board *b, size_t i, struct board_programs_view *v);

const char *board_state_name(enum board_state state);
const char *board_phase_name(enum board_phase phase);

#endif
