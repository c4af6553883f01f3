/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The leash connects the master with one worker, with the log process or with the key process.
 * Orders go over a socket pair, and may carry descriptors; the master's end is shut for reading before
 * there is a worker, so that nothing can be sent to it. Words of the worker go over a pipe
 * in packet mode, which carries no descriptors: to close what a worker sends could keep the
 * master waiting (fd_passing.h). Messages keep their bounds on both, and end of
 * file means that the other side is gone.
 *
 * After an upgrade, the new master speaks to workers of the old program, and after an
 * upgrade that failed the old master may speak to workers of the new one. Therefore words
 * keep their numbers, new ones are added at the end, and each member of a message stays at
 * its place in all versions: a longer message is cut to what is known, and what a shorter
 * one lacks is zero. DRAIN is the only word that every version must understand. Workers of
 * versions that had no pipe say their words over the socket.
 */
#ifndef DROVER_SHARED_LEASH_H
#define DROVER_SHARED_LEASH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum leash_word {
	LEASH_READY,            /* worker: I am in my accept loop */
	LEASH_DRAIN,            /* master: accept no more, finish, and end; worker: I do that, unasked */
	LEASH_LOOK,             /* worker: I was woken for a client I cannot accept; master: look for one */
	LEASH_LOGS,             /* master: here are new descriptors for the logs; log process: they are in use */
	LEASH_SLOTS,            /* master: tell me, once, below low_free or low_open; worker: they have */
	LEASH_RETIRE,           /* worker: I have had my share of connections; another one may take my place */
	LEASH_KICK,             /* master: close connection `number`; worker: it is closed */
	LEASH_NO_SUCH,          /* worker: there is no connection `number` to kick */
	LEASH_PING,             /* master: turn your loop once, so that I see that it still turns */
	LEASH_END,              /* master: end now; log process: write what is there, and end */
	LEASH_PROGRAMS,         /* worker: what the board says of my programs has changed */
	LEASH_REFUSING,         /* worker: an episode of refusals has begun (episode.h) */
	LEASH_KEYS,             /* master: sign for one more worker; key process: there is a report */
	LEASH_FACTS,            /* status process: I ask `number` (facts.h); master: answers come over this
	                         * socket, say READY with `number`; or, without it: I live */
	LEASH_WORDS,
};

enum leash_fd {
	LEASH_FD_LOG, LEASH_FD_ACCESS_LOG,                      /* LOGS */
	LEASH_FD_FACTS = 0,                                     /* FACTS, of the master */
	LEASH_FD_REQUESTS = 0, LEASH_FD_ANSWERS,                /* KEYS, of the master */
	LEASH_FDS,
};

struct leash_message {
	enum leash_word word;
	uint64_t        removed;        /* DRAIN: listeners (a bit each) to be emptied before they close */
	int64_t         low_free;       /* SLOTS, of the pool: fewer than that are free; 0: do not tell */
	int64_t         low_open;       /* SLOTS: fewer than that are in use; 0: do not tell */
	uint64_t        number;         /* KICK, NO_SUCH; KEYS of the master: the worker's service; FACTS; READY;
	                                 * LOGS for the log process: which access log */
	int             fds[LEASH_FDS]; /* LOGS: -1 where that log has none; KEYS and FACTS of the master */
};

/* The ends that one side has. */
struct leash {
	int orders;                     /* a socket: from the master */
	int words;                      /* a pipe: from the worker; -1: it says them over the socket */
};

enum leash_result {
	LEASH_OK,
	LEASH_EMPTY,
	LEASH_CLOSED,                   /* the other side is gone */
	LEASH_MALFORMED,                /* no version of drover sends that; number: its length in bytes */
};

/* Opens all four ends, close-on-exec and non-blocking. 0, or -1 with errno. */
int leash_open(struct leash *master, struct leash *worker);
void leash_close(struct leash *l);

/*
 * Forks a child at the other end of a new leash. Returns its pid, and *l is the master's end; 0 in the
 * child, and *l is the child's end. Each process has its own end only, so that either learns of the end
 * of the other. -1 with errno, and nothing is open.
 */
pid_t leash_fork(struct leash *l);

/*
 * Sends an order; never waits. Descriptors are lent: the receiver gets duplicates. 0, or -1
 * with errno: EAGAIN if the other side does not read, EPIPE if it is gone.
 */
int leash_order(const struct leash *master, const struct leash_message *m);

/* Sends a word of a worker, in the same way, but without descriptors. */
int leash_say(const struct leash *worker, const struct leash_message *m);

/* Receives an order, in a worker. Descriptors in m belong to the caller. */
enum leash_result leash_obey(const struct leash *worker, struct leash_message *m);

/* In a worker: whether there is an order that it has not received yet, or the end of them. */
bool leash_has_order(const struct leash *worker);

/* Receives a word, in the master. There are no descriptors in m. */
enum leash_result leash_hear(const struct leash *master, struct leash_message *m);

/* The descriptor that the master receives words from; lent. */
int leash_ear(const struct leash *master);

/*
 * To be called for a leash that another program left us: if its worker says its words over
 * the socket, the kernel is asked to let no descriptors through.
 */
void leash_adopt(const struct leash *master);

/* "READY", "DRAIN"...; "?" for what is none of ours. */
const char *leash_word_name(enum leash_word word);

#endif
