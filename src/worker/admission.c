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

#include <sys/socket.h>

#include "connection.h"
#include "fd.h"
#include "jitter.h"
#include "log.h"
#include "prefix_set.h"

static const char *const refusals[] = {
	[ADMISSION_NO_MEMORY] = "no memory for a connection",
	[ADMISSION_NO_PROXY] = "a connection from an address that is not in proxy_from",
};

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

static enum admission refuse(const struct worker *w, int fd, enum admission reason)
{
	log_warn("%s: %s", w->service->name, refusals[reason]);
	fd_drop(fd);
	return reason;
}

/*
 * Whether the peer is believed who the client is. Over a unix socket it is: who can connect to the
 * file is decided by its mode.
 */
static bool is_believed(const struct conf_listen *l, const struct endpoint *peer)
{
	return peer->family == AF_UNIX || prefix_set_find(l->proxies, peer) == PREFIX_ALLOW;
}

enum admission admission_decide(struct worker *w, int fd, size_t listener, const struct endpoint *peer)
{
	const struct conf_listen *l = &w->service->listen[w->start.listens[listener]];
	struct connection *c;

	if (l->proxy != PROXY_OFF && !is_believed(l, peer))
		return refuse(w, fd, ADMISSION_NO_PROXY);
	c = connection_new(w, fd, peer);
	if (!c)
		return refuse(w, fd, ADMISSION_NO_MEMORY);
	check_retirement(w);
	connection_begin(c, (enum proxy_versions)l->proxy);
	return ADMISSION_ADMITTED;
}

/* ---- what the acceptor asks and tells ----------------------------------- */

static void on_accepted(void *arg, int fd, size_t listener, const struct endpoint *peer)
{
	admission_decide(arg, fd, listener, peer);
}

static bool has_room(void *arg)
{
	return worker_has_room(arg);
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
		.arg = w, .accepted = on_accepted, .has_room = has_room, .is_ahead = is_ahead,
		.declined = on_declined, .paused = on_paused, .resumed = on_resumed, .emptied = on_emptied,
	};
	const struct acceptor_options options = {
		.accept_flags = w->handler->keeps == HANDLER_KEEPS_SOCKET ? 0 : SOCK_NONBLOCK,
		.service = w->service->name,
	};

	set_retirement(w, w->service->max_accepts);
	w->acceptor = acceptor_new(&w->loop, &owner, &options, w->start.listeners,
	                           w->start.n_listeners);
	return w->acceptor ? acceptor_begin(w->acceptor) : -1;
}

void admission_close(struct worker *w)
{
	acceptor_close(&w->acceptor);
}
