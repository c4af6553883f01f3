/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * droverctl: what it asks, what it makes of the answers, and its exit codes. The
 * server is one that says what the test wants, and at the end the real one.
 */
#include <config.h>
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "operator.h"

static struct fake f;

/* ---- usage -------------------------------------------------------------- */

static const struct { const char *name, *args[6], *says; } bad_usage[] = {
	{ "no command",                  { NULL }, "COMMAND" },
	{ "a misspelt command",          { "sevices" }, "\"services\"" },
	{ "no command at all",           { "frobnicate" }, "--help" },
	{ "an unknown option",           { "-x", "status" }, "-x" },
	{ "a misspelt option",           { "status", "--jsno" }, "--json" },
	{ "no socket after -s",          { "status", "-s" }, "value" },
	{ "an argument too many",        { "status", "echo" }, "droverctl status" },
	{ "an argument too few",         { "drain" }, "droverctl drain SERVICE" },
	{ "a scale without a number",    { "scale", "echo" }, "SERVICE N|+N|-N" },
	{ "a scale that is no number",   { "scale", "echo", "many" }, "SERVICE N|+N|-N" },
	{ "an option of another command", { "status", "--now" }, "stop" },
	{ "a delay that is none",        { "top", "-d", "soon" }, "seconds" },
	{ "a count that is none",        { "top", "-n", "0" }, "number" },
	{ "a replay of no crash",        { "crashes", "--replay", "x:1" }, "crashes [CRASH [--replay ADDRESS]]" },
	{ "a replay of something else",  { "kick", "1-1", "--replay", "x:1" }, "only crashes does" },
	{ "a replay to nowhere",         { "crashes", "n", "--replay" }, "value" },
	{ "openmetrics of something else", { "status", "--openmetrics" }, "only metrics does" },
	{ "nothing to unblock",          { "unblock" }, "droverctl unblock PREFIX" },
	{ "host bits in a prefix",       { "unblock", "192.0.2.7/24" }, "did you mean 192.0.2.0/24?" },
	{ "no prefix",                   { "unblock", "nonsense" }, "is not a prefix" },
	{ "a name that is not UTF-8",    { "drain", "\xff" }, "UTF-8" },
	{ "readiness of a drain", { "drain", "a", "--ready" }, "drain takes no --ready, only check does" },
	{ "a check of a service alone",  { "check", "echo" }, "droverctl check [--ready|--weight [SERVICE]]" },
};

START_TEST(wrong_usage_is_64_in_one_line_that_says_what_would_be_right)
{
	files_write("row", "%s\n", bad_usage[_i].name);
	ck_assert_int_eq(operator_run(NULL, bad_usage[_i].args), 64);
	ck_assert_msg(strstr(operator_errors(), bad_usage[_i].says), "%s", operator_errors());
	ck_assert_uint_eq(files_count(operator_errors(), "\n"), 1);
	ck_assert_str_eq(operator_output(), "");
} END_TEST

START_TEST(help_and_version_are_printed)
{
	ck_assert_int_eq(operator_run_args(NULL, "--help"), 0);
	harness_contains(operator_output(), "scale SERVICE N|+N|-N");
	ck_assert_int_eq(operator_run_args(NULL, "-V"), 0);
	ck_assert_str_eq(operator_output(), "droverctl " PACKAGE_VERSION "\n");
	ck_assert_str_eq(operator_errors(), "");
} END_TEST

/* ---- no server ---------------------------------------------------------- */

START_TEST(a_server_that_is_not_there_is_69)
{
	static const char *const commands[] = { "status", "top" };
	const char *path = files_path("none.sock");

	ck_assert_int_eq(operator_run_args(path, commands[_i]), 69);
	ck_assert_str_eq(operator_errors(), files_text(
		"droverctl: cannot reach drover at %s: No such file or directory; "
		"is it running? -s names another socket, as `control` in its configuration may\n", path));
	ck_assert_str_eq(operator_output(), "");
} END_TEST

START_TEST(a_socket_that_no_process_listens_on_is_69)
{
	const char *path = files_path("stale.sock");

	close(client_listen_unix(path));
	ck_assert_int_eq(operator_run_args(path, "--json", "status"), 69);
	harness_contains(operator_errors(), "Connection refused");
	ck_assert_int_eq(operator_run_args(files_text("/%0200d", 1), "status"), 69);
	harness_contains(operator_errors(), "too long");
} END_TEST

static void become_nobody(void)
{
	if (geteuid() == 0 && (setgid(65534) == -1 || setuid(65534) == -1))
		_exit(126);
}

START_TEST(a_socket_that_one_may_not_open_is_77)
{
	fake_open(&f);
	ck_assert_int_eq(chmod(f.path, 0), 0);
	operator_before_exec = become_nobody;
	ck_assert_int_eq(operator_run_args(f.path, "status"), 77);
	ck_assert_str_eq(operator_errors(), files_text(
		"droverctl: cannot reach drover at %s: Permission denied\n", f.path));
	fake_close(&f);
} END_TEST

/* ---- results ------------------------------------------------------------ */

