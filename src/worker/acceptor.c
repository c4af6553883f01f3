/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Accepts connections in competition with the other workers of the service.
 *
 * EPOLLEXCLUSIVE wakes one sleeping worker for each arrival, the one that has
 * watched longest, and reports the arrival to those that are awake. Two rules follow.
 *
 * A worker that is ahead of the others leaves an arrival to them, and stops watching
 * the listeners until it is no longer ahead. It asks the master to tell the others to
 * look, because it may be the only one that was woken. If they do nothing for STILL_MS
 * (they may be stopped, or stuck in a handler), it goes on without them: with one
 * connection at first, then with twice as many each time.
 *
 * If the service has reached a limit and leaves its clients in the queue, the worker stops watching
 * the listeners as well, until the owner thinks that the service may take one, or until a
 * connection of this worker has ended, which may make room under the limit.
 *
 * A worker that was woken and finds no client looks at its other listeners: an arrival
 * there may have woken a worker that had no room left when it came to accept.
 */
#include <config.h>
#include "acceptor.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fd.h"
#include "list.h"
#include "log.h"

struct listener {                       /* one socket */
	struct watch     watch;         /* fd -1: closed */
	struct acceptor *acceptor;
	bool             removed;       /* no other worker will take what waits here */
};

struct acceptor {
	struct loop            *loop;
	struct acceptor_owner   owner;
	struct acceptor_options options;
	struct timer            pause;          /* set while accepting has paused */
	struct timer            back;           /* set after it stepped back: then it looks at the others */
	struct timer            limited;        /* set while the service has reached a limit: until then */
	struct timer            again;          /* draining: tries to accept again */
	uint64_t                others_done;    /* *done of is_ahead, when it was last asked */
	int64_t                 still_since_ms; /* the others have done nothing since then */
	int                     granted;        /* connections that it may take though it is ahead */
	int                     next_grant;
	int64_t                 told_ms;        /* when the others were last told to look; 0: never */
	bool                    watching;
	bool                    draining;
	bool                    in_trouble;     /* accept(2) failed, which was logged; until it succeeds */
	size_t                  n_open;
	size_t                  n;
	struct listener         listeners[];
};

#define STEP_BACK_MS   2
#define STILL_MS       50
#define GRANT_MAX      64
#define LOOK_AGAIN_MS  200
#define GO_ON_MS       1
#define AT_ONCE_MAX    64              /* clients that a drain takes before others have their turn */

enum took { TOOK_ONE, TOOK_NONE, TOOK_ERROR, TOOK_LIMITED };

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
		loop_unwatch(a->loop, &a->listeners[i].watch);
}

static void close_listener(struct listener *l)
{
	if (l->watch.fd == -1)
		return;
	loop_unwatch(l->acceptor->loop, &l->watch);
	fd_close(&l->watch.fd);
	l->acceptor->n_open--;
}

int acceptor_begin(struct acceptor *a)
{
	a->watching = true;
	for (size_t i = 0; i < a->n; i++) {
		struct watch *w = &a->listeners[i].watch;

		if (w->fd != -1 && w->events == 0 &&
		    loop_watch(a->loop, w, EPOLLIN | EPOLLEXCLUSIVE) == -1)
			return -1;
	}
	return 0;
}

