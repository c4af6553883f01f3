/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Speaks HTTP with clients, by libmicrohttpd, in our event loop: GET and HEAD, and nothing else. What
 * a path stands for, and what is answered, is up to http_answers.c. However slow or many clients are,
 * they cost a bounded number of descriptors, memory and time.
 */
#ifndef DROVER_STATUS_HTTP_SERVER_H
#define DROVER_STATUS_HTTP_SERVER_H

#include <microhttpd.h>
#include <stdbool.h>

#include "address.h"
#include "facts.h"
#include "http_answers.h"
#include "loop.h"

#define HTTP_CLIENTS_MAX 512            /* when one more comes, the one that does nothing for longest is closed */
#define HTTP_MEMORY      16384          /* bytes for the request of one client */
#define HTTP_QUIET_MS    10000          /* a client that sends or takes nothing for so long is closed, */
#define HTTP_REQUEST_MS  30000          /* and one that has not got its answer so long after it began */

struct http_server;

/* All is lent as long as the server is there. NULL with errno. */
struct http_server *http_server_new(struct loop *l, struct facts *f, const struct http_site *site);

/* Serves one more client. Takes fd. */
void http_server_add(struct http_server *s, int fd, const struct address *client);

/* From now on, clients are closed after their next answer: another process serves them after that. */
void http_server_leave(struct http_server *s);

/* True if no client is connected. */
bool http_server_is_idle(const struct http_server *s);

/* Closes all clients. Sets *sp to NULL; NULL is fine. */
void http_server_free(struct http_server **sp);

#endif
