/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Follows the tokens of libconfig 1.5 closely enough to tell comments, strings and numbers
 * apart. It leaves the grammar to the parser.
 */
#include <config.h>
#include "conf_scan.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 32    /* the parser recurses; our keys need 5 */

struct scan {
	struct conf_errors *errors;
	const char         *file;
	char               *at;
	int                 line;
	int                 depth;
	bool                parsable;
};

/* Complains about something that starts here and that no parser should see. */
static void refuse_text(struct scan *s, int line, const char *what)
{
	conf_errors_at(s->errors, (struct conf_place){ s->file, line }, "%s", what);
	s->parsable = false;
}

static void skip_bytes(struct scan *s, size_t n)
{
	for (; n > 0 && *s->at; n--)
		s->line += *s->at++ == '\n';
}

static void skip_block_comment(struct scan *s)
{
	const char *end = strstr(s->at + 2, "*/");

	if (!end)
		refuse_text(s, s->line, "the comment that begins here has no end");
	skip_bytes(s, end ? (size_t)(end + 2 - s->at) : strlen(s->at));
}

/* White space and comments. */
static void skip_blank(struct scan *s)
{
	for (;;) {
		if (*s->at == '#' || strncmp(s->at, "//", 2) == 0)
			skip_bytes(s, strcspn(s->at, "\n"));
		else if (strncmp(s->at, "/*", 2) == 0)
			skip_block_comment(s);
		else if (*s->at && strchr(" \t\n\r\f", *s->at))
			skip_bytes(s, 1);
		else
			return;
	}
}

/*
 * libconfig gives a string the line of the token after it. A bracket there is
 * moved forward, to stand right behind the string.
 */
static void pull_bracket(struct scan *s)
{
	char *behind = s->at, bracket;
	int line = s->line;

	skip_blank(s);
	bracket = *s->at;
	if (s->line == line || (bracket != ']' && bracket != ')'))
		return;
	memmove(behind + 1, behind, (size_t)(s->at - behind));
	*behind = bracket;
	s->depth--;
	s->at++;                /* the last blank, counted already */
}

static void skip_string(struct scan *s)
{
	int line = s->line;

	for (skip_bytes(s, 1); *s->at && *s->at != '"'; skip_bytes(s, 1)) {
		if (*s->at != '\\')
			continue;
		if (strncasecmp(s->at, "\\x00", 4) == 0)
			refuse_text(s, s->line, "a string holds \\x00 (no NUL bytes)");
		skip_bytes(s, 1);
	}
	if (*s->at == '\0') {
		refuse_text(s, line, "the string that begins here has no end");
		return;
	}
	skip_bytes(s, 1);
	pull_bracket(s);
}

/* The integer that begins here, len bytes with its suffix, if it does not fit. */
static void judge_integer(struct scan *s, size_t len)
{
	const bool hex = len > 1 && tolower((unsigned char)s->at[1]) == 'x';
	const bool wide = s->at[len - 1] == 'L';
	long long value;

	errno = 0;
	value = strtoll(s->at, NULL, hex ? 16 : 10);
	if (errno == ERANGE)
		conf_errors_at(s->errors, (struct conf_place){ s->file, s->line },
		               "%.*s does not fit into 64 bits", (int)len, s->at);
	else if (!wide && (value > INT_MAX || value < INT_MIN))
		conf_errors_at(s->errors, (struct conf_place){ s->file, s->line },
		               "%.*s does not fit into 32 bits (%.*sL, with an L, would)",
		               (int)len, s->at, (int)len, s->at);
}

