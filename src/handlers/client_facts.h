/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The environment variables that tell a program of its connection: who the client is, and what a
 * proxy has said of it.
 */
#ifndef DROVER_HANDLERS_CLIENT_FACTS_H
#define DROVER_HANDLERS_CLIENT_FACTS_H

#include <stddef.h>

#include "connection.h"

#define CLIENT_FACTS_MAX   32
#define CLIENT_FACTS_BYTES 8192

/* "NAME=VALUE", one after the other in one buffer. */
struct client_facts {
	char  *strings[CLIENT_FACTS_MAX];
	size_t n;
	size_t used;
	char   bytes[CLIENT_FACTS_BYTES];
};

/* Fills f for c. */
void client_facts_collect(struct client_facts *f, const struct connection *c);

/*
 * The name in the client's certificate, as in RFC 2253, if it was verified here or by a proxy; else "-".
 * The caller frees it. NULL with ENOMEM.
 */
char *client_facts_subject(const struct connection *c);

/*
 * Fills f, and makes with it the environment of a program for c. The caller frees the array; its strings
 * are lent. NULL with ENOMEM.
 */
char **client_facts_environment(struct client_facts *f, const struct connection *c);

#endif
