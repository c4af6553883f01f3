/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Opens, closes and flags file descriptors, one by one and many at once.
 */
#include <config.h>
#include "fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define NUMBERS_MAX (1u << 22)          /* descriptors tried one by one take about a second */

bool fd_not_yet(int error)
{
	return error == EAGAIN || error == EINTR;
}

bool fd_not_yet_accepted(int error)
{
	return fd_not_yet(error) || error == ECONNABORTED;
}

bool fd_only_takes_bytes(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return false;
	return S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) ||
	       (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3));
}

int fd_open_inside(int root, const char *path, int flags)
{
	struct open_how how = { .flags = (unsigned int)flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };

	if (root == -1)
		return open(path, flags | O_CLOEXEC);
	return (int)syscall(SYS_openat2, root, path, &how, sizeof how);
}

int fd_drop(int fd)
{
	int saved = errno;

	if (fd != -1)
		close(fd);
	errno = saved;
	return -1;
}

void fd_close(int *fd)
{
	*fd = fd_drop(*fd);
}

int fd_write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		const ssize_t n = write(fd, bytes, len);

		if (n == -1)
			return -1;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

int fd_set_blocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags == -1 || !(flags & O_NONBLOCK))
		return flags == -1 ? -1 : 0;
	return fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
}

int fd_adopt(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags == -1 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1)
		return -1;
	return fcntl(fd, F_SETFD, FD_CLOEXEC);
}

int fd_set_cloexec(int fd, bool cloexec)
{
	return fcntl(fd, F_SETFD, cloexec ? FD_CLOEXEC : 0);
}

/* ---- many at once ------------------------------------------------------- */

static void put_away(unsigned int fd, unsigned int flags)
{
	if (flags & CLOSE_RANGE_CLOEXEC)
		fcntl((int)fd, F_SETFD, FD_CLOEXEC);    /* EBADF: there is none */
	else
		close((int)fd);
}

/* 0; or -1 if there is no /proc, or no free descriptor to read it with. */
static int put_away_by_proc(unsigned int first, unsigned int last, unsigned int flags)
{
	DIR *all = opendir("/proc/self/fd");
	const struct dirent *e;

	if (!all)
		return -1;
	while ((e = readdir(all))) {
		const unsigned long fd = strtoul(e->d_name, NULL, 10);

		if (e->d_name[0] != '.' && fd >= first && fd <= last && (int)fd != dirfd(all))
			put_away((unsigned int)fd, flags);
	}
	closedir(all);
	return 0;
}

/* 0; or -1 with errno: EMFILE if that would take minutes. */
static int put_away_by_number(unsigned int first, unsigned int last, unsigned int flags)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return -1;
	if (limit.rlim_cur > NUMBERS_MAX) {
		errno = EMFILE;
		return -1;
	}
	for (unsigned int fd = first; fd <= last && fd < limit.rlim_cur; fd++)
		put_away(fd, flags);
	return 0;
}

/* An old kernel has no close_range(2), and an old seccomp(2) profile refuses calls that it does not know. */
static int put_away_range(unsigned int first, unsigned int last, unsigned int flags)
{
	if (close_range(first, last, (int)flags) == 0 ||
	    put_away_by_proc(first, last, flags) == 0)
		return 0;
	return put_away_by_number(first, last, flags);
}

static int by_number(const void *a, const void *b)
{
	const int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int fd_keep_only(int *keep, size_t n)
{
	unsigned int from = STDERR_FILENO + 1;

	qsort(keep, n, sizeof *keep, by_number);
	for (size_t i = 0; i < n; i++) {
		if (keep[i] < (int)from)
			continue;       /* -1, a standard one, or named twice */
		if ((unsigned int)keep[i] > from &&
		    put_away_range(from, (unsigned int)keep[i] - 1, 0) == -1)
			return -1;
		from = (unsigned int)keep[i] + 1;
	}
	return put_away_range(from, ~0U, 0);
}

int fd_cloexec_from(int first)
{
	return put_away_range((unsigned int)first, ~0U, CLOSE_RANGE_CLOEXEC);
}
