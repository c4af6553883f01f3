/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Clients of the agent, over socket pairs: what they send, what they get, and when they are closed.
 * The clock is the test's, and what the master answers as well.
 */
#include <config.h>
#include "agent_session.h"

#include <sys/socket.h>

#include "turned_loop.h"

static struct agent agent;
static int fds_before;

/* ---- in place of the master --------------------------------------------- */

static struct fact_wait *waiting[AGENT_SESSIONS_MAX + 1];
static size_t n_waiting, n_asked;
static const char *status;              /* NULL: no answer yet */

void facts_ask(struct facts *f, enum fact what, struct fact_wait *w)
{
	json_t *j = status ? json_loads(status, 0, NULL) : NULL;

	(void)f;
	ck_assert_int_eq(what, FACT_STATUS);
	n_asked++;
	if (j)
		w->ready(w, j);
	else
		waiting[n_waiting++] = w;
	json_decref(j);
}

void facts_forget(struct fact_wait *w)
{
	for (size_t i = 0; i < n_waiting; i++)
		if (waiting[i] == w)
			waiting[i--] = waiting[--n_waiting];
}

/* The master answers, or with NULL it does not. */
static void answer_all(const char *text)
{
	json_t *j = text ? json_loads(text, 0, NULL) : NULL;

	while (n_waiting > 0) {
		struct fact_wait *w = waiting[--n_waiting];

		w->ready(w, j);
	}
	json_decref(j);
}

/* ---- the loop ----------------------------------------------------------- */

#define SERVICE(name, state, free) \
	"{\"name\":\"" name "\",\"state\":\"" state "\",\"serves\":true,\"slots\":{\"limit\":100,\"free\":" free "}," \
	"\"queue\":null,\"restart_delay\":0}"
#define STATUS(services) "{\"phase\":\"serving\",\"balancers\":2,\"services\":[" services "]}"
#define TWO STATUS(SERVICE("echo", "serving", "60") "," SERVICE("other", "serving", "20"))
#define ECHO_HAS(free) STATUS(SERVICE("echo", "serving", free))

static void set_up(void)
{
	unit_block_sigpipe();
	fds_before = unit_count_fds();
	open_turned_loop();
	status = TWO;
	n_waiting = n_asked = 0;
	agent_init(&agent, &loop, NULL);
}

static void tear_down(void)
{
	agent_fini(&agent);
	ck_assert_uint_eq(agent.n, 0);
	ck_assert_uint_eq(n_waiting, 0);
	loop_fini(&loop);
	ck_assert_int_eq(unit_count_fds(), fds_before);
}

/* ---- clients ------------------------------------------------------------ */

static int client_new(void)
{
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
	agent_serve(&agent, ends[0]);
	return ends[1];
}

