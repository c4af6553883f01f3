/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Settings, values and lists by recursive descent; conf_scan has bounded the
 * depth. It ends at the first mistake, because what follows cannot be judged then.
 */
#include <config.h>
#include "conf_syntax.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BLANKS   " \t\n\r\f"
#define WORD_END " \t\n\r\f=:;,{}[]()\"#"
#define WORD_MAX 40     /* bytes of a word that are shown */

struct name {
	const char *at;
	size_t      len;
	int         line;
};

struct walk {
	struct conf_errors *errors;
	const char         *file;
	const char         *at;
	const char         *line_start;
	int                 line;
	bool                failed;     /* at the first offence */
	bool                twins;      /* a name came twice */
	struct name        *names;      /* of the groups that are open, inner ones last */
	size_t              n, room;
};

static void walk_settings(struct walk *w, char end, int begun);

/* ---- places ------------------------------------------------------------- */

static void skip_bytes(struct walk *w, size_t n)
{
	for (; n > 0 && *w->at; n--)
		if (*w->at++ == '\n') {
			w->line++;
			w->line_start = w->at;
		}
}

static void skip_blank(struct walk *w)
{
	const char *end;

	for (;;) {
		if (*w->at == '#' || strncmp(w->at, "//", 2) == 0) {
			skip_bytes(w, strcspn(w->at, "\n"));
		} else if (strncmp(w->at, "/*", 2) == 0) {
			end = strstr(w->at + 2, "*/");
			skip_bytes(w, end ? (size_t)(end + 2 - w->at) : strlen(w->at));
		} else if (*w->at && strchr(BLANKS, *w->at)) {
			skip_bytes(w, 1);
		} else {
			return;
		}
	}
}

/* In characters, from 1. */
static int column(const struct walk *w)
{
	int n = 1;

	for (const char *p = w->line_start; p < w->at; p++)
		n += ((unsigned char)*p & 0xc0) != 0x80;
	return n;
}

/* ---- complaints --------------------------------------------------------- */

/* Bytes that look like something else, or like nothing. */
static const struct {
	const char *bytes, *what;
} misleading[] = {
	{ "\xc2\xa0", "a no-break space, U+00A0 (an ordinary blank is meant)" },
	{ "\xe2\x80\xaf", "a narrow no-break space, U+202F (an ordinary blank is meant)" },
	{ "\xe2\x80\x8b", "a zero-width space, U+200B (leave it out)" },
	{ "\xef\xbb\xbf", "a byte order mark, U+FEFF (only the beginning of a file may have one)" },
	{ "\xe2\x80\x9c", "a typographic quote, U+201C (strings stand in \"...\")" },
	{ "\xe2\x80\x9d", "a typographic quote, U+201D (strings stand in \"...\")" },
	{ "\xe2\x80\x9e", "a typographic quote, U+201E (strings stand in \"...\")" },
	{ "\xe2\x80\x98", "a typographic quote, U+2018 (strings stand in \"...\")" },
	{ "\xe2\x80\x99", "a typographic quote, U+2019 (strings stand in \"...\")" },
	{ "\xc2\xab", "a typographic quote, U+00AB (strings stand in \"...\")" },
	{ "\xc2\xbb", "a typographic quote, U+00BB (strings stand in \"...\")" },
	{ "\xe2\x80\x93", "a dash, U+2013 (a minus is \"-\")" },
	{ "\xe2\x80\x94", "a dash, U+2014 (a minus is \"-\")" },
	{ "'", "a single quote (strings stand in \"...\")" },
};

static const char *find_misleading(const char *at)
{
	for (size_t i = 0; i < sizeof misleading / sizeof *misleading; i++)
		if (strncmp(at, misleading[i].bytes, strlen(misleading[i].bytes)) == 0)
			return misleading[i].what;
	return NULL;
}

