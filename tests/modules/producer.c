/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A module that sends numbered lines unasked. The client stops it with "p", and has it go on with a
 * signal of time; "f" has it finish after a long loan; with "e" it pauses when the client has ended.
 */
#include <drover/module.h>

#include <stdio.h>
#include <string.h>

static const struct drover_server *drover;
static char loan[4 << 20];

struct client {
	unsigned long n_lines, n_after;
	int           finished, ends_slowly;
};

static struct client the_client;        /* one at a time is enough */

static void released(void *arg)
{
	(void)arg;
}

static int producer_open(struct drover_connection *c)
{
	memset(&the_client, 0, sizeof the_client);
	return drover->frame(c, "line") == -1 ? 0 : -1;         /* a producer cannot frame */
}

static int producer_taken(struct drover_connection *c)
{
	char line[64];
	const int n = snprintf(line, sizeof line, "line %lu\n", the_client.n_lines++);

	if (the_client.finished)
		drover->log(c, DROVER_LOG_ERROR, "producer: taken after finish");
	drover->write(c, line, (size_t)n);
	return 0;
}

static ptrdiff_t producer_data(struct drover_connection *c, const char *bytes, size_t len)
{
	if (the_client.finished)
		drover->log(c, DROVER_LOG_ERROR, "producer: data after finish");
	switch (bytes[0]) {
	case 'p':
		drover->write(c, "paused\n", 7);
		drover->pause(c);
		drover->set_timer(c, 20);
		break;
	case 'f':
		memset(loan, 'x', sizeof loan);
		drover->lend(c, loan, sizeof loan, released, NULL);
		drover->finish(c);
		the_client.finished = 1;
		break;
	case 'e':
		the_client.ends_slowly = 1;
		break;
	}
	return (ptrdiff_t)len;
}

static int producer_timer(struct drover_connection *c)
{
	drover->write(c, "resumed\n", 8);
	drover->resume(c);
	return 0;
}

static int producer_ended(struct drover_connection *c, const char *bytes, size_t len)
{
	(void)bytes, (void)len;
	if (!the_client.ends_slowly)
		return 0;
	drover->log(c, DROVER_LOG_INFO, "producer: ended");
	drover->pause(c);
	drover->set_timer(c, 20);
	return 0;
}

const struct drover_module drover_module_v1 = {
	DROVER_MODULE("producer", "1"),
	.flags = DROVER_PRODUCER,
	.server = &drover,
	.open = producer_open,
	.data = producer_data,
	.ended = producer_ended,
	.taken = producer_taken,
	.timer = producer_timer,
};
