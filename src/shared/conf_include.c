/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From patterns to files. Each file is read once, whatever names it; the main
 * file is not read again when it is in its own folder.
 */
#include <config.h>
#include "conf_include.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "text.h"

struct names {
	char  **items;
	size_t  n;
};

/* Takes name. */
static void names_add(struct names *names, char *name)
{
	names->items = reallocarray(names->items, names->n + 1, sizeof *names->items);
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

static int compare(const void *a, const void *b)
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

static bool was_read(const struct conf_loader *ld, const char *path)
{
	for (const struct conf_source *s = ld->sources; s; s = s->next)
		if (strcmp(s->path, path) == 0)
			return true;
	return false;
}

static void read_matches(struct conf_loader *ld, const char *pattern, struct conf_place place)
{
	char *full = complete(ld->conf->file, pattern);
	const bool plain = !is_pattern(pattern);
	glob_t found = { 0 };
	/* Without a match, a plain name stands for itself: opening it says why. */
	int rc = glob(full, GLOB_ERR | (plain ? GLOB_NOCHECK : 0), NULL, &found);

	if (rc == GLOB_ABORTED && (plain || errno != ENOENT))
		conf_report_at(&ld->report, place, "cannot look for %s: %s", full,
		               strerror(errno));
	if (rc == 0)
		qsort(found.gl_pathv, found.gl_pathc, sizeof *found.gl_pathv, compare);
	for (size_t i = 0; rc == 0 && i < found.gl_pathc; i++)
		if (!was_read(ld, found.gl_pathv[i]))
			conf_source_read(ld, found.gl_pathv[i], place);
	globfree(&found);
	free(full);
}

static bool is_regular(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static void note_unread(struct conf_loader *ld, const char *folder, struct names *passed)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	char *path;

	while (dir && (entry = readdir(dir))) {
		if (asprintf(&path, "%s/%s", folder, entry->d_name) == -1)
			abort();
		if (is_regular(path) && !was_read(ld, path))
			names_add(passed, path);
		else
			free(path);
	}
	if (dir)
		closedir(dir);
}

/* Files in the folders of a pattern that neither it nor another one took. */
static void note_passed(struct conf_loader *ld, const char *pattern, struct names *passed)
{
	char *full = complete(ld->conf->file, pattern);
	glob_t folders = { 0 };

	*strrchr(full, '/') = '\0';
	if (*full && glob(full, GLOB_ONLYDIR, NULL, &folders) == 0)
		for (size_t i = 0; i < folders.gl_pathc; i++)
			note_unread(ld, folders.gl_pathv[i], passed);
	globfree(&folders);
	free(full);
}

static void fill_passed(struct conf_loader *ld)
{
	struct names passed = { 0 };
	const char **list;
	size_t n = 0;

	for (size_t i = 0; ld->conf->include[i]; i++)
		if (is_pattern(ld->conf->include[i]))
			note_passed(ld, ld->conf->include[i], &passed);
	if (passed.n)
		qsort(passed.items, passed.n, sizeof *passed.items, compare);
	list = conf_loader_alloc(ld, (passed.n + 1) * sizeof *list);
	for (size_t i = 0; i < passed.n; i++)
		if (i == 0 || strcmp(passed.items[i], passed.items[i - 1]) != 0)
			list[n++] = conf_loader_strdup(ld, passed.items[i]);
	ld->conf->files_passed = list;
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

void conf_include_read(struct conf_loader *ld, struct conf_place place)
{
	const struct conf *conf = ld->conf;

	if (conf->include[0] && !conf->file)
		conf_report_at(&ld->report, place, "include works in a file only");
	for (size_t i = 0; conf->file && conf->include[i]; i++) {
		if (conf->include[i][0] == '\0')
			conf_report_at(&ld->report, place, "include holds an empty name");
		else
			read_matches(ld, conf->include[i], place);
	}
	if (conf->file)
		fill_passed(ld);
	else
		ld->conf->files_passed = conf_loader_alloc(ld, sizeof *conf->files_passed);
	fill_read(ld);
}
