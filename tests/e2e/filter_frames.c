/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Frames of all kinds on both sides of a filter, whole and in pieces, of every
 * length that there may be, and what is no frame.
 */
#include <config.h>
#include "filter_harness.h"
#include "framing.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX 10                          /* the max_request of all these services */

#define SERVICE_OF(framings) \
	SERVICES(" s = { listen = \"127.0.0.1:0\"; workers = 1; max_request = 10; " \
	         " handler = { type = \"filter\"; " framings " }; };")

static const char *const kinds[] = { "line", "netstring", "length16", "length32", "fixed:4" };

#define KINDS (int)ARRAY_SIZE(kinds)

struct bytes {
	size_t len;
	char   bytes[256];
};

/* A frame, written as framing.h says, behind what there is. */
static void add_frame(struct bytes *b, const char *kind, const char *content, size_t len)
{
	struct framing f = { .max = 1000 };

	ck_assert_int_eq(framing_parse(kind, &f), 0);
	b->len += framing_header(&f, len, b->bytes + b->len);
	memcpy(b->bytes + b->len, content, len);
	b->len += len;
	b->len += framing_trailer(&f, b->bytes + b->len);
	ck_assert_uint_lt(b->len, sizeof b->bytes - FRAMING_HEADER_MAX - 32);
}

static struct bytes frame(const char *kind, const char *content, size_t len)
{
	struct bytes b = { 0 };

	add_frame(&b, kind, content, len);
	return b;
}

static void expect_bytes(int fd, const struct bytes *b)
{
	char got[sizeof b->bytes];

	client_receive(fd, got, b->len);
	ck_assert_mem_eq(got, b->bytes, b->len);
}

static void start_of(const char *framing, const char *filter_framing, const char *rest)
{
	daemon_start(&d, SERVICE_OF("framing = \"%s\"; filter_framing = \"%s\"; %s"), framing,
	             filter_framing, rest);
}

static void check_health(const char *kind)
{
	const struct bytes b = frame(kind, "good", 4);
	int fd = daemon_connect(&d, "s");

	client_send(fd, b.bytes, b.len);
	expect_bytes(fd, &b);
	close(fd);
}

/* ---- what fits ---------------------------------------------------------- */

static const struct { const char *bytes; size_t len; } contents[] = {
	{ "", 0 }, { "a", 1 }, { "good", 4 }, { "\0\377\r\200", 4 }, { "5:ab", 4 }, { "0123456789", MAX },
};

static bool is_fixed(const char *kind)
{
	return strncmp(kind, "fixed:", 6) == 0;
}

/* A filter that returns what it gets, with every framing on both sides. */
START_TEST(every_content_passes_between_any_two_framings)
{
	const char *outer = kinds[_i / KINDS], *inner = kinds[_i % KINDS];
	struct bytes all = { 0 };
	int fd;

	start_of(outer, inner, _i % 2 ? "argv = \"/bin/cat\";" : "argv = \"/bin/cat\"; in_flight = 3;");
	for (size_t i = 0; i < ARRAY_SIZE(contents); i++)
		if (contents[i].len == 4 || (!is_fixed(outer) && !is_fixed(inner)))
			add_frame(&all, outer, contents[i].bytes, contents[i].len);
	fd = daemon_connect(&d, "s");
	client_send(fd, all.bytes, all.len);
	expect_bytes(fd, &all);
	close(fd);
} END_TEST

/* The worker has read the one part before the other is sent. */
START_TEST(a_frame_may_be_cut_anywhere)
{
	const struct bytes b = frame(kinds[_i], "good", 4);
	int fd;

	start_of(kinds[_i], "length16", "argv = \"/bin/cat\";");
	fd = daemon_connect(&d, "s");
	for (size_t cut = 1; cut < b.len; cut++) {
		client_send(fd, b.bytes, cut);
		filter_barrier();
		client_send(fd, b.bytes + cut, b.len - cut);
		expect_bytes(fd, &b);
	}
	close(fd);
} END_TEST

START_TEST(a_filter_may_answer_byte_by_byte)
{
	const struct bytes b = frame("netstring", "good", 4);
	int fd;

	start_of("netstring", kinds[_i], filter_argv("trickle"));
	fd = daemon_connect(&d, "s");
	for (int i = 0; i < 5; i++) {
		client_send(fd, b.bytes, b.len);
		expect_bytes(fd, &b);
	}
	close(fd);
} END_TEST

/* ---- what does not ------------------------------------------------------ */

#define BYTES(text) text, sizeof text - 1

