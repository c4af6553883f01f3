/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Prints results: a function for each command.
 */
#include <config.h>
#include "show.h"

#include <string.h>

#include "crash.h"
#include "overview.h"
#include "table.h"
#include "value.h"
#include "view.h"

#define LINE_ROOM    4096
#define REAL_DIGITS  15         /* so that 192.3 does not become 192.30000000000001 */

/* ---- looking ------------------------------------------------------------ */

static bool show_list(enum view_kind kind, const json_t *result, FILE *out)
{
	const json_t *rows = view_rows(view_of(kind), result);
	struct table *t;

	if (!rows)
		return false;
	t = table_new(view_of(kind), rows);
	table_print(t, out, table_width_of(out));
	table_free(t);
	return true;
}

/* Prints why services fail, each in a line, because it is too long for a column. */
static void show_reasons(const json_t *rows, FILE *out)
{
	char name[LINE_ROOM], reason[LINE_ROOM];

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		struct text n = text_in(name, sizeof name), r = text_in(reason, sizeof reason);

		if (!json_is_string(value_at(row, "reason")))
			continue;
		value_put_text(&n, value_at(row, "name"));
		value_put_text(&r, value_at(row, "reason"));
		fprintf(out, "%s is failing: %s\n", name, reason);
	}
}

static bool show_service_list(const json_t *result, FILE *out)
{
	if (!show_list(VIEW_SERVICES, result, out))
		return false;
	show_reasons(view_rows(view_of(VIEW_SERVICES), result), out);
	return true;
}

/* Prints a line, if the value is a string: null means that there is nothing to print. */
static void show_if_told(const char *label, const json_t *value, FILE *out)
{
	char buf[LINE_ROOM];
	struct text t = text_in(buf, sizeof buf);

	if (!json_is_string(value))
		return;
	value_put_text(&t, value);
	fprintf(out, "%s %s\n", label, buf);
}

/* A line for each, because it must be renewed. */
static void show_expiring(const json_t *certificates, FILE *out)
{
	char name[LINE_ROOM], chain[LINE_ROOM], until[LINE_ROOM];

	for (size_t i = 0; i < json_array_size(certificates); i++) {
		const json_t *row = json_array_get(certificates, i);
		struct text n = text_in(name, sizeof name), c = text_in(chain, sizeof chain),
		            u = text_in(until, sizeof until);

		value_put_text(&n, value_at(row, "service"));
		value_put_text(&c, value_at(row, "chain"));
		value_put_text(&u, value_at(row, "until"));
		fprintf(out, "certificate %s of %s %s at %s\n", chain, name,
		        value_number_at(row, "days") < 0 ? "expired" : "expires", until);
	}
}

bool show_status(const json_t *request, const json_t *result, FILE *out)
{
	static const struct overview no_rates;
	char buf[LINE_ROOM];

	(void)request;
	if (!view_rows(view_of(VIEW_SERVICES), result))
		return false;
	for (size_t i = 0; i < OVERVIEW_LINES; i++) {
		struct text t = text_in(buf, sizeof buf);

		overview_line(&no_rates, result, i, &t);
		fprintf(out, "%s\n", buf);
	}
	show_if_told("configuration", value_at(result, "config"), out);
	show_if_told("the last reload was refused:", value_at(result, "refused"), out);
	show_expiring(value_at(result, "certificates"), out);
	putc('\n', out);
	return show_service_list(result, out);
}

bool show_services(const json_t *request, const json_t *result, FILE *out)
{
	(void)request;
	return show_service_list(result, out);
}

bool show_workers(const json_t *request, const json_t *result, FILE *out)
{
	(void)request;
	return show_list(VIEW_WORKERS, result, out);
}

bool show_connections(const json_t *request, const json_t *result, FILE *out)
{
	(void)request;
	return show_list(VIEW_CONNECTIONS, result, out);
}

/* Prints a line about sources that are not in the list, if there are some. */
static void show_sources_left_off(const json_t *result, FILE *out)
{
	const double left_off = value_number_at(result, "left_off");
	const double nameless = value_number_at(result, "nameless.sources");

	if (left_off > 0)
		fprintf(out, "and %.0f more sources\n", left_off);
	if (nameless > 0)
		fprintf(out, "and %.0f sources whose addresses are not known any more, with %.0f connections\n",
		        nameless, value_number_at(result, "nameless.connections"));
}

bool show_sources(const json_t *request, const json_t *result, FILE *out)
{
	(void)request;
	if (!show_list(VIEW_SOURCES, result, out))
		return false;
	show_sources_left_off(result, out);
	return true;
}

bool show_crashes(const json_t *request, const json_t *result, FILE *out)
{
	return value_at(request, "crash") ? crash_print(value_at(result, "crash"), out)
	                                  : show_list(VIEW_CRASHES, result, out);
}

bool show_blocked(const json_t *request, const json_t *result, FILE *out)
{
	(void)request;
	return show_list(VIEW_BLOCKED, result, out);
}

