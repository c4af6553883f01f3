/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Loads the output with the code of droverd. An error has a line of the output, which is in the lines of
 * a service, which has a place in the input.
 */
#include <config.h>
#include "import_check.h"

#include <stdlib.h>
#include <string.h>

#include "conf.h"

#define NAME "drover-import.conf"       /* what errors call the output; nothing is told with it */

struct errors {
	struct import      *im;
	struct import_words lines;
};

static void keep(void *arg, enum conf_weight weight, const char *line)
{
	struct errors *e = arg;

	if (weight == CONF_ERROR)
		import_words_add(e->im, &e->lines, import_strdup(e->im, line));
}

/* The text of an error behind NAME:LINE, and the service that it is about; NULL: none. */
static struct import_service *service_of(struct import *im, const char *error, const char **text)
{
	char *end;
	long line;

	*text = error;
	if (strncmp(error, NAME ":", strlen(NAME) + 1) != 0)
		return NULL;
	line = strtol(error + strlen(NAME) + 1, &end, 10);
	*text = end + strspn(end, ": ");
	for (struct import_service *s = im->services; s; s = s->next)
		if (!s->refused && s->first_line <= line && line <= s->last_line)
			return s;
	return NULL;
}

static bool comment_out(struct import *im, const struct import_words *errors)
{
	bool any = false;

	for (size_t i = 0; i < errors->n; i++) {
		const char *text;
		struct import_service *svc = service_of(im, errors->v[i], &text);

		if (svc && svc->disabled && !svc->held && !svc->commented) {
			svc->commented = any = true;
			import_note(im, svc, svc->place, "it is a comment, because it is disabled and"
			            " droverd would refuse it here: %s", text);
		}
	}
	return any;
}

static void tell(struct import *im, const char *error)
{
	const char *text;
	const struct import_service *svc = service_of(im, error, &text);
	const char *file = im->files.n > 0 ? im->files.v[0] : "-";

	im->n_refused_by_droverd += svc || text == error;
	if (svc)
		fprintf(im->err, "%s:%d: %s: droverd refuses this here: %s\n", svc->place.file,
		        svc->place.line,
		        svc->original, text);
	else if (text == error)         /* it is about another file, which it names */
		fprintf(im->err, "%s\n", error);
	else
		fprintf(im->err, "%s:1: nothing to serve: %s\n", file, text);
}

bool import_check(struct import *im, const char *text)
{
	struct errors e = { .im = im };
	const struct conf *conf;
	struct arena arena;

	if (arena_open(&arena, CONF_ARENA_SIZE) == -1)
		return false;
	conf_load_for(CONF_FOR_SHELL, &arena, NAME, text, NULL, keep, &e, &conf);
	arena_close(&arena);
	if (comment_out(im, &e.lines))
		return true;
	for (size_t i = 0; i < e.lines.n; i++)
		tell(im, e.lines.v[i]);
	return false;
}
