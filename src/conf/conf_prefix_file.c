/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cuts a file into lines, and parses each line that holds a prefix.
 */
#include <config.h>
#include "conf_prefix_file.h"

#include <stdlib.h>
#include <string.h>

#include "conf_file.h"

#define ERRORS_MAX  100         /* that are told of one file */
#define BLANK       " \t\r\f\v" /* with the CR of a line that ends in CR LF */

/* A file while it is read. */
struct reading {
	struct conf_loader      *ld;
	struct conf_prefix_file *file;
	size_t                   room;          /* in file->prefixes */
	struct conf_place        at;            /* the current line */
	unsigned                 errors_before; /* complaints before this file was read */
};

static void add_prefix(struct reading *r, const struct cidr *c)
{
	struct conf_prefix_file *f = r->file;

	if (f->n == r->room) {
		r->room = r->room ? 2 * r->room : 64;
		f->prefixes = reallocarray(f->prefixes, r->room, sizeof *f->prefixes);
		if (!f->prefixes)
			abort();                /* as libconfig would */
	}
	f->prefixes[f->n++] = *c;
}

/* The line without its comment, and without blanks before and after the rest. */
static char *strip(char *line)
{
	size_t len;

	line += strspn(line, BLANK);
	len = strcspn(line, "#;");
	while (len > 0 && strchr(BLANK, line[len - 1]))
		len--;
	line[len] = '\0';
	return line;
}

static void take_line(struct reading *r, char *line)
{
	const char *text = strip(line);
	char why[CIDR_COMPLAINT_MAX];
	enum cidr_error error;
	struct cidr c;

	if (*text == '\0')
		return;
	if (text[strcspn(text, BLANK)] != '\0') {
		conf_errors_at(&r->ld->errors, r->at, "\"%.64s\" is more than one prefix (each has a line"
		               " of its own; a comment begins with #)", text);
		return;
	}
	error = cidr_parse(text, &c);
	if (error == CIDR_OK)
		add_prefix(r, &c);
	else
		conf_errors_at(&r->ld->errors, r->at, "%s", cidr_complaint(error, text, &c, why));
}

/* False at the end, or after a complaint that the rest is not read. */
static bool goes_on(struct reading *r, const char *rest)
{
	if (r->file->n > CONF_PREFIXES_MAX)
		conf_errors_at(&r->ld->errors, r->at, "too many prefixes (at most %d in a file)",
		               CONF_PREFIXES_MAX);
	else if (*rest != '\0' && r->ld->errors.count - r->errors_before >= ERRORS_MAX)
		conf_errors_at(&r->ld->errors, r->at, "too many errors (the rest of the file was not read)");
	else
		return *rest != '\0';
	return false;
}

static void take_text(struct reading *r, char *text)
{
	char *next = conf_file_skip_mark(text), *line;

	while (goes_on(r, next)) {
		r->at.line++;
		line = next;
		next += strcspn(next, "\n");
		if (*next == '\n')
			*next++ = '\0';
		take_line(r, line);
	}
}

static struct conf_prefix_file *add_file(struct conf_loader *ld, const char *path)
{
	struct conf_prefix_file *f = calloc(1, sizeof *f), **end = &ld->prefix_files;

	if (!f || !(f->path = strdup(path)))
		abort();
	while (*end)
		end = &(*end)->next;
	*end = f;
	return f;
}

static const struct conf_prefix_file *find_file(const struct conf_loader *ld, const char *path)
{
	const struct conf_prefix_file *f = ld->prefix_files;

	while (f && strcmp(f->path, path) != 0)
		f = f->next;
	return f;
}

const struct conf_prefix_file *conf_prefix_file_read(struct conf_loader *ld, const char *path,
                                                     struct conf_place place)
{
	const struct conf_prefix_file *known = find_file(ld, path);
	struct reading r = { .ld = ld };
	char *text;
	size_t len;

	if (known)
		return known;
	text = conf_file_read(ld, path, place, CONF_PREFIX_FILE_MAX, &len);
	if (!text)
		return NULL;
	r.file = add_file(ld, path);
	r.at = (struct conf_place){ r.file->path, 0 };
	r.errors_before = ld->errors.count;
	take_text(&r, text);
	free(text);
	return r.file;
}

void conf_prefix_file_note_all(struct conf_loader *ld)
{
	struct conf *conf = ld->conf;
	const struct conf_prefix_file *f;
	size_t n = 0;

	for (f = ld->prefix_files; f; f = f->next)
		n++;
	conf->prefix_lists = conf_loader_alloc(ld, n * sizeof *conf->prefix_lists);
	for (f = ld->prefix_files; f; f = f->next)
		conf->prefix_lists[conf->n_prefix_lists++] = (struct conf_prefix_list){
			.path = conf_loader_strdup(ld, f->path), .n = f->n,
		};
}

void conf_prefix_file_close_all(struct conf_loader *ld)
{
	struct conf_prefix_file *next;

	for (; ld->prefix_files; ld->prefix_files = next) {
		next = ld->prefix_files->next;
		free(ld->prefix_files->path);
		free(ld->prefix_files->prefixes);
		free(ld->prefix_files);
	}
}
