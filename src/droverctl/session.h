/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A connection to the server's control socket. Requests are sent one after another; each is a line
 * of JSON, and so is its answer. It does not know what they mean.
 *
 * Functions that can fail return an exit status (sysexits.h); then s->error says in one line what
 * went wrong.
 */
#ifndef DROVER_DROVERCTL_SESSION_H
#define DROVER_DROVERCTL_SESSION_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define SESSION_ERROR_MAX 512

struct session {
	int    fd;                      /* -1: not connected */
	char  *bytes;                   /* what came and was not taken yet */
	size_t len, room;
	size_t searched;                /* bytes that were searched: no newline is in them */
	bool   is_silent;               /* the last call failed because nothing came in time */
	char   error[SESSION_ERROR_MAX];
};

/* What the server said to a request. */
struct answer {
	json_t       *whole;            /* owns the rest; NULL: no answer yet */
	const json_t *result;           /* an object; NULL: it was not done */
	const char   *error;            /* then: the kind of error, such as "busy" */
	const json_t *message;          /* a string for people, of one or several lines, or NULL */
};

/* Connects to the socket at path. May fail with EX_UNAVAILABLE or EX_NOPERM. */
int session_open(struct session *s, const char *path);

/*
 * Sends a request, which is lent; session_ask_for sends one that has only a command. May fail with
 * EX_UNAVAILABLE.
 */
int session_ask(struct session *s, const json_t *request);
int session_ask_for(struct session *s, const char *command);

/*
 * Takes what has come; *a is empty until the answer is whole. session_wait waits for that, until
 * nothing has come for limit_ms (-1: no limit); then it can be called again. May fail with
 * EX_SOFTWARE: what came is not an answer, or nothing more can be received; and with
 * EX_UNAVAILABLE: the time was up.
 */
int session_take(struct session *s, struct answer *a);
int session_wait(struct session *s, int limit_ms, struct answer *a);

/* Waits until the server closes the connection, but not for long. */
void session_wait_end(struct session *s);

/* It may be closed already, or all zero except fd, which is -1. */
void session_close(struct session *s);

void session_free_answer(struct answer *a);

/* The exit status for a kind of error. */
int session_exit_status(const char *error);

#endif
