/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads line by line: "service NAME" or "defaults", a brace, attributes, a brace.
 */
#include <config.h>
#include "import_xinetd_file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "import_input.h"
#include "import_read.h"

#define DEPTH_MAX 8             /* of files that include each other */

struct reading {
	struct import              *im;
	struct import_xinetd_file  *file;
	struct import_xinetd_block *block;      /* the current one; NULL: outside */
	bool                        open;       /* its brace has come */
	unsigned                    depth;
};

static int read_path(struct reading *r, const char *path);

/* Without its braces, no part of a file can be trusted. */
static void break_all(struct reading *r, struct import_place place, const char *what)
{
	import_break(r->im, place, "%s", what);
	r->im->senseless = true;
}

static struct import_xinetd_block **end_of(struct import_xinetd_block **list)
{
	while (*list)
		list = &(*list)->next;
	return list;
}

static void begin_block(struct reading *r, struct import_place place, const char *service)
{
	struct import_xinetd_block *b = import_alloc(r->im, sizeof *b);

	b->place = place;
	b->service = service;
	*end_of(service ? &r->file->services : &r->file->defaults) = b;
	r->block = b;
	r->open = false;
}

/* xinetd leaves out what is not a regular file. */
static void read_member(struct reading *r, const char *path)
{
	const struct import_place place = { path, 1 };

	if (!import_read_is_regular(path) && errno == 0)
		import_note(r->im, NULL, place, "it is left out, because it is not a regular file");
	else if (read_path(r, path) == -1)
		import_lose(r->im, NULL, place, "it is not read: %s", import_read_error(errno));
}

/* Names with a dot, and those of backups, are left out: xinetd.conf(5). */
static int read_folder(struct reading *r, const char *folder)
{
	const struct import_words names = import_read_folder(r->im, folder, "");

	if (names.n == 0 && errno)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		const char *name = names.v[i];

		if (!strchr(name, '.') && name[strlen(name) - 1] != '~')
			read_member(r, import_printf(r->im, "%s/%s", folder, name));
	}
	return 0;
}

static void include(struct reading *r, struct import_place place, const struct import_words *w)
{
	const bool folder = strcmp(w->v[0], "includedir") == 0;
	const char *path = w->n == 2 ? w->v[1] : "";

	r->file->whole = true;
	if (*path && *path != '/')
		path = import_input_beside(r->im, place.file, path);
	if (w->n != 2)
		import_break(r->im, place, "%s takes one path", w->v[0]);
	else if (r->depth == DEPTH_MAX)
		import_break(r->im, place, "too many files include each other (at most %d)", DEPTH_MAX);
	else if ((folder ? read_folder(r, path) : read_path(r, path)) == -1)
		import_lose(r->im, NULL, place, "%s %s: %s", w->v[0], path,
		            import_read_error(errno));
}

static void take_outside(struct reading *r, struct import_place place, const struct import_words *w)
{
	if (strcmp(w->v[0], "include") == 0 || strcmp(w->v[0], "includedir") == 0)
		include(r, place, w);
	else if (strcmp(w->v[0], "defaults") == 0)
		begin_block(r, place, NULL);
	else if (strcmp(w->v[0], "service") == 0 && w->n >= 2)
		begin_block(r, place, w->v[1]);
	else
		break_all(r, place, import_printf(r->im, "\"%s\" cannot stand here (service NAME, defaults,"
		                                  " include, includedir)", w->v[0]));
}

/* "name = values", with the operator as a word of its own, or at the end of the name. */
static void take_attribute(struct reading *r, struct import_place place, const char *line)
{
	struct import_xinetd_attribute *a, **at = &r->block->attributes;
	const size_t len = strcspn(line, "=");
	struct import_words name;
	char op = '=';

	if (line[len] == '\0') {
		import_break(r->im, place, "\"%s\" is not an attribute (NAME = VALUE)", line);
		return;
	}
	if (len > 0 && (line[len - 1] == '+' || line[len - 1] == '-'))
		op = line[len - 1];
	name = import_input_split(r->im, import_strndup(r->im, line, op == '=' ? len : len - 1));
	if (name.n != 1) {
		import_break(r->im, place, "\"%s\" is not an attribute (NAME = VALUE)", line);
		return;
	}
	a = import_alloc(r->im, sizeof *a);
	*a = (struct import_xinetd_attribute){ .place = place, .name = name.v[0], .op = op,
	                                       .values = import_input_split(r->im, line + len + 1) };
	while (*at)
		at = &(*at)->next;
	*at = a;
}

static void take_line(struct reading *r, struct import_place place, const char *line)
{
	const struct import_words w = import_input_split(r->im, line);

	if (*line == '#' || *line == '\0')
		return;
	if (!r->block) {
		take_outside(r, place, &w);
	} else if (!r->open) {
		r->open = strcmp(line, "{") == 0;
		if (!r->open) {
			break_all(r, place, import_printf(r->im, "\"%s\" stands where { is missing", line));
			r->block = NULL;
		}
	} else if (strcmp(line, "}") == 0) {
		r->block = NULL;
	} else {
		take_attribute(r, place, line);
	}
}

static void read_text(struct reading *r, const char *path, const char *text)
{
	struct import_lines l = import_lines_of(r->im, path, text);
	const char *line;

	while ((line = import_lines_next(&l)))
		take_line(r, l.place, import_input_trim(r->im, line));
	if (r->block)
		break_all(r, r->block->place, "this block has no end (a line with }, in the same file)");
	r->block = NULL;
}

static int read_path(struct reading *r, const char *path)
{
	const char *text;
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return read_folder(r, path);
	text = import_read(r->im, path);
	if (!text)
		return -1;
	import_words_add(r->im, &r->im->files, import_strdup(r->im, path));
	r->depth++;
	read_text(r, import_strdup(r->im, path), text);
	r->depth--;
	return 0;
}

int import_xinetd_file_read(struct import *im, const char *path, struct import_xinetd_file *f)
{
	struct reading r = { .im = im, .file = f };

	return read_path(&r, path);
}
