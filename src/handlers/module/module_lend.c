/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A queue of lent bytes for each client. A piece goes to handler_reply, which sends what the socket
 * takes and copies the rest; the next piece follows when the client has taken that.
 */
#include <config.h>
#include "module_lend.h"

#include <stdlib.h>
#include <string.h>

#define PIECE     (256u << 10)
#define TURN_MAX  (1u << 20)            /* a fast client must not delay the others for longer */

struct loan {
	struct list in_client;
	const char *bytes;
	size_t      len, sent;
	void      (*release)(void *arg);
	void       *arg;
};

/* Hands bytes over until the client is behind or has had its turn. Returns how many. */
static size_t hand_over(struct connection *c, const char *bytes, size_t len, size_t *turn)
{
	size_t done = 0;

	while (done < len && !handler_is_behind(c)) {
		const size_t n = len - done < PIECE ? len - done : PIECE;

		if (*turn >= TURN_MAX)
			handler_reply_later(c, bytes + done, n);
		else
			handler_reply(c, bytes + done, n);
		*turn += n;
		done += n;
	}
	return done;
}

static void end_loan(struct loan *l)
{
	list_remove(&l->in_client);
	l->release(l->arg);
	free(l);
}

static int keep(struct module_client *k, const char *bytes, size_t len, void (*release)(void *arg), void *arg)
{
	struct loan *l = malloc(sizeof *l);

	if (!l) {
		handler_reply_lost(k->connection);
		release(arg);
		return -1;
	}
	*l = (struct loan){ .bytes = bytes, .len = len, .release = release, .arg = arg };
	list_append(&k->lent, &l->in_client);
	return 0;
}

int module_lend(struct module_client *k, const char *bytes, size_t len, void (*release)(void *arg), void *arg)
{
	size_t done = 0, turn = 0;

	if (list_empty(&k->lent))
		done = hand_over(k->connection, bytes, len, &turn);
	if (done == len) {
		release(arg);
		return 0;
	}
	return keep(k, bytes + done, len - done, release, arg);
}

int module_lend_copy(struct module_client *k, const char *bytes, size_t len)
{
	char *copy = malloc(len + !len);

	if (!copy) {
		handler_reply_lost(k->connection);
		return -1;
	}
	memcpy(copy, bytes, len);
	return keep(k, copy, len, free, copy);
}

bool module_lend_continue(struct module_client *k)
{
	size_t turn = 0;

	while (!list_empty(&k->lent) && !handler_is_behind(k->connection)) {
		struct loan *l = container_of(k->lent.next, struct loan, in_client);

		l->sent += hand_over(k->connection, l->bytes + l->sent, l->len - l->sent, &turn);
		if (l->sent == l->len)
			end_loan(l);
	}
	return list_empty(&k->lent) && !handler_is_behind(k->connection);
}

size_t module_lend_waiting(const struct module_client *k)
{
	const struct loan *l;
	size_t n = 0;

	list_each(&k->lent, l, struct loan, in_client)
		n += l->len - l->sent;
	return n;
}

void module_lend_drop(struct module_client *k)
{
	while (!list_empty(&k->lent))
		end_loan(container_of(k->lent.next, struct loan, in_client));
}
