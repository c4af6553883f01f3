/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The tables of columns, and the values that are made of several members.
 */
#include <config.h>
#include "view.h"

#include "human.h"
#include "value.h"

/* ---- values of several members ------------------------------------------ */

/* In all of these, the value is the whole row. */

static void put_state(struct text *t, const json_t *service)
{
	double delay = value_number_at(service, "restart_delay");
	char buf[HUMAN_TEXT_MAX];

	value_put_text(t, value_at(service, "state"));
	if (delay > 0)
		text_add(t, ", again in %s", human_age(delay, buf));
}

static void put_part(struct text *t, const json_t *row, const char *part, const char *whole)
{
	value_put_count(t, value_at(row, part));
	text_add(t, "/");
	value_put_count(t, value_at(row, whole));
}

static void put_share(struct text *t, const json_t *row, const char *part, const char *whole)
{
	char buf[HUMAN_TEXT_MAX];

	text_add(t, "%s", human_share(value_number_at(row, part), value_number_at(row, whole), buf));
}

/* "3/4 +1 -2": accepting workers of those wanted, starting ones, draining ones. */
static void put_workers(struct text *t, const json_t *service)
{
	double starting = value_number_at(service, "workers.starting");
	double draining = value_number_at(service, "workers.draining");

	put_part(t, service, "workers.accepting", "workers.wanted");
	if (starting > 0)
		text_add(t, " +%.0f", starting);
	if (draining > 0)
		text_add(t, " -%.0f", draining);
}

static void put_service_slots(struct text *t, const json_t *service)
{
	put_part(t, service, "slots.open", "slots.max");
}

static void put_service_share(struct text *t, const json_t *service)
{
	put_share(t, service, "slots.open", "slots.max");
}

static void put_queue(struct text *t, const json_t *service)
{
	if (json_is_object(value_at(service, "queue")))
		put_part(t, service, "queue.length", "queue.limit");
	else
		text_add(t, "-");
}

static void put_worker_slots(struct text *t, const json_t *worker)
{
	put_part(t, worker, "open", "slots");
}

static void put_worker_share(struct text *t, const json_t *worker)
{
	put_share(t, worker, "open", "slots");
}

/* The value is the list of names: the first two of them, and how many more there are. */
static void put_names(struct text *t, const json_t *list)
{
	const size_t n = json_array_size(list);

	if (n == 0)
		text_add(t, "-");
	for (size_t i = 0; i < n && i < 2; i++) {
		text_add(t, "%s", i ? ", " : "");
		value_put_text(t, json_array_get(list, i));
	}
	if (n > 2)
		text_add(t, " +%zu", n - 2);
}

/* The value is less than 0 for what has expired. */
static void put_days(struct text *t, const json_t *value)
{
	const double days = value_number(value);

	if (days < 0)
		text_add(t, "expired");
	else
		value_put_count(t, value);
}

/* "connections, rate 4s": how long it takes until the rate admits the next one. */
static void put_at_limit(struct text *t, const json_t *source)
{
	const bool full = json_is_true(value_at(source, "full"));
	const double wait = value_number_at(source, "wait");
	char buf[HUMAN_TEXT_MAX];

	if (full)
		text_add(t, "connections");
	if (wait > 0)
		text_add(t, "%srate %s", full ? ", " : "", human_age(wait, buf));
	if (t->len == 0)
		text_add(t, "-");
}

/* ---- what they are sorted by -------------------------------------------- */

static double weigh_workers(const json_t *service)
{
	return value_number_at(service, "workers.accepting");
}

static double weigh_service_slots(const json_t *service)
{
	return value_number_at(service, "slots.open");
}

static double weigh_service_share(const json_t *service)
{
	return value_number_at(service, "slots.open") / value_number_at(service, "slots.max");
}

static double weigh_queue(const json_t *service)
{
	return value_number_at(service, "queue.length");
}

static double weigh_worker_slots(const json_t *worker)
{
	return value_number_at(worker, "open");
}

static double weigh_worker_share(const json_t *worker)
{
	return value_number_at(worker, "open") / value_number_at(worker, "slots");
}

/* ---- the tables --------------------------------------------------------- */

#define TEXT(title, path)  { title, path, value_put_text, NULL, false }
#define COUNT(title, path) { title, path, value_put_count, value_number, false }
#define SIZE(title, path)  { title, path, value_put_size, value_number, false }
#define AGE(title, path)   { title, path, value_put_age, value_number, false }

