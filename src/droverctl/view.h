/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The lists that the server sends, and the columns in which people see them.
 * A new column is a row in view.c and a line in droverctl(8).
 */
#ifndef DROVER_DROVERCTL_VIEW_H
#define DROVER_DROVERCTL_VIEW_H

#include <jansson.h>
#include <stdbool.h>

#include "text.h"

enum view_kind {
	VIEW_SERVICES, VIEW_WORKERS, VIEW_CONNECTIONS, VIEW_CRASHES,
	VIEW_BLOCKED, VIEW_SOURCES, VIEW_CERTIFICATES,
	VIEW_KINDS
};
#define VIEW_OF_TOP (VIEW_CRASHES + 1)  /* the kinds that top shows are those before it */

#define VIEW_COLUMNS_MAX 32             /* of any view */

struct column {
	const char *title;
	const char *path;                                       /* of its value in a row (value_at) */
	void      (*put)(struct text *t, const json_t *value);
	double    (*weight)(const json_t *value);               /* what it is sorted by; NULL: by its text */
	bool        of_interest;                                /* only if some weight is above 0 */
};

struct view {
	const char          *name;              /* the command, and the list's key in its result */
	const struct column *columns;
	size_t               n_columns;
};

const struct view *view_of(enum view_kind kind);

/* The list in a result; NULL if it is not there, or not a list of objects. */
const json_t *view_rows(const struct view *v, const json_t *result);

#endif
