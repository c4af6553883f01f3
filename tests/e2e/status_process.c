/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The life of the status process: what it has of the server, its death, and how it goes through
 * reloads and upgrades.
 */
#include <config.h>
#include "http.h"
#include "upgrade_harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static struct daemon d;

#define SITE      "metrics = { listen = \"127.0.0.1:0\"; };\n"
#define SERVICE_S SERVICES(SERVICE("s", "echo", "workers = 1;"))

static const char *site(void)
{
	return daemon_address(&d, "metrics.listen", 0);
}

static pid_t next_status(void)
{
	return (pid_t)event_number(daemon_wait_for(&d, "status-process-ready"), "pid");
}

static pid_t start(void)
{
	daemon_start(&d, SITE SERVICE_S);
	return next_status();
}

/* ---- what it has -------------------------------------------------------- */

START_TEST(it_has_no_privileges)
{
	const pid_t pid = start();
	const char *uids = process_status(pid, "Uid"), *gids = process_status(pid, "Gid");
	int uid[4], gid[4];

	ck_assert_int_eq(sscanf(uids, "%d %d %d %d", uid, uid + 1, uid + 2, uid + 3), 4);
	ck_assert_int_eq(sscanf(gids, "%d %d %d %d", gid, gid + 1, gid + 2, gid + 3), 4);
	for (size_t i = 0; i < 4; i++) {
		ck_assert_int_ne(uid[i], 0);
		ck_assert_int_ne(gid[i], 0);
	}
	ck_assert_str_eq(process_status(pid, "Groups"), "");
} END_TEST

START_TEST(it_has_no_capabilities)
{
	static const char *const sets[] = { "CapInh", "CapPrm", "CapEff", "CapAmb" };
	const pid_t pid = start();

	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		ck_assert_str_eq(process_status(pid, sets[i]), "0000000000000000");
	ck_assert_str_eq(process_status(pid, "NoNewPrivs"), "1");
} END_TEST

START_TEST(clients_of_the_services_come_first)
{
	const pid_t pid = start();

	ck_assert_int_ge(getpriority(PRIO_PROCESS, (id_t)pid), 5);
	ck_assert_int_eq(getpriority(PRIO_PROCESS, (id_t)d.pid), getpriority(PRIO_PROCESS, 0));
} END_TEST

/* The number of its descriptors that lead to what begins so. */
static size_t count_links(pid_t pid, const char *to)
{
	DIR *dir = opendir(files_text("/proc/%d/fd", pid));
	const struct dirent *e;
	size_t n = 0;

	ck_assert_ptr_nonnull(dir);
	while ((e = readdir(dir)))
		if (e->d_name[0] != '.')
			n += strncmp(process_link(pid, files_text("fd/%s", e->d_name)), to, strlen(to)) == 0;
	closedir(dir);
	return n;
}

/* Its listeners, its end of the leash, the answers; no file, log or socket of services. */
START_TEST(it_has_no_descriptors_of_others)
{
	const char *log = files_path("log");
	pid_t pid;

	daemon_start(&d, "log = { target = \"%s\"; };\n"
	             "metrics = { listen = [ \"127.0.0.1:0\", \"127.0.0.1:0\" ]; };\n" CONTROL SERVICE_S, log,
	             control_path());
	pid = next_status();
	ck_assert_uint_eq(count_links(pid, "/dev/null"), 3);
	ck_assert_uint_eq(count_links(pid, "socket:"), 2 + 1 + 1);
	ck_assert_uint_eq(count_links(pid, "pipe:"), 1);
	ck_assert_uint_eq(count_links(pid, "/"), 3);
	ck_assert_uint_eq(count_links(pid, ""), 3 + 4 + 1 + count_links(pid, "anon_inode:"));
} END_TEST

