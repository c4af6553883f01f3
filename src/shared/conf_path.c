/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Looks at files as a process in a chroot will see them.
 */
#include <config.h>
#include "conf_path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As stat(2), with symbolic links and ".." confined to root. */
static int stat_inside(const char *root, const char *path, struct stat *st)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
	int dir, fd, rc, err;

	if (!root)
		return stat(path, st);
	dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir == -1)
		return -1;
	fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
	rc = fd == -1 ? -1 : fstat(fd, st);
	err = errno;
	if (fd != -1)
		close(fd);
	close(dir);
	errno = err;
	return rc;
}

/* Not allowed to look, or a sandbox without openat2: no reason to complain. */
static bool is_hidden(int err)
{
	return err == EACCES || err == EPERM || err == ENOSYS;
}

const char *conf_path_judge_program(const char *root, const char *path)
{
	struct stat st;

	if (stat_inside(root, path, &st) == -1)
		return is_hidden(errno) ? NULL : strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "not a regular file";
	return st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH) ? NULL : "not executable";
}

const char *conf_path_judge_directory(const char *root, const char *path)
{
	struct stat st;

	if (stat_inside(root, path, &st) == -1)
		return is_hidden(errno) ? NULL : strerror(errno);
	return S_ISDIR(st.st_mode) ? NULL : "not a directory";
}
