/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes through a buffer, with a time limit. It waits, so it is only for a process of its own.
 */
#include <config.h>
#include "answer_writer.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "clock.h"

void answer_writer_init(struct answer_writer *o, int fd, int64_t limit_ms)
{
	o->fd = fd;
	o->until_ms = clock_ms() + limit_ms;
	o->failed = false;
	o->first = true;
	o->len = 0;
}

/* Waits until the client takes more. False if the time is up. */
static bool wait_for_room(const struct answer_writer *o)
{
	struct pollfd p = { .fd = o->fd, .events = POLLOUT };
	const int64_t left_ms = o->until_ms - clock_ms();

	return left_ms > 0 && poll(&p, 1, (int)left_ms) == 1;
}

static void flush(struct answer_writer *o)
{
	size_t at = 0;

	while (at < o->len && !o->failed) {
		ssize_t n = send(o->fd, o->buf + at, o->len - at, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n >= 0)
			at += (size_t)n;
		else if (errno == EAGAIN)
			o->failed = !wait_for_room(o);
		else
			o->failed = errno != EINTR;
	}
	o->len = 0;
}

static int put(const char *bytes, size_t len, void *arg)
{
	struct answer_writer *o = arg;

	while (len > 0 && !o->failed) {
		const size_t room = sizeof o->buf - o->len;
		const size_t n = len < room ? len : room;

		memcpy(o->buf + o->len, bytes, n);
		o->len += n;
		bytes += n;
		len -= n;
		if (o->len == sizeof o->buf)
			flush(o);
	}
	return o->failed ? -1 : 0;
}

void answer_writer_text(struct answer_writer *o, const char *text)
{
	if (text)
		put(text, strlen(text), o);
	else
		o->failed = true;
}

void answer_writer_json(struct answer_writer *o, json_t *value)
{
	const size_t flags = JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15);

	if (!value || json_dump_callback(value, put, o, flags) == -1)
		o->failed = true;
	json_decref(value);
}

#define BEFORE_RESULT "{\"ok\":true,\"result\":"
#define AFTER_RESULT  "}\n"

void answer_writer_result(struct answer_writer *o, json_t *result)
{
	answer_writer_text(o, BEFORE_RESULT);
	answer_writer_json(o, result);
	answer_writer_text(o, AFTER_RESULT);
}

void answer_writer_begin_list(struct answer_writer *o, const char *name)
{
	answer_writer_text(o, BEFORE_RESULT "{\"");
	answer_writer_text(o, name);
	answer_writer_text(o, "\":[");
	o->first = true;
}

void answer_writer_item(struct answer_writer *o, json_t *item)
{
	answer_writer_text(o, o->first ? "" : ",");
	answer_writer_json(o, item);
	o->first = false;
}

void answer_writer_end_list(struct answer_writer *o)
{
	answer_writer_text(o, "]}" AFTER_RESULT);
}

void answer_writer_answer(struct answer_writer *o, char *line)
{
	if (line)
		answer_writer_text(o, line);
	else
		o->failed = true;
	free(line);
}

bool answer_writer_finish(struct answer_writer *o)
{
	flush(o);
	return !o->failed;
}
