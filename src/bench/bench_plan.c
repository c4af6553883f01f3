/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The names of modes and of the directions of streams, and what follows from a plan.
 */
#include <config.h>
#include "bench_plan.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static const char *const mode_names[] = {
	[BENCH_PING_PONG] = "ping-pong",
	[BENCH_CONNECT] = "connect",
	[BENCH_HOLD] = "hold",
	[BENCH_STREAM] = "stream",
	[BENCH_OPEN_LOOP] = "open-loop",
};

static const char *const stream_names[] = {
	[BENCH_STREAM_BOTH] = "both",
	[BENCH_STREAM_SEND] = "send",
	[BENCH_STREAM_RECEIVE] = "receive",
};

const char *bench_mode_name(enum bench_mode mode)
{
	return mode_names[mode];
}

int bench_mode_parse(const char *text, enum bench_mode *mode)
{
	for (enum bench_mode m = 0; m < BENCH_MODES; m++)
		if (strcmp(text, mode_names[m]) == 0) {
			*mode = m;
			return 0;
		}
	return -1;
}

const char *bench_stream_name(enum bench_stream stream)
{
	return stream_names[stream];
}

int bench_stream_parse(const char *text, enum bench_stream *stream)
{
	for (enum bench_stream s = BENCH_STREAM_BOTH; s <= BENCH_STREAM_RECEIVE; s++)
		if (strcmp(text, stream_names[s]) == 0) {
			*stream = s;
			return 0;
		}
	return -1;
}

void bench_plan_host(const struct bench_plan *p, char *buf, size_t size)
{
	const bool bracketed = p->target[0] == '[';
	const char *end = strrchr(p->target, bracketed ? ']' : ':');
	const char *start = p->target + bracketed;

	if (p->to.u.sa.sa_family == AF_UNIX || !end)
		end = start;
	snprintf(buf, size, "%.*s", (int)(end - start), start);
}

bool bench_plan_keeps_connections(const struct bench_plan *p)
{
	return p->mode != BENCH_CONNECT && !p->new_connections;
}

void bench_plan_free(struct bench_plan *p)
{
	message_free(&p->message);
	answer_rule_free(&p->answer);
}
