/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A module is replaced: which workers have which version, and what clients notice.
 */
#include <config.h>
#include "module_harness.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "upgrade_harness.h"


#ifdef __SANITIZE_ADDRESS__
#define RELOADS 8
#else
#define RELOADS 50
#endif

static const char *module_path(void)
{
	return files_path("module.so");
}

static const char *config(const char *options)
{
	return module_probe_at(module_path(), options, "");
}

/* A new connection is served by that version. */
static void check_version(const char *version)
{
	int fd = module_say("version\n");

	client_expect(fd, version);
	close(fd);
}

START_TEST(reloads_to_another_version_under_load_cost_no_client_anything)
{
	struct load visitors = { .n_clients = 4, .bytes = 20000, .again = true };
	struct load residents = { .n_clients = 2 };

	module_copy("probe", "module.so");
	daemon_start(&d, "%s", config("consume = \"all\";"));
	visitors.address = residents.address = daemon_address(&d, "s", 0);
	load_start(&visitors);
	load_start(&residents);
	load_wait_flow(&residents);
	for (int i = 0; i < RELOADS; i++) {
		module_copy(i % 2 ? "probe" : "probe2", "module.so");
		daemon_reload(&d, "%s", config("consume = \"all\";"));
		module_wait_for(files_text("version=%d worker-start", i % 2 ? 1 : 2));
		load_wait_done(&visitors, visitors.done + 1);
	}
	load_stop(&visitors);
	load_stop(&residents);
	ck_assert_uint_eq(visitors.lost + residents.lost, 0);
	ck_assert_uint_ge(visitors.done, RELOADS);
	for (int i = 0; i < RELOADS; i++)
		daemon_wait_for(&d, "generation-gone");
	ck_assert_uint_eq(daemon_saw(&d, "worker-end how=signal"), 0);
} END_TEST

START_TEST(a_file_that_is_replaced_changes_nothing_before_the_reload)
{
	pid_t worker;
	int old;

	module_copy("probe", "module.so");
	daemon_start(&d, "%s", config(""));
	worker = daemon_next_worker(&d, "s");
	module_copy("probe2", "module.so");
	check_version("1\n");
	ck_assert_int_eq(kill(worker, SIGKILL), 0);
	worker = daemon_next_worker(&d, "s");
	check_version("1\n");
	ck_assert_int_eq(unlink(module_path()), 0);
	ck_assert_int_eq(kill(worker, SIGKILL), 0);
	daemon_next_worker(&d, "s");
	old = module_say("version\n");
	client_expect(old, "1\n");
	module_copy("probe2", "module.so");
	daemon_reload(&d, "%s", config(""));
	daemon_wait_for(&d, "worker-drain");
	module_ask(old, "version\n", "1\n");   /* now it has turned its loop: it accepts no more */
	check_version("2\n");
	module_ask(old, "version\n", "1\n");
	close(old);
} END_TEST

static const char *const broken[] = { "no_symbol", "unresolved", "ctor_crash", "ctor_exit" };

START_TEST(a_broken_version_is_refused_and_the_old_one_goes_on)
{
	pid_t worker;

	module_copy("probe", "module.so");
	daemon_start(&d, "%s", config(""));
	worker = daemon_next_worker(&d, "s");
	module_copy(broken[_i], "module.so");
	daemon_signal(&d, SIGHUP);
	daemon_wait_for(&d, "reload-failed reason=check");
	harness_contains(daemon_errors(&d), "services.s.handler cannot use the module ");
	check_version("1\n");
	ck_assert_int_eq(kill(worker, SIGKILL), 0);
	daemon_next_worker(&d, "s");
	check_version("1\n");
	module_copy("probe2", "module.so");
	daemon_reload(&d, "%s", config(""));
	daemon_wait_for(&d, "generation-gone");
	check_version("2\n");
} END_TEST

