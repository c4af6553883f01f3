/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Looks for a line that only one kind of file has.
 */
#include <config.h>
#include "import_kind.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "import_inetd.h"
#include "import_input.h"
#include "import_read.h"

const char *const import_kind_names[IMPORT_KINDS + 1] = {
	[IMPORT_XINETD] = "xinetd", [IMPORT_INETD] = "inetd", [IMPORT_TCPSERVER] = "tcpserver",
	[IMPORT_SYSTEMD] = "systemd", NULL,
};

static bool ends_with(const char *text, const char *end)
{
	const size_t len = strlen(text), n = strlen(end);

	return len >= n && strcmp(text + len - n, end) == 0;
}

static enum import_kind kind_of_name(const char *path)
{
	const char *base = import_input_base(path);

	if (ends_with(base, ".socket") || ends_with(base, ".service"))
		return IMPORT_SYSTEMD;
	if (strcmp(base, "xinetd.conf") == 0 || strstr(path, "xinetd.d/") || ends_with(base, "xinetd.d"))
		return IMPORT_XINETD;
	if (strcmp(base, "inetd.conf") == 0)
		return IMPORT_INETD;
	return IMPORT_UNKNOWN;
}

/* A line of xinetd: "service NAME", "defaults", "include FILE", "includedir FOLDER". */
static bool is_xinetd(const struct import_words *w)
{
	static const char *const words[] = { "service", "include", "includedir" };

	if (w->n == 1)
		return strcmp(w->v[0], "defaults") == 0;
	for (size_t i = 0; i < sizeof words / sizeof *words && w->n == 2; i++)
		if (strcmp(w->v[0], words[i]) == 0)
			return true;
	return false;
}

static bool is_tcpserver(const struct import_words *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (strcmp(import_input_base(w->v[i]), "tcpserver") == 0)
			return true;
	return false;
}

static void look_at_line(struct import *im, const char *line, bool found[IMPORT_KINDS])
{
	const struct import_words w = import_input_split(im, line);

	if (w.n == 0 || w.v[0][0] == '#')
		return;
	found[IMPORT_XINETD] = found[IMPORT_XINETD] || is_xinetd(&w);
	found[IMPORT_INETD] = found[IMPORT_INETD] || import_inetd_is_line(im, line);
	found[IMPORT_TCPSERVER] = found[IMPORT_TCPSERVER] || is_tcpserver(&w);
	found[IMPORT_SYSTEMD] = found[IMPORT_SYSTEMD] || strcmp(w.v[0], "[Socket]") == 0;
}

static enum import_kind kind_of_content(struct import *im, const char *path)
{
	const char *text = import_read(im, path), *line;
	bool found[IMPORT_KINDS] = { false };
	enum import_kind kind = IMPORT_UNKNOWN;
	struct import_lines l;

	if (!text)
		return errno == EILSEQ || errno == E2BIG ? IMPORT_UNKNOWN : IMPORT_UNREADABLE;
	for (l = import_lines_of(im, path, text); (line = import_lines_next(&l));)
		look_at_line(im, line, found);
	for (int k = 0; k < IMPORT_KINDS; k++)
		if (found[k])
			kind = kind == IMPORT_UNKNOWN ? (enum import_kind)k : IMPORT_AMBIGUOUS;
	return kind;
}

enum import_kind import_kind_of(struct import *im, const char *path)
{
	const enum import_kind kind = kind_of_name(path);
	struct stat st;

	if (stat(path, &st) == -1)
		return IMPORT_UNREADABLE;
	if (kind != IMPORT_UNKNOWN)
		return kind;
	if (!S_ISDIR(st.st_mode))
		return kind_of_content(im, path);
	return access(import_printf(im, "%s/run", path), F_OK) == 0 ? IMPORT_TCPSERVER : IMPORT_UNKNOWN;
}