static const struct { const char *name, *args[4], *request, *result, *says; } results[] = {
	{ "services", { "services" }, "{\"command\":\"services\"}",
	  "{\"services\":[" SERVICE_OF("echo", "12", "1000") "]}",
	  "SERVICE  HANDLER  STATE    WORKERS     OPEN  USE  ACCEPTED  SERVED    IN  OUT"
	  "  DEATHS     LISTEN\n"
	  "echo     echo     serving      4/4  12/1024   1%      1000       7  1.2M  100"
	  "  SIGSEGV:1  127.0.0.1:7007\n" },
	{ "services that have lost connections", { "services" }, "{\"command\":\"services\"}",
	  "{\"services\":[" SERVICE_THAT_LOST("3", "echo", "12", "1000") "," SERVICE_OF("new", "0", "0") "]}",
	  "SERVICE  HANDLER  STATE    WORKERS     OPEN  USE  ACCEPTED  SERVED    IN  OUT"
	  "  DEATHS     LISTEN          LOST\n"
	  "echo     echo     serving      4/4  12/1024   1%      1000       7  1.2M  100"
	  "  SIGSEGV:1  127.0.0.1:7007     3\n"
	  "new      echo     serving      4/4   0/1024   0%         0       7  1.2M  100"
	  "  SIGSEGV:1  127.0.0.1:7007     0\n" },
	{ "services that have refused clients", { "services" }, "{\"command\":\"services\"}",
	  "{\"services\":[" SERVICE_THAT_REFUSED("\"access\":0,\"source\":31,\"rate\":7", "2", "echo") ","
	  SERVICE_OF("new", "0", "0") "]}",
	  "SERVICE  HANDLER  STATE    WORKERS     OPEN  USE  ACCEPTED  SERVED    IN  OUT"
	  "  DEATHS     LISTEN          REFUSED            UNTRACKED\n"
	  "echo     echo     serving      4/4  12/1024   1%      1000       7  1.2M  100"
	  "  SIGSEGV:1  127.0.0.1:7007  source:31, rate:7          2\n"
	  "new      echo     serving      4/4   0/1024   0%         0       7  1.2M  100"
	  "  SIGSEGV:1  127.0.0.1:7007  -                          0\n" },
	{ "workers of a service", { "workers", "echo" }, "{\"command\":\"workers\",\"service\":\"echo\"}",
	  WORKERS,
	  "SERVICE   PID  GEN  STATE        AGE    OPEN  USE  ACCEPTED  SERVED  IN  OUT  TURN\n"
	  "echo     4712    3  accepting  3m12s  12/256   5%      1000       7   1    2  20ms\n" },
	{ "all workers, none", { "workers" }, "{\"command\":\"workers\"}", "{\"workers\":[]}",
	  "SERVICE  PID  GEN  STATE  AGE  OPEN  USE  ACCEPTED  SERVED  REQUESTS  IN  OUT  TURN\n" },
	{ "connections", { "connections" }, "{\"command\":\"connections\"}",
	  "{\"connections\":[" CONNECTION_OF("4712-1", "192.0.2.7:50122") "]}",
	  "CONNECTION  SERVICE  WORKER  PHASE  AGE  IN  OUT  PEER\n"
	  "4712-1      echo       4712  read    3s   1    2  192.0.2.7:50122\n" },
	{ "connections through a proxy", { "connections" }, "{\"command\":\"connections\"}",
	  "{\"connections\":[" CONNECTION_VIA("\"10.0.0.1:80\"", "4712-1", "192.0.2.7:50122") ","
	  CONNECTION_OF("4712-2", "192.0.2.8:1") "]}",
	  "CONNECTION  SERVICE  WORKER  PHASE  AGE  IN  OUT  PEER             VIA\n"
	  "4712-1      echo       4712  read    3s   1    2  192.0.2.7:50122  10.0.0.1:80\n"
	  "4712-2      echo       4712  read    3s   1    2  192.0.2.8:1      -\n" },
	{ "what is missing, and what is more", { "workers" }, "{\"command\":\"workers\"}",
	  "{\"workers\":[{\"service\":7,\"new\":1}],\"newer\":2}",
	  "SERVICE\n"
	  "-\n" },
	{ "metrics", { "metrics", "echo", "--openmetrics" },
	  "{\"command\":\"metrics\",\"service\":\"echo\",\"format\":\"openmetrics\"}",
	  "{\"text\":\"# TYPE a\\na{b=\\\"\\u001b\\\"} 1\\n\"}", "# TYPE a\na{b=\"?\"} 1\n" },
	{ "sources of a service", { "sources", "echo" }, "{\"command\":\"sources\",\"service\":\"echo\"}",
	  "{\"sources\":["
	  "{\"service\":\"echo\",\"source\":\"192.0.2.7/32\",\"connections\":10,\"open\":9,\"limit\":10,"
	  "\"full\":true,\"wait\":0.25},"
	  "{\"service\":\"echo\",\"source\":\"2001:db8::/64\",\"connections\":10,\"open\":10,\"limit\":10,"
	  "\"full\":true,\"wait\":0},"
	  "{\"service\":\"echo\",\"source\":\"uid:1000\",\"connections\":0,\"open\":0,\"limit\":10,"
	  "\"full\":false,\"wait\":4.1},"
	  "{\"service\":\"echo\",\"source\":null,\"connections\":0,\"open\":1,\"limit\":null,"
	  "\"full\":false,\"wait\":0}],"
	  "\"left_off\":7,\"nameless\":{\"sources\":3,\"connections\":4}}",
	  "SOURCE         SERVICE  CONNECTIONS  OPEN  LIMIT  AT LIMIT\n"
	  "192.0.2.7/32   echo              10     9     10  connections, rate 250ms\n"
	  "2001:db8::/64  echo              10    10     10  connections\n"
	  "uid:1000       echo               0     0     10  rate 4s\n"
	  "-              echo               0     1      -  -\n"
	  "and 7 more sources\n"
	  "and 3 sources whose addresses are not known any more, with 4 connections\n" },
	{ "sources without limits", { "sources" }, "{\"command\":\"sources\"}",
	  "{\"sources\":[{\"service\":\"echo\",\"source\":\"192.0.2.7/32\",\"connections\":0,\"open\":9,"
	  "\"limit\":null,\"full\":false,\"wait\":0}],\"left_off\":0,\"nameless\":{}}",
	  "SOURCE        SERVICE  OPEN\n"
	  "192.0.2.7/32  echo        9\n" },
	{ "crashes", { "crashes" }, "{\"command\":\"crashes\"}",
	  "{\"crashes\":[{\"name\":\"n-1\",\"time\":\"2026-11-22T15:50:01.123Z\",\"service\":\"echo\","
	  "\"worker\":812,\"signal\":\"SIGSEGV\",\"age\":192.1,\"requests\":7,\"captured\":1024,"
	  "\"connection\":{\"phase\":\"handler\",\"peer\":\"192.0.2.7:50122\"}},"
	  "{\"name\":\"n-2\",\"connection\":null}]}",
	  "CRASH  TIME                      SERVICE  WORKER  SIGNAL     AGE  REQUESTS  CAPTURED  PHASE    PEER\n"
	  "n-1    2026-11-22T15:50:01.123Z  echo        812  SIGSEGV  3m12s         7      1.0k  handler  192.0.2.7:50122\n"
	  "n-2    -                         -             -  -            -         -         -  -        -\n" },
	{ "a crash", { "crashes", "n-1" }, "{\"command\":\"crashes\",\"crash\":\"n-1\"}",
	  "{\"crash\":{\"signal\":\"SIGSEGV\",\"hang\":{\"kernel\":\"\\u001b[2J\"},\"captured\":18,"
	  "\"input\":\"1b5b324a007e7f80ff20616263646566670a\"}}",
	  "signal             SIGSEGV\n"
	  "kernel said        \\x1b[2J\n"
	  "captured           18\n"
	  "000000  1b 5b 32 4a 00 7e 7f 80 ff 20 61 62 63 64 65 66  .[2J.~... abcdef\n"
	  "000010  67 0a                                            g.\n" },
	{ "reload", { "reload" }, "{\"command\":\"reload\"}", "{\"generation\":8}",
	  "reloaded: generation 8\n" },
	{ "upgrade", { "upgrade" }, "{\"command\":\"upgrade\"}",
	  "{\"version\":\"1.2.3\",\"generation\":8}", "generation 8 serves, by drover 1.2.3\n" },
	{ "stop", { "stop" }, "{\"command\":\"stop\"}", "{\"stopped\":true}", "stopped\n" },
	{ "stop at once", { "stop", "--now" }, "{\"command\":\"stop\",\"now\":true}", "{\"stopped\":true}",
	  "stopped\n" },
	{ "reopen-logs", { "reopen-logs" }, "{\"command\":\"reopen-logs\"}", "{}",
	  "the log files have been opened again\n" },
	{ "scale to a number", { "scale", "echo", "8" },
	  "{\"command\":\"scale\",\"service\":\"echo\",\"to\":\"8\"}",
	  "{\"service\":\"echo\",\"from\":4,\"to\":8}", "echo: from 4 to 8 workers\n" },
	{ "scale by a number", { "scale", "echo", "+1" },
	  "{\"command\":\"scale\",\"service\":\"echo\",\"to\":\"+1\"}",
	  "{\"service\":\"echo\",\"from\":4,\"to\":5}", "echo: from 4 to 5 workers\n" },
	{ "scale down: no option", { "scale", "echo", "-1" },
	  "{\"command\":\"scale\",\"service\":\"echo\",\"to\":\"-1\"}",
	  "{\"service\":\"echo\",\"from\":4,\"to\":3}", "echo: from 4 to 3 workers\n" },
	{ "drain", { "drain", "echo" }, "{\"command\":\"drain\",\"service\":\"echo\"}", "{}",
	  "echo: drained, clients wait\n" },
	{ "resume", { "resume", "echo" }, "{\"command\":\"resume\",\"service\":\"echo\"}", "{}",
	  "echo: serves again\n" },
	{ "kick", { "kick", "4712-1" }, "{\"command\":\"kick\",\"connection\":\"4712-1\"}", "{}",
	  "4712-1: closed\n" },
	{ "blocked", { "blocked" }, "{\"command\":\"blocked\"}",
	  "{\"blocked\":[{\"service\":\"echo\",\"prefix\":\"192.0.2.7/32\",\"since\":\"2026-11-22T15:50:01.123Z\","
	  "\"until\":\"2026-11-22T15:51:31.123Z\",\"left\":12.5,\"crashes\":3,\"refused\":70}]}",
	  "SERVICE  PREFIX        SINCE                     UNTIL                     LEFT  CRASHES  REFUSED\n"
	  "echo     192.0.2.7/32  2026-11-22T15:50:01.123Z  2026-11-22T15:51:31.123Z   12s        3       70\n" },
	{ "unblock", { "unblock", "192.0.2.0/24" }, "{\"command\":\"unblock\",\"prefix\":\"192.0.2.0/24\"}",
	  "{\"unblocked\":[{\"service\":\"a\",\"prefix\":\"192.0.2.7/32\"},"
	  "{\"service\":\"b\",\"prefix\":\"192.0.2.8/32\"}]}",
	  "a: 192.0.2.7/32 is not blocked any more\nb: 192.0.2.8/32 is not blocked any more\n" },
	{ "check", { "check" }, "{\"command\":\"check\"}", "{\"ok\":true}", "configuration ok\n" },
	{ "version", { "version" }, "{\"command\":\"version\"}", "{\"version\":\"0.1.0\"}",
	  "drover 0.1.0\n" },
	{ "JSON", { "--json", "reload" }, "{\"command\":\"reload\"}",
	  "{\"generation\":8,\"new\":\"\xc3\xa9\"}",
	  "{\"generation\":8,\"new\":\"\\u00E9\"}\n" },
	{ "JSON, said afterwards", { "workers", "--json" }, "{\"command\":\"workers\"}", "{\"workers\":[]}",
	  "{\"workers\":[]}\n" },
	{ "behind --, all is a word", { "drain", "--", "--json" },
	  "{\"command\":\"drain\",\"service\":\"--json\"}", "{}", "--json: drained, clients wait\n" },
};