/* The configuration has the environment of programs; scoreboards have what clients have sent. */
START_TEST(it_has_no_memory_of_services)
{
	const char *secret = files_text("swordfish-%d-in-the-sea", getpid());
	const char *const config = SITE SERVICES(EXEC("keeper", "argv = \"/bin/cat\"; env = [ \"KEY=%s\" ];",
	                                              "workers = 1;") SERVICE("s", "echo", "workers = 1;"));

	daemon_start(&d, config, secret);
	for (int i = 0; i < 2; i++) {
		const pid_t worker = daemon_next_worker(&d, "keeper"), pid = next_status();

		http_expect(site(), "/status.json", 200, "keeper");
		ck_assert(process_remembers(worker, secret));
		ck_assert(!process_remembers(pid, secret));
		harness_contains(files_read(files_text("/proc/%d/maps", worker)), "memfd:");
		ck_assert_ptr_null(strstr(files_read(files_text("/proc/%d/maps", pid)), "memfd:"));
		if (i == 0)
			daemon_reload(&d, config, secret);
	}
} END_TEST

START_TEST(it_cannot_be_reached_from_the_terminal)
{
	const pid_t pid = start();

	ck_assert_int_eq(getsid(pid), pid);
	harness_contains(files_read(files_text("/proc/%d/cmdline", pid)), "droverd: status");
} END_TEST

/* ---- its death ---------------------------------------------------------- */

START_TEST(when_it_dies_another_one_goes_on)
{
	const pid_t first = start();
	int fd = daemon_connect_echo(&d, "s");
	pid_t second;

	ck_assert_int_eq(kill(first, SIGKILL), 0);
	daemon_wait_for(&d, "status-process-end pid=%d how=signal value=9", first);
	daemon_wait_for(&d, "status-process-start");
	second = next_status();
	ck_assert_int_ne(first, second);
	http_expect(site(), "/live", 200, "alive\n");
	client_echo(fd);
	close(fd);
	harness_contains(daemon_errors(&d), files_text("the status process (pid %d) was ended by signal KILL",
	                                               first));
} END_TEST

/* It has asked, and there is a process that answers it. */
START_TEST(when_it_dies_while_it_is_answered_another_one_goes_on)
{
	const pid_t first = start();
	int fd = client_connect(site());

	http_ask(fd, "GET", "/status.json");
	daemon_wait_for(&d, "reporter-start");
	ck_assert_int_eq(kill(first, SIGKILL), 0);
	client_expect_gone(fd);
	close(fd);
	next_status();
	http_expect(site(), "/status.json", 200, "\"name\":\"s\"");
} END_TEST

START_TEST(it_ends_with_the_master)
{
	const pid_t pid = start();
	const int pidfd = process_watch(pid);

	d.has_survivors = true;
	daemon_signal(&d, SIGKILL);
	daemon_join(&d);
	process_wait_end(pidfd);
} END_TEST

START_TEST(clients_of_it_do_not_hold_up_a_stop)
{
	const pid_t pid = start();
	const int pidfd = process_watch(pid);
	int slow = client_connect(site()), idle = client_connect(site());

	client_say(slow, "GET /live HT");
	ck_assert_int_eq(http_get(idle, "/live").status, 200);
	daemon_stop(&d, SIGTERM);
	process_wait_end(pidfd);
	client_expect_gone(slow);
	client_expect_gone(idle);
	close(slow);
	close(idle);
} END_TEST

/* ---- reloads ------------------------------------------------------------ */

static long long accepted;              /* connections, as of the last answer */

static void check_accepted(const char *body)
{
	json_t *answer = json_loads(body, 0, NULL);
	const json_t *n = json_object_get(json_object_get(answer, "totals"), "accepted");

	ck_assert_msg(json_is_integer(n), "%s", body);
	ck_assert_int_ge(json_integer_value(n), accepted);
	accepted = json_integer_value(n);
	json_decref(answer);
}

