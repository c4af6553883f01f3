/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A client sends noise that differs from its neighbour's, reads what comes
 * back, and knows from its position what that must be.
 */
#include <config.h>
#include "load.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"
#include "turn.h"

#define NOISE_LEN  65521                /* a prime, so that it repeats out of step with every buffer */
#define WINDOW     65536                /* bytes in flight, if the total is not limited */

enum phase { PHASE_CONNECT, PHASE_TALK, PHASE_ENDED, PHASE_OVER };

struct load_client {
	struct turn_hook hook;
	struct load     *load;
	enum phase       phase;
	uint64_t         total;         /* to be sent; UINT64_MAX: not known yet */
	uint64_t         sent, received;
	uint64_t         mark;          /* what had been received at load_wait_flow */
};

static unsigned char noise[NOISE_LEN];

static void make_noise(void)
{
	uint32_t x = 1;

	for (size_t i = 0; i < NOISE_LEN; i++) {
		x = x * 1664525 + 1013904223;
		noise[i] = (unsigned char)(x >> 24);
	}
}

/* The bytes of a client at a position; *len is cut to what is in one piece. */
static const unsigned char *noise_at(const struct load_client *c, uint64_t position, size_t *len)
{
	size_t nr = (size_t)(c - c->load->clients);
	size_t at = (size_t)((position + nr * 7919) % NOISE_LEN);

	if (*len > NOISE_LEN - at)
		*len = NOISE_LEN - at;
	return noise + at;
}

static void begin(struct load_client *c);

static void finish(struct load_client *c, const char *trouble)
{
	struct load *l = c->load;

	turn_remove(&c->hook);
	close(c->hook.fd);
	l->n_active--;
	c->phase = PHASE_OVER;
	if (trouble)
		l->lost++;
	else
		l->done++;
	ck_assert_msg(!trouble || l->may_lose, "a connection was lost, after %llu bytes sent and %llu received: %s",
	              (unsigned long long)c->sent, (unsigned long long)c->received, trouble);
	if (l->again && !l->stopping && !trouble)
		begin(c);
}

/* How far it may send now. */
static uint64_t send_limit(const struct load_client *c)
{
	if (c->load->holds)
		return c->total / 2;
	if (c->total == UINT64_MAX)
		return c->received + WINDOW;
	return c->total;
}

static const char *send_some(struct load_client *c)
{
	uint64_t left = send_limit(c) - c->sent;
	size_t len = left < NOISE_LEN ? (size_t)left : NOISE_LEN;
	const unsigned char *bytes = noise_at(c, c->sent, &len);
	ssize_t n = send(c->hook.fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n == -1)
		return errno == EAGAIN ? NULL : strerror(errno);
	c->sent += (uint64_t)n;
	return NULL;
}

/* Returns what went wrong; *at_end is set at the end of file. */
static const char *receive_some(struct load_client *c, bool *at_end)
{
	static unsigned char got[NOISE_LEN];
	size_t len = sizeof got;
	const unsigned char *want = noise_at(c, c->received, &len);
	ssize_t n = recv(c->hook.fd, got, len, MSG_DONTWAIT);

	if (n == -1)
		return errno == EAGAIN ? NULL : strerror(errno);
	*at_end = n == 0;
	c->received += (uint64_t)n;
	if (c->received > c->sent || memcmp(got, want, (size_t)n) != 0)
		ck_abort_msg("what came back is not what was sent, near byte %llu",
		             (unsigned long long)c->received);
	return NULL;
}

/* Shuts down the sending side when all was sent. */
static const char *end_if_all_sent(struct load_client *c)
{
	if (c->phase != PHASE_TALK || c->sent != c->total)
		return NULL;
	c->phase = PHASE_ENDED;
	return shutdown(c->hook.fd, SHUT_WR) == 0 ? NULL : strerror(errno);
}

static void talk(struct load_client *c, short revents)
{
	const char *trouble = NULL;
	bool at_end = false;

	if (c->phase == PHASE_TALK && revents & POLLOUT && c->sent < send_limit(c))
		trouble = send_some(c);
	if (!trouble && revents & (POLLIN | POLLHUP | POLLERR))
		trouble = receive_some(c, &at_end);
	if (!trouble)
		trouble = end_if_all_sent(c);
	if (!trouble && at_end && (c->phase != PHASE_ENDED || c->received != c->total))
		trouble = "it ended too early";
	if (trouble || at_end)
		finish(c, trouble);
}

static void set_interest(struct load_client *c)
{
	c->hook.events = POLLIN;
	if (c->phase == PHASE_CONNECT || (c->phase == PHASE_TALK && c->sent < send_limit(c)))
		c->hook.events |= POLLOUT;
}

static void step(struct turn_hook *h, short revents)
{
	struct load_client *c = container_of(h, struct load_client, hook);

	if (c->phase == PHASE_CONNECT) {
		int error = 0;
		socklen_t len = sizeof error;

		getsockopt(h->fd, SOL_SOCKET, SO_ERROR, &error, &len);
		if (error) {
			finish(c, strerror(error));
			return;
		}
		c->phase = PHASE_TALK;
	}
	talk(c, revents);
	if (c->phase != PHASE_OVER)
		set_interest(c);
}

static void begin(struct load_client *c)
{
	c->hook = (struct turn_hook){ .fd = client_begin(c->load->address), .ready = step };
	c->phase = PHASE_CONNECT;
	c->total = c->load->bytes ? c->load->bytes : UINT64_MAX;
	c->sent = c->received = c->mark = 0;
	c->load->n_active++;
	turn_add(&c->hook);
	if (c->hook.fd == -1)
		finish(c, strerror(errno));
	else
		set_interest(c);
}

void load_start(struct load *l)
{
	make_noise();
	l->clients = calloc(l->n_clients, sizeof *l->clients);
	ck_assert_ptr_nonnull(l->clients);
	l->done = l->lost = l->n_active = 0;
	l->stopping = false;
	for (size_t i = 0; i < l->n_clients; i++) {
		l->clients[i].load = l;
		begin(&l->clients[i]);
	}
}

static bool all_have_moved(const struct load *l)
{
	for (size_t i = 0; i < l->n_clients; i++)
		if (l->clients[i].phase != PHASE_OVER && l->clients[i].received == l->clients[i].mark)
			return false;
	return true;
}

void load_wait_flow(struct load *l)
{
	for (size_t i = 0; i < l->n_clients; i++)
		l->clients[i].mark = l->clients[i].received;
	while (!all_have_moved(l))
		turn_once();
}

void load_wait_done(struct load *l, size_t done)
{
	while (l->done < done)
		turn_once();
}

void load_wait_lost(struct load *l, size_t lost)
{
	while (l->lost < lost)
		turn_once();
}

void load_release(struct load *l)
{
	l->holds = false;
	for (size_t i = 0; i < l->n_clients; i++)
		if (l->clients[i].phase != PHASE_OVER)
			set_interest(&l->clients[i]);
}

void load_stop(struct load *l)
{
	l->stopping = true;
	load_release(l);
	for (size_t i = 0; i < l->n_clients; i++) {
		struct load_client *c = &l->clients[i];

		if (c->phase == PHASE_OVER || c->total != UINT64_MAX)
			continue;
		c->total = c->sent;
		end_if_all_sent(c);
		set_interest(c);
	}
	while (l->n_active > 0)
		turn_once();
	free(l->clients);
	l->clients = NULL;
}
