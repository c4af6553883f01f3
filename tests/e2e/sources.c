/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * droverctl sources: who holds how many connections, and who is at a limit. The clients are at
 * addresses of the loopback.
 */
#include <config.h>
#include "upgrade_harness.h"
#include "operator.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define LIMITED(limits) ECHO("limits = { " limits " };"), control_path()
#define NAMELESS(sources, connections) \
	"\"nameless\":{\"sources\":" sources ",\"connections\":" connections "}"

static struct daemon d;

static const char *row(const char *source, int counted, int open, const char *limit, bool full)
{
	return files_text("{\"service\":\"s\",\"source\":\"%s\",\"connections\":%d,\"open\":%d,"
	                  "\"limit\":%s,\"full\":%s,\"wait\":", source, counted, open, limit,
	                  full ? "true" : "false");
}

/* The answer has exactly these sources, which wait for nothing; NULL at the end. */
#define expect_sources(...) check_sources((const char *const[]){ __VA_ARGS__, NULL })

static void check_sources(const char *const *rows)
{
	const char *list = "";

	for (; *rows; rows++)
		list = files_text("%s%s%s0.0}", list, *list ? "," : "", *rows);
	control_ask("{\"command\":\"sources\",\"service\":\"s\"}",
	            files_text("{\"ok\":true,\"result\":{\"sources\":[%s],\"left_off\":0," NAMELESS("0", "0") "}}",
	                       list));
}

/* A client from there, which is served. */
static int come(const char *ip)
{
	int fd = client_connect_from(ip, daemon_address(&d, "s", 0));

	client_echo(fd);
	return fd;
}

static void be_refused(const char *ip)
{
	int fd = client_connect_from(ip, daemon_address(&d, "s", 0));

	client_expect_gone(fd);
	close(fd);
	daemon_wait_for(&d, "refused service=s");
}

/* Its places are given back when this returns: that comes after the event. */
static void leave(int fd)
{
	const struct event *opened = daemon_accepted(&d, fd);

	close(fd);
	daemon_ended(&d, opened);
	daemon_settle_worker(&d, (pid_t)event_number(opened, "pid"));
}

/* ---- who holds how many ------------------------------------------------- */

START_TEST(sources_are_listed_with_their_counts_and_their_limit)
{
	int fds[4];

	daemon_start(&d, LIMITED("connections_per_source = 3;"));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = come(i == 2 ? "127.0.0.3" : "127.0.0.2");
	be_refused("127.0.0.2");
	expect_sources(row("127.0.0.2/32", 3, 3, "3", true), row("127.0.0.3/32", 1, 1, "3", false));
	control_ask("{\"command\":\"status\"}", "\"source\":1,");
	leave(fds[0]);
	expect_sources(row("127.0.0.2/32", 2, 2, "3", false), row("127.0.0.3/32", 1, 1, "3", false));
	for (size_t i = 1; i < ARRAY_SIZE(fds); i++)
		leave(fds[i]);
	expect_sources(NULL);
} END_TEST

START_TEST(people_see_a_table)
{
	int fds[3];

	daemon_start(&d, LIMITED("connections_per_source = 2;"));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = come(i == 0 ? "127.0.0.3" : "127.0.0.2");
	ck_assert_int_eq(operator_run_args(control_path(), "sources", "s"), 0);
	ck_assert_str_eq(operator_output(),
	                 "SOURCE        SERVICE  CONNECTIONS  OPEN  LIMIT  AT LIMIT\n"
	                 "127.0.0.2/32  s                  2     2      2  connections\n"
	                 "127.0.0.3/32  s                  1     1      2  -\n");
	be_refused("127.0.0.2");
	ck_assert_int_eq(operator_run_args(control_path(), "status"), 0);
	harness_contains(operator_output(), ", refused 1\n");
	harness_contains(operator_output(), "source:1\n");
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
} END_TEST

