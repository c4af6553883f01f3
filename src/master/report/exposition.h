/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes metrics as text that a monitoring system scrapes: in the text format 0.0.4 of Prometheus, or
 * in OpenMetrics 1.0.0. It knows the syntax of both and what differs, and no metric.
 */
#ifndef DROVER_MASTER_REPORT_EXPOSITION_H
#define DROVER_MASTER_REPORT_EXPOSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum exposition_format { EXPOSITION_PROMETHEUS, EXPOSITION_OPENMETRICS };

enum exposition_type {
	EXPOSITION_GAUGE,
	EXPOSITION_COUNTER,             /* never goes back; "_total" is added to its name */
	EXPOSITION_INFO,                /* 1, with labels that say something; "_info" is added */
	EXPOSITION_HISTOGRAM,
};

struct exposition_family {              /* of samples that differ in their labels */
	const char          *name;      /* without what the type adds */
	enum exposition_type type;
	const char          *unit;      /* in the plural, and the name ends in it; NULL: none */
	const char          *help;      /* a sentence */
};

/* Lists of labels end with one without a name. A value may be any text in UTF-8. */
struct exposition_label {
	const char *name, *value;
};
#define EXPOSITION_LABELS(...) ((const struct exposition_label[]){ __VA_ARGS__, { NULL, NULL } })
#define EXPOSITION_NO_LABELS   ((const struct exposition_label[]){ { NULL, NULL } })

/* Counts in classes, as they are: they are added up when they are written. */
struct exposition_histogram {
	const double   *bounds;         /* the highest value of each class, rising; */
	size_t          n_bounds;       /* one more class, without a bound, comes last */
	const uint64_t *counts;         /* of each class alone: n_bounds + 1 */
	double          sum;            /* of all values that were counted */
};

struct exposition {
	enum exposition_format format;
	FILE                  *out;     /* writes to text; NULL: there was no memory */
	char                  *text;
	size_t                 len;
	const struct exposition_family *family;
	bool                   has_head;        /* the lines about the family are written */
};

/* Begins an empty text. Every function may be called if there was no memory for it. */
void exposition_open(struct exposition *e, enum exposition_format format);

/* The samples that follow are of that family, which is lent. One without samples is left out. */
void exposition_begin(struct exposition *e, const struct exposition_family *family);

void exposition_sample(struct exposition *e, const struct exposition_label *labels, double value);

/* A sample for each of n states, which label names: 1 for the one that is, 0 for the others. */
void exposition_one_hot(struct exposition *e, const struct exposition_label *labels,
                        const char *label, const char *const *states, size_t n, const char *is);

void exposition_histogram(struct exposition *e, const struct exposition_label *labels,
                          const struct exposition_histogram *h);

/* Ends the text, and returns it, to be freed; NULL for lack of memory. */
char *exposition_close(struct exposition *e);

#endif
