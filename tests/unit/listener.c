/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Listening sockets: ports that are chosen, files that are in the way.
 */
#include <config.h>
#include "listener.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "unit.h"

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#ifdef SYS_chmod
#define SYS_chmod_by_path SYS_chmod
#else
#define SYS_chmod_by_path SYS_fchmodat
#endif

static const struct listener_options plain = {
	.backlog = 16, .mode = 0666, .owner = (uid_t)-1, .group = (gid_t)-1,
};

static struct address inet4(const char *ip, in_port_t port)
{
	struct address a = { .len = sizeof a.u.in };

	a.u.in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port) };
	ck_assert_int_eq(inet_pton(AF_INET, ip, &a.u.in.sin_addr), 1);
	return a;
}

static struct address inet6(const char *ip, in_port_t port)
{
	struct address a = { .len = sizeof a.u.in6 };

	a.u.in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(port) };
	ck_assert_int_eq(inet_pton(AF_INET6, ip, &a.u.in6.sin6_addr), 1);
	return a;
}

/* A name that begins with @ is abstract. */
static struct address local(const char *name)
{
	struct address a = { .u.un.sun_family = AF_UNIX };
	size_t len = strlen(name);

	memcpy(a.u.un.sun_path, name, len);
	if (name[0] == '@')
		a.u.un.sun_path[0] = '\0';
	else
		len++;
	a.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	return a;
}

static int open_plain(struct address *a, struct listener_file *file)
{
	int fd = listener_open(a, &plain, file);

	ck_assert_msg(fd != -1, "%m");
	return fd;
}

