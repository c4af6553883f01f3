/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The fields of lines in the journal, which is a mailbox of the test (journalled.c).
 */
#include <config.h>
#include "harness.h"

#include <signal.h>
#include <stdlib.h>

#include "log_events.h"
#include "mailbox.h"

#define LOG "log = { target = \"journal\"; };"
#define ECHO SERVICES(SERVICE("s", "echo", "workers = 1;"))

static struct daemon d;
static struct mailbox journal;

static bool has_field(const struct event *e, const char *field)
{
	return mailbox_has_line(e, field);
}

/* The next line with that field; waits for it. */
static const char *journal_line(const char *field)
{
	struct event *e;

	while (!(e = mailbox_find(&journal, has_field, field)))
		turn_once();
	e->taken = true;
	return e->text;
}

static void open_journal(void)
{
	mailbox_open(&journal, "journal");
	ck_assert_int_eq(setenv("TEST_JOURNAL", journal.path, 1), 0);
	d.program = "tests/e2e/journalled_droverd";
}

static void expect_fields(const char *line, const char *const *fields)
{
	for (; *fields; fields++)
		harness_contains(line, files_text("\n%s\n", *fields));
}

#define EXPECT(line, ...) expect_fields(line, (const char *const[]){ __VA_ARGS__, NULL })

static const char *field_of_id(enum log_event event)
{
	return files_text("MESSAGE_ID=%s", log_events_id(event));
}

START_TEST(lines_of_the_master_say_what_has_happened)
{
	const char *line;

	open_journal();
	daemon_start(&d, LOG ECHO);
	line = journal_line("EVENT=listening");
	EXPECT(line, "SERVICE=s", "SYSLOG_IDENTIFIER=droverd");
	line = journal_line("EVENT=ready");
	EXPECT(line, "MESSAGE=ready");
	ck_assert_ptr_null(strstr(line, "SERVICE="));
	ck_assert_ptr_null(strstr(line, "WORKER="));
	ck_assert_ptr_null(strstr(line, "MESSAGE_ID="));
	mailbox_close(&journal);
} END_TEST

START_TEST(lines_of_a_connection_name_its_worker_and_its_id)
{
	const struct event *open;
	const char *line;
	int fd;

	open_journal();
	daemon_start(&d, LOG SERVICES(EXEC("s", "argv = \"%s\";", "workers = 1;")),
	             files_script("script", "printf 'a\\nEVENT=ready\\377\\n' >&2"));
	fd = daemon_connect(&d, "s");
	open = daemon_wait_for(&d, "connection-open");
	line = journal_line("EVENT=program-output");
	EXPECT(line, "SERVICE=s", "WORKER=0", files_text("CONNECTION=%s", event_word(open, "id")));
	line = journal_line("EVENT=program-output");
	harness_contains(line, ": EVENT=ready\\xff\n");
	close(fd);
	mailbox_close(&journal);
} END_TEST

START_TEST(so_do_lines_of_the_access_log)
{
	const struct event *open;
	const char *line;
	int fd;

	open_journal();
	daemon_start(&d, "access_log = { target = \"journal\"; format = \"json\"; };" ECHO);
	fd = daemon_connect(&d, "s");
	open = daemon_accepted(&d, fd);
	close(fd);
	line = journal_line("EVENT=connection-end");
	EXPECT(line, "SERVICE=s", "WORKER=0", files_text("CONNECTION=%s", event_word(open, "id")));
	harness_contains(line, "\nMESSAGE={\"time\":");
	mailbox_close(&journal);
} END_TEST

START_TEST(the_death_of_a_worker_has_an_id_of_its_own)
{
	const char *line;

	open_journal();
	daemon_start(&d, LOG ECHO);
	kill(daemon_next_worker(&d, "s"), SIGKILL);
	line = journal_line(field_of_id(LOG_EVENT_WORKER_DIED));
	EXPECT(line, "SERVICE=s", "WORKER=0", "EVENT=worker-died");
	harness_contains(line, "was ended by signal KILL");
	mailbox_close(&journal);
} END_TEST

START_TEST(so_has_a_reload_that_is_refused)
{
	open_journal();
	daemon_start(&d, LOG ECHO);
	daemon_config(&d, LOG "nonsense = 1;" ECHO);
	daemon_signal(&d, SIGHUP);
	EXPECT(journal_line(field_of_id(LOG_EVENT_RELOAD_REFUSED)), "EVENT=reload-refused");
	mailbox_close(&journal);
} END_TEST

START_TEST(json_has_the_fields_as_members_also_through_a_pipe)
{
	const char *path = files_path("log"), *text;
	const struct event *open;
	int fd;

	daemon_start(&d, "log = { target = \"%s\"; format = \"json\"; };"
	             SERVICES(EXEC("s", "argv = \"%s\";", "workers = 1;")), path,
	             files_script("script", "echo words >&2"));
	fd = daemon_connect(&d, "s");
	open = daemon_wait_for(&d, "connection-open");
	daemon_wait_for(&d, "connection-end");
	daemon_stop(&d, SIGTERM);
	text = files_read(path);
	harness_contains(text, files_text(",\"service\":\"s\",\"worker\":0,\"connection\":\"%s\","
	                                  "\"event\":\"program-output\",\"message\":\"s %s ",
	                                  event_word(open, "id"), event_word(open, "id")));
	harness_contains(text, ",\"event\":\"ready\",\"message\":\"ready\"}\n");
	close(fd);
} END_TEST

int main(void)
{
	Suite *s = suite_create("log_journal");
	TCase *tc = harness_case(s, "journal");

	tcase_add_test(tc, lines_of_the_master_say_what_has_happened);
	tcase_add_test(tc, lines_of_a_connection_name_its_worker_and_its_id);
	tcase_add_test(tc, so_do_lines_of_the_access_log);
	tcase_add_test(tc, the_death_of_a_worker_has_an_id_of_its_own);
	tcase_add_test(tc, so_has_a_reload_that_is_refused);
	tcase_add_test(tc, json_has_the_fields_as_members_also_through_a_pipe);
	return harness_run(s);
}
