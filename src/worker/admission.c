/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Before accept(2), admission answers what the acceptor asks: whether there is a free slot,
 * and whether other workers should take the next client. After accept(2), it decides about
 * the client: a client is admitted, with a slot and a connection, or refused for a reason.
 * It knows neither how clients are accepted (acceptor.c) nor how they are served
 * (connection.c).
 */
#include <config.h>
#include "admission.h"

#include <string.h>
#include <sys/socket.h>

#include "client_check.h"
#include "client_limits.h"
#include "connection.h"
#include "fd.h"
#include "jitter.h"
#include "listener.h"
#include "prefix_set.h"
#include "refusal.h"

/* ---- retirement --------------------------------------------------------- */

static void set_retirement(struct worker *w, int max_accepts)
{
	/* Workers that were forked together must not all be replaced together. */
	w->retires_at = (uint64_t)jitter_around(max_accepts);
}

/*
 * Tries again after each client until the master was told. The worker goes on accepting until
 * the master has another one in its place.
 */
static void check_retirement(struct worker *w)
{
	if (w->retires_at == 0 || w->accepted < w->retires_at || w->draining)
		return;
	if (!worker_say(w, LEASH_RETIRE))
		return;
	w->retires_at = 0;
	worker_event(w, "retiring accepted=%llu", (unsigned long long)w->accepted);
}

/* ---- one client --------------------------------------------------------- */

/* Tells the client as much as can be sent at once; nothing if it expects TLS. */
static void answer_refused(const struct worker *w, int fd, const struct conf_listen *l, enum refusal why)
{
	const char *message = refusal_message(w, why);

	if (message && !l->tls)
		send(fd, message, strlen(message), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static enum refusal refuse(struct worker *w, int fd, const struct conf_listen *l,
                           const struct endpoint *peer, enum refusal why, struct client_hold *h)
{
	limits_unreserve(w);            /* one that was refused before it took its place has left it */
	limits_give(w, h, true);
	refusal_note(w, why, &(struct refused){ .fd = fd, .peer = peer });
	answer_refused(w, fd, l, why);
	fd_drop(fd);
	return why;
}

/*
 * Whether the peer is believed who the client is. Over a unix socket it is: who can connect to the
 * file is decided by its mode.
 */
static bool is_believed(const struct conf_listen *l, const struct endpoint *peer)
{
	return peer->family == AF_UNIX || prefix_set_find(l->proxies, peer) == PREFIX_ALLOW;
}

/* Its address first: a client that is not wanted has no part in the limits, and gets no message. */
static enum refusal check_address(const struct worker *w, int fd, const struct conf_listen *l,
                                  const struct endpoint *peer)
{
	if (l->proxy == PROXY_OFF)
		return client_check_address(w, fd, peer);
	return is_believed(l, peer) ? REFUSAL_NONE : REFUSAL_PROXY;
}

/* A proxy is only checked as such: the client that it names is checked when its header has come. */
static enum refusal check(struct worker *w, int fd, const struct conf_listen *l,
                          const struct endpoint *peer, struct client_hold *h)
{
	enum refusal why = check_address(w, fd, l, peer);

	if (why == REFUSAL_NONE)
		why = limits_take_service(w, peer, h);
	if (why == REFUSAL_NONE && !worker_has_room(w))
		why = REFUSAL_CONNECTIONS;      /* it was accepted to be refused: limits_wants_to_refuse */
	if (why != REFUSAL_NONE || l->proxy != PROXY_OFF)
		return why;
	return limits_take_source(w, fd, peer, h);
}

/* Clients that are refused have waited, too. */
static void measure_wait(struct worker *w, int fd, const struct endpoint *peer)
{
	const int64_t ms = peer->family == AF_UNIX ? -1 : listener_waited_ms(fd);

	if (ms >= 0)
		board_add_time(&w->slot->accept_wait, ms);
}

enum refusal admission_decide(struct worker *w, int fd, size_t listener, const struct endpoint *peer)
{
	const struct conf_listen *l = &w->service->listen[w->start.listens[listener]];
	struct client_hold h = { 0 };
	struct connection *c;
	enum refusal why;

	if (w->service->measures_queue)
		measure_wait(w, fd, peer);
	why = check(w, fd, l, peer, &h);
	if (why != REFUSAL_NONE)
		return refuse(w, fd, l, peer, why, &h);
	c = connection_new(w, fd, peer, &h);
	if (!c)
		return refuse(w, fd, l, peer, REFUSAL_MEMORY, &h);
	check_retirement(w);
	connection_begin(c, (enum proxy_versions)l->proxy, l->tls);
	return REFUSAL_NONE;
}

/* ---- what the acceptor asks and tells ----------------------------------- */

static void on_accepted(void *arg, int fd, size_t listener, const struct endpoint *peer)
{
	admission_decide(arg, fd, listener, peer);
}

static int64_t reserve(void *arg)
{
	return limits_reserve(arg);
}

static void unreserve(void *arg)
{
	limits_unreserve(arg);
}

static void left_waiting(void *arg)
{
	limits_left_waiting(arg);
}

static bool has_room(void *arg)
{
	return worker_has_room(arg) || limits_wants_to_refuse(arg);
}

static bool is_ahead(void *arg, uint64_t *done)
{
	struct worker *w = arg;

	return board_is_ahead(w->start.memory->board, w->start.slot, (uint32_t)w->service->connections,
	                      done);
}

static void on_declined(void *arg)
{
	worker_insist(arg, LEASH_LOOK);
}

static void on_paused(void *arg, const char *reason)
{
	struct worker *w = arg;

	worker_event(w, "accept-paused reason=%s", reason);
	worker_insist(w, LEASH_LOOK);
}

static void on_resumed(void *arg)
{
	struct worker *w = arg;

	worker_event(w, "accept-resumed");
}

static void on_emptied(void *arg)
{
	worker_check_end(arg);
}

/* ---- the gate ----------------------------------------------------------- */

int admission_open(struct worker *w)
{
	const struct acceptor_owner owner = {
		.arg = w, .reserve = reserve, .unreserve = unreserve, .left_waiting = left_waiting, .accepted = on_accepted,
		.has_room = has_room, .is_ahead = is_ahead, .declined = on_declined,
		.paused = on_paused, .resumed = on_resumed, .emptied = on_emptied,
	};
	const struct acceptor_options options = {
		.accept_flags = w->handler->keeps == HANDLER_KEEPS_SOCKET ? 0 : SOCK_NONBLOCK,
		.service = w->service->name,
	};

	limits_init(w);
	set_retirement(w, w->service->max_accepts);
	w->acceptor = acceptor_new(&w->loop, &owner, &options, w->start.listeners,
	                           w->start.n_listeners);
	return w->acceptor ? acceptor_begin(w->acceptor) : -1;
}

void admission_close(struct worker *w)
{
	acceptor_close(&w->acceptor);
}
