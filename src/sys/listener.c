/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Opens, changes and closes listening sockets, with the care that paths of unix sockets need.
 */
#include <config.h>
#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fd.h"
#include "fd_passing.h"
#include "path_lock.h"

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452               /* Linux 6.6; one number for all architectures but one */
#endif

static bool has_path(const struct address *a)
{
	return a->u.sa.sa_family == AF_UNIX && a->u.un.sun_path[0] != '\0';
}

static bool is_inet(const struct address *a)
{
	return a->u.sa.sa_family == AF_INET || a->u.sa.sa_family == AF_INET6;
}

static int set_option(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof value);
}

static int set_keepalive(int fd, const struct listener_options *o)
{
	if (set_option(fd, SOL_SOCKET, SO_KEEPALIVE, o->keep_idle_s > 0) == -1)
		return -1;
	if (o->keep_idle_s > 0 && (set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, o->keep_idle_s) == -1 ||
	                           set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, o->keep_interval_s) == -1 ||
	                           set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, o->keep_count) == -1))
		return -1;
	/*
	 * An earlier version of drover set it on sockets that we may have inherited (see tcp_peer.h),
	 * and accepted sockets inherit it, as commit dca43c75e7e5 of Linux says.
	 */
	return set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 0);
}

/* Options that can be set at any time. */
static int set_options(int fd, const struct address *a, const struct listener_options *o)
{
	if (o->refuses_descriptors)
		fd_passing_refuse(fd);
	if (!is_inet(a))
		return 0;
	if (set_option(fd, IPPROTO_TCP, TCP_NODELAY, o->nodelay) == -1)
		return -1;
	return set_keepalive(fd, o);
}

static int set_freebind(int fd, const struct address *a, bool yes)
{
	if (!yes)
		return 0;
	return a->u.sa.sa_family == AF_INET6 ? set_option(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1)
	                                     : set_option(fd, IPPROTO_IP, IP_FREEBIND, 1);
}

/* Options that must be set before bind(2). */
static int prepare(int fd, const struct address *a, const struct listener_options *o)
{
	if (!is_inet(a))
		return set_options(fd, a, o);
	/* A new master binds while old connections are in TIME_WAIT. */
	if (set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) == -1)
		return -1;
	if (a->u.sa.sa_family == AF_INET6 && set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) == -1)
		return -1;
	if (o->device && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, o->device,
	                            (socklen_t)strlen(o->device)) == -1)
		return -1;
	if (set_freebind(fd, a, o->freebind) == -1)
		return -1;
	return set_options(fd, a, o);
}

bool listener_is_in_place(const struct address *a, const struct listener_file *file)
{
	struct stat st;

	return !has_path(a) || (lstat(a->u.un.sun_path, &st) == 0 && st.st_dev == file->dev &&
	                        st.st_ino == file->ino);
}

/* The file of a unix path, if it still is the one that we bound; -1 with errno. */
static int open_file(const struct address *a, const struct listener_file *file)
{
	struct stat st;
	int fd = open(a->u.un.sun_path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0 && st.st_dev == file->dev && st.st_ino == file->ino)
		return fd;
	fd_drop(fd);
	errno = ESTALE;
	return -1;
}

/* fd has O_PATH: older kernels can change its mode only through /proc. */
static int set_mode(int fd, mode_t mode)
{
	char path[32];
	struct stat st;

	if (fstat(fd, &st) == 0 && (st.st_mode & 07777) == mode)
		return 0;
	if (syscall(SYS_fchmodat2, fd, "", mode, AT_EMPTY_PATH) == 0)
		return 0;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (chmod(path, mode) == 0)
		return 0;
	if (errno == ENOENT)
		errno = ENOSYS;         /* not the socket is missing, but /proc */
	return -1;
}

const char *listener_hint(int error)
{
	return error == ENOSYS ? " (without /proc, that needs Linux 6.6)" : "";
}

/* By descriptor: a user who can write to the folder could put a link there meanwhile. */
static int set_ownership(const struct address *a, const struct listener_options *o,
                         const struct listener_file *file)
{
	int fd, result;

	if (!has_path(a) || o->mode < 0)
		return 0;
	fd = open_file(a, file);
	if (fd == -1)
		return -1;
	result = o->owner == (uid_t)-1 && o->group == (gid_t)-1 ? 0 :
	         fchownat(fd, "", o->owner, o->group, AT_EMPTY_PATH);
	if (result == 0)
		result = set_mode(fd, (mode_t)o->mode); /* last: chown clears bits */
	fd_drop(fd);
	return result;
}

/*
 * 0 if nothing is at the path (*stale false), or a socket that no process listens on;
 * else -1, with errno saying what is there.
 */
static int look_at_path(const struct address *a, bool *stale)
{
	struct stat st;
	int fd;

	*stale = false;
	if (lstat(a->u.un.sun_path, &st) == -1)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISSOCK(st.st_mode)) {
		errno = ENOTSOCK;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	/* Only ECONNREFUSED proves that no process listens: with a full backlog it would be EAGAIN. */
	*stale = connect(fd, &a->u.sa, a->len) == -1 && errno == ECONNREFUSED;
	fd_drop(fd);
	if (*stale)
		return 0;
	errno = EADDRINUSE;
	return -1;
}

