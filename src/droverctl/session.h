/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A connection to the server's control socket: one request after another, a
 * line of JSON each, and a line of JSON as the answer. It does not know
 * what they mean.
 *
 * What can go wrong returns an exit status (sysexits.h); s->error says then, in
 * a line, what it was.
 */
#ifndef DROVER_DROVERCTL_SESSION_H
#define DROVER_DROVERCTL_SESSION_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define SESSION_ERROR_MAX 512

struct session {
	int    fd;                      /* -1: not connected */
	char  *bytes;                   /* what came and was not taken */
	size_t len, room;
	size_t searched;                /* bytes in which there is no newline */
	bool   is_silent;               /* the last thing went wrong because nothing came in time */
	char   error[SESSION_ERROR_MAX];
};

/* What the server said to a request. */
struct answer {
	json_t       *whole;            /* owns the rest; NULL: no answer yet */
	const json_t *result;           /* an object; NULL: it was not done */
	const char   *error;            /* then: the kind, "busy" */
	const json_t *message;          /* a string for people, of one line or several; maybe NULL */
};

/* Connects to the socket at path. EX_UNAVAILABLE, EX_NOPERM. */
int session_open(struct session *s, const char *path);

/* Sends a request, which is lent; the second form one that is only a command. EX_UNAVAILABLE. */
int session_ask(struct session *s, const json_t *request);
int session_ask_for(struct session *s, const char *command);

/*
 * Takes what has come; *a is empty while it is no whole answer. The second form
 * waits for it, till nothing has come for that long (-1: for ever); it can be called
 * again then. EX_SOFTWARE: what came is no answer, or nothing comes any more.
 * EX_UNAVAILABLE: the time was up.
 */
int session_take(struct session *s, struct answer *a);
int session_wait(struct session *s, int limit_ms, struct answer *a);

/* Waits until the server closes the connection, but not for long. */
void session_wait_end(struct session *s);

/* One that is closed already, or all zero but fd, is fine. */
void session_close(struct session *s);

void session_free_answer(struct answer *a);

/* The exit status that a kind of error means. */
int session_exit_status(const char *error);

#endif
