/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether the peer of a TCP connection is gone while bytes are on their way to it,
 * asked of the kernel by one that does not have the socket any more: sock_diag(7).
 * TCP_USER_TIMEOUT is not the means for that: it also ends connections whose peer is
 * there, with a full receive buffer, and even those that take bytes now and then.
 */
#ifndef DROVER_SYS_TCP_PEER_H
#define DROVER_SYS_TCP_PEER_H

#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>

#include "address.h"

struct tcp_peer {                       /* with its two addresses this is one connection, for good */
	int64_t  gone_ms;               /* so long without an answer, and it is gone; 0: never */
	uint64_t cookie;                /* SO_COOKIE */
	uint32_t device;                /* an index, or 0 */
};

/*
 * Of a socket while it is ours: gone_ms is what its keepalive takes to find out, idle +
 * interval * count. 0 without keepalive, and where fd is no TCP socket.
 */
struct tcp_peer tcp_peer_of(int fd);

/*
 * What the kernel knows of the connection between the two. False where it does not tell
 * (it may lack sock_diag, or AF_NETLINK may be forbidden), or there is none any more.
 */
bool tcp_peer_look(const struct tcp_peer *p, const struct endpoint *local, const struct endpoint *peer,
                   struct tcp_info *info);

/* Whether the peer is gone, as far as can be seen. */
bool tcp_peer_is_gone(const struct tcp_peer *p, const struct endpoint *local,
                      const struct endpoint *peer);

/* The judgement: sent several times, and no answer to any of that, nor anything else from it. */
bool tcp_peer_is_silent(const struct tcp_info *info, int64_t gone_ms);

#endif
