/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether a client may be served, once it is known who it is: after accept(2), or after the header
 * in which a proxy has named it.
 */
#ifndef DROVER_WORKER_CLIENT_CHECK_H
#define DROVER_WORKER_CLIENT_CHECK_H

#include "address.h"
#include "client_limits.h"
#include "refusals.h"

struct worker;

/*
 * Whether where the client comes from is a reason to refuse it: `access`, or that its source is
 * blocked. Takes nothing. fd is its socket, which is lent.
 */
enum refusal client_check_address(const struct worker *w, int fd, const struct endpoint *client);

/*
 * Checks all that depends on who the client is: its address, and the limits of its source.
 * REFUSAL_NONE, and h holds a place of the client's source, if that is limited; or why it is refused,
 * and h is as before. fd is its socket, which is lent. The caller notes the refusal.
 */
enum refusal client_check(struct worker *w, int fd, const struct endpoint *client,
                          struct client_hold *h);

#endif
