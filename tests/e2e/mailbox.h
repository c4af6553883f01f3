/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sockets to which a daemon sends its events (DROVER_EVENTS) and its state
 * (NOTIFY_SOCKET), and the parsing of these messages.
 */
#ifndef DROVER_E2E_MAILBOX_H
#define DROVER_E2E_MAILBOX_H

#include "daemon.h"

#define MAILBOX_PATTERN_MAX 1024

typedef bool mailbox_match(const struct event *e, const char *pattern);

/* Binds a socket in the test's folder, and takes in what comes there from now on. */
void mailbox_open(struct mailbox *m, const char *name);
void mailbox_close(struct mailbox *m);

/* All that waits in the socket; never waits itself. */
void mailbox_take_in(struct mailbox *m);

/* The first message that matches and was not taken, or NULL. */
struct event *mailbox_find(struct mailbox *m, mailbox_match *match, const char *pattern);

/*
 * The line of a notice that is this one, or begins with it if it ends in "=";
 * NULL if there is none. The second form says whether there is one.
 */
const char *mailbox_line(const struct event *e, const char *line);
bool mailbox_has_line(const struct event *e, const char *line);

#endif
