/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Checks the limits of a service, and computes them in the form that workers use. A limit that is
 * not in the configuration stays 0, which is no limit.
 */
#include <config.h>
#include "conf_limits.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "conf_prefixes.h"
#include "sources.h"
#include "units.h"

#define MS_NS       INT64_C(1000000)
#define YEAR_NS     (INT64_C(365) * 24 * 60 * 60 * 1000 * MS_NS)
#define MESSAGE_MAX 1024                /* bytes: they are sent in one piece, or not at all */

/* A key of the group; NULL if it is not in the service's own configuration. */
static const config_setting_t *own(const struct conf_draft *d, const char *key)
{
	return conf_source_member(conf_source_member(d->own, "limits"), key);
}

/* Also with a value that was refused: what follows from its absence is then no error. */
static bool is_written(const struct conf_draft *d, const char *key)
{
	return own(d, key) || conf_source_member(conf_source_member(d->defaults, "limits"), key);
}

/* ---- rates -------------------------------------------------------------- */

/* One of the two rates: its keys, what was written, and what workers use. */
struct rate {
	const char              *key, *burst_key;
	const struct units_rate *text;
	int                     *burst;
	int                      burst_max;     /* unless it is written */
	struct bucket_rate      *made;
};

/* Rounded up: no more are admitted than was written. */
static int64_t interval_of(const struct units_rate *r)
{
	return (r->per_ms * MS_NS + r->count - 1) / r->count;
}

/* What comes in a second: at least one connection, and at most max. */
static int default_burst(const struct units_rate *r, int max)
{
	const int64_t a_second = r->count * 1000 / r->per_ms;

	return a_second > max ? max : a_second > 0 ? (int)a_second : 1;
}

/* A burst in `defaults` is for services that have the rate. */
static void drop_burst(struct conf_loader *ld, const struct conf_draft *d, const struct rate *r)
{
	if (*r->burst > 0 && own(d, r->burst_key) && !is_written(d, r->key))
		conf_source_complain(ld, own(d, r->burst_key), "needs %s (as in %s = \"10/s\")", r->key,
		                     r->key);
	*r->burst = 0;
}

static void make_rate(struct conf_loader *ld, const struct conf_draft *d, const struct rate *r)
{
	char text[UNITS_TEXT_MAX], path[64];

	if (r->text->count == 0) {
		drop_burst(ld, d, r);
		return;
	}
	if (*r->burst == 0)
		*r->burst = default_burst(r->text, r->burst_max);
	r->made->interval_ns = interval_of(r->text);
	if (r->made->interval_ns > YEAR_NS / *r->burst) {
		snprintf(path, sizeof path, "limits.%s", r->burst_key);
		conf_source_complain(ld, conf_draft_origin(d, path), "is %d, but at a rate of %s that takes"
		                     " longer than a year to come back", *r->burst,
		                     units_format_rate(r->text, text));
		return;
	}
	r->made->depth_ns = r->made->interval_ns * *r->burst;
}

static void make_rates(struct conf_loader *ld, const struct conf_draft *d, struct conf_limits *l)
{
	const struct rate of_all = { "rate", "burst", &l->rate_text, &l->burst, INT_MAX, &l->rate };
	struct rate of_source = { "rate_per_source", "burst_per_source", &l->rate_per_source_text,
	                          &l->burst_per_source, INT_MAX, &l->rate_per_source };

	make_rate(ld, d, &of_all);
	if (l->burst > 0)
		of_source.burst_max = l->burst;
	make_rate(ld, d, &of_source);
}

/* ---- limits that contradict each other ---------------------------------- */