/* The word, or the single sign, that stands here. */
static int word_len(const struct walk *w)
{
	size_t len = strcspn(w->at, WORD_END);

	for (size_t i = 1; i < len; i++)
		if ((unsigned char)w->at[i] >= 0x80 || w->at[i] == '\'')
			len = i;
	return len == 0 ? 1 : len < WORD_MAX ? (int)len : WORD_MAX;
}

/* A mistake here; what: what is wrong with it. Only the first one is reported. */
static void fail_here(struct walk *w, const char *what)
{
	const struct conf_place place = { w->file, w->line };
	const char *known = find_misleading(w->at);
	const unsigned char c = (unsigned char)*w->at;

	if (w->failed)
		return;
	w->failed = true;
	if (c == '\0')
		conf_errors_at(w->errors, place, "syntax error at the end of the file: %s", what);
	else if (known)
		conf_errors_at(w->errors, place, "syntax error, column %d: %s", column(w), known);
	else if (c >= 0x80 || !isprint(c))
		conf_errors_at(w->errors, place, "syntax error, column %d: the byte \\x%02x is no"
		               " printable ASCII (outside of strings and comments nothing else may"
		               " stand)", column(w), c);
	else
		conf_errors_at(w->errors, place, "syntax error at \"%.*s\", column %d: %s", word_len(w),
		               w->at, column(w), what);
}

/* ---- names -------------------------------------------------------------- */

/* By name; the same ones in the order of the text. */
static int by_name(const void *one, const void *other)
{
	const struct name *a = one, *b = other;
	int diff = memcmp(a->at, b->at, a->len < b->len ? a->len : b->len);

	if (!diff)
		diff = (a->len > b->len) - (a->len < b->len);
	return diff ? diff : (a->at > b->at) - (a->at < b->at);
}

static bool is_twin(const struct name *a, const struct name *b)
{
	return a->len == b->len && memcmp(a->at, b->at, a->len) == 0;
}

/* Of a group, whose names begin with the one numbered first. */
static void complain_of_twins(struct walk *w, size_t first)
{
	const struct name *original = NULL;

	if (w->n > first)
		qsort(w->names + first, w->n - first, sizeof *w->names, by_name);
	for (size_t i = first; i < w->n; i++) {
		if (i == first || !is_twin(&w->names[i], original)) {
			original = &w->names[i];
			continue;
		}
		conf_errors_at(w->errors, (struct conf_place){ w->file, w->names[i].line },
		               "duplicate setting name \"%.*s\" (each once in its group; the first"
		               " is at %s:%d)", (int)original->len, original->at, w->file,
		               original->line);
		w->twins = true;
	}
}

/* The parser that comes after us compares each with each. */
static void note_name(struct walk *w, size_t first, size_t len)
{
	char what[64];

	if (w->n - first == CONF_GROUP_MAX) {
		snprintf(what, sizeof what, "a group has at most %d settings", CONF_GROUP_MAX);
		fail_here(w, what);
		return;
	}
	if (w->n == w->room) {
		w->room = w->room ? 2 * w->room : 64;
		w->names = reallocarray(w->names, w->room, sizeof *w->names);
		if (!w->names)
			abort();
	}
	w->names[w->n++] = (struct name){ w->at, len, w->line };
}

static size_t name_len(const char *at)
{
	size_t len = 0;

	if (isalpha((unsigned char)*at) || *at == '*')
		while (isalnum((unsigned char)at[len]) || (at[len] && strchr("-_*", at[len])))
			len++;
	return len;
}

/* ---- values ------------------------------------------------------------- */

static void skip_string(struct walk *w)
{
	for (skip_bytes(w, 1); *w->at && *w->at != '"'; skip_bytes(w, 1))
		if (*w->at == '\\')
			skip_bytes(w, 1);
	skip_bytes(w, 1);
}

/* Strings that follow each other are one. */
static void walk_strings(struct walk *w)
{
	while (*w->at == '"') {
		skip_string(w);
		skip_blank(w);
	}
}

static bool is_boolean(const char *at, size_t len)
{
	return (len == 4 && strncasecmp(at, "true", 4) == 0) ||
	       (len == 5 && strncasecmp(at, "false", 5) == 0);
}

