/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes and removes the pid file. The master never waits for what other users have put at its
 * path.
 */
#include <config.h>
#include "pid_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"
#include "trust.h"

/* Opens the directory of the file; -1 with errno. */
static int open_folder(const char *path)
{
	char copy[PATH_MAX];

	if (strlen(path) >= sizeof copy) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(copy, path, strlen(path) + 1);
	return open(dirname(copy), O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static const char *name_in_folder(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Compares numbers: the master asks no name service. The check of the configuration has asked it. */
static bool is_our_group(gid_t group, uid_t owner)
{
	(void)owner;
	return group == getegid();
}

static int check_folder(int folder)
{
	struct stat st;

	if (fstat(folder, &st) == -1)
		return -1;
	if (!trust_judge(&st, NULL, geteuid(), is_our_group))
		return 0;
	errno = PID_FILE_EXPOSED;
	return -1;
}

/* rename(2) replaces anything but a directory, even a device or a socket of ours. */
static int check_replaceable(int folder, const char *name)
{
	struct stat st;

	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 : -1;
	if (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode) || S_ISFIFO(st.st_mode))
		return 0;
	errno = S_ISDIR(st.st_mode) ? EISDIR : EEXIST;
	return -1;
}

static int write_pid(int folder, const char *name)
{
	char text[16];
	int len = snprintf(text, sizeof text, "%d\n", (int)getpid());
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
	                0644);

	if (fd == -1)
		return -1;
	if (write(fd, text, (size_t)len) != len)
		return fd_drop(fd);
	return close(fd);
}

static int write_in(int folder, const char *name)
{
	char temporary[PATH_MAX];
	int saved;

	if (check_folder(folder) == -1 || check_replaceable(folder, name) == -1)
		return -1;
	if (snprintf(temporary, sizeof temporary, "%s.%d", name, (int)getpid()) >=
	    (int)sizeof temporary) {
		errno = ENAMETOOLONG;
		return -1;
	}
	unlinkat(folder, temporary, 0);
	if (write_pid(folder, temporary) == 0 && renameat(folder, temporary, folder, name) == 0)
		return 0;
	saved = errno;
	unlinkat(folder, temporary, 0);
	errno = saved;
	return -1;
}

int pid_file_write(const char *path)
{
	const int folder = open_folder(path);
	int result;

	if (folder == -1)
		return -1;
	result = write_in(folder, name_in_folder(path));
	fd_drop(folder);
	return result;
}

const char *pid_file_error(int error)
{
	switch (error) {
	case PID_FILE_EXPOSED:
		return "others could replace it in its directory (which must belong to root or to the user"
		       " of droverd, and no other user may write to it)";
	case EPERM:
		return "Operation not permitted (a file of another user is there in a directory with the"
		       " sticky bit, or one of both cannot be changed, see chattr(1))";
	case EEXIST:
		return "it exists and is not a file";
	default:
		return strerror(error);
	}
}

/* True if the open file holds our pid. Reads only a regular file, because that does not wait. */
static bool holds_our_pid(int fd)
{
	char text[16] = "";
	struct stat st;

	return fd != -1 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       read(fd, text, sizeof text - 1) > 0 && atoi(text) == (int)getpid();
}

void pid_file_remove(const char *path)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	const int fd = path ? open(path, flags) : -1;

	if (holds_our_pid(fd))
		unlink(path);
	fd_drop(fd);
}
