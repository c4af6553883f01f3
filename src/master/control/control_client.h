/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One client of the control socket: its requests, one at a time, and their
 * answers. Whatever it sends, or does not read, it costs a bounded
 * amount of memory and of the master's time.
 */
#ifndef DROVER_MASTER_CONTROL_CONTROL_CLIENT_H
#define DROVER_MASTER_CONTROL_CONTROL_CLIENT_H

#include <jansson.h>
#include <stdint.h>

#include "control_request.h"
#include "list.h"
#include "loop.h"
#include "reporter.h"

#define CONTROL_LINE_MS   10000         /* for a whole line, once it has begun */
#define CONTROL_LEAVE_MAX (1u << 20)    /* bytes that a client may still send after its last answer */

enum control_client_state {
	CLIENT_IDLE,            /* nothing of a request has come */
	CLIENT_READING,         /* a part of one */
	CLIENT_QUEUED,          /* waits until a reporter is free to answer it */
	CLIENT_REPORTING,       /* a reporter answers it */
	CLIENT_WAITING,         /* waits for the outcome of a change */
	CLIENT_LEAVING,         /* has had its last answer; what it still sends is thrown away */
	CLIENT_CLOSED,
};

struct control_client;

struct control_client_owner {
	void  *arg;
	/* A whole line; the owner answers it, or changes the state to a later one. */
	void (*line)(void *arg, struct control_client *c, const char *line, size_t len);
	/* It is closed, and is freed when this turn ends. */
	void (*closed)(void *arg, struct control_client *c);
};

struct control_client {
	struct list                        in_control;  /* by age */
	struct loop                       *loop;
	const struct control_client_owner *owner;
	enum control_client_state          state;
	struct watch                       watch;
	struct timer                       limit;
	/* The owner's: */
	struct control_request             request;     /* while it is QUEUED or REPORTING */
	struct report_job                  job;         /* likewise */
	struct reporter                   *reporter;    /* while it is REPORTING */
	json_t                            *last_words;  /* the answer that it gets when the server ends */
	size_t                             len;         /* of line; LEAVING: of what was thrown away */
	char                               line[CONTROL_LINE_MAX];
};

/* Takes fd, non-blocking. owner is lent. On failure returns NULL with errno, and fd is closed. */
struct control_client *control_client_new(struct loop *l, int fd,
                                          const struct control_client_owner *owner);

/* A second call does nothing. */
void control_client_close(struct control_client *c);

/* Reads nothing from the client until it is answered; closes it if it hangs up. */
void control_client_hold(struct control_client *c, enum control_client_state state);

/* After another process has answered: the client may ask again. */
void control_client_resume(struct control_client *c);

/*
 * Answers, and reads requests again; a client that does not take its answer at once is closed. The
 * first takes result. Both may be called for a closed client.
 */
void control_client_answer(struct control_client *c, json_t *result);
void control_client_refuse(struct control_client *c, enum control_error error, const char *format,
                           ...) __attribute__((format(printf, 3, 4)));

#endif