START_TEST(results_are_shown)
{
	files_write("row", "%s\n", results[_i].name);
	fake_open(&f);
	/* It closes then, as the end of a stop: droverctl waits for that. */
	fake_breaks_off(&f, "*", files_text("{\"ok\":true,\"result\":%s}\n", results[_i].result));
	ck_assert_int_eq(operator_run(f.path, results[_i].args), 0);
	ck_assert_str_eq(operator_errors(), "");
	ck_assert_str_eq(operator_output(), results[_i].says);
	ck_assert_uint_eq(f.n_requests, 1);
	ck_assert_str_eq(f.requests[0], results[_i].request);
	fake_close(&f);
} END_TEST

START_TEST(the_status_is_shown)
{
	fake_open(&f);
	fake_results(&f, "status", STATUS);
	ck_assert_int_eq(operator_run_args(f.path, "status"), 0);
	ck_assert_int_eq(strncmp(operator_output(),
	                         "drover 0.1.0, serving, up 3m12s, generation 3, pid 4711\n"
	                         "workers 4, open 12 of 1024 (1%), in 1.2M, out 100\n"
	                         "accepted 1000, served 7, requests 0\n"
	                         "configuration /etc/drover/drover.conf\n"
	                         "\n"
	                         "SERVICE ", 176), 0);
	ck_assert_ptr_null(strstr(operator_output(), "refused"));
	fake_results(&f, "status", "{\"services\":[],\"totals\":{\"served\":1,\"refused\":"
	             "{\"access\":2,\"rate\":3},\"untracked\":4,\"lost\":0}}");
	ck_assert_int_eq(operator_run_args(f.path, "status"), 0);
	harness_contains(operator_output(), "served 1, requests -, refused 5, untracked 4\n");
	fake_results(&f, "status", "{\"services\":[],\"refused\":\"a.conf:3: no\\u001b[2J\"}");
	ck_assert_int_eq(operator_run_args(f.path, "status"), 0);
	harness_contains(operator_output(),
	                 "\nthe last reload was refused: a.conf:3: no\\x1b[2J\n");
	fake_close(&f);
} END_TEST

