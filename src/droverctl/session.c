/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Connects to the server, sends requests, and takes answers from what it receives.
 */
#include <config.h>
#include "session.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sysexits.h>

#include "address.h"
#include "fd.h"
#include "memory.h"

#define SEND_LIMIT_S 5                  /* for a server that does not accept, or does not read */
#define END_LIMIT_MS 5000
#define PIECE        65536
#define ANSWER_MAX   ((size_t)256 << 20) /* nothing that we ask for is longer */

static int fail_session(struct session *s, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fail_session(struct session *s, int status, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(s->error, sizeof s->error, format, ap);
	va_end(ap);
	return status;
}

static int fail_silent(struct session *s)
{
	s->is_silent = true;
	return fail_session(s, EX_UNAVAILABLE, "drover does not answer");
}

/* ---- connecting --------------------------------------------------------- */

static int connect_to(const char *path)
{
	const struct timeval limit = { .tv_sec = SEND_LIMIT_S };
	struct address a;
	int fd;

	if (address_set_path(&a, path) == -1)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == -1 ||
	    connect(fd, &a.u.sa, a.len) == -1)
		return fd_drop(fd);
	return fd;
}

int session_open(struct session *s, const char *path)
{
	const char *advice = "";

	*s = (struct session){ .fd = connect_to(path) };
	if (s->fd != -1)
		return EX_OK;
	if (errno == EACCES || errno == EPERM)
		return fail_session(s, EX_NOPERM, "cannot reach drover at %s: %m", path);
	if (errno == EAGAIN)    /* what the time limit of connect(2) says */
		return fail_silent(s);
	if (errno == ENOENT || errno == ECONNREFUSED)
		advice = "; is it running? -s names another socket, as `control` in its configuration may";
	return fail_session(s, EX_UNAVAILABLE, "cannot reach drover at %s: %m%s", path, advice);
}

void session_close(struct session *s)
{
	fd_close(&s->fd);
	free(s->bytes);
	s->bytes = NULL;
	s->len = s->room = s->searched = 0;
}

/* ---- asking ------------------------------------------------------------- */

int session_ask(struct session *s, const json_t *request)
{
	char *text = json_dumps(request, JSON_COMPACT);
	size_t len, sent = 0;
	ssize_t n = 0;

	if (!text)
		memory_lacks();
	len = strlen(text);
	text[len++] = '\n';     /* in place of the NUL */
	while (sent < len && n >= 0) {
		n = send(s->fd, text + sent, len - sent, MSG_NOSIGNAL);
		sent += n > 0 ? (size_t)n : 0;
		if (n == -1 && errno == EINTR)
			n = 0;
	}
	free(text);
	if (n == -1 && errno == EAGAIN)
		return fail_silent(s);
	/* A server that has closed the connection may have said why before. */
	if (n == -1 && errno != EPIPE && errno != ECONNRESET)
		return fail_session(s, EX_UNAVAILABLE, "cannot ask drover: %m");
	return EX_OK;
}

int session_ask_for(struct session *s, const char *command)
{
	json_t *request = json_pack("{s:s}", "command", command);
	int status;

	if (!request)
		memory_lacks();
	status = session_ask(s, request);
	json_decref(request);
	return status;
}

/* ---- answers ------------------------------------------------------------ */

/* Takes whole. */
static int understand(struct session *s, json_t *whole, struct answer *a)
{
	const json_t *ok = json_object_get(whole, "ok");
	const json_t *message = json_object_get(whole, "message");

	*a = (struct answer){
		.whole = whole,
		.error = json_string_value(json_object_get(whole, "error")),
		.message = json_is_string(message) ? message : NULL,
	};
	if (json_is_true(ok))
		a->result = json_object_get(whole, "result");
	if (json_is_true(ok) ? json_is_object(a->result) : json_is_false(ok) && a->error)
		return EX_OK;
	session_free_answer(a);
	return fail_session(s, EX_SOFTWARE,
	                    "drover's answer is not understood: neither a result nor an error");
}

/* Takes the first line of what came, which has len bytes and a newline. */
static int take_line(struct session *s, size_t len, struct answer *a)
{
	json_t *whole = json_loadb(s->bytes, len, JSON_ALLOW_NUL, NULL);

	s->len -= len + 1;
	memmove(s->bytes, s->bytes + len + 1, s->len);
	s->searched = 0;
	if (!whole)
		return fail_session(s, EX_SOFTWARE, "drover's answer is not understood: it is not JSON");
	return understand(s, whole, a);
}

static int receive(struct session *s)
{
	ssize_t n;

	if (s->len > ANSWER_MAX)
		return fail_session(s, EX_SOFTWARE, "drover's answer is not understood: it has no end");
	if (s->room - s->len < PIECE) {
		s->room = 2 * s->room + PIECE;
		s->bytes = memory_grow(s->bytes, s->room, 1);
	}
	n = recv(s->fd, s->bytes + s->len, s->room - s->len, MSG_DONTWAIT);
	if (n > 0)
		s->len += (size_t)n;
	else if (n == 0 || errno == ECONNRESET)
		return fail_session(s, EX_SOFTWARE, "drover closed the connection %s",
		                    s->len > 0 ? "in the middle of an answer" : "without an answer");
	else if (!fd_not_yet(errno))
		return fail_session(s, EX_SOFTWARE, "cannot receive from drover: %m");
	return EX_OK;
}

/* Looks first at what is there already: one receive may bring several lines. */
int session_take(struct session *s, struct answer *a)
{
	int status = EX_OK;

	*a = (struct answer){ 0 };
	for (int turn = 0; turn < 2 && status == EX_OK; turn++) {
		char *newline = s->len > s->searched
			? memchr(s->bytes + s->searched, '\n', s->len - s->searched) : NULL;

		if (newline)
			return take_line(s, (size_t)(newline - s->bytes), a);
		s->searched = s->len;
		if (turn == 0)
			status = receive(s);
	}
	return status;
}

/* The limit is for silence, not for the whole time: a long answer may take longer. */
int session_wait(struct session *s, int limit_ms, struct answer *a)
{
	struct pollfd p = { .fd = s->fd, .events = POLLIN };
	int status;

	s->is_silent = false;
	do {
		if (poll(&p, 1, limit_ms) == 0)
			return fail_silent(s);
		status = session_take(s, a);
	} while (status == EX_OK && !a->whole);
	return status;
}

void session_wait_end(struct session *s)
{
	struct pollfd p = { .fd = s->fd, .events = POLLRDHUP };

	poll(&p, 1, END_LIMIT_MS);
}

void session_free_answer(struct answer *a)
{
	json_decref(a->whole);
	*a = (struct answer){ 0 };
}

int session_exit_status(const char *error)
{
	static const struct { const char *error; int status; } rows[] = {
		{ "not-permitted", EX_NOPERM },
		/* The server is another version of drover, or one of the two programs has a bug. */
		{ "bad-request", EX_SOFTWARE },
		{ "unknown-command", EX_SOFTWARE },
		{ "internal", EX_SOFTWARE },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcmp(error, rows[i].error) == 0)
			return rows[i].status;
	return EXIT_FAILURE;
}
