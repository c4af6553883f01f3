/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads a file as a whole, and the names of a folder.
 */
#include <config.h>
#include "import_read.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"

/* The number of bytes; -1 with errno. */
static ssize_t read_all(int fd, char *text, size_t max)
{
	size_t len = 0;
	ssize_t n = 1;

	while (n > 0 && len <= max) {
		n = read(fd, text + len, max + 1 - len);
		if (n == -1)
			return -1;
		len += (size_t)n;
	}
	if (len > max || memchr(text, '\0', len)) {
		errno = len > max ? E2BIG : EILSEQ;
		return -1;
	}
	return (ssize_t)len;
}

const char *import_read(struct import *im, const char *path)
{
	int fd = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
	const char *text = NULL;
	char *room;
	ssize_t len;

	if (fd == -1)
		return NULL;
	room = malloc(IMPORT_READ_MAX + 1);
	len = room ? read_all(fd, room, IMPORT_READ_MAX) : -1;
	if (len >= 0)
		text = import_strndup(im, room, (size_t)len);
	free(room);
	fd_drop(fd);
	return text;
}

const char *import_read_error(int error)
{
	return error == E2BIG ? "it is too large (at most 4 MB)" :
	       error == EILSEQ ? "it has NUL bytes, and is not a text" : strerror(error);
}

bool import_read_is_regular(const char *path)
{
	struct stat st;

	if (stat(path, &st) == -1)
		return false;
	errno = 0;
	return S_ISREG(st.st_mode);
}

static int by_name(const void *one, const void *other)
{
	return strcmp(*(const char *const *)one, *(const char *const *)other);
}

struct import_words import_read_folder(struct import *im, const char *folder, const char *suffix)
{
	struct import_words w = { 0 };
	DIR *dir = opendir(folder);
	const size_t end = strlen(suffix);
	const struct dirent *e;

	if (!dir)
		return w;
	while ((e = readdir(dir))) {
		const size_t len = strlen(e->d_name);

		if (e->d_name[0] != '.' && len >= end && strcmp(e->d_name + len - end, suffix) == 0)
			import_words_add(im, &w, import_strdup(im, e->d_name));
	}
	closedir(dir);
	if (w.n > 0)
		qsort(w.v, w.n, sizeof *w.v, by_name);
	errno = 0;
	return w;
}
