/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Clients that vanish: nothing that is sent to them reaches them any more, so that they
 * neither answer nor say that they are gone. The kernel notices in the time that the
 * listener has for it; the program learns it as an error of its socket, and ends. While
 * bytes are on their way to the client, the worker asks the kernel, and ends the program.
 * Where it cannot ask, it says so.
 */
#include <config.h>
#include "harness.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tcp_peer.h"

#define LOW_HALF (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0)

static struct daemon d;

/* Every packet to it is dropped before TCP sees it. */
static int drop_packets(int fd)
{
	struct sock_filter nothing[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
	const struct sock_fprog program = { .len = 1, .filter = nothing };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

static void vanish(int fd)
{
	ck_assert_msg(drop_packets(fd) == 0, "%m");
}

/* Some containers refuse it. */
static bool can_vanish(void)
{
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const bool can = fd != -1 && drop_packets(fd) == 0;

	close(fd);
	return can;
}

static struct endpoint end_of(int fd, int (*name)(int, struct sockaddr *, socklen_t *))
{
	struct sockaddr_storage at;
	socklen_t len = sizeof at;

	return name(fd, (struct sockaddr *)&at, &len) == 0 ? endpoint_of((struct sockaddr *)&at, len)
	                                                   : (struct endpoint){ 0 };
}

/* Nor does each kernel say what becomes of the sockets of others. */
static bool can_look(void)
{
	const char *port;
	const int on = 1, listener = client_listen(&port);
	const int fd = client_connect(files_text("127.0.0.1:%s", port));
	const struct endpoint ours = end_of(fd, getsockname), theirs = end_of(fd, getpeername);
	struct tcp_peer peer;
	struct tcp_info info;
	bool can;

	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	peer = tcp_peer_of(fd);
	can = tcp_peer_look(&peer, &ours, &theirs, &info);
	close(fd);
	close(listener);
	if (!can)
		harness_skip("vanished clients that are sent something", "the kernel does not tell of sockets");
	return can;
}

static void start(const char *argv, const char *rest)
{
	daemon_start(&d, "services = { s = { listen = ( { address = \"127.0.0.1:0\";"
	             " keepalive = { idle = \"1s\"; interval = \"1s\"; count = 1; }; } );"
	             " handler = { type = \"exec\"; argv = [ %s ]; stderr = \"null\"; }; %s }; };", argv, rest);
}

START_TEST(a_silent_client_that_has_vanished_is_noticed)
{
	const struct event *opened;
	int fd;

	start("\"/bin/cat\"", "");
	fd = daemon_connect(&d, "s");
	client_say(fd, "x");
	client_expect(fd, "x");
	opened = daemon_accepted(&d, fd);
	vanish(fd);
	ck_assert_str_eq(event_word(daemon_ended(&d, opened), "how"), "exit");
	close(fd);
} END_TEST

START_TEST(a_client_that_vanishes_while_it_is_sent_something_is_noticed)
{
	const struct event *opened;
	int fd;

	if (!can_look())
		return;
	start("\"/bin/sh\", \"-c\", \"read x; exec cat /dev/zero\"", "");
	fd = daemon_connect(&d, "s");
	opened = daemon_accepted(&d, fd);
	vanish(fd);
	client_say(fd, "go on\n");
	ck_assert_str_eq(event_word(daemon_ended(&d, opened), "how"), "reset");
	close(fd);
} END_TEST

/* The kernel knows the socket's own two ends, and not those that the proxy has named. */
START_TEST(a_proxy_that_vanishes_while_its_client_is_sent_something_is_noticed)
{
	const struct event *opened;
	int fd;

	if (!can_look())
		return;
	start("\"/bin/sh\", \"-c\", \"read x; exec cat /dev/zero\"",
	      "proxy_protocol = \"v1\"; proxy_from = \"127.0.0.1\";");
	fd = daemon_connect(&d, "s");
	client_say(fd, "PROXY TCP4 192.0.2.7 198.51.100.1 40312 443\r\n");
	opened = daemon_wait_for(&d, "connection-open peer=192.0.2.7:40312");
	vanish(fd);
	client_say(fd, "go on\n");
	ck_assert_str_eq(event_word(daemon_ended(&d, opened), "how"), "reset");
	close(fd);
} END_TEST

/* As RestrictAddressFamilies= of systemd without AF_NETLINK. */
static void without_netlink(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + LOW_HALF),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { .len = ARRAY_SIZE(code), .filter = code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == -1)
		_exit(99);
}

static void visit(void)
{
	int fd = daemon_connect(&d, "s");
	const struct event *opened = daemon_accepted(&d, fd);

	client_say(fd, "x");
	client_expect(fd, "x");
	close(fd);
	daemon_ended(&d, opened);
}

START_TEST(that_the_kernel_does_not_tell_of_clients_is_said_once)
{
	d.before_exec = without_netlink;
	start("\"/bin/cat\"", "workers = 1;");
	visit();
	visit();
	ck_assert_uint_eq(files_count(daemon_errors(&d), "s: cannot ask the kernel about clients: "), 1);
	ck_assert_uint_eq(files_count(daemon_errors(&d), "(does RestrictAddressFamilies= lack AF_NETLINK?)"), 1);
} END_TEST

START_TEST(that_it_tells_of_them_is_not)
{
	if (!can_look())
		return;
	start("\"/bin/cat\"", "");
	visit();
	ck_assert_uint_eq(files_count(daemon_errors(&d), "cannot ask"), 0);
} END_TEST

int main(void)
{
	Suite *s = suite_create("keepalive");
	TCase *tc = harness_case(s, "keepalive");
	const char why[] = "a socket cannot have a filter here";
	const bool can = can_vanish();

	harness_add_if(can, why, tc, a_silent_client_that_has_vanished_is_noticed);
	harness_add_if(can, why, tc, a_client_that_vanishes_while_it_is_sent_something_is_noticed);
	harness_add_if(can, why, tc, a_proxy_that_vanishes_while_its_client_is_sent_something_is_noticed);
	tcase_add_test(tc, that_the_kernel_does_not_tell_of_clients_is_said_once);
	tcase_add_test(tc, that_it_tells_of_them_is_not);
	return harness_run(s);
}
