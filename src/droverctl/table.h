/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A list in aligned columns: numbers to the right, the rest to the left, as
 * wide as their widest cell.
 */
#ifndef DROVER_DROVERCTL_TABLE_H
#define DROVER_DROVERCTL_TABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "text.h"
#include "view.h"

struct table;

/* rows as view_rows gives them: lent, to be there as long as the table. */
struct table *table_new(const struct view *v, const json_t *rows);
void table_free(struct table *t);

/* Equal rows stay as they are; what has no value comes last in either direction. */
void table_sort(struct table *t, size_t column, bool descending);

size_t table_n_rows(const struct table *t);

/* Adds the titles, or a row (from 0), without blanks at its end. */
void table_titles(const struct table *t, struct text *line);
void table_row(const struct table *t, size_t row, struct text *line);

/* Where a column begins in a line, and how wide it is. */
struct table_place { size_t at, width; };
struct table_place table_place(const struct table *t, size_t column);

/* Titles and rows, as lines. */
void table_print(const struct table *t, FILE *out);

#endif