static void check_rates(struct conf_loader *ld, const struct conf_draft *d, const struct conf_limits *l)
{
	char one[UNITS_TEXT_MAX], all[UNITS_TEXT_MAX];

	if (l->rate.interval_ns == 0 || l->rate_per_source.interval_ns == 0)
		return;
	if (l->rate_per_source.interval_ns < l->rate.interval_ns)
		conf_source_complain(ld, conf_draft_origin(d, "limits.rate_per_source"), "is %s, but rate is"
		                     " %s", units_format_rate(&l->rate_per_source_text, one),
		                     units_format_rate(&l->rate_text, all));
	else if (l->burst_per_source > l->burst)
		conf_source_complain(ld, conf_draft_origin(d, "limits.burst_per_source"), "is %d, but burst"
		                     " is %d", l->burst_per_source, l->burst);
}

static void check_connections(struct conf_loader *ld, const struct conf_draft *d,
                              const struct conf_limits *l)
{
	const struct conf_service *svc = d->service;
	const int workers = svc->workers.ranged ? svc->workers.max : svc->workers.min;
	const int64_t slots = (int64_t)workers * svc->connections;

	if (l->connections == 0)
		return;
	if (l->connections_per_source > l->connections)
		conf_source_complain(ld, conf_draft_origin(d, "limits.connections_per_source"), "is %d, but"
		                     " connections is %d", l->connections_per_source, l->connections);
	if (l->connections > slots && own(d, "connections"))
		conf_source_warn(ld, own(d, "connections"), "is %d, but %d workers with %d"
		                 " connections each have only %lld slots", l->connections, workers,
		                 svc->connections, (long long)slots);
}

/* Not with a value that was refused, or complained of. */
static bool leaves_in_queue(const struct conf_draft *d)
{
	const config_setting_t *overload = own(d, "overload");
	const char *text = overload ? config_setting_get_string(overload) : "queue";

	return text && strcmp(text, "queue") == 0;
}

static void check_overload(struct conf_loader *ld, const struct conf_draft *d, struct conf_limits *l)
{
	const bool has_limit = is_written(d, "connections") || is_written(d, "rate");

	if (l->overload == OVERLOAD_REJECT && !has_limit) {
		if (own(d, "overload"))
			conf_source_complain(ld, own(d, "overload"), "means nothing without connections or"
			                     " rate");
		l->overload = OVERLOAD_QUEUE;
	}
	if (l->reject_message && l->overload != OVERLOAD_REJECT) {
		if (own(d, "reject_message") && leaves_in_queue(d))
			conf_source_complain(ld, own(d, "reject_message"), "needs overload = \"reject\"");
		l->reject_message = NULL;
	}
	if (l->reject_message && strlen(l->reject_message) > MESSAGE_MAX)
		conf_source_complain(ld, conf_draft_origin(d, "limits.reject_message"), "is too long (at most"
		                     " %d bytes)", MESSAGE_MAX);
}

/* ---- the table of sources ----------------------------------------------- */

/*
 * A power of two that is not less than what was written, and not less than twice the slots of all
 * workers: in a table that is half full, nearly every source finds a place.
 */
static void size_table(const struct conf_service *svc, struct conf_limits *l)
{
	const rlim_t slots = (rlim_t)svc->workers.max * (rlim_t)svc->connections;
	const rlim_t wanted = 2 * slots > l->n_sources ? 2 * slots : l->n_sources;

	for (l->n_sources = SOURCES_MIN; l->n_sources < wanted && l->n_sources < SOURCES_MAX;)
		l->n_sources *= 2;
}

static void make_exempt(struct conf_loader *ld, const struct conf_draft *d, struct conf_limits *l)
{
	struct conf_prefixes p = { 0 };

	if (!l->exempt_text[0])
		return;
	conf_prefixes_add_list(ld, &p, conf_draft_origin(d, "limits.exempt"), l->exempt_text,
	                       PREFIX_ALLOW);
	l->exempt = conf_prefixes_build(ld, &p);
	conf_prefixes_free(&p);
}

void conf_limits_check(struct conf_loader *ld, const struct conf_draft *d)
{
	struct conf_limits *l = &d->service->limits;

	make_rates(ld, d, l);
	check_rates(ld, d, l);
	check_connections(ld, d, l);
	check_overload(ld, d, l);
	size_table(d->service, l);
	make_exempt(ld, d, l);
}
