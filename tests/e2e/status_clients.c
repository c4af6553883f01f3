/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The status process and clients that do not keep to HTTP, are too slow, too many, or may not ask: it
 * goes on, and the server does not notice them.
 */
#include <config.h>
#include "harness.h"
#include "http.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "http_server.h"

static struct daemon d;

#define SITE    "metrics = { listen = \"127.0.0.1:0\"; };\n"
#define SERVICE_S SERVICES(SERVICE("s", "echo", "workers = 1;"))
#define MUCH    (1u << 20)

static const char *site(void)
{
	return daemon_address(&d, "metrics.listen", 0);
}

static pid_t start(void)
{
	daemon_start(&d, SITE SERVICE_S);
	return (pid_t)event_number(daemon_wait_for(&d, "status-process-ready"), "pid");
}

static void check_health(void)
{
	http_expect(site(), "/live", 200, "alive\n");
	daemon_check_echo(&d, "s");
	ck_assert_uint_eq(daemon_saw(&d, "status-process-start"), 1);
	ck_assert_uint_eq(daemon_saw(&d, "status-process-end"), 0);
}

/* ---- bad requests ------------------------------------------------------- */

#define BYTES(text) text, sizeof text - 1
#define HOST        "Host: drover\r\nConnection: close\r\n"

struct bytes { const char *bytes; size_t len; };

