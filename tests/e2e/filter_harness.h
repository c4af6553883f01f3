/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A daemon with a filter that does what it is told, line by line (odd_filter.c),
 * and its clients.
 */
#ifndef DROVER_E2E_FILTER_HARNESS_H
#define DROVER_E2E_FILTER_HARNESS_H

#include "harness.h"

/* The daemon, with a service "s". */
extern struct daemon d;

#define FILTER(handler, rest) \
	SERVICES(" s = { listen = \"127.0.0.1:0\"; workers = 1;" \
	         " handler = { type = \"filter\"; framing = \"line\"; " handler " }; " rest " };")

/* The odd filter's file: beside the daemon's. */
const char *filter_odd(void);

/* Its arguments with this mood, in a configuration; and the fifo that filter_release opens. */
const char *filter_argv(const char *mood);

/* Starts the daemon: one worker, with the odd filter in this mood, or in a normal one. */
void filter_start_in(const char *mood, const char *handler, const char *rest);
void filter_start(const char *handler, const char *rest);

/* A filter that was given "late" goes on. */
void filter_release(void);

/* A connection, and what it says first. */
int filter_say(const char *text);

/* A connection that asks and is answered. */
void filter_check(const char *question, const char *answer);

/* All that clients have said before this has been read. */
void filter_barrier(void);

/* The same, and the filter has got as much of it as it takes. */
void filter_settle(void);

/* The daemon gives that connection up. Closes fd. */
void filter_expect_failure(int fd);

/* All that happens to a worker between the two seems to it to happen at once, in order. */
void filter_hold(pid_t worker);
void filter_go_on(pid_t worker);

/* How many descriptors a worker has. */
size_t filter_descriptors(pid_t worker);

#endif
