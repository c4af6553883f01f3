/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Attributes that are sets of values can be given more than once, and in defaults = adds to them, as +=
 * does. Of any other attribute, a block has the first value.
 */
#include <config.h>
#include "import_xinetd_value.h"

#include <strings.h>

static bool is_set(const char *name)
{
	static const char *const names[] = {
		"log_type", "log_on_success", "log_on_failure", "only_from", "no_access", "passenv", "env",
		"disabled", "enabled",
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcasecmp(name, names[i]) == 0)
			return true;
	return false;
}

static void apply(struct import *im, const struct import_xinetd_attribute *a, bool adds,
                  struct import_xinetd_value *v)
{
	v->given = true;
	v->place = a->place;
	if (a->op == '=' && !adds)
		v->words = (struct import_words){ 0 };
	for (size_t i = 0; i < a->values.n; i++)
		if (a->op == '-')
			import_words_remove(&v->words, a->values.v[i]);
		else
			import_words_add(im, &v->words, a->values.v[i]);
}

static void look_in(struct import *im, const struct import_xinetd_block *b, const char *name,
                    struct import_xinetd_value *v)
{
	const bool set = is_set(name);

	for (const struct import_xinetd_attribute *a = b->attributes; a; a = a->next)
		if (strcasecmp(a->name, name) == 0) {
			apply(im, a, set && !b->service, v);
			v->own = b->service;
			if (!set)
				return;
		}
}

struct import_xinetd_value import_xinetd_value_of(struct import *im, const struct import_xinetd_file *f,
                                                  const struct import_xinetd_block *b, const char *name)
{
	struct import_xinetd_value v = { .given = false };

	for (const struct import_xinetd_block *d = f->defaults; d && (!v.given || is_set(name)); d = d->next)
		look_in(im, d, name, &v);
	if (b)
		look_in(im, b, name, &v);
	return v;
}

static bool is_repeated(const struct import_xinetd_block *b, const struct import_xinetd_attribute *later)
{
	for (const struct import_xinetd_attribute *a = b->attributes; a != later; a = a->next)
		if (strcasecmp(a->name, later->name) == 0)
			return true;
	return false;
}

void import_xinetd_value_tell_repeated(struct import *im, const struct import_xinetd_block *b,
                                       struct import_service *svc)
{
	for (const struct import_xinetd_attribute *a = b->attributes; a; a = a->next)
		if (!is_set(a->name) && is_repeated(b, a))
			import_note(im, svc, a->place, "%s is set already: xinetd takes the first value,"
			            " and leaves %s out", a->name, import_words_join(im, &a->values));
}