static const struct bytes requests[] = {
	{ BYTES("GET /live HTTP/1.1\r\n\r\n") },                                /* without Host */
	{ BYTES("GET http://drover/live HTTP/1.1\r\n" HOST "\r\n") },
	{ BYTES("GET drover/live HTTP/1.1\r\n" HOST "\r\n") },
	{ BYTES("GET live HTTP/1.1\r\n" HOST "\r\n") },
	{ BYTES("GET * HTTP/1.1\r\n" HOST "\r\n") },
	{ BYTES("GET /../live HTTP/1.1\r\n" HOST "\r\n") },
	{ BYTES("GET /./live HTTP/1.1\r\n" HOST "\r\n") },
	{ BYTES("GET //live HTTP/1.1\r\n" HOST "\r\n") },
	{ BYTES("GET /%2e/live HTTP/1.1\r\n" HOST "\r\n") },
	{ BYTES("GET /%2e%2e/live HTTP/1.1\r\n" HOST "\r\n") },
	{ BYTES("GET /%6cive HTTP/1.1\r\n" HOST "\r\n") },
	{ BYTES("GET /live%00 HTTP/1.1\r\n" HOST "\r\n") },
	{ BYTES("GET /live%2fx HTTP/1.1\r\n" HOST "\r\n") },
	{ BYTES("GET /%zz HTTP/1.1\r\n" HOST "\r\n") },
	{ BYTES("GET /ready?service=%73 HTTP/1.1\r\n" HOST "\r\n") },
	{ BYTES("GET /ready?service=\xff\xfe HTTP/1.1\r\n" HOST "\r\n") },
	{ BYTES("GET /live\0 HTTP/1.1\r\n" HOST "\r\n") },
	{ BYTES("GET /live\0x HTTP/1.1\r\n" HOST "\r\n") },
	{ BYTES("GET /live\0/../../etc/passwd HTTP/1.1\r\n" HOST "\r\n") },
	{ BYTES("\0GET /live HTTP/1.1\r\n" HOST "\r\n") },
	{ BYTES("GE\0T /live HTTP/1.1\r\n" HOST "\r\n") },
	{ BYTES("GET /live HTTP/1.1\0\r\n" HOST "\r\n") },
	{ BYTES("GET /live HTTP/1.1\r\nHo\0st: drover\r\n\r\n") },
	{ BYTES("GET /live\r\n") },                                             /* HTTP/0.9 */
	{ BYTES("GET /live\r\n\r\n") },
	{ BYTES("GET /live HTTP/0.9\r\n\r\n") },
	{ BYTES("GET /live HTTP/9.9\r\n" HOST "\r\n") },
	{ BYTES("GET /live HTTP/2.0\r\n" HOST "\r\n") },
	{ BYTES("GET /live HTTP/1.\r\n" HOST "\r\n") },
	{ BYTES("GET /live HTTP/-1.1\r\n" HOST "\r\n") },
	{ BYTES("GET /live HTTP/1.1x\r\n" HOST "\r\n") },
	{ BYTES("GET /live http/1.1\r\n" HOST "\r\n") },
	{ BYTES("GET /live ICAP/1.0\r\n" HOST "\r\n") },
	{ BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0") },
	{ BYTES("GET /live HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello") },
	{ BYTES("GET /live HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n") },
	{ BYTES("GET /live HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\n") },
	{ BYTES("GET /live HTTP/1.1\r\n" HOST "Content-Length: five\r\n\r\n") },
	{ BYTES("GET /live HTTP/1.1\r\n" HOST "Content-Length: 55\r\n\r\nGET /live HTTP/1.1\r\n" HOST "\r\n") },
	{ BYTES("GET /live HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n") },
	{ BYTES("GET /live HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nx\r\n\r\n") },
	{ BYTES("GET /live HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\nhello") },
	{ BYTES("POST /live HTTP/1.1\r\n" HOST "Content-Length: 55\r\n\r\nGET /live HTTP/1.1\r\n" HOST "\r\n") },
	{ BYTES("POST /live HTTP/1.1\r\n" HOST "\r\nGET /live HTTP/1.1\r\n" HOST "\r\n") },
	{ BYTES("POST /live HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n") },
	{ BYTES("\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03 a hello of TLS \r\n\r\n") },
	{ BYTES("SSH-2.0-OpenSSH_9.2\r\n") },
	{ BYTES("\xff\xfb\x01\xff\xfb\x03\r\n\r\n") },
	{ BYTES("* * *\r\n\r\n") },
	{ BYTES("   \r\n   \r\n\r\n") },
	{ BYTES(":\r\n:\r\n:\r\n\r\n") },
};

/*
 * No answer, an interim one, or such as say that the request was wrong; and the end. Words of the page
 * that begin like a status line ("HTTP/1.1 request without ...") are none.
 */
static void check_refused(const char *answer, const void *bytes, size_t len)
{
	for (const char *at = answer; (at = strstr(at, "HTTP/1.1 ")); at++)
		ck_assert_msg(!isdigit((unsigned char)at[9]) || at[9] == '4' || strncmp(at + 9, "505", 3) == 0 || strncmp(at + 9, "100", 3) == 0,
		              "%.*s: %s", (int)len, (const char *)bytes, answer);
	ck_assert_msg(!*answer || strncmp(answer, "HTTP/1.1 ", 9) == 0, "%.*s: %s", (int)len,
	              (const char *)bytes, answer);
}

START_TEST(bad_requests_are_refused)
{
	start();
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		check_refused(http_throw(site(), requests[i].bytes, requests[i].len), requests[i].bytes,
		              requests[i].len);
		http_expect(site(), "/live", 200, "alive\n");
	}
	check_health();
} END_TEST

static const struct bytes beginnings[] = {
	{ BYTES("") },
	{ BYTES("\r\n") },
	{ BYTES("GET") },
	{ BYTES("GET /live HTTP/1.1\r\n") },
	{ BYTES("GET /live HTTP/1.1\r\n" HOST "X") },
	{ BYTES("GET /live HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n") },
	{ BYTES("POST /live HTTP/1.1\r\n" HOST "Content-Length: 1000\r\n\r\n") },
	{ BYTES("\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03") },
};

START_TEST(requests_that_are_broken_off_do_no_harm)
{
	start();
	for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++) {
		int fd = client_connect(site());

		client_send(fd, beginnings[i].bytes, beginnings[i].len);
		client_end(fd);
		http_expect(site(), "/live", 200, "alive\n");
		close(fd);
	}
	check_health();
} END_TEST

