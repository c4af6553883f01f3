/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files of a test, and memory for texts.
 */
#include <config.h>
#include "files.h"

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct text {
	struct text *next;
	char         bytes[];
};

static char folder[PATH_MAX];
static struct text *texts;              /* all that were returned */

void files_open(const char *parent)
{
	snprintf(folder, sizeof folder, "%s/test.XXXXXX", parent);
	ck_assert_msg(mkdtemp(folder) && chmod(folder, 0755) == 0, "%s: %m", folder);
}

void files_close(void)
{
	files_remove_tree(folder);
	while (texts) {
		struct text *t = texts;

		texts = t->next;
		free(t);
	}
}

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

void files_remove_tree(const char *path)
{
	nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* Zeroed memory for len bytes and a NUL. */
static char *new_text(size_t len)
{
	struct text *t = calloc(1, sizeof *t + len + 1);

	ck_assert_ptr_nonnull(t);
	t->next = texts;
	texts = t;
	return t->bytes;
}

static const char *vtext(const char *format, va_list ap)
{
	va_list again;
	char *text;
	int len;

	va_copy(again, ap);
	len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	ck_assert_int_ge(len, 0);
	text = new_text((size_t)len);
	vsnprintf(text, (size_t)len + 1, format, ap);
	return text;
}

const char *files_text(const char *format, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, format);
	text = vtext(format, ap);
	va_end(ap);
	return text;
}

const char *files_path(const char *name)
{
	return *name ? files_text("%s/%s", folder, name) : folder;
}

/* Written under another name first, so that no process reads half a file. */
static const char *write_file(const char *name, const char *text, mode_t mode)
{
	const char *path = files_path(name);
	const char *fresh = files_text("%s.fresh", path);
	size_t len = strlen(text);
	int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_msg(fd != -1 && write(fd, text, len) == (ssize_t)len &&
	              fchmod(fd, mode) == 0 && close(fd) == 0 && rename(fresh, path) == 0,
	              "%s: %m", path);
	return path;
}

const char *files_write(const char *name, const char *format, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, format);
	text = vtext(format, ap);
	va_end(ap);
	return write_file(name, text, 0644);
}

const char *files_script(const char *name, const char *format, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, format);
	text = vtext(format, ap);
	va_end(ap);
	return write_file(name, files_text("#!/bin/sh\n%s\n", text), 0755);
}

const char *files_mkdir(const char *name)
{
	const char *path = files_path(name);

	ck_assert_msg(mkdir(path, 0755) == 0, "%s: %m", path);
	return path;
}

const char *files_mkfifo(const char *name)
{
	const char *path = files_path(name);

	ck_assert_msg(mkfifo(path, 0600) == 0, "%s: %m", path);
	return path;
}

const char *files_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t room, len = 0;
	struct stat st;
	ssize_t n;
	char *text;

	if (fd == -1)
		return "";
	/* Files of /proc say that they are empty; others may grow meanwhile. */
	ck_assert_int_eq(fstat(fd, &st), 0);
	room = (size_t)st.st_size + 65536;
	text = new_text(room);
	while (len < room && (n = read(fd, text + len, room - len)) > 0)
		len += (size_t)n;
	close(fd);
	return text;
}

bool files_exist(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

mode_t files_mode(const char *path)
{
	struct stat st;

	ck_assert_msg(lstat(path, &st) == 0, "%s: %m", path);
	return st.st_mode & 07777;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

const char *files_sorted(const char *text)
{
	char *copy = strdup(text), *lines[64], *at = copy;
	const char *result = "";
	size_t n = 0;

	for (char *line; (line = strsep(&at, "\n")) && n < sizeof lines / sizeof *lines;)
		if (*line)
			lines[n++] = line;
	qsort(lines, n, sizeof *lines, by_text);
	for (size_t i = 0; i < n; i++)
		result = files_text("%s%s\n", result, lines[i]);
	free(copy);
	return result;
}

size_t files_count(const char *text, const char *part)
{
	size_t n = 0;

	for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
		n++;
	return n;
}
