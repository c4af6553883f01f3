/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes values as HTML, one function for each kind. It trusts the shape of a snapshot as little as
 * its texts: whatever is absent or of another type is left out.
 */
#include <config.h>
#include "page_cell.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "html.h"
#include "page_number.h"

#define NBSP "&nbsp;"

#define KEY_MAX 32              /* of our own paths */
#define EXPIRES_SOON_DAYS 14    /* as `certificates` of status */

const json_t *page_cell_find(const json_t *root, const char *path)
{
	char key[KEY_MAX];
	size_t len;

	for (; root && *path; path += len + (path[len] == '.')) {
		len = strcspn(path, ".");
		assert(len < sizeof key);
		memcpy(key, path, len);
		key[len] = '\0';
		root = json_object_get(root, key);
	}
	return root;
}

/* NaN if there is no number. */
static double number(const json_t *object, const char *key)
{
	const json_t *value = page_cell_find(object, key);

	return json_is_number(value) ? json_number_value(value) : NAN;
}

/* NULL if there is no text. */
static const char *string(const json_t *object, const char *key)
{
	const char *text = json_string_value(page_cell_find(object, key));

	return text && *text ? text : NULL;
}

/* ---- numbers and texts -------------------------------------------------- */

static bool write_number(FILE *out, const json_t *value, const char *format(double, char *))
{
	char buf[PAGE_NUMBER_MAX];
	const char *text = json_is_number(value) ? format(json_number_value(value), buf) : NULL;

	return text && fputs(text, out) >= 0;
}

static bool write_count(FILE *out, const json_t *value)
{
	return write_number(out, value, page_number_count);
}

static bool write_bytes(FILE *out, const json_t *value)
{
	return write_number(out, value, page_number_bytes);
}

static bool write_age(FILE *out, const json_t *value)
{
	return write_number(out, value, page_number_age);
}

static bool write_text(FILE *out, const json_t *value)
{
	const char *text = string(value, "");

	if (json_is_integer(value))
		fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (text)
		html_text(out, text);
	return json_is_integer(value) || text;
}

/* "2026-11-22 15:50:01 UTC", or what is there instead of such a time. */
static bool write_when(FILE *out, const json_t *value)
{
	const char *text = string(value, "");
	size_t len = text ? strlen(text) : 0;
	unsigned year, month, day, hour, minute, second;

	if (len < sizeof "YYYY-MM-DDThh:mm:ssZ" - 1 || text[len - 1] != 'Z' || text[10] != 'T' ||
	    sscanf(text, "%4u-%2u-%2uT%2u:%2u:%2u", &year, &month, &day, &hour, &minute, &second) != 6)
		return write_text(out, value);
	fprintf(out, "%04u-%02u-%02u %02u:%02u:%02u UTC", year, month, day, hour, minute, second);
	return true;
}

/* ", " before all items but the first. */
static void next_item(FILE *out, size_t *n)
{
	if ((*n)++ > 0)
		fputs(", ", out);
}

/* "12 queued", if there are any, or if zero is worth saying. */
static void add_count(FILE *out, size_t *n, const json_t *value, const char *what, bool with_zero)
{
	char buf[PAGE_NUMBER_MAX];
	const char *text = json_is_number(value) ? page_number_count(json_number_value(value), buf) : NULL;

	if (text && (with_zero || json_number_value(value) > 0)) {
		next_item(out, n);
		fprintf(out, "%s" NBSP "%s", text, what);
	}
}

/* "SIGSEGV 2", for each name that has any. */
static void add_counts_by_name(FILE *out, size_t *n, const json_t *object)
{
	json_t *all = (json_t *)(uintptr_t)object;      /* jansson iterates over objects that may change */
	char buf[PAGE_NUMBER_MAX];

	for (void *at = json_object_iter(all); at; at = json_object_iter_next(all, at)) {
		const json_t *value = json_object_iter_value(at);
		const char *text = json_is_number(value) ?
		                   page_number_count(json_number_value(value), buf) : NULL;

		if (!text || json_number_value(value) == 0)
			continue;
		next_item(out, n);
		html_text(out, json_object_iter_key(at));
		fprintf(out, NBSP "%s", text);
	}
}

/* ---- states ------------------------------------------------------------- */

/* The colour of a word; those that are not here have none. Nothing is said by a colour alone. */
static const struct {
	const char *word, *tone;
} tones[] = {
	{ "serving", "good" }, { "accepting", "good" }, { "exhausted", "warn" }, { "failing", "bad" },
	{ "leaving", "warn" }, { "draining", "warn" }, { "reloading", "warn" }, { "upgrading", "warn" },
	{ "stopping", "warn" }, { "resting", "warn" },
};

