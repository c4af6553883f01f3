/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The requests that a process of a filter has, in the order in which it will
 * answer them: the owner of each, the number of bytes that were sent for it, and when.
 */
#ifndef DROVER_HANDLERS_FILTER_FILTER_TICKETS_H
#define DROVER_HANDLERS_FILTER_FILTER_TICKETS_H

#include <stddef.h>
#include <stdint.h>

struct filter_request;

struct filter_ticket {
	struct filter_request *request; /* NULL: the answer is not wanted any more */
	size_t                 bytes;
	int64_t                put_ms;  /* when the process got it */
};

struct filter_tickets {
	struct filter_ticket *ring;     /* ring[first % room] is the oldest of n */
	size_t                room, first, n;
};

/* Has room for that many tickets. 0, or -1 with ENOMEM. */
int filter_tickets_init(struct filter_tickets *t, size_t room);
void filter_tickets_fini(struct filter_tickets *t);

/* Adds a ticket, for which there must be room. r is lent until the ticket is taken or r is forgotten. */
void filter_tickets_put(struct filter_tickets *t, struct filter_request *r, size_t bytes, int64_t now_ms);

/* When the oldest ticket, which there must be, was added. */
int64_t filter_tickets_put_ms(const struct filter_tickets *t);

/* Removes the oldest ticket, which there must be, and returns its request; NULL: it was forgotten. */
struct filter_request *filter_tickets_take(struct filter_tickets *t);

/* Forgets r. Its ticket stays, without a request. */
void filter_tickets_forget(struct filter_tickets *t, const struct filter_request *r);

/* How many requests, counted from the last, lie completely within the last `unread` bytes. */
size_t filter_tickets_count_unread(const struct filter_tickets *t, size_t unread);

#endif