START_TEST(warnings_of_a_check_are_told_and_it_is_ok_all_the_same)
{
	fake_open(&f);
	fake_results(&f, "check", "{\"ok\":true,\"warnings\":[\"a.conf:3: one\",7,\"a.conf:4: \\u001b[2J\"]}");
	ck_assert_int_eq(operator_run_args(f.path, "check"), 0);
	ck_assert_str_eq(operator_output(), "configuration ok\n");
	ck_assert_str_eq(operator_errors(), "droverctl: a.conf:3: one\ndroverctl: a.conf:4: \\x1b[2J\n");
	fake_close(&f);
} END_TEST

/* The operator's terminal gets no control characters from the name of a peer. */
START_TEST(control_characters_are_shown_and_not_sent)
{
	fake_open(&f);
	fake_results(&f, "connections", "{\"connections\":["
	             CONNECTION_OF("1-1", "a\\u001b[2J\\u009b\\n\\u0000b\\u007f") "]}");
	ck_assert_int_eq(operator_run_args(f.path, "connections"), 0);
	harness_contains(operator_output(), "a\\x1b[2J\\xc2\\x9b\\x0a\\x00b\\x7f\n");
	ck_assert_uint_eq(files_count(operator_output(), "\n"), 2);
	ck_assert_int_eq(operator_run_args(f.path, "connections", "--json"), 0);
	harness_contains(operator_output(), "a\\u001B[2J\\u009B\\n\\u0000b");
	fake_close(&f);
} END_TEST

/* More than the socket holds at once: it arrives in pieces of any size. */
START_TEST(a_long_answer_is_taken_in_whole)
{
	enum { N = 20000 };
	const size_t room = N * 200;
	char *list, *at;

	at = list = malloc(room);
	ck_assert_ptr_nonnull(list);
	at = stpcpy(at, "{\"ok\":true,\"result\":{\"connections\":[");
	for (int i = 0; i < N; i++)
		at += snprintf(at, room - (size_t)(at - list), "%s{\"id\":\"7-%d\",\"peer\":\"192.0.2.1:%d\"}", i ? "," : "", i, i);
	stpcpy(at, "]}}");
	fake_open(&f);
	fake_answers(&f, "connections", list);
	free(list);
	ck_assert_int_eq(operator_run_args(f.path, "connections"), 0);
	ck_assert_uint_eq(files_count(operator_output(), "\n"), N + 1);
	harness_contains(operator_output(), files_text("192.0.2.1:%d\n", N - 1));
	fake_close(&f);
} END_TEST

