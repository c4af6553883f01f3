/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes each remark one printable line, and sorts them.
 */
#include <config.h>
#include "conf_errors.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define TEXT_MAX    1024        /* longer remarks are cut */
#define REMARKS_MAX 10000       /* that are held; beyond it they are told in portions */
#define TWINS_MAX   256         /* how far back the same line is looked for */

struct conf_remark {
	enum conf_weight weight;
	char            *file;
	int              line;
	size_t           number;        /* in the order in which they were made */
	char            *text;          /* the whole line */
};

static char *copy_of(const char *s)
{
	char *copy = strdup(s);

	if (!copy)
		abort();                /* as libconfig would */
	return copy;
}

static void collect_remark(struct conf_errors *r, enum conf_weight weight, struct conf_place place,
                           const char *line)
{
	if (r->n == REMARKS_MAX)
		conf_errors_flush(r);
	if (r->n == r->room) {
		r->room = r->room ? 2 * r->room : 16;
		r->remarks = reallocarray(r->remarks, r->room, sizeof *r->remarks);
		if (!r->remarks)
			abort();
	}
	r->remarks[r->n] = (struct conf_remark){
		.weight = weight, .file = copy_of(place.file ? place.file : ""),
		.line = place.line, .number = r->n, .text = copy_of(line),
	};
	r->n++;
}

static void remark(struct conf_errors *r, enum conf_weight weight, struct conf_place place,
                   const char *format, va_list ap)
{
	char buf[TEXT_MAX], line[TEXT_MAX];
	struct text text = text_in(buf, sizeof buf), safe = text_in(line, sizeof line);

	/* Of a file as a whole: its beginning, so that the form is always the same. */
	place.line = place.line ? place.line : 1;
	text_add(&text, "%s:%d: %s", place.file, place.line, weight == CONF_WARNING ? "warning: " : "");
	text_vadd(&text, format, ap);
	text_add_safe(&safe, buf, text.len);
	collect_remark(r, weight, place, line);
}

void conf_errors_at(struct conf_errors *r, struct conf_place place, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	remark(r, CONF_ERROR, place, format, ap);
	va_end(ap);
	r->count++;
}

void conf_errors_warn(struct conf_errors *r, struct conf_place place, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	remark(r, CONF_WARNING, place, format, ap);
	va_end(ap);
}

static int by_file(const char *a, const char *b, const char *main)
{
	const int diff = strcmp(a, b);

	if (diff && main && strcmp(a, main) == 0)
		return -1;
	if (diff && main && strcmp(b, main) == 0)
		return 1;
	return diff;
}

static int by_place(const void *one, const void *other, void *arg)
{
	const struct conf_remark *a = one, *b = other;
	const struct conf_errors *r = arg;
	int diff = by_file(a->file, b->file, r->main);

	if (!diff)
		diff = (a->line > b->line) - (a->line < b->line);
	if (!diff)
		diff = (a->number > b->number) - (a->number < b->number);
	return diff;
}

/* Lines that are the same have the same place: they are not far from each other. */
static bool was_told(const struct conf_remark *remarks, size_t i)
{
	for (size_t j = i; j > 0 && i - j < TWINS_MAX; j--) {
		if (remarks[j - 1].line != remarks[i].line)
			return false;
		if (strcmp(remarks[j - 1].text, remarks[i].text) == 0)
			return true;
	}
	return false;
}

void conf_errors_flush(struct conf_errors *r)
{
	if (r->n > 0)
		qsort_r(r->remarks, r->n, sizeof *r->remarks, by_place, r);
	for (size_t i = 0; i < r->n; i++)
		if (!was_told(r->remarks, i))
			r->complain(r->arg, r->remarks[i].weight, r->remarks[i].text);
	for (size_t i = 0; i < r->n; i++) {
		free(r->remarks[i].file);
		free(r->remarks[i].text);
	}
	free(r->remarks);
	r->remarks = NULL;
	r->n = r->room = 0;
}

void conf_errors_mark_temporary(struct conf_errors *r)
{
	r->temporary++;
}

void conf_errors_mark_file(struct conf_errors *r, int error)
{
	static const int passing[] = {
		EIO, ESTALE, ETIMEDOUT, ENOTCONN, ECONNREFUSED, EHOSTDOWN, EHOSTUNREACH,
		ENETDOWN, ENETUNREACH, EREMOTEIO, EAGAIN, EMFILE, ENFILE, ENOMEM,
	};

	for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
		if (passing[i] == error)
			conf_errors_mark_temporary(r);
}