bool show_certificates(const json_t *request, const json_t *result, FILE *out)
{
	(void)request;
	return show_list(VIEW_CERTIFICATES, result, out);
}

/* Nothing but the text, for other programs. No byte of it can mean something to a terminal. */
bool show_metrics(const json_t *request, const json_t *result, FILE *out)
{
	const json_t *text = value_at(result, "text");

	(void)request;
	if (!json_is_string(text))
		return false;
	for (const char *c = json_string_value(text); *c; c++)
		putc(*c == '\n' || (*c >= ' ' && *c <= '~') ? *c : '?', out);
	return true;
}

bool show_check(const json_t *request, const json_t *result, FILE *out)
{
	const json_t *warnings = value_at(result, "warnings"), *warning;
	size_t i;

	(void)request;
	json_array_foreach(warnings, i, warning)
		if (json_is_string(warning))
			show_message(warning, stderr);
	fputs("configuration ok\n", out);
	return true;
}

bool show_version(const json_t *request, const json_t *result, FILE *out)
{
	(void)request;
	if (!json_is_string(value_at(result, "version")))
		return false;
	show_if_told("drover", value_at(result, "version"), out);
	return true;
}

/* ---- changing ----------------------------------------------------------- */

bool show_reload(const json_t *request, const json_t *result, FILE *out)
{
	const json_t *generation = value_at(result, "generation");

	(void)request;
	if (!json_is_integer(generation))
		return false;
	fprintf(out, "reloaded: generation %" JSON_INTEGER_FORMAT "\n", json_integer_value(generation));
	show_reasons(value_at(result, "failing"), out);
	return true;
}

bool show_upgrade(const json_t *request, const json_t *result, FILE *out)
{
	const json_t *generation = value_at(result, "generation");

	(void)request;
	if (!json_is_string(value_at(result, "version")) || !json_is_integer(generation))
		return false;
	fprintf(out, "generation %" JSON_INTEGER_FORMAT " serves, by ", json_integer_value(generation));
	show_if_told("drover", value_at(result, "version"), out);
	return true;
}

bool show_stop(const json_t *request, const json_t *result, FILE *out)
{
	(void)request;
	if (!json_is_true(value_at(result, "stopped")))
		return false;
	fputs("stopped\n", out);
	return true;
}

bool show_reopen_logs(const json_t *request, const json_t *result, FILE *out)
{
	(void)request, (void)result;
	fputs("the log files have been opened again\n", out);
	return true;
}

bool show_scale(const json_t *request, const json_t *result, FILE *out)
{
	const json_t *from = value_at(result, "from"), *to = value_at(result, "to");

	if (!json_is_integer(from) || !json_is_integer(to))
		return false;
	fprintf(out, "%s: from %" JSON_INTEGER_FORMAT " to %" JSON_INTEGER_FORMAT " workers\n",
	        json_string_value(value_at(request, "service")), json_integer_value(from),
	        json_integer_value(to));
	return true;
}

bool show_drain(const json_t *request, const json_t *result, FILE *out)
{
	(void)result;
	fprintf(out, "%s: drained, clients wait\n", json_string_value(value_at(request, "service")));
	return true;
}

bool show_resume(const json_t *request, const json_t *result, FILE *out)
{
	(void)result;
	fprintf(out, "%s: serves again\n", json_string_value(value_at(request, "service")));
	return true;
}

bool show_kick(const json_t *request, const json_t *result, FILE *out)
{
	(void)result;
	fprintf(out, "%s: closed\n", json_string_value(value_at(request, "connection")));
	return true;
}

bool show_unblock(const json_t *request, const json_t *result, FILE *out)
{
	const json_t *list = value_at(result, "unblocked"), *item;
	char name[LINE_ROOM], prefix[LINE_ROOM];
	size_t i;

	(void)request;
	if (!json_is_array(list))
		return false;
	json_array_foreach(list, i, item) {
		struct text n = text_in(name, sizeof name), p = text_in(prefix, sizeof prefix);

		value_put_text(&n, value_at(item, "service"));
		value_put_text(&p, value_at(item, "prefix"));
		fprintf(out, "%s: %s is not blocked any more\n", name, prefix);
	}
	return true;
}

/* ---- JSON --------------------------------------------------------------- */

void show_json(const json_t *value, bool pretty, FILE *out)
{
	size_t look = pretty ? JSON_INDENT(2) : JSON_COMPACT;

	json_dumpf(value, out, look | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(REAL_DIGITS));
	putc('\n', out);
}

/* ---- errors ------------------------------------------------------------- */

void show_message(const json_t *message, FILE *out)
{
	const char *at = json_string_value(message);
	const char *end = at + json_string_length(message);
	char buf[LINE_ROOM];

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((newline ? newline : end) - at);
		struct text t = text_in(buf, sizeof buf);

		text_add_safe(&t, at, len);
		if (len > 0)
			fprintf(out, "droverctl: %s\n", buf);
		at += len + 1;
	}
}
