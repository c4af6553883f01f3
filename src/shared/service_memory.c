/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes, maps and frees the parts of a service's shared memory together. What is in a part, only
 * its own module knows.
 */
#include <config.h>
#include "service_memory.h"

#include "fd.h"

int service_memory_make(struct service_memory *m, size_t n_sources)
{
	*m = (struct service_memory){ .sources = sources_make(n_sources) };
	return m->sources ? 0 : -1;
}

int service_memory_make_tickets(struct service_memory *m, const struct service_memory *like, int64_t now_ms)
{
	if (!m->tickets)
		m->tickets = ticket_keys_new(now_ms);
	else
		return 0;
	if (m->tickets && like && like->tickets)
		ticket_keys_copy(m->tickets, like->tickets);
	return m->tickets ? 0 : -1;
}

/* NULL if they cannot be used: then clients begin new sessions, as after a restart. */
static struct ticket_keys *adopt_tickets(const struct pool_memory_part *past)
{
	struct ticket_keys *t = NULL;
	int fd = past->fd;

	if (fd != -1 && past->version == TICKET_KEYS_VERSION)
		t = ticket_keys_adopt(fd);
	if (fd != -1 && !t)
		fd_close(&fd);
	return t;
}

int service_memory_adopt(struct service_memory *m, const struct service_memory_past *past)
{
	const bool is_ours = past->sources.version == SOURCES_VERSION;
	int fd = past->sources.fd;      /* of a part that is begun anew */

	*m = (struct service_memory){
		.sources = is_ours ? sources_adopt(fd, past->n_sources) : sources_make(past->n_sources),
	};
	if (!m->sources)
		return -1;
	if (!is_ours)
		fd_close(&fd);
	m->tickets = adopt_tickets(&past->tickets);
	return 0;
}

struct service_memory_past service_memory_past(const struct service_memory *m)
{
	return (struct service_memory_past){
		.sources = { sources_fd(m->sources), SOURCES_VERSION },
		.n_sources = sources_entries(m->sources),
		.tickets = { m->tickets ? ticket_keys_fd(m->tickets) : -1, TICKET_KEYS_VERSION },
	};
}

int service_memory_enter(struct service_memory *m)
{
	sources_enter(m->sources);
	return m->tickets ? ticket_keys_enter(m->tickets) : 0;
}

void service_memory_free(struct service_memory *m)
{
	sources_free(&m->sources);
	ticket_keys_free(&m->tickets);
}
