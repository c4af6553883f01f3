/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keeps the tickets in a ring of fixed size. It does not know what a request is.
 */
#include <config.h>
#include "filter_tickets.h"

#include <assert.h>
#include <stdlib.h>

static struct filter_ticket *ticket(const struct filter_tickets *t, size_t i)
{
	return &t->ring[(t->first + i) % t->room];
}

int filter_tickets_init(struct filter_tickets *t, size_t room)
{
	*t = (struct filter_tickets){ .ring = calloc(room, sizeof *t->ring), .room = room };
	return t->ring ? 0 : -1;
}

void filter_tickets_fini(struct filter_tickets *t)
{
	free(t->ring);
	t->ring = NULL;
}

void filter_tickets_put(struct filter_tickets *t, struct filter_request *r, size_t bytes, int64_t now_ms)
{
	assert(t->n < t->room);
	*ticket(t, t->n++) = (struct filter_ticket){ .request = r, .bytes = bytes, .put_ms = now_ms };
}

int64_t filter_tickets_put_ms(const struct filter_tickets *t)
{
	assert(t->n > 0);
	return ticket(t, 0)->put_ms;
}

struct filter_request *filter_tickets_take(struct filter_tickets *t)
{
	struct filter_request *r;

	assert(t->n > 0);
	r = ticket(t, 0)->request;
	t->first = (t->first + 1) % t->room;
	t->n--;
	return r;
}

void filter_tickets_forget(struct filter_tickets *t, const struct filter_request *r)
{
	for (size_t i = 0; i < t->n; i++)
		if (ticket(t, i)->request == r)
			ticket(t, i)->request = NULL;
}

size_t filter_tickets_count_unread(const struct filter_tickets *t, size_t unread)
{
	size_t k = 0;

	while (k < t->n && ticket(t, t->n - 1 - k)->bytes <= unread) {
		unread -= ticket(t, t->n - 1 - k)->bytes;
		k++;
	}
	return k;
}
