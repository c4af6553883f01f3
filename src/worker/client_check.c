/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Asks one check after another, the cheapest first. It does not know what a check depends on.
 */
#include <config.h>
#include "client_check.h"

#include "client_block.h"
#include "prefix_set.h"
#include "worker.h"

static bool is_kept_out(const struct conf_access *a, const struct endpoint *client)
{
	const enum prefix_verdict v = prefix_set_find(a->set, client);

	return v == PREFIX_DENY || (v == PREFIX_NONE && a->refuses_others);
}

enum refusal client_check_address(const struct worker *w, int fd, const struct endpoint *client)
{
	if (is_kept_out(&w->service->access, client))
		return REFUSAL_ACCESS;
	return client_block_check(w, fd, client) ? REFUSAL_BLOCKED : REFUSAL_NONE;
}

enum refusal client_check(struct worker *w, int fd, const struct endpoint *client,
                          struct client_hold *h)
{
	const enum refusal why = client_check_address(w, fd, client);

	return why == REFUSAL_NONE ? limits_take_source(w, fd, client, h) : why;
}
