/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a load balancer is told of a service: the state and the free capacity that follow from the
 * answer of the command "status", and the words of HAProxy's agent check for them. Arithmetic and
 * text only. It does not know who asks, nor what was answered before.
 */
#ifndef DROVER_STATUS_AGENT_WORDS_H
#define DROVER_STATUS_AGENT_WORDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define AGENT_LINE_MAX   256            /* with NUL */
#define AGENT_REASON_MAX 240
#define AGENT_WHOLE      10000          /* all of the capacity is free */

enum agent_health {
	AGENT_UP,
	AGENT_LEAVING,                  /* what is open goes on; new clients should go elsewhere */
	AGENT_DOWN,                     /* no client is served */
};

struct agent_state {
	enum agent_health health;
	uint64_t          capacity;     /* connections that there can be, */
	uint64_t          free;         /* and more than there are and wait */
	uint64_t          balancers;    /* that divide them among themselves */
	char              reason[AGENT_REASON_MAX];     /* DOWN: why, in printable ASCII */
};

/*
 * The state of the service of that name; of all, if it is "": the worst state, and the sums. status
 * is the result of the command. False if it is not understood.
 */
bool agent_words_judge(const json_t *status, const char *service, struct agent_state *s);

/* The free part of the capacity, from 0 to AGENT_WHOLE, rounded up. */
int agent_words_share(const struct agent_state *s);

/* A share as a percentage, rounded up; never 0, which would mean that the service leaves. */
int agent_words_percent(int share);

/* The answer, without a line end; returns line. percent is for AGENT_UP alone. */
const char *agent_words_line(const struct agent_state *s, int percent, char line[static AGENT_LINE_MAX]);

#endif
