/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads line by line. Lines that end in a backslash continue; comments may stand between them.
 */
#include <config.h>
#include "import_unit.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "import_input.h"
#include "import_read.h"
#include "units.h"

struct reading {
	struct import      *im;
	struct import_unit *unit;
	const char         *section;
};

/* ---- specifiers --------------------------------------------------------- */

static const char *specifier(const struct import_unit *u, char c)
{
	static const char *const fixed[] = {
		['%'] = "%", ['t'] = "/run", ['S'] = "/var/lib", ['C'] = "/var/cache", ['L'] = "/var/log",
		['E'] = "/etc", ['T'] = "/tmp", ['V'] = "/var/tmp",
	};

	if (c == 'p' || c == 'P')
		return u->prefix;
	return (unsigned char)c < sizeof fixed / sizeof *fixed ? fixed[(unsigned char)c] : NULL;
}

/* Those that are known: the others stay, as %%i would, so that import_unit_is_open finds them. */
static const char *expand(struct import *im, const struct import_unit *u, const char *value)
{
	const char *done = "";
	size_t len;

	for (; *value; value += len) {
		const char *text = *value == '%' && value[1] ? specifier(u, value[1]) : NULL;

		len = *value == '%' ? 1 + (value[1] != '\0') : strcspn(value, "%");
		if (text && *text == '%')
			text = "%%";
		done = import_printf(im, "%s%.*s", done, text ? (int)strlen(text) : (int)len,
		                     text ? text : value);
	}
	return done;
}

bool import_unit_is_open(const char *value)
{
	for (; (value = strchr(value, '%')); value += 2)
		if (value[1] != '%')
			return true;
	return false;
}

/* ---- lines -------------------------------------------------------------- */

static void add_setting(struct reading *r, struct import_place place, const char *name, const char *value)
{
	struct import_unit_setting *s = import_alloc(r->im, sizeof *s), **at = &r->unit->settings;

	*s = (struct import_unit_setting){ .place = place, .section = r->section, .name = name,
	                                   .value = expand(r->im, r->unit, value) };
	while (*at)
		at = &(*at)->next;
	*at = s;
}

static void take_line(struct reading *r, struct import_place place, const char *line)
{
	const size_t len = strlen(line);
	const char *equals = strchr(line, '=');

	if (*line == '\0' || *line == '#' || *line == ';')
		return;
	if (*line == '[' && line[len - 1] == ']')
		r->section = import_strndup(r->im, line + 1, len - 2);
	else if (!r->section)
		import_break(r->im, place, "\"%s\" stands before the first section, such as [Socket]",
		             line);
	else if (!equals || equals == line)
		import_break(r->im, place, "\"%s\" is not a setting (NAME=VALUE)", line);
	else
		add_setting(r, place,
		            import_input_trim(r->im, import_strndup(r->im, line, (size_t)(equals - line))),
		            import_input_trim(r->im, equals + 1));
}

static bool is_comment(const char *line)
{
	line += strspn(line, " \t");
	return *line == '#' || *line == ';';
}

/* The line with those that continue it, and with a blank for each backslash. */
static const char *next_line(struct import *im, struct import_lines *l)
{
	const char *line = import_lines_next(l), *more;
	const struct import_place first = l->place;
	size_t len;

	while (line && !is_comment(line) && (len = strlen(line)) > 0 && line[len - 1] == '\\') {
		do
			more = import_lines_next(l);
		while (more && is_comment(more));
		line = import_printf(im, "%.*s %s", (int)len - 1, line, more ? more : "");
	}
	l->place = first;
	return line;
}

static int read_file(struct import *im, const char *path, struct import_unit *u)
{
	const char *text = import_read(im, path), *line;
	struct reading r = { .im = im, .unit = u };
	struct import_lines l;

	if (!text)
		return -1;
	path = import_strdup(im, path);
	import_words_add(im, &im->files, path);
	for (l = import_lines_of(im, path, text); (line = next_line(im, &l));)
		take_line(&r, l.place, import_input_trim(im, line));
	return 0;
}

