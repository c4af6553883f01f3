/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The real daemon under test: started in the foreground in the test's folder,
 * asked to tell its events, and watched. If it dies and was not told to, the
 * test fails at once with what the daemon wrote to its standard error.
 *
 * Each process sends its own events in order; there is no order between those
 * of two processes, unless one caused the other.
 */
#ifndef DROVER_E2E_DAEMON_H
#define DROVER_E2E_DAEMON_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "turn.h"

/* What a daemon said: one datagram. */
struct event {
	char  *text;
	size_t nr;                      /* counts from 0 in the order of arrival */
	bool   taken;                   /* a wait has returned it */
};

/* Everything that came to one of the two sockets. */
struct mailbox {
	struct turn_hook hook;
	struct event   **events;
	size_t           n;
	int              copy_fd;       /* a file that helps to understand a failure */
	const char      *path;
};

struct daemon {
	/* What a test may set before the start. */
	void (*before_exec)(void);      /* called in the child that becomes the daemon; asserts nothing there */
	bool   may_end;                 /* its end is no failure (daemon_signal knows that by itself) */
	const char *program;            /* NULL: the real one; else that file beside it */
	bool   has_default_control;     /* its program has a default of the test's, see elsewhere.c */
	bool   has_survivors;           /* other processes may still send events when it has ended */

	pid_t            pid;
	bool             gone;          /* has ended and was waited for */
	int              status;        /* if gone: exit status, or 128 and the signal */
	struct turn_hook life;          /* watches the pidfd */
	struct turn_hook said;          /* its standard error is a pipe: our end, 0 if there is none; */
	int              err_end, err_fd;       /* the daemon's, until it has started; and the file err */
	struct mailbox   events, notices;
	const char      *config, *out, *err;    /* files: configuration, standard output and error */
	struct list      in_daemons;
};

/*
 * Writes the configuration file, as by printf(3). A line is put before it that
 * names "state" in the test's folder as state_dir, which the test may make, lets
 * root's workers be root, and has no control socket if the text says nothing of one;
 * the second form writes just the text.
 */
void daemon_config(struct daemon *d, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void daemon_config_as_is(struct daemon *d, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Lines that the harness puts before a configuration: those of the test begin after them. */
int daemon_config_lines_before(void);

/* Writes the configuration, starts the daemon with it, and waits until it is ready. */
void daemon_start(struct daemon *d, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Only starts it, with "-c" and the configuration file, or with these arguments (NULL at the end). */
void daemon_spawn(struct daemon *d);
void daemon_spawn_with(struct daemon *d, const char *const *args);

/* For before_exec: the service manager wants a sign of life at least every 100 ms. */
void daemon_watched(void);

/* Starts it with these arguments and waits until it has ended. Returns the exit status. */
int daemon_run(struct daemon *d, const char *const *args);
#define daemon_run_args(d, ...) daemon_run(d, (const char *const[]){ __VA_ARGS__, NULL })

void daemon_wait_ready(struct daemon *d);

/*
 * The next event that has all words of the pattern, which was not returned
 * before; waits for it. The first word is the event's name: "worker-end pid=%d".
 */
const struct event *daemon_wait_for(struct daemon *d, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The next notice to the service manager that has this line, or one that begins with it up to "=". */
const struct event *daemon_wait_notice(struct daemon *d, const char *line);

/* Waits until a notice had this as its STATUS=. */
void daemon_wait_status(struct daemon *d, const char *part);

/* How many such events have come so far, returned before or not. */
size_t daemon_saw(struct daemon *d, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A value in an event, or in a notice ("STATUS"); the test fails if there is none. */
long long event_number(const struct event *e, const char *key);
const char *event_word(const struct event *e, const char *key);
bool event_has(const struct event *e, const char *words);

/* Where the n-th listener of a service listens (n from 0, in the order of "listening" events). */
const char *daemon_address(struct daemon *d, const char *service, size_t n);
const char *daemon_port(struct daemon *d, const char *service, size_t n);

/* A connection to the first listener of a service. */
int daemon_connect(struct daemon *d, const char *service);

/* The same, and the service, which echoes, serves it already: a line came back. */
int daemon_connect_echo(struct daemon *d, const char *service);

/* The same, and closes it. */
void daemon_check_echo(struct daemon *d, const char *service);

/* The pid of the next worker of a service that is in its accept loop. */
pid_t daemon_next_worker(struct daemon *d, const char *service);

/* The connection-open event of a connected socket of ours. */
const struct event *daemon_accepted(struct daemon *d, int fd);

/* How the connection of that event ended: waits for its connection-end. */
const struct event *daemon_ended(struct daemon *d, const struct event *opened);

/* Waits until the log process has written what workers have said before this call: USR1 asks it to. */
void daemon_settle_logs(struct daemon *d);

/* Waits until a worker has dealt with what clients sent before this call: USR1 makes it say so. */
void daemon_settle_worker(struct daemon *d, pid_t worker);

/* TERM, QUIT, INT and KILL make its end no failure. */
void daemon_signal(struct daemon *d, int signal);

/* HUP, and waits until the new configuration is in force. Returns the generation. */
long long daemon_reload(struct daemon *d, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Waits until the master has dealt with all that reached it before this call. */
void daemon_barrier(struct daemon *d);

/* Waits for the end that was asked for. Returns the exit status, or 128 and the signal. */
int daemon_join(struct daemon *d);

/* Asks for the end by that signal, waits for it, and expects that all was well: exit status 0. */
void daemon_stop(struct daemon *d, int signal);

/* What it has written so far. */
const char *daemon_output(const struct daemon *d);
const char *daemon_errors(struct daemon *d);

/* Stops what still runs, and fails if it does not stop properly. For the harness. */
void daemon_end_all(void);

#endif
