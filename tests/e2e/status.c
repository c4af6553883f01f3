/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The status process: what it answers to clients that speak HTTP properly.
 */
#include <config.h>
#include "control_harness.h"
#include "http.h"

#include <signal.h>
#include <strings.h>
#include <unistd.h>

static struct daemon d;

#define SITE(rest) "metrics = { listen = [ \"127.0.0.1:0\", \"unix:%s\" ]; " rest " };\n"

/* By TCP, or from the unix socket. */
static const char *address(int i)
{
	return i == 0 ? daemon_address(&d, "metrics.listen", 0) : files_text("unix:%s", files_path("site"));
}

static const char *tcp(void)
{
	return address(0);
}

/* ---- paths -------------------------------------------------------------- */

static const struct { const char *path; int status; const char *type, *part; } paths[] = {
	{ "/",                        200, "text/html; charset=utf-8",  "</html>" },
	{ "/?refresh=1",              200, "text/html; charset=utf-8",  "</html>" },
	{ "/status.json",             200, "application/json",          "\"name\":\"s\"" },
	{ "/metrics",                 200, "text/plain; version=0.0.4; charset=utf-8", "drover_" },
	{ "/live",                    200, "text/plain; charset=utf-8", "alive\n" },
	{ "/live?why",                200, "text/plain; charset=utf-8", "alive\n" },
	{ "/ready",                   200, "text/plain; charset=utf-8", "ready\n" },
	{ "/ready?service=s",         200, "text/plain; charset=utf-8", "ready\n" },
	{ "/ready?x=y&service=s",     200, "text/plain; charset=utf-8", "ready\n" },
	{ "/ready?service=t",         404, "text/plain; charset=utf-8", "There is no such service.\n" },
	{ "/ready?service=",          404, "text/plain; charset=utf-8", "There is no such service.\n" },
	{ "/nothing",                 404, "text/plain; charset=utf-8", "There is nothing here.\n" },
	{ "/live/",                   404, "text/plain; charset=utf-8", "There is nothing here.\n" },
	{ "/LIVE",                    404, "text/plain; charset=utf-8", "There is nothing here.\n" },
	{ "//",                       404, "text/plain; charset=utf-8", "There is nothing here.\n" },
	{ "/index.html",              404, "text/plain; charset=utf-8", "There is nothing here.\n" },
};

static void check_path(int fd, size_t i)
{
	struct http_reply r = http_get(fd, paths[i].path), head;

	ck_assert_msg(r.status == paths[i].status && strstr(r.body, paths[i].part), "%s: %d %s", paths[i].path,
	              r.status, r.body);
	ck_assert_str_eq(http_header(&r, "Content-Type"), paths[i].type);
	ck_assert_str_eq(http_header(&r, "Cache-Control"), "no-store");
	ck_assert_str_eq(http_header(&r, "X-Content-Type-Options"), "nosniff");
	ck_assert_str_eq(http_header(&r, "Referrer-Policy"), "no-referrer");
	ck_assert_int_eq(*http_header(&r, "Content-Security-Policy") != '\0', r.body[0] == '<');
	http_ask(fd, "HEAD", paths[i].path);
	head = http_receive(fd, "HEAD");
	ck_assert_int_eq(head.status, r.status);
	ck_assert_str_eq(http_header(&head, "Content-Type"), paths[i].type);
}

START_TEST(each_path_is_answered)
{
	int fd;

	daemon_start(&d, SITE("") SERVICES(SERVICE("s", "echo", "workers = 1;")), files_path("site"));
	for (int where = 0; where < 2; where++) {
		fd = client_connect(address(where));
		for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
			check_path(fd, i);
		close(fd);
	}
	ck_assert_uint_eq(daemon_saw(&d, "status-process-start"), 1);
} END_TEST

static const struct { const char *accept, *type, *end; } formats[] = {
	{ "*/*",                         "text/plain; version=0.0.4; charset=utf-8", "\n" },
	{ "application/openmetrics-text",
	  "application/openmetrics-text; version=1.0.0; charset=utf-8", "\n# EOF\n" },
	{ "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
	  "application/openmetrics-text; version=1.0.0; charset=utf-8", "\n# EOF\n" },
};

