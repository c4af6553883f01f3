/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Walks over the lines of a text.
 */
#include <config.h>
#include "import_input.h"

#include <string.h>

#define BLANK " \t\r\f\v"

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
