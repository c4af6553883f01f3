/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The control socket: its path, the clients that are let in, their number, and the order in which
 * reporters answer them. control_commands.c knows what the commands do.
 */
#ifndef DROVER_MASTER_CONTROL_CONTROL_H
#define DROVER_MASTER_CONTROL_CONTROL_H

#include <stdbool.h>
#include <sys/types.h>

#include "conf.h"
#include "control_access.h"
#include "control_client.h"
#include "control_listener.h"
#include "helper.h"
#include "notify.h"

#define CONTROL_CLIENTS_MAX   64
#define CONTROL_REPORTERS_MAX 4

struct control;

struct control_owner {
	void  *arg;
	/* A request of a client that may at least look. It has to be answered, now or later. */
	void (*asked)(void *arg, struct control_client *c, struct control_request *r,
	              enum control_access access, const struct ucred *peer);
	/* The client is closed: it needs no answer any more. */
	void (*gone)(void *arg, struct control_client *c);
};

/* Without a socket yet. owner is copied. NULL with errno. */
struct control *control_new(struct helpers *all, struct notify *events,
                            const struct control_owner *owner);

/*
 * Opens the socket that conf asks for, beside the one in use, unless that is the same. -1 with *e
 * filled; if the default socket cannot be opened, logs a warning and returns 0.
 */
int control_prepare(struct control *c, const struct conf_control *conf,
                    struct control_listener_error *e);

/*
 * Take over the socket of an earlier program, and a client of it that waits for an outcome. Both
 * take fd. The second returns NULL with errno, and has closed fd then.
 */
void control_adopt(struct control *c, int fd, const struct listener_file *file);
struct control_client *control_adopt_client(struct control *c, int fd);

/* The socket in use, lent; fd -1: there is none. */
const struct control_listener *control_listener(const struct control *c);

/* Puts into use what was prepared for conf; or takes it back. */
void control_commit(struct control *c, const struct conf_control *conf);
void control_forget(struct control *c);

/* Has a reporter answer the client, as soon as one is free. Takes what is in *r. */
void control_look(struct control *c, struct control_client *client,
                  const struct report_job *job, struct control_request *r);

/* Answers the clients that wait for the end (last_words), closes all and sets *cp to NULL; NULL is fine. */
void control_close(struct control **cp);

#endif
