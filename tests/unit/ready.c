/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which servers and services are ready, and what is said of those that are not.
 */
#include <config.h>
#include "ready.h"

#include "unit.h"

#define SERVER(phase, services) "{\"phase\":\"" phase "\",\"services\":[" services "]}"
#define SERVICE(name, state) "{\"name\":\"" name "\",\"state\":\"" state "\"}"
#define FAILING(name, reason) "{\"name\":\"" name "\",\"state\":\"failing\",\"reason\":\"" reason "\"}"
#define TWO(phase, a, b) SERVER(phase, SERVICE("a", a) "," SERVICE("b", b))

static const struct { const char *name, *status, *service; enum ready verdict; const char *why; } rows[] = {
	{ "all serve", TWO("serving", "serving", "serving"), NULL, READY, "ready\n" },
	{ "a full one is ready", TWO("serving", "exhausted", "serving"), NULL, READY, "ready\n" },
	{ "no services, no trouble", SERVER("serving", ""), NULL, READY, "ready\n" },
	{ "a reload goes on beside it", TWO("reloading", "serving", "serving"), NULL, READY, "ready\n" },
	{ "so does an upgrade", TWO("upgrading", "serving", "serving"), NULL, READY, "ready\n" },
	{ "one is drained", TWO("serving", "drained", "serving"), NULL, READY_NOT, "a: drained\n" },
	{ "one is draining", TWO("serving", "serving", "draining"), NULL, READY_NOT, "b: draining\n" },
	{ "one leaves", TWO("serving", "serving", "leaving"), NULL, READY_NOT, "b: leaving\n" },
	{ "both are", TWO("serving", "drained", "draining"), NULL, READY_NOT, "a: drained\nb: draining\n" },
	{ "one fails", SERVER("serving", FAILING("a", "no program") "," SERVICE("b", "serving")), NULL, READY_NOT,
	  "a: failing: no program\n" },
	{ "the reason is null", SERVER("serving", "{\"name\":\"a\",\"state\":\"failing\",\"reason\":null}"), NULL,
	  READY_NOT, "a: failing\n" },
	{ "the server starts", TWO("starting", "serving", "serving"), NULL, READY_NOT,
	  "The server is starting.\n" },
	{ "it leaves", TWO("leaving", "serving", "serving"), NULL, READY_NOT, "The server is leaving.\n" },
	{ "it stops", TWO("stopping", "serving", "serving"), NULL, READY_NOT, "The server is stopping.\n" },
	{ "it rests", TWO("resting", "drained", "serving"), NULL, READY_NOT,
	  "a: drained\nThe server is resting.\n" },
	{ "the service serves", TWO("serving", "serving", "drained"), "a", READY, "ready\n" },
	{ "the service is drained", TWO("serving", "serving", "drained"), "b", READY_NOT, "b: drained\n" },
	{ "it serves, but the server stops", TWO("stopping", "serving", "serving"), "a", READY_NOT,
	  "The server is stopping.\n" },
	{ "there is no such service", TWO("serving", "serving", "serving"), "c", READY_UNKNOWN,
	  "There is no such service.\n" },
	{ "nor when the server stops", TWO("stopping", "serving", "serving"), "c", READY_UNKNOWN,
	  "There is no such service.\n" },
	{ "nor one without a name", TWO("serving", "serving", "serving"), "", READY_UNKNOWN,
	  "There is no such service.\n" },
	{ "a name is no part of another", TWO("serving", "serving", "serving"), "aa", READY_UNKNOWN,
	  "There is no such service.\n" },
	{ "a state that is not known", TWO("serving", "dreaming", "serving"), NULL, READY_NOT, "a: dreaming\n" },
	{ "a service without a state", SERVER("serving", "{\"name\":\"a\"}"), NULL, READY_NOT, "a: \n" },
};

START_TEST(verdict)
{
	json_t *status = json_loads(rows[_i].status, 0, NULL);
	char *why;

	ck_assert_msg(status != NULL, "%s", rows[_i].name);
	ck_assert_msg(ready_judge(status, rows[_i].service, &why) == rows[_i].verdict, "%s", rows[_i].name);
	ck_assert_msg(strcmp(why, rows[_i].why) == 0, "%s: \"%s\"", rows[_i].name, why);
	free(why);
	json_decref(status);
} END_TEST

int main(void)
{
	Suite *s = suite_create("ready");

	tcase_add_loop_test(unit_case(s, "ready", NULL, NULL), verdict, 0, ARRAY_SIZE(rows));
	return unit_run(s);
}
