/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The bytes of clients of a module: what it consumes, what it lends, requests in frames, pauses, and
 * the end. Plain and over TLS.
 */
#include <config.h>
#include "module_harness.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#ifdef HAVE_OPENSSL
#include "../certificates.h"
#include "tls_client.h"
#endif

#define MEBIBYTE (1u << 20)

/* ---- what it consumes ------------------------------------------------------- */

START_TEST(bytes_that_are_never_consumed_end_their_connection_at_max_request)
{
	static char much[6000];
	const struct event *open;
	int fd, other;

	module_start("consume = \"none\";", "max_request = 4096;");
	other = daemon_connect(&d, "s");
	daemon_accepted(&d, other);
	fd = daemon_connect(&d, "s");
	open = daemon_accepted(&d, fd);
	client_send(fd, much, 4096);
	module_wait_for("data=4096");
	client_send(fd, much, 1);
	ck_assert_str_eq(event_word(daemon_ended(&d, open), "how"), "failed");
	harness_contains(daemon_errors(&d), "the module probe 1 has not consumed more than max_request (4k); closing");
	ck_assert_uint_eq(daemon_saw(&d, "connection-end"), 1);
	close(fd);
	close(other);
} END_TEST

START_TEST(consuming_more_than_there_was_ends_the_connection)
{
	int fd, next;

	module_start("consume = \"more\";", "");
	fd = module_say("x");
	client_expect_gone(fd);
	module_wait_for("close reason=7");
	harness_contains(daemon_errors(&d), "the module probe 1 has consumed more than it got; closing");
	next = daemon_connect(&d, "s");
	daemon_accepted(&d, next);
	ck_assert_uint_eq(daemon_saw(&d, "worker-end"), 0);
	close(fd);
	close(next);
} END_TEST

START_TEST(lines_come_whole_however_they_are_sent)
{
	static const char line[] = "echo in pieces\n";
	pid_t worker;
	int fd;

	module_start("", "");
	fd = daemon_connect(&d, "s");
	worker = (pid_t)event_number(daemon_accepted(&d, fd), "pid");
	for (const char *p = line; *p; p++) {
		client_send(fd, p, 1);
		daemon_settle_worker(&d, worker);
	}
	client_expect(fd, "in pieces\n");
	close(fd);
} END_TEST

START_TEST(nothing_can_be_written_after_finish)
{
	int fd;

	module_start("", "");
	fd = module_say("finish bye\necho never\n");
	client_expect(fd, "bye\n");
	client_expect_end(fd);
	module_wait_for(files_text("write-after-finish=-1 errno=%d", EPIPE));
	module_wait_for("close reason=2");
	close(fd);
} END_TEST

START_TEST(abort_sends_what_was_written_before_and_closes)
{
	const struct event *open;
	int fd;

	module_start("", "");
	fd = daemon_connect(&d, "s");
	open = daemon_accepted(&d, fd);
	client_say(fd, "abort x\n");
	module_wait_for("close reason=7");
	ck_assert_str_eq(event_word(daemon_ended(&d, open), "how"), "failed");
	client_expect_gone(fd);
	close(fd);
} END_TEST

/* ---- the end of the client -------------------------------------------------- */

static const struct { const char *name, *options, *answer; } ends[] = {
	{ "nothing",          "",                             "" },
	{ "an answer",        "ended = \"echo bye\";",        "bye\n" },
	{ "finish",           "ended = \"finish bye\";",      "bye\n" },
	{ "later",            "ended = \"rest bye\";",        "bye\n" },
	{ "requests",         "framing = \"line\";",          "" },
};

START_TEST(a_client_that_has_ended_gets_its_answer)
{
	int fd;

	module_start(ends[_i].options, "");
	fd = module_say("echo x\n");
	client_expect(fd, "x\n");
	client_end(fd);
	ck_assert_str_eq(client_read_all(fd), ends[_i].answer);
	module_wait_for("close reason=1");
	if (_i < 4)
		ck_assert_uint_eq(daemon_saw(&d, "probe ended rest=0"), 1);
	close(fd);
} END_TEST

