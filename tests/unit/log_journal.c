/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the journal gets: one datagram for each line, whose fields nothing in a line can change. The
 * journal is a socket in the folder of the test.
 */
#include <config.h>
#include "log.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "log_sink.h"
#include "unit.h"

#define ROOM 4096

static struct log_sink *sink;
static int journal;                     /* the end that the journal has */

int __real_connect(int fd, const struct sockaddr *to, socklen_t len);
int __wrap_connect(int fd, const struct sockaddr *to, socklen_t len);

int __wrap_connect(int fd, const struct sockaddr *to, socklen_t len)
{
	static const struct sockaddr_un here = { AF_UNIX, "journal" };
	const struct sockaddr_un *un = (const void *)to;

	if (strcmp(un->sun_path, "/run/systemd/journal/socket") != 0)
		return __real_connect(fd, to, len);
	return __real_connect(fd, (const struct sockaddr *)&here, sizeof here);
}

static void open_journal(enum log_format format)
{
	static const struct sockaddr_un here = { AF_UNIX, "journal" };

	unlink(here.sun_path);
	journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(bind(journal, (const struct sockaddr *)&here, sizeof here), 0);
	sink = log_sink_open(LOG_TARGET_JOURNAL, NULL, format);
	ck_assert_msg(sink != NULL, "%m");
	log_use(sink, LOG_LEVEL_DEBUG);
}

static void begin(void)
{
	unit_enter_folder();
	open_journal(LOG_FORMAT_TEXT);
}

static void end(void)
{
	log_use(NULL, LOG_LEVEL_INFO);
	log_sink_close(&sink);
	close(journal);
	unit_leave_folder();
}

