/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Finds the file of this program. /proc/self/exe names it with all links resolved, and
 * with "(deleted)" once a package has replaced it: so it is looked for at the
 * start, under the name that the program was called by.
 */
#include <config.h>
#include "self.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"

/* NULL without memory; an absolute name stays as it is. */
static char *join(const char *directory, size_t len, const char *name)
{
	char *path;

	if (name[0] == '/')
		return strdup(name);
	return asprintf(&path, "%.*s/%s", (int)len, directory, name) == -1 ? NULL : path;
}

static bool is_our_file(const char *path, int fd)
{
	struct stat there, ours;

	return path && path[0] == '/' && stat(path, &there) == 0 && fstat(fd, &ours) == 0 &&
	       there.st_dev == ours.st_dev && there.st_ino == ours.st_ino;
}

/* Takes path. Returns it if that is our file; else NULL. */
static char *keep_if_ours(char *path, int fd)
{
	if (is_our_file(path, fd))
		return path;
	free(path);
	return NULL;
}

/* The file that this name stood for when the program was executed, by a shell for example. */
static char *find_by_name(const struct self *s, const char *name)
{
	const char *p = getenv("PATH");
	char *found = NULL;

	if (!name || !*name)
		return NULL;
	if (strchr(name, '/'))
		return keep_if_ours(join(s->directory, strlen(s->directory), name), s->fd);
	for (; p && *p && !found; p += strspn(p, ":")) {
		const size_t len = strcspn(p, ":");

		found = keep_if_ours(join(p, len, name), s->fd);
		p += len;
	}
	return found;
}

static char *find_by_kernel(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

	if (n == -1)
		return NULL;
	path[n] = '\0';
	return strdup(path);
}

static void free_list(char **list)
{
	for (size_t i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
}

/* Copies the strings, too, because a title overwrites them. NULL without memory. */
static char **copy_list(char *const *list)
{
	size_t n = 0;
	char **copy;

	while (list[n])
		n++;
	copy = calloc(n + 1, sizeof *copy);
	for (size_t i = 0; copy && i < n; i++) {
		copy[i] = strdup(list[i]);
		if (!copy[i]) {
			free_list(copy);
			return NULL;
		}
	}
	return copy;
}

/* False without memory. */
static bool note_inherited(struct self *s, int fd)
{
	struct self_inherited *more;
	struct stat st;
	const int flags = fcntl(fd, F_GETFD);

	if (fd <= STDERR_FILENO || flags == -1 || flags & FD_CLOEXEC || fstat(fd, &st) == -1)
		return true;    /* a standard one, or ours */
	more = reallocarray(s->inherited, s->n_inherited + 1, sizeof *more);
	if (!more)
		return false;
	s->inherited = more;
	more[s->n_inherited++] = (struct self_inherited){ fd, st.st_dev, st.st_ino };
	return true;
}

static int find_inherited(struct self *s)
{
	DIR *all = opendir("/proc/self/fd");
	const struct dirent *e;
	bool ok = true;

	while (all && ok && (e = readdir(all)))
		ok = note_inherited(s, atoi(e->d_name));
	if (all)
		closedir(all);
	return ok ? 0 : -1;
}

void self_each_inherited(const struct self *s, bool (*see)(void *arg, int fd), void *arg)
{
	struct stat st;

	for (size_t i = 0; i < s->n_inherited; i++)
		if (fstat(s->inherited[i].fd, &st) == 0 && st.st_dev == s->inherited[i].dev &&
		    st.st_ino == s->inherited[i].ino)
			see(arg, s->inherited[i].fd);
}

int self_init(struct self *s, char *const *argv)
{
	char here[PATH_MAX];

	*s = (struct self){ .fd = open("/proc/self/exe", O_PATH | O_CLOEXEC) };
	s->directory = strdup(getcwd(here, sizeof here) ? here : "");
	s->argv = copy_list(argv);
	if (!s->directory || !s->argv || find_inherited(s) == -1)
		return -1;
	s->path = find_by_name(s, argv[0]);
	if (!s->path)
		s->path = find_by_kernel();
	return 0;
}

void self_fini(struct self *s)
{
	fd_close(&s->fd);
	free(s->path);
	free(s->directory);
	free_list(s->argv);
	free(s->inherited);
	*s = (struct self){ .fd = -1 };
}

int self_set_path(struct self *s, const char *path)
{
	char *copy = strdup(path);

	if (!copy)
		return -1;
	free(s->path);
	s->path = copy;
	return 0;
}

/* fd -1: by path. */
static void execute(const struct self *s, int fd)
{
	const int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int saved;

	if (chdir(s->directory) == 0) {
		if (fd == -1)
			execve(s->path, s->argv, environ);
		else
			execveat(fd, "", s->argv, environ, AT_EMPTY_PATH);
	}
	saved = errno;
	if (here != -1 && fchdir(here) == -1)
		saved = errno;
	fd_drop(here);
	errno = saved;
}

void self_exec(const struct self *s)
{
	if (s->path)
		execute(s, -1);
	else
		errno = ENOENT;
}

void self_exec_fd(const struct self *s, int fd)
{
	if (fd != -1)
		execute(s, fd);
	else
		errno = EBADF;
}
