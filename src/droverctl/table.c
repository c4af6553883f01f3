/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes lines from rows. Cells are strings in one piece of memory; the first n_columns of them are
 * the titles.
 */
#include <config.h>
#include "table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "memory.h"
#include "value.h"

#define GAP      2              /* blanks between columns */
#define CELL_MAX 4096           /* bytes; a longer value is cut */

struct table {
	const struct view *view;
	const json_t      *rows;
	size_t            *order;       /* row on the screen -> row in the list */
	size_t             n_rows;
	size_t            *cells;       /* where each begins in bytes[], row by row */
	size_t             n_cells;
	char              *bytes;
	size_t             len, room;
	size_t            *widths;
	bool              *shown;       /* columns in which some row has a value */
	size_t             from, end;   /* columns of a line, after the first one */
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

static double weight(const struct table *t, size_t row, const struct column *c)
{
	return c->weight(value_at(json_array_get(t->rows, row), c->path));
}

/* True for a cell such as 0, 0%, 0/0 or -. */
static bool is_nothing(const char *cell)
{
	return cell[strspn(cell, "0-./% ")] == '\0';
}

static bool has_something(const struct table *t, size_t column)
{
	const struct column *c = &t->view->columns[column];

	for (size_t r = 0; r < t->n_rows; r++)
		if (c->of_interest ? weight(t, r, c) > 0 : !is_nothing(cell(t, r + 1, column)))
			return true;
	return false;
}

struct table *table_new(const struct view *v, const json_t *rows)
{
	struct table *t = memory_grow(NULL, 1, sizeof *t);

	*t = (struct table){ .view = v, .rows = rows, .n_rows = json_array_size(rows),
	                     .from = 1, .end = v->n_columns };
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
	t->shown = memory_grow(NULL, v->n_columns, sizeof *t->shown);
	for (size_t c = 0; c < v->n_columns; c++)
		t->shown[c] = c == 0 || t->n_rows == 0 || has_something(t, c);
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
	free(t->shown);
	free(t);
}

/* ---- order -------------------------------------------------------------- */

struct wish {
	const struct table *table;
	size_t              column;
	int                 direction;  /* 1, or -1 */
};

static int by_weight(const struct wish *w, const struct column *c, size_t a, size_t b)
{
	double x = weight(w->table, a, c), y = weight(w->table, b, c);

	if (isnan(x) || isnan(y))
		return isnan(x) - isnan(y);
	return ((x > y) - (x < y)) * w->direction;
}

static int compare_rows(const void *p, const void *q, void *arg)
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

	qsort_r(t->order, t->n_rows, sizeof *t->order, compare_rows, &w);
}

/* ---- lines -------------------------------------------------------------- */

size_t table_n_rows(const struct table *t)
{
	return t->n_rows;
}

bool table_shows(const struct table *t, size_t column)
{
	return t->shown[column];
}

static bool is_in_line(const struct table *t, size_t column)
{
	return column == 0 || (t->shown[column] && column >= t->from && column < t->end);
}

static size_t last_in_line(const struct table *t)
{
	size_t c = t->view->n_columns - 1;

	while (!is_in_line(t, c))
		c--;
	return c;
}

static void put_line(const struct table *t, size_t row, struct text *line)
{
	const size_t last = last_in_line(t);

	for (size_t c = 0; c <= last; c++) {
		int width = (int)t->widths[c];

		if (!is_in_line(t, c))
			continue;
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
	struct table_place p = { .at = 0, .width = is_in_line(t, column) ? t->widths[column] : 0 };

	for (size_t c = 0; c < column; c++)
		p.at += is_in_line(t, c) ? t->widths[c] + GAP : 0;
	return p;
}

void table_scroll_to(struct table *t, size_t column, size_t width)
{
	struct table_place p;

	for (t->from = 1; t->from < column; t->from++) {
		p = table_place(t, column);
		if (p.at + p.width <= width)
			return;
	}
}

/* ---- printed ------------------------------------------------------------ */

/* The first column, of those from `from` on, that does not fit; one counts as fitting in any case. */
static size_t end_of_part(const struct table *t, size_t from, size_t width)
{
	size_t at = t->widths[0], n = 0, c;

	for (c = from; c < t->view->n_columns; c++) {
		if (!t->shown[c])
			continue;
		at += GAP + t->widths[c];
		if (width > 0 && at > width && n > 0)
			break;
		n++;
	}
	return c;
}

static void print_part(const struct table *t, char *buf, size_t size, FILE *out)
{
	struct text line = text_in(buf, size);

	table_titles(t, &line);
	fprintf(out, "%s\n", buf);
	for (size_t r = 0; r < t->n_rows; r++) {
		line = text_in(buf, size);
		table_row(t, r, &line);
		fprintf(out, "%s\n", buf);
	}
}

void table_print(struct table *t, FILE *out, size_t width)
{
	const size_t n = t->view->n_columns;
	size_t size = 1;
	char *buf;

	for (size_t c = 0; c < n; c++)
		size += t->widths[c] + GAP;
	buf = memory_grow(NULL, size, 1);
	for (t->from = 1; t->from < n; t->from = t->end) {
		if (t->from > 1)
			fputc('\n', out);
		t->end = end_of_part(t, t->from, width);
		print_part(t, buf, size, out);
	}
	t->from = 1;
	t->end = n;
	free(buf);
}

size_t table_width_of(FILE *out)
{
	struct winsize w = { 0 };

	return isatty(fileno(out)) && ioctl(fileno(out), TIOCGWINSZ, &w) == 0 ? w.ws_col : 0;
}
