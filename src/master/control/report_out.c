/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Buffered writing with a time limit. Waits: only for a process of its own.
 */
#include <config.h>
#include "report_out.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "clock.h"

void report_out_init(struct report_out *o, int fd, int64_t limit_ms)
{
	o->fd = fd;
	o->until_ms = clock_ms() + limit_ms;
	o->failed = false;
	o->first = true;
	o->len = 0;
}

/* Until the client takes more, or the time is up. */
static bool wait_for_room(const struct report_out *o)
{
	struct pollfd p = { .fd = o->fd, .events = POLLOUT };
	const int64_t left_ms = o->until_ms - clock_ms();

	return left_ms > 0 && poll(&p, 1, (int)left_ms) == 1;
}

static void flush(struct report_out *o)
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
	struct report_out *o = arg;

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

void report_out_text(struct report_out *o, const char *text)
{
	put(text, strlen(text), o);
}

void report_out_json(struct report_out *o, json_t *value)
{
	const size_t flags = JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15);

	if (!value || json_dump_callback(value, put, o, flags) == -1)
		o->failed = true;
	json_decref(value);
}

#define BEFORE_RESULT "{\"ok\":true,\"result\":"
#define AFTER_RESULT  "}\n"

void report_out_result(struct report_out *o, json_t *result)
{
	report_out_text(o, BEFORE_RESULT);
	report_out_json(o, result);
	report_out_text(o, AFTER_RESULT);
}

void report_out_begin_list(struct report_out *o, const char *name)
{
	report_out_text(o, BEFORE_RESULT "{\"");
	report_out_text(o, name);
	report_out_text(o, "\":[");
	o->first = true;
}

void report_out_item(struct report_out *o, json_t *item)
{
	report_out_text(o, o->first ? "" : ",");
	report_out_json(o, item);
	o->first = false;
}

void report_out_end_list(struct report_out *o)
{
	report_out_text(o, "]}" AFTER_RESULT);
}

void report_out_answer(struct report_out *o, char *line)
{
	if (line)
		report_out_text(o, line);
	else
		o->failed = true;
	free(line);
}

bool report_out_finish(struct report_out *o)
{
	flush(o);
	return !o->failed;
}