/* What is sent before, what is repeated to a megabyte, and what follows. */
static const struct { const char *before; const char *again; size_t len; const char *after; } floods[] = {
	{ "", BYTES("x"), "" },
	{ "", BYTES("\0"), "" },
	{ "", BYTES("\r\n"), "" },
	{ "", BYTES("\x16\x03\x01"), "" },
	{ "GET /", BYTES("x"), " HTTP/1.1\r\n" HOST "\r\n" },
	{ "GET /", BYTES("../"), " HTTP/1.1\r\n" HOST "\r\n" },
	{ "GET /live?", BYTES("x&"), " HTTP/1.1\r\n" HOST "\r\n" },
	{ "GET /live", BYTES(" "), " HTTP/1.1\r\n" HOST "\r\n" },
	{ "GET /live HTTP/1.1\r\n" HOST "X: ", BYTES("x"), "\r\n\r\n" },
	{ "GET /live HTTP/1.1\r\n" HOST, BYTES("x"), ": y\r\n\r\n" },
	{ "GET /live HTTP/1.1\r\n" HOST, BYTES("X: x\r\n"), "\r\n" },
	{ "GET /live HTTP/1.1\r\n" HOST, BYTES("Cookie: a=b; c=d\r\n"), "\r\n" },
	{ "GET /live HTTP/1.1\r\n" HOST "X: y\r\n", BYTES(" z\r\n"), "\r\n" },
	{ "GET /live HTTP/1.1\r\n" HOST "Content-Length: 1048576\r\n\r\n", BYTES("x"), "" },
	{ "GET /live HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", BYTES("1\r\nx\r\n"), "0\r\n\r\n" },
	{ "POST /live HTTP/1.1\r\n" HOST "Content-Length: 1048576\r\n\r\n", BYTES("x"), "" },
};

static void flood(size_t i)
{
	const size_t n = MUCH / floods[i].len, before = strlen(floods[i].before), after = strlen(floods[i].after);
	char *bytes = malloc(before + n * floods[i].len + after), *at = bytes;

	ck_assert_ptr_nonnull(bytes);
	memcpy(at, floods[i].before, before);
	at += before;
	for (size_t k = 0; k < n; k++, at += floods[i].len)
		memcpy(at, floods[i].again, floods[i].len);
	memcpy(at, floods[i].after, after);
	check_refused(http_throw(site(), bytes, (size_t)(at - bytes) + after), bytes, before + 32);
	free(bytes);
}

START_TEST(endless_requests_are_refused)
{
	start();
	for (size_t i = 0; i < ARRAY_SIZE(floods); i++) {
		flood(i);
		http_expect(site(), "/live", 200, "alive\n");
	}
	check_health();
} END_TEST

/* ---- many clients ------------------------------------------------------- */

