/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Before and after: folders, and processes that are left.
 */
#include <config.h>
#include "harness.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TIMEOUT_S  60
#define SHOW_LINES 60                   /* of each file that a failed test has left */

static char all_folders[PATH_MAX];

/* In the child of Check in which the test runs: orphans of the daemon become ours, too. */
static void before_test(void)
{
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	umask(022);     /* the daemon warns of files that others can write */
	files_open(all_folders);
}

static void after_test(void)
{
	daemon_end_all();
	files_write("waits-for", "processes that the daemon has left\n");
	while (wait(NULL) != -1 || errno == EINTR)
		;       /* nothing outlives its master: they all end by themselves */
	files_close();
}

TCase *harness_case(Suite *s, const char *name)
{
	TCase *tc = tcase_create(name);

	tcase_set_timeout(tc, TIMEOUT_S);
	tcase_add_checked_fixture(tc, before_test, after_test);
	suite_add_tcase(s, tc);
	return tc;
}

void harness_skip(const char *what, const char *why)
{
	printf("# skipped: %s (%s)\n", what, why);
	fflush(stdout);         /* or each child of Check would write it once more */
}

bool harness_is_root(void)
{
	return geteuid() == 0;
}

bool harness_has_ipv6(void)
{
	return strstr(process_file("/proc/net/if_inet6"), "00000000000000000000000000000001 ");
}

/* For root, the check sees a directory that a user cannot enter, but not what the kernel refuses to all. */
const char *harness_cannot_start(void)
{
	const char *path;

	if (harness_is_root())
		return "rlimits = { nofile = 1000000000000L; };";       /* beyond fs.nr_open */
	path = files_mkdir("forbidden");
	ck_assert_int_eq(chmod(path, 0), 0);
	return files_text("directory = \"%s\";", path);
}

const char *harness_environment(void)
{
	const struct passwd *pw = getpwuid(geteuid());
	const char *who = "";

	if (harness_is_root())
		who = files_text("HOME=%s\nUSER=%s\nLOGNAME=%s\nSHELL=%s\n", pw->pw_dir, pw->pw_name,
		                 pw->pw_name, pw->pw_shell);
	return files_text("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
	                  "DROVER_SERVICE=s\n%s", who);
}

/* Given to the caller. */
static char *path_of(const char *folder, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", folder, name) == -1)
		abort();
	return path;
}

/* The last lines of a file, as comments in TAP. */
static void show_file(const char *folder, const char *name)
{
	char *path = path_of(folder, name);
	char *line = NULL;
	size_t size = 0;
	long n_lines = 0;
	FILE *f = fopen(path, "re");

	free(path);
	if (!f)
		return;
	while (getline(&line, &size, f) > 0)
		n_lines++;
	rewind(f);
	for (long i = 0; getline(&line, &size, f) > 0; i++)
		if (i >= n_lines - SHOW_LINES)
			printf("#   %s: %.400s%s", name, line, strchr(line, '\n') ? "" : "\n");
	free(line);
	fclose(f);
}

static bool is_worth_showing(const char *name)
{
	return strstr(name, "errors-") || strstr(name, "output-") || strstr(name, ".txt") ||
	       strstr(name, "drover.conf") || strcmp(name, "waits-for") == 0 || strcmp(name, "row") == 0;
}

static void show_folder(const char *folder)
{
	struct dirent **names;
	int n = scandir(folder, &names, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		if (is_worth_showing(names[i]->d_name))
			show_file(folder, names[i]->d_name);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

/* What is left of tests that failed. */
static void show_leftovers(void)
{
	DIR *folders = opendir(all_folders);
	struct dirent *e;

	if (!folders)
		return;
	while ((e = readdir(folders)))
		if (e->d_name[0] != '.') {
			char *folder = path_of(all_folders, e->d_name);

			printf("# left by a test that failed, in %s:\n", e->d_name);
			show_folder(folder);
			free(folder);
		}
	closedir(folders);
}

/* Ends the orphans of tests that failed: they have become our children. */
static void end_leftovers(void)
{
	pid_t pid;

	while ((pid = process_first_child()) > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
}

int harness_run(Suite *s)
{
	SRunner *sr = srunner_create(s);
	int n_failed;

	if (!getenv("DROVERD")) {
		printf("Bail out! DROVERD must name the daemon to be tested\n");
		return EXIT_FAILURE;
	}
	snprintf(all_folders, sizeof all_folders, "/tmp/drover-e2e.XXXXXX");
	if (!mkdtemp(all_folders) || chmod(all_folders, 0711) == -1 ||
	    prctl(PR_SET_CHILD_SUBREAPER, 1) == -1) {
		printf("Bail out! %s: %m\n", all_folders);
		return EXIT_FAILURE;
	}
	srunner_set_tap(sr, "-");
	srunner_run_all(sr, CK_SILENT);
	n_failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	end_leftovers();
	show_leftovers();
	files_remove_tree(all_folders);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
