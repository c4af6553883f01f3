/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads a file as a whole, and walks over its lines.
 */
#include <config.h>
#include "import_input.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"

#define BLANK " \t\r\f\v"

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

const char *import_input_read(struct import *im, const char *path)
{
	int fd = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
	const char *text = NULL;
	char *room;
	ssize_t len;

	if (fd == -1)
		return NULL;
	room = malloc(IMPORT_INPUT_MAX + 1);
	len = room ? read_all(fd, room, IMPORT_INPUT_MAX) : -1;
	if (len >= 0)
		text = import_strndup(im, room, (size_t)len);
	free(room);
	fd_drop(fd);
	return text;
}

/* ---- lines -------------------------------------------------------------- */

struct import_lines import_lines_of(struct import *im, const char *file, const char *text)
{
	if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3;
	return (struct import_lines){ .im = im, .rest = text, .place.file = file, .next = 1 };
}

const char *import_lines_next(struct import_lines *l)
{
	const size_t len = strcspn(l->rest, "\n");
	const char *line;

	if (*l->rest == '\0')
		return NULL;
	line = import_strndup(l->im, l->rest, len > 0 && l->rest[len - 1] == '\r' ? len - 1 : len);
	l->rest += len + (l->rest[len] == '\n');
	l->place.line = l->next++;
	return line;
}

const char *import_lines_next_joined(struct import_lines *l)
{
	const char *line = import_lines_next(l), *more;
	struct import_place first = l->place;
	size_t len;

	while (line && (len = strlen(line)) > 0 && line[len - 1] == '\\') {
		more = import_lines_next(l);
		line = import_printf(l->im, "%.*s %s", (int)len - 1, line, more ? more : "");
	}
	l->place = first;
	return line;
}

/* ---- words -------------------------------------------------------------- */

const char *import_input_trim(struct import *im, const char *line)
{
	size_t len;

	line += strspn(line, BLANK);
	len = strlen(line);
	while (len > 0 && strchr(BLANK, line[len - 1]))
		len--;
	return import_strndup(im, line, len);
}

struct import_words import_input_split(struct import *im, const char *line)
{
	struct import_words w = { 0 };
	size_t len;

	for (line += strspn(line, BLANK); *line; line += len, line += strspn(line, BLANK)) {
		len = strcspn(line, BLANK);
		import_words_add(im, &w, import_strndup(im, line, len));
	}
	return w;
}

/* ---- paths -------------------------------------------------------------- */

const char *import_input_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

const char *import_input_beside(struct import *im, const char *file, const char *name)
{
	return import_printf(im, "%.*s%s", (int)(import_input_base(file) - file), file, name);
}

static int by_name(const void *one, const void *other)
{
	return strcmp(*(const char *const *)one, *(const char *const *)other);
}

struct import_words import_input_list(struct import *im, const char *folder, const char *suffix)
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
