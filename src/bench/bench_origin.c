/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Gives each connection its source address and its PROXY header, in turn.
 */
#include <config.h>
#include "bench_origin.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "proxy_protocol.h"

struct bench_origin bench_origin_of(unsigned index, unsigned n)
{
	return (struct bench_origin){ .source = index, .client = index, .step = n };
}

static struct address next(const struct address_range *r, uint64_t *turn, uint64_t step)
{
	const struct address a = address_range_at(r, *turn);

	*turn += step;
	return a;
}

/* The port is chosen later, by connect(2), which knows the target: IP_BIND_ADDRESS_NO_PORT in ip(7). */
int bench_origin_bind(struct bench_origin *o, const struct bench_plan *p, int fd)
{
	struct address from;
	const int on = 1;

	if (p->source.count == 0)
		return 0;
	from = next(&p->source, &o->source, o->step);
	if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) == -1)
		return -1;
	return bind(fd, &from.u.sa, from.len);
}

static struct endpoint own_end(int fd)
{
	struct address a = { .len = sizeof a.u };

	if (getsockname(fd, &a.u.sa, &a.len) == -1)
		a.len = 0;
	return endpoint_of(&a.u.sa, a.len);
}

/* The client that the header names: our own end, or the next of --proxy-source with our port. */
static struct endpoint client_of(struct bench_origin *o, const struct bench_plan *p, int fd)
{
	struct endpoint from = own_end(fd);
	const in_port_t port = from.port;
	struct address a;

	if (p->proxy_source.count == 0)
		return from;
	a = next(&p->proxy_source, &o->client, o->step);
	from = endpoint_of(&a.u.sa, a.len);
	from.port = port;
	return from;
}

/* The destination that the header names: our target or, if that is of another family than the
 * client, the unspecified address. */
static struct endpoint destination_of(const struct bench_plan *p, const struct endpoint *from)
{
	struct endpoint to = endpoint_of(&p->to.u.sa, p->to.len);
	const in_port_t port = to.port;

	if (to.family != from->family && from->family != AF_UNIX)
		to = (struct endpoint){ .family = from->family, .port = port };
	return to;
}

ssize_t bench_origin_announce(struct bench_origin *o, const struct bench_plan *p, int fd)
{
	struct endpoint from, to;
	char header[PROXY_PROTOCOL_MAX];
	size_t len;
	ssize_t n;

	if (p->proxy == BENCH_PROXY_NONE)
		return 0;
	from = client_of(o, p, fd);
	to = destination_of(p, &from);
	len = p->proxy == BENCH_PROXY_V1 ? proxy_protocol_v1(header, &from, &to)
	                                 : proxy_protocol_v2(header, &from, &to);
	n = send(fd, header, len, MSG_NOSIGNAL);
	if (n >= 0 && n < (ssize_t)len) {       /* on a new connection there is room for all of it */
		errno = ENOBUFS;
		return -1;
	}
	return n;
}
