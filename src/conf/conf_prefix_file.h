/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files with lists of prefixes: one prefix a line, with comments that begin with # or ;. It does
 * not know what a prefix leads to.
 */
#ifndef DROVER_CONF_CONF_PREFIX_FILE_H
#define DROVER_CONF_CONF_PREFIX_FILE_H

#include "cidr.h"
#include "conf_loader.h"

struct conf_prefix_file {
	struct conf_prefix_file *next;
	char                    *path;
	struct cidr             *prefixes;
	size_t                   n;
};

/*
 * The prefixes of the file, which is read once in a load, also if several services name it; lent
 * until conf_prefix_file_close_all. NULL after a complaint at place, where the file was named. What
 * is wrong in the file is complained of with its line, up to a bound; the rest of it is returned.
 */
const struct conf_prefix_file *conf_prefix_file_read(struct conf_loader *ld, const char *path,
                                                     struct conf_place place);

/* Fills conf->prefix_lists with the files that were read. */
void conf_prefix_file_note_all(struct conf_loader *ld);

void conf_prefix_file_close_all(struct conf_loader *ld);

#endif