/* The name without its type, up to @. */
static const char *prefix_of(struct import *im, const char *path)
{
	const char *base = import_input_base(path), *dot = strrchr(base, '.');
	size_t len = strcspn(base, "@");

	if (len == strlen(base) && dot && (strcmp(dot, ".socket") == 0 || strcmp(dot, ".service") == 0))
		len = (size_t)(dot - base);
	return import_strndup(im, base, len);
}

int import_unit_read(struct import *im, const char *path, struct import_unit *u)
{
	const char *folder = import_printf(im, "%s.d", path);
	struct import_words drop_ins;

	*u = (struct import_unit){ .prefix = prefix_of(im, path) };
	if (read_file(im, path, u) == -1)
		return -1;
	drop_ins = import_read_folder(im, folder, ".conf");
	for (size_t i = 0; i < drop_ins.n; i++)
		read_file(im, import_printf(im, "%s/%s", folder, drop_ins.v[i]), u);
	return 0;
}

/* ---- folders ------------------------------------------------------------ */

/* As systemd does: an empty item at the end of SYSTEMD_UNIT_PATH stands for the usual folders. */
struct import_words import_unit_folders(struct import *im)
{
	static const char *const usual[] = {
		"/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system",
		"/usr/lib/systemd/system", "/lib/systemd/system",
	};
	const char *path = getenv("SYSTEMD_UNIT_PATH");
	struct import_words w = { 0 };
	size_t len;

	for (; path && *path; path += len + (path[len] == ':')) {
		len = strcspn(path, ":");
		if (len > 0)
			import_words_add(im, &w, import_strndup(im, path, len));
		if (path[len] == '\0')
			return w;
	}
	for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
		import_words_add(im, &w, usual[i]);
	return w;
}

