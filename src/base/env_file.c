/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads a file of variables from left to right: a name, an equals sign, and a value, which may have
 * quotes around all of it and may then be of several lines.
 */
#include <config.h>
#include "env_file.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLANK    " \t\r"

struct parser {
	const char        *at;          /* the next byte */
	int                line;        /* of it */
	char              *name;        /* of the variable that is being read; room for all of the text */
	char              *value;       /* likewise */
	size_t             len;
	env_file_take     *take;
	env_file_complain *complain;
	void              *arg;
};

static void skip_blanks(struct parser *p)
{
	p->at += strspn(p->at, BLANK);
}

/* To the first byte of the next line, or to the end. */
static void skip_line(struct parser *p)
{
	p->at += strcspn(p->at, "\n");
	if (*p->at == '\n') {
		p->at++;
		p->line++;
	}
}

static void put(struct parser *p, char c)
{
	p->value[p->len++] = c;
	p->line += c == '\n';
}

/* After a backslash that ends its line: the newline is dropped. */
static bool skip_newline(struct parser *p)
{
	const char *end = p->at + (*p->at == '\r');

	if (*end != '\n')
		return false;
	p->at = end + 1;
	p->line++;
	return true;
}

/* Of a value without quotes, up to the end of the line. A backslash keeps the byte after it. */
static void read_plain(struct parser *p)
{
	size_t kept = 0;                /* what stays even if it is a blank at the end */

	while (*p->at && *p->at != '\n') {
		if (*p->at != '\\') {
			put(p, *p->at++);
			if (!strchr(BLANK, p->value[p->len - 1]))
				kept = p->len;
			continue;
		}
		p->at++;
		if (!skip_newline(p) && *p->at) {
			put(p, *p->at++);
			kept = p->len;
		}
	}
	p->len = kept;
}

/* Inside double quotes, behind a backslash. */
static void read_escape(struct parser *p)
{
	if (skip_newline(p))
		return;
	if (!*p->at || !strchr("\"\\`$", *p->at))
		put(p, '\\');
	else
		put(p, *p->at++);
}

/* Up to the same quote, which may be on a later line. False if there is none. */
static bool read_quoted(struct parser *p, char quote)
{
	while (*p->at && *p->at != quote) {
		if (*p->at != '\\' || quote == '\'') {
			put(p, *p->at++);
			continue;
		}
		p->at++;
		read_escape(p);
	}
	if (!*p->at)
		return false;
	p->at++;
	return true;
}

/* What is wrong with the value, or NULL; it is in p->value then. */
static const char *read_value(struct parser *p)
{
	const char quote = *p->at;

	p->len = 0;
	if (quote != '"' && quote != '\'') {
		read_plain(p);
		return NULL;
	}
	p->at++;
	if (!read_quoted(p, quote))
		return "the quote that begins here has no end";
	skip_blanks(p);
	return *p->at == '\n' || *p->at == '\0' ? NULL :
	       "there is text behind the quotes (they stand around the whole value)";
}

/* A letter or _, then letters, digits and _. */
static bool is_name(const char *name)
{
	if (!isalpha((unsigned char)*name) && *name != '_')
		return false;
	while (isalnum((unsigned char)*name) || *name == '_')
		name++;
	return *name == '\0';
}

/* What stands up to the equals sign, or, if there is none, on the line. */
static void read_name(struct parser *p)
{
	size_t len = strcspn(p->at, "=\n");

	memcpy(p->name, p->at, len);
	p->at += len;
	while (len > 0 && strchr(BLANK, p->name[len - 1]))
		len--;
	p->name[len] = '\0';
}

static void complain_of_name(struct parser *p, int line, const char *what)
{
	char text[200];

	snprintf(text, sizeof text, "\"%.64s\" is not %s", p->name, what);
	p->complain(p->arg, line, text);
}

static void read_setting(struct parser *p)
{
	const int line = p->line;
	const char *wrong;

	read_name(p);
	if (*p->at != '=') {
		complain_of_name(p, line, "a variable (NAME=VALUE; a comment begins with #)");
		return;
	}
	p->at++;
	skip_blanks(p);
	wrong = read_value(p);
	p->value[p->len] = '\0';
	if (wrong)
		p->complain(p->arg, line, wrong);
	else if (!is_name(p->name))
		complain_of_name(p, line, "the name of a variable (letters, digits and _)");
	else
		p->take(p->arg, line, p->name, p->value);
}

int env_file_parse(const char *text, env_file_take *take, env_file_complain *complain, void *arg)
{
	const size_t size = strlen(text) + 1;
	struct parser p = { .at = text, .line = 1, .take = take, .complain = complain, .arg = arg };

	p.name = malloc(2 * size);
	if (!p.name)
		return -1;
	p.value = p.name + size;
	while (*p.at) {
		skip_blanks(&p);
		if (*p.at && !strchr("#;\n", *p.at))
			read_setting(&p);
		skip_line(&p);
	}
	free(p.name);
	return 0;
}
