/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The metrics of the server as a whole, a row for each family, and the answer with all metrics.
 */
#include <config.h>
#include "report_metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "exposition.h"
#include "metrics_of_services.h"
#include "metrics_of_workers.h"
#include "report_data.h"
#include "version.h"

/* ---- the server --------------------------------------------------------- */

static double started(const struct report_data *d)
{
	return clock_seconds(&d->master->started);
}

static double generation(const struct report_data *d)
{
	return d->master->current->number;
}

static double workers(const struct report_data *d)
{
	return (double)d->counts.workers;
}

static double open_connections(const struct report_data *d)
{
	return (double)d->counts.open;
}

static double load_is_ok(const struct report_data *d)
{
	return d->master->last_load.ok;
}

static double load_time(const struct report_data *d)
{
	return clock_seconds(&d->master->last_load.at);
}

static void put_build(struct exposition *e, const struct report_data *d)
{
	(void)d;
	exposition_sample(e, EXPOSITION_LABELS({ "version", version_string }), 1);
}

static void put_state(struct exposition *e, const struct report_data *d)
{
	static const char *const states[] = {
		"starting", "serving", "reloading", "upgrading", "leaving", "stopping", "resting",
	};

	exposition_one_hot(e, EXPOSITION_NO_LABELS, "state", states, sizeof states / sizeof states[0],
	                   d->phase);
}

static const struct {
	struct exposition_family family;
	double (*value)(const struct report_data *d);   /* NULL: put writes the samples */
	void   (*put)(struct exposition *e, const struct report_data *d);
} rows[] = {
	{ { "drover_build", EXPOSITION_INFO, NULL, "The version of the program that runs." },
	  .put = put_build },
	{ { "drover_start_time_seconds", EXPOSITION_GAUGE, "seconds",
	    "When the server was started, since 1970; an upgrade is no start." }, .value = started },
	{ { "drover_state", EXPOSITION_GAUGE, NULL, "1 for what the server is doing." }, .put = put_state },
	{ { "drover_generation", EXPOSITION_GAUGE, NULL,
	    "The number of the configuration that serves; each reload makes another one." },
	  .value = generation },
	{ { "drover_workers", EXPOSITION_GAUGE, NULL,
	    "Workers that live, of all services and generations." }, .value = workers },
	{ { "drover_connections", EXPOSITION_GAUGE, NULL,
	    "Connections that are open, of all services and generations." }, .value = open_connections },
	{ { "drover_config_last_reload_successful", EXPOSITION_GAUGE, NULL,
	    "1 if the configuration was put in force when it was last loaded, 0 if it was refused." },
	  .value = load_is_ok },
	{ { "drover_config_last_reload_timestamp_seconds", EXPOSITION_GAUGE, "seconds",
	    "When the configuration was last put in force or refused, since 1970." }, .value = load_time },
};

static void metrics_of_server(struct exposition *e, const struct report_data *d)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		exposition_begin(e, &rows[i].family);
		if (rows[i].put)
			rows[i].put(e, d);
		else
			exposition_sample(e, EXPOSITION_NO_LABELS, rows[i].value(d));
	}
}

/* ---- the answer --------------------------------------------------------- */

/* False if there is no such format. */
static bool choose_format(const char *name, enum exposition_format *format)
{
	*format = EXPOSITION_PROMETHEUS;
	if (!name || strcmp(name, "prometheus") == 0)
		return true;
	*format = EXPOSITION_OPENMETRICS;
	return strcmp(name, "openmetrics") == 0;
}

/* Those of one service are without those of the server. */
static char *text_of(const struct report_data *d, enum exposition_format format, const char *service)
{
	struct exposition e;

	exposition_open(&e, format);
	if (!service)
		metrics_of_server(&e, d);
	metrics_of_services(&e, d, service);
	metrics_of_workers(&e, d, service);
	return exposition_close(&e);
}

void report_metrics(void *data, const struct control_request *r, struct answer_writer *o)
{
	enum exposition_format format;
	char *text;

	if (!choose_format(r->format, &format)) {
		answer_writer_answer(o, control_error_text(CONTROL_BAD_REQUEST,
		                                           "format must be prometheus or openmetrics"));
		return;
	}
	text = text_of(data, format, r->service);
	answer_writer_result(o, text ? json_pack("{s:s}", "text", text) : NULL);
	free(text);
}

void report_metrics_text(void *data, const struct control_request *r, struct answer_writer *o)
{
	enum exposition_format format;
	char *text = choose_format(r->format, &format) ? text_of(data, format, r->service) : NULL;
	char head[32];

	if (text)
		snprintf(head, sizeof head, "%zu\n", strlen(text));
	answer_writer_text(o, text ? head : NULL);
	answer_writer_text(o, text);
	free(text);
}