/* ---- weights ------------------------------------------------------------ */

#define FREE(name, state, free) \
	"{\"name\":\"" name "\",\"state\":\"" state "\",\"serves\":true,\"slots\":{\"limit\":100,\"free\":" \
	free "},\"queue\":null,\"restart_delay\":0}"
#define WEIGHED(services) "{\"phase\":\"serving\",\"balancers\":2,\"services\":[" services "]}"
#define WEIGHED_TWO WEIGHED(FREE("a", "serving", "100") "," FREE("b", "exhausted", "0"))

static const struct { const char *name, *args[6], *result, *says; int status; } weights[] = {
	{ "all is free", { "check", "--weight", "a" }, WEIGHED_TWO, "up 100% maxconn:50\n", 102 },
	{ "nothing is free", { "check", "--weight", "b" }, WEIGHED_TWO, "up 1% maxconn:50\n", 3 },
	{ "all services", { "check", "--weight" }, WEIGHED_TWO, "up 50% maxconn:100\n", 52 },
	{ "it leaves", { "check", "--weight", "a" }, WEIGHED(FREE("a", "leaving", "100")), "up 0%\n", 1 },
	{ "no such service", { "check", "--weight", "c" }, WEIGHED_TWO, "down #no such service\n", 1 },
	{ "JSON", { "check", "--weight", "a", "--json" }, WEIGHED_TWO, "{\"line\":\"up 100% maxconn:50\"}\n", 102 },
};

START_TEST(a_weight_is_an_exit_status)
{
	files_write("row", "%s\n", weights[_i].name);
	fake_open(&f);
	fake_results(&f, "status", weights[_i].result);
	ck_assert_int_eq(operator_run(f.path, weights[_i].args), weights[_i].status);
	ck_assert_str_eq(operator_output(), weights[_i].says);
	ck_assert_str_eq(operator_errors(), "");
	fake_close(&f);
} END_TEST

/* ---- readiness ---------------------------------------------------------- */

#define SERVES(phase, state, reason) \
	"{\"phase\":\"" phase "\",\"services\":[{\"name\":\"a\",\"state\":\"" state "\",\"serves\":true," \
	"\"reason\":" reason ",\"restart_delay\":0}]}"

static const struct { const char *name, *args[5], *result, *says; int status; } readiness[] = {
	{ "all serve", { "check", "--ready" }, SERVES("serving", "serving", "null"), "ready\n", 0 },
	{ "it is full", { "check", "--ready", "a" }, SERVES("serving", "exhausted", "null"), "ready\n", 0 },
	{ "it fails", { "check", "--ready" }, SERVES("serving", "failing", "\"no such file\""),
	  "a: failing: no such file\n", 1 },
	{ "it leaves", { "check", "--ready", "a" }, SERVES("leaving", "leaving", "null"),
	  "a: leaving\nThe server is leaving.\n", 1 },
	{ "no such service", { "check", "--ready", "b" }, SERVES("serving", "serving", "null"),
	  "There is no such service.\n", 1 },
	{ "JSON", { "check", "--ready", "--json" }, SERVES("serving", "serving", "null"),
	  "{\"ready\":true,\"text\":\"ready\\n\"}\n", 0 },
	{ "JSON of a failure", { "check", "--ready", "--json" }, SERVES("serving", "draining", "null"),
	  "{\"ready\":false,\"text\":\"a: draining\\n\"}\n", 1 },
};

START_TEST(readiness_is_an_exit_status)
{
	files_write("row", "%s\n", readiness[_i].name);
	fake_open(&f);
	fake_results(&f, "status", readiness[_i].result);
	ck_assert_int_eq(operator_run(f.path, readiness[_i].args), readiness[_i].status);
	ck_assert_str_eq(operator_output(), readiness[_i].says);
	ck_assert_str_eq(operator_errors(), "");
	fake_close(&f);
} END_TEST

START_TEST(who_cannot_be_asked_is_not_ready)
{
	ck_assert_int_eq(operator_run_args(files_path("nothing.sock"), "check", "--ready"), 69);
	fake_open(&f);
	fake_results(&f, "status", "{}");
	ck_assert_int_eq(operator_run_args(f.path, "check", "--ready"), 70);
	harness_contains(operator_errors(), "not understood");
	fake_close(&f);
} END_TEST

