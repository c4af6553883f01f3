/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cells are strings in one piece of memory; the first n_columns are the titles.
 */
#include <config.h>
#include "table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "value.h"

#define GAP      2              /* blanks between columns */
#define CELL_MAX 4096           /* more of a value is cut */

struct table {
	const struct view *view;
	const json_t      *rows;
	size_t            *order;       /* row on the screen -> row in the list */
	size_t             n_rows;
	size_t            *cells;       /* where in bytes each begins, row by row */
	size_t             n_cells;
	char              *bytes;
	size_t             len, room;
	size_t            *widths;
};

static const char *cell(const struct table *t, size_t row, size_t column)
{
	return t->bytes + t->cells[row * t->view->n_columns + column];
}

static void add_cell(struct table *t, const char *text, size_t len)
{
	size_t column = t->n_cells % t->view->n_columns;

	if (t->room - t->len <= len) {
		t->room = 2 * t->room + len + 1;
		t->bytes = memory_grow(t->bytes, t->room, 1);
	}
	memcpy(t->bytes + t->len, text, len + 1);
	t->cells[t->n_cells++] = t->len;
	t->len += len + 1;
	if (t->widths[column] < len)
		t->widths[column] = len;
}

static void add_row(struct table *t, const json_t *row)
{
	char buf[CELL_MAX];

	for (size_t c = 0; c < t->view->n_columns; c++) {
		const struct column *column = &t->view->columns[c];
		struct text text = text_in(buf, sizeof buf);

		column->put(&text, value_at(row, column->path));
		add_cell(t, buf, text.len);
	}
}

struct table *table_new(const struct view *v, const json_t *rows)
{
	struct table *t = memory_grow(NULL, 1, sizeof *t);

	*t = (struct table){ .view = v, .rows = rows, .n_rows = json_array_size(rows) };
	t->order = memory_grow(NULL, t->n_rows, sizeof *t->order);
	t->cells = memory_grow(NULL, (t->n_rows + 1) * v->n_columns, sizeof *t->cells);
	t->widths = memory_grow(NULL, v->n_columns, sizeof *t->widths);
	memset(t->widths, 0, v->n_columns * sizeof *t->widths);
	for (size_t c = 0; c < v->n_columns; c++)
		add_cell(t, v->columns[c].title, strlen(v->columns[c].title));
	for (size_t r = 0; r < t->n_rows; r++) {
		t->order[r] = r;
		add_row(t, json_array_get(rows, r));
	}
	return t;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	free(t->order);
	free(t->cells);
	free(t->bytes);
	free(t->widths);
	free(t);
}

/* ---- order -------------------------------------------------------------- */

struct wish {
	const struct table *table;
	size_t              column;
	int                 direction;  /* 1, or -1 */
};

static double weight(const struct table *t, size_t row, const struct column *c)
{
	return c->weight(value_at(json_array_get(t->rows, row), c->path));
}

static int by_weight(const struct wish *w, const struct column *c, size_t a, size_t b)
{
	double x = weight(w->table, a, c), y = weight(w->table, b, c);

	if (isnan(x) || isnan(y))
		return isnan(x) - isnan(y);
	return ((x > y) - (x < y)) * w->direction;
}

static int compare(const void *p, const void *q, void *arg)
{
	const struct wish *w = arg;
	const struct column *c = &w->table->view->columns[w->column];
	size_t a = *(const size_t *)p, b = *(const size_t *)q;
	int d;

	if (c->weight)
		d = by_weight(w, c, a, b);
	else
		d = w->direction * strcmp(cell(w->table, a + 1, w->column), cell(w->table, b + 1, w->column));
	return d ? d : (a > b) - (a < b);
}

void table_sort(struct table *t, size_t column, bool descending)
{
	struct wish w = { .table = t, .column = column, .direction = descending ? -1 : 1 };

	qsort_r(t->order, t->n_rows, sizeof *t->order, compare, &w);
}

/* ---- lines -------------------------------------------------------------- */

size_t table_n_rows(const struct table *t)
{
	return t->n_rows;
}

static void put_line(const struct table *t, size_t row, struct text *line)
{
	size_t last = t->view->n_columns - 1;

	for (size_t c = 0; c <= last; c++) {
		int width = (int)t->widths[c];

		if (c > 0)
			text_add(line, "%*s", GAP, "");
		if (t->view->columns[c].weight)
			text_add(line, "%*s", width, cell(t, row, c));
		else
			text_add(line, "%-*s", c < last ? width : 0, cell(t, row, c));
	}
}

void table_titles(const struct table *t, struct text *line)
{
	put_line(t, 0, line);
}

void table_row(const struct table *t, size_t row, struct text *line)
{
	put_line(t, t->order[row] + 1, line);
}

struct table_place table_place(const struct table *t, size_t column)
{
	struct table_place p = { .at = 0, .width = t->widths[column] };

	for (size_t c = 0; c < column; c++)
		p.at += t->widths[c] + GAP;
	return p;
}

void table_print(const struct table *t, FILE *out)
{
	struct table_place last = table_place(t, t->view->n_columns - 1);
	size_t size = last.at + last.width + 1;
	char *buf = memory_grow(NULL, size, 1);
	struct text line = text_in(buf, size);

	table_titles(t, &line);
	fprintf(out, "%s\n", buf);
	for (size_t r = 0; r < t->n_rows; r++) {
		line = text_in(buf, size);
		table_row(t, r, &line);
		fprintf(out, "%s\n", buf);
	}
	free(buf);
}
