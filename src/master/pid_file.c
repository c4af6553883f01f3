/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writing and removing the pid file.
 */
#include <config.h>
#include "pid_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"

static int check_directory(const char *path)
{
	char copy[PATH_MAX];
	struct stat st;

	if (strlen(path) >= sizeof copy) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(copy, path, strlen(path) + 1);
	if (stat(dirname(copy), &st) == -1)
		return -1;
	if (st.st_uid == 0 || st.st_uid == geteuid())
		return 0;
	errno = EPERM;
	return -1;
}

static int write_pid(const char *path)
{
	char text[16];
	int len = snprintf(text, sizeof text, "%d\n", (int)getpid());
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd == -1)
		return -1;
	if (write(fd, text, (size_t)len) != len)
		return fd_drop(fd);
	return close(fd);
}

int pid_file_write(const char *path)
{
	char temporary[PATH_MAX];
	int saved;

	if (check_directory(path) == -1)
		return -1;
	if (snprintf(temporary, sizeof temporary, "%s.%d", path, (int)getpid()) >=
	    (int)sizeof temporary) {
		errno = ENAMETOOLONG;
		return -1;
	}
	unlink(temporary);
	if (write_pid(temporary) == 0 && rename(temporary, path) == 0)
		return 0;
	saved = errno;
	unlink(temporary);
	errno = saved;
	return -1;
}

const char *pid_file_error(int error)
{
	return error == EPERM ? "its directory belongs to somebody else (it must belong to root)" :
	       strerror(error);
}

void pid_file_remove(const char *path)
{
	char text[16] = "";
	int fd = path ? open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) : -1;
	ssize_t n;

	if (fd == -1)
		return;
	n = read(fd, text, sizeof text - 1);
	fd_drop(fd);
	if (n > 0 && atoi(text) == (int)getpid())
		unlink(path);
}
