/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Duplicates of the listeners: two generations may watch the same one, and
 * epoll(7) takes a descriptor only once.
 */
#include <config.h>
#include "doorbell.h"

#include <fcntl.h>

#include "fd.h"
#include "list.h"

static void on_arrival(struct watch *w, uint32_t events)
{
	struct doorbell *b = container_of(w, struct doorbell_button, watch)->bell;

	(void)events;
	doorbell_take_down(b);
	b->rung(b);
}

void doorbell_take_down(struct doorbell *b)
{
	for (; b->n > 0; b->n--) {
		struct watch *w = &b->buttons[b->n - 1].watch;

		loop_unwatch(b->loop, w);
		fd_close(&w->fd);
	}
}

int doorbell_hang(struct doorbell *b, const int *fds, size_t n)
{
	while (b->n < n) {
		struct doorbell_button *button = &b->buttons[b->n];
		const int fd = fcntl(fds[b->n], F_DUPFD_CLOEXEC, 0);

		*button = (struct doorbell_button){ .watch = { .fd = fd, .ready = on_arrival },
		                                    .bell = b };
		b->n++;
		if (fd == -1 || loop_watch(b->loop, &button->watch, EPOLLIN) == -1) {
			doorbell_take_down(b);
			return -1;
		}
	}
	return 0;
}
