/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A client that speaks HTTP/1.1: whole requests of which the test writes the lines, and answers that
 * are taken apart. And one that asks all the time, whatever the test does.
 */
#ifndef DROVER_E2E_HTTP_H
#define DROVER_E2E_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "turn.h"

struct http_reply {                     /* texts live until the test ends */
	int         status;
	const char *head;               /* all lines, without the empty one */
	const char *body;               /* of `len` bytes, and a NUL */
	size_t      len;
};

/* The value of a header of the answer; "" if there is none. */
const char *http_header(const struct http_reply *r, const char *name);

/* ---- requests on a connection, which stays open -------------------------- */

/* Sends a request without a body: "GET", "/live". */
void http_ask(int fd, const char *method, const char *path);

/* Receives one answer. It must say how long its body is; that of HEAD has none all the same. */
struct http_reply http_receive(int fd, const char *method);

/* Both, by GET. */
struct http_reply http_get(int fd, const char *path);

/* ---- requests on a connection of their own ------------------------------- */

struct http_reply http_fetch(const char *address, const char *path);

/* The same, and it has this status, and that in its body, which is returned. */
const char *http_expect(const char *address, const char *path, int status, const char *part);

/*
 * Sends these bytes, as far as the server takes them, and returns all that came back before it closed
 * or reset the connection. It does not end its own side: a server that reads the last bytes and the end
 * at the same time may see the end only when it gives up.
 */
const char *http_throw(const char *address, const void *bytes, size_t len);

/* ---- one that asks all the time ------------------------------------------ */

/*
 * Makes a connection, asks, reads to the end, and begins again, whenever the test waits. Each answer
 * must have the status 200.
 */
struct http_asker {
	/* What the test sets. */
	const char *address, *path;
	void      (*answered)(const char *body);        /* NULL: the body does not matter */

	/* The result. */
	size_t      n_answers;

	struct turn_hook hook;
	char       *answer;
	size_t      len;
	bool        has_asked, stopping;
};

/* a is lent until http_asker_stop. */
void http_asker_start(struct http_asker *a);

/* Waits for that number of answers more. */
void http_asker_wait(struct http_asker *a, size_t n);

/* Lets it have its last answer. */
void http_asker_stop(struct http_asker *a);

#endif
