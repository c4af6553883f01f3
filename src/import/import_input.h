/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cuts the texts of other superservers into lines and words, and takes paths apart. It knows no syntax.
 */
#ifndef DROVER_IMPORT_IMPORT_INPUT_H
#define DROVER_IMPORT_IMPORT_INPUT_H

#include "import.h"

struct import_lines {                   /* a text while it is read */
	struct import      *im;
	const char         *rest;
	struct import_place place;      /* of the line that was returned */
	int                 next;       /* number of the next one */
};

struct import_lines import_lines_of(struct import *im, const char *file, const char *text);

/* The next line without its newline; NULL at the end. */
const char *import_lines_next(struct import_lines *l);

/* The same, with the lines that follow a backslash at the end, which becomes a blank. */
const char *import_lines_next_joined(struct import_lines *l);

/* The line without blanks around it. */
const char *import_input_trim(struct import *im, const char *line);

/* The words between blanks. */
struct import_words import_input_split(struct import *im, const char *line);

/* The path of a file in the same folder as another one. */
const char *import_input_beside(struct import *im, const char *file, const char *name);

/* What is behind the last slash. */
const char *import_input_base(const char *path);

#endif
