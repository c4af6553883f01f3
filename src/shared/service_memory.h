/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The memory that the master shares with all workers of a service, of all its pools in all
 * generations. It consists of parts, as the memory of a pool does (pool_memory.h), and is handed
 * over at an upgrade in the same way; but a part of a version that this program does not know is
 * begun anew: its counts are those of workers that drain.
 */
#ifndef DROVER_SHARED_SERVICE_MEMORY_H
#define DROVER_SHARED_SERVICE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include "pool_memory.h"
#include "sources.h"
#include "ticket_keys.h"

/* All parts, as one program leaves them to the next. */
struct service_memory_past {
	struct pool_memory_part sources;
	size_t                  n_sources;      /* the entries that it has */
	struct pool_memory_part tickets;        /* fd -1: there are none */
};

/* All members are NULL before service_memory_make or service_memory_adopt. */
struct service_memory {
	struct sources     *sources;
	struct ticket_keys *tickets;            /* NULL: no client of it resumes sessions of TLS so far */
};

/* Makes all parts but tickets, with room for n_sources sources. 0; or -1 with errno, and there is nothing to free. */
int service_memory_make(struct service_memory *m, size_t n_sources);

/*
 * Makes the keys for tickets, if there are none: those of another memory of the same service (like,
 * which may be NULL, or have none), else new ones. 0, or -1 with errno.
 */
int service_memory_make_tickets(struct service_memory *m, const struct service_memory *like, int64_t now_ms);

/*
 * Maps the parts that another program has left. 0, and the descriptors in past are m's or closed;
 * or -1 with errno, and they are still the caller's.
 */
int service_memory_adopt(struct service_memory *m, const struct service_memory_past *past);

/* The parts; their descriptors are lent. */
struct service_memory_past service_memory_past(const struct service_memory *m);

/* In a worker, for good: closes the descriptors. 0, or -1 with errno. */
int service_memory_enter(struct service_memory *m);

/* Unmaps and closes all parts; all members are NULL then, and may have been. */
void service_memory_free(struct service_memory *m);

#endif
