/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Remembers the last three shares that were found free of each service, so that a balancer is told
 * their average: a burst of clients does not send all others to the next machine and back. It does
 * not know where the shares come from.
 */
#ifndef DROVER_STATUS_AGENT_AVERAGE_H
#define DROVER_STATUS_AGENT_AVERAGE_H

#include <stdbool.h>
#include <stddef.h>

#define AGENT_AVERAGE_OVER 3

struct agent_series {
	char *service;                  /* "": of all services together */
	int   shares[AGENT_AVERAGE_OVER];
	int   n, next;                  /* how many there are, and where the next one goes */
};

/* All zero before. */
struct agent_average {
	struct agent_series *all;
	size_t               n;
};

/* Takes note of a share; returns the average, rounded up. Without memory, this is share itself. */
int agent_average_add(struct agent_average *a, const char *service, int share);

/* What comes after that does not count with what was before. */
void agent_average_forget(struct agent_average *a, const char *service);

/* Forgets the services that the caller does not know any more. */
void agent_average_prune(struct agent_average *a, bool (*is_known)(const void *arg, const char *service),
                         const void *arg);

void agent_average_free(struct agent_average *a);

#endif
