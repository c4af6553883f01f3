/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Connections over the loopback, with a peer that is there and one that is not: what it
 * is sent is dropped.
 */
#include <config.h>
#include "tcp_peer.h"

#include <errno.h>
#include <linux/filter.h>
#include <poll.h>
#include <sys/socket.h>

#include "fd.h"
#include "unit.h"

#define ESTABLISHED 1                   /* TCP_ESTABLISHED of <netinet/tcp.h> */

static int ours, theirs;
static struct tcp_peer peer;
static struct endpoint local, remote;

static struct endpoint endpoint_by(int (*name)(int, struct sockaddr *, socklen_t *), int fd)
{
	struct sockaddr_storage at;
	socklen_t len = sizeof at;

	ck_assert_int_eq(name(fd, (struct sockaddr *)&at, &len), 0);
	return endpoint_of((struct sockaddr *)&at, len);
}

static int set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof value);
}

/* False: there is no such address here. */
static bool connect_to(const struct sockaddr *sa, socklen_t len)
{
	struct sockaddr_storage at;
	socklen_t at_len = sizeof at;
	int listener = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (listener == -1 || bind(listener, sa, len) == -1) {
		fd_close(&listener);
		return false;
	}
	ck_assert_int_eq(listen(listener, 1), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&at, &at_len), 0);
	theirs = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect(theirs, (struct sockaddr *)&at, at_len), 0);
	ours = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	ck_assert_int_ne(ours, -1);
	close(listener);
	local = endpoint_by(getsockname, ours);
	remote = endpoint_by(getpeername, ours);
	return true;
}

static bool connect_4(void)
{
	const struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	return connect_to((const struct sockaddr *)&at, sizeof at);
}

static bool connect_6(void)
{
	const struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };

	return connect_to((const struct sockaddr *)&at, sizeof at);
}

/* IPv4 that a socket of IPv6 has accepted. */
static bool connect_mapped(void)
{
	const struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_addr.s6_addr = {
		[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1 } };

	return connect_to((const struct sockaddr *)&at, sizeof at);
}

static void keep_alive(int idle_s, int interval_s, int count)
{
	ck_assert_int_eq(set(ours, SOL_SOCKET, SO_KEEPALIVE, 1), 0);
	ck_assert_int_eq(set(ours, IPPROTO_TCP, TCP_KEEPIDLE, idle_s), 0);
	ck_assert_int_eq(set(ours, IPPROTO_TCP, TCP_KEEPINTVL, interval_s), 0);
	ck_assert_int_eq(set(ours, IPPROTO_TCP, TCP_KEEPCNT, count), 0);
	peer = tcp_peer_of(ours);
}

