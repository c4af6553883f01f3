/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Finds and reads the files that patterns name. Each file is read once, also if several patterns
 * match it; the main file is not read again if it is in such a folder.
 */
#include <config.h>
#include "conf_include.h"

#include <dirent.h>
#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "conf_glob.h"
#include "text.h"

struct names {
	char  **items;
	size_t  n, room;
};

/* Takes name. */
static void names_add(struct names *names, char *name)
{
	if (names->n == names->room) {
		names->room = names->room ? 2 * names->room : 64;
		names->items = reallocarray(names->items, names->room, sizeof *names->items);
	}
	if (!names->items || !name)
		abort();
	names->items[names->n++] = name;
}

static void names_free(struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->items[i]);
	free(names->items);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_pattern(const char *name)
{
	return strpbrk(name, "*?[") != NULL;
}

/* The folder of file, with a backslash before what glob(3) would take as its own. */
static void add_folder_quoted(struct text *t, const char *file)
{
	const char *end = strrchr(file, '/');

	for (; end && file <= end; file++)
		text_add(t, "%s%c", strchr("*?[\\", *file) ? "\\" : "", *file);
}

/* Makes a pattern absolute; the caller frees it. */
static char *complete(const char *main_file, const char *pattern)
{
	const size_t size = 2 * strlen(main_file) + strlen(pattern) + 1;
	char *full = malloc(size);
	struct text t;

	if (!full)
		abort();
	t = text_in(full, size);
	if (*pattern != '/')
		add_folder_quoted(&t, main_file);
	text_add_string(&t, pattern);
	return full;
}

/* ---- what may be read --------------------------------------------------- */

struct reading {
	struct conf_loader *ld;
	struct conf_place   place;      /* of `include` */
	void               *taken;      /* tsearch(3), of paths: the files that are read */
	size_t              n_taken;
	size_t              names_left; /* that patterns may look at */
	bool                over;       /* one of the bounds, and it has been complained of */
};

static int compare_paths(const void *a, const void *b)
{
	return strcmp(a, b);
}

static bool is_taken(const struct reading *r, const char *path)
{
	return tfind(path, &r->taken, compare_paths);
}

static void take_path(struct reading *r, const char *path)
{
	char *copy = strdup(path);

	if (!copy || !tsearch(copy, &r->taken, compare_paths))
		abort();
	r->n_taken++;
}

static void complain_of_names(struct reading *r, const char *pattern)
{
	conf_errors_at(&r->ld->errors, r->place, "include looks at more than %d names, the last of"
	               " them for \"%s\" (a pattern that names its folders, as in"
	               " \"conf.d/*.conf\")", CONF_NAMES_MAX, pattern);
	r->over = true;
}

/* False after a complaint, of which there is one. */
static bool may_take_another(struct reading *r)
{
	if (r->over)
		return false;
	r->over = true;
	if (r->n_taken >= CONF_FILES_MAX)
		conf_errors_at(&r->ld->errors, r->place, "include takes more than %d files",
		               CONF_FILES_MAX);
	else if (r->ld->text_len > CONF_TEXT_MAX)
		conf_errors_at(&r->ld->errors, r->place, "the files have more than %u MB together",
		               CONF_TEXT_MAX >> 20);
	else
		r->over = false;
	return !r->over;
}

static void read_file(struct reading *r, const char *path)
{
	if (is_taken(r, path) || !may_take_another(r))
		return;
	take_path(r, path);
	conf_source_read(r->ld, path, r->place);
}

