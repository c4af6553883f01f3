/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Escapes text for HTML.
 */
#include <config.h>
#include "html.h"

#include <stdbool.h>

static bool is_forbidden(unsigned char c)
{
	return (c < ' ' && c != '\t' && c != '\n') || c == 0x7f;
}

void html_text(FILE *out, const char *text)
{
	for (; *text; text++)
		switch (*text) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		default:
			if (is_forbidden((unsigned char)*text))
				fputs("\xef\xbf\xbd", out);
			else
				putc(*text, out);
		}
}
