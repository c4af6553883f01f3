/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keeps a queue of datagrams in front of a connected socket.
 */
#include <config.h>
#include "notify.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "address.h"
#include "clock.h"
#include "fd.h"
#include "fd_passing.h"
#include "list.h"

struct message {
	struct list in_queue;
	size_t      len;
	char        bytes[];
};

struct notify {
	struct loop *loop;
	struct watch watch;             /* for EPOLLOUT, while the queue is not empty */
	struct list  queue;
	size_t       n_queued;
	bool         unheard;           /* the receiver has closed its socket */
};

static void drop_first(struct notify *n)
{
	struct message *m = container_of(n->queue.next, struct message, in_queue);

	list_remove(&m->in_queue);
	n->n_queued--;
	free(m);
}

/* Sends what the socket takes. */
static void flush(struct notify *n)
{
	while (!list_empty(&n->queue)) {
		struct message *m = container_of(n->queue.next, struct message, in_queue);

		if (send(n->watch.fd, m->bytes, m->len, MSG_DONTWAIT | MSG_NOSIGNAL) == -1) {
			if (errno == EAGAIN || errno == ENOBUFS || errno == EINTR)
				return;
			/* ENOTCONN: another process that has this socket got ECONNREFUSED first. */
			n->unheard |= errno == ECONNREFUSED || errno == ENOTCONN;
		}
		drop_first(n);
	}
}

static void on_writable(struct watch *w, uint32_t events)
{
	struct notify *n = container_of(w, struct notify, watch);

	(void)events;
	flush(n);
	if (list_empty(&n->queue))
		loop_unwatch(n->loop, w);
}

static int connect_to_path(const char *path)
{
	struct address to;
	int fd;

	if (address_set_unix(&to, path) == -1)
		return -1;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* Workers have this socket, too: they must not send it descriptors for this process to close. */
	if (fd != -1 && (connect(fd, &to.u.sa, to.len) == -1 || fd_passing_shut(fd) == -1))
		return fd_drop(fd);
	return fd;
}

struct notify *notify_open(struct loop *l, const char *path)
{
	struct notify *n;

	errno = 0;
	if (!path)
		return NULL;
	n = calloc(1, sizeof *n);
	if (!n)
		return NULL;
	n->loop = l;
	list_init(&n->queue);
	n->watch.ready = on_writable;
	n->watch.fd = connect_to_path(path);
	if (n->watch.fd == -1) {
		free(n);
		return NULL;
	}
	return n;
}

static void empty_queue(struct notify *n)
{
	while (!list_empty(&n->queue))
		drop_first(n);
}

/* Waits for the receiver, because the loop will not send later what is left. */
static void flush_in_time(struct notify *n)
{
	const int64_t until_ms = clock_ms() + NOTIFY_LAST_MS;
	struct pollfd p = { .fd = n->watch.fd, .events = POLLOUT };
	int64_t left_ms = NOTIFY_LAST_MS;

	for (flush(n); !list_empty(&n->queue) && left_ms > 0; left_ms = until_ms - clock_ms())
		if (poll(&p, 1, (int)left_ms) > 0)
			flush(n);
}

void notify_close(struct notify **np)
{
	struct notify *n = *np;

	*np = NULL;
	if (!n)
		return;
	flush_in_time(n);
	empty_queue(n);
	loop_unwatch(n->loop, &n->watch);
	fd_close(&n->watch.fd);
	free(n);
}

void notify_move(struct notify *n, struct loop *l)
{
	if (!n)
		return;
	empty_queue(n);
	n->loop = l;
	n->watch.events = 0;
}

void notify_send(struct notify *n, const char *format, ...)
{
	struct message *m;
	va_list ap;
	int len;

	if (!notify_is_heard(n))
		return;
	m = malloc(sizeof *m + NOTIFY_MESSAGE_MAX);
	if (!m)
		return;
	va_start(ap, format);
	len = vsnprintf(m->bytes, NOTIFY_MESSAGE_MAX, format, ap);
	va_end(ap);
	m->len = len < NOTIFY_MESSAGE_MAX ? (size_t)len : NOTIFY_MESSAGE_MAX - 1;
	if (n->n_queued == NOTIFY_QUEUE_MAX)
		drop_first(n);
	list_init(&m->in_queue);
	list_append(&n->queue, &m->in_queue);
	n->n_queued++;
	if (n->watch.events == 0) {
		flush(n);
		if (!list_empty(&n->queue))
			loop_watch(n->loop, &n->watch, EPOLLOUT);
	}
}

bool notify_is_heard(const struct notify *n)
{
	return n && !n->unheard;
}

size_t notify_waiting(const struct notify *n)
{
	return n ? n->n_queued : 0;
}

void notify_each_waiting(const struct notify *n, void (*see)(void *arg, const char *text), void *arg)
{
	const struct message *m;

	if (n)
		list_each(&n->queue, m, struct message, in_queue)
			see(arg, m->bytes);
}

int notify_fd(const struct notify *n)
{
	return n ? n->watch.fd : -1;
}
