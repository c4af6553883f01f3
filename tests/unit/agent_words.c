/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a load balancer is told: from the status to the line, and the average over three answers.
 */
#include <config.h>
#include "agent_words.h"

#include <limits.h>

#include "agent_average.h"
#include "unit.h"

/* A service in the status; the other keys that a status has are not read. */
#define SERVICE(name, state, serves, limit, free, queue, rest) \
	"{\"name\":\"" name "\",\"state\":\"" state "\",\"serves\":" serves ",\"slots\":{\"open\":1,\"limit\":" \
	limit ",\"free\":" free "},\"queue\":" queue ",\"restart_delay\":0" rest "}"
#define QUEUE(n)     "{\"length\":" n ",\"limit\":4096}"
#define STATUS(phase, services) "{\"phase\":\"" phase "\",\"services\":[" services "]}"
#define SERVING(limit, free, queue) STATUS("serving", SERVICE("s", "serving", "true", limit, free, queue, ""))
#define STATE(state, serves, rest) STATUS("serving", SERVICE("s", state, serves, "4", "4", "null", rest))
#define PHASE(phase) STATUS(phase, SERVICE("s", "serving", "true", "4", "4", "null", ""))

static const struct {
	const char *name, *status, *service, *want;
} rows[] = {
	{ "nothing is open", SERVING("100", "100", "null"), "s", "up 100% maxconn:100" },
	{ "a part is open", SERVING("100", "63", "null"), "s", "up 63% maxconn:100" },
	{ "it is rounded up", SERVING("1000", "631", "null"), "s", "up 64% maxconn:1000" },
	{ "one slot of many is still one percent", SERVING("100000", "1", "null"), "s", "up 1% maxconn:100000" },
	{ "full: 0% would mean that it leaves", SERVING("100", "0", "null"), "s", "up 1% maxconn:100" },
	{ "what waits takes slots, too", SERVING("100", "80", QUEUE("30")), "s", "up 50% maxconn:100" },
	{ "more wait than there is room", SERVING("100", "80", QUEUE("300")), "s", "up 1% maxconn:100" },
	{ "a capacity of none", SERVING("0", "0", "null"), "s", "up 1% maxconn:1" },
	{ "more free than there can be", SERVING("4", "9", "null"), "s", "up 100% maxconn:4" },
	{ "exhausted", STATE("exhausted", "true", ""), "s", "up 100% maxconn:4" },

	{ "balancers divide the slots",
	  "{\"phase\":\"serving\",\"balancers\":3,\"services\":["
	  SERVICE("s", "serving", "true", "100", "100", "null", "") "]}", "s", "up 100% maxconn:33" },
	{ "each of many balancers has one",
	  "{\"phase\":\"serving\",\"balancers\":1000,\"services\":["
	  SERVICE("s", "serving", "true", "100", "100", "null", "") "]}", "s", "up 100% maxconn:1" },
	{ "more than fits in a number of HAProxy", SERVING("9000000000000000", "9000000000000000", "null"), "s",
	  "up 100% maxconn:2147483647" },

	{ "a service leaves", STATE("leaving", "true", ""), "s", "up 0%" },
	{ "a service drains", STATE("draining", "false", ""), "s", "up 0%" },
	{ "a service is drained", STATE("drained", "false", ""), "s", "up 0%" },
	{ "the server rests", PHASE("resting"), "s", "up 0%" },
	{ "the server leaves", PHASE("leaving"), "s", "up 0%" },
	{ "the server stops", PHASE("stopping"), "s", "up 0%" },
	{ "the server starts", PHASE("starting"), "s", "down #the server starts" },
	{ "a reload changes nothing", PHASE("reloading"), "s", "up 100% maxconn:4" },
	{ "an upgrade changes nothing", PHASE("upgrading"), "s", "up 100% maxconn:4" },

	{ "it fails", STATE("failing", "false", ",\"reason\":\"no program works\""), "s", "down #no program works" },
	{ "all workers stand still", STATE("failing", "false", ",\"reason\":\"its workers stand still\""), "s",
	  "down #its workers stand still" },
	{ "it fails for no known reason", STATE("failing", "false", ",\"reason\":null"), "s",
	  "down #its workers end too often" },
	{ "a worker fails, and others serve", STATE("failing", "true", ",\"reason\":\"one ended\""), "s",
	  "up 100% maxconn:4" },
	{ "the only worker has ended, and another one starts", STATE("serving", "false", ""), "s",
	  "up 100% maxconn:4" },
	{ "it may not start yet", STATE("serving", "false", ",\"restart_delay\":2.5"), "s",
	  "down #its workers end too often" },
	{ "it may not start yet, and others serve", STATE("serving", "true", ",\"restart_delay\":2.5"), "s",
	  "up 100% maxconn:4" },
	{ "nothing in a reason can end the line", STATE("failing", "false", ",\"reason\":\"a\\nready\\u00e9\""), "s",
	  "down #a\\x0aready\\xc3\\xa9" },

	{ "no such service", SERVING("4", "4", "null"), "t", "down #no such service" },
	{ "a part of a name is none", SERVING("4", "4", "null"), "S", "down #no such service" },
	{ "all services: sums",
	  STATUS("serving", SERVICE("a", "serving", "true", "100", "100", QUEUE("0"), "") ","
	         SERVICE("b", "exhausted", "true", "100", "0", QUEUE("90"), "")), "", "up 50% maxconn:200" },
	{ "all services: one leaves",
	  STATUS("serving", SERVICE("a", "drained", "false", "100", "100", "null", "") ","
	         SERVICE("b", "serving", "true", "100", "0", "null", "")), "", "up 0%" },
	{ "all services: down is worse than leaving",
	  STATUS("serving", SERVICE("a", "failing", "false", "1", "1", "null", ",\"reason\":\"no\"") ","
	         SERVICE("b", "drained", "true", "100", "0", "null", "")), "", "down #a: no" },
	{ "all services: the first reason is given",
	  STATUS("serving", SERVICE("a", "failing", "false", "1", "1", "null", ",\"reason\":\"x\"") ","
	         SERVICE("b", "failing", "false", "1", "0", "null", ",\"reason\":\"y\"")), "", "down #a: x" },
	{ "one service is not judged by another one",
	  STATUS("serving", SERVICE("a", "failing", "false", "1", "1", "null", "") ","
	         SERVICE("b", "serving", "true", "100", "50", "null", "")), "b", "up 50% maxconn:100" },
};

