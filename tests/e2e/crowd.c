/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Clients that talk a line at a time. Before some of them leave, each has talked for a while: a
 * client too many would have got inside meanwhile.
 */
#include <config.h>
#include "crowd.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"
#include "turn.h"

#define LINE     "may I come in?\n"
#define TALK     3                      /* lines that each says before some leave */
#define TEXT_MAX 256

enum stage { STAGE_CONNECT, STAGE_ASK, STAGE_INSIDE, STAGE_LEAVE, STAGE_GONE };

struct crowd_client {
	struct turn_hook hook;
	struct crowd    *crowd;
	enum stage       stage;
	char             got[TEXT_MAX]; /* since its last line */
	size_t           len;
	int              talked;        /* lines, since the last client has come in */
};

static void begin(struct crowd_client *c)
{
	c->hook.fd = client_begin_from(c->crowd->from, c->crowd->address);
	ck_assert_msg(c->hook.fd != -1, "connect to %s: %m", c->crowd->address);
	c->hook.events = POLLOUT;
	c->stage = STAGE_CONNECT;
	turn_add(&c->hook);
}

/* ---- the ends of a connection ------------------------------------------- */

static void close_client(struct crowd_client *c, bool again)
{
	turn_remove(&c->hook);
	close(c->hook.fd);
	c->stage = STAGE_GONE;
	if (again)
		begin(c);
	else
		c->crowd->gone++;
}

static void lose(struct crowd_client *c, const char *trouble)
{
	struct crowd *crowd = c->crowd;

	ck_assert_msg(crowd->may_lose, "a client was lost: %s", trouble);
	crowd->lost++;
	crowd->inside -= c->stage == STAGE_INSIDE;
	close_client(c, !crowd->stopping || c->stage < STAGE_INSIDE);
}

static void take_refusal(struct crowd_client *c)
{
	const char *refusal = c->crowd->refusal ? c->crowd->refusal : "";

	if (c->crowd->may_lose && c->len == 0 && *refusal) {
		lose(c, "nothing was said");
		return;
	}
	c->got[c->len] = '\0';
	ck_assert_str_eq(c->got, refusal);
	c->crowd->refused++;
	close_client(c, true);
}

static void leave(struct crowd_client *c)
{
	c->crowd->inside--;
	c->stage = STAGE_LEAVE;
	shutdown(c->hook.fd, SHUT_WR);          /* if it has failed, the end follows as well */
}

/* The connection has ended, with 0 or that error. */
static void end(struct crowd_client *c, int error)
{
	switch (c->stage) {
	case STAGE_CONNECT: case STAGE_INSIDE:
		lose(c, error ? strerror(error) : "the end came while it was inside");
		break;
	case STAGE_ASK:
		take_refusal(c);
		break;
	case STAGE_LEAVE:
		ck_assert_msg(error == 0 || c->crowd->may_lose, "at the end: %s", strerror(error));
		close_client(c, c->crowd->come_again && !c->crowd->stopping);
		break;
	case STAGE_GONE:
		break;
	}
}

/* ---- inside ------------------------------------------------------------- */

/* What cannot be sent will be noticed where the answer is missing. */
static void say(struct crowd_client *c, const char *text)
{
	c->len = 0;
	(void)!send(c->hook.fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* All that are inside talk anew: who comes in with this client does so meanwhile. */
static void come_in(struct crowd_client *c)
{
	struct crowd *crowd = c->crowd;

	c->stage = STAGE_INSIDE;
	crowd->admitted++;
	if (++crowd->inside > crowd->most_inside)
		crowd->most_inside = crowd->inside;
	for (size_t i = 0; i < crowd->n_clients; i++) {
		struct crowd_client *other = &crowd->clients[i];

		if (other->stage == STAGE_INSIDE && other->talked >= TALK)
			say(other, LINE);
		other->talked = 0;
	}
	say(c, LINE);
}

static bool all_have_talked(const struct crowd *crowd)
{
	for (size_t i = 0; i < crowd->n_clients; i++)
		if (crowd->clients[i].stage == STAGE_INSIDE && crowd->clients[i].talked < TALK)
			return false;
	return true;
}

void crowd_leave(struct crowd *c)
{
	for (size_t i = 0; i < c->n_clients; i++)
		if (c->clients[i].stage == STAGE_INSIDE)
			leave(&c->clients[i]);
}

static bool is_time_to_leave(const struct crowd *c)
{
	const size_t left = c->n_clients - c->gone;

	return c->stopping || (c->leave_at > 0 && all_have_talked(c) &&
	                       c->inside >= (c->leave_at < left ? c->leave_at : left));
}

/* Its line has come back. */
static void take_answer(struct crowd_client *c)
{
	c->len = 0;
	if (c->stage == STAGE_ASK)
		come_in(c);
	else if (++c->talked < TALK)
		say(c, LINE);
	if (is_time_to_leave(c->crowd))
		crowd_leave(c->crowd);
}

/* ---- steps -------------------------------------------------------------- */

static void ask(struct crowd_client *c)
{
	int error = 0;
	socklen_t len = sizeof error;

	getsockopt(c->hook.fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error) {
		end(c, error);
		return;
	}
	if (c->crowd->header)
		say(c, c->crowd->header);
	say(c, LINE);
	c->talked = 0;
	c->stage = STAGE_ASK;
	c->hook.events = POLLIN;
}

static void hear(struct crowd_client *c)
{
	ssize_t n = recv(c->hook.fd, c->got + c->len, sizeof c->got - 1 - c->len, MSG_DONTWAIT);

	if (n == -1 && errno == EAGAIN)
		return;
	if (n <= 0) {
		end(c, n == 0 ? 0 : errno);
		return;
	}
	c->len += (size_t)n;
	ck_assert_uint_lt(c->len, sizeof c->got - 1);
	if (c->len == strlen(LINE) && memcmp(c->got, LINE, c->len) == 0 && c->stage != STAGE_LEAVE)
		take_answer(c);
}

static void step(struct turn_hook *h, short revents)
{
	struct crowd_client *c = container_of(h, struct crowd_client, hook);

	(void)revents;
	if (c->stage == STAGE_CONNECT)
		ask(c);
	else
		hear(c);
}

/* ---- what tests call ---------------------------------------------------- */

void crowd_start(struct crowd *c)
{
	c->clients = calloc(c->n_clients, sizeof *c->clients);
	ck_assert_ptr_nonnull(c->clients);
	c->inside = c->most_inside = c->admitted = c->refused = c->lost = c->gone = 0;
	c->stopping = false;
	for (size_t i = 0; i < c->n_clients; i++) {
		c->clients[i].crowd = c;
		c->clients[i].hook.ready = step;
		begin(&c->clients[i]);
	}
}

static void wait_until(const size_t *count, size_t n)
{
	while (*count < n)
		turn_once();
}

void crowd_wait_inside(const struct crowd *c, size_t n)
{
	wait_until(&c->inside, n);
}

void crowd_wait_admitted(const struct crowd *c, size_t n)
{
	wait_until(&c->admitted, n);
}

void crowd_wait_refused(const struct crowd *c, size_t n)
{
	wait_until(&c->refused, n);
}

void crowd_wait_gone(const struct crowd *c, size_t n)
{
	wait_until(&c->gone, n);
}

void crowd_stop(struct crowd *c)
{
	c->stopping = true;
	crowd_leave(c);
	crowd_wait_gone(c, c->n_clients);
	free(c->clients);
	c->clients = NULL;
}
