/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The competition on accept(2).
 *
 * EPOLLEXCLUSIVE wakes one sleeping worker for each arrival, always the one
 * that has watched longest. Two rules follow. Whoever holds more than its share
 * steps back for a moment and leaves the listeners to the others; if they take
 * nothing meanwhile (they may be stuck), it takes more each time before it
 * steps back again. And whoever was woken for nothing looks at its other
 * listeners too: the arrival there may have woken somebody who had no room
 * left when he got to it.
 */
#include <config.h>
#include "acceptor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fd.h"
#include "list.h"
#include "log.h"

struct tap {                            /* one listener */
	struct watch     watch;         /* fd -1: closed */
	struct acceptor *acceptor;
	bool             removed;       /* nobody else will take what waits here */
};

struct acceptor {
	struct loop            *loop;
	struct acceptor_owner   owner;
	struct acceptor_options options;
	struct timer            pause;          /* in trouble */
	struct timer            back;           /* stepped back */
	struct timer            again;          /* draining, and there may be room */
	int                     patience;       /* connections beyond its share before it steps back */
	int                     beyond;         /* taken so since it came forward */
	bool                    watching;
	bool                    draining;
	bool                    in_trouble;     /* logged, until an accept succeeds */
	size_t                  n_open;
	size_t                  n;
	struct tap              taps[];
};

#define STEP_BACK_MS   2
#define PATIENCE_MAX   64

enum took { TOOK_ONE, TOOK_NONE, TOOK_ERROR };

static bool is_paused(const struct acceptor *a)
{
	return timer_is_set(&a->pause);
}

static bool can_take(const struct acceptor *a)
{
	return !is_paused(a) && a->owner.has_room(a->owner.arg);
}

static void unwatch_all(struct acceptor *a)
{
	a->watching = false;
	for (size_t i = 0; i < a->n; i++)
		loop_unwatch(a->loop, &a->taps[i].watch);
}

static void close_tap(struct tap *t)
{
	if (t->watch.fd == -1)
		return;
	loop_unwatch(t->acceptor->loop, &t->watch);
	fd_close(&t->watch.fd);
	t->acceptor->n_open--;
}

int acceptor_begin(struct acceptor *a)
{
	a->watching = true;
	for (size_t i = 0; i < a->n; i++) {
		struct watch *w = &a->taps[i].watch;

		if (w->fd != -1 && w->events == 0 &&
		    loop_watch(a->loop, w, EPOLLIN | EPOLLEXCLUSIVE) == -1)
			return -1;
	}
	return 0;
}

/* At the end of this turn, not now: whoever ended a connection is not done with it. */
static void go_on(struct acceptor *a)
{
	if (a->draining && a->n_open > 0 && can_take(a))
		loop_timer(a->loop, &a->again, 0);
	if (a->draining || a->watching || timer_is_set(&a->back) || !can_take(a))
		return;
	if (acceptor_begin(a) == -1) {
		log_err("%s: watch a listener: %m", a->options.service);
		acceptor_pause(a, "watch");
	}
}

static void on_pause_over(struct timer *t)
{
	struct acceptor *a = container_of(t, struct acceptor, pause);

	a->owner.resumed(a->owner.arg);
	go_on(a);
}

void acceptor_pause(struct acceptor *a, const char *reason)
{
	if (is_paused(a))
		return;
	unwatch_all(a);
	loop_timer(a->loop, &a->pause, ACCEPTOR_PAUSE_MS);
	a->owner.paused(a->owner.arg, reason);
}

void acceptor_one_less(struct acceptor *a)
{
	if (timer_is_set(&a->back) && !a->owner.is_ahead(a->owner.arg))
		timer_unset(&a->loop->timers, &a->back);
	go_on(a);
}

static void on_come_forward(struct timer *t)
{
	go_on(container_of(t, struct acceptor, back));
}

/* After it took one. */
static void mind_the_others(struct acceptor *a)
{
	if (!a->owner.is_ahead(a->owner.arg)) {
		a->patience = 1;
		a->beyond = 0;
	} else if (++a->beyond >= a->patience) {
		a->patience = a->patience < PATIENCE_MAX ? a->patience * 2 : PATIENCE_MAX;
		a->beyond = 0;
		unwatch_all(a);
		loop_timer(a->loop, &a->back, STEP_BACK_MS);
	}
}

