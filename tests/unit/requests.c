/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The requests of one client: the test is the handler, and gives it the bytes.
 */
#include <config.h>
#include "requests.h"

#include "connection_harness.h"

#define MAX 8                           /* bytes in a request */

static const struct handler no_handler = { .name = "none" };

static struct {
	struct requests      q;
	enum handler_verdict then;      /* what is said of each request */
	char                 got[256];  /* "content|" for each request, "content!" for one without a frame */
	const char          *bytes;     /* lent: of the last one */
} t;

static struct framing framing;
static struct log_sink *sink;
static int client;

static enum handler_verdict serve(struct requests *q, const struct request *r)
{
	const size_t len = strlen(t.got);

	ck_assert_ptr_eq(q, &t.q);
	t.bytes = r->content;
	snprintf(t.got + len, sizeof t.got - len, "%.*s%c", (int)r->content_len, r->content,
	         r->frame ? '|' : '!');
	return t.then;
}

/* A client whose requests have that framing. */
static void begin(const char *framing_text)
{
	memset(&t, 0, sizeof t);
	t.then = HANDLER_GO_ON;
	framing = (struct framing){ .max = MAX };
	ck_assert_int_eq(framing_parse_or_raw(framing_text, &framing), 0);
	worker.handler = &no_handler;
	client = new_tcp();
	t.q = (struct requests){ .connection = newest(), .framing = &framing,
	                         .framing_text = framing_text, .serve = serve };
}

static void finish(void)
{
	requests_clear(&t.q);
	connection_abort(newest(), END_STOPPED);
	close(client);
	turn();
}

static void set_up_log(void)
{
	set_up();
	sink = log_sink_open(LOG_TARGET_FILE, "log", LOG_FORMAT_TEXT);
	log_use(sink, LOG_LEVEL_INFO);
}

static void tear_down_log(void)
{
	log_use(NULL, LOG_LEVEL_ERROR);
	log_sink_close(&sink);
	tear_down();
}

static enum handler_verdict receive(const char *text)
{
	return requests_received(&t.q, text, strlen(text));
}

/* ---- where requests end ------------------------------------------------- */

#define TOO_LONG "its request has more than max_request (8); closing"
#define IN_THE_MIDDLE "its last request is not complete; closing"

/* What comes of all bytes of a client and its end. The log says why it is closed; NULL: it is not. */
static const struct { const char *framing, *bytes, *got, *log; } rows[] = {
	{ "line",      "",                   "",              NULL },
	{ "line",      "one\ntwo\n",         "one|two|",      NULL },
	{ "line",      "\n\n",               "||",            NULL },
	{ "line",      "one\r\ntwo",         "one\r|two!",    NULL },
	{ "line",      "12345678\n",         "12345678|",     NULL },
	{ "line",      "a\n123456789\n",     "a|",            TOO_LONG },
	{ "netstring", "3:one,0:,3:two,",    "one||two|",     NULL },
	{ "netstring", "3:one,3:tw",         "one|",          IN_THE_MIDDLE },
	{ "netstring", "3:one,3",            "one|",          IN_THE_MIDDLE },
	{ "netstring", "9:123456789,",       "",              TOO_LONG },
	{ "netstring", "3:one;",             "",              "what it sends is no netstring; closing" },
	{ "fixed:3",   "onetwo",             "one|two|",      NULL },
	{ "fixed:3",   "onet",               "one|",          IN_THE_MIDDLE },
};

/* In pieces of n bytes, and then the end. */
static enum handler_verdict receive_all(const char *bytes, size_t piece)
{
	const size_t len = strlen(bytes);
	enum handler_verdict v = HANDLER_GO_ON;

	for (size_t i = 0; i < len && v == HANDLER_GO_ON; i += piece)
		v = requests_received(&t.q, bytes + i, len - i < piece ? len - i : piece);
	return v == HANDLER_GO_ON ? requests_ended(&t.q) : v;
}

START_TEST(requests_are_cut_wherever_the_pieces_end)
{
	const char *log;
	enum handler_verdict v;

	for (size_t piece = 1; piece <= 16; piece++) {
		ck_assert_int_eq(truncate("log", 0), 0);
		begin(rows[_i].framing);
		v = receive_all(rows[_i].bytes, piece);
		log = unit_read_file("log");
		ck_assert_msg(strcmp(t.got, rows[_i].got) == 0, "in pieces of %zu: %s", piece, t.got);
		ck_assert_int_eq(v, rows[_i].log ? HANDLER_GIVE_UP : HANDLER_FINISH);
		ck_assert_msg(rows[_i].log ? strstr(log, rows[_i].log) != NULL : *log == '\0',
		              "in pieces of %zu it is logged: %s", piece, log);
		finish();
	}
} END_TEST

