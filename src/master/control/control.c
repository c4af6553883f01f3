/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Accepts clients into a list, and starts reporters for their requests.
 */
#include <config.h>
#include "control.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "fd.h"
#include "fd_passing.h"
#include "log.h"

#define PAUSE_MS 1000                   /* when accept fails, as without descriptors */

struct control {
	struct loop                *loop;
	struct helpers             *helpers;
	struct notify              *events;
	struct control_owner        owner;
	struct control_client_owner clients_owner;
	struct control_listener     listener;   /* in use */
	struct control_listener     next;       /* prepared */
	struct watch                watch;      /* of listener.fd */
	struct timer                pause;
	struct timer                next_turn;  /* a reporter was cancelled: another may start */
	struct control_rule         rule;
	struct list                 clients;    /* by age */
	size_t                      n_clients;
	size_t                      n_reporters;
};

static enum control_access access_of(const struct control *c, const struct control_client *client,
                                     struct ucred *peer)
{
	return control_access_of(client->watch.fd, &c->rule, peer);
}

/* ---- reporters ---------------------------------------------------------- */

static void serve_queue(struct control *c);

static void on_reported(void *arg, bool ok)
{
	struct control_client *client = arg;
	struct control *c = client->owner->arg;

	client->reporter = NULL;
	c->n_reporters--;
	if (ok)
		control_client_resume(client);
	else
		control_client_close(client);   /* what it got is not a whole answer */
	serve_queue(c);
}

static void start_reporter(struct control *c, struct control_client *client)
{
	client->reporter = reporter_start(c->helpers, c->events, &client->job, &client->request,
	                                  client->watch.fd, on_reported, client);
	if (!client->reporter) {
		control_client_refuse(client, CONTROL_INTERNAL, "start a process: %s",
		                      strerror(errno));
		return;
	}
	client->state = CLIENT_REPORTING;
	c->n_reporters++;
}

/* Clients that may change things come first: others must not be able to keep them waiting. */
static struct control_client *next_in_queue(const struct control *c)
{
	struct control_client *client, *first = NULL;
	struct ucred peer;

	list_each(&c->clients, client, struct control_client, in_control) {
		if (client->state != CLIENT_QUEUED)
			continue;
		if (access_of(c, client, &peer) == CONTROL_CHANGE)
			return client;
		if (!first)
			first = client;
	}
	return first;
}

static void serve_queue(struct control *c)
{
	struct control_client *client;

	while (c->n_reporters < CONTROL_REPORTERS_MAX && (client = next_in_queue(c)))
		start_reporter(c, client);
}

static void on_next_turn(struct timer *t)
{
	serve_queue(container_of(t, struct control, next_turn));
}

void control_look(struct control *c, struct control_client *client,
                  const struct report_job *job, struct control_request *r)
{
	client->job = *job;
	client->request = *r;
	*r = (struct control_request){ .root = NULL };
	control_client_hold(client, CLIENT_QUEUED);
	serve_queue(c);
}

/* ---- clients ------------------------------------------------------------ */

static void on_line(void *arg, struct control_client *client, const char *line, size_t len)
{
	struct control *c = arg;
	struct ucred peer;
	const enum control_access access = access_of(c, client, &peer);
	struct control_request r;
	char why[256];

	if (access == CONTROL_NOTHING) {        /* without permission, a line is not even parsed */
		control_client_refuse(client, CONTROL_NOT_PERMITTED,
		                      "user %u may not use this socket", peer.uid);
	} else if (!control_request_parse(&r, line, len, why, sizeof why)) {
		control_client_refuse(client, CONTROL_BAD_REQUEST, "%s", why);
	} else {
		c->owner.asked(c->owner.arg, client, &r, access, &peer);
		control_request_free(&r);
	}
}

static void on_closed(void *arg, struct control_client *client)
{
	struct control *c = arg;

	list_remove(&client->in_control);
	c->n_clients--;
	if (client->reporter) {
		reporter_cancel(&client->reporter);
		c->n_reporters--;
		/* Not now: the caller may be walking over the list of clients. */
		loop_timer(c->loop, &c->next_turn, 0);
	}
	c->owner.gone(c->owner.arg, client);
}

static void turn_away(struct control_client *client)
{
	control_client_refuse(client, CONTROL_TOO_MANY_CLIENTS, "%d clients are connected already",
	                      CONTROL_CLIENTS_MAX);
	control_client_close(client);
}

/*
 * The client that is closed so that a new one with these rights can stay: the oldest idle one,
 * with fewer rights if there is one, and never with more. For a client that may change things,
 * it can also be one that waits and may only look.
 */
static struct control_client *find_victim(const struct control *c, enum control_access newcomer)
{
	struct control_client *client, *best = NULL;
	int best_rank = INT_MAX;
	struct ucred peer;

	list_each(&c->clients, client, struct control_client, in_control) {
		const enum control_access access = access_of(c, client, &peer);
		const bool idle = client->state == CLIENT_IDLE;
		const int rank = (int)access + (idle ? 0 : CONTROL_CHANGE + 1);

		if (access > newcomer || (!idle && access == newcomer) ||
		    client->state == CLIENT_REPORTING || client->state == CLIENT_WAITING)
			continue;
		if (rank < best_rank) {
			best = client;
			best_rank = rank;
		}
	}
	return best;
}

/* False if there is no room: the newcomer itself has to go. */
static bool make_room(struct control *c, struct control_client *newcomer)
{
	struct control_client *victim;
	struct ucred peer;

	if (c->n_clients < CONTROL_CLIENTS_MAX)
		return true;
	victim = find_victim(c, access_of(c, newcomer, &peer));
	if (!victim)
		return false;
	turn_away(victim);
	return true;
}

