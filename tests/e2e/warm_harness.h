/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What tests of warm programs share: a service "s" of one worker with them, what
 * its worker says of them, and fifos, over which a program and its test wait for
 * each other.
 */
#ifndef DROVER_E2E_WARM_HARNESS_H
#define DROVER_E2E_WARM_HARNESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "daemon.h"

#define WARM_CAT "\"/bin/cat\""

/*
 * A configuration: argv as it stands there, how many wait, what else its handler and
 * its service are to have. Its control socket is "control.sock" in the test's folder.
 */
const char *warm_config(const char *argv, int n, const char *handler, const char *rest);

/* Starts a daemon with it, or with a shell script; all that are to wait do so then. */
void warm_start(struct daemon *d, const char *argv, int n, const char *handler, const char *rest);
void warm_start_script(struct daemon *d, const char *text, int n, const char *handler,
                       const char *rest);

/* The pid of the next one that was started to wait. */
pid_t warm_next(struct daemon *d);

/* The pid of the program that a connection was joined to, or that was started for it. */
pid_t warm_joined(struct daemon *d, const struct event *opened);
pid_t warm_cold(struct daemon *d, const struct event *opened);

/* Fails if the figures of the service are others. */
void warm_check_figures(int waiting, int joined, int cold, int crashed);

/* Whether that process has ended by now; closes nothing. */
bool warm_has_ended(int pidfd);

/* Reads away what comes to a socket, whenever the test waits. */
struct warm_reader {
	struct turn_hook hook;
	size_t           got;
	int              error;         /* what it ended with; 0: end of file */
	bool             over;
};

/* Lends r until it is over, or warm_reader_stop. */
void warm_reader_start(struct warm_reader *r, int fd);
void warm_reader_stop(struct warm_reader *r);

/* The error with which the stream ends, 0 at the end of file, after *got bytes (may be NULL). */
int warm_read_away(int fd, size_t *got);

/*
 * A fifo in the test's folder, which is open here as long as the test runs, so that
 * open(2) never waits. A program reads there what warm_tell says, or writes
 * a line there for which warm_hear waits.
 */
struct warm_fifo {
	const char *path;
	int         fd;
};

struct warm_fifo warm_fifo(const char *name);
void warm_tell(const struct warm_fifo *f, const char *line);
const char *warm_hear(const struct warm_fifo *f);

/*
 * Programs that do what they are told, one at a time. Several of them may listen, and
 * whichever reads first has the order: so the one that has heard it says its pid, and
 * warm_order fails if that is not the one that was meant.
 */
struct warm_orders {
	struct warm_fifo to, heard;
};

/* Starts a daemon with n programs that wait, take one order, and are cat(1) from then on. */
struct warm_orders warm_start_orders(struct daemon *d, int n, const char *rest);
void warm_order(const struct warm_orders *o, pid_t program, const char *what);

/* A client whose program works on when it has gone. */
struct warm_work {
	struct warm_fifo    up, release;
	int                 fd;
	const struct event *opened;
};

/*
 * Starts a daemon with a script that says every line again, also to a closed socket. At
 * the end it writes "gone" to up, and works on until release tells it otherwise: then it
 * exits with status 0. Who says "wait" is never answered again. At TERM its status is 7.
 * The client has had one answer.
 */
struct warm_work warm_start_work(struct daemon *d, int n, const char *rest);

#endif
