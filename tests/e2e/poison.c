/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Clients whose requests crash workers: which sources are blocked for it, for how long, who is served
 * meanwhile, and how an operator sees and lifts a block. The daemon is crashy; each client connects
 * from an address of the loopback of its own.
 */
#include <config.h>
#include "upgrade_harness.h"

#include <signal.h>
#include <unistd.h>

#include "operator.h"

#define BAD   "127.0.0.2"
#define WORSE "127.0.0.3"
#define WORST "127.0.0.4"
#define GOOD  "127.0.0.9"

#define POISONED(rest) CONTROL SERVICES(SERVICE("s", "echo", rest))
#define FOR_EVER       "workers = 2; poison = { block = \"1h\"; block_max = \"2h\"; };"

static struct daemon d;

#define START(rest) (d.program = "tests/e2e/crashy", daemon_start(&d, POISONED(rest), control_path()))

static int connect_from(const char *ip)
{
	return client_connect_from(ip, daemon_address(&d, "s", 0));
}

static void crash(int fd)
{
	client_say(fd, "crash\n");
	client_expect_gone(fd);
	close(fd);
	daemon_wait_for(&d, "worker-end service=s how=signal value=%d", SIGSEGV);
}

static void crash_from(const char *ip, int times)
{
	for (int i = 0; i < times; i++)
		crash(connect_from(ip));
}

static void check_served(const char *ip)
{
	int fd = connect_from(ip);

	client_echo(fd);
	close(fd);
}

static void check_refused(const char *ip)
{
	int fd = connect_from(ip);
	const char *peer = client_name(fd);

	client_expect_gone(fd);
	close(fd);
	daemon_wait_for(&d, "refused reason=blocked peer=%s", peer);
}

static void wait_blocked(const char *source, int crashes, long long block_ms)
{
	const struct event *e = daemon_wait_for(&d, "source-blocked service=s source=%s", source);

	ck_assert_int_eq(event_number(e, "crashes"), crashes);
	ck_assert_int_eq(event_number(e, "block_ms"), block_ms);
}

static void told(const char *part)
{
	harness_contains(operator_output(), part);
}

/* ---- one source --------------------------------------------------------- */

START_TEST(a_source_that_crashes_workers_is_blocked_and_others_are_served)
{
	START(FOR_EVER);
	crash_from(BAD, 2);
	check_served(BAD);
	crash_from(BAD, 1);
	wait_blocked(BAD "/32", 3, 3600000);
	check_refused(BAD);
	check_refused(BAD);
	check_served(GOOD);
	harness_contains(daemon_errors(&d), "s: blocking " BAD "/32 for 1h, until 2");
	harness_contains(daemon_errors(&d), "Z: 3 workers have crashed at its requests within 1m"
	                 " (to lift the block: droverctl unblock " BAD "/32)\n");
} END_TEST

START_TEST(an_operator_sees_a_block_and_lifts_it)
{
	START(FOR_EVER);
	ck_assert_int_eq(operator_run_args(control_path(), "--json", "blocked"), 0);
	told("{\"blocked\":[]}\n");
	ck_assert_int_eq(operator_run_args(control_path(), "unblock", BAD), 1);
	ck_assert_str_eq(operator_errors(), "droverctl: nothing is blocked under " BAD "\n");
	crash_from(BAD, 3);
	wait_blocked(BAD "/32", 3, 3600000);
	check_refused(BAD);
	check_refused(BAD);
	ck_assert_int_eq(operator_run_args(control_path(), "blocked"), 0);
	told("SERVICE  PREFIX"), told("s        " BAD "/32"), told("  REFUSED\n"), told("       3        2\n");
	ck_assert_int_eq(operator_run_args(control_path(), "--json", "blocked"), 0);
	told("{\"blocked\":[{\"service\":\"s\",\"prefix\":\"" BAD "/32\",\"since\":\"2");
	told(",\"crashes\":3,\"refused\":2}]}\n");
	ck_assert_int_eq(operator_run_args(control_path(), "unblock", WORSE), 1);
	check_refused(BAD);
	ck_assert_int_eq(operator_run_args(control_path(), "unblock", BAD), 0);
	ck_assert_str_eq(operator_output(), "s: " BAD "/32 is not blocked any more\n");
	daemon_wait_for(&d, "source-unblocked service=s source=" BAD "/32 reason=order refused=3");
	check_served(BAD);
	ck_assert_int_eq(operator_run_args(control_path(), "unblock", BAD), 1);
	/* It begins with no crashes, but the next block is twice as long. */
	crash_from(BAD, 3);
	wait_blocked(BAD "/32", 3, 7200000);
	ck_assert_int_eq(operator_run_args(control_path(), "--json", "unblock", "127.0.0.0/8"), 0);
	ck_assert_str_eq(operator_output(), "{\"unblocked\":[{\"service\":\"s\",\"prefix\":\"" BAD "/32\"}]}\n");
	check_served(BAD);
} END_TEST

