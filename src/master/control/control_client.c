/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads one line in a turn of the loop. What follows it stays in the kernel, in memory that counts
 * as the client's. Sending answers never waits.
 */
#include <config.h>
#include "control_client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "fd.h"
#include "log.h"

/* ---- the end ------------------------------------------------------------ */

static void free_client(struct watch *w)
{
	struct control_client *c = container_of(w, struct control_client, watch);

	control_request_free(&c->request);
	json_decref(c->last_words);
	free(c);
}

void control_client_close(struct control_client *c)
{
	if (c->state == CLIENT_CLOSED)
		return;
	c->state = CLIENT_CLOSED;
	timer_unset(&c->loop->timers, &c->limit);
	loop_reclaim(c->loop, &c->watch, free_client);
	fd_close(&c->watch.fd);
	c->owner->closed(c->owner->arg, c);
}

/* ---- answers ------------------------------------------------------------ */

/* Tells once that the client hung up. One that has only shut down its sending side wants its answer. */
#define HANGUP_ONLY EPOLLET

static void listen_for(struct control_client *c, uint32_t events)
{
	if (loop_rewatch(c->loop, &c->watch, events) == -1) {
		log_warn("control: watch a client: %m");
		control_client_close(c);
	}
}

void control_client_hold(struct control_client *c, enum control_client_state state)
{
	c->state = state;
	listen_for(c, HANGUP_ONLY);
}

void control_client_resume(struct control_client *c)
{
	if (c->state == CLIENT_CLOSED)
		return;
	control_request_free(&c->request);
	c->state = CLIENT_IDLE;
	listen_for(c, EPOLLIN);
}

/* Takes text, a line; NULL if there was no memory for it. */
static void send_line(struct control_client *c, char *text)
{
	const size_t len = text ? strlen(text) : 0;

	if (c->state != CLIENT_CLOSED) {
		/* Half an answer is useless: a client that does not read its answers is closed. */
		if (!text || send(c->watch.fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)len)
			control_client_close(c);
		else
			control_client_resume(c);
	}
	free(text);
}

void control_client_answer(struct control_client *c, json_t *result)
{
	send_line(c, control_answer_text(result));
}

void control_client_refuse(struct control_client *c, enum control_error error, const char *format,
                           ...)
{
	char *message;
	va_list ap;
	int len;

	va_start(ap, format);
	len = vasprintf(&message, format, ap);
	va_end(ap);
	send_line(c, len == -1 ? NULL : control_error_text(error, message));
	if (len != -1)
		free(message);
}

/* ---- requests ----------------------------------------------------------- */

static void on_line_limit(struct timer *t)
{
	struct control_client *c = container_of(t, struct control_client, limit);

	if (c->state != CLIENT_LEAVING)
		control_client_refuse(c, CONTROL_BAD_REQUEST, "a line must be complete within %d s",
		                      CONTROL_LINE_MS / 1000);
	control_client_close(c);
}

static void end_line(struct control_client *c)
{
	const size_t len = c->len - 1;          /* without the newline */

	timer_unset(&c->loop->timers, &c->limit);
	c->len = 0;
	c->state = CLIENT_IDLE;
	c->owner->line(c->owner->arg, c, c->line, len);
}

/*
 * This is the last answer that the client gets. The socket is not closed at once: a client that
 * still sends would get an error, and not read the answer.
 */
static void refuse_long_line(struct control_client *c)
{
	control_client_refuse(c, CONTROL_BAD_REQUEST, "a line has at most %zu bytes", sizeof c->line);
	if (c->state == CLIENT_CLOSED)
		return;
	c->state = CLIENT_LEAVING;
	c->len = 0;
	loop_timer(c->loop, &c->limit, CONTROL_LINE_MS);
	shutdown(c->watch.fd, SHUT_WR);
}

static void throw_away(struct control_client *c)
{
	const ssize_t n = recv(c->watch.fd, c->line, sizeof c->line, MSG_DONTWAIT);

	if (n == -1 && fd_not_yet(errno))
		return;
	if (n > 0)
		c->len += (size_t)n;
	if (n <= 0 || c->len > CONTROL_LEAVE_MAX)
		control_client_close(c);
}

static void wait_for_more(struct control_client *c)
{
	if (c->len == sizeof c->line) {
		refuse_long_line(c);
		return;
	}
	c->state = CLIENT_READING;
	if (!timer_is_set(&c->limit))
		loop_timer(c->loop, &c->limit, CONTROL_LINE_MS);
}

static void read_some(struct control_client *c)
{
	char *at = c->line + c->len, *newline;
	ssize_t n = recv(c->watch.fd, at, sizeof c->line - c->len, MSG_PEEK | MSG_DONTWAIT);

	if (n == -1 && fd_not_yet(errno))
		return;
	newline = n > 0 ? memchr(at, '\n', (size_t)n) : NULL;
	if (newline)
		n = newline - at + 1;
	/* No other process reads: what was there is still there. */
	if (n <= 0 || recv(c->watch.fd, at, (size_t)n, MSG_DONTWAIT) != n) {
		control_client_close(c);
		return;
	}
	c->len += (size_t)n;
	if (newline)
		end_line(c);
	else
		wait_for_more(c);
}

static void on_client_event(struct watch *w, uint32_t events)
{
	struct control_client *c = container_of(w, struct control_client, watch);

	if (c->state == CLIENT_IDLE || c->state == CLIENT_READING)
		read_some(c);
	else if (c->state == CLIENT_LEAVING)
		throw_away(c);
	else if (events & (EPOLLHUP | EPOLLERR))
		control_client_close(c);
}

struct control_client *control_client_new(struct loop *l, int fd,
                                          const struct control_client_owner *owner)
{
	struct control_client *c = calloc(1, sizeof *c);

	if (!c) {
		fd_drop(fd);
		return NULL;
	}
	list_init(&c->in_control);
	c->loop = l;
	c->owner = owner;
	c->watch = (struct watch){ .fd = fd, .ready = on_client_event };
	c->limit.fire = on_line_limit;
	if (loop_watch(l, &c->watch, EPOLLIN) == 0)
		return c;
	free(c);
	fd_drop(fd);
	return NULL;
}
