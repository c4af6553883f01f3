/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two daemons behind a real HAProxy, which asks the agent of each every 100 ms. HAProxy reaches the
 * agents through the test, which passes each byte on: so the test knows what HAProxy has heard, and
 * when, without asking. HAProxy's own log tells changes of state.
 *
 * HAProxy may neither try a connection again nor send it to the other node: a client that meets a
 * closed port is lost.
 */
#ifndef DROVER_E2E_CLUSTER_HARNESS_H
#define DROVER_E2E_CLUSTER_HARNESS_H

#include "harness.h"

#define CLUSTER_NODES 2

struct cluster_node {
	const char      *name;          /* "a", "b" */
	struct daemon    d;
	const char      *control;       /* the path of its socket */
	struct turn_hook relay;         /* listens in place of its agent, on this port */
	const char      *relay_port;
	char             answer[256];   /* on its way to HAProxy, without newline; "": none came */
	bool             has_answer;
	char             heard[256];    /* the last one that HAProxy has dealt with */
	size_t           n_heard;       /* answers so far, of these kinds: */
	size_t           n_up, n_leaving, n_down, n_silent;
};

extern struct cluster_node cluster[CLUSTER_NODES];

bool cluster_has_haproxy(void);

/*
 * Starts both daemons and HAProxy, and waits until it has heard both agents. node_a and
 * node_b are the services, of which HAProxy balances "s"; server is what each of its servers has
 * beside the agent check, in which the first %s is the port of the node's metrics.
 */
void cluster_start(const char *node_a, const char *node_b, const char *server);
void cluster_stop(void);

/* Where clients go. */
const char *cluster_address(void);

/* The next answer that HAProxy has heard begins with that. */
void cluster_wait_heard(struct cluster_node *n, const char *words);

/* The next answer is "up", and more than 0%. */
void cluster_wait_up(struct cluster_node *n);

/* A column of HAProxy's statistics, now. */
const char *cluster_stat(const struct cluster_node *n, const char *column);
long long cluster_count(const struct cluster_node *n, const char *column);

/* Waits for the next line of HAProxy's log that has this in it. */
const char *cluster_wait_log(const char *part);

/* How many lines of it have this. */
size_t cluster_logged(const char *part);

#endif
