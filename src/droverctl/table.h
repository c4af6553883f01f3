/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A list in aligned columns: numbers to the right, the rest to the left, as
 * wide as their widest cell. A column in which all rows have nothing or zero is
 * left out; if the list has no rows, all columns are shown.
 */
#ifndef DROVER_DROVERCTL_TABLE_H
#define DROVER_DROVERCTL_TABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "text.h"
#include "view.h"

struct table;

/* rows are as view_rows gives them; lent, and must exist as long as the table. */
struct table *table_new(const struct view *v, const json_t *rows);
void table_free(struct table *t);

/* Equal rows keep their order; rows without a value come last in either direction. */
void table_sort(struct table *t, size_t column, bool descending);

size_t table_n_rows(const struct table *t);

/* Adds the titles, or a row (from 0), without blanks at its end. */
void table_titles(const struct table *t, struct text *line);
void table_row(const struct table *t, size_t row, struct text *line);

bool table_shows(const struct table *t, size_t column);

/*
 * From now on lines leave out columns after the first one: as many as are needed for this column
 * to end within width, if that is possible.
 */
void table_scroll_to(struct table *t, size_t column, size_t width);

/* Where a column begins in a line, and how wide it is: 0 if it is not in the line. */
struct table_place { size_t at, width; };
struct table_place table_place(const struct table *t, size_t column);

/*
 * Titles and rows, as lines of at most width bytes where that is possible (0: of any
 * length): what does not fit follows in another table, whose first column is the same.
 */
void table_print(struct table *t, FILE *out, size_t width);

/* How wide lines may be on out: the width of the terminal; 0 if it is not a terminal. */
size_t table_width_of(FILE *out);

#endif
