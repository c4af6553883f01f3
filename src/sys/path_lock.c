/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A lock file that its holder removes. A process that locks a file which is not at its path any
 * more has come too late, and tries again.
 */
#include <config.h>
#include "path_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"

#define TRIES 100               /* other processes may take and release it meanwhile */

/* Whether the file at the path is still the one that fd refers to. */
static bool is_at_its_path(const struct path_lock *l)
{
	struct stat open_one, named;

	return fstat(l->fd, &open_one) == 0 && lstat(l->name, &named) == 0 &&
	       open_one.st_dev == named.st_dev && open_one.st_ino == named.st_ino;
}

static bool is_file(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

static bool is_empty(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_size == 0;
}

int path_lock_take(struct path_lock *l, const char *path)
{
	l->fd = -1;
	if (snprintf(l->name, sizeof l->name, "%s.drover-lock", path) >= (int)sizeof l->name) {
		errno = ENAMETOOLONG;
		return -1;
	}
	for (int i = 0; i < TRIES; i++) {
		l->fd = open(l->name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		             0600);
		if (l->fd == -1)
			return -1;
		if (!is_file(l->fd)) {
			fd_close(&l->fd);
			errno = EEXIST;
			return -1;
		}
		if (flock(l->fd, LOCK_EX | LOCK_NB) == -1 && errno == EWOULDBLOCK)
			break;
		if (is_at_its_path(l))
			return 0;
		fd_close(&l->fd);
	}
	fd_close(&l->fd);
	errno = EADDRINUSE;
	return -1;
}

void path_lock_drop(struct path_lock *l)
{
	const int saved = errno;

	if (l->fd != -1 && is_empty(l->fd) && is_at_its_path(l))
		unlink(l->name);
	fd_close(&l->fd);
	errno = saved;
}
