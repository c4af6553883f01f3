/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The syntax of xinetd.conf(5): blocks of attributes, and the files that it includes. It does not know
 * what an attribute means.
 */
#ifndef DROVER_IMPORT_IMPORT_XINETD_FILE_H
#define DROVER_IMPORT_IMPORT_XINETD_FILE_H

#include "import.h"

struct import_xinetd_attribute {
	struct import_xinetd_attribute *next;
	struct import_place             place;
	const char                     *name;
	char                            op;     /* '=', '+' or '-' */
	struct import_words             values;
};

struct import_xinetd_block {
	struct import_xinetd_block     *next;
	struct import_place             place;
	const char                     *service; /* NULL: defaults */
	struct import_xinetd_attribute *attributes;
};

struct import_xinetd_file {
	struct import_xinetd_block *defaults;   /* NULL: there is none */
	struct import_xinetd_block *services;
	bool                        whole;      /* a file was read that includes others */
};

/*
 * Reads a file, or all of a folder, and what it includes; adds its blocks to *f. 0, or -1 with errno if
 * path itself cannot be read. What is wrong in files is broken, with its place.
 */
int import_xinetd_file_read(struct import *im, const char *path, struct import_xinetd_file *f);

#endif
