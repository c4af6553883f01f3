/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which users may trace a worker, and whether it leaves a core. Most of it can only be tested as
 * root.
 */
#include <config.h>
#include "harness.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static struct daemon d;

static uid_t nobody(void)
{
	const struct passwd *pw = getpwnam("nobody");

	ck_assert_ptr_nonnull(pw);
	return pw->pw_uid;
}

/* It is root if the user of the process may not trace it, and it leaves no core: proc(5). */
static uid_t owner_of_memory(pid_t pid)
{
	struct stat st;

	ck_assert_int_eq(stat(files_text("/proc/%d/mem", pid), &st), 0);
	return st.st_uid;
}

/* The limit can be set, and the kernel distinguishes a process that has changed its user. */
static bool can_ask_for_cores(void)
{
	struct rlimit core;

	return harness_is_root() && getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max >= 1 << 20 &&
	       strcmp(process_file("/proc/sys/fs/suid_dumpable"), "1\n") != 0;
}

static const char *const programs[] = {
	"type = \"exec\";", "type = \"exec\"; warm = 1;", "type = \"filter\"; framing = \"line\";",
};

START_TEST(a_worker_that_runs_programs_cannot_be_traced_by_them)
{
	pid_t program;
	int fd;

	daemon_start(&d, SERVICES(" s = { listen = \"127.0.0.1:0\"; user = \"nobody\"; workers = 1;"
	             " rlimits = { core = \"1M\"; }; handler = { %s argv = [ \"/bin/sh\", \"-c\","
	             " \"read -r line; echo $$; read -r line\" ]; }; };"), programs[_i]);
	ck_assert_uint_eq(owner_of_memory(daemon_next_worker(&d, "s")), 0);
	fd = daemon_connect(&d, "s");
	client_say(fd, "x\n");
	program = (pid_t)strtol(client_read_line(fd), NULL, 10);
	ck_assert_uint_eq(owner_of_memory(program), nobody());
	harness_contains(process_file(files_text("/proc/%d/limits", program)),
	                 "Max core file size        1048576              1048576 ");
	close(fd);
} END_TEST

START_TEST(a_worker_without_programs_leaves_a_core_if_it_is_asked_to)
{
	daemon_start(&d, SERVICES(SERVICE("s", "echo", "workers = 1; user = \"nobody\"; rlimits = { core = %s; };")),
	             _i == 0 ? "0" : "\"1M\"");
	ck_assert_uint_eq(owner_of_memory(daemon_next_worker(&d, "s")),
	                  _i == 0 ? 0 : nobody());
} END_TEST

/* Another service, which runs programs, has the same user or not. */
START_TEST(a_worker_beside_programs_of_its_user_leaves_no_core)
{
	static const char *const users[] = { "nobody", "root" };

	daemon_start(&d, SERVICES(SERVICE("s", "echo", "workers = 1; user = \"nobody\";"
	             " rlimits = { core = \"1M\"; };")
	             EXEC("other", "argv = \"/bin/true\";", "workers = 1; user = \"%s\";")), users[_i]);
	ck_assert_uint_eq(owner_of_memory(daemon_next_worker(&d, "s")), _i == 0 ? 0 : nobody());
	ck_assert_uint_eq(files_count(daemon_errors(&d), "service s: rlimits.core has no effect, since programs"
	                              " of service other have the same user"), _i == 0 ? 1 : 0);
} END_TEST

int main(void)
{
	Suite *s = suite_create("cores");
	TCase *tc = harness_case(s, "cores");

	if (can_ask_for_cores()) {
		tcase_add_loop_test(tc, a_worker_that_runs_programs_cannot_be_traced_by_them, 0,
		                    (int)ARRAY_SIZE(programs));
		tcase_add_loop_test(tc, a_worker_without_programs_leaves_a_core_if_it_is_asked_to, 0, 2);
		tcase_add_loop_test(tc, a_worker_beside_programs_of_its_user_leaves_no_core, 0, 2);
	} else {
		harness_skip("cores", "wants root, a hard limit of 1 MB, and fs.suid_dumpable other than 1");
	}
	return harness_run(s);
}
