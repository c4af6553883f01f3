/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keeps reports in a folder. Links in it are not followed, and files that are not drover's reports
 * are neither read nor removed.
 */
#include <config.h>
#include "crash_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "fd.h"

#define FOLDER    "crashes"
#define SUFFIX    ".json"
#define FILE_MAX_LEN (4 << 20)          /* bytes: twice the longest input, in hexadecimal, fits */
#define DAY_S     (24 * 60 * 60)

/* ---- names -------------------------------------------------------------- */

const char *crash_files_name(const struct timespec *when, const char *service, pid_t pid,
                             char buf[static CRASH_NAME_MAX])
{
	char time[CLOCK_TEXT_MAX];
	size_t len = 0;

	clock_utc(when, time);
	for (const char *c = time; *c; c++)
		if (*c != '-' && *c != ':')
			time[len++] = *c;
	snprintf(buf, CRASH_NAME_MAX, "%.*s-%s-%d", (int)len, time, service, (int)pid);
	return buf;
}

bool crash_files_is_name(const char *name)
{
	static const char may[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	                          "0123456789_-.";
	const size_t len = strlen(name);

	return len > 0 && len < CRASH_NAME_MAX && name[0] != '.' && strspn(name, may) == len;
}

/* The name of the report in that file; "" if the file is not a report. */
static const char *name_of_file(const char *file, char buf[static CRASH_NAME_MAX])
{
	const size_t len = strlen(file), end = strlen(SUFFIX);

	buf[0] = '\0';
	if (len <= end || len - end >= CRASH_NAME_MAX || strcmp(file + len - end, SUFFIX) != 0)
		return buf;
	memcpy(buf, file, len - end);
	buf[len - end] = '\0';
	if (!crash_files_is_name(buf))
		buf[0] = '\0';
	return buf;
}

static const char *file_of_name(const char *name, char buf[static CRASH_NAME_MAX + sizeof SUFFIX])
{
	snprintf(buf, CRASH_NAME_MAX + sizeof SUFFIX, "%s" SUFFIX, name);
	return buf;
}

/* ---- the folder --------------------------------------------------------- */

/* Another user must not own it: that user could read the reports. Returns fd, or -1 with errno. */
static int check_owner(int fd)
{
	struct stat st;

	if (fd == -1 || fstat(fd, &st) == -1)
		return fd_drop(fd);
	if (st.st_uid != geteuid()) {
		fd_drop(fd);
		errno = EPERM;
		return -1;
	}
	if (st.st_mode & 077 && fchmod(fd, 0700) == -1)
		return fd_drop(fd);
	return fd;
}

static int open_folder(const char *state_dir, bool make)
{
	int parent = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd;

	if (parent == -1)
		return -1;
	if (make && mkdirat(parent, FOLDER, 0700) == -1 && errno != EEXIST)
		return fd_drop(parent);
	fd = check_owner(openat(parent, FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
	fd_drop(parent);
	return fd;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_name(struct crash_names *names, const char *name)
{
	char **more = reallocarray(names->all, names->n + 1, sizeof *more);

	if (!more)
		return;
	names->all = more;
	names->all[names->n] = strdup(name);
	names->n += names->all[names->n] != NULL;
}

static struct crash_names list(int folder)
{
	struct crash_names names = { .n = 0 };
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);
	char name[CRASH_NAME_MAX];
	const struct dirent *entry;

	if (!dir) {
		fd_drop(fd);
		return names;
	}
	while ((entry = readdir(dir)))
		if (*name_of_file(entry->d_name, name))
			add_name(&names, name);
	closedir(dir);
	if (names.n > 0)
		qsort(names.all, names.n, sizeof *names.all, by_name);
	return names;
}

struct crash_names crash_files_list(const char *state_dir)
{
	struct crash_names names = { .n = 0 };
	int folder = open_folder(state_dir, false);

	if (folder != -1)
		names = list(folder);
	fd_drop(folder);
	return names;
}

void crash_files_free(struct crash_names *names)
{
	while (names->n > 0)
		free(names->all[--names->n]);
	free(names->all);
	names->all = NULL;
}

/* ---- writing ------------------------------------------------------------ */

static bool is_too_old(int folder, const char *file)
{
	struct stat st;

	return fstatat(folder, file, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st.st_mtime < time(NULL) - (time_t)CRASH_FILES_DAYS * DAY_S;
}

/* Makes room for one more. */
static void prune(int folder)
{
	struct crash_names names = list(folder);
	char file[CRASH_NAME_MAX + sizeof SUFFIX];

	for (size_t i = 0; i < names.n; i++) {
		file_of_name(names.all[i], file);
		if (names.n - i >= CRASH_FILES_MAX || is_too_old(folder, file))
			unlinkat(folder, file, 0);
	}
	crash_files_free(&names);
}

/* 0, or an errno. */
static int write_file(int folder, const char *file, const char *text)
{
	int fd = openat(folder, file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int error = fd == -1 || fd_write_all(fd, text, strlen(text)) == -1 ? errno : 0;

	if (fd != -1 && close(fd) == -1 && error == 0)
		error = errno;
	if (fd != -1 && error != 0)
		unlinkat(folder, file, 0);      /* part of a report is of no use */
	return error;
}

int crash_files_write(const char *state_dir, const char *name, const json_t *report)
{
	char *text = json_dumps(report, JSON_COMPACT | JSON_REAL_PRECISION(15));
	char file[CRASH_NAME_MAX + sizeof SUFFIX];
	int folder, error = ENOMEM;

	if (text && crash_files_is_name(name)) {
		folder = open_folder(state_dir, true);
		error = errno;
		if (folder != -1) {
			prune(folder);
			error = write_file(folder, file_of_name(name, file), text);
		}
		fd_drop(folder);
	}
	free(text);
	return error;
}

/* ---- reading ------------------------------------------------------------ */

static bool is_readable(int fd)
{
	struct stat st;

	return fd != -1 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= FILE_MAX_LEN;
}

json_t *crash_files_read(const char *state_dir, const char *name)
{
	char file[CRASH_NAME_MAX + sizeof SUFFIX];
	json_t *report = NULL;
	int folder, fd;

	if (!crash_files_is_name(name))
		return NULL;
	folder = open_folder(state_dir, false);
	fd = folder == -1 ? -1 : openat(folder, file_of_name(name, file),
	                                O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (is_readable(fd))
		report = json_loadfd(fd, JSON_REJECT_DUPLICATES, NULL);
	fd_drop(fd);
	fd_drop(folder);
	if (json_is_object(report))
		return report;
	json_decref(report);
	return NULL;
}