static size_t count_descriptors(pid_t pid)
{
	DIR *dir = opendir(files_text("/proc/%d/fd", pid));
	size_t n = 0;

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

#define SLOW   (HTTP_CLIENTS_MAX + 40)  /* more than it keeps */
#define OTHERS 40                       /* descriptors: those of the library, and all that is no client */

START_TEST(slow_clients_keep_nobody_from_being_served)
{
	static int slow[SLOW];
	const pid_t status = start(), worker = daemon_next_worker(&d, "s");
	const size_t of_master = count_descriptors(d.pid), of_worker = count_descriptors(worker);
	int echo = daemon_connect_echo(&d, "s");

	for (size_t i = 0; i < SLOW; i++) {
		slow[i] = client_connect(site());
		client_say(slow[i], i % 2 == 0 ? "GET /live HTTP/1.1\r\n" HOST : "G");
	}
	http_expect(site(), "/live", 200, "alive\n");   /* it comes after all of them */
	client_expect_gone(slow[0]);
	client_echo(echo);
	daemon_barrier(&d);
	ck_assert_uint_lt(count_descriptors(status), HTTP_CLIENTS_MAX + OTHERS);
	ck_assert_uint_eq(count_descriptors(d.pid), of_master);
	ck_assert_uint_eq(count_descriptors(worker), of_worker + 1);
	client_say(slow[SLOW - 1], "ET /live HTTP/1.1\r\n" HOST "\r\n");        /* the newest is still there */
	ck_assert_int_eq(http_receive(slow[SLOW - 1], "GET").status, 200);
	for (size_t i = 0; i < SLOW; i++)
		close(slow[i]);
	close(echo);
	check_health();
} END_TEST

/* They ask, and do not read. */
START_TEST(clients_that_do_not_read_keep_nobody_from_being_served)
{
	enum { N = 20, REQUESTS = 200 };
	int deaf[N];

	start();
	for (size_t i = 0; i < N; i++) {
		deaf[i] = client_connect_small(site(), 1024);
		for (size_t k = 0; k < REQUESTS; k++)
			http_ask(deaf[i], "GET", "/");
	}
	http_expect(site(), "/live", 200, "alive\n");
	for (size_t i = 0; i < N; i++)
		close(deaf[i]);
	check_health();
} END_TEST

START_TEST(clients_that_leave_before_their_answer_do_no_harm)
{
	start();
	for (int i = 0; i < 200; i++) {
		int fd = client_connect(site());

		http_ask(fd, "GET", i % 2 == 0 ? "/" : "/live");
		if (i % 3 == 0)
			client_reset(fd);
		else
			close(fd);
	}
	check_health();
} END_TEST

/* ---- clients that may not ask ------------------------------------------- */

START_TEST(others_are_closed_without_an_answer)
{
	const char *path = files_path("site");
	int fd;

	daemon_start(&d, "metrics = { listen = [ \"127.0.0.1:0\", \"unix:%s\" ]; allow = \"127.0.0.1\"; };\n"
	             SERVICE_S, path);
	fd = client_connect_from("127.0.0.2", site());
	client_expect_gone(fd);
	close(fd);
	fd = client_connect_from("127.0.0.1", site());
	ck_assert_int_eq(http_get(fd, "/live").status, 200);
	close(fd);
	http_expect(files_text("unix:%s", path), "/live", 200, "alive\n");
	check_health();
} END_TEST

START_TEST(a_reload_can_admit_others)
{
	int fd;

	daemon_start(&d, "metrics = { listen = \"127.0.0.1:0\"; allow = \"127.0.0.1\"; };\n" SERVICE_S);
	daemon_reload(&d, "metrics = { listen = \"127.0.0.1:0\"; allow = \"127.0.0.2\"; };\n" SERVICE_S);
	daemon_wait_for(&d, "status-process-end");      /* the one before accepts no more */
	fd = client_connect_from("127.0.0.2", site());
	ck_assert_int_eq(http_get(fd, "/live").status, 200);
	close(fd);
	fd = client_connect_from("127.0.0.1", site());
	client_expect_gone(fd);
	close(fd);
} END_TEST

int main(void)
{
	Suite *s = suite_create("status_clients");
	TCase *tc = harness_case(s, "requests");

	tcase_add_test(tc, bad_requests_are_refused);
	tcase_add_test(tc, requests_that_are_broken_off_do_no_harm);
	tcase_add_test(tc, endless_requests_are_refused);
	tc = harness_case(s, "many");
	tcase_add_test(tc, slow_clients_keep_nobody_from_being_served);
	tcase_add_test(tc, clients_that_do_not_read_keep_nobody_from_being_served);
	tcase_add_test(tc, clients_that_leave_before_their_answer_do_no_harm);
	tc = harness_case(s, "allow");
	tcase_add_test(tc, others_are_closed_without_an_answer);
	tcase_add_test(tc, a_reload_can_admit_others);
	return harness_run(s);
}
