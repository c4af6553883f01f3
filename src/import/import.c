/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Collects services and remarks, and tells on im->err what is not carried over as soon as it is known.
 */
#include <config.h>
#include "import.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "text.h"

#define ARENA_SIZE (256u << 20)         /* address space */
#define LINE_MAX_BYTES 2000             /* of a remark */

static _Noreturn void lack_memory(void)
{
	fputs("drover-import: there is no memory for so much input\n", stderr);
	exit(EX_OSERR);
}

void import_open(struct import *im, FILE *err)
{
	*im = (struct import){ .err = err };
	im->end = &im->services;
	if (arena_open(&im->arena, ARENA_SIZE) == -1)
		lack_memory();
}

void import_close(struct import *im)
{
	arena_close(&im->arena);
}

/* ---- memory ------------------------------------------------------------- */

void *import_alloc(struct import *im, size_t size)
{
	void *memory = arena_alloc(&im->arena, size);

	if (!memory)
		lack_memory();
	return memory;
}

const char *import_strndup(struct import *im, const char *s, size_t len)
{
	char *copy = arena_strndup(&im->arena, s, len);

	if (!copy)
		lack_memory();
	return copy;
}

const char *import_strdup(struct import *im, const char *s)
{
	return import_strndup(im, s, strlen(s));
}

static const char *format_text(struct import *im, const char *format, va_list ap)
{
	char *text;
	const char *copy;

	if (vasprintf(&text, format, ap) == -1)
		lack_memory();
	copy = import_strdup(im, text);
	free(text);
	return copy;
}

const char *import_printf(struct import *im, const char *format, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, format);
	text = format_text(im, format, ap);
	va_end(ap);
	return text;
}

void import_words_add(struct import *im, struct import_words *w, const char *text)
{
	const char **more;

	if (w->n == w->room) {
		w->room = w->room ? 2 * w->room : 8;
		more = import_alloc(im, (w->room + 1) * sizeof *more);
		if (w->n > 0)
			memcpy(more, w->v, w->n * sizeof *more);
		w->v = more;
	}
	w->v[w->n++] = text;
	w->v[w->n] = NULL;
}

bool import_words_have(const struct import_words *w, const char *text)
{
	for (size_t i = 0; i < w->n; i++)
		if (strcmp(w->v[i], text) == 0)
			return true;
	return false;
}

void import_words_remove(struct import_words *w, const char *text)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->n; i++)
		if (strcmp(w->v[i], text) != 0)
			w->v[kept++] = w->v[i];
	w->n = kept;
	if (w->v)
		w->v[kept] = NULL;
}

const char *import_words_join(struct import *im, const struct import_words *w)
{
	size_t len = 1;
	char *all, *end;

	for (size_t i = 0; i < w->n; i++)
		len += strlen(w->v[i]) + 1;
	all = end = import_alloc(im, len);
	for (size_t i = 0; i < w->n; i++) {
		if (i > 0)
			*end++ = ' ';
		end = stpcpy(end, w->v[i]);
	}
	return all;
}

/* ---- services and remarks ----------------------------------------------- */

struct import_service *import_add_service(struct import *im, struct import_place place, const char *name)
{
	struct import_service *svc = import_alloc(im, sizeof *svc);

	svc->place = place;
	svc->original = import_strdup(im, name);
	*im->end = svc;
	im->end = &svc->next;
	return svc;
}

/* One line, whatever bytes the input had. */
static void tell(struct import *im, struct import_place place, const char *who, const char *text)
{
	char line[LINE_MAX_BYTES];
	struct text t = text_in(line, sizeof line);

	text_add_safe(&t, place.file, strlen(place.file));
	text_add(&t, ":%d: ", place.line);
	if (who)
		text_add_safe(&t, who, strlen(who));
	text_add_string(&t, who ? ": " : "");
	text_add_safe(&t, text, strlen(text));
	fprintf(im->err, "%s\n", line);
}

/* Was it served before? If not, nothing is lost with it. */
static bool was_served(const struct import_service *svc)
{
	return !svc || !svc->disabled || svc->held;
}

static bool is_known(const struct import_note *notes, struct import_place place, const char *text)
{
	for (; notes; notes = notes->next)
		if (notes->place.line == place.line && notes->place.file == place.file &&
		    strcmp(notes->text, text) == 0)
			return true;
	return false;
}

static void add_note(struct import *im, struct import_service *svc, struct import_place place,
                     const char *text, bool lost)
{
	struct import_note *note, **at = svc ? &svc->notes : &im->notes;

	if (is_known(*at, place, text))
		return;
	note = import_alloc(im, sizeof *note);
	*note = (struct import_note){ .place = place, .text = text, .lost = lost };
	while (*at)
		at = &(*at)->next;
	*at = note;
}

void import_note(struct import *im, struct import_service *svc, struct import_place place,
                 const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add_note(im, svc, place, format_text(im, format, ap), false);
	va_end(ap);
}

void import_lose(struct import *im, struct import_service *svc, struct import_place place,
                 const char *format, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, format);
	text = format_text(im, format, ap);
	va_end(ap);
	add_note(im, svc, place, text, true);
	if (!was_served(svc))
		return;
	tell(im, place, svc ? svc->original : NULL, text);
	im->n_lost++;
}

void import_refuse(struct import *im, struct import_service *svc, struct import_place place,
                   const char *format, ...)
{
	va_list ap;

	if (svc->refused)
		return;
	va_start(ap, format);
	svc->refused = format_text(im, format, ap);
	va_end(ap);
	if (!was_served(svc))
		return;
	tell(im, place, svc->original, svc->refused);
	im->n_lost++;
}

void import_break(struct import *im, struct import_place place, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	tell(im, place, NULL, format_text(im, format, ap));
	va_end(ap);
	im->n_broken++;
}