START_TEST(a_block_ends_when_its_time_is_over)
{
	START("poison = { crashes = 2; block = \"100ms\"; };");
	crash_from(BAD, 2);
	wait_blocked(BAD "/32", 2, 100);
	daemon_wait_for(&d, "source-unblocked service=s source=" BAD "/32 reason=time");
	check_served(BAD);
	crash_from(BAD, 2);
	wait_blocked(BAD "/32", 2, 200);
	daemon_wait_for(&d, "source-unblocked service=s source=" BAD "/32 reason=time");
	harness_contains(daemon_errors(&d), "s: " BAD "/32 is not blocked any more: the time is over;");
} END_TEST

START_TEST(a_hang_counts_as_a_crash)
{
	int fd;

	START("hang_timeout = \"200ms\"; poison = { crashes = 1; block = \"1h\"; };");
	fd = connect_from(BAD);
	client_say(fd, "loop\n");
	client_expect_gone(fd);
	close(fd);
	wait_blocked(BAD "/32", 1, 3600000);
	check_refused(BAD);
	check_served(GOOD);
} END_TEST

START_TEST(the_report_of_a_crash_names_the_source)
{
	const char *name;

	files_mkdir("state");
	START("");
	crash_from(BAD, 1);
	name = event_word(daemon_wait_for(&d, "crash-report service=s"), "name");
	ck_assert_int_eq(operator_run_args(control_path(), "crashes", name), 0);
	told("  source           " BAD "/32\n");
	ck_assert_int_eq(operator_run_args(control_path(), "--json", "crashes", name), 0);
	told("\"source\":\"" BAD "/32\"");
} END_TEST

START_TEST(the_user_of_a_unix_peer_is_a_source)
{
	const char *source = files_text("uid:%u", (unsigned)getuid());
	const char *path = files_path("s.sock");

	d.program = "tests/e2e/crashy";
	daemon_start(&d, CONTROL SERVICES(SERVICE_AT("s", "[ \"unix:%s\", \"127.0.0.1:0\" ]", "echo",
	             FOR_EVER)), control_path(), path);
	for (int i = 0; i < 3; i++)
		crash(client_connect(files_text("unix:%s", path)));
	wait_blocked(source, 3, 3600000);
	client_expect_gone(client_connect(files_text("unix:%s", path)));
	daemon_wait_for(&d, "refused reason=blocked peer=unix");
	ck_assert_int_eq(operator_run_args(control_path(), "unblock", source), 0);
	client_check_echo(files_text("unix:%s", path));
} END_TEST

START_TEST(a_block_of_ipv6_is_that_of_the_prefix)
{
	d.program = "tests/e2e/crashy";
	daemon_start(&d, CONTROL SERVICES(SERVICE_AT("s", "\"[::1]:0\"", "echo", FOR_EVER)),
	             control_path());
	crash_from("::1", 3);
	wait_blocked("::/64", 3, 3600000);
	check_refused("::1");
	ck_assert_int_eq(operator_run_args(control_path(), "unblock", "::1"), 0);
	ck_assert_str_eq(operator_output(), "s: ::/64 is not blocked any more\n");
	check_served("::1");
} END_TEST

static int connect_for(const char *client)
{
	int fd = daemon_connect(&d, "s");

	client_say(fd, files_text("PROXY TCP4 %s 127.0.0.1 4711 80\r\n", client));
	return fd;
}

START_TEST(behind_a_proxy_the_real_client_is_blocked)
{
	int fd;

	START("proxy_protocol = \"v1\"; proxy_from = \"127.0.0.1\"; " FOR_EVER);
	for (int i = 0; i < 3; i++)
		crash(connect_for("192.0.2.7"));
	wait_blocked("192.0.2.7/32", 3, 3600000);
	fd = connect_for("192.0.2.7");
	client_expect_gone(fd);
	close(fd);
	daemon_wait_for(&d, "refused reason=blocked peer=192.0.2.7:4711");
	fd = connect_for("192.0.2.8");
	client_echo(fd);
	close(fd);
} END_TEST