/* The first column names the row: it stays when others are scrolled away. */
static const struct column services[] = {
	TEXT("SERVICE", "name"),
	TEXT("HANDLER", "handler"),
	{ "STATE", "", put_state, NULL, false },
	{ "WORKERS", "", put_workers, weigh_workers, false },
	{ "OPEN", "", put_service_slots, weigh_service_slots, false },
	{ "USE", "", put_service_share, weigh_service_share, false },
	{ "QUEUE", "", put_queue, weigh_queue, true },
	COUNT("ACCEPTED", "accepted"),
	COUNT("SERVED", "served"),
	COUNT("REQUESTS", "requests"),
	SIZE("IN", "bytes_in"),
	SIZE("OUT", "bytes_out"),
	{ "DEATHS", "deaths", value_put_counts, NULL, false },
	{ "LISTEN", "listen", value_put_texts, NULL, false },
	COUNT("LOST", "lost"),
	{ "REFUSED", "refused", value_put_counts_above_zero, NULL, false },
	COUNT("UNTRACKED", "untracked"),
	{ "FILTER", "filter", value_put_counts, NULL, false },
	{ "WARM", "warm", value_put_counts, NULL, false },
};

static const struct column workers[] = {
	TEXT("SERVICE", "service"),
	COUNT("PID", "pid"),
	COUNT("GEN", "generation"),
	TEXT("STATE", "state"),
	AGE("AGE", "age"),
	{ "OPEN", "", put_worker_slots, weigh_worker_slots, false },
	{ "USE", "", put_worker_share, weigh_worker_share, false },
	COUNT("ACCEPTED", "accepted"),
	COUNT("SERVED", "served"),
	COUNT("REQUESTS", "requests"),
	SIZE("IN", "bytes_in"),
	SIZE("OUT", "bytes_out"),
	AGE("TURN", "last_turn"),
};

static const struct column connections[] = {
	TEXT("CONNECTION", "id"),
	TEXT("SERVICE", "service"),
	COUNT("WORKER", "worker"),
	TEXT("PHASE", "phase"),
	AGE("AGE", "age"),
	SIZE("IN", "bytes_in"),
	SIZE("OUT", "bytes_out"),
	COUNT("PROGRAM", "program"),
	TEXT("PEER", "peer"),
	TEXT("VIA", "via"),
};

static const struct column crashes[] = {
	TEXT("CRASH", "name"),
	TEXT("TIME", "time"),
	TEXT("SERVICE", "service"),
	COUNT("WORKER", "worker"),
	TEXT("SIGNAL", "signal"),
	AGE("AGE", "age"),
	COUNT("REQUESTS", "requests"),
	SIZE("CAPTURED", "captured"),
	TEXT("PHASE", "connection.phase"),
	TEXT("PEER", "connection.peer"),
};

static const struct column blocked[] = {
	TEXT("SERVICE", "service"),
	TEXT("PREFIX", "prefix"),
	TEXT("SINCE", "since"),
	TEXT("UNTIL", "until"),
	AGE("LEFT", "left"),
	COUNT("CRASHES", "crashes"),
	COUNT("REFUSED", "refused"),
};

static const struct column certificates[] = {
	TEXT("SERVICE", "service"),
	{ "NAMES", "names", put_names, NULL, false },
	TEXT("KEY", "type"),
	TEXT("UNTIL", "until"),
	{ "DAYS", "days", put_days, value_number, false },
	TEXT("CHAIN", "chain"),
};

static const struct column sources[] = {
	TEXT("SOURCE", "source"),
	TEXT("SERVICE", "service"),
	COUNT("CONNECTIONS", "connections"),
	COUNT("OPEN", "open"),
	COUNT("LIMIT", "limit"),
	{ "AT LIMIT", "", put_at_limit, NULL, false },
};

#define VIEW_FITS(columns) \
	_Static_assert(sizeof (columns) / sizeof (columns)[0] <= VIEW_COLUMNS_MAX, #columns)

VIEW_FITS(services);
VIEW_FITS(workers);
VIEW_FITS(connections);
VIEW_FITS(crashes);
VIEW_FITS(blocked);
VIEW_FITS(certificates);
VIEW_FITS(sources);

#define VIEW(columns) { #columns, columns, sizeof (columns) / sizeof (columns)[0] }

static const struct view views[VIEW_KINDS] = {
	[VIEW_SERVICES]    = VIEW(services),
	[VIEW_WORKERS]     = VIEW(workers),
	[VIEW_CONNECTIONS] = VIEW(connections),
	[VIEW_CRASHES]     = VIEW(crashes),
	[VIEW_BLOCKED]     = VIEW(blocked),
	[VIEW_CERTIFICATES] = VIEW(certificates),
	[VIEW_SOURCES]     = VIEW(sources),
};

const struct view *view_of(enum view_kind kind)
{
	return &views[kind];
}

const json_t *view_rows(const struct view *v, const json_t *result)
{
	const json_t *rows = json_object_get(result, v->name);

	if (!json_is_array(rows))
		return NULL;
	for (size_t i = 0; i < json_array_size(rows); i++)
		if (!json_is_object(json_array_get(rows, i)))
			return NULL;
	return rows;
}