static bool takes_connections(const struct address *a)
{
	int fd = socket(a->u.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool result = connect(fd, &a->u.sa, a->len) == 0;

	close(fd);
	return result;
}

static int option(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof value;

	ck_assert_int_eq(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	ck_assert_msg(lstat(path, &st) == 0, "%s: %m", path);
	return st.st_mode & 07777;
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static bool has_ipv6(void)
{
	return strstr(unit_read_file("/proc/net/if_inet6"), "00000000000000000000000000000001 ");
}

/* ---- inet --------------------------------------------------------------- */

START_TEST(port_0_is_replaced_by_the_one_that_was_chosen)
{
	struct address a = inet4("127.0.0.1", 0), b = inet4("127.0.0.1", 0);
	struct listener_file file = { 1, 1 };
	int one = open_plain(&a, &file), other = open_plain(&b, &file);

	ck_assert_uint_ne(address_port(&a), 0);
	ck_assert_uint_ne(address_port(&a), address_port(&b));
	ck_assert_uint_eq(file.ino, 0);
	ck_assert(unit_fd_is_well_born(one));
	ck_assert(takes_connections(&a));
	close(one);
	ck_assert(!takes_connections(&a));
	ck_assert(takes_connections(&b));
	close(other);
} END_TEST

START_TEST(a_port_that_is_taken_is_in_use)
{
	struct address a = inet4("127.0.0.1", 0), b;
	struct listener_file file;
	int fd = open_plain(&a, &file), before = unit_count_fds();

	b = a;
	ck_assert_int_eq(listener_open(&b, &plain, &file), -1);
	ck_assert_int_eq(errno, EADDRINUSE);
	ck_assert_int_eq(unit_count_fds(), before);
	close(fd);
} END_TEST

START_TEST(a_port_can_be_had_again_while_old_connections_die)
{
	struct address a = inet4("127.0.0.1", 0);
	struct listener_file file;
	int fd = open_plain(&a, &file), client, conn;
	char c;

	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect(client, &a.u.sa, a.len), 0);
	conn = accept(fd, NULL, NULL);
	close(conn);                            /* ours closes first: TIME_WAIT is ours */
	ck_assert_int_eq(read(client, &c, 1), 0);
	close(client);
	close(fd);
	close(open_plain(&a, &file));
} END_TEST

START_TEST(both_families_can_have_the_same_port)
{
	struct address a = inet6("::", 0), b;
	struct listener_file file;
	int six = open_plain(&a, &file), four;

	ck_assert_int_eq(option(six, IPPROTO_IPV6, IPV6_V6ONLY), 1);
	b = inet4("0.0.0.0", address_port(&a));
	four = listener_open(&b, &plain, &file);
	/* EADDRINUSE: another process may have it */
	ck_assert_msg(four != -1 || errno == EADDRINUSE, "%m");
	close(four);
	close(six);
} END_TEST

START_TEST(an_address_that_is_not_ours_gives_errno)
{
	struct address a = inet4("192.0.2.1", 0);       /* for documentation: RFC 5737 */
	struct listener_file file;

	ck_assert_int_eq(listener_open(&a, &plain, &file), -1);
	ck_assert_int_eq(errno, EADDRNOTAVAIL);
	a = inet4("127.0.0.1", 0);
	a.u.sa.sa_family = AF_MAX;
	ck_assert_int_eq(listener_open(&a, &plain, &file), -1);
	ck_assert_int_eq(errno, EAFNOSUPPORT);
} END_TEST

START_TEST(freebind_takes_an_address_that_is_not_there_yet)
{
	struct listener_options o = plain;
	struct address a = inet4("192.0.2.1", 0);
	struct listener_file file;
	int fd;

	o.freebind = true;
	fd = listener_open(&a, &o, &file);
	ck_assert_msg(fd != -1, "%m");
	ck_assert_uint_ne(address_port(&a), 0);
	close(fd);
} END_TEST

START_TEST(freebind_is_for_ipv6_as_well)
{
	struct listener_options o = plain;
	struct address a = inet6("2001:db8::1", 0);     /* for documentation: RFC 3849 */
	struct listener_file file;
	int fd;

	ck_assert_int_eq(listener_open(&a, &plain, &file), -1);
	o.freebind = true;
	fd = listener_open(&a, &o, &file);
	ck_assert_msg(fd != -1, "%m");
	close(fd);
} END_TEST

START_TEST(accepted_sockets_inherit_the_options)
{
	struct listener_options o = plain;
	struct address a = inet4("127.0.0.1", 0);
	struct listener_file file;
	int fd, client, conn;

	o.nodelay = true;
	o.keep_idle_s = 7;
	o.keep_interval_s = 3;
	o.keep_count = 2;
	fd = listener_open(&a, &o, &file);
	for (int yes = 1; yes >= 0; yes--) {
		client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		ck_assert_int_eq(connect(client, &a.u.sa, a.len), 0);
		conn = accept(fd, NULL, NULL);
		ck_assert_int_eq(option(conn, IPPROTO_TCP, TCP_NODELAY), yes);
		ck_assert_int_eq(option(conn, SOL_SOCKET, SO_KEEPALIVE), yes);
		ck_assert_int_eq(option(conn, IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
		ck_assert_int_eq(option(conn, IPPROTO_TCP, TCP_KEEPIDLE), 7);
		ck_assert_int_eq(option(conn, IPPROTO_TCP, TCP_KEEPINTVL), 3);
		ck_assert_int_eq(option(conn, IPPROTO_TCP, TCP_KEEPCNT), 2);
		close(client);
		close(conn);
		/* As an earlier version has left it. */
		ck_assert_int_eq(setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &(int){ 13000 }, sizeof(int)), 0);
		ck_assert_int_eq(listener_adjust(fd, &a, &plain, &file), 0);
	}
	close(fd);
} END_TEST

/* ---- unix --------------------------------------------------------------- */

static const int modes[] = { 0666, 0600, 0660, 02770 };

START_TEST(a_unix_path_gets_its_mode_whatever_the_umask_is)
{
	struct listener_options o = plain;
	struct address a = local("sock");
	struct listener_file file;
	int fd;

	umask(0077);
	o.mode = modes[_i];
	fd = listener_open(&a, &o, &file);
	ck_assert_msg(fd != -1, "%m");
	ck_assert_uint_eq(mode_of("sock"), (mode_t)modes[_i]);
	ck_assert_uint_eq(umask(0), 0077);
	ck_assert(takes_connections(&a));
	close(fd);
	listener_unlink(&a, &file);
	ck_assert(!exists("sock"));
} END_TEST

START_TEST(a_tcp_connection_tells_how_long_it_waited_and_a_unix_socket_does_not)
{
	struct address a[] = { inet4("127.0.0.1", 0), local("@drover-unit-waited") };
	struct listener_file file;
	int64_t waited_ms[2][2];

	for (size_t i = 0; i < 2; i++) {
		const int fd = open_plain(&a[i], &file);

		for (size_t k = 0; k < 2; k++) {        /* the second one sends before it is asked about */
			const int client = socket(a[i].u.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
			int its;

			ck_assert_int_eq(connect(client, &a[i].u.sa, a[i].len), 0);
			poll(NULL, 0, 20);
			if (k == 1)
				ck_assert_int_eq(send(client, "hello", 5, 0), 5);
			its = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
			waited_ms[i][k] = listener_waited_ms(its);
			close(its);
			close(client);
		}
		close(fd);
	}
	ck_assert_int_ge(waited_ms[0][0], 10);          /* a tick of the kernel may be 10 ms */
	ck_assert_int_ge(waited_ms[0][1], 10);
	ck_assert_int_eq(waited_ms[1][0], -1);
	ck_assert_int_eq(waited_ms[1][1], -1);
} END_TEST

START_TEST(a_tcp_socket_tells_its_queue_and_a_unix_socket_does_not)
{
	struct address a[] = { inet4("127.0.0.1", 0), local("@drover-unit-queue") };
	int64_t length = 1, limit = 2;
	struct listener_file file;
	int fds[2], clients[2][3], fd;

	for (size_t i = 0; i < 2; i++) {
		fds[i] = open_plain(&a[i], &file);
		for (size_t k = 0; k < 3; k++) {
			clients[i][k] = socket(a[i].u.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
			ck_assert_int_eq(connect(clients[i][k], &a[i].u.sa, a[i].len), 0);
		}
	}
	/* On the loopback, who is connected is in the queue. */
	listener_queue(fds[0], &length, &limit);
	ck_assert_int_eq(length, 1 + 3);
	ck_assert_int_eq(limit, 2 + plain.backlog);
	listener_queue(fds[1], &length, &limit);
	ck_assert_int_eq(length, 1 + 3);
	ck_assert_int_eq(limit, 2 + plain.backlog);
	fd = accept4(fds[0], NULL, NULL, SOCK_CLOEXEC);
	listener_queue(fds[0], &length, &limit);
	ck_assert_int_eq(length, 1 + 3 + 2);
	close(fd);
	for (size_t i = 0; i < 2; i++) {
		for (size_t k = 0; k < 3; k++)
			close(clients[i][k]);
		close(fds[i]);
	}
} END_TEST

START_TEST(a_stale_socket_file_is_replaced)
{
	struct address a = local("sock");
	struct listener_file stale, file;
	int fd = open_plain(&a, &stale);

	close(fd);                              /* as after a crash */
	ck_assert(exists("sock"));
	fd = open_plain(&a, &file);
	ck_assert(takes_connections(&a));
	ck_assert_uint_ne(file.ino, 0);
	close(fd);
} END_TEST

START_TEST(one_that_listens_is_not_replaced)
{
	struct address a = local("sock"), b = local("sock");
	struct listener_file mine, other = { 1, 1 };
	int fd = open_plain(&a, &mine), before = unit_count_fds();

	ck_assert_int_eq(listener_open(&b, &plain, &other), -1);
	ck_assert_int_eq(errno, EADDRINUSE);
	ck_assert_uint_eq(other.ino, 0);
	ck_assert_int_eq(unit_count_fds(), before);
	ck_assert(takes_connections(&a));
	close(fd);
} END_TEST

/* A full backlog answers EAGAIN, which is not a proof of death. */
START_TEST(one_that_listens_with_a_full_backlog_is_not_replaced)
{
	struct address a = local("sock"), b = local("sock");
	struct listener_options o = plain;
	struct listener_file mine, other;
	int fd, clients[8], n = 0;

	o.backlog = 1;
	fd = listener_open(&a, &o, &mine);
	while (n < 8) {
		clients[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (connect(clients[n++], &a.u.sa, a.len) == -1)
			break;
	}
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(listener_open(&b, &plain, &other), -1);
	ck_assert_int_eq(errno, EADDRINUSE);
	while (n > 0)
		close(clients[--n]);
	close(fd);
} END_TEST

START_TEST(a_datagram_socket_in_use_is_not_replaced)
{
	struct address a = local("sock");
	struct listener_file file;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, &a.u.sa, a.len), 0);
	ck_assert_int_eq(listener_open(&a, &plain, &file), -1);
	ck_assert_int_eq(errno, EADDRINUSE);
	ck_assert(exists("sock"));
	close(fd);
} END_TEST

static const char *const no_sockets[] = { "file", "folder", "fifo", "link", "dangling" };

START_TEST(what_is_not_a_socket_stays)
{
	struct address a = local(no_sockets[_i]);
	struct listener_file file;

	unit_write_file("file", "precious");
	ck_assert_int_eq(mkdir("folder", 0700), 0);
	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	ck_assert_int_eq(symlink("file", "link"), 0);
	ck_assert_int_eq(symlink("nowhere", "dangling"), 0);
	ck_assert_int_eq(listener_open(&a, &plain, &file), -1);
	ck_assert_msg(errno == ENOTSOCK, "%s: %m", no_sockets[_i]);
	ck_assert_uint_eq(file.ino, 0);
	ck_assert(exists(no_sockets[_i]));
	ck_assert_str_eq(unit_read_file("file"), "precious");
	ck_assert(!exists("nowhere"));
} END_TEST

START_TEST(only_a_file_that_is_still_ours_is_removed)
{
	struct address a = local("sock");
	struct listener_file mine, other;
	int fd = open_plain(&a, &mine), fd2;

	ck_assert_int_eq(rename("sock", "kept"), 0);    /* keeps its inode from being used again */
	fd2 = open_plain(&a, &other);
	errno = EXDEV;
	listener_unlink(&a, &mine);
	ck_assert_int_eq(errno, EXDEV);
	ck_assert(exists("sock"));
	listener_unlink(&a, &other);
	ck_assert(!exists("sock"));
	listener_unlink(&a, &other);            /* gone: fine */
	listener_unlink(&a, &(struct listener_file){ 0 });
	close(fd);
	close(fd2);
} END_TEST

START_TEST(an_abstract_name_has_no_file)
{
	char name[32];
	struct address a, b;
	struct listener_file file = { 1, 1 };
	int fd;

	snprintf(name, sizeof name, "@drover-unit-%d", (int)getpid());
	a = b = local(name);
	fd = open_plain(&a, &file);
	ck_assert_uint_eq(file.ino, 0);
	ck_assert(takes_connections(&a));
	ck_assert_int_eq(listener_open(&b, &plain, &file), -1);
	ck_assert_int_eq(errno, EADDRINUSE);
	ck_assert_int_eq(listener_adjust(fd, &a, &plain, &file), 0);
	close(fd);
	close(open_plain(&b, &file));           /* nothing was left */
} END_TEST

START_TEST(a_folder_that_is_not_there_gives_errno)
{
	struct address a = local("no/sock");
	struct listener_file file;
	int before = unit_count_fds();

	ck_assert_int_eq(listener_open(&a, &plain, &file), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(unit_count_fds(), before);
} END_TEST

START_TEST(mode_and_owner_can_be_adjusted_in_place)
{
	struct address a = local("sock");
	struct listener_options o = plain;
	struct listener_file file;
	int fd = open_plain(&a, &file);

	o.mode = 0600;
	ck_assert_int_eq(listener_adjust(fd, &a, &o, &file), 0);
	ck_assert_uint_eq(mode_of("sock"), 0600);
	o.mode = -1;                            /* leaves it */
	ck_assert_int_eq(listener_adjust(fd, &a, &o, &file), 0);
	ck_assert_uint_eq(mode_of("sock"), 0600);
	ck_assert(takes_connections(&a));
	close(fd);
} END_TEST

/* As of a kernel before 6.6, and where /proc is not mounted. For good. */
static void be_old_and_without_proc(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fchmodat2, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_chmod_by_path, 2, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOENT),
	};
	const struct sock_fprog program = { .len = 6, .filter = code };

	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

START_TEST(a_mode_that_needs_proc_says_so)
{
	struct address a = local("sock");
	struct listener_options o = plain;
	struct listener_file file;
	int fd = open_plain(&a, &file);

	be_old_and_without_proc();
	ck_assert_int_eq(listener_adjust(fd, &a, &o, &file), 0);        /* nothing is to be changed */
	o.mode = 0600;
	ck_assert_int_eq(listener_adjust(fd, &a, &o, &file), -1);
	ck_assert_int_eq(errno, ENOSYS);
	unit_contains(listener_hint(errno), "/proc");
	ck_assert_str_eq(listener_hint(EPERM), "");
	close(fd);
} END_TEST

START_TEST(a_file_that_is_not_ours_any_more_is_not_adjusted)
{
	struct address a = local("sock");
	struct listener_options o = plain;
	struct listener_file file;
	int fd = open_plain(&a, &file);

	o.mode = 0666;
	ck_assert_int_eq(rename("sock", "kept"), 0);
	ck_assert_int_eq(listener_adjust(fd, &a, &o, &file), -1);
	ck_assert_int_eq(errno, ENOENT);
	unit_write_file("victim", "");
	ck_assert_int_eq(chmod("victim", 0600), 0);
	ck_assert_int_eq(symlink("victim", "sock"), 0);
	ck_assert_int_eq(listener_adjust(fd, &a, &o, &file), -1);
	ck_assert_int_eq(errno, ESTALE);
	ck_assert_uint_eq(mode_of("victim"), 0600);
	close(fd);
} END_TEST

START_TEST(the_owner_is_set_before_the_mode)
{
	struct address a = local("sock");
	struct listener_options o = plain;
	struct listener_file file;
	struct stat st;
	int fd;

	o.owner = 65534;
	o.group = 65534;
	o.mode = 06770;                         /* chown(2) would clear these bits */
	fd = listener_open(&a, &o, &file);
	ck_assert_msg(fd != -1, "%m");
	ck_assert_int_eq(lstat("sock", &st), 0);
	ck_assert_uint_eq(st.st_uid, 65534);
	ck_assert_uint_eq(st.st_gid, 65534);
	ck_assert_uint_eq(mode_of("sock"), 06770);
	close(fd);
} END_TEST

/* ---- two at once -------------------------------------------------------- */

int __real_listen(int fd, int backlog);
int __wrap_listen(int fd, int backlog);

static void (*in_the_gap)(void);        /* called once, when a socket is bound and does not listen yet */

int __wrap_listen(int fd, int backlog)
{
	void (*call)(void) = in_the_gap;

	in_the_gap = NULL;
	if (call)
		call();
	return __real_listen(fd, backlog);
}

static int second_result, second_error;

static void start_a_second(void)
{
	struct address a = local("sock");
	struct listener_file file;

	second_result = listener_open(&a, &plain, &file);
	second_error = errno;
}

static void check_that_the_second_is_refused(void)
{
	struct address a = local("sock");
	struct listener_file file;
	int fd;

	in_the_gap = start_a_second;
	fd = open_plain(&a, &file);
	ck_assert_int_eq(second_result, -1);
	ck_assert_int_eq(second_error, EADDRINUSE);
	ck_assert(listener_is_in_place(&a, &file));
	ck_assert(takes_connections(&a));
	ck_assert(!exists("sock.drover-lock"));
	close(fd);
}

START_TEST(a_second_start_in_the_gap_before_listen_is_refused)
{
	check_that_the_second_is_refused();
	check_that_the_second_is_refused();     /* the same where a dead one lies */
} END_TEST

START_TEST(a_lock_that_was_left_behind_hinders_no_process)
{
	struct address a = local("sock");
	struct listener_file file;
	int fd;

	unit_write_file("sock.drover-lock", "");
	fd = open_plain(&a, &file);
	ck_assert(!exists("sock.drover-lock"));
	close(fd);
} END_TEST

START_TEST(a_file_with_the_name_of_the_lock_is_not_removed)
{
	struct address a = local("sock");
	struct listener_file file;
	int fd;

	unit_write_file("sock.drover-lock", "precious");
	fd = open_plain(&a, &file);
	ck_assert_str_eq(unit_read_file("sock.drover-lock"), "precious");
	close(fd);
} END_TEST

START_TEST(a_fifo_with_the_name_of_the_lock_is_refused_at_once)
{
	struct address a = local("sock");
	struct listener_file file;

	ck_assert_int_eq(mkfifo("sock.drover-lock", 0600), 0);
	ck_assert_int_eq(listener_open(&a, &plain, &file), -1);
	ck_assert_int_eq(errno, EEXIST);
	ck_assert(exists("sock.drover-lock"));
	ck_assert(!exists("sock"));
} END_TEST

START_TEST(after_a_failure_there_is_no_lock)
{
	struct address a = local("sock");
	struct listener_file file;

	unit_write_file("sock", "precious");
	ck_assert_int_eq(listener_open(&a, &plain, &file), -1);
	ck_assert(!exists("sock.drover-lock"));
} END_TEST

/* At no time is a socket there with more rights than it is to have. */
static void look_at_the_mode(void)
{
	ck_assert_uint_eq(mode_of("sock"), 0640);
}

START_TEST(a_unix_path_has_its_mode_from_the_beginning)
{
	struct address a = local("sock");
	struct listener_options o = plain;
	struct listener_file file;
	int fd;

	o.mode = 0640;
	in_the_gap = look_at_the_mode;
	fd = listener_open(&a, &o, &file);
	ck_assert_ptr_null(in_the_gap);
	ck_assert_msg(fd != -1, "%m");
	close(fd);
} END_TEST

START_TEST(a_file_that_was_removed_or_replaced_is_not_in_place)
{
	struct address a = local("sock"), nameless = local("@drover-unit-place");
	struct listener_file file, none;
	int fd = open_plain(&a, &file), other = open_plain(&nameless, &none);

	ck_assert(listener_is_in_place(&a, &file));
	ck_assert(listener_is_in_place(&nameless, &none));
	ck_assert_int_eq(rename("sock", "kept"), 0);
	ck_assert(!listener_is_in_place(&a, &file));
	unit_write_file("sock", "");
	ck_assert(!listener_is_in_place(&a, &file));
	close(fd);
	close(other);
} END_TEST

/* ---- inherited ---------------------------------------------------------- */

START_TEST(an_inherited_socket_tells_its_address)
{
	struct address a = inet4("127.0.0.1", 0), b = { 0 };
	struct listener_file file;
	int fd = open_plain(&a, &file);

	ck_assert_int_eq(fcntl(fd, F_SETFL, 0), 0);
	ck_assert_int_eq(fcntl(fd, F_SETFD, 0), 0);
	ck_assert_int_eq(listener_adopt(fd, &b), 0);
	ck_assert(address_equal(&a, &b));
	ck_assert(unit_fd_is_well_born(fd));
	close(fd);
} END_TEST

START_TEST(what_does_not_listen_for_streams_is_not_adopted)
{
	struct address a;
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int stream = socket(AF_INET, SOCK_STREAM, 0), datagram = socket(AF_INET, SOCK_DGRAM, 0);
	int packets = socket(AF_UNIX, SOCK_SEQPACKET, 0), file = open("/dev/null", O_RDWR);

	ck_assert_int_eq(bind(packets, (struct sockaddr *)&name, sizeof(sa_family_t)), 0);
	ck_assert_int_eq(listen(packets, 1), 0);
	ck_assert_int_eq(listener_adopt(stream, &a), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(listener_adopt(datagram, &a), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(listener_adopt(packets, &a), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(listener_adopt(file, &a), -1);
	ck_assert_int_eq(errno, ENOTSOCK);
	ck_assert_int_eq(fcntl(stream, F_GETFL) & O_NONBLOCK, 0);
	close(stream);
	close(datagram);
	close(packets);
	close(file);
} END_TEST

int main(void)
{
	Suite *s = suite_create("listener");
	TCase *inet = unit_case(s, "inet", NULL, NULL);
	TCase *unix_path = unit_case(s, "unix", unit_enter_folder, unit_leave_folder);
	TCase *inherited = unit_case(s, "inherited", NULL, NULL);

	tcase_add_test(inet, port_0_is_replaced_by_the_one_that_was_chosen);
	tcase_add_test(inet, a_port_that_is_taken_is_in_use);
	tcase_add_test(inet, a_port_can_be_had_again_while_old_connections_die);
	unit_add_if(has_ipv6(), "no IPv6 here", inet, both_families_can_have_the_same_port);
	tcase_add_test(inet, an_address_that_is_not_ours_gives_errno);
	tcase_add_test(inet, freebind_takes_an_address_that_is_not_there_yet);
	unit_add_if(has_ipv6(), "no IPv6 here", inet, freebind_is_for_ipv6_as_well);
	tcase_add_test(inet, accepted_sockets_inherit_the_options);
	tcase_add_test(inet, a_tcp_connection_tells_how_long_it_waited_and_a_unix_socket_does_not);
	tcase_add_test(inet, a_tcp_socket_tells_its_queue_and_a_unix_socket_does_not);
	tcase_add_loop_test(unix_path, a_unix_path_gets_its_mode_whatever_the_umask_is, 0, ARRAY_SIZE(modes));
	tcase_add_test(unix_path, a_stale_socket_file_is_replaced);
	tcase_add_test(unix_path, one_that_listens_is_not_replaced);
	tcase_add_test(unix_path, one_that_listens_with_a_full_backlog_is_not_replaced);
	tcase_add_test(unix_path, a_datagram_socket_in_use_is_not_replaced);
	tcase_add_loop_test(unix_path, what_is_not_a_socket_stays, 0, ARRAY_SIZE(no_sockets));
	tcase_add_test(unix_path, only_a_file_that_is_still_ours_is_removed);
	tcase_add_test(unix_path, an_abstract_name_has_no_file);
	tcase_add_test(unix_path, a_folder_that_is_not_there_gives_errno);
	tcase_add_test(unix_path, mode_and_owner_can_be_adjusted_in_place);
	tcase_add_test(unix_path, a_mode_that_needs_proc_says_so);
	tcase_add_test(unix_path, a_file_that_is_not_ours_any_more_is_not_adjusted);
	unit_add_if(geteuid() == 0, "only root can do that", unix_path,
	            the_owner_is_set_before_the_mode);
	tcase_add_test(unix_path, a_second_start_in_the_gap_before_listen_is_refused);
	tcase_add_test(unix_path, a_lock_that_was_left_behind_hinders_no_process);
	tcase_add_test(unix_path, a_file_with_the_name_of_the_lock_is_not_removed);
	tcase_add_test(unix_path, a_fifo_with_the_name_of_the_lock_is_refused_at_once);
	tcase_add_test(unix_path, after_a_failure_there_is_no_lock);
	tcase_add_test(unix_path, a_unix_path_has_its_mode_from_the_beginning);
	tcase_add_test(unix_path, a_file_that_was_removed_or_replaced_is_not_in_place);
	tcase_add_test(inherited, an_inherited_socket_tells_its_address);
	tcase_add_test(inherited, what_does_not_listen_for_streams_is_not_adopted);
	return unit_run(s);
}
