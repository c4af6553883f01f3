/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Asks one check after another, the cheapest first. It does not know what a check depends on.
 */
#include <config.h>
#include "client_check.h"

enum refusal client_check(struct worker *w, int fd, const struct endpoint *client,
                          struct client_hold *h)
{
	return limits_take_source(w, fd, client, h);
}