START_TEST(options_are_those_of_the_generation)
{
	int old, new;

	module_copy("probe", "module.so");
	daemon_start(&d, "%s", config("hello = \"echo old\";"));
	old = daemon_connect(&d, "s");
	client_expect(old, "old\n");
	daemon_reload(&d, "%s", config("hello = \"echo new\";"));
	daemon_wait_for(&d, "worker-drain");
	module_ask(old, "echo turn\n", "turn\n");      /* now it accepts no more */
	new = daemon_connect(&d, "s");
	client_expect(new, "new\n");
	module_ask(old, "echo still\n", "still\n");
	close(old);
	close(new);
} END_TEST

/* The descriptor of the module's file is only the master's, one for each generation that lives. */
static size_t descriptors_of_module(pid_t pid)
{
	char link[4096];
	size_t n = 0;

	for (int fd = 0; fd < 256; fd++) {
		const ssize_t len = readlink(files_text("/proc/%d/fd/%d", pid, fd), link, sizeof link - 1);

		link[len > 0 ? len : 0] = '\0';
		n += strstr(link, "module.so") != NULL;
	}
	return n;
}

START_TEST(each_generation_has_one_descriptor_and_workers_have_none)
{
	pid_t worker;

	module_copy("probe", "module.so");
	daemon_start(&d, "%s", config(""));
	worker = daemon_next_worker(&d, "s");
	ck_assert_uint_eq(descriptors_of_module(worker), 0);
	for (int i = 0; i < 3; i++) {
		ck_assert_uint_eq(descriptors_of_module(d.pid), 1);
		daemon_reload(&d, "%s", config(""));
		daemon_wait_for(&d, "generation-gone");
		daemon_barrier(&d);     /* it is said before everything of it is closed */
	}
	ck_assert_uint_eq(descriptors_of_module(d.pid), 1);
} END_TEST

/* Beside the copy of the daemon that an upgrade replaces, there are no modules. */
static void install(const char *name)
{
	process_must("cp", upgrade_built(files_text("../modules/%s.so", name)), files_path("new.so"));
	ck_assert_int_eq(rename(files_path("new.so"), module_path()), 0);
}

START_TEST(an_upgrade_keeps_clients_of_a_module_and_takes_the_file_that_is_there)
{
	pid_t worker;
	int old;

	install("probe");
	daemon_start(&d, CONTROL "%s", control_path(), config(""));
	worker = daemon_next_worker(&d, "s");
	old = module_say("version\n");
	client_expect(old, "1\n");
	install("probe2");
	upgrade_to_next(&d);
	daemon_wait_for(&d, "worker-drain pid=%d", worker);
	module_ask(old, "version\n", "1\n");   /* now it accepts no more */
	check_version("2\n");
	daemon_barrier(&d);
	ck_assert_uint_eq(descriptors_of_module(d.pid), 1);
	worker = daemon_next_worker(&d, "s");
	ck_assert_int_eq(kill(worker, SIGKILL), 0);
	daemon_next_worker(&d, "s");
	check_version("2\n");
	module_ask(old, "version\n", "1\n");
	close(old);
} END_TEST

START_TEST(a_module_works_in_a_chroot)
{
	const char *jail = files_mkdir("jail");
	int fd;

	module_start("", files_text("chroot = \"%s\";", jail));
	ck_assert_str_eq(process_link(daemon_next_worker(&d, "s"), "root"), jail);
	fd = module_say("echo inside\n");
	client_expect(fd, "inside\n");
	close(fd);
} END_TEST

int main(void)
{
	Suite *s = suite_create("module_reload");
	TCase *tc = harness_case(s, "module_reload");

	tcase_add_test(tc, reloads_to_another_version_under_load_cost_no_client_anything);
	tcase_add_test(tc, a_file_that_is_replaced_changes_nothing_before_the_reload);
	tcase_add_loop_test(tc, a_broken_version_is_refused_and_the_old_one_goes_on, 0, ARRAY_SIZE(broken));
	tcase_add_test(tc, options_are_those_of_the_generation);
	tcase_add_test(tc, each_generation_has_one_descriptor_and_workers_have_none);
	harness_add_for_root(tc, a_module_works_in_a_chroot);
	tc = upgrade_case(s, "upgrade");
	tcase_add_test(tc, an_upgrade_keeps_clients_of_a_module_and_takes_the_file_that_is_there);
	return harness_run(s);
}
