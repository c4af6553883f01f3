/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the status process knows of the server: it asks the master. Questions go over its leash, as
 * numbers; answers come over a socket, from which the master never reads: as lines of the control socket
 * (control_request.h), and texts as their length in a line, and their bytes. Questions of many clients at the same time are one question, and an answer
 * is good for others for a moment: the master is asked a bounded number of times a second, whatever
 * clients do. It does not know what the answers are for.
 */
#ifndef DROVER_STATUS_FACTS_H
#define DROVER_STATUS_FACTS_H

#include <jansson.h>

#include "leash.h"
#include "list.h"
#include "loop.h"

enum fact {
	FACT_LIFE,                      /* that the loop of the master turns; its answer is an order */
	FACT_STATUS,                    /* the state of the server and of its services */
	FACT_SNAPSHOT,                  /* all that the page shows */
	FACT_METRICS,                   /* the text for Prometheus, */
	FACT_OPENMETRICS,               /* and as OpenMetrics */
	FACTS,
};

#define FACTS_FRESH_MS   100            /* an answer is used again for so long */
#define FACTS_LIMIT_MS   2000           /* then there is no answer */
#define FACTS_ORPHAN_MS  10000          /* so long another master may take to send a new socket */

/* One that waits for an answer. A member of its owner's struct; all zero before. */
struct fact_wait {
	struct list   in_fact;
	struct timer  limit;
	struct facts *facts;            /* NULL: it does not wait */
	/*
	 * Once, from the loop or from facts_ask. result is lent, and a string if the fact is a text; NULL:
	 * the master did not answer.
	 */
	void        (*ready)(struct fact_wait *w, const json_t *result);
};

struct facts;

/*
 * Questions go over the leash, which is lent. answers is the connected socket for what comes back,
 * which is taken. orphaned is called if that is closed, and no other one has come for FACTS_ORPHAN_MS.
 * NULL with errno; answers is closed then.
 */
struct facts *facts_new(struct loop *l, const struct leash *leash, int answers, void (*orphaned)(void *arg),
                        void *arg);

/*
 * Answers come over this socket from now on, which is taken: another program has taken the place of
 * the master. What was asked and not answered is asked again.
 */
void facts_switch(struct facts *f, int answers);

/*
 * Another process answers clients as well: from now on no answer is used again, so that a client does
 * not get older figures here than it got there.
 */
void facts_leave(struct facts *f);

/* The master has answered FACT_LIFE. */
void facts_note_life(struct facts *f);

/* Calls w->ready when the answer is there, or FACTS_LIMIT_MS from now. w->ready must be set. */
void facts_ask(struct facts *f, enum fact what, struct fact_wait *w);

/* It waits no longer, if it does; its ready is not called. */
void facts_forget(struct fact_wait *w);

/* Nothing waits any more. Sets *fp to NULL; NULL is fine. */
void facts_free(struct facts **fp);

#endif
