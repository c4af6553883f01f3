/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Asks the kernel whether the peer of a TCP connection is gone, or takes nothing while bytes
 * wait for it. The process that asks need not have the socket any more: sock_diag(7).
 * TCP_USER_TIMEOUT cannot be used for that, because it also ends connections whose peer takes
 * bytes slowly.
 */
#ifndef DROVER_SYS_TCP_PEER_H
#define DROVER_SYS_TCP_PEER_H

#include <linux/tcp.h>                  /* glibc's tcp_info knows no tcpi_bytes_acked */
#include <stdbool.h>
#include <stdint.h>

#include "address.h"

struct tcp_peer {                       /* with its two addresses this is one connection, for good */
	int64_t  gone_ms;               /* it is gone after this time without an answer or progress; 0: never */
	uint64_t cookie;                /* SO_COOKIE */
	uint32_t device;                /* index of the interface it is bound to, or 0 */
	uint64_t acked;                 /* bytes, as of the last look */
	int64_t  stuck_ms;              /* the first look that found this number and bytes that wait; 0: none wait */
};

/*
 * Describes a socket while we have it. gone_ms is the time after which its keepalive finds
 * the peer gone: idle + interval * count. 0 without keepalive, and if fd is no TCP socket.
 */
struct tcp_peer tcp_peer_of(int fd);

/*
 * What the kernel knows of the connection between the two. False, with errno, if it does
 * not tell (it may lack sock_diag, or AF_NETLINK may be forbidden), or if there is no such
 * connection, or none any more, in the network namespace of this process (both ENOENT).
 */
bool tcp_peer_look(const struct tcp_peer *p, const struct endpoint *local, const struct endpoint *peer,
                   struct tcp_info *info);

enum tcp_peer_sight {
	TCP_PEER_SEEN,
	TCP_PEER_OVER,          /* it was reset meanwhile, which proves nothing */
	TCP_PEER_UNSEEN,        /* with errno */
};

/* Whether tcp_peer_look() can answer for fd, which is this connection and still ours. */
enum tcp_peer_sight tcp_peer_try(const struct tcp_peer *p, int fd, const struct endpoint *local,
                                 const struct endpoint *peer);

/* Whether the peer is silent or stuck, as far as can be seen. now_ms is clock_ms()'s. */
bool tcp_peer_is_gone(struct tcp_peer *p, const struct endpoint *local,
                      const struct endpoint *peer, int64_t now_ms);

/* Silent: something was sent to it several times, and for gone_ms nothing has come from it. */
bool tcp_peer_is_silent(const struct tcp_info *info, int64_t gone_ms);

/*
 * Stuck: it answers, but at each look for gone_ms bytes have waited for it, and it has
 * acknowledged none of them. p remembers the last look.
 */
bool tcp_peer_is_stuck(struct tcp_peer *p, const struct tcp_info *info, int64_t now_ms);

#endif