static const char *answer(const char *status, const char *service)
{
	static char line[AGENT_LINE_MAX];
	json_t *j = json_loads(status, 0, NULL);
	struct agent_state s;

	ck_assert_msg(j, "%s", status);
	ck_assert(agent_words_judge(j, service, &s));
	json_decref(j);
	return agent_words_line(&s, agent_words_percent(agent_words_share(&s)), line);
}

START_TEST(the_line_follows_from_the_status)
{
	const char *line = answer(rows[_i].status, rows[_i].service);

	ck_assert_msg(strcmp(line, rows[_i].want) == 0, "%s: %s", rows[_i].name, line);
} END_TEST

START_TEST(a_long_reason_is_cut)
{
	char status[2000], reason[1001];
	const char *line;

	memset(reason, 'x', sizeof reason - 1);
	reason[sizeof reason - 1] = '\0';
	snprintf(status, sizeof status, STATE("failing", "false", ",\"reason\":\"%s\""), reason);
	line = answer(status, "s");
	ck_assert_uint_lt(strlen(line), AGENT_LINE_MAX);
	ck_assert_int_eq(strncmp(line, "down #xxx", 9), 0);
} END_TEST

static const char *const odd[] = {
	"{}", "[]", "{\"phase\":\"serving\"}", "{\"phase\":1,\"services\":[]}", "{\"phase\":\"serving\",\"services\":{}}",
	STATUS("serving", "1"), STATUS("serving", "{\"name\":\"s\"}"), SERVING("-1", "0", "null"),
	SERVING("1", "-1", "null"), SERVING("1", "1", QUEUE("-1")), SERVING("\"x\"", "1", "null"),
};

START_TEST(a_status_that_is_not_understood_is_no_answer)
{
	json_t *j = json_loads(odd[_i], 0, NULL);
	struct agent_state s;

	ck_assert_msg(j, "%s", odd[_i]);
	ck_assert_msg(!agent_words_judge(j, "s", &s), "%s", odd[_i]);
	json_decref(j);
} END_TEST

/* ---- the average -------------------------------------------------------- */

START_TEST(the_average_is_that_of_the_last_three)
{
	static const struct { int share, want; } steps[] = {
		{ 9000, 9000 }, { 5000, 7000 }, { 1000, 5000 }, { 1000, 2334 }, { 1000, 1000 }, { 0, 667 },
	};
	struct agent_average a = { .n = 0 };

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		ck_assert_int_eq(agent_average_add(&a, "s", steps[i].share), steps[i].want);
	agent_average_free(&a);
} END_TEST

START_TEST(each_service_has_its_own_average)
{
	struct agent_average a = { .n = 0 };

	agent_average_add(&a, "a", 0);
	ck_assert_int_eq(agent_average_add(&a, "b", 8000), 8000);
	ck_assert_int_eq(agent_average_add(&a, "", 6000), 6000);
	ck_assert_int_eq(agent_average_add(&a, "a", 1000), 500);
	agent_average_free(&a);
} END_TEST

START_TEST(what_is_forgotten_does_not_count)
{
	struct agent_average a = { .n = 0 };

	agent_average_forget(&a, "a");
	agent_average_add(&a, "a", 0);
	agent_average_add(&a, "b", 0);
	agent_average_forget(&a, "a");
	ck_assert_int_eq(agent_average_add(&a, "a", 8000), 8000);
	ck_assert_int_eq(agent_average_add(&a, "b", 8000), 4000);
	agent_average_free(&a);
} END_TEST

static bool is_b(const void *arg, const char *service)
{
	return strcmp(service, arg) == 0;
}

START_TEST(services_that_are_gone_are_forgotten)
{
	struct agent_average a = { .n = 0 };

	agent_average_add(&a, "a", 0);
	agent_average_add(&a, "b", 0);
	agent_average_add(&a, "c", 0);
	agent_average_prune(&a, is_b, "b");
	ck_assert_uint_eq(a.n, 1);
	ck_assert_int_eq(agent_average_add(&a, "b", 8000), 4000);
	agent_average_free(&a);
} END_TEST

int main(void)
{
	Suite *s = suite_create("agent_words");
	TCase *tc = unit_case(s, "words", NULL, NULL);

	tcase_add_loop_test(tc, the_line_follows_from_the_status, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, a_long_reason_is_cut);
	tcase_add_loop_test(tc, a_status_that_is_not_understood_is_no_answer, 0, ARRAY_SIZE(odd));

	tc = unit_case(s, "average", NULL, NULL);
	tcase_add_test(tc, the_average_is_that_of_the_last_three);
	tcase_add_test(tc, each_service_has_its_own_average);
	tcase_add_test(tc, what_is_forgotten_does_not_count);
	tcase_add_test(tc, services_that_are_gone_are_forgotten);
	return unit_run(s);
}
