/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The requests that a process of a filter has, in the order in which it will
 * answer them: the owner of each, and the number of bytes that were sent for it.
 */
#ifndef DROVER_HANDLERS_FILTER_FILTER_TICKETS_H
#define DROVER_HANDLERS_FILTER_FILTER_TICKETS_H

#include <stddef.h>

struct filter_request;

struct filter_ticket {
	struct filter_request *request; /* NULL: the answer is not wanted any more */
	size_t                 bytes;
};

struct filter_tickets {
	struct filter_ticket *ring;     /* ring[first % room] is the oldest of n */
	size_t                room, first, n;
};

/* For at most room at a time. 0, or -1 with ENOMEM. */
int filter_tickets_init(struct filter_tickets *t, size_t room);
void filter_tickets_fini(struct filter_tickets *t);

/* There must be room. r is lent, until the ticket is taken or r forgotten. */
void filter_tickets_put(struct filter_tickets *t, struct filter_request *r, size_t bytes);

/* Takes the oldest, which there must be. NULL: whose it was is forgotten. */
struct filter_request *filter_tickets_take(struct filter_tickets *t);

/* The ticket stays, without a name. */
void filter_tickets_forget(struct filter_tickets *t, const struct filter_request *r);

/* How many of the last of them lie as a whole within the last `unread` bytes. */
size_t filter_tickets_count_unread(const struct filter_tickets *t, size_t unread);

#endif