START_TEST(a_prefix_is_one_source)
{
	int fds[3];

	daemon_start(&d, LIMITED("connections_per_source = 9; source_prefix = { ipv4 = 24; };"));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = come(files_text("127.0.%d.%zu", i == 2, 2 + i));
	expect_sources(row("127.0.0.0/24", 2, 2, "9", false), row("127.0.1.0/24", 1, 1, "9", false));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
} END_TEST

START_TEST(users_of_a_unix_socket_are_sources)
{
	const char *path = files_path("s.sock");
	int fd;

	daemon_start(&d, CONTROL SERVICES(SERVICE_AT("s", "\"unix:%s\"", "echo", "workers = 1; %s")),
	             control_path(), path, _i ? "limits = { connections_per_source = 1; };" : "");
	fd = client_connect(files_text("unix:%s", path));
	client_echo(fd);
	expect_sources(row(files_text("uid:%u", (unsigned)getuid()), _i, 1, _i ? "1" : "null", _i));
	close(fd);
} END_TEST

START_TEST(without_limits_and_for_the_exempt_the_open_connections_are_counted)
{
	int fds[3];

	if (_i == 0)
		daemon_start(&d, ECHO(""), control_path());
	else
		daemon_start(&d, LIMITED("connections_per_source = 1; exempt = \"127.0.0.0/24\";"));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = come(i == 0 ? "127.0.0.2" : "127.0.0.3");
	expect_sources(row("127.0.0.3/32", 0, 2, "null", false), row("127.0.0.2/32", 0, 1, "null", false));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
} END_TEST

START_TEST(behind_a_proxy_the_client_is_the_source)
{
	int fd;

	daemon_start(&d, ONE("proxy_protocol = \"v1\"; proxy_from = \"127.0.0.1\";"
	                     "limits = { connections_per_source = 1; };"), control_path());
	fd = daemon_connect(&d, "s");
	client_say(fd, "PROXY TCP6 2001:db8::7 2001:db8::1 40312 7007\r\n");
	client_echo(fd);
	expect_sources(row("2001:db8::/64", 1, 1, "1", true));
	close(fd);
} END_TEST

/* ---- rates -------------------------------------------------------------- */

START_TEST(a_source_at_its_rate_is_listed_when_its_connections_have_ended)
{
	const char *answer;

	daemon_start(&d, ONE("limits = { rate_per_source = \"1/h\"; };"), control_path());
	leave(come("127.0.0.2"));
	be_refused("127.0.0.2");
	answer = control_ask("{\"command\":\"sources\"}", NAMELESS("0", "0"));
	harness_contains(answer, files_text("%s3", row("127.0.0.2/32", 0, 0, "null", false)));
	/* The record of the first client is used again. */
	leave(come("127.0.0.3"));
	answer = control_ask("{\"command\":\"sources\"}", NAMELESS("1", "0"));
	harness_contains(answer, files_text("%s3", row("127.0.0.3/32", 0, 0, "null", false)));
	ck_assert_ptr_null(strstr(answer, "127.0.0.2"));
	ck_assert_int_eq(operator_run_args(control_path(), "sources"), 0);
	harness_contains(operator_output(), "  rate ");
	harness_contains(operator_output(), "\nand 1 sources whose addresses are not known any more");
} END_TEST

/* ---- what happens meanwhile --------------------------------------------- */

START_TEST(connections_of_earlier_generations_are_there)
{
	pid_t worker;
	int old, new;

	daemon_start(&d, LIMITED("connections_per_source = 2;"));
	old = come("127.0.0.2");
	worker = (pid_t)event_number(daemon_accepted(&d, old), "pid");
	daemon_reload(&d, LIMITED("connections_per_source = 3;"));
	daemon_settle_worker(&d, worker);       /* it has heard that it drains */
	new = come("127.0.0.2");
	expect_sources(row("127.0.0.2/32", 2, 2, "3", false));
	close(old);
	daemon_wait_for(&d, "worker-end pid=%d", worker);
	expect_sources(row("127.0.0.2/32", 1, 1, "3", false));
	close(new);
} END_TEST

