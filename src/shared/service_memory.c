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
	return 0;
}

struct service_memory_past service_memory_past(const struct service_memory *m)
{
	return (struct service_memory_past){
		.sources = { sources_fd(m->sources), SOURCES_VERSION },
		.n_sources = sources_entries(m->sources),
	};
}

int service_memory_enter(struct service_memory *m)
{
	sources_enter(m->sources);
	return 0;
}

void service_memory_free(struct service_memory *m)
{
	sources_free(&m->sources);
}