/* Another exit status would be taken for a weight. */
START_TEST(who_asks_for_a_weight_gets_1_for_each_failure)
{
	static const char *const wrong[][4] = {
		{ "check", "--weight", "a", "b" }, { "status", "--weight" }, { "chekc", "--weight" },
		{ "check", "--weight", "--nonsense" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		ck_assert_int_eq(operator_run_args(NULL, wrong[i][0], wrong[i][1], wrong[i][2], wrong[i][3]), 1);
	ck_assert_int_eq(operator_run_args(NULL, "check", "--ready", "--weight"), 1);
	harness_contains(operator_errors(), "--ready and --weight exclude each other");
	ck_assert_int_eq(operator_run_args(files_path("nothing.sock"), "check", "--weight"), 1);
	fake_open(&f);
	fake_results(&f, "status", "{}");
	ck_assert_int_eq(operator_run_args(f.path, "check", "--weight"), 1);
	harness_contains(operator_errors(), "not understood");
	fake_breaks_off(&f, "status", "");
	ck_assert_int_eq(operator_run_args(f.path, "check", "--weight"), 1);
	fake_answers(&f, "status", "{\"ok\":false,\"error\":\"not-permitted\",\"message\":\"no\"}");
	ck_assert_int_eq(operator_run_args(f.path, "check", "--weight"), 1);
	fake_close(&f);
} END_TEST

/* ---- errors ------------------------------------------------------------- */

static const struct { const char *kind; int status; } kinds[] = {
	{ "refused", 1 }, { "busy", 1 }, { "no-such-service", 1 }, { "no-such-connection", 1 },
	{ "no-such-block", 1 },
	{ "too-many-clients", 1 }, { "stopping", 1 }, { "a-new-one", 1 },
	{ "not-permitted", 77 },
	{ "bad-request", 70 }, { "unknown-command", 70 }, { "internal", 70 },
};

START_TEST(an_error_is_an_exit_status_and_a_line)
{
	const char *kind = kinds[_i].kind;

	fake_open(&f);
	fake_answers(&f, "*", files_text("{\"ok\":false,\"error\":\"%s\",\"message\":\"it is so\"}", kind));
	ck_assert_int_eq(operator_run_args(f.path, "drain", "echo"), kinds[_i].status);
	ck_assert_str_eq(operator_errors(), "droverctl: it is so\n");
	ck_assert_str_eq(operator_output(), "");
	ck_assert_int_eq(operator_run_args(f.path, "drain", "echo", "--json"), kinds[_i].status);
	ck_assert_str_eq(operator_errors(), "droverctl: it is so\n");
	ck_assert_str_eq(operator_output(),
	                 files_text("{\"error\":\"%s\",\"message\":\"it is so\"}\n", kind));
	ck_assert_int_eq(operator_run_args(f.path, "top"), kinds[_i].status);
	fake_close(&f);
} END_TEST

START_TEST(several_errors_are_several_lines)
{
	fake_open(&f);
	fake_answers(&f, "reload", "{\"ok\":false,\"error\":\"refused\",\"message\":"
	             "\"a.conf:1: one\\na.conf:2: two\\u001b\\n\"}");
	ck_assert_int_eq(operator_run_args(f.path, "reload"), 1);
	ck_assert_str_eq(operator_errors(), "droverctl: a.conf:1: one\ndroverctl: a.conf:2: two\\x1b\n");
	fake_answers(&f, "reload", "{\"ok\":false,\"error\":\"busy\"}");
	ck_assert_int_eq(operator_run_args(f.path, "reload"), 1);
	ck_assert_str_eq(operator_errors(), "droverctl: busy\n");
	fake_close(&f);
} END_TEST

/* The request was lost, or never read: what the server has said is what counts. */
START_TEST(a_client_too_many_is_told_so)
{
	fake_open(&f);
	fake_refuses(&f, "{\"ok\":false,\"error\":\"too-many-clients\",\"message\":\"there are 64\"}");
	for (int i = 0; i < 20; i++) {
		ck_assert_int_eq(operator_run_args(f.path, i % 2 ? "status" : "top"), 1);
		ck_assert_str_eq(operator_errors(), "droverctl: there are 64\n");
	}
	fake_close(&f);
} END_TEST

static const struct { const char *name, *bytes; } broken[] = {
	{ "nothing",                         "" },
	{ "half an answer",                  "{\"ok\":true,\"result\":{" },
	{ "no JSON",                         "HTTP/1.1 400 Bad Request\n" },
	{ "no UTF-8",                        "{\"ok\":true,\"result\":{\"services\":\"\xff\"}}\n" },
	{ "no object",                       "[]\n" },
	{ "neither result nor error",        "{\"ok\":true}\n" },
	{ "a result that is no object",      "{\"ok\":true,\"result\":7}\n" },
	{ "a failure without a kind",        "{\"ok\":false,\"message\":\"no\"}\n" },
	{ "neither done nor not",            "{\"ok\":1,\"result\":{}}\n" },
	{ "a result without what was asked", "{\"ok\":true,\"result\":{}}\n" },
	{ "a list of something else",        "{\"ok\":true,\"result\":{\"services\":[1]}}\n" },
};

START_TEST(a_broken_answer_is_70)
{
	static const char *const commands[] = { "services", "top" };

	files_write("row", "%s\n", broken[_i].name);
	fake_open(&f);
	fake_breaks_off(&f, "*", broken[_i].bytes);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		ck_assert_int_eq(operator_run_args(f.path, commands[i]), 70);
		ck_assert_uint_eq(files_count(operator_errors(), "\n"), 1);
		harness_contains(operator_errors(), "droverctl: drover");
		ck_assert_str_eq(operator_output(), "");
	}
	fake_close(&f);
} END_TEST

START_TEST(a_full_disk_is_told)
{
	fake_open(&f);
	fake_results(&f, "status", STATUS);
	operator_output_path = "/dev/full";
	ck_assert_int_eq(operator_run_args(f.path, "status"), 74);
	harness_contains(operator_errors(), "standard output: ");
	fake_close(&f);
} END_TEST

/* ---- completion --------------------------------------------------------- */

static const struct { const char *name, *words, *replies; } completions[] = {
	{ "a command",              "droverctl re", "reload\nreopen-logs\nresume\n" },
	{ "an option",              "droverctl --j", "--json\n" },
	{ "an option of a command", "droverctl stop --n", "--now\n" },
	{ "an option of metrics",   "droverctl metrics --o", "--openmetrics\n" },
	{ "the service of metrics", "droverctl metrics ''", "alpha\nbeta\n" },
	{ "an option of crashes",   "droverctl crashes n --r", "--replay\n" },
	{ "an option of check",     "droverctl check --w", "--weight\n" },
	{ "a service",              "droverctl drain ''", "alpha\nbeta\n" },
	{ "the beginning of one",   "droverctl --json workers al", "alpha\n" },
	{ "the service of sources", "droverctl sources ''", "alpha\nbeta\n" },
	{ "a connection",           "droverctl kick ''", "7-1\n7-2\n" },
	{ "a crash",                "droverctl crashes ''", "20261122T155001.123Z-echo-812\n" },
	{ "a blocked source",       "droverctl unblock 192", "192.0.2.7/32\n" },
	{ "no second service",      "droverctl drain alpha ''", "" },
	{ "nothing behind status",  "droverctl status ''", "" },
};

START_TEST(bash_completes)
{
	const char *file = files_text("%s/etc/droverctl.bash-completion", getenv("top_srcdir"));
	const char *script;

	files_write("row", "%s\n", completions[_i].name);
	fake_open(&f);
	fake_results(&f, "services", "{\"services\":[" SERVICES_OF_TWO "]}");
	fake_results(&f, "blocked", "{\"blocked\":[{\"prefix\":\"192.0.2.7/32\"},{\"prefix\":\"uid:7\"}]}");
	fake_results(&f, "crashes", "{\"crashes\":[{\"name\":\"20261122T155001.123Z-echo-812\"}]}");
	fake_results(&f, "connections", "{\"connections\":[" CONNECTION_OF("7-1", "p") ","
	             CONNECTION_OF("7-2", "p") "]}");
	script = files_write("complete.bash",
	                     ". '%s'\n"
	                     "droverctl() { '%s' -s '%s' \"$@\"; }\n"
	                     "COMP_WORDS=(%s)\n"
	                     "COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
	                     "_droverctl droverctl \"${COMP_WORDS[COMP_CWORD]}\"\n"
	                     "[ ${#COMPREPLY[@]} = 0 ] ||\n"
	                     "	printf '%%s\\n' \"${COMPREPLY[@]}\" | LC_ALL=C sort\n",
	                     file, operator_program(), f.path, completions[_i].words);
	ck_assert_int_eq(process_run_args("bash", script), 0);
	ck_assert_str_eq(files_read(files_path("command-output")), completions[_i].replies);
	fake_close(&f);
} END_TEST

/* ---- the real server ---------------------------------------------------- */

static struct daemon d;

static const char *start_real(void)
{
	const char *path = files_path("control.sock");

	daemon_start(&d, "control = { socket = \"%s\"; };\n"
	             SERVICES(SERVICE("s", "echo", "workers = 1;")), path);
	return path;
}

START_TEST(the_real_server_is_looked_at)
{
	static const char *const commands[] = {
		"status", "services", "workers", "connections", "sources", "top", "check", "version",
	};
	const char *path = start_real();
	int fd = daemon_connect(&d, "s");
	const struct event *opened = daemon_accepted(&d, fd);

	client_echo(fd);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		ck_assert_msg(operator_run_args(path, commands[i]) == 0, "%s: %s", commands[i],
		              operator_errors());
		ck_assert_str_eq(operator_errors(), "");
		ck_assert_str_ne(operator_output(), "");
	}
	ck_assert_int_eq(operator_run_args(path, "connections", "s"), 0);
	harness_contains(operator_output(), event_word(opened, "id"));
	harness_contains(operator_output(), client_name(fd));
	ck_assert_int_eq(operator_run_args(path, "services"), 0);
	harness_contains(operator_output(), daemon_address(&d, "s", 0));
	ck_assert_int_eq(operator_run_args(path, "workers", "nobody"), 1);
	harness_contains(operator_errors(), "nobody");
	close(fd);
} END_TEST