static int remove_stale(const struct address *a)
{
	bool stale;

	if (look_at_path(a, &stale) == -1)
		return -1;
	return stale ? unlink(a->u.un.sun_path) : 0;
}

/*
 * A socket file gets the mode that the socket has when it is bound, less the umask. So its
 * mode is right from the beginning, and no /proc is needed.
 */
static int bind_to(int fd, const struct address *a, const struct listener_options *o)
{
	const bool has_mode = has_path(a) && o->mode >= 0 && fchmod(fd, (mode_t)o->mode) == 0;
	const mode_t saved = umask(has_mode ? 0 : 0177);
	int result = bind(fd, &a->u.sa, a->len);

	if (result == -1 && errno == EADDRINUSE && has_path(a))
		result = remove_stale(a) == -1 ? -1 : bind(fd, &a->u.sa, a->len);
	umask(saved);
	return result;
}

static void remember_file(const struct address *a, struct listener_file *file)
{
	struct stat st;

	*file = (struct listener_file){ 0 };
	if (has_path(a) && lstat(a->u.un.sun_path, &st) == 0)
		*file = (struct listener_file){ .dev = st.st_dev, .ino = st.st_ino };
}

static int learn_address(int fd, struct address *a)
{
	a->len = sizeof a->u;
	memset(&a->u, 0, sizeof a->u);
	return getsockname(fd, &a->u.sa, &a->len);
}

/* On failure nothing is left at the path that was not there before. */
static int bind_and_listen(int fd, struct address *a, const struct listener_options *o,
                           struct listener_file *file)
{
	if (prepare(fd, a, o) == -1 || bind_to(fd, a, o) == -1)
		return -1;
	remember_file(a, file);
	if (set_ownership(a, o, file) == 0 && listen(fd, o->backlog) == 0 &&
	    (!is_inet(a) || learn_address(fd, a) == 0))
		return 0;
	listener_unlink(a, file);
	*file = (struct listener_file){ 0 };
	return -1;
}

/*
 * Between bind(2) and listen(2) a socket looks as if its owner had died. The path is locked
 * until this process listens, so that another one that starts now does not take it away.
 */
static int listen_at_path(int fd, struct address *a, const struct listener_options *o,
                          struct listener_file *file)
{
	struct path_lock lock;
	bool stale;
	int result;

	/* First: without permission to write there, the lock would fail, whatever is at the path. */
	if (look_at_path(a, &stale) == -1 || path_lock_take(&lock, a->u.un.sun_path) == -1)
		return -1;
	result = bind_and_listen(fd, a, o, file);
	path_lock_drop(&lock);
	return result;
}

int listener_open(struct address *a, const struct listener_options *o, struct listener_file *file)
{
	int fd = socket(a->u.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	*file = (struct listener_file){ 0 };
	if (fd == -1)
		return -1;
	if ((has_path(a) ? listen_at_path(fd, a, o, file) : bind_and_listen(fd, a, o, file)) == -1)
		return fd_drop(fd);
	return fd;
}

int listener_adjust(int fd, const struct address *a, const struct listener_options *o,
                    const struct listener_file *file)
{
	if (listen(fd, o->backlog) == -1 || set_options(fd, a, o) == -1)
		return -1;
	return set_ownership(a, o, file);
}

int listener_adopt(int fd, struct address *a)
{
	int type = 0, listens = 0;
	socklen_t len = sizeof type;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == -1 ||
	    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == -1)
		return -1;
	if (type != SOCK_STREAM || !listens) {
		errno = EINVAL;
		return -1;
	}
	if (fd_adopt(fd) == -1)
		return -1;
	return learn_address(fd, a);
}

void listener_queue(int fd, int64_t *length, int64_t *limit)
{
	struct tcp_info info;
	socklen_t len = sizeof info;

	/* Unix sockets do not have it. */
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == -1)
		return;
	/* For a socket that listens, these two are the length of its queue and the limit of that. */
	*length += info.tcpi_unacked;
	*limit += info.tcpi_sacked;
}

/*
 * The kernel does not keep when a connection came into the queue. But the time of the last
 * transmission of data begins as the time when the socket of the connection was made
 * (tcp_create_openreq_child in net/ipv4/tcp_minisocks.c), and what the client sends does not change
 * it. Tried on Linux 6.18 over the loopback, with and without bytes of the client before accept(2)
 * and right before the question: after 5, 20, 200 and 1000 ms it said 4, 20 to 24, 204 to 208 and
 * 1000 to 1008. It is exact to a tick of the kernel, here 4 ms.
 */
int64_t listener_waited_ms(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof info;

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == -1)
		return -1;
	return info.tcpi_last_data_sent;
}

void listener_unlink(const struct address *a, const struct listener_file *file)
{
	int saved = errno;

	if (file->ino != 0 && has_path(a) && listener_is_in_place(a, file))
		unlink(a->u.un.sun_path);
	errno = saved;
}