static const struct { const char *kind, *bytes; size_t len; const char *why; } bad_requests[] = {
	{ "line",      BYTES("0123456789a"),              "more than max_request (10)" },
	{ "netstring", BYTES("11:0"),                     "more than max_request (10)" },
	{ "netstring", BYTES("99999999999999999999999:"), "more than max_request (10)" },
	{ "netstring", BYTES("04:good,"),                 "is no netstring" },
	{ "netstring", BYTES("00:,"),                     "is no netstring" },
	{ "netstring", BYTES(":good,"),                   "is no netstring" },
	{ "netstring", BYTES("-4:good,"),                 "is no netstring" },
	{ "netstring", BYTES("4;good,"),                  "is no netstring" },
	{ "netstring", BYTES("4:good;"),                  "is no netstring" },
	{ "netstring", BYTES("\0"),                       "is no netstring" },
	{ "length16",  BYTES("\0\13"),                    "more than max_request (10)" },
	{ "length16",  BYTES("\377\377"),                 "more than max_request (10)" },
	{ "length32",  BYTES("\0\0\0\13"),                "more than max_request (10)" },
	{ "length32",  BYTES("\377\377\377\377"),         "more than max_request (10)" },
	{ "length32",  BYTES("\200\0\0\0"),               "more than max_request (10)" },
};

/* Requests before it get their answers; error_reply is only sent for requests. */
START_TEST(a_client_that_sends_no_frame_is_closed)
{
	const char *kind = bad_requests[_i].kind;
	const struct bytes good = frame(kind, "good", 4);
	int fd;

	start_of(kind, kind, "argv = \"/bin/cat\"; error_reply = \"sorry\";");
	fd = daemon_connect(&d, "s");
	client_send(fd, good.bytes, good.len);
	client_send(fd, bad_requests[_i].bytes, bad_requests[_i].len);
	expect_bytes(fd, &good);
	filter_expect_failure(fd);
	harness_contains(daemon_errors(&d), bad_requests[_i].why);
	check_health(kind);
	ck_assert_uint_eq(daemon_saw(&d, "filter-end"), 0);
} END_TEST

START_TEST(only_a_last_line_may_be_incomplete)
{
	const struct bytes b = frame(kinds[_i], "good", 4);
	int fd;

	start_of(kinds[_i], "line", "argv = \"/bin/cat\";");
	fd = daemon_connect(&d, "s");
	client_send(fd, b.bytes, b.len);
	client_send(fd, b.bytes, b.len - 1);
	client_end(fd);
	expect_bytes(fd, &b);
	if (strcmp(kinds[_i], "line") == 0) {
		expect_bytes(fd, &b);
		client_expect_end(fd);
		close(fd);
	} else {
		filter_expect_failure(fd);
	}
} END_TEST

static const struct { const char *kind, *answer, *reason; } bad_answers[] = {
	{ "line",      "0123456789a\\n",           "too-long" },
	{ "netstring", "11:",                      "too-long" },
	{ "netstring", "99999999999999999999999:", "too-long" },
	{ "netstring", "04:good,",                 "broken" },
	{ "netstring", "4:good;",                  "broken" },
	{ "netstring", "\\000",                    "broken" },
	{ "length16",  "\\000\\013",               "too-long" },
	{ "length32",  "\\377\\377\\377\\377",     "too-long" },
	{ "length32",  "Hello, World!",            "too-long" },
	{ "line",      "four\\nfive\\n",           "unasked" },
	{ "length16",  "\\000\\004goodx",          "unasked" },
	{ "fixed:4",   "goodx",                    "unasked" },
};

/* It says this when it has got something; then it does nothing, and keeps its output open. */
static const char *script_that_says(const char *answer)
{
	return files_script("script", "exec 3>&1\ndd bs=1 count=1 >/dev/null 2>&1\nprintf '%s'\n"
	                    "exec cat >/dev/null", answer);
}

START_TEST(a_filter_that_answers_with_no_frame_is_killed)
{
	const char *kind = bad_answers[_i].kind, *reason = bad_answers[_i].reason;
	const struct bytes b = frame(kind, "good", 4), sorry = frame(kind, "oops", 4);
	int fd;

	start_of(kind, kind, files_text("argv = \"%s\"; error_reply = \"oops\";",
	                                script_that_says(bad_answers[_i].answer)));
	fd = daemon_connect(&d, "s");
	client_send(fd, b.bytes, b.len);
	daemon_wait_for(&d, "filter-end reason=%s how=signal value=9", reason);
	if (strcmp(reason, "unasked") != 0)
		expect_bytes(fd, &sorry);
	client_send(fd, b.bytes, b.len);
	daemon_wait_for(&d, "filter-end reason=%s how=signal value=9", reason);
	close(fd);
} END_TEST

static const struct { const char *outer, *inner, *answer, *content; } lengths[] = {
	{ "netstring", "line",      "0123456789\\n",           "0123456789" },
	{ "line",      "netstring", "10:0123456789,",          "0123456789" },
	{ "length16",  "line",      "\\n",                     "" },
	{ "line",      "length16",  "\\000\\000",              "" },
	{ "line",      "netstring", "3:a\\nb,",                NULL },
	{ "fixed:4",   "line",      "abc\\n",                  NULL },
	{ "fixed:4",   "line",      "abcde\\n",                NULL },
};