START_TEST(metrics_have_the_format_that_is_asked_for)
{
	struct http_reply r;
	int fd;

	daemon_start(&d, SITE("") SERVICES(SERVICE("s", "echo", "workers = 1;")), files_path("site"));
	fd = client_connect(tcp());
	client_say(fd, files_text("GET /metrics HTTP/1.1\r\nHost: drover\r\nAccept: %s\r\n\r\n",
	                          formats[_i].accept));
	r = http_receive(fd, "GET");
	ck_assert_int_eq(r.status, 200);
	ck_assert_str_eq(http_header(&r, "Content-Type"), formats[_i].type);
	ck_assert_str_eq(r.body + r.len - strlen(formats[_i].end), formats[_i].end);
	ck_assert_int_eq(strstr(r.body, "# EOF") != NULL, _i > 0);
	close(fd);
} END_TEST

START_TEST(the_page_can_be_left_out)
{
	daemon_start(&d, SITE("page = false;") SERVICES(SERVICE("s", "echo", "workers = 1;")),
	             files_path("site"));
	http_expect(tcp(), "/", 404, "There is nothing here.\n");
	http_expect(tcp(), "/status.json", 200, "\"name\":\"s\"");
} END_TEST

/* ---- requests ----------------------------------------------------------- */

static void start(void)
{
	daemon_start(&d, SITE("") SERVICES(SERVICE("s", "echo", "workers = 1;")), files_path("site"));
}

START_TEST(requests_that_are_sent_at_once_are_answered_in_turn)
{
	static const char *const order[] = { "/live", "/ready", "/nothing", "/live", "/status.json", "/live" };
	int fd;

	start();
	fd = client_connect(tcp());
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		http_ask(fd, "GET", order[i]);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		struct http_reply r = http_receive(fd, "GET");

		ck_assert_int_eq(r.status, strcmp(order[i], "/nothing") == 0 ? 404 : 200);
		ck_assert_int_eq(strcmp(r.body, "alive\n") == 0, strcmp(order[i], "/live") == 0);
	}
	close(fd);
} END_TEST

START_TEST(a_request_may_come_byte_by_byte)
{
	static const char request[] = "GET /live HTTP/1.1\r\nHost: a\r\n\r\n";
	int fd;

	start();
	fd = client_connect(tcp());
	for (const char *c = request; *c; c++)
		client_send(fd, c, 1);
	ck_assert_str_eq(http_receive(fd, "GET").body, "alive\n");
	close(fd);
} END_TEST

START_TEST(a_client_of_http_1_0_is_closed_after_its_answer)
{
	int fd;

	start();
	fd = client_connect(tcp());
	client_say(fd, "GET /live HTTP/1.0\r\n\r\n");
	harness_contains(client_read_all(fd), "\r\n\r\nalive\n");
	close(fd);
} END_TEST

static const char *const methods[] = { "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "get",
                                       "GETS", "HEADER", "BREW" };

START_TEST(another_method_is_refused)
{
	start();
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		int fd = client_connect(tcp());
		struct http_reply r;

		http_ask(fd, methods[i], "/live");
		r = http_receive(fd, "GET");
		ck_assert_msg(r.status == 405, "%s: %d", methods[i], r.status);
		ck_assert_str_eq(http_header(&r, "Allow"), "GET, HEAD");
		ck_assert_str_eq(http_header(&r, "Connection"), "close");       /* a body may follow */
		client_expect_end(fd);
		close(fd);
	}
} END_TEST

/* ---- readiness ---------------------------------------------------------- */

START_TEST(a_service_that_fails_is_not_ready)
{
	daemon_start(&d, SITE("") SERVICES(SERVICE("bad", "echo", "workers = 1; %s")
	                                   SERVICE("good", "echo", "workers = 1;")), files_path("site"),
	             harness_cannot_start());
	http_expect(tcp(), "/ready", 503, "bad: failing: a worker could not start");
	ck_assert_ptr_null(strstr(http_expect(tcp(), "/ready", 503, ""), "good"));
	http_expect(tcp(), "/ready?service=bad", 503, "bad: failing: ");
	http_expect(tcp(), "/ready?service=good", 200, "ready\n");
	http_expect(tcp(), "/live", 200, "alive\n");
} END_TEST

START_TEST(a_drained_service_is_not_ready)
{
	daemon_start(&d, SITE("") CONTROL SERVICES(SERVICE("a", "echo", "workers = 1;")
	                                           SERVICE("b", "echo", "workers = 1;")),
	             files_path("site"), control_path());
	control_ask("{\"command\":\"drain\",\"service\":\"a\"}", "\"ok\":true");
	ck_assert_str_eq(http_expect(tcp(), "/ready", 503, ""), "a: drained\n");
	http_expect(tcp(), "/ready?service=a", 503, "a: drained\n");
	http_expect(tcp(), "/ready?service=b", 200, "ready\n");
} END_TEST

