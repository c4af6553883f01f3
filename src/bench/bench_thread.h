/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One thread with its share of the connections, and an event loop of its own.
 * It is told which phase to enter, reports when it has finished it, and watches its connections
 * until it is told the next phase.
 */
#ifndef DROVER_BENCH_BENCH_THREAD_H
#define DROVER_BENCH_BENCH_THREAD_H

#include <pthread.h>
#include <stdatomic.h>

#include "bench_client.h"
#include "bench_plan.h"
#include "list.h"
#include "schedule.h"
#include "tally.h"

enum bench_phase {
	BENCH_PHASE_WAIT,               /* nothing new is begun */
	BENCH_PHASE_OPEN,               /* all that stay open are opened */
	BENCH_PHASE_WARM_UP,            /* like the next, and not counted */
	BENCH_PHASE_MEASURE,
	BENCH_PHASE_CLOSE,              /* the end of the thread */
};

/* Which phase, and when it begins and ends (INT64_MAX: when it is stopped). */
struct bench_command {
	enum bench_phase phase;
	int64_t          start_ns, end_ns;
};

/* What the threads share while they run. It is seldom written. */
struct bench_shared {
	atomic_uint_least64_t tickets;  /* operations that may still begin */
	atomic_uint_least64_t errors;   /* those that count */
	atomic_uint           through;  /* threads that are through with their phase */
	atomic_bool           stop;     /* end this phase early */
	int                   event_fd; /* written to when `through` has changed, or too many errors */
};

struct bench_thread {
	/* Set before the start, then read only. */
	const struct bench_plan *plan;
	struct bench_shared     *shared;
	unsigned                 index;
	unsigned                 n_clients;

	pthread_t                thread;
	int                      wake_fd, timer_fd;
	struct bench_command     command;       /* the next, valid when command_nr has changed */
	atomic_uint              command_nr;
	atomic_uint_least64_t    operations;    /* for progress: the same as in tally */

	/* Only the thread uses these, until it is through with a phase. */
	struct bench_command     now;
	unsigned                 done_nr;
	bool                     active;        /* this phase is not over yet */
	bool                     stopping;      /* nothing new is begun in it */
	bool                     accounting_closed; /* the measured part is over: no error counts */
	bool                     no_tickets;    /* all that --count allows have begun */
	int64_t                  grace_ns;      /* stopping: until when answers are waited for */
	int64_t                  last_ns;       /* when something was counted last */
	int64_t                  ended_ns;      /* when the measured part was over */
	uint64_t                 tickets;       /* taken and not used yet */
	unsigned                 busy;          /* clients with something under way */
	uint64_t                 sent_before, received_before;
	struct schedule          arrivals, connects;
	struct list              to_open;       /* clients to connect */
	struct list              retrying;      /* clients that could not connect, and wait a little */
	struct list              ready;         /* clients that go on in the next turn */
	struct list              idle;          /* open-loop: clients that have nothing to do */
	struct tally             tally;
	struct bench_client     *clients;
	struct bench_lane        lane;
};

/* Starts the thread; *t stays the caller's. Returns 0, or -1 with errno. */
int bench_thread_start(struct bench_thread *t);

/* Tells it the next phase, or that shared->stop has changed. */
void bench_thread_command(struct bench_thread *t, const struct bench_command *command);
void bench_thread_wake(struct bench_thread *t);

/* Waits for its end after BENCH_PHASE_CLOSE, and frees all that it has, except the tally. */
void bench_thread_join(struct bench_thread *t);

#endif