static int drop_packets(int fd)
{
	struct sock_filter nothing[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
	const struct sock_fprog program = { .len = 1, .filter = nothing };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

static void close_both(void)
{
	fd_close(&ours);
	fd_close(&theirs);
}

/* Not everywhere. */
static bool can_look(void)
{
	struct tcp_info info;
	bool can;

	ck_assert(connect_4());
	keep_alive(1, 1, 1);
	can = tcp_peer_look(&peer, &local, &remote, &info) && drop_packets(theirs) == 0;
	close_both();
	if (!can)
		printf("# skipped: the kernel does not tell of sockets, or they cannot have a filter\n");
	return can;
}

/* ---- the judgement ------------------------------------------------------ */

static const struct { const char *name; struct tcp_info info; bool gone; } rows[] = {
	{ "nothing is on its way",        { .tcpi_last_ack_recv = 9999 },                          false },
	{ "its answer may be on its way", { .tcpi_last_ack_recv = 9999, .tcpi_retransmits = 1 },   false },
	{ "its buffer is full, it says",  { .tcpi_last_ack_recv = 999, .tcpi_probes = 9 },         false },
	{ "it has just answered",         { .tcpi_last_ack_recv = 0, .tcpi_retransmits = 9 },      false },
	{ "no answer to bytes",           { .tcpi_last_ack_recv = 1000, .tcpi_retransmits = 2 },   true },
	{ "no answer to questions",       { .tcpi_last_ack_recv = 1000, .tcpi_probes = 2 },        true },
};

START_TEST(a_peer_is_gone_that_answers_nothing_for_long)
{
	ck_assert_msg(tcp_peer_is_silent(&rows[_i].info, 1000) == rows[_i].gone, "%s", rows[_i].name);
} END_TEST

/* One look after the other, each a second after the one before; it is gone after two. */
static const struct { struct tcp_info info; bool stuck; } looks[] = {
	{ { .tcpi_bytes_acked = 7 },                              false },
	{ { .tcpi_bytes_acked = 7 },                              false },
	{ { .tcpi_bytes_acked = 7 },                              false },      /* nothing waits */
	{ { .tcpi_bytes_acked = 7, .tcpi_unacked = 1 },           false },      /* it is counted from here */
	{ { .tcpi_bytes_acked = 7, .tcpi_notsent_bytes = 9 },     false },
	{ { .tcpi_bytes_acked = 8, .tcpi_notsent_bytes = 9 },     false },      /* it takes a byte */
	{ { .tcpi_bytes_acked = 8, .tcpi_notsent_bytes = 9 },     false },
	{ { .tcpi_bytes_acked = 8 },                              false },      /* the rest was dropped */
	{ { .tcpi_bytes_acked = 8, .tcpi_notsent_bytes = 9 },     false },
	{ { .tcpi_bytes_acked = 8, .tcpi_notsent_bytes = 9999 },  false },
	{ { .tcpi_bytes_acked = 8, .tcpi_notsent_bytes = 9999 },  true },
	{ { .tcpi_bytes_acked = 9, .tcpi_notsent_bytes = 9999 },  false },
};

START_TEST(a_peer_is_stuck_that_takes_nothing_of_what_waits_for_it)
{
	struct tcp_peer p = { .gone_ms = 2000 };

	for (size_t i = 0; i < ARRAY_SIZE(looks); i++)
		ck_assert_msg(tcp_peer_is_stuck(&p, &looks[i].info, (int64_t)(i + 1) * 1000) == looks[i].stuck,
		              "look %zu", i);
} END_TEST

/* ---- the kernel --------------------------------------------------------- */

START_TEST(it_has_the_time_that_its_keepalive_takes)
{
	ck_assert(connect_4());
	ck_assert_int_eq(tcp_peer_of(ours).gone_ms, 0);
	keep_alive(60, 10, 6);
	ck_assert_int_eq(peer.gone_ms, 120000);
	ck_assert_int_eq(tcp_peer_of(STDIN_FILENO).gone_ms, 0);
	close_both();
} END_TEST

static bool (*const connects[])(void) = { connect_4, connect_6, connect_mapped };

START_TEST(a_connection_is_found_by_its_addresses_and_no_other_is_taken_for_it)
{
	struct tcp_info info;

	if (!can_look() || !connects[_i]())
		return;         /* the latter without IPv6 */
	keep_alive(1, 1, 1);
	ck_assert(tcp_peer_look(&peer, &local, &remote, &info));
	ck_assert_uint_eq(info.tcpi_state, ESTABLISHED);
	ck_assert(!tcp_peer_is_gone(&peer, &local, &remote, 1));
	ck_assert_int_eq(tcp_peer_try(&peer, ours, &local, &remote), TCP_PEER_SEEN);
	peer.cookie++;
	ck_assert(!tcp_peer_look(&peer, &local, &remote, &info));
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(tcp_peer_try(&peer, ours, &local, &remote), TCP_PEER_UNSEEN);
	ck_assert_int_eq(errno, ENOENT);
	close_both();
} END_TEST

/* The kernel sends again after a fifth of a second, two fifths, four fifths... */
START_TEST(one_that_has_vanished_is_found_though_the_socket_is_not_asked)
{
	if (!can_look())
		return;
	ck_assert(connect_4());
	keep_alive(60, 10, 6);
	peer.gone_ms = 500;
	ck_assert_int_eq(drop_packets(theirs), 0);
	ck_assert_int_eq(send(ours, "x", 1, 0), 1);
	while (!tcp_peer_is_gone(&peer, &local, &remote, 1))
		poll(NULL, 0, 10);
	close_both();
} END_TEST

START_TEST(one_that_was_reset_meanwhile_is_not_unseen)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };
	struct pollfd told;

	if (!can_look())
		return;
	ck_assert(connect_4());
	keep_alive(1, 1, 1);
	ck_assert_int_eq(setsockopt(theirs, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
	fd_close(&theirs);
	told = (struct pollfd){ .fd = ours, .events = POLLIN };
	ck_assert_int_eq(poll(&told, 1, -1), 1);
	ck_assert_int_eq(tcp_peer_try(&peer, ours, &local, &remote), TCP_PEER_OVER);
	close_both();
} END_TEST

static void look(struct tcp_info *info)
{
	ck_assert(tcp_peer_look(&peer, &local, &remote, info));
}

static void take_until_it_counts(uint64_t acked)
{
	static char much[1 << 20];
	struct tcp_info info;

	for (look(&info); info.tcpi_bytes_acked == acked; look(&info))
		if (recv(theirs, much, sizeof much, MSG_DONTWAIT) == -1)
			poll(NULL, 0, 10);
}

/* It answers each question for room, and so is not silent. The time is ours. */
START_TEST(one_that_takes_nothing_is_gone_and_one_that_takes_something_is_not)
{
	static const char much[65536];
	struct tcp_info info;
	int64_t now = 1;

	if (!can_look())
		return;
	ck_assert(connect_4());
	keep_alive(60, 10, 6);
	while (send(ours, much, sizeof much, 0) > 0)
		;
	ck_assert(!tcp_peer_is_gone(&peer, &local, &remote, now));
	while (!tcp_peer_is_gone(&peer, &local, &remote, now += peer.gone_ms))
		poll(NULL, 0, 10);      /* acknowledgements may have been on their way */
	look(&info);
	ck_assert_uint_gt(info.tcpi_notsent_bytes, 0);
	ck_assert(!tcp_peer_is_silent(&info, peer.gone_ms));
	take_until_it_counts(info.tcpi_bytes_acked);
	ck_assert(!tcp_peer_is_gone(&peer, &local, &remote, now += peer.gone_ms));
	close_both();
} END_TEST

int main(void)
{
	Suite *s = suite_create("tcp_peer");
	TCase *tc = unit_case(s, "tcp_peer", NULL, NULL);

	tcase_add_loop_test(tc, a_peer_is_gone_that_answers_nothing_for_long, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, a_peer_is_stuck_that_takes_nothing_of_what_waits_for_it);
	tcase_add_test(tc, it_has_the_time_that_its_keepalive_takes);
	tcase_add_loop_test(tc, a_connection_is_found_by_its_addresses_and_no_other_is_taken_for_it,
	                    0, ARRAY_SIZE(connects));
	tcase_add_test(tc, one_that_has_vanished_is_found_though_the_socket_is_not_asked);
	tcase_add_test(tc, one_that_was_reset_meanwhile_is_not_unseen);
	tcase_add_test(tc, one_that_takes_nothing_is_gone_and_one_that_takes_something_is_not);
	return unit_run(s);
}
