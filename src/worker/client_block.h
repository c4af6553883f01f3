/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether a client is of a source that is refused for a while, because its requests crashed workers.
 * The master decides that (master/crash/poison.h); a worker looks it up (blocks.h).
 */
#ifndef DROVER_WORKER_CLIENT_BLOCK_H
#define DROVER_WORKER_CLIENT_BLOCK_H

#include <stdbool.h>
#include <sys/types.h>

#include "address.h"

struct worker;

/* True if it is; the client then counts as refused. fd is its socket, which is lent. */
bool client_block_check(const struct worker *w, int fd, const struct endpoint *client);

/* The user of the peer of a unix socket; (uid_t)-1 if that is not known. */
uid_t client_block_user(int fd);

#endif
