/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Accepts one client in a turn of the loop from each listener: others have their turn.
 */
#include <config.h>
#include "outlet.h"

#include <errno.h>
#include <sys/socket.h>

#include "fd.h"

#define PAUSE_MS 1000                   /* when accept fails, as without descriptors */

/* Clients of unix sockets have no address: the mode of the file says who they can be. */
static bool may_ask(const struct outlet *o, const struct address *client)
{
	const struct endpoint e = endpoint_of(&client->u.sa, client->len);

	return !o->allowed || e.family == AF_UNIX || prefix_set_find(o->allowed, &e) == PREFIX_ALLOW;
}

static void stop_listening(struct outlet_listener *l)
{
	loop_unwatch(l->outlet->loop, &l->watch);
	fd_close(&l->watch.fd);
}

static void pause_all(struct outlet *o)
{
	for (size_t i = 0; i < o->n; i++)
		loop_unwatch(o->loop, &o->listeners[i].watch);
	loop_timer(o->loop, &o->pause, PAUSE_MS);
}

static void on_connect(struct watch *w, uint32_t events)
{
	struct outlet_listener *l = container_of(w, struct outlet_listener, watch);
	struct outlet *o = l->outlet;
	struct address client = { .len = sizeof client.u };
	const int fd = accept4(w->fd, &client.u.sa, &client.len, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd != -1 && may_ask(o, &client)) {
		o->taken(o->arg, fd, &client);
	} else if (fd != -1) {
		fd_drop(fd);
	} else if (errno == EINVAL) {
		stop_listening(l);              /* the master has shut it down */
	} else if (!fd_not_yet_accepted(errno)) {
		pause_all(o);
	}
}

static int watch_all(struct outlet *o)
{
	for (size_t i = 0; i < o->n; i++)
		if (o->listeners[i].watch.fd != -1 &&
		    loop_watch(o->loop, &o->listeners[i].watch, EPOLLIN) == -1)
			return -1;
	return 0;
}

static void on_pause_over(struct timer *t)
{
	struct outlet *o = container_of(t, struct outlet, pause);

	if (watch_all(o) == -1)
		pause_all(o);
}

int outlet_open(struct outlet *o, const int *fds, size_t n)
{
	o->pause.fire = on_pause_over;
	for (o->n = 0; o->n < n; o->n++)
		o->listeners[o->n] = (struct outlet_listener){
			.outlet = o, .watch = { .fd = fds[o->n], .ready = on_connect } };
	return watch_all(o);
}

void outlet_close(struct outlet *o)
{
	if (o->n == 0)
		return;
	timer_unset(&o->loop->timers, &o->pause);
	for (size_t i = 0; i < o->n; i++)
		stop_listening(&o->listeners[i]);
	o->n = 0;
}
