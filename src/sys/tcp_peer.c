/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Asks the kernel about one socket, and judges the answer: sock_diag(7), netlink(7).
 */
#include <config.h>
#include "tcp_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <unistd.h>

#define UNANSWERED 2                    /* the answer to one may be on its way just now */
#define STATE_CLOSE 7                   /* TCP_CLOSE of <netinet/tcp.h>, which <linux/tcp.h> excludes */

struct question {
	struct nlmsghdr         header;
	struct inet_diag_req_v2 request;
};

static int option(int fd, int level, int name)
{
	int value = 0;
	socklen_t len = sizeof value;

	return getsockopt(fd, level, name, &value, &len) == 0 ? value : 0;
}

struct tcp_peer tcp_peer_of(int fd)
{
	struct tcp_peer p = { 0 };
	socklen_t len = sizeof p.cookie;

	if (option(fd, SOL_SOCKET, SO_PROTOCOL) != IPPROTO_TCP || !option(fd, SOL_SOCKET, SO_KEEPALIVE) ||
	    getsockopt(fd, SOL_SOCKET, SO_COOKIE, &p.cookie, &len) == -1)
		return p;
	p.device = (uint32_t)option(fd, SOL_SOCKET, SO_BINDTOIFINDEX);
	p.gone_ms = option(fd, IPPROTO_TCP, TCP_KEEPIDLE) * INT64_C(1000) +
	            option(fd, IPPROTO_TCP, TCP_KEEPINTVL) * INT64_C(1000) *
	            option(fd, IPPROTO_TCP, TCP_KEEPCNT);
	return p;
}

static struct question question_of(const struct tcp_peer *p, const struct endpoint *local,
                                   const struct endpoint *peer)
{
	struct question q = {
		.header = { .nlmsg_len = sizeof q, .nlmsg_type = SOCK_DIAG_BY_FAMILY,
		            .nlmsg_flags = NLM_F_REQUEST },
		.request = { .sdiag_family = (uint8_t)peer->family, .sdiag_protocol = IPPROTO_TCP,
		             .idiag_ext = 1 << (INET_DIAG_INFO - 1), .idiag_states = UINT32_MAX },
	};
	struct inet_diag_sockid *id = &q.request.id;

	id->idiag_sport = htons(local->port);
	id->idiag_dport = htons(peer->port);
	memcpy(id->idiag_src, local->ip, sizeof id->idiag_src);
	memcpy(id->idiag_dst, peer->ip, sizeof id->idiag_dst);
	id->idiag_if = p->device;
	id->idiag_cookie[0] = (uint32_t)p->cookie;
	id->idiag_cookie[1] = (uint32_t)(p->cookie >> 32);
	return q;
}

static bool find_info(const struct nlmsghdr *h, struct tcp_info *info)
{
	const struct inet_diag_msg *m = NLMSG_DATA(h);
	int left = (int)h->nlmsg_len - (int)NLMSG_LENGTH(sizeof *m);

	for (const struct rtattr *a = (const void *)(m + 1); RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == INET_DIAG_INFO) {
			const size_t len = RTA_PAYLOAD(a);

			*info = (struct tcp_info){ 0 };         /* an older kernel knows less */
			memcpy(info, RTA_DATA(a), len < sizeof *info ? len : sizeof *info);
			return true;
		}
	return false;
}

static int error_of(const struct nlmsghdr *h)
{
	const struct nlmsgerr *e = NLMSG_DATA(h);

	return h->nlmsg_type == NLMSG_ERROR && h->nlmsg_len >= NLMSG_LENGTH(sizeof *e) && e->error < 0
	       ? -e->error : EPROTO;
}

/* The answer can be read once the question is sent. False, with errno, if there is none, or an error. */
static bool ask_kernel(int fd, const struct question *q, struct tcp_info *info)
{
	union {
		struct nlmsghdr header;
		char            bytes[4096];
	} answer;
	ssize_t n;

	if (send(fd, q, sizeof *q, 0) == -1)
		return false;
	n = recv(fd, &answer, sizeof answer, 0);
	if (n == -1)
		return false;
	if (NLMSG_OK(&answer.header, (size_t)n) && answer.header.nlmsg_type == SOCK_DIAG_BY_FAMILY &&
	    find_info(&answer.header, info))
		return true;
	errno = NLMSG_OK(&answer.header, (size_t)n) ? error_of(&answer.header) : EPROTO;
	return false;
}

bool tcp_peer_look(const struct tcp_peer *p, const struct endpoint *local, const struct endpoint *peer,
                   struct tcp_info *info)
{
	const struct question q = question_of(p, local, peer);
	const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
	bool told;
	int error;

	if (fd == -1)
		return false;
	told = ask_kernel(fd, &q, info);
	error = errno;
	close(fd);
	errno = error;
	return told;
}

static bool is_over(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof info;

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 && info.tcpi_state == STATE_CLOSE;
}

enum tcp_peer_sight tcp_peer_try(const struct tcp_peer *p, int fd, const struct endpoint *local,
                                 const struct endpoint *peer)
{
	struct tcp_info info;
	int error;

	if (tcp_peer_look(p, local, peer, &info))
		return TCP_PEER_SEEN;
	error = errno;
	if (is_over(fd))
		return TCP_PEER_OVER;
	errno = error;
	return TCP_PEER_UNSEEN;
}

bool tcp_peer_is_silent(const struct tcp_info *info, int64_t gone_ms)
{
	return info->tcpi_retransmits + info->tcpi_probes >= UNANSWERED &&
	       info->tcpi_last_ack_recv >= gone_ms;
}

bool tcp_peer_is_stuck(struct tcp_peer *p, const struct tcp_info *info, int64_t now_ms)
{
	const bool waits = info->tcpi_notsent_bytes > 0 || info->tcpi_unacked > 0;

	if (!waits || p->stuck_ms == 0 || info->tcpi_bytes_acked != p->acked)
		p->stuck_ms = waits ? now_ms : 0;
	p->acked = info->tcpi_bytes_acked;
	return waits && now_ms - p->stuck_ms >= p->gone_ms;
}

bool tcp_peer_is_gone(struct tcp_peer *p, const struct endpoint *local,
                      const struct endpoint *peer, int64_t now_ms)
{
	struct tcp_info info;

	return p->gone_ms > 0 && tcp_peer_look(p, local, peer, &info) &&
	       (tcp_peer_is_stuck(p, &info, now_ms) || tcp_peer_is_silent(&info, p->gone_ms));
}