static void go_on(struct acceptor *a)
{
	/* At the end of this turn, not now: the caller may still use the connection that has ended. */
	if (a->draining && a->n_open > 0 && can_take(a))
		loop_timer(a->loop, &a->again, 0);
	if (a->draining || a->watching || timer_is_set(&a->back) || timer_is_set(&a->limited) ||
	    !can_take(a))
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

static void on_even(struct acceptor *a)
{
	a->granted = 0;
	a->next_grant = 1;
	a->still_since_ms = a->loop->now_ms;
}

/* Whether the others should accept the next client. Notes whether they get something done. */
static bool is_ahead(struct acceptor *a)
{
	uint64_t done;
	bool ahead = a->owner.is_ahead(a->owner.arg, &done);

	if (!ahead || done != a->others_done)
		on_even(a);
	a->others_done = done;
	return ahead;
}

static void step_back(struct acceptor *a)
{
	unwatch_all(a);
	loop_timer(a->loop, &a->back, STEP_BACK_MS);
}

/* At most once in STILL_MS, and not for each arrival: under load the others are awake. */
static void tell_the_others(struct acceptor *a)
{
	if (a->told_ms > 0 && a->loop->now_ms - a->told_ms < STILL_MS)
		return;
	a->told_ms = a->loop->now_ms;
	a->owner.declined(a->owner.arg);
}

static void on_back(struct timer *t)
{
	struct acceptor *a = container_of(t, struct acceptor, back);

	if (is_ahead(a)) {
		if (a->loop->now_ms - a->still_since_ms < STILL_MS) {
			step_back(a);
			return;
		}
		a->granted = a->next_grant;
		a->next_grant = a->granted < GRANT_MAX ? a->granted * 2 : GRANT_MAX;
	}
	go_on(a);
}

static void on_limit_over(struct timer *t)
{
	go_on(container_of(t, struct acceptor, limited));
}

static bool is_waited_at(const struct listener *l)
{
	struct pollfd p = { .fd = l->watch.fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

/* The service may not take another client for wait_ms; perhaps another worker has taken this one. */
static enum took wait_for_limit(const struct listener *l, int64_t wait_ms)
{
	struct acceptor *a = l->acceptor;

	if (!is_waited_at(l))
		return TOOK_NONE;
	a->owner.left_waiting(a->owner.arg);
	if (!a->draining) {
		unwatch_all(a);
		loop_timer(a->loop, &a->limited, wait_ms);
	}
	return TOOK_LIMITED;
}

/* True if the client that has come is left to the others. */
static bool is_for_others(struct acceptor *a)
{
	if (!is_ahead(a))
		return false;
	if (a->granted == 0)
		return true;
	a->granted--;
	return false;
}

void acceptor_one_less(struct acceptor *a)
{
	if (timer_is_set(&a->back) && !is_ahead(a))
		timer_unset(&a->loop->timers, &a->back);
	timer_unset(&a->loop->timers, &a->limited);
	go_on(a);
}

static enum took accept_failed(struct acceptor *a)
{
	switch (errno) {
	case EAGAIN:
		return TOOK_NONE;
	case ECONNABORTED: case EINTR: case EPROTO: case ENETDOWN: case ENOPROTOOPT:
	case EHOSTDOWN: case ENONET: case EHOSTUNREACH: case EOPNOTSUPP: case ENETUNREACH:
		return TOOK_ERROR;      /* accept(2): only that connection failed */
	default:                        /* EMFILE, ENFILE, ENOBUFS, ENOMEM: we lack something */
		if (!a->in_trouble)
			log_about(LOG_LEVEL_WARNING, LOG_ABOUT(.event = LOG_EVENT_ACCEPT_FAILED),
			          "%s: accept: %m; pausing for a second at a time", a->options.service);
		a->in_trouble = true;
		acceptor_pause(a, "descriptors");
		return TOOK_ERROR;
	}
}

/* The result of accept(2), with errno as it left it. */
static int accept_reserved(struct listener *l, struct endpoint *peer)
{
	const struct acceptor *a = l->acceptor;
	struct sockaddr_storage from;
	socklen_t len = sizeof from;
	const int fd = accept4(l->watch.fd, (struct sockaddr *)&from, &len,
	                       SOCK_CLOEXEC | a->options.accept_flags);
	const int saved = errno;

	if (fd == -1)
		a->owner.unreserve(a->owner.arg);
	else
		*peer = endpoint_of((struct sockaddr *)&from, len);
	errno = saved;
	return fd;
}

static enum took take_one(struct listener *l)
{
	struct acceptor *a = l->acceptor;
	const int64_t wait_ms = a->owner.reserve(a->owner.arg);
	struct endpoint peer;
	int fd;

	if (wait_ms > 0)
		return wait_for_limit(l, wait_ms);
	fd = accept_reserved(l, &peer);
	if (fd == -1)
		return accept_failed(a);
	if (a->in_trouble)
		log_about(LOG_LEVEL_INFO, LOG_ABOUT(.event = LOG_EVENT_ACCEPT_FAILED),
		          "%s: accepting again", a->options.service);
	a->in_trouble = false;
	a->owner.accepted(a->owner.arg, fd, (size_t)(l - a->listeners), &peer);
	return TOOK_ONE;
}

/*
 * Accepts until the queue is empty or there is no room. Then the listener is closed; a
 * removed one only if it is empty. True if it accepted AT_ONCE_MAX clients: there may be more.
 */
static bool empty_listener(struct listener *l)
{
	enum took took = TOOK_ONE;
	int n = 0;

	while (l->watch.fd != -1 && n < AT_ONCE_MAX && took != TOOK_NONE && took != TOOK_LIMITED &&
	       can_take(l->acceptor)) {
		took = take_one(l);
		n++;
	}
	if (n == AT_ONCE_MAX)
		return true;
	if (took == TOOK_NONE || !l->removed || !is_waited_at(l))
		close_listener(l);
	return false;
}

/*
 * Drains. This is called again when there is room, and when a pause is over, if a listener
 * is still open then; and every LOOK_AGAIN_MS, because other workers may have accepted the
 * clients that wait there. Clients that are refused take no room: if there are many of them,
 * the connections that are open have their turn meanwhile.
 */
static void empty_all(struct acceptor *a)
{
	bool more = false;

	for (size_t i = 0; i < a->n; i++)
		more |= empty_listener(&a->listeners[i]);
	if (a->n_open == 0)
		a->owner.emptied(a->owner.arg);
	else
		loop_timer(a->loop, &a->again, more ? GO_ON_MS : LOOK_AGAIN_MS);
}

static void on_next_look(struct timer *t)
{
	empty_all(container_of(t, struct acceptor, again));
}

void acceptor_look(struct acceptor *a)
{
	if (a->draining || !can_take(a))
		return;
	/* Watches the listeners again: epoll then reports clients that wait as if they had just come. */
	timer_unset(&a->loop->timers, &a->back);
	timer_unset(&a->loop->timers, &a->limited);
	unwatch_all(a);
	go_on(a);
}

static void on_arrival(struct watch *w, uint32_t events)
{
	struct listener *l = container_of(w, struct listener, watch);
	struct acceptor *a = l->acceptor;
	enum took took;

	(void)events;
	if (is_for_others(a)) {
		step_back(a);
		tell_the_others(a);
		return;
	}
	took = take_one(l);
	for (size_t i = 0; took == TOOK_NONE && a->n > 1 && i < a->n; i++)
		if (&a->listeners[i] != l)
			took = take_one(&a->listeners[i]);
	if (!can_take(a))
		unwatch_all(a);         /* full: acceptor_one_less will be called */
}

struct acceptor *acceptor_new(struct loop *l, const struct acceptor_owner *owner,
                              const struct acceptor_options *options, const int *fds, size_t n)
{
	struct acceptor *a = calloc(1, sizeof *a + n * sizeof a->listeners[0]);

	if (!a)
		return NULL;
	a->loop = l;
	a->owner = *owner;
	a->options = *options;
	a->pause.fire = on_pause_over;
	a->back.fire = on_back;
	a->limited.fire = on_limit_over;
	a->again.fire = on_next_look;
	on_even(a);
	a->n = a->n_open = n;
	for (size_t i = 0; i < n; i++)
		a->listeners[i] = (struct listener){ .watch = { .fd = fds[i], .ready = on_arrival },
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
	timer_unset(&a->loop->timers, &a->limited);
	timer_unset(&a->loop->timers, &a->again);
	for (size_t i = 0; i < a->n; i++)
		close_listener(&a->listeners[i]);
}

void acceptor_drain(struct acceptor *a, uint64_t removed)
{
	a->draining = true;
	unwatch_all(a);
	for (size_t i = 0; i < a->n; i++)
		a->listeners[i].removed = removed >> i & 1;
	loop_timer(a->loop, &a->again, 0);
}

bool acceptor_is_empty(const struct acceptor *a)
{
	return a->n_open == 0;
}