/* ---- who is not blocked ------------------------------------------------- */

START_TEST(crashes_from_many_sources_block_nobody)
{
	START(FOR_EVER);
	crash_from(BAD, 1);
	crash_from(WORSE, 1);
	crash_from(WORST, 3);
	daemon_wait_for(&d, "poison-spread service=s source=" WORST "/32");
	crash_from(BAD, 2);
	check_served(BAD);
	check_served(WORST);
	ck_assert_uint_eq(daemon_saw(&d, "source-blocked"), 0);
	ck_assert_uint_eq(daemon_saw(&d, "poison-spread"), 1);
	harness_contains(daemon_errors(&d), "s: not blocking " WORST "/32: workers have crashed at requests"
	                 " from 3 sources or more within 1m\n");
} END_TEST

START_TEST(an_exempt_source_is_not_blocked)
{
	START("limits = { exempt = \"" BAD "\"; }; poison = { crashes = 1; block = \"1h\"; };");
	crash_from(BAD, 3);
	check_served(BAD);
	crash_from(WORSE, 1);
	wait_blocked(WORSE "/32", 1, 3600000);
	check_refused(WORSE);
	ck_assert_uint_eq(daemon_saw(&d, "source-blocked"), 1);
} END_TEST

START_TEST(without_poison_nobody_is_blocked)
{
	START("restart = { burst = 100; };");
	crash_from(BAD, 5);
	check_served(BAD);
	ck_assert_uint_eq(daemon_saw(&d, "source-blocked"), 0);
} END_TEST

/* Whoever kills an idle worker is none of its clients. */
START_TEST(a_worker_that_was_idle_blocks_nobody)
{
	pid_t worker;
	int fd;

	START("workers = 1; poison = { crashes = 1; };");
	worker = daemon_next_worker(&d, "s");
	fd = connect_from(BAD);
	client_echo(fd);
	daemon_settle_worker(&d, worker);
	ck_assert_int_eq(kill(worker, SIGKILL), 0);
	daemon_wait_for(&d, "worker-end pid=%d how=signal", worker);
	close(fd);
	check_served(BAD);
	ck_assert_uint_eq(daemon_saw(&d, "source-blocked"), 0);
} END_TEST

/* What a worker says of its client that a client may have taken over counts for nothing. */
START_TEST(a_worker_that_is_killed_as_broken_blocks_nobody)
{
	int fd;

	START("workers = 2; poison = { crashes = 1; };");
	fd = connect_from(BAD);
	client_say(fd, "flood\n");
	daemon_wait_for(&d, "worker-broken service=s");
	client_expect_gone(fd);
	close(fd);
	daemon_wait_for(&d, "worker-end service=s how=signal value=%d", SIGKILL);
	check_served(BAD);
	ck_assert_uint_eq(daemon_saw(&d, "source-blocked"), 0);
} END_TEST

/* ---- reload ------------------------------------------------------------- */

START_TEST(blocks_survive_a_reload)
{
	START(FOR_EVER);
	crash_from(WORSE, 1);
	crash_from(BAD, 3);
	wait_blocked(BAD "/32", 3, 3600000);
	daemon_reload(&d, POISONED(FOR_EVER "max_accepts = 1000;"), control_path());
	check_refused(BAD);
	crash_from(WORSE, 2);
	wait_blocked(WORSE "/32", 3, 3600000);
	check_refused(WORSE);
	check_served(GOOD);
	ck_assert_uint_eq(daemon_saw(&d, "source-unblocked"), 0);
} END_TEST

START_TEST(a_reload_without_poison_lifts_them)
{
	START(FOR_EVER);
	crash_from(BAD, 3);
	wait_blocked(BAD "/32", 3, 3600000);
	daemon_reload(&d, POISONED(""), control_path());
	daemon_wait_for(&d, "source-unblocked service=s source=" BAD "/32 reason=reload");
	check_served(BAD);
	daemon_reload(&d, POISONED(FOR_EVER), control_path());
	check_served(BAD);
	crash_from(BAD, 3);
	wait_blocked(BAD "/32", 3, 7200000);
} END_TEST

START_TEST(a_reload_that_exempts_a_source_lifts_its_block)
{
	START(FOR_EVER);
	crash_from(BAD, 3);
	crash_from(WORSE, 3);
	wait_blocked(WORSE "/32", 3, 3600000);
	daemon_reload(&d, POISONED(FOR_EVER "limits = { exempt = \"" BAD "\"; };"), control_path());
	daemon_wait_for(&d, "source-unblocked service=s source=" BAD "/32 reason=reload");
	check_served(BAD);
	check_refused(WORSE);
} END_TEST

