/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes a droverd whose master hears from no worker of the service "unheard" that it
 * accepts: as it is for a moment after each start, here for as long as a test needs.
 */
#include <config.h>
#include "worker.h"

#include <string.h>

void __real_worker_insist(struct worker *w, enum leash_word word);
void __wrap_worker_insist(struct worker *w, enum leash_word word);

void __wrap_worker_insist(struct worker *w, enum leash_word word)
{
	if (word != LEASH_READY || strcmp(w->service->name, "unheard") != 0)
		__real_worker_insist(w, word);
}