START_TEST(what_was_not_consumed_is_shown_at_the_end)
{
	int fd;

	module_start("", "");
	fd = module_say("half a li");
	client_end(fd);
	client_expect_end(fd);
	module_wait_for("ended rest=9");
	close(fd);
} END_TEST

/* ---- loans ------------------------------------------------------------------ */

static long rss_kib(pid_t pid)
{
	return atol(process_status(pid, "VmRSS"));
}

START_TEST(a_slow_client_gets_all_of_a_long_loan_while_little_of_it_is_copied)
{
	const size_t len = 64 * MEBIBYTE;
	long before;
	pid_t worker;
	int fd;

	module_start("", "");
	worker = daemon_next_worker(&d, "s");
	fd = client_connect_small(daemon_address(&d, "s", 0), 4096);
	client_say(fd, "lend-say 67108864\n");
	module_check_loan(fd, 0, MEBIBYTE);
	before = rss_kib(worker);
	module_check_loan(fd, MEBIBYTE, 31 * MEBIBYTE);
	ck_assert_int_lt(rss_kib(worker), before + 16 * 1024);
	ck_assert_uint_eq(daemon_saw(&d, "probe released=1"), 0);
	module_check_loan(fd, 32 * MEBIBYTE, len - 32 * MEBIBYTE);
	client_expect(fd, "after it\n");
	module_wait_for("released=1");
	module_ask(fd, "echo x\n", "x\n");
	close(fd);
} END_TEST

START_TEST(a_loan_is_released_once_when_the_client_goes_away)
{
	int fd;

	module_start("", "");
	fd = module_say("lend 50000000\n");
	module_check_loan(fd, 0, 1000);
	client_reset(fd);
	module_wait_for("close");
	module_wait_for("released=1");
	fd = module_say("lend 10\n");
	module_check_loan(fd, 0, 10);
	module_wait_for("released=2");
	ck_assert_uint_eq(daemon_saw(&d, "probe released=3"), 0);
	close(fd);
} END_TEST

static const struct { const char *name, *options, *say; bool ends; } last_loans[] = {
	{ "finish",               "",                                            "lend-finish 8000000\n", false },
	{ "finish in a request",  "framing = \"line\";",                         "lend-finish 8000000\n", false },
	{ "the end",              "ended = \"lend 8000000\";",                   "",                      true },
	{ "the last request",     "framing = \"line\";",                         "lend 8000000",          true },
	{ "the beginning",        "hello = \"lend-finish 8000000\";",            "",                      false },
};

START_TEST(what_is_lent_last_is_sent_before_the_connection_ends)
{
	int fd;

	module_start(last_loans[_i].options, "");
	fd = client_connect_small(daemon_address(&d, "s", 0), 4096);
	client_say(fd, last_loans[_i].say);
	if (last_loans[_i].ends)
		client_end(fd);
	module_check_loan(fd, 0, 8000000);
	client_expect_end(fd);
	module_wait_for("released=1");
	close(fd);
} END_TEST

/* ---- pauses ----------------------------------------------------------------- */

START_TEST(what_a_client_sends_during_a_pause_is_answered_after_it)
{
	int fd;

	module_start("", "");
	fd = module_say("rest awake\necho one\n");
	client_say(fd, "echo two\n");
	client_expect(fd, "awake\none\ntwo\n");
	module_ask(fd, "pause-resume both\necho three\n", "both\nthree\n");
	close(fd);
} END_TEST

START_TEST(a_request_that_pauses_holds_up_the_next)
{
	int fd;

	module_start("framing = \"line\";", "");
	fd = module_say("rest awake\necho one\necho two\n");
	client_expect(fd, "awake\none\ntwo\n");
	client_say(fd, "rest again\necho last");
	client_end(fd);
	ck_assert_str_eq(client_read_all(fd), "again\nlast\n");
	close(fd);
} END_TEST