static const char *tone_of(const char *word)
{
	for (size_t i = 0; i < sizeof tones / sizeof tones[0]; i++)
		if (strcmp(word, tones[i].word) == 0)
			return tones[i].tone;
	return "calm";
}

static void put_badge(FILE *out, const char *tone, const char *word)
{
	fprintf(out, "<span class=\"badge %s\">", tone);
	html_text(out, word);
	fputs("</span>", out);
}

static bool write_badge(FILE *out, const json_t *value)
{
	const char *word = string(value, "");

	if (word)
		put_badge(out, tone_of(word), word);
	return word;
}

/* A line of its own in smaller letters. */
static void put_note(FILE *out, const char *text)
{
	fputs("<small>", out);
	html_text(out, text);
	fputs("</small>", out);
}

static bool write_state(FILE *out, const json_t *service)
{
	const char *reason = string(service, "reason");
	char buf[PAGE_NUMBER_MAX];

	if (!write_badge(out, page_cell_find(service, "state")))
		return false;
	if (reason)
		put_note(out, reason);
	if (number(service, "restart_delay") > 0)
		fprintf(out, "<small>next start in %s</small>",
		        page_number_age(ceil(number(service, "restart_delay")), buf) ? buf : "");
	return true;
}

/* The last reload, as far as it is known: what it says itself, or that a refusal is left of it. */
static bool write_reload(FILE *out, const json_t *snapshot)
{
	const json_t *ok = page_cell_find(snapshot, "last_reload.ok");
	const json_t *at = page_cell_find(snapshot, "last_reload.at");

	if (json_is_boolean(ok))
		put_badge(out, json_is_true(ok) ? "good" : "bad", json_is_true(ok) ? "worked" : "refused");
	else if (string(snapshot, "refused"))
		put_badge(out, "bad", "refused");
	else
		return false;
	if (string(at, "")) {
		fputs("<small>", out);
		write_when(out, at);
		fputs("</small>", out);
	}
	return true;
}

static bool write_refusal(FILE *out, const json_t *snapshot)
{
	const char *reason = string(snapshot, "refused");

	if (!reason && json_is_false(page_cell_find(snapshot, "last_reload.ok")))
		reason = string(snapshot, "last_reload.reason");
	if (reason)
		html_text(out, reason);
	return reason;
}

/* ---- services and workers ----------------------------------------------- */

static bool write_name(FILE *out, const json_t *service)
{
	const char *handler = string(service, "handler");
	const json_t *listen = page_cell_find(service, "listen"), *address;
	size_t i, n = 0;

	if (!write_text(out, page_cell_find(service, "name")))
		return false;
	if (!handler && json_array_size(listen) == 0)
		return true;
	fputs("<small>", out);
	html_text(out, handler ? handler : "");
	json_array_foreach(listen, i, address) {
		fputs(i > 0 ? "" : handler ? " on " : "on ", out);
		next_item(out, &n);
		html_text(out, json_string_value(address) ? json_string_value(address) : "");
	}
	fputs("</small>", out);
	return true;
}

static bool write_workers(FILE *out, const json_t *workers)
{
	const json_t *starting = page_cell_find(workers, "starting");
	const json_t *draining = page_cell_find(workers, "draining");
	size_t n = 0;

	if (!write_count(out, page_cell_find(workers, "accepting")))
		return false;
	if (number(workers, "wanted") >= 0) {
		fputs(" of ", out);
		write_count(out, page_cell_find(workers, "wanted"));
	}
	if (number(workers, "starting") > 0 || number(workers, "draining") > 0) {
		fputs("<small>", out);
		add_count(out, &n, starting, "starting", false);
		add_count(out, &n, draining, "draining", false);
		fputs("</small>", out);
	}
	return true;
}

/* How many of all slots are busy: a bar, and the same in words. */
static bool put_slots(FILE *out, double open, double max)
{
	char text[PAGE_NUMBER_MAX], all[PAGE_NUMBER_MAX], free[PAGE_NUMBER_MAX];
	double rest = max > open ? max - open : 0;

	if (!page_number_count(open, text) || !page_number_count(max, all))
		return false;
	fprintf(out, "%s of %s<svg class=\"bar\" viewBox=\"0 0 100 4\" preserveAspectRatio=\"none\""
	        " aria-hidden=\"true\"><rect width=\"%.0f\" height=\"4\"></rect></svg>"
	        "<small>%s" NBSP "free</small>",
	        text, all, max > 0 ? floor(fmin(open / max, 1) * 100 + 0.5) : 0,
	        page_number_count(rest, free) ? free : "");
	return true;
}

