/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What paths stand for, and what is answered, without a server.
 */
#include <config.h>
#include "http_answers.h"

#include "unit.h"

static const struct http_site all = { .page = true }, no_page = { .page = false };

#define TEXT    "text/plain; charset=utf-8"
#define METRICS "text/plain; version=0.0.4; charset=utf-8"
#define OPEN    "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define PROMETHEUS "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"

/* What is asked for: FACTS: nothing, there is no such resource. */
static const struct { const char *path, *accept; enum fact need; const char *type; } rows[] = {
	{ "/",                 NULL,        FACT_SNAPSHOT, "text/html; charset=utf-8" },
	{ "/status.json",      NULL,        FACT_SNAPSHOT, "application/json" },
	{ "/live",             NULL,        FACT_LIFE,     TEXT },
	{ "/ready",            NULL,        FACT_STATUS,   TEXT },
	{ "/metrics",          NULL,        FACT_METRICS,  METRICS },
	{ "/metrics",          "*/*",       FACT_METRICS,  METRICS },
	{ "/metrics",          "text/plain", FACT_METRICS, METRICS },
	{ "/metrics",          "",          FACT_METRICS,  METRICS },
	{ "/metrics",          PROMETHEUS,  FACT_OPENMETRICS, OPEN },
	{ "/metrics",          "application/openmetrics-text", FACT_OPENMETRICS, OPEN },
	{ "/live",             PROMETHEUS,  FACT_LIFE,     TEXT },
	{ "",                  NULL,        FACTS,         NULL },
	{ "//",                NULL,        FACTS,         NULL },
	{ "/live/",            NULL,        FACTS,         NULL },
	{ "/Live",             NULL,        FACTS,         NULL },
	{ "/liv",              NULL,        FACTS,         NULL },
	{ "/livex",            NULL,        FACTS,         NULL },
	{ "/%6cive",           NULL,        FACTS,         NULL },
	{ "/../live",          NULL,        FACTS,         NULL },
	{ "live",              NULL,        FACTS,         NULL },
	{ "http://host/live",  NULL,        FACTS,         NULL },
	{ "*",                 NULL,        FACTS,         NULL },
};

START_TEST(path_stands_for_a_resource)
{
	const struct http_request r = { .path = rows[_i].path, .accept = rows[_i].accept };
	const struct http_resource *what = http_answers_find(&all, &r);
	json_t *result = rows[_i].need == FACT_METRICS || rows[_i].need == FACT_OPENMETRICS
	                 ? json_string("# EOF\n")
	                 : json_pack("{s:s, s:[{s:s, s:s}]}", "phase", "serving", "services", "name", "s",
	                             "state", "serving");
	struct http_answer a;

	ck_assert_msg((what != NULL) == (rows[_i].need != FACTS), "%s", rows[_i].path);
	if (what) {
		ck_assert_int_eq(http_answers_need(what), rows[_i].need);
		a = http_answers_make(what, &r, result);
		ck_assert_uint_eq(a.status, 200);
		ck_assert_str_eq(a.type, rows[_i].type);
		ck_assert_ptr_nonnull(a.body);
		ck_assert_uint_eq(a.len, strlen(a.body));
		ck_assert_int_eq(*a.policy != '\0', rows[_i].need == FACT_SNAPSHOT && rows[_i].type[0] == 't');
		free(a.body);
	}
	json_decref(result);
} END_TEST

static struct http_answer make(const char *path, const char *service, const char *text)
{
	const struct http_request r = { .path = path, .service = service };
	json_t *result = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
	struct http_answer a = http_answers_make(http_answers_find(&all, &r), &r, result);

	json_decref(result);
	return a;
}

START_TEST(the_page_may_be_left_out_and_nothing_else)
{
	ck_assert_ptr_null(http_answers_find(&no_page, &(struct http_request){ .path = "/" }));
	for (size_t i = 1; i < ARRAY_SIZE(rows); i++)
		ck_assert_int_eq(http_answers_find(&no_page, &(struct http_request){ .path = rows[i].path }) != NULL,
		                 rows[i].need != FACTS);
} END_TEST

static const struct { const char *path, *service, *result; unsigned status; const char *body; } answers[] = {
	{ "/live", NULL, "{}", 200, "alive\n" },
	{ "/live", NULL, NULL, 503, "The master does not answer.\n" },
	{ "/", NULL, NULL, 503, "The master does not answer.\n" },
	{ "/status.json", NULL, "{\"a\": [ 1, 2 ]}", 200, "{\"a\":[1,2]}" },
	{ "/metrics", NULL, "\"a 1\\nb 2\\n\"", 200, "a 1\nb 2\n" },
	{ "/ready", NULL, "{\"phase\":\"serving\",\"services\":[]}", 200, "ready\n" },
	{ "/ready", NULL, "{\"phase\":\"starting\",\"services\":[]}", 503, "The server is starting.\n" },
	{ "/ready", "x", "{\"phase\":\"serving\",\"services\":[]}", 404, "There is no such service.\n" },
};

START_TEST(answer_is_made_of_what_the_master_says)
{
	struct http_answer a = make(answers[_i].path, answers[_i].service, answers[_i].result);

	ck_assert_uint_eq(a.status, answers[_i].status);
	ck_assert_str_eq(a.body, answers[_i].body);
	ck_assert_uint_eq(a.len, strlen(a.body));
	free(a.body);
} END_TEST

START_TEST(each_page_has_a_nonce_of_its_own)
{
	struct http_answer a = make("/", NULL, "{}"), b = make("/", NULL, "{}");

	unit_contains(a.policy, "nonce-");
	ck_assert_str_ne(a.policy, b.policy);
	free(a.body);
	free(b.body);
} END_TEST

static const struct { unsigned status; const char *body; } refusals[] = {
	{ 404, "There is nothing here.\n" },
	{ 405, "Only GET and HEAD are answered.\n" },
	{ 503, "The master does not answer.\n" },
};

START_TEST(refusal_says_why)
{
	struct http_answer a = http_answers_refuse(refusals[_i].status);

	ck_assert_uint_eq(a.status, refusals[_i].status);
	ck_assert_str_eq(a.type, TEXT);
	ck_assert_str_eq(a.body, refusals[_i].body);
	ck_assert_str_eq(a.policy, "");
	free(a.body);
} END_TEST

int main(void)
{
	Suite *s = suite_create("http_answers");
	TCase *tc = unit_case(s, "paths", NULL, NULL);

	tcase_add_loop_test(tc, path_stands_for_a_resource, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, the_page_may_be_left_out_and_nothing_else);
	tc = unit_case(s, "answers", NULL, NULL);
	tcase_add_loop_test(tc, answer_is_made_of_what_the_master_says, 0, ARRAY_SIZE(answers));
	tcase_add_test(tc, each_page_has_a_nonce_of_its_own);
	tcase_add_loop_test(tc, refusal_says_why, 0, ARRAY_SIZE(refusals));
	return unit_run(s);
}
