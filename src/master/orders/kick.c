/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Finds the worker that has a connection, in whatever generation it is. The worker closes the
 * connection, and says so later (changes_kicked); this file does not wait for that.
 */
#include <config.h>
#include "kick.h"

enum pool_kick kick_connection(struct master *m, pid_t worker, uint64_t number)
{
	enum pool_kick result = POOL_KICK_NOT_OURS;
	struct generation *g;

	list_each(&m->generations, g, struct generation, in_master)
		for (size_t i = 0; i < g->n && result == POOL_KICK_NOT_OURS; i++)
			result = pool_kick(g->services[i].pool, worker, number);
	return result;
}
