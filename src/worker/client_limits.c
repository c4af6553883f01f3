/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Takes places in the shared counts, in an order in which nothing has to be undone for a client that
 * is served. With limits.dry_run, it notes what it would refuse, and goes on without the limit.
 */
#include <config.h>
#include "client_limits.h"

#include <sys/socket.h>

#include "client_block.h"
#include "clock.h"
#include "refusal.h"
#include "sources.h"
#include "worker.h"

#define LOOK_AGAIN_MS 100               /* whether a place under limits.connections is free */
#define RATE_WAIT_MS  1000              /* at most, at once: a reload may have changed the rate */

static const struct conf_limits *conf(const struct worker *w)
{
	return &w->service->limits;
}

static struct sources *sources(const struct worker *w)
{
	return w->start.service_memory->sources;
}

static struct service_hold *own_places(const struct worker *w)
{
	return holds_service(w->start.memory->holds);
}

static bool limits_sources(const struct worker *w)
{
	return conf(w)->connections_per_source > 0 || conf(w)->rate_per_source.interval_ns > 0;
}

void limits_init(struct worker *w)
{
	const struct conf_limits *l = conf(w);
	const bool of_service = l->connections > 0 || l->rate.interval_ns > 0;

	w->connection_limits = (struct client_limits){ .any = of_service || limits_sources(w) };
	w->connection_limits.queues = of_service && !l->dry_run && l->overload == OVERLOAD_QUEUE;
	w->connection_limits.rejects = of_service && !l->dry_run && l->overload == OVERLOAD_REJECT;
}

/* ---- the service -------------------------------------------------------- */

static bool take_place(struct worker *w, uint32_t limit)
{
	return sources_take_service(sources(w), own_places(w), limit);
}

static void give_place(struct worker *w)
{
	sources_give_service(sources(w), own_places(w));
}

/* Takes a place and a token of the rate: 0; or neither, and says why not, and for how long. */
static int64_t take_in_service(struct worker *w, enum refusal *why)
{
	int64_t wait_ns;

	*why = REFUSAL_CONNECTIONS;
	if (!take_place(w, (uint32_t)conf(w)->connections))
		return LOOK_AGAIN_MS;
	wait_ns = sources_service_pay(sources(w), &conf(w)->rate, clock_ns());
	if (wait_ns == 0)
		return 0;
	give_place(w);
	*why = REFUSAL_RATE;
	return wait_ns < INT64_C(1000000) * RATE_WAIT_MS ? wait_ns / 1000000 + 1 : RATE_WAIT_MS;
}

int64_t limits_reserve(struct worker *w)
{
	int64_t wait_ms;

	if (!w->connection_limits.queues || w->connection_limits.reserved)
		return 0;
	wait_ms = take_in_service(w, &w->connection_limits.lacking);
	w->connection_limits.reserved = wait_ms == 0;
	return wait_ms;
}

void limits_unreserve(struct worker *w)
{
	if (!w->connection_limits.reserved)
		return;
	w->connection_limits.reserved = false;
	give_place(w);
	sources_service_refund(sources(w), &conf(w)->rate);
}

void limits_left_waiting(struct worker *w)
{
	refusal_note_queue(w, w->connection_limits.lacking);
}

bool limits_wants_to_refuse(const struct worker *w)
{
	return w->connection_limits.rejects && conf(w)->connections > 0 &&
	       sources_service_count(sources(w)) >= (uint32_t)conf(w)->connections;
}

/* limits.dry_run: the client goes on. */
static void note_only(struct worker *w, enum refusal why, const struct endpoint *client)
{
	refusal_note(w, why, &(struct refused){ .fd = -1, .peer = client });
}

enum refusal limits_take_service(struct worker *w, const struct endpoint *client,
                                 struct client_hold *h)
{
	enum refusal why;

	if (!w->connection_limits.any)
		return REFUSAL_NONE;
	if (w->connection_limits.reserved || take_in_service(w, &why) == 0) {
		w->connection_limits.reserved = false;
		h->service = true;
		return REFUSAL_NONE;
	}
	if (!conf(w)->dry_run)
		return why;
	note_only(w, why, client);
	h->service = take_place(w, 0);
	return REFUSAL_NONE;
}

/* ---- its source --------------------------------------------------------- */

static uint64_t key_of(const struct worker *w, int fd, const struct endpoint *client)
{
	const uid_t user = client->family == AF_UNIX ? client_block_user(fd) : 0;
	const struct source_id source = source_id_of(client, user, conf(w)->source_prefix.ipv4,
	                                             conf(w)->source_prefix.ipv6);

	return sources_key(sources(w), &source);
}

/* Takes a place of the source. If it gets none, h->source stays NULL. */
static enum sources_result take(struct worker *w, uint64_t key, const struct source_limits *limits,
                                struct client_hold *h)
{
	struct holds *const holds = w->start.memory->holds;
	struct hold *const hold = holds_get(holds);
	const enum sources_result result = sources_take(sources(w), key, limits, clock_ns(), hold);

	if (result == SOURCES_TAKEN)
		h->source = hold;
	else
		holds_put(holds, hold);
	if (result == SOURCES_UNTRACKED)
		board_add(&w->slot->untracked, 1);
	return result;
}

static bool is_exempt(const struct worker *w, const struct endpoint *client)
{
	return prefix_set_find(conf(w)->exempt, client) != PREFIX_NONE;
}

enum refusal limits_take_source(struct worker *w, int fd, const struct endpoint *client,
                                struct client_hold *h)
{
	static const struct source_limits none = { .connections = 0 };
	const struct source_limits limits = {
		.connections = (uint32_t)conf(w)->connections_per_source,
		.rate = conf(w)->rate_per_source,
	};
	enum sources_result result;
	enum refusal why;
	uint64_t key;

	if (!w->connection_limits.any || !limits_sources(w) || is_exempt(w, client))
		return REFUSAL_NONE;
	key = key_of(w, fd, client);
	result = take(w, key, &limits, h);
	if (result == SOURCES_TAKEN || result == SOURCES_UNTRACKED)
		return REFUSAL_NONE;
	why = result == SOURCES_FULL ? REFUSAL_SOURCE : REFUSAL_SOURCE_RATE;
	if (!conf(w)->dry_run)
		return why;
	note_only(w, why, client);
	take(w, key, &none, h);
	return REFUSAL_NONE;
}

/* ---- the end ------------------------------------------------------------ */

void limits_give(struct worker *w, struct client_hold *h, bool refused)
{
	if (h->source) {
		sources_give(sources(w), h->source);
		holds_put(w->start.memory->holds, h->source);
	}
	if (h->service) {
		give_place(w);
		if (refused)
			sources_service_refund(sources(w), &conf(w)->rate);
	}
	*h = (struct client_hold){ 0 };
	if (w->connection_limits.queues)
		acceptor_one_less(w->acceptor); /* it may wait for the place */
}