START_TEST(a_client_that_is_gone_during_a_pause_is_noticed)
{
	int fd;

	module_start("", "");
	fd = module_say("pause\n");
	module_wait_for("paused");
	client_reset(fd);
	module_wait_for("close reason=3");
} END_TEST

/* ---- frames ----------------------------------------------------------------- */

#define BYTES(literal) literal, sizeof literal - 1

static const struct { const char *framing, *ask; size_t ask_len; const char *answer; size_t answer_len; } frames[] = {
	{ "line",      BYTES("echo one\necho two\n"),              BYTES("one\ntwo\n") },
	{ "netstring", BYTES("8:echo one,8:echo two,"),            BYTES("3:one,3:two,") },
	{ "length16",  BYTES("\0\010echo one\0\010echo two"),      BYTES("\0\003one\0\003two") },
	{ "length32",  BYTES("\0\0\0\010echo one"),                BYTES("\0\0\0\003one") },
};

START_TEST(requests_and_replies_are_framed)
{
	char answer[64];
	int fd;

	module_start(files_text("framing = \"%s\";", frames[_i].framing), "");
	fd = daemon_connect(&d, "s");
	client_send(fd, frames[_i].ask, frames[_i].ask_len);
	client_receive(fd, answer, frames[_i].answer_len);
	ck_assert_mem_eq(answer, frames[_i].answer, frames[_i].answer_len);
	close(fd);
} END_TEST

START_TEST(a_framing_that_there_is_not_is_refused)
{
	int fd;

	module_start("framing = \"words\";", "");
	fd = daemon_connect(&d, "s");
	module_wait_for(files_text("frame errno=%d", EINVAL));
	close(fd);
} END_TEST

/* ---- a producer -------------------------------------------------------------- */

static int start_producer(void)
{
	daemon_start(&d, SERVICES(MODULE("s", "", ONE_WORKER)), module_built("producer"));
	return daemon_connect(&d, "s");
}

START_TEST(a_producer_sends_unasked_and_can_pause)
{
	const char *line;
	int fd = start_producer();

	client_expect(fd, "line 0\nline 1\nline 2\n");
	client_say(fd, "p");
	do
		line = client_read_line(fd);
	while (strcmp(line, "paused\n") != 0);
	client_expect(fd, "resumed\nline ");
	close(fd);
} END_TEST

START_TEST(a_producer_that_finishes_is_asked_for_nothing_more)
{
	static char loan[4 * MEBIBYTE];
	int fd = start_producer();

	client_expect(fd, "line 0\n");
	client_say(fd, "f");
	client_say(fd, "more");
	do
		client_receive(fd, loan, 1);
	while (loan[0] != 'x');
	client_receive(fd, loan, sizeof loan - 1);
	for (size_t i = 0; i < sizeof loan - 1; i++)
		if (loan[i] != 'x')
			ck_abort_msg("byte %zu is %d", i, loan[i]);
	client_expect_end(fd);
	daemon_wait_for(&d, "connection-end");
	ck_assert_ptr_null(strstr(daemon_errors(&d), "after finish"));
	close(fd);
} END_TEST

START_TEST(a_producer_that_pauses_at_the_end_is_told_of_it_once)
{
	int fd = start_producer();

	client_expect(fd, "line 0\n");
	client_say(fd, "e");
	client_end(fd);
	harness_contains(client_read_all(fd), "resumed\n");
	daemon_wait_for(&d, "connection-end how=closed");
	ck_assert_uint_eq(files_count(daemon_errors(&d), "producer: ended"), 1);
	close(fd);
} END_TEST

/* ---- TLS --------------------------------------------------------------------- */

#ifdef HAVE_OPENSSL