START_TEST(a_reload_that_is_refused_changes_nothing)
{
	START(FOR_EVER);
	crash_from(BAD, 3);
	wait_blocked(BAD "/32", 3, 3600000);
	daemon_config(&d, POISONED("poison = { crashes = 0; };"), control_path());
	daemon_signal(&d, SIGHUP);
	daemon_wait_for(&d, "reload-failed");
	check_refused(BAD);
} END_TEST

/* ---- upgrade ------------------------------------------------------------ */

#define START_UPGRADABLE(rest) \
	(upgrade_install(upgrade_built("crashy")), daemon_start(&d, POISONED(rest), control_path()))

static void upgrade(void)
{
	upgrade_to(&d, upgrade_built("crashy"), PACKAGE_VERSION);
}

START_TEST(blocks_and_crashes_survive_an_upgrade)
{
	START_UPGRADABLE(FOR_EVER);
	crash_from(BAD, 3);
	wait_blocked(BAD "/32", 3, 3600000);
	check_refused(BAD);
	crash_from(WORSE, 2);
	upgrade();
	check_refused(BAD);
	ck_assert_int_eq(operator_run_args(control_path(), "--json", "blocked"), 0);
	told("\"prefix\":\"" BAD "/32\""), told("\"crashes\":3,\"refused\":2}]}\n");
	crash_from(WORSE, 1);
	wait_blocked(WORSE "/32", 3, 3600000);
	upgrade();
	check_refused(WORSE);
	check_served(GOOD);
	ck_assert_int_eq(operator_run_args(control_path(), "unblock", "127.0.0.0/8"), 0);
	ck_assert_str_eq(operator_output(), "s: " BAD "/32 is not blocked any more\n"
	                 "s: " WORSE "/32 is not blocked any more\n");
	check_served(BAD);
	crash_from(BAD, 3);
	wait_blocked(BAD "/32", 3, 7200000);
} END_TEST

START_TEST(a_block_ends_in_time_after_an_upgrade)
{
	START_UPGRADABLE("poison = { crashes = 1; block = \"1s\"; };");
	crash_from(BAD, 1);
	wait_blocked(BAD "/32", 1, 1000);
	upgrade();
	daemon_wait_for(&d, "source-unblocked service=s source=" BAD "/32 reason=time");
	check_served(BAD);
} END_TEST

int main(void)
{
	Suite *s = suite_create("poison");
	TCase *tc = harness_case(s, "source");

	tcase_add_test(tc, a_source_that_crashes_workers_is_blocked_and_others_are_served);
	tcase_add_test(tc, an_operator_sees_a_block_and_lifts_it);
	tcase_add_test(tc, a_block_ends_when_its_time_is_over);
	tcase_add_test(tc, a_hang_counts_as_a_crash);
	tcase_add_test(tc, the_report_of_a_crash_names_the_source);
	tcase_add_test(tc, the_user_of_a_unix_peer_is_a_source);
	tcase_add_test(tc, behind_a_proxy_the_real_client_is_blocked);
	harness_add_if(harness_has_ipv6(), "the loopback has no IPv6 address", tc,
	               a_block_of_ipv6_is_that_of_the_prefix);

	tc = harness_case(s, "others");
	tcase_add_test(tc, crashes_from_many_sources_block_nobody);
	tcase_add_test(tc, an_exempt_source_is_not_blocked);
	tcase_add_test(tc, without_poison_nobody_is_blocked);
	tcase_add_test(tc, a_worker_that_was_idle_blocks_nobody);
	tcase_add_test(tc, a_worker_that_is_killed_as_broken_blocks_nobody);

	tc = harness_case(s, "reload");
	tcase_add_test(tc, blocks_survive_a_reload);
	tcase_add_test(tc, a_reload_without_poison_lifts_them);
	tcase_add_test(tc, a_reload_that_exempts_a_source_lifts_its_block);
	tcase_add_test(tc, a_reload_that_is_refused_changes_nothing);

	tc = upgrade_case(s, "upgrade");
	tcase_add_test(tc, blocks_and_crashes_survive_an_upgrade);
	tcase_add_test(tc, a_block_ends_in_time_after_an_upgrade);
	return harness_run(s);
}