static void add_client(struct control *c, int fd)
{
	struct control_client *client = control_client_new(c->loop, fd, &c->clients_owner);
	bool stays;

	if (!client) {
		log_warn("control: take a client: %m");
		return;
	}
	stays = make_room(c, client);
	list_append(&c->clients, &client->in_control);
	c->n_clients++;
	if (!stays)
		turn_away(client);
}

/* Accepts one client in a turn of the loop: the master has other things to do. */
static void on_connect(struct watch *w, uint32_t events)
{
	struct control *c = container_of(w, struct control, watch);
	int fd = accept4(w->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd != -1) {
		add_client(c, fd);
	} else if (!fd_not_yet_accepted(errno)) {
		log_warn("control: accept: %m; pausing for a second");
		loop_unwatch(c->loop, w);
		loop_timer(c->loop, &c->pause, PAUSE_MS);
	}
}

/* ---- the socket --------------------------------------------------------- */

static void watch_listener(struct control *c)
{
	c->watch.fd = c->listener.fd;
	if (c->listener.fd != -1 && loop_watch(c->loop, &c->watch, EPOLLIN) == -1)
		log_err("control: watch %s: %m", c->listener.address.u.un.sun_path);
}

void control_adopt(struct control *c, int fd, const struct listener_file *file)
{
	c->listener = (struct control_listener){ .file = *file, .fd = fd };
	fd_passing_refuse(fd);
	if (listener_adopt(fd, &c->listener.address) == -1)
		log_err("control: take over the socket: %m");
	watch_listener(c);
}

struct control_client *control_adopt_client(struct control *c, int fd)
{
	struct control_client *client = control_client_new(c->loop, fd, &c->clients_owner);

	if (!client)
		return NULL;
	fd_passing_refuse(fd);
	list_append(&c->clients, &client->in_control);
	c->n_clients++;
	return client;
}

const struct control_listener *control_listener(const struct control *c)
{
	return &c->listener;
}

static void on_pause_over(struct timer *t)
{
	watch_listener(container_of(t, struct control, pause));
}

int control_prepare(struct control *c, const struct conf_control *conf,
                    struct control_listener_error *e)
{
	control_listener_close(&c->next);
	if (!conf->socket || control_listener_is_in_place(&c->listener, conf))
		return 0;
	if (!control_listener_is_wanted(conf)) {
		log_info("control: no socket, because there is no directory for %s", conf->socket);
		return 0;
	}
	if (control_listener_open(&c->next, conf, e) == 0)
		return 0;
	if (!conf->is_default)
		return -1;
	log_warn("%s; going on without it (set it to another path, or to \"none\")", e->text);
	return 0;
}

void control_forget(struct control *c)
{
	control_listener_close(&c->next);
}

static void close_listener(struct control *c)
{
	if (c->listener.fd == -1)
		return;
	loop_unwatch(c->loop, &c->watch);
	timer_unset(&c->loop->timers, &c->pause);
	notify_send(c->events, "control-closed address=unix:%s", c->listener.address.u.un.sun_path);
	control_listener_close(&c->listener);
}

static void move_to_next(struct control *c)
{
	close_listener(c);
	c->listener = c->next;
	c->next.fd = -1;
	watch_listener(c);
	log_info("control: listening on %s", c->listener.address.u.un.sun_path);
	notify_send(c->events, "control-listening address=unix:%s", c->listener.address.u.un.sun_path);
}

/* Accepts no requests any more; a client that waits for an outcome still gets it. */
static void close_socket(struct control *c)
{
	struct control_client *client;

	close_listener(c);
	list_each(&c->clients, client, struct control_client, in_control)
		if (client->state != CLIENT_WAITING)
			control_client_close(client);
}

void control_commit(struct control *c, const struct conf_control *conf)
{
	c->rule = (struct control_rule){ .group = conf->gid, .admin_group = conf->admin_gid };
	if (c->next.fd != -1)
		move_to_next(c);
	else if (!conf->socket || !control_listener_is_in_place(&c->listener, conf))
		close_socket(c);
	else if (control_listener_adjust(&c->listener, conf) == -1)
		log_err("control: set mode and group of %s: %m%s", conf->socket, listener_hint(errno));
}

struct control *control_new(struct helpers *all, struct notify *events,
                            const struct control_owner *owner)
{
	struct control *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	*c = (struct control){
		.loop = all->loop, .helpers = all, .events = events, .owner = *owner,
		.clients_owner = { .arg = c, .line = on_line, .closed = on_closed },
		.listener.fd = -1, .next.fd = -1, .pause.fire = on_pause_over,
		.next_turn.fire = on_next_turn,
		.watch = { .fd = -1, .ready = on_connect },
		.rule = { .group = (gid_t)-1, .admin_group = (gid_t)-1 },
	};
	list_init(&c->clients);
	return c;
}

static void say_goodbye(struct control_client *client)
{
	json_t *words = client->last_words;

	client->last_words = NULL;
	if (words)
		control_client_answer(client, words);
	control_client_close(client);
}

void control_close(struct control **cp)
{
	struct control *c = *cp;
	struct control_client *client;

	*cp = NULL;
	if (!c)
		return;
	control_forget(c);
	close_listener(c);
	list_each(&c->clients, client, struct control_client, in_control)
		say_goodbye(client);
	timer_unset(&c->loop->timers, &c->next_turn);
	free(c);
}