START_TEST(the_log_names_the_connection)
{
	char id[CONNECTION_ID_MAX], want[128];

	begin("netstring");
	snprintf(want, sizeof want, "test %s: what it sends is no netstring; closing\n",
	         connection_id(newest(), id));
	ck_assert_int_eq(receive("x"), HANDLER_GIVE_UP);
	unit_contains(unit_read_file("log"), want);
	finish();
} END_TEST

/* ---- one after the other ------------------------------------------------ */

START_TEST(the_next_request_comes_when_the_first_is_done)
{
	begin("line");
	t.then = HANDLER_WAIT;
	ck_assert_int_eq(receive("one\ntwo\nthr"), HANDLER_WAIT);
	ck_assert_str_eq(t.got, "one|");
	ck_assert_int_eq(requests_next(&t.q), HANDLER_WAIT);    /* as for `taken`: it still waits */
	ck_assert_str_eq(t.got, "one|");
	ck_assert_mem_eq(t.bytes, "one", 3);
	requests_done(&t.q);
	ck_assert_int_eq(requests_next(&t.q), HANDLER_WAIT);
	ck_assert_str_eq(t.got, "one|two|");
	requests_done(&t.q);
	ck_assert_int_eq(requests_next(&t.q), HANDLER_GO_ON);
	ck_assert_int_eq(receive("ee\n"), HANDLER_WAIT);
	ck_assert_str_eq(t.got, "one|two|three|");
	requests_done(&t.q);
	ck_assert_int_eq(requests_ended(&t.q), HANDLER_FINISH);
	finish();
} END_TEST

START_TEST(the_end_of_the_client_waits_for_its_last_request)
{
	begin("line");
	t.then = HANDLER_WAIT;
	ck_assert_int_eq(receive("one"), HANDLER_GO_ON);
	ck_assert_int_eq(requests_ended(&t.q), HANDLER_WAIT);
	ck_assert_str_eq(t.got, "one!");
	requests_done(&t.q);
	ck_assert_int_eq(requests_next(&t.q), HANDLER_FINISH);
	finish();
} END_TEST

START_TEST(what_the_handler_says_of_a_request_ends_the_connection)
{
	begin("line");
	t.then = HANDLER_FINISH;
	ck_assert_int_eq(receive("one\ntwo\n"), HANDLER_FINISH);
	ck_assert_str_eq(t.got, "one|");
	finish();
} END_TEST

START_TEST(a_client_that_has_an_answer_to_take_gets_no_further)
{
	static char big[8 << 20];

	fill_with_alphabets(big, sizeof big);
	begin("line");
	handler_reply(newest(), big, sizeof big);
	ck_assert(handler_is_behind(newest()));
	ck_assert_int_eq(receive("one\n"), HANDLER_GO_ON);
	ck_assert_int_eq(requests_ended(&t.q), HANDLER_GO_ON);
	ck_assert_str_eq(t.got, "");
	buffer_clear(&newest()->out);
	ck_assert_int_eq(requests_next(&t.q), HANDLER_FINISH);
	ck_assert_str_eq(t.got, "one|");
	finish();
} END_TEST

/* ---- raw requests ------------------------------------------------------- */

START_TEST(each_piece_is_a_raw_request)
{
	static const char bytes[] = "5:a,\r\n";
	const size_t len = sizeof bytes - 1;
	char want[16];

	for (size_t cut = 1; cut < len; cut++) {
		snprintf(want, sizeof want, "%.*s|%s|", (int)cut, bytes, bytes + cut);
		begin("raw");
		ck_assert_int_eq(requests_received(&t.q, bytes, cut), HANDLER_GO_ON);
		ck_assert_int_eq(requests_received(&t.q, bytes + cut, len - cut), HANDLER_GO_ON);
		ck_assert_str_eq(t.got, want);
		ck_assert_int_eq(requests_ended(&t.q), HANDLER_FINISH);
		ck_assert_str_eq(t.got, want);
		finish();
	}
} END_TEST

START_TEST(a_long_piece_is_several_raw_requests_one_after_the_other)
{
	begin("raw");
	ck_assert_int_eq(receive("12345678"), HANDLER_GO_ON);
	ck_assert_str_eq(t.got, "12345678|");
	t.then = HANDLER_WAIT;
	ck_assert_int_eq(receive("abcdefghABCDEFGHx"), HANDLER_WAIT);
	ck_assert_str_eq(t.got, "12345678|abcdefgh|");
	requests_done(&t.q);
	ck_assert_int_eq(requests_next(&t.q), HANDLER_WAIT);
	requests_done(&t.q);
	ck_assert_int_eq(requests_next(&t.q), HANDLER_WAIT);
	ck_assert_str_eq(t.got, "12345678|abcdefgh|ABCDEFGH|x|");
	requests_done(&t.q);
	ck_assert_int_eq(requests_next(&t.q), HANDLER_GO_ON);
	finish();
} END_TEST

