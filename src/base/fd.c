/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Small things about file descriptors.
 */
#include <config.h>
#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <stdlib.h>
#include <unistd.h>

bool fd_not_yet(int error)
{
	return error == EAGAIN || error == EINTR;
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

static int by_number(const void *a, const void *b)
{
	const int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

void fd_keep_only(int *keep, size_t n)
{
	unsigned int from = STDERR_FILENO + 1;

	qsort(keep, n, sizeof *keep, by_number);
	for (size_t i = 0; i < n; i++) {
		if (keep[i] < (int)from)
			continue;       /* -1, a standard one, or named twice */
		if ((unsigned int)keep[i] > from)
			close_range(from, (unsigned int)keep[i] - 1, 0);
		from = (unsigned int)keep[i] + 1;
	}
	close_range(from, ~0U, 0);
}

void fd_cloexec_from(int first)
{
	close_range((unsigned int)first, ~0U, CLOSE_RANGE_CLOEXEC);
}