static void read_matches(struct reading *r, const char *pattern)
{
	char *full = complete(r->ld->conf->file, pattern);
	const bool plain = !is_pattern(pattern);
	glob_t found;
	/* Without a match, a plain name stands for itself: opening it says why. */
	int rc = conf_glob(full, GLOB_ERR | (plain ? GLOB_NOCHECK : 0), &found, &r->names_left);

	if (rc == GLOB_ABORTED && errno == E2BIG)
		complain_of_names(r, pattern);
	else if (rc == GLOB_ABORTED && (plain || errno != ENOENT))
		conf_errors_at(&r->ld->errors, r->place, "cannot look for %s: %s", full,
		               strerror(errno));
	if (rc == 0)
		qsort(found.gl_pathv, found.gl_pathc, sizeof *found.gl_pathv, compare_names);
	for (size_t i = 0; rc == 0 && i < found.gl_pathc; i++)
		read_file(r, found.gl_pathv[i]);
	globfree(&found);
	free(full);
}

/* ---- what was read, and what was not ------------------------------------ */

static bool is_regular(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static void note_unread(struct reading *r, const char *pattern, const char *folder,
                        struct names *passed)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	char *path;

	while (dir && !r->over && (entry = readdir(dir))) {
		if (r->names_left-- == 0) {
			complain_of_names(r, pattern);
			break;
		}
		if (asprintf(&path, "%s/%s", folder, entry->d_name) == -1)
			abort();
		if (is_regular(path) && !is_taken(r, path))
			names_add(passed, path);
		else
			free(path);
	}
	if (dir)
		closedir(dir);
}

/* Files in the folders of a pattern that neither it nor another one took. */
static void note_passed(struct reading *r, const char *pattern, struct names *passed)
{
	char *full = complete(r->ld->conf->file, pattern);
	glob_t folders = { 0 };
	int rc = 0;

	*strrchr(full, '/') = '\0';
	if (*full)
		rc = conf_glob(full, GLOB_ONLYDIR, &folders, &r->names_left);
	if (rc == GLOB_ABORTED && errno == E2BIG)
		complain_of_names(r, pattern);
	for (size_t i = 0; rc == 0 && i < folders.gl_pathc; i++)
		note_unread(r, pattern, folders.gl_pathv[i], passed);
	if (*full)
		globfree(&folders);
	free(full);
}

static void fill_passed(struct reading *r)
{
	struct conf *conf = r->ld->conf;
	struct names passed = { 0 };
	const char **list;
	size_t n = 0;

	for (size_t i = 0; conf->include[i] && !r->over; i++)
		if (is_pattern(conf->include[i]))
			note_passed(r, conf->include[i], &passed);
	if (passed.n)
		qsort(passed.items, passed.n, sizeof *passed.items, compare_names);
	list = conf_loader_alloc(r->ld, (passed.n + 1) * sizeof *list);
	for (size_t i = 0; i < passed.n; i++)
		if (i == 0 || strcmp(passed.items[i], passed.items[i - 1]) != 0)
			list[n++] = conf_loader_strdup(r->ld, passed.items[i]);
	conf->files_passed = list;
	names_free(&passed);
}

static void fill_read(struct conf_loader *ld)
{
	const struct conf_source *s;
	const char **list;
	size_t n = 0;

	for (s = ld->sources; s; s = s->next)
		n++;
	ld->conf->files_read = list = conf_loader_alloc(ld, (n + 1) * sizeof *list);
	for (s = ld->sources; s; s = s->next)
		*list++ = s->path;
}

static void read_all(struct reading *r)
{
	const struct conf *conf = r->ld->conf;

	take_path(r, conf->file);
	for (size_t i = 0; conf->include[i] && !r->over; i++) {
		if (conf->include[i][0] == '\0')
			conf_errors_at(&r->ld->errors, r->place, "include holds an empty name");
		else
			read_matches(r, conf->include[i]);
	}
}

void conf_include_read(struct conf_loader *ld, struct conf_place place)
{
	struct reading r = { .ld = ld, .place = place, .names_left = CONF_NAMES_MAX };
	struct conf *conf = ld->conf;

	if (conf->file) {
		read_all(&r);
		fill_passed(&r);
	} else {
		if (conf->include[0])
			conf_errors_at(&ld->errors, place, "include works in a file only");
		conf->files_passed = conf_loader_alloc(ld, sizeof *conf->files_passed);
	}
	fill_read(ld);
	tdestroy(r.taken, free);
}