/* The number with a fraction or an exponent that begins here, len bytes, if it is lost on the way. */
static void judge_fraction(struct scan *s, size_t len)
{
	const size_t mantissa = strcspn(s->at, "eE");
	const size_t digits = mantissa < len ? mantissa : len;
	const double value = strtod(s->at, NULL);

	if (isinf(value))
		conf_errors_at(s->errors, (struct conf_place){ s->file, s->line },
		               "%.*s is too large for a number", (int)len, s->at);
	else if (value == 0 && strcspn(s->at, "123456789") < digits)
		conf_errors_at(s->errors, (struct conf_place){ s->file, s->line },
		               "%.*s is too small to be told from 0 (0, if that is meant; a duration"
		               " is at least 0.001)", (int)len, s->at);
}

static size_t count_suffix(const char *at)
{
	return at[0] != 'L' ? 0 : at[1] != 'L' ? 1 : 2;
}

/* Length of the exponent at s: "e", a sign or none, digits; else 0. */
static size_t count_exponent(const char *at)
{
	size_t sign = *at && (at[1] == '-' || at[1] == '+');

	if ((*at != 'e' && *at != 'E') || !isdigit((unsigned char)at[1 + sign]))
		return 0;
	return 1 + sign + strspn(at + 1 + sign, "0123456789");
}

static void skip_number(struct scan *s)
{
	const char *digits = s->at + (*s->at == '-' || *s->at == '+');
	size_t whole = strspn(digits, "0123456789"), part;
	size_t len = (size_t)(digits - s->at) + whole;

	if (digits == s->at && *digits == '0' && (digits[1] == 'x' || digits[1] == 'X')) {
		len = 2 + strspn(digits + 2, "0123456789abcdefABCDEF");
		len += count_suffix(s->at + len);
		judge_integer(s, len);
	} else if (digits[whole] == '.') {
		part = strspn(digits + whole + 1, "0123456789");
		if (whole + part == 0)
			refuse_text(s, s->line, "a number without digits");
		len += 1 + part;
		len += count_exponent(s->at + len);
		judge_fraction(s, len);
	} else if (whole && count_exponent(s->at + len)) {
		len += count_exponent(s->at + len);
		judge_fraction(s, len);
	} else if (whole) {
		len += count_suffix(s->at + len);
		judge_integer(s, len);
	} else {
		len = 1;
	}
	if (isalpha((unsigned char)s->at[len])) {
		conf_errors_at(s->errors, (struct conf_place){ s->file, s->line },
		               "a number runs into \"%.*s\" (a value with a unit stands in"
		               " quotes, as in \"30s\")",
		               (int)strcspn(s->at + len, " \t\r\n;,})]"), s->at + len);
		s->parsable = false;
	}
	skip_bytes(s, len);
}

static void skip_name(struct scan *s)
{
	while (isalnum((unsigned char)*s->at) || (*s->at && strchr("-_*", *s->at)))
		skip_bytes(s, 1);
}

static void enter_group(struct scan *s)
{
	if (++s->depth == DEPTH_MAX + 1)
		refuse_text(s, s->line, "groups and lists are nested too deeply (32 levels at most)");
	skip_bytes(s, 1);
}

static void skip_token(struct scan *s)
{
	const char c = *s->at;

	if (c == '"') {
		skip_string(s);
	} else if (isalpha((unsigned char)c) || c == '*') {
		skip_name(s);
	} else if (isdigit((unsigned char)c) || strchr("+-.", c)) {
		skip_number(s);
	} else if (strchr("{[(", c)) {
		enter_group(s);
	} else if (strchr("}])", c)) {
		s->depth--;
		skip_bytes(s, 1);
	} else {
		if (strncmp(s->at, "@include", 8) == 0)
			refuse_text(s, s->line, "@include is not supported"
			            " (use the key include = [ \"conf.d/*.conf\" ] in the main file)");
		skip_bytes(s, 1);
	}
}

bool conf_scan(struct conf_errors *r, const char *file, char *text)
{
	struct scan s = { .errors = r, .file = file, .at = text, .line = 1, .parsable = true };

	for (skip_blank(&s); *s.at; skip_blank(&s))
		skip_token(&s);
	return s.parsable;
}