START_TEST(what_a_killed_worker_held_is_gone)
{
	int mine, other;
	pid_t worker;

	daemon_start(&d, CONTROL SERVICES(SERVICE("s", "echo",
	             "workers = 1; limits = { connections_per_source = 2; };")
	             SERVICE("t", "echo", "workers = 1; limits = { connections_per_source = 2; };")),
	             control_path());
	mine = come("127.0.0.2");
	worker = (pid_t)event_number(daemon_accepted(&d, mine), "pid");
	other = daemon_connect_echo(&d, "t");
	ck_assert_int_eq(kill(worker, SIGKILL), 0);
	daemon_wait_for(&d, "worker-end pid=%d", worker);
	expect_sources(NULL);
	daemon_wait_for(&d, "limits-audited service=s corrected=0");
	control_ask("{\"command\":\"sources\"}", "{\"sources\":[{\"service\":\"t\",\"source\":\"127.0.0.1/32\","
	            "\"connections\":1,\"open\":1,\"limit\":2,\"full\":false,\"wait\":0.0}],");
	close(mine);
	close(other);
} END_TEST

START_TEST(connections_from_before_an_upgrade_are_there)
{
	pid_t worker;
	int old, new;

	daemon_start(&d, LIMITED("connections_per_source = 2;"));
	old = come("127.0.0.2");
	worker = (pid_t)event_number(daemon_accepted(&d, old), "pid");
	upgrade_to_next(&d);
	daemon_settle_worker(&d, worker);       /* it has heard that it drains */
	new = come("127.0.0.2");
	expect_sources(row("127.0.0.2/32", 2, 2, "2", true));
	close(old);
	daemon_wait_for(&d, "worker-end pid=%d", worker);
	expect_sources(row("127.0.0.2/32", 1, 1, "2", false));
	close(new);
} END_TEST

/* ---- many --------------------------------------------------------------- */

START_TEST(an_answer_has_a_thousand_sources_and_tells_how_many_it_leaves_off)
{
	enum { N = 1003 };
	static int fds[N];
	struct rlimit limit;
	int twice;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	daemon_start(&d, ONE("connections = 1100; limits = { connections_per_source = 9; };"), control_path());
	for (int i = 0; i < N; i++)
		fds[i] = come(files_text("127.1.%d.%d", i / 250, 1 + i % 250));
	twice = come("127.1.3.7");
	ck_assert_int_eq(operator_run_args(control_path(), "--json", "sources"), 0);
	harness_contains(operator_output(), "\"left_off\":3," NAMELESS("0", "0"));
	harness_contains(operator_output(), files_text("{\"sources\":[%s", row("127.1.3.7/32", 2, 2, "9", false)));
	ck_assert_uint_eq(files_count(operator_output(), "\"source\":"), 1000);
	for (int i = 0; i < N; i++)
		close(fds[i]);
	close(twice);
} END_TEST

int main(void)
{
	Suite *s = suite_create("sources");
	TCase *tc = harness_case(s, "counts");

	tcase_add_test(tc, sources_are_listed_with_their_counts_and_their_limit);
	tcase_add_test(tc, people_see_a_table);
	tcase_add_test(tc, a_prefix_is_one_source);
	tcase_add_loop_test(tc, users_of_a_unix_socket_are_sources, 0, 2);
	tcase_add_loop_test(tc, without_limits_and_for_the_exempt_the_open_connections_are_counted, 0, 2);
	tcase_add_test(tc, behind_a_proxy_the_client_is_the_source);
	tc = harness_case(s, "rates");
	tcase_add_test(tc, a_source_at_its_rate_is_listed_when_its_connections_have_ended);
	tc = upgrade_case(s, "meanwhile");
	tcase_add_test(tc, connections_of_earlier_generations_are_there);
	tcase_add_test(tc, what_a_killed_worker_held_is_gone);
	tcase_add_test(tc, connections_from_before_an_upgrade_are_there);
	tc = harness_case(s, "many");
	tcase_add_test(tc, an_answer_has_a_thousand_sources_and_tells_how_many_it_leaves_off);
	return harness_run(s);
}
