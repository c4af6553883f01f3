/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes JSON from reports, writes it, and reads it again. It knows nothing of how a report is shown.
 */
#include <config.h>
#include "report_json.h"

#include <errno.h>
#include <string.h>

#include "json_value.h"

#define FORMAT_VERSION 1

static double usec(uint64_t ns)
{
	return (double)ns / 1000;
}

static json_t *times(const struct bench_histogram *h)
{
	json_t *o;

	if (h->count == 0)
		return json_null();
	o = json_object();
	json_object_set_new(o, "min", json_real(usec(h->min)));
	json_object_set_new(o, "mean", json_real(bench_histogram_mean(h) / 1000));
	for (unsigned i = 0; i < REPORT_POINTS; i++)
		json_object_set_new(o, report_points[i].name,
		                    json_real(usec(bench_histogram_percentile(h, report_points[i].share))));
	json_object_set_new(o, "max", json_real(usec(h->max)));
	return o;
}

/* A list for each class: its first value, the first value of the next class, and its count. */
static json_t *classes(const struct bench_histogram *h)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < BENCH_HISTOGRAM_CLASSES; i++)
		if (h->classes[i])
			json_array_append_new(list, json_pack("[f, f, I]", usec(bench_histogram_first(i)),
			                                      usec(bench_histogram_last(i)) + .001,
			                                      (json_int_t)h->classes[i]));
	return list;
}

static json_t *failures(const struct tally *t)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < FAILURES; i++)
		if (t->failures[i])
			json_object_set_new(o, failure_name(i), json_value_count(t->failures[i]));
	return o;
}

/* The first reason of each kind of error that has one. */
static json_t *reasons(const struct tally *t)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < FAILURES; i++)
		if (t->first_reason[i])
			json_object_set_new(o, failure_name(i), json_string(t->first_reason[i]));
	if (t->first_other)
		json_object_set_new(o, failure_name(FAILURE_OTHER), json_string(strerror(t->first_other)));
	return o;
}

/* All null without --tls, so that the report compares well with one from before there was TLS. */
static void put_tls(json_t *o, const struct report *r)
{
	const struct tally *t = &r->tally;
	const bool on = r->plan->tls.on;
	const double rate = report_handshakes_per_second(r);

	json_object_set_new(o, "tls", t->tls_version ? json_string(t->tls_version) :
	                    on ? json_string("no handshake") : json_null());
	json_object_set_new(o, "tls_cipher", t->tls_cipher ? json_string(t->tls_cipher) : json_null());
	json_object_set_new(o, "tls_resume", on ? json_boolean(r->plan->tls.resume) : json_null());
	json_object_set_new(o, "handshakes", on ? json_value_count(t->handshakes) : json_null());
	json_object_set_new(o, "handshakes_per_second", rate >= 0 ? json_real(rate) : json_null());
	json_object_set_new(o, "resumed", on ? json_value_count(t->resumed) : json_null());
	json_object_set_new(o, "resumed_share", t->handshakes
	                    ? json_real((double)t->resumed / (double)t->handshakes) : json_null());
	json_object_set_new(o, "handshake_usec", times(&t->handshake));
}

/* What was run. */
static void put_plan(json_t *o, const struct bench_plan *p)
{
	char answer[ANSWER_TEXT_MAX];
	json_t *target = json_string(p->target);        /* NULL: it is not UTF-8 */

	json_object_set_new(o, "drover_bench", json_integer(FORMAT_VERSION));
	json_object_set_new(o, "version", json_string(PACKAGE_VERSION));
	json_object_set_new(o, "target", target ? target : json_null());
	json_object_set_new(o, "mode", json_string(bench_mode_name(p->mode)));
	json_object_set_new(o, "connections", json_integer(p->connections));
	json_object_set_new(o, "threads", json_integer(p->threads));
	json_object_set_new(o, "message_bytes", json_value_count(p->message_bytes));
	json_object_set_new(o, "answer", json_string(answer_rule_format(&p->answer, answer)));
	json_object_set_new(o, "rate", p->rate > 0 ? json_real(p->rate) : json_null());
	json_object_set_new(o, "arrivals", p->mode == BENCH_OPEN_LOOP
	                    ? json_string(p->poisson ? "poisson" : "even") : json_null());
	json_object_set_new(o, "new_connections", json_boolean(p->new_connections));
	json_object_set_new(o, "stream", p->mode == BENCH_STREAM
	                    ? json_string(bench_stream_name(p->stream)) : json_null());
}

static void put_result(json_t *o, const struct report *r)
{
	const struct tally *t = &r->tally;
	const struct { const char *name; uint64_t n; } counts[] = {
		{ "operations", t->operations },
		{ "bytes_sent", t->bytes_sent },
		{ "bytes_received", t->bytes_received },
		{ "connections_opened", t->connections_opened },
		{ "arrivals_unserved", t->arrivals_unserved },
		{ "errors", tally_failures(t) },
	};

	json_object_set_new(o, "seconds", json_real(r->seconds));
	json_object_set_new(o, "operations_per_second",
	                    json_real(report_per_second(r, t->operations)));
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
		json_object_set_new(o, counts[i].name, json_value_count(counts[i].n));
	json_object_set_new(o, "errors_by_kind", failures(t));
	json_object_set_new(o, "error_reasons", reasons(t));
	json_object_set_new(o, "latency_usec", times(&t->latency));
	json_object_set_new(o, "connect_usec", times(&t->connect));
	json_object_set_new(o, "histogram_usec", classes(&t->latency));
	json_object_set_new(o, "client_cpu_seconds", json_real(r->client_cpu_seconds));
	json_object_set_new(o, "started", json_string(r->started));
}

json_t *report_json_make(const struct report *r)
{
	json_t *o = json_object();

	if (!o)
		return NULL;
	put_plan(o, r->plan);
	put_result(o, r);
	put_tls(o, r);
	return o;
}

int report_json_write(FILE *out, const json_t *report)
{
	if (json_dumpf(report, out, JSON_INDENT(2) | JSON_REAL_PRECISION(12)) == -1 ||
	    putc('\n', out) == EOF || fflush(out) == EOF)
		return -1;
	return 0;
}

json_t *report_json_read(const char *path, char *complaint, size_t size)
{
	json_error_t error;
	json_t *o = json_load_file(path, 0, &error);
	json_int_t version;

	if (!o) {
		if (error.line > 0)
			snprintf(complaint, size, "%s:%d: %s", path, error.line, error.text);
		else
			snprintf(complaint, size, "%s", error.text);
		return NULL;
	}
	version = json_integer_value(json_object_get(o, "drover_bench"));
	if (version == FORMAT_VERSION)
		return o;
	snprintf(complaint, size, "%s is not a report of drover-bench, as --save and --json write it", path);
	json_decref(o);
	return NULL;
}
