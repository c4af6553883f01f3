/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A poll loop that is turned by hand.
 */
#include <config.h>
#include "turn.h"

#include <check.h>
#include <errno.h>
#include <poll.h>

static struct list hooks = { &hooks, &hooks };
static struct turn_hook *polled[TURN_HOOKS_MAX];

/* Not inline: gcc 14 would warn of a hook on the stack, which is removed before it ends. */
__attribute__((noinline)) void turn_add(struct turn_hook *h)
{
	h->position = -1;
	list_init(&h->in_hooks);
	list_append(&hooks, &h->in_hooks);
}

void turn_remove(struct turn_hook *h)
{
	if (!h->in_hooks.next)
		return;
	list_remove(&h->in_hooks);
	if (h->position >= 0)
		polled[h->position] = NULL;
	h->position = -1;
}

static size_t gather(struct pollfd *fds)
{
	struct turn_hook *h;
	size_t n = 0;

	list_each(&hooks, h, struct turn_hook, in_hooks) {
		ck_assert_msg(n < TURN_HOOKS_MAX, "too much to wait for");
		h->position = (long)n;
		fds[n] = (struct pollfd){ .fd = h->fd, .events = h->events };
		polled[n++] = h;
	}
	return n;
}

void turn_once(void)
{
	static struct pollfd fds[TURN_HOOKS_MAX];
	size_t n = gather(fds);
	int n_ready = poll(fds, n, -1);

	ck_assert_msg(n_ready >= 0 || errno == EINTR, "poll: %m");
	for (size_t i = 0; i < n; i++) {
		struct turn_hook *h = polled[i];

		if (!h)         /* removed by one before it */
			continue;
		h->position = -1;
		if (n_ready > 0 && fds[i].revents)
			h->ready(h, fds[i].revents);
	}
}

struct waiter {
	struct turn_hook hook;
	bool             is_ready;
};

static void on_ready(struct turn_hook *h, short revents)
{
	(void)revents;
	container_of(h, struct waiter, hook)->is_ready = true;
}

void turn_until_ready(int fd, short events)
{
	struct waiter w = { .hook = { .fd = fd, .events = events, .ready = on_ready } };

	turn_add(&w.hook);
	while (!w.is_ready)
		turn_once();
	turn_remove(&w.hook);
}