/* A filter that did nothing wrong stays. */
START_TEST(an_answer_that_the_client_cannot_get_is_a_failure_of_its_request)
{
	const char *outer = lengths[_i].outer, *content = lengths[_i].content ? lengths[_i].content : "oops";
	const struct bytes b = frame(outer, "good", 4), answer = frame(outer, content, strlen(content));
	int fd;

	start_of(outer, lengths[_i].inner, files_text("argv = \"%s\"; error_reply = \"oops\";",
	                                              script_that_says(lengths[_i].answer)));
	fd = daemon_connect(&d, "s");
	client_send(fd, b.bytes, b.len);
	expect_bytes(fd, &answer);
	client_end(fd);
	client_expect_end(fd);
	ck_assert_uint_eq(daemon_saw(&d, "filter-end"), 0);
	close(fd);
} END_TEST

START_TEST(without_an_error_reply_that_ends_the_connection)
{
	int fd;

	start_of("line", "netstring", files_text("argv = \"%s\";", script_that_says("3:a\\nb,")));
	fd = filter_say("good\nnext\n");
	filter_expect_failure(fd);
	harness_contains(daemon_errors(&d), "the answer does not fit into its framing");
	ck_assert_uint_eq(daemon_saw(&d, "filter-end"), 0);
} END_TEST

/* What drover.conf(5) calls sensible for each framing, as it is in a configuration and as bytes. */
static const struct { const char *kind, *reply, *bytes; size_t len; } replies[] = {
	{ "line",      "ERR unavailable",         BYTES("ERR unavailable\n") },
	{ "line",      "{\\\"error\\\":true}",    BYTES("{\"error\":true}\n") },
	{ "netstring", "{\\\"error\\\":true}",    BYTES("14:{\"error\":true},") },
	{ "length16",  "{\\\"error\\\":true}",    BYTES("\0\16{\"error\":true}") },
	{ "length32",  "{\\\"error\\\":true}",    BYTES("\0\0\0\16{\"error\":true}") },
	{ "fixed:4",   "none",                    BYTES("none") },
};

/* Its client reads it as any answer, and may ask again. */
START_TEST(an_error_reply_is_an_answer_in_the_framing_of_the_client)
{
	const struct bytes ask = frame(replies[_i].kind, "good", 4);
	char got[64];
	int fd;

	daemon_start(&d, SERVICES(" s = { listen = \"127.0.0.1:0\"; workers = 1; handler = { type = \"filter\";"
	             " framing = \"%s\"; filter_framing = \"line\"; argv = \"%s\"; error_reply = \"%s\"; };"
	             " restart = { delay_min = \"10ms\"; delay_max = \"10ms\"; }; };"),
	             replies[_i].kind, files_script("script", "read -r line; exit 3"), replies[_i].reply);
	fd = daemon_connect(&d, "s");
	for (int i = 0; i < 2; i++) {
		client_send(fd, ask.bytes, ask.len);
		client_receive(fd, got, replies[_i].len);
		ck_assert_mem_eq(got, replies[_i].bytes, replies[_i].len);
	}
	shutdown(fd, SHUT_WR);
	client_expect_end(fd);          /* and nothing was behind it */
	close(fd);
} END_TEST

/* 2 bytes of length cannot say more than 65535, whatever max_request is. */
START_TEST(what_does_not_fit_the_filters_framing_gets_the_error_reply)
{
	char *line = malloc(65536 + 3);
	int fd;

	memset(line, 'x', 65537);
	memcpy(line + 65536, "\n", 2);
	daemon_start(&d, SERVICES(" s = { listen = \"127.0.0.1:0\"; workers = 1; max_request = \"1M\";"
	             " handler = { type = \"filter\"; framing = \"line\"; filter_framing = \"length16\";"
	             " argv = \"/bin/cat\"; error_reply = \"sorry\"; }; };"));
	fd = filter_say(line);
	client_expect(fd, "sorry\n");
	client_say(fd, line + 1);
	client_expect(fd, line + 1);
	close(fd);
	free(line);
} END_TEST

int main(void)
{
	Suite *s = suite_create("filter_frames");
	TCase *tc = harness_case(s, "good");

	tcase_add_loop_test(tc, every_content_passes_between_any_two_framings, 0, KINDS * KINDS);
	tcase_add_loop_test(tc, a_frame_may_be_cut_anywhere, 0, KINDS);
	tcase_add_loop_test(tc, a_filter_may_answer_byte_by_byte, 0, KINDS);

	tc = harness_case(s, "bad");
	tcase_add_loop_test(tc, a_client_that_sends_no_frame_is_closed, 0, (int)ARRAY_SIZE(bad_requests));
	tcase_add_loop_test(tc, only_a_last_line_may_be_incomplete, 0, KINDS);
	tcase_add_loop_test(tc, a_filter_that_answers_with_no_frame_is_killed, 0,
	                    (int)ARRAY_SIZE(bad_answers));
	tcase_add_loop_test(tc, an_answer_that_the_client_cannot_get_is_a_failure_of_its_request, 0,
	                    (int)ARRAY_SIZE(lengths));
	tcase_add_test(tc, without_an_error_reply_that_ends_the_connection);
	tcase_add_loop_test(tc, an_error_reply_is_an_answer_in_the_framing_of_the_client, 0,
	                    (int)ARRAY_SIZE(replies));
	tcase_add_test(tc, what_does_not_fit_the_filters_framing_gets_the_error_reply);
	return harness_run(s);
}
