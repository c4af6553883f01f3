/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Watches duplicates of the listeners: two generations may watch the same one, and epoll(7) takes
 * a descriptor only once.
 */
#include <config.h>
#include "demand_watch.h"

#include <fcntl.h>

#include "fd.h"
#include "list.h"

static void on_client(struct watch *w, uint32_t events)
{
	struct demand_watch *d = container_of(w, struct demand_listener, watch)->owner;

	(void)events;
	demand_watch_stop(d);
	d->arrived(d);
}

void demand_watch_stop(struct demand_watch *d)
{
	for (; d->n > 0; d->n--) {
		struct watch *w = &d->listeners[d->n - 1].watch;

		loop_unwatch(d->loop, w);
		fd_close(&w->fd);
	}
}

int demand_watch_start(struct demand_watch *d, const int *fds, size_t n)
{
	while (d->n < n) {
		struct demand_listener *listener = &d->listeners[d->n];
		const int fd = fcntl(fds[d->n], F_DUPFD_CLOEXEC, 0);

		*listener = (struct demand_listener){ .watch = { .fd = fd, .ready = on_client },
		                                    .owner = d };
		d->n++;
		if (fd == -1 || loop_watch(d->loop, &listener->watch, EPOLLIN) == -1) {
			demand_watch_stop(d);
			return -1;
		}
	}
	return 0;
}