static bool write_slots(FILE *out, const json_t *slots)
{
	return put_slots(out, number(slots, "open"), number(slots, "max"));
}

static bool write_room(FILE *out, const json_t *worker)
{
	return put_slots(out, number(worker, "open"), number(worker, "slots"));
}

static bool write_queue(FILE *out, const json_t *queue)
{
	if (!write_count(out, page_cell_find(queue, "length")))
		return false;
	if (number(queue, "limit") >= 0) {
		fputs(" of ", out);
		write_count(out, page_cell_find(queue, "limit"));
	}
	return true;
}

static bool write_refused(FILE *out, const json_t *counts)
{
	size_t n = 0;

	add_counts_by_name(out, &n, page_cell_find(counts, "refused"));
	add_count(out, &n, page_cell_find(counts, "untracked"), "untracked", false);
	return n > 0;
}

static bool write_deaths(FILE *out, const json_t *service)
{
	size_t n = 0;

	add_counts_by_name(out, &n, page_cell_find(service, "deaths"));
	add_count(out, &n, page_cell_find(service, "lost"), "lost" NBSP "connections", false);
	return n > 0;
}

static bool write_programs(FILE *out, const json_t *service)
{
	static const char *const filter[] = { "processes", "queued", "answered", "replaced" };
	static const char *const warm[] = { "waiting", "joined", "cold", "crashed" };
	const json_t *filters = page_cell_find(service, "filter"), *warms = page_cell_find(service, "warm");
	size_t n = 0;

	for (size_t i = 0; i < 4; i++)
		add_count(out, &n, page_cell_find(filters, filter[i]), filter[i], true);
	for (size_t i = 0; i < 4; i++)
		add_count(out, &n, page_cell_find(warms, warm[i]), warm[i], true);
	return n > 0;
}

/* Means since the server was started. */
static bool write_times(FILE *out, const json_t *times)
{
	static const struct {
		const char *key, *title;
	} kinds[] = {
		{ "duration", "connection" }, { "accept_wait", "wait" }, { "answer", "answer" },
		{ "handshake", "handshake" },
	};
	char buf[PAGE_NUMBER_MAX];
	size_t n = 0;

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		const json_t *time = page_cell_find(times, kinds[i].key);
		const char *text = page_number_time(number(time, "sum") / number(time, "count"), buf);

		if (text) {
			next_item(out, &n);
			fprintf(out, "%s" NBSP "%s", kinds[i].title, text);
		}
	}
	return n > 0;
}

/* ---- crashes and certificates ------------------------------------------- */

static bool write_signal(FILE *out, const json_t *crash)
{
	double still = number(crash, "hang.still");
	char buf[PAGE_NUMBER_MAX];

	if (!write_text(out, page_cell_find(crash, "signal")))
		return false;
	if (page_number_age(still, buf))
		fprintf(out, "<small>hung for %s</small>", buf);
	return true;
}

/* Two names, and how many more there are. */
static bool write_names(FILE *out, const json_t *names)
{
	size_t size = json_array_size(names), n = 0;

	for (size_t i = 0; i < size && i < 2; i++) {
		next_item(out, &n);
		write_text(out, json_array_get(names, i));
	}
	if (size > 2)
		fprintf(out, "<small>and %zu more</small>", size - 2);
	return size > 0;
}

static bool write_days(FILE *out, const json_t *value)
{
	double days = number(value, "");

	if (isnan(days))
		return false;
	if (days < 0)
		put_badge(out, "bad", "expired");
	else if (days < EXPIRES_SOON_DAYS)
		put_badge(out, "warn", "expires soon");
	else
		put_badge(out, "good", "valid");
	fprintf(out, "<small>%.0f" NBSP "d %s</small>", fabs(days), days < 0 ? "ago" : "left");
	return true;
}

/* ---- kinds -------------------------------------------------------------- */

static const struct {
	const char *name;
	bool      (*write)(FILE *out, const json_t *value);
} kinds[] = {
#define X(NAME, name) [PAGE_CELL_##NAME] = { #name, write_##name },
	PAGE_CELLS(X)
#undef X
};

const char *page_cell_name(enum page_cell kind)
{
	return kinds[kind].name;
}

bool page_cell_write(FILE *out, enum page_cell kind, const json_t *value)
{
	return kinds[kind].write(out, value);
}