START_TEST(over_tls_it_is_the_same)
{
	static char bytes[8000000];
	const char *at = files_path("");
	SSL *ssl;

	ck_assert_int_eq(chdir(at), 0);
	certificate_issue("ca", &(struct certificate_wish){ .is_ca = true });
	certificate_issue("s", &(struct certificate_wish){ .issued_by = "ca", .names = "DNS:s.example" });
	module_start("", files_text("tls = { chain = \"%s/s.pem\"; key = \"%s/s.key\"; };", at, at));
	ssl = tls_client_connect(daemon_address(&d, "s", 0),
	                         &(struct tls_client_wish){ .host = "s.example", .trusts = "ca" });
	tls_client_say(ssl, "echo secret\n");
	tls_client_expect(ssl, "secret\n");
	tls_client_say(ssl, "rest awake\necho one\n");
	tls_client_expect(ssl, "awake\none\n");
	tls_client_say(ssl, "lend-finish 8000000\n");
	tls_client_receive(ssl, bytes, sizeof bytes);
	for (size_t i = 0; i < sizeof bytes; i++)
		if ((unsigned char)bytes[i] != i % 251)
			ck_abort_msg("byte %zu is %d", i, bytes[i]);
	ck_assert(tls_client_is_told_end(ssl));
	tls_client_close(ssl);
	module_wait_for("released=1");
} END_TEST

START_TEST(the_version_of_tls_is_a_fact)
{
	const char *at = files_path("");
	SSL *ssl;

	ck_assert_int_eq(chdir(at), 0);
	certificate_issue("s", &(struct certificate_wish){ .names = "DNS:s.example" });
	module_start("", files_text("tls = { chain = \"%s/s.pem\"; key = \"%s/s.key\"; };", at, at));
	ssl = tls_client_connect(daemon_address(&d, "s", 0), &(struct tls_client_wish){ .host = NULL });
	tls_client_say(ssl, "facts\nfinish\n");
	harness_contains(tls_client_read_all(ssl), " tls=7 TLSv1.3 ");
	tls_client_close(ssl);
} END_TEST

#endif

int main(void)
{
	Suite *s = suite_create("module_bytes");
	TCase *tc = harness_case(s, "module_bytes");

	tcase_add_test(tc, bytes_that_are_never_consumed_end_their_connection_at_max_request);
	tcase_add_test(tc, consuming_more_than_there_was_ends_the_connection);
	tcase_add_test(tc, lines_come_whole_however_they_are_sent);
	tcase_add_test(tc, nothing_can_be_written_after_finish);
	tcase_add_test(tc, abort_sends_what_was_written_before_and_closes);
	tcase_add_loop_test(tc, a_client_that_has_ended_gets_its_answer, 0, ARRAY_SIZE(ends));
	tcase_add_test(tc, what_was_not_consumed_is_shown_at_the_end);
	tcase_add_test(tc, a_slow_client_gets_all_of_a_long_loan_while_little_of_it_is_copied);
	tcase_add_test(tc, a_loan_is_released_once_when_the_client_goes_away);
	tcase_add_loop_test(tc, what_is_lent_last_is_sent_before_the_connection_ends, 0, ARRAY_SIZE(last_loans));
	tcase_add_test(tc, what_a_client_sends_during_a_pause_is_answered_after_it);
	tcase_add_test(tc, a_request_that_pauses_holds_up_the_next);
	tcase_add_test(tc, a_client_that_is_gone_during_a_pause_is_noticed);
	tcase_add_loop_test(tc, requests_and_replies_are_framed, 0, ARRAY_SIZE(frames));
	tcase_add_test(tc, a_framing_that_there_is_not_is_refused);
	tcase_add_test(tc, a_producer_sends_unasked_and_can_pause);
	tcase_add_test(tc, a_producer_that_finishes_is_asked_for_nothing_more);
	tcase_add_test(tc, a_producer_that_pauses_at_the_end_is_told_of_it_once);
#ifdef HAVE_OPENSSL
	tcase_add_test(tc, over_tls_it_is_the_same);
	tcase_add_test(tc, the_version_of_tls_is_a_fact);
#endif
	return harness_run(s);
}