/* The next datagram; NULL if there is none. */
static const char *next(void)
{
	static char text[ROOM];
	const ssize_t n = recv(journal, text, sizeof text - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return n > 0 ? text : NULL;
}

START_TEST(a_line_has_a_priority_and_a_message)
{
	log_warn("disk is %d %% full", 93);
	ck_assert_str_eq(next(), "PRIORITY=4\nSYSLOG_IDENTIFIER=droverd\nMESSAGE=disk is 93 % full\n");
	ck_assert_ptr_null(next());
} END_TEST

START_TEST(what_it_is_about_is_in_fields)
{
	char want[256];

	log_about(LOG_LEVEL_ERROR, LOG_ABOUT(.service = "git", .worker = LOG_WORKER(0), .connection = "7-1",
	                                     .event = LOG_EVENT_WORKER_DIED), "it died");
	snprintf(want, sizeof want, "PRIORITY=3\nSYSLOG_IDENTIFIER=droverd\nSERVICE=git\nWORKER=0\n"
	         "CONNECTION=7-1\nEVENT=worker-died\nMESSAGE_ID=%s\nMESSAGE=it died\n",
	         log_events_id(LOG_EVENT_WORKER_DIED));
	ck_assert_str_eq(next(), want);
} END_TEST

START_TEST(a_worker_says_so_in_each_line)
{
	log_fields_identify("echo", LOG_WORKER(3));
	log_info("one");
	unit_contains(next(), "\nSERVICE=echo\nWORKER=3\nMESSAGE=one\n");
	log_about(LOG_LEVEL_INFO, LOG_ABOUT(.connection = "7-2"), "two");
	unit_contains(next(), "\nSERVICE=echo\nWORKER=3\nCONNECTION=7-2\nMESSAGE=two\n");
	log_fields_identify(NULL, 0);
	log_info("three");
	ck_assert_ptr_null(strstr(next(), "SERVICE"));
} END_TEST

START_TEST(json_has_the_same_in_members)
{
	const char *text;

	log_use(NULL, LOG_LEVEL_INFO);
	log_sink_close(&sink);
	close(journal);
	open_journal(LOG_FORMAT_JSON);
	log_about(LOG_LEVEL_INFO, LOG_ABOUT(.service = "git", .worker = LOG_WORKER(12), .connection = "7-1",
	                                    .event = LOG_EVENT_READY), "say \"a\"");
	text = next();
	unit_contains(text, "\nEVENT=ready\nMESSAGE={\"time\":\"");
	unit_contains(text, ",\"service\":\"git\",\"worker\":12,\"connection\":\"7-1\",\"event\":\"ready\","
	              "\"message\":\"say \\\"a\\\"\"}\n");
} END_TEST

static const struct { const char *name; struct log_fields about; const char *message; } forgers[] = {
	{ "a message", { .service = "s" }, "x\nMESSAGE_ID=0\n_UID=0\n\nMESSAGE=forged" },
	{ "a service", { .service = "s\nWORKER=9" }, "x" },
	{ "a connection", { .service = "s", .connection = "7-1\nEVENT=ready\n" }, "x" },
	{ "bytes", { .connection = "\xff\x01=\x7f" }, "\x80\r\033[2J" },
	{ "a field without =", { .service = "s\nBINARY\n" }, "x\n__CURSOR\n\x08" },
};

/* Every line of the datagram is a field of ours, and none is there twice. */
START_TEST(nothing_in_a_line_forges_a_field)
{
	static const char *const names[] = { "PRIORITY=", "SYSLOG_IDENTIFIER=", "SERVICE=", "CONNECTION=",
	                                     "MESSAGE=" };
	const char *p;
	size_t at = 0;

	log_about(LOG_LEVEL_INFO, &forgers[_i].about, "%s", forgers[_i].message);
	for (p = next(); *p; p += strcspn(p, "\n") + 1) {
		while (at < ARRAY_SIZE(names) && strncmp(p, names[at], strlen(names[at])) != 0)
			at++;
		ck_assert_msg(at++ < ARRAY_SIZE(names), "%s: %s", forgers[_i].name, p);
		for (size_t i = 0; p[i] != '\n'; i++)
			ck_assert_msg(p[i] >= ' ' && p[i] <= '~', "%s: %s", forgers[_i].name, p);
	}
	ck_assert_ptr_null(next());
} END_TEST

START_TEST(however_long_it_is_it_has_all_its_fields)
{
	static char message[2 * ROOM], name[512];
	const char *text;

	memset(message, '\n', sizeof message - 1);
	memset(name, '\xff', sizeof name - 1);
	log_about(LOG_LEVEL_INFO, LOG_ABOUT(.service = name, .worker = LOG_WORKER(1023), .connection = name,
	                                    .event = LOG_EVENT_CERTIFICATE_SHORT), "%s", message);
	text = next();
	ck_assert_uint_lt(strlen(text), ROOM - 1);
	unit_contains(text, "\nMESSAGE_ID=");
	unit_contains(text, "\nMESSAGE=\\x0a\\x0a");
	ck_assert_int_eq(text[strlen(text) - 1], '\n');
} END_TEST

START_TEST(a_journal_that_does_not_read_is_not_waited_for)
{
	unsigned long n = 0, dropped;
	const char *text, *p;
	char want[128];

	for (int i = 0; i < 5000; i++)
		log_info("line %d", i);
	while (next())
		n++;
	log_fields_identify("echo", LOG_WORKER(1));
	log_info("again");
	text = next();
	snprintf(want, sizeof want, "\nSERVICE=echo\nWORKER=1\nEVENT=lines-dropped\nMESSAGE_ID=%s\nMESSAGE=",
	         log_events_id(LOG_EVENT_LINES_DROPPED));
	unit_contains(text, want);
	p = strstr(text, "\nMESSAGE=") + 9;
	dropped = strtoul(p, NULL, 10);
	ck_assert_uint_eq(n + dropped, 5000);
	unit_contains(next(), "MESSAGE=again\n");
} END_TEST

/* ---- the table of events ------------------------------------------------ */

START_TEST(words_and_ids_are_well_formed_and_differ)
{
	int n_ids = 0;

	ck_assert_ptr_null(log_events_word(LOG_EVENT_NONE));
	for (int i = 1; i < LOG_EVENT_COUNT; i++) {
		const char *word = log_events_word((enum log_event)i), *id = log_events_id((enum log_event)i);

		ck_assert_uint_lt(strlen(word), LOG_EVENT_WORD_MAX);
		ck_assert_uint_eq(strspn(word, "abcdefghijklmnopqrstuvwxyz-"), strlen(word));
		ck_assert_msg(!id || (strlen(id) == 32 && strspn(id, "0123456789abcdef") == 32), "%s", word);
		n_ids += id != NULL;
		for (int k = 1; k < i; k++) {
			ck_assert_str_ne(word, log_events_word((enum log_event)k));
			ck_assert(!id || !log_events_id((enum log_event)k) ||
			          strcmp(id, log_events_id((enum log_event)k)) != 0);
		}
	}
	ck_assert_int_eq(n_ids, 10);
} END_TEST

int main(void)
{
	Suite *s = suite_create("log_journal");
	TCase *tc = unit_case(s, "journal", begin, end);

	tcase_add_test(tc, a_line_has_a_priority_and_a_message);
	tcase_add_test(tc, what_it_is_about_is_in_fields);
	tcase_add_test(tc, a_worker_says_so_in_each_line);
	tcase_add_test(tc, json_has_the_same_in_members);
	tcase_add_loop_test(tc, nothing_in_a_line_forges_a_field, 0, ARRAY_SIZE(forgers));
	tcase_add_test(tc, however_long_it_is_it_has_all_its_fields);
	tcase_add_test(tc, a_journal_that_does_not_read_is_not_waited_for);
	tcase_add_test(tc, words_and_ids_are_well_formed_and_differ);
	return unit_run(s);
}
