/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Parses templates. A brace always means something, so that a misspelt template is an error and not
 * a line full of braces.
 */
#include <config.h>
#include "access_format.h"

#include <string.h>

static const char *const names[ACCESS_FORMAT_LITERAL] = {
#define X(NAME, name) [ACCESS_FORMAT_##NAME] = #name,
	ACCESS_FORMAT_FIELDS(X)
#undef X
};

const char *access_format_name(enum access_format_field field)
{
	return names[field];
}

bool access_format_is_template(const char *text)
{
	return strpbrk(text, "{}");
}

static enum access_format_field find_field(const char *name, size_t len)
{
	int field = 0;

	while (field < ACCESS_FORMAT_LITERAL && (strncmp(names[field], name, len) != 0 || names[field][len]))
		field++;
	return (enum access_format_field)field;
}

static void keep_name(struct access_format_fault *fault, const char *name, size_t len)
{
	const size_t room = sizeof fault->name - 1;

	len = len < room ? len : room;
	memcpy(fault->name, name, len);
	fault->name[len] = '\0';
}

/* Takes "{name}" at text. Returns its length; 0 with *fault. */
static size_t take_field(const char *text, struct access_format_piece *piece,
                         struct access_format_fault *fault)
{
	const size_t len = strcspn(text + 1, "{}");

	fault->error = ACCESS_FORMAT_OPEN;
	if (text[1 + len] != '}')
		return 0;
	fault->error = ACCESS_FORMAT_UNKNOWN;
	keep_name(fault, text + 1, len);
	piece->field = find_field(text + 1, len);
	return piece->field == ACCESS_FORMAT_LITERAL ? 0 : len + 2;
}

/* Takes what is first in text. Returns its length; 0 with *fault. */
static size_t take_piece(const char *text, struct access_format_piece *piece,
                         struct access_format_fault *fault)
{
	const bool doubled = (text[0] == '{' || text[0] == '}') && text[1] == text[0];

	*piece = (struct access_format_piece){ ACCESS_FORMAT_LITERAL, text, 1 };
	if (doubled)
		return 2;
	if (text[0] == '{')
		return take_field(text, piece, fault);
	piece->len = strcspn(text, "{}");
	fault->error = ACCESS_FORMAT_CLOSED;
	return piece->len;              /* 0: it is a brace */
}

static bool is_writable(const char *text)
{
	while ((*text >= ' ' && *text <= '~') || *text == '\t')
		text++;
	return *text == '\0';
}

size_t access_format_parse(const char *text, struct access_format_piece pieces[ACCESS_FORMAT_PIECES_MAX],
                           struct access_format_fault *fault)
{
	bool constant = true;
	size_t n = 0, len;

	fault->error = ACCESS_FORMAT_BYTE;
	if (!is_writable(text))
		return 0;
	fault->error = ACCESS_FORMAT_LONG;
	if (strlen(text) > ACCESS_FORMAT_TEXT_MAX)
		return 0;
	for (; *text; text += len, n++) {
		fault->error = ACCESS_FORMAT_LONG;
		len = n < ACCESS_FORMAT_PIECES_MAX ? take_piece(text, &pieces[n], fault) : 0;
		if (len == 0)
			return 0;
		constant &= pieces[n].field == ACCESS_FORMAT_LITERAL;
	}
	fault->error = ACCESS_FORMAT_CONSTANT;
	return constant ? 0 : n;
}
