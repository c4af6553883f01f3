/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A session reads a line, asks for the status, sends a line, and then waits until the client has
 * closed: if we closed while bytes of the client are unread, the kernel would reset the connection,
 * and the answer could be lost.
 *
 * When the master does not answer in time, the session is closed without a word. HAProxy then changes
 * nothing, which is right: whether the server is reachable is what its ordinary check finds out.
 */
#include <config.h>
#include "agent_session.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent_words.h"
#include "fd.h"

#define DRAIN_MAX 65536                 /* bytes that a client may send in vain after its line */
#define NOBODY    "?"                   /* no service can have this name */

enum session_state { SESSION_READ, SESSION_ASK, SESSION_DRAIN };

struct session {
	struct list        in_agent;
	struct agent      *agent;
	enum session_state state;
	struct watch       watch;
	struct timer       silence, limit;
	struct fact_wait   wait;
	char               line[AGENT_NAME_MAX + 3];    /* a name, CR, LF and NUL */
	size_t             len;
	size_t             drained;
};

/* ---- the end ------------------------------------------------------------ */

static void free_session(struct watch *w)
{
	free(container_of(w, struct session, watch));
}

static void end_session(struct session *s)
{
	struct agent *a = s->agent;

	facts_forget(&s->wait);
	timer_unset(&a->loop->timers, &s->silence);
	timer_unset(&a->loop->timers, &s->limit);
	list_remove(&s->in_agent);
	a->n--;
	loop_unwatch(a->loop, &s->watch);
	fd_close(&s->watch.fd);
	loop_reclaim(a->loop, &s->watch, free_session);
}

static void on_limit(struct timer *t)
{
	end_session(container_of(t, struct session, limit));
}

/* ---- the answer --------------------------------------------------------- */

static bool is_in_status(const void *arg, const char *service)
{
	const json_t *item;
	size_t i;

	json_array_foreach((const json_t *)arg, i, item)
		if (strcmp(json_string_value(json_object_get(item, "name")), service) == 0)
			return true;
	return !*service;
}

/* The share of all services together has a series, too. */
static void forget_gone(struct agent *a, const json_t *status)
{
	const json_t *services = json_object_get(status, "services");

	if (a->average.n > json_array_size(services) + 1)
		agent_average_prune(&a->average, is_in_status, services);
}

static int percent_of(struct agent *a, const char *service, const struct agent_state *state)
{
	if (state->health == AGENT_UP)
		return agent_words_percent(agent_average_add(&a->average, service, agent_words_share(state)));
	agent_average_forget(&a->average, service);
	return 0;
}

/* False if the status is not understood, or the client is gone. */
static bool answer(struct session *s, const json_t *status)
{
	char line[AGENT_LINE_MAX], text[AGENT_LINE_MAX + 1];
	struct agent_state state;
	int percent, len;

	if (!agent_words_judge(status, s->line, &state))
		return false;
	forget_gone(s->agent, status);
	percent = percent_of(s->agent, s->line, &state);
	len = snprintf(text, sizeof text, "%s\n", agent_words_line(&state, percent, line));
	/* It fits into the buffer of a new socket. */
	return send(s->watch.fd, text, (size_t)len, MSG_NOSIGNAL) == len &&
	       shutdown(s->watch.fd, SHUT_WR) == 0;
}

static void on_status(struct fact_wait *w, const json_t *status)
{
	struct session *s = container_of(w, struct session, wait);

	s->state = SESSION_DRAIN;
	if (!status || !answer(s, status) || loop_rewatch(s->agent->loop, &s->watch, EPOLLIN) == -1)
		end_session(s);
}

/* Nothing is read meanwhile. */
static void ask(struct session *s)
{
	timer_unset(&s->agent->loop->timers, &s->silence);
	s->state = SESSION_ASK;
	if (loop_rewatch(s->agent->loop, &s->watch, 0) == -1)
		end_session(s);
	else
		facts_ask(s->agent->facts, FACT_STATUS, &s->wait);
}

static void on_silence(struct timer *t)
{
	ask(container_of(t, struct session, silence));
}

/* ---- the question ------------------------------------------------------- */

/* What has a NUL in it, or is too long, is not the name of a service. */
static void take_name(struct session *s, size_t len)
{
	if (len > 0 && s->line[len - 1] == '\r')
		len--;
	s->line[len] = '\0';
	if (strlen(s->line) != len || len > AGENT_NAME_MAX)
		strcpy(s->line, NOBODY);
}

/* A client that ends without a newline has said all that it wants to say, too. */
static void read_line(struct session *s, bool ended)
{
	const char *newline = memchr(s->line, '\n', s->len);
	const bool full = s->len == sizeof s->line - 1;

	if (!newline && !full && !ended) {
		timer_unset(&s->agent->loop->timers, &s->silence);
		return;
	}
	take_name(s, newline ? (size_t)(newline - s->line) : s->len);
	ask(s);
}

static void read_some(struct session *s)
{
	const size_t room = sizeof s->line - 1 - s->len;
	const ssize_t n = recv(s->watch.fd, s->line + s->len, room, 0);

	if (n == -1 && fd_not_yet(errno))
		return;
	if (n == -1) {
		end_session(s);
		return;
	}
	s->len += (size_t)n;
	read_line(s, n == 0);
}

static void drain_some(struct session *s)
{
	char bytes[4096];
	const ssize_t n = recv(s->watch.fd, bytes, sizeof bytes, 0);

	if (n == -1 && fd_not_yet(errno))
		return;
	if (n > 0)
		s->drained += (size_t)n;
	if (n <= 0 || s->drained > DRAIN_MAX)
		end_session(s);
}

static void on_ready(struct watch *w, uint32_t events)
{
	struct session *s = container_of(w, struct session, watch);

	(void)events;
	switch (s->state) {
	case SESSION_READ:
		read_some(s);
		break;
	case SESSION_ASK:               /* an error is reported although nothing is watched */
		end_session(s);
		break;
	case SESSION_DRAIN:
		drain_some(s);
		break;
	}
}

/* ---- clients ------------------------------------------------------------ */

void agent_init(struct agent *a, struct loop *l, struct facts *f)
{
	*a = (struct agent){ .loop = l, .facts = f };
	list_init(&a->sessions);
}

void agent_serve(struct agent *a, int fd)
{
	struct session *s = a->n < AGENT_SESSIONS_MAX ? calloc(1, sizeof *s) : NULL;

	if (!s) {
		close(fd);
		return;
	}
	s->agent = a;
	s->watch = (struct watch){ .fd = fd, .ready = on_ready };
	s->silence.fire = on_silence;
	s->limit.fire = on_limit;
	s->wait.ready = on_status;
	list_append(&a->sessions, &s->in_agent);
	a->n++;
	loop_timer(a->loop, &s->silence, AGENT_SILENCE_MS);
	loop_timer(a->loop, &s->limit, AGENT_LIMIT_MS);
	if (loop_watch(a->loop, &s->watch, EPOLLIN) == -1)
		end_session(s);
}

void agent_fini(struct agent *a)
{
	struct session *s;

	list_each(&a->sessions, s, struct session, in_agent)
		end_session(s);
	agent_average_free(&a->average);
}
