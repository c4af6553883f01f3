/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Complaints, made into single printable lines.
 */
#include <config.h>
#include "conf_report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX 1024   /* longer complaints are cut: nobody reads on */

static void make_printable(const char *text, char *line, size_t size)
{
	size_t at = 0;

	for (; *text && at + sizeof "\\xNN" <= size; text++) {
		unsigned char c = (unsigned char)*text;

		if (c >= ' ' && c <= '~')
			line[at++] = (char)c;
		else
			at += (size_t)snprintf(line + at, size - at, "\\x%02x", c);
	}
	line[at] = '\0';
}

/* FNV-1a */
static uint64_t hash(const char *s)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * UINT64_C(1099511628211);
	return h;
}

/* Also counts what was not. */
static bool was_said(struct conf_report *r, const char *line)
{
	const uint64_t h = hash(line);

	for (unsigned i = 0; i < r->count && i < CONF_REPORT_MEMORY; i++)
		if (r->made[i] == h)
			return true;
	if (r->count < CONF_REPORT_MEMORY)
		r->made[r->count] = h;
	r->count++;
	return false;
}

void conf_report_at(struct conf_report *r, struct conf_place place, const char *format, ...)
{
	char text[TEXT_MAX], line[TEXT_MAX];
	va_list ap;
	size_t at;

	/* Of a file as a whole: its beginning, so that the form is always the same. */
	snprintf(text, sizeof text, "%s:%d: ", place.file, place.line ? place.line : 1);
	at = strlen(text);
	va_start(ap, format);
	vsnprintf(text + at, sizeof text - at, format, ap);
	va_end(ap);
	make_printable(text, line, sizeof line);
	if (was_said(r, line))
		return;
	r->complain(r->arg, line);
}

void conf_report_mark_temporary(struct conf_report *r)
{
	r->temporary++;
}

void conf_report_mark_file(struct conf_report *r, int error)
{
	static const int passing[] = {
		EIO, ESTALE, ETIMEDOUT, ENOTCONN, ECONNREFUSED, EHOSTDOWN, EHOSTUNREACH,
		ENETDOWN, ENETUNREACH, EREMOTEIO, EAGAIN, EMFILE, ENFILE, ENOMEM,
	};

	for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
		if (passing[i] == error)
			conf_report_mark_temporary(r);
}
