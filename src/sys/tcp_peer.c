/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A question about one socket, and its answer: sock_diag(7), netlink(7).
 */
#include <config.h>
#include "tcp_peer.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <unistd.h>

#define UNANSWERED 2                    /* one may be on its way just now */

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

/* The answer is there when the question has been sent. False: none, or an error. */
static bool ask(int fd, const struct question *q, struct tcp_info *info)
{
	union {
		struct nlmsghdr header;
		char            bytes[4096];
	} answer;
	ssize_t n;

	if (send(fd, q, sizeof *q, 0) == -1)
		return false;
	n = recv(fd, &answer, sizeof answer, 0);
	return n != -1 && NLMSG_OK(&answer.header, (size_t)n) &&
	       answer.header.nlmsg_type == SOCK_DIAG_BY_FAMILY && find_info(&answer.header, info);
}

bool tcp_peer_look(const struct tcp_peer *p, const struct endpoint *local, const struct endpoint *peer,
                   struct tcp_info *info)
{
	const struct question q = question_of(p, local, peer);
	const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
	bool told;

	if (fd == -1)
		return false;
	told = ask(fd, &q, info);
	close(fd);
	return told;
}

bool tcp_peer_is_silent(const struct tcp_info *info, int64_t gone_ms)
{
	return info->tcpi_retransmits + info->tcpi_probes >= UNANSWERED &&
	       info->tcpi_last_ack_recv >= gone_ms;
}

bool tcp_peer_is_gone(const struct tcp_peer *p, const struct endpoint *local,
                      const struct endpoint *peer)
{
	struct tcp_info info;

	return p->gone_ms > 0 && tcp_peer_look(p, local, peer, &info) &&
	       tcp_peer_is_silent(&info, p->gone_ms);
}