static bool are_same(const char *one, const char *other)
{
	struct stat a, b;

	return stat(one, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* /lib/systemd/system is often /usr/lib/systemd/system. */
static bool has_come(const struct import_words *folders, const char *folder)
{
	for (size_t i = 0; i < folders->n; i++)
		if (are_same(folders->v[i], folder))
			return true;
	return false;
}

void import_unit_tell_drop_ins(struct import *im, struct import_service *svc, const char *path)
{
	const struct import_words folders = import_unit_folders(im);
	const char *base = import_input_base(path), *beside = import_printf(im, "%s.d", path);
	struct import_words come = { 0 };

	import_words_add(im, &come, beside);
	for (size_t i = 0; i < folders.n; i++) {
		const char *folder = import_printf(im, "%s/%s.d", folders.v[i], base);

		if (import_read_folder(im, folder, ".conf").n == 0 || has_come(&come, folder))
			continue;
		import_lose(im, svc, (struct import_place){ path, 1 }, "the drop-ins in %s are not read"
		            " (copy them to %s)", folder, beside);
		import_words_add(im, &come, folder);
	}
}

/* ---- settings ----------------------------------------------------------- */

static bool has_name(const struct import_unit_setting *s, const char *section, const char *name)
{
	return strcmp(s->section, section) == 0 && strcmp(s->name, name) == 0;
}

static bool is_reset(const struct import_unit_setting *s, const char *section, const char *name)
{
	for (s = s->next; s; s = s->next)
		if (has_name(s, section, name) && *s->value == '\0')
			return true;
	return false;
}

const struct import_unit_setting *import_unit_next(const struct import_unit *u, const char *section,
                                                   const char *name,
                                                   const struct import_unit_setting *after)
{
	const struct import_unit_setting *s = after ? after->next : u->settings;

	while (s && (!has_name(s, section, name) || *s->value == '\0' || is_reset(s, section, name)))
		s = s->next;
	return s;
}

const struct import_unit_setting *import_unit_last(const struct import_unit *u, const char *section,
                                                   const char *name)
{
	const struct import_unit_setting *last = NULL, *s = NULL;

	while ((s = import_unit_next(u, section, name, s)))
		last = s;
	return last;
}

struct import_words import_unit_others(struct import *im, const struct import_unit *u, const char *section,
                                       bool (*is_known)(const char *name),
                                       const struct import_unit_setting **first)
{
	struct import_words names = { 0 };

	*first = NULL;
	for (const struct import_unit_setting *s = u->settings; s; s = s->next)
		if (strcmp(s->section, section) == 0 && !is_known(s->name) && *s->value &&
		    !import_words_have(&names, s->name)) {
			*first = *first ? *first : s;
			import_words_add(im, &names, s->name);
		}
	return names;
}

bool import_unit_is_true(const char *value)
{
	return strcasecmp(value, "yes") == 0 || strcasecmp(value, "true") == 0 || strcmp(value, "1") == 0 ||
	       strcasecmp(value, "on") == 0 || strcasecmp(value, "y") == 0 || strcasecmp(value, "t") == 0;
}

/* ---- words -------------------------------------------------------------- */

/* The byte that an escape of C stands for, at *at, which is moved behind it. */
static char escape(const char **at)
{
	static const char letters[] = "abfnrtv\\\"'s", bytes[] = "\a\b\f\n\r\t\v\\\"' ";
	const char *known = strchr(letters, **at);
	char *end, digits[4] = "";

	if (**at == 'x' && isxdigit((unsigned char)(*at)[1]) && isxdigit((unsigned char)(*at)[2])) {
		memcpy(digits, *at + 1, 2);
		*at += 3;
		return (char)strtoul(digits, &end, 16);
	}
	if (strspn(*at, "01234567") >= 3) {
		memcpy(digits, *at, 3);
		*at += 3;
		return (char)strtoul(digits, &end, 8);
	}
	(*at)++;
	return known && *known ? bytes[known - letters] : (*at)[-1];
}

/* One word at *at, into room; false if a quote has no end. */
static bool read_word(const char **at, char *word)
{
	char quote = '\0';

	while (**at && (quote || !strchr(" \t", **at))) {
		if (**at == quote) {
			quote = '\0';
			(*at)++;
		} else if (!quote && (**at == '"' || **at == '\'')) {
			quote = *(*at)++;
		} else if (**at == '\\' && (*at)[1]) {
			(*at)++;
			*word++ = escape(at);
		} else {
			*at += **at == '%' && (*at)[1] == '%';
			*word++ = *(*at)++;
		}
	}
	*word = '\0';
	return !quote;
}

struct import_words import_unit_split(struct import *im, const char *value, bool *ok)
{
	struct import_words w = { 0 };
	char *room;

	*ok = true;
	for (value += strspn(value, " \t"); *value; value += strspn(value, " \t")) {
		room = import_alloc(im, strlen(value) + 1);
		*ok = read_word(&value, room) && *ok;
		import_words_add(im, &w, room);
	}
	return w;
}

/* ---- times -------------------------------------------------------------- */

static int64_t unit_ms(const char *unit, size_t len)
{
	static const struct { const char *name; int64_t ms; } rows[] = {
		{ "", 1000 }, { "s", 1000 }, { "sec", 1000 }, { "second", 1000 }, { "seconds", 1000 },
		{ "ms", 1 }, { "msec", 1 }, { "m", 60000 }, { "min", 60000 }, { "minute", 60000 },
		{ "minutes", 60000 }, { "h", 3600000 }, { "hr", 3600000 }, { "hour", 3600000 },
		{ "hours", 3600000 }, { "d", 86400000 }, { "day", 86400000 }, { "days", 86400000 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strlen(rows[i].name) == len && strncmp(rows[i].name, unit, len) == 0)
			return rows[i].ms;
	return 0;
}

const char *import_unit_duration(struct import *im, const char *value, int64_t *ms)
{
	char text[UNITS_TEXT_MAX];
	size_t len;

	for (*ms = 0; *value; value += len + strspn(value + len, " ")) {
		char *end;
		const double n = strtod(value, &end);
		int64_t factor;

		if (end == value || !isdigit((unsigned char)*value))
			return NULL;
		value = end + strspn(end, " ");
		for (len = 0; isalpha((unsigned char)value[len]);)
			len++;
		factor = unit_ms(value, len);
		if (factor == 0 || n * (double)factor > 365.0 * 86400000)
			return NULL;
		*ms += (int64_t)(n * (double)factor);
	}
	return *ms > 0 ? import_strdup(im, units_format_duration(*ms, text)) : NULL;
}
