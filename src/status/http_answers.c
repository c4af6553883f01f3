/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A row for each path.
 */
#include <config.h>
#include "http_answers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "ready.h"
#include "text.h"

#define TEXT "text/plain; charset=utf-8"

struct http_resource {
	const char *path;
	enum fact   fact;
	const char *type;
	/* Fills status and body; result is not NULL. */
	void      (*make)(const struct http_request *r, const json_t *result, struct http_answer *a);
};

static void set_body(struct http_answer *a, char *body)
{
	a->body = body;
	a->len = body ? strlen(body) : 0;
}

struct http_answer http_answers_refuse(unsigned status)
{
	static const struct { unsigned status; const char *text; } texts[] = {
		{ 404, "There is nothing here.\n" },
		{ 405, "Only GET and HEAD are answered.\n" },
		{ 503, "The master does not answer.\n" },
	};
	struct http_answer a = { .status = status, .type = TEXT };

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (texts[i].status == status)
			set_body(&a, strdup(texts[i].text));
	return a;
}

/* ---- the resources ------------------------------------------------------ */

static void make_page(const struct http_request *r, const json_t *result, struct http_answer *a)
{
	unsigned char random[16];
	char nonce[2 * sizeof random + 1];
	struct text t = text_in(nonce, sizeof nonce);

	(void)r;
	if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
		return;
	text_add_hex(&t, random, sizeof random);
	a->body = page_render(result, nonce, &a->len);
	page_policy(nonce, a->policy);
}

static void make_json(const struct http_request *r, const json_t *result, struct http_answer *a)
{
	(void)r;
	set_body(a, json_dumps(result, JSON_COMPACT));
}

static void make_metrics(const struct http_request *r, const json_t *result, struct http_answer *a)
{
	const char *text = json_string_value(result);

	(void)r;
	set_body(a, text ? strdup(text) : NULL);
}

static void make_live(const struct http_request *r, const json_t *result, struct http_answer *a)
{
	(void)r, (void)result;
	set_body(a, strdup("alive\n"));
}

static void make_ready(const struct http_request *r, const json_t *result, struct http_answer *a)
{
	char *why;

	switch (ready_judge(result, r->service, &why)) {
	case READY:
		break;
	case READY_NOT:
		a->status = 503;
		break;
	case READY_UNKNOWN:
		a->status = 404;
		break;
	}
	set_body(a, why);
}

static const struct http_resource
	page        = { "/",            FACT_SNAPSHOT, "text/html; charset=utf-8", make_page },
	status_json = { "/status.json", FACT_SNAPSHOT, "application/json", make_json },
	live        = { "/live",        FACT_LIFE,     TEXT, make_live },
	ready       = { "/ready",       FACT_STATUS,   TEXT, make_ready },
	/* Prometheus 3 takes no answer without exactly these types. */
	metrics     = { "/metrics",     FACT_METRICS,  "text/plain; version=0.0.4; charset=utf-8", make_metrics },
	openmetrics = { "/metrics",     FACT_OPENMETRICS,
	                "application/openmetrics-text; version=1.0.0; charset=utf-8", make_metrics };

/* ---- which one ---------------------------------------------------------- */

static bool wants_openmetrics(const struct http_request *r)
{
	return r->accept && strstr(r->accept, "application/openmetrics-text");
}

const struct http_resource *http_answers_find(const struct http_site *site, const struct http_request *r)
{
	static const struct http_resource *const all[] = { &page, &status_json, &live, &ready, &metrics };

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (strcmp(all[i]->path, r->path) == 0)
			return all[i] == &page && !site->page ? NULL :
			       all[i] == &metrics && wants_openmetrics(r) ? &openmetrics : all[i];
	return NULL;
}

enum fact http_answers_need(const struct http_resource *what)
{
	return what->fact;
}

struct http_answer http_answers_make(const struct http_resource *what, const struct http_request *r,
                                     const json_t *result)
{
	struct http_answer a = { .status = 200, .type = what->type };

	if (!result)
		return http_answers_refuse(503);
	what->make(r, result, &a);
	return a;
}
