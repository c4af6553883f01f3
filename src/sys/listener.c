/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * socket, bind, listen, and the care that unix paths need.
 */
#include <config.h>
#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"
#include "fd_passing.h"

static bool has_path(const struct address *a)
{
	return a->u.sa.sa_family == AF_UNIX && a->u.un.sun_path[0] != '\0';
}

static bool is_inet(const struct address *a)
{
	return a->u.sa.sa_family == AF_INET || a->u.sa.sa_family == AF_INET6;
}

static int set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof value);
}

static int set_keepalive(int fd, const struct listener_options *o)
{
	if (set(fd, SOL_SOCKET, SO_KEEPALIVE, o->keep_idle_s > 0) == -1)
		return -1;
	if (o->keep_idle_s > 0 && (set(fd, IPPROTO_TCP, TCP_KEEPIDLE, o->keep_idle_s) == -1 ||
	                           set(fd, IPPROTO_TCP, TCP_KEEPINTVL, o->keep_interval_s) == -1 ||
	                           set(fd, IPPROTO_TCP, TCP_KEEPCNT, o->keep_count) == -1))
		return -1;
	return set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, o->take_nothing_ms);
}

/* What can be said at any time. */
static int set_options(int fd, const struct address *a, const struct listener_options *o)
{
	if (o->refuses_descriptors)
		fd_passing_refuse(fd);
	if (!is_inet(a))
		return 0;
	if (set(fd, IPPROTO_TCP, TCP_NODELAY, o->nodelay) == -1)
		return -1;
	return set_keepalive(fd, o);
}

/* What must be said before bind(2). */
static int prepare(int fd, const struct address *a, const struct listener_options *o)
{
	if (!is_inet(a))
		return set_options(fd, a, o);
	/* A new master binds while old connections are in TIME_WAIT. */
static int set_freebind(int fd, const struct address *a, bool yes)
{
	if (!yes)
		return 0;
	return a->u.sa.sa_family == AF_INET6 ? set(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1)
	                                     : set(fd, IPPROTO_IP, IP_FREEBIND, 1);
}

	if (set(fd, SOL_SOCKET, SO_REUSEADDR, 1) == -1)
		return -1;
	if (a->u.sa.sa_family == AF_INET6 && set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) == -1)
		return -1;
	if (o->device && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, o->device,
	                            (socklen_t)strlen(o->device)) == -1)
		return -1;
	return set_options(fd, a, o);
}

/* The file of a unix path, if it still is the one that we bound; -1 with errno. */
static int open_file(const struct address *a, const struct listener_file *file)
{
	if (set_freebind(fd, a, o->freebind) == -1)
		return -1;
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

/* By descriptor: who may write to the folder, may put a link there meanwhile. */
static int set_ownership(const struct address *a, const struct listener_options *o,
                         const struct listener_file *file)
{
	char path[32];
	int fd, result;

	if (!has_path(a) || o->mode < 0)
		return 0;
	fd = open_file(a, file);
	if (fd == -1)
		return -1;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	result = o->owner == (uid_t)-1 && o->group == (gid_t)-1 ? 0 :
	         fchownat(fd, "", o->owner, o->group, AT_EMPTY_PATH);
	if (result == 0)
		result = chmod(path, (mode_t)o->mode);  /* last: chown clears bits */
	fd_drop(fd);
	return result;
}

/* 0 if a dead socket was removed; else -1, with errno saying what is there. */
static int remove_stale(const struct address *a)
{
	struct stat st;
	int fd;

	if (lstat(a->u.un.sun_path, &st) == -1)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISSOCK(st.st_mode)) {
		errno = ENOTSOCK;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	/* Only a refusal is a proof: with a full backlog it would be EAGAIN. */
	if (connect(fd, &a->u.sa, a->len) == -1 && errno == ECONNREFUSED) {
		fd_drop(fd);
		return unlink(a->u.un.sun_path);
	}
	fd_drop(fd);
	errno = EADDRINUSE;
	return -1;
}

static int bind_to(int fd, const struct address *a)
{
	mode_t saved = umask(0177);     /* nobody else's until mode and owner are set */
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

int listener_open(struct address *a, const struct listener_options *o, struct listener_file *file)
{
	int fd = socket(a->u.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	*file = (struct listener_file){ 0 };
	if (fd == -1)
		return -1;
	if (prepare(fd, a, o) == -1 || bind_to(fd, a) == -1)
		return fd_drop(fd);
	remember_file(a, file);
	if (set_ownership(a, o, file) == -1 || listen(fd, o->backlog) == -1 ||
	    (is_inet(a) && learn_address(fd, a) == -1)) {
		listener_unlink(a, file);
		return fd_drop(fd);
	}
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

	/* Unix sockets do not tell. */
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == -1)
		return;
	/* Of a socket that listens, these two mean its queue. */
	*length += info.tcpi_unacked;
	*limit += info.tcpi_sacked;
}

void listener_unlink(const struct address *a, const struct listener_file *file)
{
	struct stat st;
	int saved = errno;

	if (file->ino != 0 && lstat(a->u.un.sun_path, &st) == 0 &&
	    st.st_dev == file->dev && st.st_ino == file->ino)
		unlink(a->u.un.sun_path);
	errno = saved;
}