START_TEST(a_full_service_is_ready)
{
	int fd;

	daemon_start(&d, SITE("") SERVICES(SERVICE("s", "echo", "workers = 1; connections = 1;")),
	             files_path("site"));
	fd = daemon_connect_echo(&d, "s");
	daemon_wait_for(&d, "exhausted service=s");
	http_expect(tcp(), "/ready", 200, "ready\n");
	http_expect(tcp(), "/status.json", 200, "\"state\":\"exhausted\"");
	close(fd);
} END_TEST

START_TEST(a_server_that_rests_is_not_ready)
{
	start();
	daemon_signal(&d, SIGWINCH);
	daemon_wait_for(&d, "worker-end");
	http_expect(tcp(), "/ready", 503, "The server is resting.\n");
} END_TEST

/* The page is there until the end: people look at it just then. */
static const int stops[] = { SIGTERM, SIGQUIT };

START_TEST(a_server_that_stops_is_alive_and_not_ready)
{
	int fd;

	start();
	fd = daemon_connect_echo(&d, "s");
	daemon_signal(&d, stops[_i]);
	daemon_wait_for(&d, "stopping");
	http_expect(tcp(), "/ready", 503, "The server is stopping.\n");
	http_expect(tcp(), "/live", 200, "alive\n");
	http_expect(tcp(), "/", 200, "</html>");
	client_echo(fd);
	close(fd);
	ck_assert_int_eq(daemon_join(&d), 0);
} END_TEST

/* It still serves each client that comes, but balancers must not send more. */
START_TEST(a_server_that_waits_for_its_balancers_is_not_ready)
{
	daemon_start(&d, SITE("") "agent = { listen = \"127.0.0.1:0\"; lame_duck = \"1h\"; };\n"
	             SERVICES(SERVICE("s", "echo", "workers = 1;")), files_path("site"));
	daemon_signal(&d, stops[_i]);
	daemon_wait_for(&d, "leaving");
	daemon_check_echo(&d, "s");
	http_expect(tcp(), "/ready", 503, "The server is leaving.\n");
	daemon_stop(&d, SIGINT);
} END_TEST

/* ---- a master that hangs ------------------------------------------------ */

START_TEST(a_master_that_does_not_answer_is_not_alive)
{
	start();
	daemon_wait_for(&d, "status-process-ready");
	ck_assert_int_eq(kill(d.pid, SIGSTOP), 0);
	http_expect(tcp(), "/live", 503, "The master does not answer.\n");
	ck_assert_int_eq(kill(d.pid, SIGCONT), 0);
	http_expect(tcp(), "/live", 200, "alive\n");
	ck_assert_uint_eq(daemon_saw(&d, "status-process-start"), 1);
} END_TEST

int main(void)
{
	Suite *s = suite_create("status");
	TCase *tc = harness_case(s, "paths");

	tcase_add_test(tc, each_path_is_answered);
	tcase_add_loop_test(tc, metrics_have_the_format_that_is_asked_for, 0, ARRAY_SIZE(formats));
	tcase_add_test(tc, the_page_can_be_left_out);
	tc = harness_case(s, "requests");
	tcase_add_test(tc, requests_that_are_sent_at_once_are_answered_in_turn);
	tcase_add_test(tc, a_request_may_come_byte_by_byte);
	tcase_add_test(tc, a_client_of_http_1_0_is_closed_after_its_answer);
	tcase_add_test(tc, another_method_is_refused);
	tc = harness_case(s, "ready");
	tcase_add_test(tc, a_service_that_fails_is_not_ready);
	tcase_add_test(tc, a_drained_service_is_not_ready);
	tcase_add_test(tc, a_full_service_is_ready);
	tcase_add_test(tc, a_server_that_rests_is_not_ready);
	tcase_add_loop_test(tc, a_server_that_stops_is_alive_and_not_ready, 0, ARRAY_SIZE(stops));
	tcase_add_loop_test(tc, a_server_that_waits_for_its_balancers_is_not_ready, 0, ARRAY_SIZE(stops));
	tc = harness_case(s, "live");
	tcase_add_test(tc, a_master_that_does_not_answer_is_not_alive);
	return harness_run(s);
}
