/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The leash: a socket pair between master and one worker. Messages keep their
 * bounds (SOCK_SEQPACKET) and may carry descriptors; end of file means that
 * the other side is gone.
 *
 * After an upgrade, a master speaks to workers of the program before it, and
 * after a failed one the other way round. So words keep their numbers, new ones
 * are added at the end, and what a message has in one version, it has in the
 * next, at the same place: a longer one is cut to what is known, and what a
 * shorter one lacks is zero. DRAIN is all that must be understood.
 */
#ifndef DROVER_SYS_LEASH_H
#define DROVER_SYS_LEASH_H

#include <stdbool.h>
#include <stdint.h>

enum leash_word {
	LEASH_READY,            /* worker: I am in my accept loop */
	LEASH_DRAIN,            /* master: accept no more, finish, go; worker: so I do, unasked */
	LEASH_LOOK,             /* worker: I was woken for what I cannot take; master: look for it */
	LEASH_LOGS,             /* master: here are new descriptors for the logs */
	LEASH_SLOTS,            /* master: tell me, once, when the slots come to few or quiet; worker: they have */
	LEASH_RETIRE,           /* worker: I have had my share of connections; another one may take my place */
	LEASH_KICK,             /* master: close connection `number`; worker: it is closed */
	LEASH_NO_SUCH,          /* worker: there is no connection `number` to kick */
	LEASH_PING,             /* master: turn your loop, so that I see that it does */
};

enum leash_fd { LEASH_FD_LOG, LEASH_FD_ACCESS_LOG, LEASH_FDS };

struct leash_message {
	enum leash_word word;
	uint64_t        removed;        /* DRAIN: listeners (a bit each) to be emptied before they close */
	int64_t         few;            /* SLOTS, of the pool: fewer than that are free; 0: no matter */
	int64_t         quiet;          /* SLOTS: fewer than that are in use; 0: no matter */
	uint64_t        number;         /* KICK, NO_SUCH */
	int             fds[LEASH_FDS]; /* LOGS: -1 where that log has none */
};

enum leash_result { LEASH_OK, LEASH_EMPTY, LEASH_CLOSED };

/* Both ends, close-on-exec and non-blocking. 0, or -1 with errno. */
int leash_open(int *master_end, int *worker_end);

/*
 * Never waits. Descriptors are lent: the receiver gets duplicates. 0, or -1
 * with errno: EAGAIN if the other side does not read, EPIPE if it is gone.
 */
int leash_send(int fd, const struct leash_message *m);

/* Descriptors in m belong to the caller. Anything malformed counts as CLOSED. */
enum leash_result leash_receive(int fd, struct leash_message *m);

#endif