START_TEST(no_request_fails_across_reloads)
{
	struct http_asker asker = { .path = "/status.json", .answered = check_accepted };
	struct http_asker other = { .path = "/live" };
	struct load visitors = { .n_clients = 2, .bytes = 1000, .again = true };

	start();
	asker.address = other.address = site();
	visitors.address = daemon_address(&d, "s", 0);
	http_asker_start(&asker);
	http_asker_start(&other);
	load_start(&visitors);
	for (int i = 0; i < 10; i++) {
		http_asker_wait(&asker, 2);
		http_asker_wait(&other, 2);
		daemon_reload(&d, SITE SERVICE_S);
	}
	http_asker_wait(&asker, 3);
	http_asker_stop(&asker);
	http_asker_stop(&other);
	load_stop(&visitors);
	ck_assert_int_gt(accepted, 0);
	ck_assert_uint_eq(daemon_saw(&d, "status-process-start"), 11);
	ck_assert_uint_eq(daemon_saw(&d, "closed"), 0);
} END_TEST

/* A client that keeps its connection would keep the process, or lose a request when that ends. */
START_TEST(clients_that_stay_are_sent_away_after_a_reload)
{
	const pid_t first = start();
	int fd = client_connect(site());
	struct http_reply r = http_get(fd, "/live");

	ck_assert_str_ne(http_header(&r, "Connection"), "close");
	daemon_reload(&d, SITE SERVICE_S);
	next_status();
	ck_assert_uint_eq(daemon_saw(&d, "status-process-end"), 0);
	r = http_get(fd, "/live");
	ck_assert_int_eq(r.status, 200);
	ck_assert_str_eq(http_header(&r, "Connection"), "close");
	client_expect_end(fd);
	close(fd);
	daemon_wait_for(&d, "status-process-end pid=%d how=exit value=0", first);
} END_TEST

START_TEST(a_reload_adds_and_removes_it)
{
	pid_t pid;

	daemon_start(&d, SERVICE_S);
	ck_assert_uint_eq(daemon_saw(&d, "status-process-start"), 0);
	daemon_reload(&d, SITE SERVICE_S);
	pid = next_status();
	http_expect(site(), "/ready", 200, "ready\n");
	daemon_reload(&d, SERVICE_S);
	daemon_wait_for(&d, "status-process-end pid=%d how=exit value=0", pid);
	daemon_wait_for(&d, "closed service=metrics.listen");
	ck_assert_int_eq(client_try(site()), -1);
	ck_assert_int_eq(errno, ECONNREFUSED);
	ck_assert_uint_eq(daemon_saw(&d, "status-process-start"), 1);
} END_TEST

START_TEST(a_reload_whose_listener_is_in_use_is_refused)
{
	const char *port;
	const pid_t pid = start();
	int fd = client_listen(&port);

	daemon_config(&d, SERVICE_S "\nmetrics = { listen = \"127.0.0.1:%s\"; };\n", port);
	daemon_signal(&d, SIGHUP);
	daemon_wait_for(&d, "reload-failed");
	harness_contains(daemon_errors(&d), files_text("%s:%d: listen on 127.0.0.1:%s: Address already in use",
	                                               d.config, daemon_config_lines_before() + 3, port));
	http_expect(site(), "/ready", 200, "ready\n");
	ck_assert_uint_eq(daemon_saw(&d, "status-process-start"), 1);
	ck_assert_int_eq(kill(pid, 0), 0);
	close(fd);
} END_TEST

START_TEST(two_listeners_for_the_same_address_are_refused)
{
	daemon_config(&d, "metrics = { listen = \"unix:%s\"; };\n"
	              SERVICES(SERVICE_AT("s", "\"unix:%s\"", "echo", "workers = 1;")), files_path("site"),
	              files_path("site"));
	ck_assert_int_ne(daemon_run_args(&d, "-t", "-c", d.config), 0);
	harness_contains(daemon_errors(&d), files_path("site"));
} END_TEST

/* ---- upgrades ----------------------------------------------------------- */