START_TEST(the_real_server_is_changed)
{
	const char *path = start_real();
	int fd = daemon_connect(&d, "s");
	const char *id = event_word(daemon_accepted(&d, fd), "id");

	ck_assert_int_eq(operator_run_args(path, "scale", "s", "+1"), 0);
	ck_assert_str_eq(operator_output(), "s: from 1 to 2 workers\n");
	ck_assert_uint_eq(daemon_saw(&d, "worker-ready service=s"), 2);
	ck_assert_int_eq(operator_run_args(path, "kick", id), 0);
	client_expect_gone(fd);
	close(fd);
	ck_assert_int_eq(operator_run_args(path, "kick", id), 1);
	ck_assert_int_eq(operator_run_args(path, "drain", "s"), 0);
	ck_assert_uint_eq(daemon_saw(&d, "worker-end service=s"), 2);
	fd = daemon_connect(&d, "s");           /* waits in the queue */
	ck_assert_int_eq(operator_run_args(path, "resume", "s"), 0);
	client_echo(fd);
	close(fd);
	ck_assert_int_eq(operator_run_args(path, "reopen-logs"), 0);
	ck_assert_int_eq(operator_run_args(path, "reload"), 0);
	ck_assert_str_eq(operator_output(), "reloaded: generation 2\n");
	daemon_config(&d, "nonsense = 1;\nmore = 2;\n");
	ck_assert_int_eq(operator_run_args(path, "reload"), 1);
	ck_assert_uint_ge(files_count(operator_errors(), files_text("droverctl: %s:", d.config)), 2);
	d.may_end = true;
	ck_assert_int_eq(operator_run_args(path, "stop"), 0);
	ck_assert_int_eq(daemon_join(&d), 0);
	ck_assert_int_eq(operator_run_args(path, "status"), 69);
} END_TEST

