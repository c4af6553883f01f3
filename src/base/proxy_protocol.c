/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes headers of the PROXY protocol.
 */
#include <config.h>
#include "proxy_protocol.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static bool are_ip(const struct endpoint *from, const struct endpoint *to)
{
	return from->family == to->family && (from->family == AF_INET || from->family == AF_INET6);
}

size_t proxy_protocol_v1(char buf[static PROXY_PROTOCOL_MAX], const struct endpoint *from,
                       const struct endpoint *to)
{
	char a[INET6_ADDRSTRLEN], b[INET6_ADDRSTRLEN];

	if (!are_ip(from, to))
		return (size_t)snprintf(buf, PROXY_PROTOCOL_MAX, "PROXY UNKNOWN\r\n");
	inet_ntop(from->family, from->ip, a, sizeof a);
	inet_ntop(to->family, to->ip, b, sizeof b);
	return (size_t)snprintf(buf, PROXY_PROTOCOL_MAX, "PROXY TCP%c %s %s %u %u\r\n",
	                        from->family == AF_INET ? '4' : '6', a, b, from->port, to->port);
}

static size_t put_port(char *at, in_port_t port)
{
	const uint16_t swapped = htons(port);

	memcpy(at, &swapped, sizeof swapped);
	return sizeof swapped;
}

size_t proxy_protocol_v2(char buf[static PROXY_PROTOCOL_MAX], const struct endpoint *from,
                       const struct endpoint *to)
{
	static const char signature[12] = "\r\n\r\n\0\r\nQUIT\n";
	const bool known = are_ip(from, to);
	const size_t ip_len = from->family == AF_INET ? 4 : 16;
	size_t n = 16;

	memcpy(buf, signature, sizeof signature);
	buf[12] = known ? 0x21 : 0x20;          /* version 2; PROXY or LOCAL */
	buf[13] = known ? (from->family == AF_INET ? 0x11 : 0x21) : 0;
	if (known) {
		memcpy(buf + n, from->ip, ip_len);
		memcpy(buf + n + ip_len, to->ip, ip_len);
		n += 2 * ip_len;
		n += put_port(buf + n, from->port);
		n += put_port(buf + n, to->port);
	}
	put_port(buf + 14, (in_port_t)(n - 16));        /* how much follows */
	return n;
}