static void say(int fd, const void *bytes, size_t len)
{
	ck_assert_int_eq(send(fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
}

/* All that has come; in static memory. *ended: the end has come, too. */
static const char *heard(int fd, bool *ended)
{
	static char text[512];
	size_t len = 0;
	ssize_t n;

	while ((n = recv(fd, text + len, sizeof text - 1 - len, 0)) > 0)
		len += (size_t)n;
	ck_assert(n == 0 || errno == EAGAIN);
	*ended = n == 0;
	text[len] = '\0';
	return text;
}

static void expect(int fd, const char *line)
{
	bool ended;

	ck_assert_str_eq(heard(fd, &ended), line);
	ck_assert(ended);
}

static void expect_nothing_yet(int fd)
{
	bool ended;

	ck_assert_str_eq(heard(fd, &ended), "");
	ck_assert(!ended);
}

/* The client ends as well, and so the session is over. */
static void finish(int fd)
{
	close(fd);
	turn();
	ck_assert_uint_eq(agent.n, 0);
}

/* ---- tests -------------------------------------------------------------- */

#define ALL   "up 40% maxconn:100\n"
#define ONE   "up 60% maxconn:50\n"
#define NONE  "down #no such service\n"
#define BYTES(text) text, sizeof text - 1
#define X10 "xxxxxxxxxx"
#define X50 X10 X10 X10 X10 X10

static const struct {
	const char *name, *bytes;
	size_t      len;
	const char *want;
} rows[] = {
	{ "a service",                          BYTES("echo\n"), ONE },
	{ "the line may end in CR LF",          BYTES("echo\r\n"), ONE },
	{ "what follows does not matter",       BYTES("echo\nother\n"), ONE },
	{ "an empty line: all services",        BYTES("\n"), ALL },
	{ "the same with CR LF",                BYTES("\r\n"), ALL },
	{ "an unknown service",                 BYTES("ech\n"), NONE },
	{ "with more before it",                BYTES(" echo\n"), NONE },
	{ "another protocol",                   BYTES("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), NONE },
	{ "binary",                             BYTES("\x16\x03\x01\x02\n"), NONE },
	{ "a NUL does not end a name",          BYTES("echo\0x\n"), NONE },
	{ "nor does it begin one",              BYTES("\0\n"), NONE },
	{ "a CR alone ends no line",            BYTES("echo\rx\n"), NONE },
	{ "the longest line",                   BYTES(X50 X50 "\n"), NONE },
	{ "the longest line with CR LF",        BYTES(X50 X50 "\r\n"), NONE },
	{ "too long",                           BYTES(X50 X50 "x\n"), NONE },
	{ "too long, and without an end",       BYTES(X50 X50 X50 X50), NONE },
};

START_TEST(a_line_is_answered)
{
	const int fd = client_new();

	say(fd, rows[_i].bytes, rows[_i].len);
	turn();
	turn();
	expect(fd, rows[_i].want);
	finish(fd);
} END_TEST

START_TEST(a_line_may_come_in_pieces)
{
	const int fd = client_new();

	for (const char *p = "echo\r\n"; *p; p++) {
		expect_nothing_yet(fd);
		say(fd, p, 1);
		pass(AGENT_SILENCE_MS);         /* it is silent no longer */
	}
	expect(fd, ONE);
	finish(fd);
} END_TEST

START_TEST(a_silent_client_asks_for_all)
{
	const int fd = client_new();

	pass(AGENT_SILENCE_MS - 1);
	expect_nothing_yet(fd);
	pass(1);
	expect(fd, ALL);
	finish(fd);
} END_TEST

START_TEST(a_client_that_ends_has_asked)
{
	const int silent = client_new(), brief = client_new();

	shutdown(silent, SHUT_WR);
	say(brief, BYTES("echo"));
	turn();
	shutdown(brief, SHUT_WR);
	turn();
	turn();
	expect(silent, ALL);
	expect(brief, ONE);
	close(silent);
	finish(brief);
} END_TEST

START_TEST(the_answers_are_averaged)
{
	static const struct { const char *status, *want; } steps[] = {
		{ ECHO_HAS("90"), "up 90% maxconn:50\n" },
		{ ECHO_HAS("30"), "up 60% maxconn:50\n" },
		{ ECHO_HAS("0"), "up 40% maxconn:50\n" },
		{ ECHO_HAS("0"), "up 10% maxconn:50\n" },
		{ ECHO_HAS("0"), "up 1% maxconn:50\n" },
		{ STATUS(SERVICE("echo", "leaving", "0")), "up 0%\n" },
		{ ECHO_HAS("80"), "up 80% maxconn:50\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		const int fd = client_new();

		status = steps[i].status;
		say(fd, BYTES("echo\n"));
		turn();
		expect(fd, steps[i].want);
		finish(fd);
	}
} END_TEST

START_TEST(services_that_are_gone_are_not_remembered)
{
	static const char *const names[] = { "echo\n", "other\n", "\n" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const int fd = client_new();

		say(fd, names[i], strlen(names[i]));
		turn();
		finish(fd);
	}
	ck_assert_uint_eq(agent.average.n, 3);
	status = ECHO_HAS("100");
	for (int i = 0; i < 2; i++) {
		const int fd = client_new();

		say(fd, BYTES("echo\n"));
		turn();
		finish(fd);
	}
	ck_assert_uint_eq(agent.average.n, 2);
} END_TEST

/* ---- the master --------------------------------------------------------- */

START_TEST(the_answer_of_the_master_is_waited_for)
{
	const int fd = client_new();

	status = NULL;
	say(fd, BYTES("echo\n"));
	turn();
	ck_assert_uint_eq(n_asked, 1);
	pass(AGENT_LIMIT_MS - 1);
	expect_nothing_yet(fd);
	answer_all(TWO);
	expect(fd, ONE);
	finish(fd);
} END_TEST

static const char *const bad[] = { NULL, "{}", "{\"phase\":\"serving\",\"services\":[{}]}" };

START_TEST(without_an_answer_nothing_is_said)
{
	const int fd = client_new();

	status = NULL;
	say(fd, BYTES("echo\n"));
	turn();
	answer_all(bad[_i]);
	turn();
	expect(fd, "");
	finish(fd);
} END_TEST

START_TEST(a_master_that_is_silent_is_not_waited_for)
{
	const int fd = client_new();

	status = NULL;
	say(fd, BYTES("echo\n"));
	turn();
	pass(AGENT_LIMIT_MS);
	expect(fd, "");
	ck_assert_uint_eq(n_waiting, 0);
	finish(fd);
} END_TEST

/* ---- bounds ------------------------------------------------------------- */

START_TEST(half_a_line_is_waited_for_no_longer_than_that)
{
	const int fd = client_new();

	say(fd, BYTES("ec"));
	turn();
	pass(AGENT_LIMIT_MS - 1);
	expect_nothing_yet(fd);
	pass(1);
	expect(fd, "");
	ck_assert_uint_eq(n_asked, 0);
	finish(fd);
} END_TEST

START_TEST(a_client_that_does_not_close_is_closed)
{
	const int fd = client_new();

	say(fd, BYTES("echo\n"));
	turn();
	expect(fd, ONE);
	ck_assert_uint_eq(agent.n, 1);
	pass(AGENT_LIMIT_MS);
	ck_assert_uint_eq(agent.n, 0);
	close(fd);
} END_TEST

/* What is unread when we close would have the answer thrown away, with TCP. */
START_TEST(what_a_client_sends_in_vain_is_read)
{
	static const char bytes[4096];
	const int fd = client_new();
	size_t sent = 0;

	say(fd, BYTES("echo\n"));
	while (agent.n > 0) {
		ck_assert_uint_lt(sent, 200000);
		if (send(fd, bytes, sizeof bytes, MSG_NOSIGNAL) > 0)
			sent += sizeof bytes;
		turn();
	}
	ck_assert_uint_gt(sent, 65536);
	close(fd);
} END_TEST

START_TEST(a_client_that_is_gone_costs_nothing)
{
	close(client_new());
	turn();
	turn();
	ck_assert_uint_eq(agent.n, 0);
} END_TEST

START_TEST(a_client_may_go_while_the_master_is_asked)
{
	const int fd = client_new();

	status = NULL;
	say(fd, BYTES("echo\n"));
	turn();
	close(fd);
	turn();
	answer_all(TWO);
	turn();
	ck_assert_uint_eq(agent.n, 0);
} END_TEST

START_TEST(there_are_so_many_sessions_at_most)
{
	int fds[AGENT_SESSIONS_MAX + 1];

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = client_new();
	ck_assert_uint_eq(agent.n, AGENT_SESSIONS_MAX);
	expect(fds[AGENT_SESSIONS_MAX], "");
	pass(AGENT_SILENCE_MS);
	for (size_t i = 0; i < AGENT_SESSIONS_MAX; i++)
		expect(fds[i], ALL);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	for (int i = 0; i < 10; i++)
		turn();                         /* epoll reports 64 at a time or so */
	ck_assert_uint_eq(agent.n, 0);
} END_TEST

START_TEST(the_end_of_the_agent_ends_all_sessions)
{
	const int silent = client_new(), waits = client_new(), answered = client_new();

	say(answered, BYTES("echo\n"));
	turn();
	status = NULL;
	say(waits, BYTES("echo\n"));
	turn();
	ck_assert_uint_eq(agent.n, 3);
	agent_fini(&agent);
	ck_assert_uint_eq(agent.n, 0);
	expect(silent, "");
	expect(waits, "");
	close(silent);
	close(waits);
	close(answered);
} END_TEST

int main(void)
{
	Suite *s = suite_create("agent_session");
	TCase *tc = unit_case(s, "lines", set_up, tear_down);

	tcase_add_loop_test(tc, a_line_is_answered, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, a_line_may_come_in_pieces);
	tcase_add_test(tc, a_silent_client_asks_for_all);
	tcase_add_test(tc, a_client_that_ends_has_asked);
	tcase_add_test(tc, the_answers_are_averaged);
	tcase_add_test(tc, services_that_are_gone_are_not_remembered);

	tc = unit_case(s, "master", set_up, tear_down);
	tcase_add_test(tc, the_answer_of_the_master_is_waited_for);
	tcase_add_loop_test(tc, without_an_answer_nothing_is_said, 0, ARRAY_SIZE(bad));
	tcase_add_test(tc, a_master_that_is_silent_is_not_waited_for);

	tc = unit_case(s, "bounds", set_up, tear_down);
	tcase_add_test(tc, half_a_line_is_waited_for_no_longer_than_that);
	tcase_add_test(tc, a_client_that_does_not_close_is_closed);
	tcase_add_test(tc, what_a_client_sends_in_vain_is_read);
	tcase_add_test(tc, a_client_that_is_gone_costs_nothing);
	tcase_add_test(tc, a_client_may_go_while_the_master_is_asked);
	tcase_add_test(tc, there_are_so_many_sessions_at_most);
	tcase_add_test(tc, the_end_of_the_agent_ends_all_sessions);
	return unit_run(s);
}