START_TEST(the_real_server_tells_what_it_has_lost)
{
	const char *path = start_real();
	const pid_t worker = daemon_next_worker(&d, "s");
	const int fds[2] = { daemon_connect(&d, "s"), daemon_connect(&d, "s") };

	client_echo(fds[0]);
	client_echo(fds[1]);
	ck_assert_int_eq(operator_run_args(path, "services"), 0);
	ck_assert_ptr_null(strstr(operator_output(), "LOST"));
	ck_assert_int_eq(operator_run_args(path, "status"), 0);
	ck_assert_ptr_null(strstr(operator_output(), "lost"));
	ck_assert_int_eq(kill(worker, SIGKILL), 0);
	daemon_wait_for(&d, "worker-end pid=%d how=signal", worker);
	ck_assert_int_eq(operator_run_args(path, "services"), 0);
	harness_contains(operator_output(), "  LOST\n");
	harness_contains(operator_output(), "     2\n");
	ck_assert_int_eq(operator_run_args(path, "status"), 0);
	harness_contains(operator_output(), ", lost 2\n");
	close(fds[0]);
	close(fds[1]);
} END_TEST

START_TEST(the_real_server_has_a_weight)
{
	const char *path = start_real();

	ck_assert_int_eq(operator_run_args(path, "check", "--weight", "s"), 102);
	harness_contains(operator_output(), "up 100% maxconn:");
	ck_assert_int_eq(operator_run_args(path, "drain", "s"), 0);
	ck_assert_int_eq(operator_run_args(path, "check", "--weight"), 1);
	ck_assert_str_eq(operator_output(), "up 0%\n");
} END_TEST

START_TEST(the_real_server_warns_of_what_a_check_finds)
{
	const char *path = start_real();

	ck_assert_int_eq(chmod(d.config, 0666), 0);
	ck_assert_int_eq(operator_run_args(path, "check"), 0);
	ck_assert_str_eq(operator_output(), "configuration ok\n");
	harness_contains(operator_errors(), files_text(
		"droverctl: %s:1: warning: others can change this file: everybody", d.config));
	ck_assert_int_eq(chmod(d.config, 0600), 0);
	ck_assert_int_eq(operator_run_args(path, "check"), 0);
	ck_assert_ptr_null(strstr(operator_errors(), "this file"));
} END_TEST

int main(void)
{
	Suite *s = suite_create("droverctl");
	TCase *tc = harness_case(s, "usage");

	tcase_add_loop_test(tc, wrong_usage_is_64_in_one_line_that_says_what_would_be_right, 0,
	                    ARRAY_SIZE(bad_usage));
	tcase_add_test(tc, help_and_version_are_printed);

	tc = harness_case(s, "no server");
	tcase_add_loop_test(tc, a_server_that_is_not_there_is_69, 0, 2);
	tcase_add_test(tc, a_socket_that_no_process_listens_on_is_69);
	tcase_add_test(tc, a_socket_that_one_may_not_open_is_77);

	tc = harness_case(s, "results");
	tcase_add_loop_test(tc, results_are_shown, 0, ARRAY_SIZE(results));
	tcase_add_test(tc, the_status_is_shown);
	tcase_add_test(tc, warnings_of_a_check_are_told_and_it_is_ok_all_the_same);
	tcase_add_test(tc, control_characters_are_shown_and_not_sent);
	tcase_add_test(tc, a_long_answer_is_taken_in_whole);

	tc = harness_case(s, "weights");
	tcase_add_loop_test(tc, readiness_is_an_exit_status, 0, ARRAY_SIZE(readiness));
	tcase_add_test(tc, who_cannot_be_asked_is_not_ready);
	tcase_add_loop_test(tc, a_weight_is_an_exit_status, 0, ARRAY_SIZE(weights));
	tcase_add_test(tc, who_asks_for_a_weight_gets_1_for_each_failure);

	tc = harness_case(s, "errors");
	tcase_add_loop_test(tc, an_error_is_an_exit_status_and_a_line, 0, ARRAY_SIZE(kinds));
	tcase_add_test(tc, several_errors_are_several_lines);
	tcase_add_test(tc, a_client_too_many_is_told_so);
	tcase_add_loop_test(tc, a_broken_answer_is_70, 0, ARRAY_SIZE(broken));
	tcase_add_test(tc, a_full_disk_is_told);

	tc = harness_case(s, "real");
	tcase_add_test(tc, the_real_server_is_looked_at);
	tcase_add_test(tc, the_real_server_is_changed);
	tcase_add_test(tc, the_real_server_tells_what_it_has_lost);
	tcase_add_test(tc, the_real_server_has_a_weight);
	tcase_add_test(tc, the_real_server_warns_of_what_a_check_finds);

	tc = harness_case(s, "completion");
	if (process_is_installed("bash"))
		tcase_add_loop_test(tc, bash_completes, 0, ARRAY_SIZE(completions));
	else
		harness_skip("bash_completes", "bash is not installed");
	return harness_run(s);
}
