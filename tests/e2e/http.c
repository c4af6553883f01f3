/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads no more than one answer at a time, so that what follows it is still there.
 */
#include <config.h>
#include "http.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"
#include "files.h"

#define ANSWER_MAX (1u << 20)

const char *http_header(const struct http_reply *r, const char *name)
{
	const size_t len = strlen(name);

	for (const char *at = r->head; *at; at += strcspn(at, "\n"), at += *at == '\n')
		if (strncasecmp(at, name, len) == 0 && at[len] == ':') {
			at += len + 1;
			at += strspn(at, " ");
			return files_text("%.*s", (int)strcspn(at, "\r\n"), at);
		}
	return "";
}

/* ---- requests on a connection, which stays open -------------------------- */

void http_ask(int fd, const char *method, const char *path)
{
	client_say(fd, files_text("%s %s HTTP/1.1\r\nHost: drover\r\n\r\n", method, path));
}

static const char *receive_head(int fd)
{
	const char *head = "";

	for (;;) {
		const char *line = client_read_line(fd);

		if (strcmp(line, "\r\n") == 0)
			return head;
		head = files_text("%s%s", head, line);
	}
}

static const char *receive_body(int fd, size_t len)
{
	char *bytes = calloc(1, len + 1);
	const char *body;

	ck_assert_ptr_nonnull(bytes);
	client_receive(fd, bytes, len);
	body = files_text("%s", bytes);
	free(bytes);
	return body;
}

struct http_reply http_receive(int fd, const char *method)
{
	struct http_reply r = { .head = receive_head(fd), .body = "" };
	const char *len = http_header(&r, "Content-Length");

	ck_assert_msg(sscanf(r.head, "HTTP/1.1 %3d ", &r.status) == 1, "%s", r.head);
	ck_assert_msg(*len, "no length: %s", r.head);
	if (strcmp(method, "HEAD") == 0)
		return r;
	r.len = strtoul(len, NULL, 10);
	ck_assert_uint_lt(r.len, ANSWER_MAX);
	r.body = receive_body(fd, r.len);
	return r;
}

struct http_reply http_get(int fd, const char *path)
{
	http_ask(fd, "GET", path);
	return http_receive(fd, "GET");
}

/* ---- requests on a connection of their own ------------------------------- */

struct http_reply http_fetch(const char *address, const char *path)
{
	int fd = client_connect(address);
	struct http_reply r = http_get(fd, path);

	close(fd);
	return r;
}

const char *http_expect(const char *address, const char *path, int status, const char *part)
{
	struct http_reply r = http_fetch(address, path);

	ck_assert_msg(r.status == status && strstr(r.body, part), "%s, which is to be %d \"%s\": %d %s", path,
	              status, part, r.status, r.body);
	return r.body;
}

/* True if the connection is over: the server has closed it, with or without a reset. */
static bool take_in(int fd, char *answer, size_t *len)
{
	const ssize_t n = recv(fd, answer + *len, ANSWER_MAX - *len, MSG_DONTWAIT);

	if (n > 0)
		*len += (size_t)n;
	ck_assert_uint_lt(*len, ANSWER_MAX);
	return n == 0 || (n == -1 && errno != EAGAIN);
}

/* Sends what there is room for. True if the server takes no more, or has all. */
static bool give_out(int fd, const char *bytes, size_t len, size_t *sent)
{
	const ssize_t n = send(fd, bytes + *sent, len - *sent, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n == -1)
		return errno != EAGAIN;
	*sent += (size_t)n;
	return *sent == len;
}

const char *http_throw(const char *address, const void *bytes, size_t len)
{
	char *answer = calloc(1, ANSWER_MAX + 1);
	int fd = client_connect(address);
	size_t got = 0, sent = 0;
	bool is_sent = false;
	const char *text;

	ck_assert_ptr_nonnull(answer);
	do {
		if (!is_sent)
			is_sent = give_out(fd, bytes, len, &sent);
		turn_until_ready(fd, is_sent ? POLLIN : POLLIN | POLLOUT);
	} while (!take_in(fd, answer, &got));
	close(fd);
	text = files_text("%s", answer);
	free(answer);
	return text;
}

/* ---- one that asks all the time ------------------------------------------ */

static void begin(struct http_asker *a);

static void check_answer(struct http_asker *a)
{
	const char *body = strstr(a->answer, "\r\n\r\n");

	ck_assert_msg(strncmp(a->answer, "HTTP/1.1 200 ", 13) == 0 && body, "answer %zu to %s: \"%s\"",
	              a->n_answers, a->path, a->answer);
	if (a->answered)
		a->answered(body + 4);
}

static void finish(struct http_asker *a)
{
	turn_remove(&a->hook);
	close(a->hook.fd);
	a->hook.fd = -1;
	check_answer(a);
	a->n_answers++;
	if (!a->stopping)
		begin(a);
}

static void on_ready(struct turn_hook *h, short revents)
{
	struct http_asker *a = container_of(h, struct http_asker, hook);

	if (!a->has_asked && revents & POLLOUT) {
		client_say(h->fd, files_text("GET %s HTTP/1.1\r\nHost: drover\r\nConnection: close\r\n\r\n",
		                             a->path));
		a->has_asked = true;
		h->events = POLLIN;
	}
	if (revents & (POLLIN | POLLHUP | POLLERR) && take_in(h->fd, a->answer, &a->len))
		finish(a);
}

static void begin(struct http_asker *a)
{
	memset(a->answer, 0, a->len);
	a->len = 0;
	a->has_asked = false;
	a->hook = (struct turn_hook){ .fd = client_begin(a->address), .events = POLLOUT, .ready = on_ready };
	ck_assert_msg(a->hook.fd != -1, "connect to %s: %m", a->address);
	turn_add(&a->hook);
}

void http_asker_start(struct http_asker *a)
{
	a->answer = calloc(1, ANSWER_MAX + 1);
	ck_assert_ptr_nonnull(a->answer);
	a->stopping = false;
	begin(a);
}

void http_asker_wait(struct http_asker *a, size_t n)
{
	for (const size_t all = a->n_answers + n; a->n_answers < all;)
		turn_once();
}

void http_asker_stop(struct http_asker *a)
{
	a->stopping = true;
	while (a->hook.fd != -1)
		turn_once();
	free(a->answer);
	a->answer = NULL;
}
