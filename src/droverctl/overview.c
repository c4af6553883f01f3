/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Takes totals from the status, computes how fast they grow, and makes lines of text. It does not
 * know where they are shown.
 */
#include <config.h>
#include "overview.h"

#include <math.h>

#include "human.h"
#include "value.h"

static const struct {
	const char *label, *path;
	void      (*put)(struct text *t, const json_t *value);
} totals[OVERVIEW_TOTALS] = {
	[OVERVIEW_ACCEPTED] = { "accepted", "totals.accepted", value_put_count },
	[OVERVIEW_SERVED]   = { "served", "totals.served", value_put_count },
	[OVERVIEW_REQUESTS] = { "requests", "totals.requests", value_put_count },
	[OVERVIEW_IN]       = { "in", "totals.bytes_in", value_put_size },
	[OVERVIEW_OUT]      = { "out", "totals.bytes_out", value_put_size },
};

/* ---- rates -------------------------------------------------------------- */

void overview_take(struct overview *o, const json_t *status, int64_t now_us)
{
	double pid = value_number_at(status, "pid");
	double seconds = (double)(now_us - o->at_us) / 1e6;
	bool comparable = o->has_seen && o->pid == pid && seconds > 0;

	for (size_t i = 0; i < OVERVIEW_TOTALS; i++) {
		double total = value_number_at(status, totals[i].path);

		/* A total that is smaller than before has been counted from zero again. */
		o->rates[i] = comparable && total >= o->totals[i] ? (total - o->totals[i]) / seconds : NAN;
		o->totals[i] = total;
	}
	o->has_seen = true;
	o->pid = pid;
	o->at_us = now_us;
}

static void put_rate(const struct overview *o, enum overview_total which, struct text *t)
{
	double rate = o->has_seen ? o->rates[which] : NAN;
	char buf[HUMAN_TEXT_MAX];

	if (isnan(rate))
		return;
	text_add(t, " (%s/s)", totals[which].put == value_put_size ? human_size(rate, buf)
	                                                           : human_rate(rate, buf));
}

static void put_total(const struct overview *o, const json_t *status, enum overview_total which,
                      struct text *t)
{
	text_add(t, "%s ", totals[which].label);
	totals[which].put(t, value_at(status, totals[which].path));
	put_rate(o, which, t);
}

/* ---- lines -------------------------------------------------------------- */

static void put_labelled(struct text *t, const char *label, const json_t *status, const char *path,
                         void (*put)(struct text *t, const json_t *value))
{
	text_add(t, "%s ", label);
	put(t, value_at(status, path));
}

static void put_server(const struct overview *o, const json_t *status, struct text *t)
{
	(void)o;
	put_labelled(t, "drover", status, "version", value_put_text);
	text_add(t, ", ");
	value_put_text(t, value_at(status, "phase"));
	put_labelled(t, ", up", status, "uptime", value_put_age);
	put_labelled(t, ", generation", status, "generation", value_put_count);
	put_labelled(t, ", pid", status, "pid", value_put_count);
}

/* The slots of all services together. */
static double all_slots(const json_t *status)
{
	const json_t *services = value_at(status, "services");
	double sum = 0;

	for (size_t i = 0; i < json_array_size(services); i++) {
		double max = value_number_at(json_array_get(services, i), "slots.max");

		sum += isnan(max) ? 0 : max;
	}
	return sum;
}

static void put_slots(const struct overview *o, const json_t *status, struct text *t)
{
	double open = value_number_at(status, "totals.open"), max = all_slots(status);
	char buf[HUMAN_TEXT_MAX];

	put_labelled(t, "workers", status, "totals.workers", value_put_count);
	put_labelled(t, ", open", status, "totals.open", value_put_count);
	text_add(t, " of %s", human_count(max, buf));
	text_add(t, " (%s), ", human_share(open, max, buf));
	put_total(o, status, OVERVIEW_IN, t);
	text_add(t, ", ");
	put_total(o, status, OVERVIEW_OUT, t);
}

static void put_if_any(struct text *t, const char *label, double n)
{
	char buf[HUMAN_TEXT_MAX];

	if (n > 0)
		text_add(t, ", %s %s", label, human_count(n, buf));
}

static void put_counts(const struct overview *o, const json_t *status, struct text *t)
{
	put_total(o, status, OVERVIEW_ACCEPTED, t);
	text_add(t, ", ");
	put_total(o, status, OVERVIEW_SERVED, t);
	text_add(t, ", ");
	put_total(o, status, OVERVIEW_REQUESTS, t);
	put_if_any(t, "lost", value_number_at(status, "totals.lost"));
	put_if_any(t, "refused", value_sum(value_at(status, "totals.refused")));
	put_if_any(t, "untracked", value_number_at(status, "totals.untracked"));
}

void overview_line(const struct overview *o, const json_t *status, size_t line, struct text *t)
{
	static void (*const lines[OVERVIEW_LINES])(const struct overview *, const json_t *, struct text *) = {
		put_server, put_slots, put_counts,
	};

	lines[line](o, status, t);
}
