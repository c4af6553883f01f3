/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Computes when a connection times out, and as what, and sets its timer to that. What
 * happens when the timer fires is in connection.c.
 */
#include <config.h>
#include "connection_private.h"

#include "clock.h"

static const struct conf_timeouts *timeouts(const struct connection *c)
{
	return &c->worker->service->timeouts;
}

static int64_t request_deadline(const struct connection *c)
{
	return c->request_ms == 0 ? CLOCK_NEVER : clock_deadline(c->request_ms, timeouts(c)->request);
}

/* When its present state times out; *as becomes how it ends then. */
static int64_t state_deadline(const struct connection *c, enum connection_end *as)
{
	int64_t request, idle;

	switch (c->state) {
	case CONNECTION_HANDSHAKE:      /* from the beginning, so that many small pieces give no more time */
		*as = END_HANDSHAKE;
		return clock_deadline(c->opened_ms, timeouts(c)->handshake);
	case CONNECTION_READ:
		request = request_deadline(c);
		idle = clock_deadline(c->active_ms, timeouts(c)->idle);
		*as = request < idle ? END_REQUEST : END_IDLE;
		return request < idle ? request : idle;
	case CONNECTION_WAIT:
		*as = END_REQUEST;
		return request_deadline(c);
	case CONNECTION_WRITE:
	case CONNECTION_PRODUCE:
		*as = END_WRITE;
		return clock_deadline(c->active_ms, timeouts(c)->write);
	case CONNECTION_LINGER:
		return clock_deadline(c->active_ms, timeouts(c)->linger);
	case CONNECTION_PROGRAM:        /* a client that is gone, or whose bytes are not seen, is not idle */
		*as = END_IDLE;
		return stream_is_open(&c->stream) ? clock_deadline(c->active_ms, timeouts(c)->idle)
		                                  : CLOCK_NEVER;
	case CONNECTION_DONE:
		break;
	}
	return CLOCK_NEVER;
}

int64_t connection_deadline(const struct connection *c, enum connection_end *as)
{
	int64_t session = clock_deadline(c->opened_ms, timeouts(c)->session);
	int64_t state = state_deadline(c, as);

	if (c->state == CONNECTION_LINGER || session > state)
		return state;
	*as = END_SESSION;
	return session;
}

/*
 * When to look at the connection again. A client that takes bytes slowly may make room for few
 * bytes at a time, so that epoll reports nothing for minutes: therefore the length of the kernel's
 * queue is looked at. In states in which bytes are usually on their way, that is done four
 * times in the time-out, so that the time-out counts from a moment near to the last byte. In the
 * other states the client has usually taken everything, and it is done when the time-out is over.
 * If a program has the socket, it is asked as often whether its client is gone or takes nothing.
 */
static int64_t next_look(const struct connection *c)
{
	int64_t timeout = 0;

	if (c->state == CONNECTION_WRITE || c->state == CONNECTION_PRODUCE)
		timeout = timeouts(c)->write;
	else if (c->state == CONNECTION_LINGER)
		timeout = timeouts(c)->linger;
	else if (c->state == CONNECTION_PROGRAM)
		timeout = stream_is_open(&c->stream) ? timeouts(c)->idle : c->client.gone_ms;
	return clock_deadline(c->worker->loop.now_ms, (timeout + 3) / 4);
}

void connection_arm(struct connection *c)
{
	enum connection_end as;
	int64_t at = connection_deadline(c, &as), look = next_look(c);

	at = look < at ? look : at;
	if (!timer_is_set(&c->timer) || at < c->timer.at_ms)
		loop_timer_at(&c->worker->loop, &c->timer, at);
}
