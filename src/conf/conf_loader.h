/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is passed around while one configuration is loaded: where complaints
 * go, and memory that is always there.
 */
#ifndef DROVER_CONF_CONF_LOADER_H
#define DROVER_CONF_CONF_LOADER_H

#include <stdbool.h>
#include <stddef.h>

#include "arena.h"
#include "conf.h"
#include "conf_errors.h"
#include "cpus.h"

struct conf_prefix_file;
struct conf_source;
struct conf_spill;

struct conf_loader {
	struct conf_errors  errors;
	struct arena       *arena;
	struct conf        *conf;       /* what is being built, first in the arena */
	const struct conf  *before;     /* what is served now, in another arena; NULL: nothing */
	struct cpus         cpus;       /* what this process may use of the machine */
	struct conf_source *sources;    /* the files, in the order read, main first, */
	struct conf_source *last;       /* and the end of it */
	size_t              text_len;   /* bytes of them all */
	struct conf_prefix_file *prefix_files; /* those read so far, in that order */
	bool                full;       /* the arena, at some time */
	struct conf_spill  *spill;      /* what was allocated then */
};

/*
 * Zeroed memory in the arena. Never NULL: what does not fit is lent from the
 * heap until conf_loader_fini, for a load that will fail, so that a full arena
 * is judged in one place and not at each allocation.
 */
void *conf_loader_alloc(struct conf_loader *ld, size_t size);
char *conf_loader_strdup(struct conf_loader *ld, const char *s);
char *conf_loader_printf(struct conf_loader *ld, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The next page boundary in the arena; NULL if that is full. */
void *conf_loader_next_page(struct conf_loader *ld);

/* Frees the spilled memory. Sources and files are freed by their owners. */
void conf_loader_fini(struct conf_loader *ld);

#endif
