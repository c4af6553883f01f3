/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A line for each sample, after lines about its family.
 */
#include <config.h>
#include "exposition.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Doubles are exact up to here, and so are whole numbers in the text. */
#define WHOLE_MAX 9007199254740992.0

/* OpenMetrics has a type of its own for INFO, which is a gauge for others. */
static const struct { const char *suffix, *name, *open_name; } types[] = {
	[EXPOSITION_GAUGE]     = { "",       "gauge",     "gauge" },
	[EXPOSITION_COUNTER]   = { "_total", "counter",   "counter" },
	[EXPOSITION_INFO]      = { "_info",  "gauge",     "info" },
	[EXPOSITION_HISTOGRAM] = { "",       "histogram", "histogram" },
};

/* ---- the parts of a line ------------------------------------------------ */

/* Writes text with a backslash before each byte that would end it; quote: '"', or 0 for none. */
static void put_escaped(FILE *out, const char *text, char quote)
{
	for (; *text; text++) {
		if (*text == '\n') {
			fputs_unlocked("\\n", out);
			continue;
		}
		if (*text == '\\' || (quote && *text == quote))
			putc_unlocked('\\', out);
		putc_unlocked(*text, out);
	}
}

static void put_label(FILE *out, const char *before, const struct exposition_label *l)
{
	fputs_unlocked(before, out);
	fputs_unlocked(l->name, out);
	fputs_unlocked("=\"", out);
	put_escaped(out, l->value, '"');
	putc_unlocked('"', out);
}

/* more: a label behind the others, or NULL. */
static void put_labels(FILE *out, const struct exposition_label *labels,
                       const struct exposition_label *more)
{
	const char *before = "{";

	for (; labels->name; labels++, before = ",")
		put_label(out, before, labels);
	if (more) {
		put_label(out, before, more);
		before = ",";
	}
	if (*before == ',')
		putc_unlocked('}', out);
}

static void put_number(FILE *out, double value)
{
	if (isnan(value))
		fputs_unlocked("NaN", out);
	else if (isinf(value))
		fputs_unlocked(value > 0 ? "+Inf" : "-Inf", out);
	else if (fabs(value) <= WHOLE_MAX && fabs(value - (double)(int64_t)value) <= 0)
		fprintf(out, "%" PRId64, (int64_t)value);
	else
		fprintf(out, "%.15g", value);
}

/* ---- families ----------------------------------------------------------- */

void exposition_open(struct exposition *e, enum exposition_format format)
{
	*e = (struct exposition){ .format = format };
	e->out = open_memstream(&e->text, &e->len);
}

void exposition_begin(struct exposition *e, const struct exposition_family *family)
{
	e->family = family;
	e->has_head = false;
}

/* "# TYPE name ". In OpenMetrics a family has its name without what the type adds. */
static void put_about(const struct exposition *e, const char *what)
{
	fprintf(e->out, "# %s %s%s ", what, e->family->name,
	        e->format == EXPOSITION_OPENMETRICS ? "" : types[e->family->type].suffix);
}

static void put_head(struct exposition *e)
{
	const struct exposition_family *f = e->family;
	const bool is_open = e->format == EXPOSITION_OPENMETRICS;

	if (e->has_head)
		return;
	e->has_head = true;
	put_about(e, "HELP");
	put_escaped(e->out, f->help, is_open ? '"' : '\0');
	putc_unlocked('\n', e->out);
	put_about(e, "TYPE");
	fprintf(e->out, "%s\n", is_open ? types[f->type].open_name : types[f->type].name);
	if (is_open && f->unit) {
		put_about(e, "UNIT");
		fprintf(e->out, "%s\n", f->unit);
	}
}

/* ---- samples ------------------------------------------------------------ */

static void put_sample(const struct exposition *e, const char *suffix,
                       const struct exposition_label *labels, const struct exposition_label *more,
                       double value)
{
	fputs_unlocked(e->family->name, e->out);
	fputs_unlocked(suffix, e->out);
	put_labels(e->out, labels, more);
	putc_unlocked(' ', e->out);
	put_number(e->out, value);
	putc_unlocked('\n', e->out);
}

void exposition_sample(struct exposition *e, const struct exposition_label *labels, double value)
{
	if (!e->out)
		return;
	put_head(e);
	put_sample(e, types[e->family->type].suffix, labels, NULL, value);
}

void exposition_one_hot(struct exposition *e, const struct exposition_label *labels,
                        const char *label, const char *const *states, size_t n, const char *is)
{
	if (!e->out)
		return;
	put_head(e);
	for (size_t i = 0; i < n; i++)
		put_sample(e, types[e->family->type].suffix, labels,
		           &(struct exposition_label){ label, states[i] }, strcmp(states[i], is) == 0);
}

/* A bound as OpenMetrics wants it: "0.25", and "4.0". */
static const char *bound_text(double bound, char *buf, size_t size)
{
	snprintf(buf, size, "%.15g", bound);
	if (!strpbrk(buf, ".e"))
		snprintf(buf, size, "%.1f", bound);
	return buf;
}

void exposition_histogram(struct exposition *e, const struct exposition_label *labels,
                          const struct exposition_histogram *h)
{
	char buf[64];
	uint64_t n = 0;

	if (!e->out)
		return;
	put_head(e);
	for (size_t i = 0; i <= h->n_bounds; i++) {
		const struct exposition_label le = {
			"le", i < h->n_bounds ? bound_text(h->bounds[i], buf, sizeof buf) : "+Inf",
		};

		n += h->counts[i];
		put_sample(e, "_bucket", labels, &le, (double)n);
	}
	put_sample(e, "_sum", labels, NULL, h->sum);
	put_sample(e, "_count", labels, NULL, (double)n);
}

char *exposition_close(struct exposition *e)
{
	bool ok;

	if (!e->out)
		return NULL;
	if (e->format == EXPOSITION_OPENMETRICS)
		fputs_unlocked("# EOF\n", e->out);
	ok = !ferror(e->out);
	ok = fclose(e->out) == 0 && ok;
	if (ok)
		return e->text;
	free(e->text);
	return NULL;
}
