/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Allocates memory for a configuration that is being loaded.
 */
#include <config.h>
#include "conf_loader.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct conf_spill {
	struct conf_spill  *next;
	alignas(max_align_t) char bytes[];
};

void *conf_loader_alloc(struct conf_loader *ld, size_t size)
{
	void *p = ld->full ? NULL : arena_alloc(ld->arena, size);
	struct conf_spill *spill;

	if (p)
		return p;
	ld->full = true;
	spill = calloc(1, sizeof *spill + size);
	if (!spill)
		abort();                /* as libconfig would */
	spill->next = ld->spill;
	ld->spill = spill;
	return spill->bytes;
}

char *conf_loader_strdup(struct conf_loader *ld, const char *s)
{
	size_t size = strlen(s) + 1;

	return memcpy(conf_loader_alloc(ld, size), s, size);
}

char *conf_loader_printf(struct conf_loader *ld, const char *format, ...)
{
	char *text, *copy;
	va_list ap;
	int len;

	va_start(ap, format);
	len = vasprintf(&text, format, ap);
	va_end(ap);
	if (len == -1)
		abort();
	copy = conf_loader_strdup(ld, text);
	free(text);
	return copy;
}

void *conf_loader_next_page(struct conf_loader *ld)
{
	void *page = ld->full ? NULL : arena_next_page(ld->arena);

	ld->full = !page;
	return page;
}

void conf_loader_fini(struct conf_loader *ld)
{
	struct conf_spill *next;

	for (; ld->spill; ld->spill = next) {
		next = ld->spill->next;
		free(ld->spill);
	}
}
