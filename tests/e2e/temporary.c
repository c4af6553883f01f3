/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Look-ups that fail for now, because a name server or a directory service is not
 * there yet, as opposed to names that do not exist: the exit status says which.
 */
#include <config.h>
#include "harness.h"

#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct daemon d;

/* What the look-ups of the next droverd do: offline.c says how. */
static void lookups(const char *kind, int failure)
{
	setenv("LOOKUPS", files_write("lookups", "%s %d\n", kind, failure), 1);
}

static void lookups_work(void)
{
	files_write("lookups", "\n");
}

#define NAMED SERVICES(SERVICE_AT("s", "\"localhost:0\"", "echo", "workers = 1;"))
#define OWNED SERVICES(SERVICE_AT("s", "( { address = \"unix:/nowhere/s\"; owner = \"daemon\"; } )", "echo", ""))
#define GROUPED SERVICES(SERVICE_AT("s", "( { address = \"unix:/nowhere/s\"; group = \"daemon\"; } )", "echo", ""))
#define AS_USER SERVICES(SERVICE("s", "echo", "user = \"daemon\";"))
#define AS_GROUP SERVICES(SERVICE("s", "echo", "group = \"daemon\";"))
#define IN_ROOT SERVICES(SERVICE("s", "echo", "directory = \"/\";"))

static const struct {
	const char *kind;
	int         failure;
	const char *text;
	int         status;
	const char *says;
} rows[] = {
	{ "host", EAI_AGAIN, NAMED, 75, "cannot look up localhost for now: " },
	{ "host", EAI_SYSTEM, NAMED, 75, "cannot look up localhost for now: " },
	{ "host", EAI_NONAME, NAMED, 78, "localhost is unknown: " },
	{ "host", EAI_FAIL, NAMED, 78, "localhost is unknown: " },
	{ "user", EIO, AS_USER, 75, "cannot look up user \"daemon\" for now: Input/output error" },
	{ "user", ECONNREFUSED, OWNED, 75, "cannot look up user \"daemon\" for now: " },
	{ "user", ENOENT, AS_USER, 78, "user \"daemon\" does not exist" },
	{ "group", ETIMEDOUT, AS_GROUP, 75, "cannot look up group \"daemon\" for now: " },
	{ "group", EAGAIN, GROUPED, 75, "cannot look up group \"daemon\" for now: " },
	{ "group", ESRCH, AS_GROUP, 78, "group \"daemon\" does not exist" },
	{ "path", ESTALE, IN_ROOT, 75, "directory is /: " },
	{ "path", ENOENT, IN_ROOT, 78, "directory is /: " },
	/* What does not exist decides, whatever else fails for now. */
	{ "host", EAI_AGAIN, NAMED "user = \"no-such-user\";", 78, "cannot look up localhost for now: " },
};

START_TEST(what_fails_for_now_is_75_and_what_does_not_exist_is_78)
{
	d.program = "tests/e2e/offline_droverd";
	lookups(rows[_i].kind, rows[_i].failure);
	daemon_config_as_is(&d, "%s", rows[_i].text);
	ck_assert_int_eq(daemon_run_args(&d, "-c", d.config), rows[_i].status);
	harness_contains(daemon_errors(&d), rows[_i].says);
} END_TEST

START_TEST(the_check_has_the_same_status_as_the_start)
{
	d.program = "tests/e2e/offline_droverd";
	lookups(rows[_i].kind, rows[_i].failure);
	daemon_config_as_is(&d, "%s", rows[_i].text);
	ck_assert_int_eq(daemon_run_args(&d, "-t", "-c", d.config), rows[_i].status);
	harness_contains(daemon_errors(&d), rows[_i].says);
} END_TEST

START_TEST(a_user_that_is_not_known_for_now_is_one_line)
{
	d.program = "tests/e2e/offline_droverd";
	lookups("user", EIO);
	daemon_config_as_is(&d, "%s", AS_USER);
	ck_assert_int_eq(daemon_run_args(&d, "-t", "-c", d.config), 75);
	ck_assert_uint_eq(files_count(daemon_errors(&d), "\n"), 1);
} END_TEST

START_TEST(a_service_of_the_command_line_is_no_exception)
{
	d.program = "tests/e2e/offline_droverd";
	lookups("host", EAI_AGAIN);
	ck_assert_int_eq(daemon_run_args(&d, "--listen", "localhost:0", "--echo"), 75);
} END_TEST

START_TEST(a_reload_is_refused_for_now_and_works_once_the_name_server_is_there)
{
	d.program = "tests/e2e/offline_droverd";
	lookups("host", EAI_AGAIN);
	daemon_start(&d, SERVICES(SERVICE("s", "echo", "workers = 1;")));
	daemon_config(&d, "%s", NAMED);
	daemon_signal(&d, SIGHUP);
	daemon_wait_for(&d, "reload-failed reason=check");
	daemon_wait_status(&d, "last reload refused: a look-up failed for now (this is temporary: try again)");
	daemon_check_echo(&d, "s");
	lookups_work();
	daemon_reload(&d, "%s", NAMED);
} END_TEST

int main(void)
{
	Suite *s = suite_create("temporary");
	TCase *tc = harness_case(s, "temporary");

	tcase_add_loop_test(tc, what_fails_for_now_is_75_and_what_does_not_exist_is_78, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, the_check_has_the_same_status_as_the_start, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, a_user_that_is_not_known_for_now_is_one_line);
	tcase_add_test(tc, a_service_of_the_command_line_is_no_exception);
	tcase_add_test(tc, a_reload_is_refused_for_now_and_works_once_the_name_server_is_there);
	return harness_run(s);
}
