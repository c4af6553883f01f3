/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A name is a letter, then letters, digits, "_" and "-": what else is in the original becomes "-". The
 * second service of a name gets a number.
 */
#include <config.h>
#include "import_names.h"

#include <ctype.h>
#include <string.h>

#define LEN_MAX 56              /* drover has 64: there is room for a number */

static bool is_taken(const struct import *im, const struct import_service *before, const char *name)
{
	for (const struct import_service *s = im->services; s != before; s = s->next)
		if (strcmp(s->name, name) == 0)
			return true;
	return false;
}

static const char *make_valid(struct import *im, const char *original)
{
	const bool begins = isalpha((unsigned char)*original);
	const char *name = import_printf(im, "%s%.*s", begins ? "" : "service-", LEN_MAX, original);
	char *copy = import_alloc(im, LEN_MAX + 1);

	snprintf(copy, LEN_MAX + 1, "%s", name);
	for (char *c = copy; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '_' && *c != '-')
			*c = '-';
	return copy;
}

void import_names_make(struct import *im)
{
	for (struct import_service *s = im->services; s; s = s->next) {
		const char *valid = make_valid(im, s->original);

		s->name = valid;
		for (int n = 2; is_taken(im, s, s->name); n++)
			s->name = import_printf(im, "%s-%d", valid, n);
	}
}