static void walk_value(struct walk *w, char around);

/* From behind the bracket to behind the other one. */
static void walk_items(struct walk *w, char end)
{
	skip_blank(w);
	if (*w->at == end) {
		skip_bytes(w, 1);
		return;
	}
	while (!w->failed) {
		walk_value(w, end);
		skip_blank(w);
		if (w->failed)
			return;
		if (*w->at == end) {
			skip_bytes(w, 1);
			return;
		}
		if (*w->at != ',') {
			fail_here(w, "a comma or the closing bracket is missing before it");
			return;
		}
		skip_bytes(w, 1);
		skip_blank(w);
		if (*w->at == end)
			fail_here(w, "a comma stands before the closing bracket (leave it out)");
	}
}

/* around: the closing bracket of what it stands in. */
static void walk_value(struct walk *w, char around)
{
	const size_t len = name_len(w->at);
	const char c = *w->at;

	if (c == '"') {
		walk_strings(w);
	} else if (around == ']' && c && strchr("{[(", c)) {
		fail_here(w, "[ ] holds only plain values (groups and lists stand in parentheses, as in"
		          " ( { ... } ))");
	} else if (c == '{') {
		skip_bytes(w, 1);
		walk_settings(w, '}', w->line);
	} else if (c == '[' || c == '(') {
		skip_bytes(w, 1);
		walk_items(w, c == '[' ? ']' : ')');
	} else if (is_boolean(w->at, len) && !name_len(w->at + len)) {
		skip_bytes(w, len);
	} else if (isdigit((unsigned char)c) || (c && strchr("+-.", c))) {
		skip_bytes(w, 1);
		skip_bytes(w, strcspn(w->at, WORD_END "/*"));
	} else if (len > 0 || c == '/') {
		fail_here(w, "a string stands in quotes, as in \"...\"");
	} else {
		fail_here(w, "a value is expected here (a string in quotes, a number, true, false, { },"
		     " [ ] or ( ))");
	}
}

/* ---- settings ----------------------------------------------------------- */

static void walk_setting(struct walk *w, size_t first)
{
	const size_t len = name_len(w->at);

	if (len == 0) {
		fail_here(w, *w->at == ';' ? "a semicolon without a setting before it (leave it out)" :
		     *w->at && strchr("}])", *w->at) ? "there is nothing that it closes" :
		          "the name of a setting is expected here");
		return;
	}
	note_name(w, first, len);
	if (w->failed)
		return;
	skip_bytes(w, len);
	skip_blank(w);
	if (*w->at != '=' && *w->at != ':') {
		fail_here(w, *w->at == '{' ? "\"=\" is missing before the group, as in name = { ... }" :
		          "\"=\" is missing between a name and its value");
		return;
	}
	skip_bytes(w, 1);
	skip_blank(w);
	walk_value(w, '}');
	skip_blank(w);
	if (!w->failed && (*w->at == ';' || *w->at == ','))
		skip_bytes(w, 1);
}

/* begun: the line of the brace that end ('}') closes; end '\0': the whole text. */
static void walk_settings(struct walk *w, char end, int begun)
{
	const size_t first = w->n;
	char what[64];

	for (skip_blank(w); !w->failed && *w->at != end; skip_blank(w)) {
		if (*w->at == '\0') {
			snprintf(what, sizeof what, "the \"{\" of line %d is not closed", begun);
			fail_here(w, what);
		} else {
			walk_setting(w, first);
		}
	}
	if (!w->failed && end)
		skip_bytes(w, 1);
	complain_of_twins(w, first);
	w->n = first;
}

bool conf_syntax_check(struct conf_errors *r, const char *file, const char *text)
{
	struct walk w = { .errors = r, .file = file, .at = text, .line_start = text, .line = 1 };

	walk_settings(&w, '\0', 1);
	free(w.names);
	return !w.failed && !w.twins;
}