static enum took accept_failed(struct acceptor *a)
{
	switch (errno) {
	case EAGAIN:
		return TOOK_NONE;
	case ECONNABORTED: case EINTR: case EPROTO: case ENETDOWN: case ENOPROTOOPT:
	case EHOSTDOWN: case ENONET: case EHOSTUNREACH: case EOPNOTSUPP: case ENETUNREACH:
		return TOOK_ERROR;      /* accept(2): troubles of that one connection */
	default:                        /* EMFILE, ENFILE, ENOBUFS, ENOMEM: ours */
		if (!a->in_trouble)
			log_warn("%s: accept: %m; pausing for a second at a time", a->options.service);
		a->in_trouble = true;
		acceptor_pause(a, "descriptors");
		return TOOK_ERROR;
	}
}

static enum took take_one(struct tap *t)
{
	struct acceptor *a = t->acceptor;
	struct sockaddr_storage from;
	socklen_t len = sizeof from;
	struct endpoint peer;
	int fd = accept4(t->watch.fd, (struct sockaddr *)&from, &len,
	                 SOCK_CLOEXEC | a->options.accept_flags);

	if (fd == -1)
		return accept_failed(a);
	if (a->in_trouble)
		log_info("%s: accepting again", a->options.service);
	a->in_trouble = false;
	peer = endpoint_of((struct sockaddr *)&from, len);
	a->owner.accepted(a->owner.arg, fd, &peer);
	return TOOK_ONE;
}

/* Until the queue is empty, or there is no room. A removed one ends when it is empty. */
static void empty_tap(struct tap *t)
{
	enum took took = TOOK_ONE;

	while (t->watch.fd != -1 && took != TOOK_NONE && can_take(t->acceptor))
		took = take_one(t);
	if (took == TOOK_NONE || !t->removed)
		close_tap(t);
}

/*
 * Draining. What is left open afterwards, waits for room or for the end of a
 * pause, which will call this again; there is nothing to watch.
 */
static void empty_all(struct acceptor *a)
{
	for (size_t i = 0; i < a->n; i++)
		empty_tap(&a->taps[i]);
	if (a->n_open == 0)
		a->owner.emptied(a->owner.arg);
}

static void on_again(struct timer *t)
{
	empty_all(container_of(t, struct acceptor, again));
}

void acceptor_look(struct acceptor *a)
{
	if (a->draining)
		return;
	for (size_t i = 0; i < a->n; i++)
		while (can_take(a) && take_one(&a->taps[i]) == TOOK_ONE)
			;
	if (!can_take(a))
		unwatch_all(a);
}

static void on_arrival(struct watch *w, uint32_t events)
{
	struct tap *t = container_of(w, struct tap, watch);
	struct acceptor *a = t->acceptor;
	enum took took;

	(void)events;
	took = take_one(t);
	for (size_t i = 0; took == TOOK_NONE && a->n > 1 && i < a->n; i++)
		if (&a->taps[i] != t)
			took = take_one(&a->taps[i]);
	if (took == TOOK_ONE)
		mind_the_others(a);
	if (!can_take(a))
		unwatch_all(a);         /* full: acceptor_one_less will be called */
}

struct acceptor *acceptor_new(struct loop *l, const struct acceptor_owner *owner,
                              const struct acceptor_options *options, const int *fds, size_t n)
{
	struct acceptor *a = calloc(1, sizeof *a + n * sizeof a->taps[0]);

	if (!a)
		return NULL;
	a->loop = l;
	a->owner = *owner;
	a->options = *options;
	a->pause.fire = on_pause_over;
	a->back.fire = on_come_forward;
	a->again.fire = on_again;
	a->patience = 1;
	a->n = a->n_open = n;
	for (size_t i = 0; i < n; i++)
		a->taps[i] = (struct tap){ .watch = { .fd = fds[i], .ready = on_arrival },
		                           .acceptor = a };
	return a;
}

void acceptor_close(struct acceptor **ap)
{
	struct acceptor *a = *ap;

	*ap = NULL;
	if (!a)
		return;
	acceptor_drop(a);
	free(a);
}

void acceptor_drop(struct acceptor *a)
{
	a->draining = true;
	timer_unset(&a->loop->timers, &a->pause);
	timer_unset(&a->loop->timers, &a->back);
	timer_unset(&a->loop->timers, &a->again);
	for (size_t i = 0; i < a->n; i++)
		close_tap(&a->taps[i]);
}

void acceptor_drain(struct acceptor *a, uint64_t removed)
{
	a->draining = true;
	unwatch_all(a);
	for (size_t i = 0; i < a->n; i++)
		a->taps[i].removed = removed >> i & 1;
	loop_timer(a->loop, &a->again, 0);
}

bool acceptor_is_empty(const struct acceptor *a)
{
	return a->n_open == 0;
}