START_TEST(what_came_before_the_handler_could_take_it_is_one_raw_request)
{
	static char big[8 << 20];

	fill_with_alphabets(big, sizeof big);
	begin("raw");
	handler_reply(newest(), big, sizeof big);
	ck_assert(handler_is_behind(newest()));
	ck_assert_int_eq(receive("one"), HANDLER_GO_ON);
	ck_assert_int_eq(receive("two"), HANDLER_GO_ON);
	ck_assert_str_eq(t.got, "");
	buffer_clear(&newest()->out);
	ck_assert_int_eq(requests_next(&t.q), HANDLER_GO_ON);
	ck_assert_str_eq(t.got, "onetwo|");
	finish();
} END_TEST

START_TEST(the_end_of_the_client_waits_for_its_raw_requests)
{
	begin("raw");
	t.then = HANDLER_WAIT;
	ck_assert_int_eq(receive("123456789"), HANDLER_WAIT);
	requests_done(&t.q);
	ck_assert_int_eq(requests_ended(&t.q), HANDLER_WAIT);
	ck_assert_str_eq(t.got, "12345678|9|");
	requests_done(&t.q);
	ck_assert_int_eq(requests_next(&t.q), HANDLER_FINISH);
	finish();
} END_TEST

START_TEST(a_client_that_sends_nothing_has_no_raw_request)
{
	begin("raw");
	ck_assert_int_eq(requests_ended(&t.q), HANDLER_FINISH);
	ck_assert_str_eq(t.got, "");
	finish();
} END_TEST

/* It never waits for the rest of it. */
START_TEST(a_raw_request_is_open_while_the_handler_has_it)
{
	begin("raw");
	ck_assert_int_eq(receive("o"), HANDLER_GO_ON);
	ck_assert_int_eq(newest()->request_ms, 0);
	t.then = HANDLER_WAIT;
	ck_assert_int_eq(receive("ne"), HANDLER_WAIT);
	ck_assert_int_gt(newest()->request_ms, 0);
	requests_done(&t.q);
	ck_assert_int_eq(newest()->request_ms, 0);
	ck_assert_int_eq(requests_next(&t.q), HANDLER_GO_ON);
	ck_assert_int_eq(newest()->request_ms, 0);
	finish();
} END_TEST

/* ---- what the time-out and the board know ------------------------------- */

START_TEST(a_request_is_open_from_its_first_byte_until_it_is_done)
{
	begin("line");
	ck_assert_int_eq(newest()->request_ms, 0);
	ck_assert_int_eq(receive("o"), HANDLER_GO_ON);
	ck_assert_int_gt(newest()->request_ms, 0);
	t.then = HANDLER_WAIT;
	ck_assert_int_eq(receive("ne\n"), HANDLER_WAIT);
	ck_assert_int_gt(newest()->request_ms, 0);
	requests_done(&t.q);
	ck_assert_int_eq(newest()->request_ms, 0);
	t.then = HANDLER_GO_ON;
	ck_assert_int_eq(receive("two\n"), HANDLER_GO_ON);
	ck_assert_int_eq(newest()->request_ms, 0);
	finish();
} END_TEST

int main(void)
{
	Suite *s = suite_create("requests");
	TCase *tc = unit_case(s, "requests", set_up_log, tear_down_log);

	tcase_add_loop_test(tc, requests_are_cut_wherever_the_pieces_end, 0,
	                    (int)(sizeof rows / sizeof *rows));
	tcase_add_test(tc, the_log_names_the_connection);
	tcase_add_test(tc, the_next_request_comes_when_the_first_is_done);
	tcase_add_test(tc, the_end_of_the_client_waits_for_its_last_request);
	tcase_add_test(tc, what_the_handler_says_of_a_request_ends_the_connection);
	tcase_add_test(tc, a_client_that_has_an_answer_to_take_gets_no_further);
	tcase_add_test(tc, each_piece_is_a_raw_request);
	tcase_add_test(tc, a_long_piece_is_several_raw_requests_one_after_the_other);
	tcase_add_test(tc, what_came_before_the_handler_could_take_it_is_one_raw_request);
	tcase_add_test(tc, the_end_of_the_client_waits_for_its_raw_requests);
	tcase_add_test(tc, a_client_that_sends_nothing_has_no_raw_request);
	tcase_add_test(tc, a_raw_request_is_open_while_the_handler_has_it);
	tcase_add_test(tc, a_request_is_open_from_its_first_byte_until_it_is_done);
	return unit_run(s);
}
