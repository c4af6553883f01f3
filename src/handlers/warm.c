/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * exec with `warm`: joins a connection to a program that was started before the client came. With
 * TLS and without `warm`, to one that is started for it. The bytes go through the worker. This file does not know how the program is chosen, which
 * warm_pool.c does, nor how the bytes are moved, which relay.c does.
 */
#include <config.h>
#include "handler.h"

#include <errno.h>
#include <stdlib.h>

#include "client_facts.h"
#include "connection.h"
#include "log.h"
#include "proxy_protocol.h"
#include "relay.h"
#include "warm_pool.h"
#include "worker.h"

/*
 * The relays of all workers of a service together have at most this number of pipes: half of what
 * a user may have by default (pipe(7), pipe-user-pages-soft), if each has 64 pages.
 */
#define PIPES_OF_SERVICE 128

struct warm {                           /* of a worker */
	struct warm_pool  *pool;
	struct relay_owner relays;      /* of all relays of the worker */
};

struct link {                           /* joins a connection and its program */
	struct connection *connection;
	struct relay       relay;
	struct watch       freeing;     /* frees the link when no event can reach it any more */
};

static struct link *link_of(struct relay *r)
{
	return container_of(r, struct link, relay);
}

/* ---- what the relay says ------------------------------------------------ */

static void moved(struct relay *r, enum relay_direction d, size_t n)
{
	connection_relayed(link_of(r)->connection, d == RELAY_UP ? n : 0, d == RELAY_DOWN ? n : 0);
}

static void finished(struct relay *r)
{
	connection_program_done(link_of(r)->connection);
}

/* The program is not told to end: it notices the end by itself, as it would if it had the socket. */
static void lose(struct link *k, enum connection_end how)
{
	relay_hang_up(&k->relay);
	connection_lost_client(k->connection, how);
}

static void lost(struct relay *r)
{
	lose(link_of(r), connection_break(link_of(r)->connection));
}

/* ---- what the program does ---------------------------------------------- */

/* What the program has written is still sent to the client. */
static void program_ended(void *arg, int status)
{
	struct link *k = arg;
	struct connection *c = k->connection;

	connection_program_ended(c, status);
	switch (relay_flush(&k->relay)) {
	case RELAY_ALL_SENT:
		connection_program_done(c);
		break;
	case RELAY_CLIENT_LOST:
		lost(&k->relay);
		break;
	case RELAY_PENDING:
		connection_program_unsent(c);
		break;
	}
}

/* ---- the client's address ----------------------------------------------- */

static int tell_peer(struct link *k)
{
	const struct connection *c = k->connection;
	char line[PROXY_PROTOCOL_MAX];

	if (connection_worker(c)->service->handler.warm.peer != WARM_PEER_PROXY_V1)
		return 0;
	return relay_tell(&k->relay, line, proxy_protocol_v1(line, connection_peer(c), connection_local(c)));
}

/* ---- the program -------------------------------------------------------- */

/* A program that is started for its client knows of it by its environment, as with exec. */
static int take_for(struct connection *c, struct warm_pool *pool, struct warm_program *taken)
{
	struct client_facts facts;
	char **envp;
	int result;

	if (connection_worker(c)->service->handler.warm.n > 0)
		return warm_pool_take(pool, NULL, taken);
	envp = client_facts_environment(&facts, c);
	if (!envp)
		return -1;
	result = warm_pool_take(pool, envp, taken);
	free(envp);
	return result;
}

/* ---- what the connection says ------------------------------------------- */

static struct link *new_link(struct connection *c)
{
	struct link *k = calloc(1, sizeof *k);

	if (!k)
		return NULL;
	k->connection = c;
	k->freeing.fd = -1;
	return k;
}

static enum handler_verdict warm_opened(struct connection *c)
{
	struct worker *w = connection_worker(c);
	char id[CONNECTION_ID_MAX], name[PROGRAM_NAME_MAX];
	struct warm *warm = w->state_of_handler;
	struct link *k = new_link(c);
	struct warm_program taken;

	connection_program_name(c, name);
	if (!k || take_for(c, warm->pool, &taken) == -1) {
		health_refused(w, name);
		free(k);
		return HANDLER_FAIL;
	}
	*handler_state(c) = k;
	relay_init(&k->relay, &warm->relays, connection_stream(c), taken.fd);
	program_give(taken.program, name, connection_id(c, id), program_ended, k);
	connection_run_program(c, taken.program);
	if (notify_is_heard(w->start.events))
		worker_event(w, "%s id=%s program=%d", taken.waited ? "warm-join" : "program-start",
		             id, (int)program_pid(taken.program));
	if (tell_peer(k) == -1 || relay_begin(&k->relay) == -1) {
		log_about(LOG_LEVEL_WARNING, LOG_ABOUT(.connection = id),
		          "%s: join a connection and a program: %m", name);
		lose(k, END_FAILED);
	}
	return HANDLER_GO_ON;
}

static void ready(struct connection *c, uint32_t events)
{
	struct link *k = *handler_state(c);

	relay_client_ready(&k->relay, events);
}

static void free_link(struct watch *w)
{
	free(container_of(w, struct link, freeing));
}

static void warm_closed(struct connection *c)
{
	struct link *k = *handler_state(c);

	if (!k)
		return;
	*handler_state(c) = NULL;
	if (relay_client_ended(&k->relay))
		connection_client_ended(c);
	relay_end(&k->relay);
	loop_reclaim(&connection_worker(c)->loop, &k->freeing, free_link);
}

/* ---- what the worker says ----------------------------------------------- */

static unsigned max_pipes(const struct worker *w)
{
	const struct conf_workers *conf = &w->service->workers;
	const unsigned n_workers = (unsigned)(conf->ranged ? conf->max : conf->min);

	return n_workers < PIPES_OF_SERVICE ? PIPES_OF_SERVICE / n_workers : 1;
}

/*
 * The socket and standard error of each program; a new one may start before an old one has ended.
 * If many bytes go both ways, a relay uses two pipes as well; it also works without them.
 */
static struct handler_descriptors descriptors(const struct conf_service *s)
{
	const rlim_t n = 2 * (rlim_t)(s->connections + s->handler.warm.n);

	return (struct handler_descriptors){ .needed = n, .wanted = 2 * n + 4 * (rlim_t)s->connections };
}

static int warm_begin(struct worker *w)
{
	struct warm *warm = calloc(1, sizeof *warm);

	if (!warm)
		return -1;
	warm->relays = (struct relay_owner){
		.loop = &w->loop, .scratch = w->scratch, .scratch_len = WORKER_SCRATCH,
		.max_pipes = max_pipes(w), .moved = moved, .finished = finished, .lost = lost };
	warm->pool = warm_pool_new(w);
	if (!warm->pool) {
		free(warm);
		return -1;
	}
	w->state_of_handler = warm;
	return 0;
}

static void warm_drain(struct worker *w)
{
	const struct warm *warm = w->state_of_handler;

	warm_pool_release(warm->pool);
}

static void warm_end_worker(struct worker *w)
{
	struct warm *warm = w->state_of_handler;

	warm_pool_free(warm->pool);
	free(warm);
}

const struct handler handler_warm = {
	.name = "exec",
	.keeps = HANDLER_KEEPS_PROGRAM,
	.opened = warm_opened,
	.ready = ready,
	.closed = warm_closed,
	.descriptors = descriptors,
	.begin = warm_begin,
	.drain = warm_drain,
	.end = warm_end_worker,
};
