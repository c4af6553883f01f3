/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A small part of sh(1): it executes nothing.
 */
#include <config.h>
#include "import_shell.h"

#include <ctype.h>
#include <string.h>

#include "import_input.h"

#define BLANK " \t"

struct scan {
	struct import_shell *sh;
	const char          *at;
	char                *word;
	size_t               len, room;
	struct import_words  words;             /* that are complete */
	bool                 begun;             /* a word, which may be empty, as "" */
};

static size_t name_length(const char *text)
{
	size_t n = 0;

	if (isdigit((unsigned char)*text))
		return 0;
	while (isalnum((unsigned char)text[n]) || text[n] == '_')
		n++;
	return n;
}

static const char *value_of(const struct import_shell *sh, const char *name, size_t len)
{
	for (size_t i = sh->names.n; i-- > 0;)
		if (strlen(sh->names.v[i]) == len && strncmp(sh->names.v[i], name, len) == 0)
			return sh->values.v[i];
	return NULL;
}

static void put(struct scan *s, const char *text, size_t len)
{
	char *more;

	if (s->len + len > s->room) {
		s->room = 2 * (s->len + len);
		more = import_alloc(s->sh->im, s->room);
		if (s->len > 0)
			memcpy(more, s->word, s->len);
		s->word = more;
	}
	if (len > 0)
		memcpy(s->word + s->len, text, len);
	s->len += len;
	s->begun = true;
}

static void end_word(struct scan *s)
{
	if (s->begun)
		import_words_add(s->sh->im, &s->words,
		                 s->len ? import_strndup(s->sh->im, s->word, s->len) : "");
	s->begun = false;
	s->len = 0;
}

/* "id -u USER" and "id -g USER": what tcpserver wants to know of a user, which drover looks up itself. */
static const char *user_of_id(struct import *im, const char *command, size_t len)
{
	const struct import_words w = import_input_split(im, import_strndup(im, command, len));

	if (w.n != 3 || strcmp(import_input_base(w.v[0]), "id") != 0 ||
	    (strcmp(w.v[1], "-u") != 0 && strcmp(w.v[1], "-g") != 0))
		return NULL;
	return w.v[2];
}

/* A command between `` or in $(): it stays as it is, unless it is id. */
static void take_command(struct scan *s, size_t before, char end)
{
	const char *close = strchr(s->at + before, end), *user;
	const size_t len = close ? (size_t)(close - s->at) + 1 : strlen(s->at);

	user = close ? user_of_id(s->sh->im, s->at + before, len - before - 1) : NULL;
	if (user)
		put(s, user, strlen(user));
	else
		put(s, s->at, len);
	s->at += len;
}

/* Blanks of a value end a word, and an empty value is none; but not behind "NAME=". */
static void put_value(struct scan *s, const char *value, bool quoted)
{
	const char *equals = s->len > 0 ? memchr(s->word, '=', s->len) : NULL;
	size_t len;

	if (quoted || (equals && name_length(s->word) == (size_t)(equals - s->word))) {
		put(s, value, strlen(value));
		return;
	}
	for (; *value; value += len) {
		len = strspn(value, BLANK);
		if (len > 0) {
			end_word(s);
		} else {
			len = strcspn(value, BLANK);
			put(s, value, len);
		}
	}
}

static void take_variable(struct scan *s, bool quoted)
{
	const bool braces = s->at[1] == '{';
	const char *name = s->at + 1 + braces;
	const size_t len = name_length(name), whole = 1 + len + 2 * (size_t)braces;
	const char *value = len > 0 && (!braces || name[len] == '}') ? value_of(s->sh, name, len) : NULL;

	if (value) {
		put_value(s, value, quoted);
		s->at += whole;
	} else {
		put(s, s->at++, 1);
	}
}

/* What begins with $ or `. */
static void take_expansion(struct scan *s, bool quoted)
{
	if (*s->at == '`')
		take_command(s, 1, '`');
	else if (s->at[1] == '(')
		take_command(s, 2, ')');
	else
		take_variable(s, quoted);
}

static void take_double_quotes(struct scan *s)
{
	for (s->at++; *s->at && *s->at != '"';) {
		if (*s->at == '\\' && s->at[1] && strchr("\"\\$`", s->at[1])) {
			put(s, s->at + 1, 1);
			s->at += 2;
		} else if (*s->at == '$' || *s->at == '`') {
			take_expansion(s, true);
		} else {
			put(s, s->at++, 1);
		}
	}
	s->at += *s->at == '"';
}

static void take_single_quotes(struct scan *s)
{
	const size_t len = strcspn(++s->at, "'");

	put(s, s->at, len);
	s->at += len;
	s->at += *s->at == '\'';
}

static void take_character(struct scan *s)
{
	if (*s->at == '"') {
		put(s, "", 0);
		take_double_quotes(s);
	} else if (*s->at == '\'') {
		take_single_quotes(s);
	} else if (*s->at == '$' || *s->at == '`') {
		take_expansion(s, false);
	} else {
		s->at += *s->at == '\\' && s->at[1] != '\0';
		put(s, s->at++, 1);
	}
}

/* "2>&1", ">file", "<file": with the file. */
static void skip_redirection(struct scan *s)
{
	s->at += strspn(s->at, "<>&");
	s->at += strspn(s->at, BLANK);
	s->at += strcspn(s->at, BLANK ";|");
}

/* The number before > or < is of a descriptor, and no word. */
static bool is_descriptor(const struct scan *s)
{
	return s->begun && s->len == 1 && isdigit((unsigned char)s->word[0]);
}

struct import_words import_shell_split(struct import_shell *sh, const char *line, const char **rest)
{
	struct scan s = { .sh = sh, .at = line };

	while (*s.at && !strchr(";|", *s.at) && !(*s.at == '#' && !s.begun)) {
		if (strchr(BLANK, *s.at)) {
			end_word(&s);
			s.at++;
		} else if (*s.at == '<' || *s.at == '>') {
			s.begun = s.begun && !is_descriptor(&s);
			s.len = s.begun ? s.len : 0;
			end_word(&s);
			skip_redirection(&s);
		} else if (*s.at == '&') {
			break;
		} else {
			take_character(&s);
		}
	}
	end_word(&s);
	s.at += strspn(s.at, ";|&");
	*rest = *s.at && *s.at != '#' ? s.at : NULL;
	return s.words;
}

bool import_shell_is_assignment(const char *word)
{
	const size_t len = name_length(word);

	return len > 0 && word[len] == '=';
}

void import_shell_remember(struct import_shell *sh, const char *assignment)
{
	const size_t len = name_length(assignment);
	const char *value = assignment + len + 1;

	import_words_add(sh->im, &sh->names, import_strndup(sh->im, assignment, len));
	import_words_add(sh->im, &sh->values, import_shell_is_open(value) ? NULL : value);
}

bool import_shell_find(const struct import_shell *sh, const char *name, const char **value)
{
	*value = value_of(sh, name, strlen(name));
	return import_words_have(&sh->names, name);
}

bool import_shell_is_open(const char *word)
{
	return strchr(word, '`') || strchr(word, '$');
}
