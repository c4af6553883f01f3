/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Single clients of an echo service "s" with limits, from chosen addresses of the loopback, and what
 * the control socket says of the service. Many clients at once are in crowd.h.
 */
#ifndef DROVER_E2E_LIMITS_HARNESS_H
#define DROVER_E2E_LIMITS_HARNESS_H

#include "control_harness.h"
#include "crowd.h"

/* What refused clients are told with REJECT among the keys of `limits`. */
#define FULL   "the service is full\n"
#define REJECT "overload = \"reject\"; reject_message = \"the service is full\\n\"; "

/* A configuration, in which %s is control_path(): s with that number of workers, limits, and more. */
#define LIMITED(workers, limits, rest) \
	CONTROL SERVICES(SERVICE("s", "echo", "workers = " #workers "; limits = { " limits " }; " rest))

#define limits_config(d, workers, limits, rest) \
	daemon_config(d, LIMITED(workers, limits, rest), control_path())
#define limits_start(d, workers, limits, rest) \
	daemon_start(d, LIMITED(workers, limits, rest), control_path())
#define limits_reload(d, workers, limits, rest) \
	daemon_reload(d, LIMITED(workers, limits, rest), control_path())

/* A client from there, or from anywhere for NULL, that is admitted, or refused with that text. */
int limits_admit(struct daemon *d, const char *from);
void limits_refuse(struct daemon *d, const char *from, const char *text);

/*
 * The same, but it comes again until it is admitted: a place that was given back is free a moment
 * later only.
 */
int limits_admit_soon(struct daemon *d, const char *from);

/* Fills the service again up to n clients, refuses one more (with FULL), and lets all leave. */
void limits_check_room(struct daemon *d, const char *from, size_t n);

/* The table of sources and the boards of the workers have n connections of it: "127.0.0.1/32". */
void limits_check_source(const char *source, int n);

/* Waits until no source is counted any more, nor known for its rate: all clients have left. */
void limits_wait_empty(void);

/* Each client of fds leaves. */
void limits_leave(int *fds, size_t n);

/* A number that `droverctl --json services` shows, by its key. */
long long limits_shown(const char *key);

#endif
