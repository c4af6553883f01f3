/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Runs drover-bench, and servers for it that do what the test wants.
 */
#ifndef DROVER_E2E_BENCH_HARNESS_H
#define DROVER_E2E_BENCH_HARNESS_H

#include "harness.h"

/* ---- drover-bench ------------------------------------------------------- */

struct bench_run {
	pid_t pid;
	int   pidfd;
	int   in, out;                  /* our ends of its standard input and output */
	const char *said;               /* all of its standard output, when it has ended */
	int   status;
};

/* The drover-bench that runs, or that ran last. */
extern struct bench_run bench;

/* Called in the child before it becomes drover-bench, if it is not NULL. */
extern void (*bench_before_exec)(void);

/* With --json --quiet before the given arguments, which end in NULL. */
void bench_start(const char *const *args);

/* The next line of its standard output is this one, newline included. */
void bench_expect_line(const char *line);

/* A line on its standard input. */
void bench_say_line(void);

/* Stops it: all that happens until it continues seems to it to happen at once. */
void bench_stop(void);
void bench_go_on(void);

/* Waits for its end. Returns the exit status, or 128 and the signal. */
int bench_join(void);
int bench_run_args(const char *const *args);

#define START(...) bench_start((const char *const[]){ __VA_ARGS__, NULL })
#define RUN(...) bench_run_args((const char *const[]){ __VA_ARGS__, NULL })

/* All of its standard error. */
const char *bench_errors(void);

/* A number of its report: a member (group NULL), or the member of a member. */
double bench_figure(const char *group, const char *name);
void bench_check_figures(double operations, double n_errors);

/* ---- a server of ours --------------------------------------------------- */

struct server;

/* A connection of the server. */
struct guest {
	struct turn_hook hook;
	struct server   *server;
	unsigned         nr;            /* in the order of accepting, from 0 */
	size_t           len;
	char             bytes[8192];   /* received, and not taken yet */
};

#define GUESTS_MAX 64

struct server {
	/* Called when a connection is new (len is 0), and when bytes have come. */
	void           (*serve)(struct guest *g);
	struct turn_hook hook;
	const char      *address;
	unsigned         n_guests;
	struct guest     guests[GUESTS_MAX];
};

extern struct server server;

/* Starts it, on TCP or on a unix socket. */
void server_start(void (*serve)(struct guest *g), bool on_unix);

void guest_give(struct guest *g, const char *bytes, size_t len);
void guest_leave(struct guest *g);

/* What most servers of tests do. */
void guest_echo(struct guest *g);

#endif