START_TEST(no_request_fails_across_upgrades)
{
	struct http_asker asker = { .path = "/status.json", .answered = check_accepted };
	struct http_asker other = { .path = "/live" }, third = { .path = "/ready" };
	struct load visitors = { .n_clients = 2, .bytes = 1000, .again = true };

	start();
	asker.address = other.address = third.address = site();
	visitors.address = daemon_address(&d, "s", 0);
	http_asker_start(&asker);
	http_asker_start(&other);
	http_asker_start(&third);
	load_start(&visitors);
	for (int i = 0; i < 3; i++) {
		http_asker_wait(&asker, 2);
		http_asker_wait(&other, 2);
		upgrade_to_next(&d);
		http_asker_wait(&third, 2);
		upgrade_to(&d, upgrade_original(), PACKAGE_VERSION);
	}
	http_asker_wait(&asker, 3);
	http_asker_stop(&asker);
	http_asker_stop(&other);
	http_asker_stop(&third);
	load_stop(&visitors);
	ck_assert_int_gt(accepted, 0);
	ck_assert_uint_eq(daemon_saw(&d, "closed"), 0);
	http_expect(site(), "/status.json", 200, "\"version\":\"" PACKAGE_VERSION "\"");
} END_TEST

/* Before the process was taken over, just then, and afterwards. */
static const char *const dooms[] = { "init", "take", "half", "load" };

START_TEST(no_request_fails_when_an_upgrade_fails)
{
	struct http_asker asker = { .path = "/status.json", .answered = check_accepted };

	ck_assert_int_eq(setenv("DOOM", files_write("doom", "%s", dooms[_i]), 1), 0);
	start();
	asker.address = site();
	http_asker_start(&asker);
	http_asker_wait(&asker, 2);
	upgrade_install(upgrade_built("doomed_droverd"));
	daemon_signal(&d, SIGUSR2);
	daemon_wait_for(&d, "upgrade-failed");
	http_asker_wait(&asker, 5);
	http_asker_stop(&asker);
	http_expect(site(), "/status.json", 200, "\"version\":\"" PACKAGE_VERSION "\"");
} END_TEST

/* Whether the memory of a process can be read that has left root, if we are that. */
static bool can_trace(void)
{
	char ready[1], path[64];
	int fd, pipe[2];
	pid_t child;

	if (pipe2(pipe, O_CLOEXEC) == -1)
		return false;
	child = fork();
	if (child == 0) {
		if (harness_is_root() && (setgid(65534) == -1 || setuid(65534) == -1))
			_exit(EXIT_FAILURE);
		(void)!write(pipe[1], "", 1);
		pause();
		_exit(EXIT_SUCCESS);
	}
	close(pipe[1]);
	(void)!read(pipe[0], ready, 1);
	close(pipe[0]);
	snprintf(path, sizeof path, "/proc/%d/mem", child);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd != -1)
		close(fd);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return fd != -1;
}

int main(void)
{
	static const char no_trace[] = "processes of other users cannot be looked at here";
	Suite *s = suite_create("status_process");
	TCase *tc = harness_case(s, "isolation");
	const bool can = can_trace();

	harness_add_for_root(tc, it_has_no_privileges);
	tcase_add_test(tc, it_has_no_capabilities);
	tcase_add_test(tc, clients_of_the_services_come_first);
	harness_add_if(can, no_trace, tc, it_has_no_descriptors_of_others);
	harness_add_if(can, no_trace, tc, it_has_no_memory_of_services);
	tcase_add_test(tc, it_cannot_be_reached_from_the_terminal);
	tc = harness_case(s, "death");
	tcase_add_test(tc, when_it_dies_another_one_goes_on);
	tcase_add_test(tc, when_it_dies_while_it_is_answered_another_one_goes_on);
	tcase_add_test(tc, it_ends_with_the_master);
	tcase_add_test(tc, clients_of_it_do_not_hold_up_a_stop);
	tc = harness_case(s, "reload");
	tcase_add_test(tc, no_request_fails_across_reloads);
	tcase_add_test(tc, clients_that_stay_are_sent_away_after_a_reload);
	tcase_add_test(tc, a_reload_adds_and_removes_it);
	tcase_add_test(tc, a_reload_whose_listener_is_in_use_is_refused);
	tcase_add_test(tc, two_listeners_for_the_same_address_are_refused);
	tc = upgrade_case(s, "upgrade");
	tcase_add_test(tc, no_request_fails_across_upgrades);
	tcase_add_loop_test(tc, no_request_fails_when_an_upgrade_fails, 0, ARRAY_SIZE(dooms));
	return harness_run(s);
}
