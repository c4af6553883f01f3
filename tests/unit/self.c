/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Finding our own file, and executing it, or another, as we were started.
 */
#include <config.h>
#include "self.h"

#include <limits.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "unit.h"

static struct self self;
static char *argv[] = { NULL, (char *)(uintptr_t)"one", NULL };

static void set_up(void)
{
	unit_enter_folder();
}

static void tear_down(void)
{
	self_fini(&self);
	unit_leave_folder();
}

static void init(const char *name)
{
	argv[0] = (char *)(uintptr_t)name;
	ck_assert_int_eq(self_init(&self, argv), 0);
}

static const char *own_path(void)
{
	static char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

	ck_assert_int_gt(n, 0);
	path[n] = '\0';
	return path;
}

START_TEST(a_link_by_which_we_were_called_stays_one)
{
	char want[PATH_MAX + 16], here[PATH_MAX];

	ck_assert_int_eq(symlink(own_path(), "droverd"), 0);
	init("./droverd");
	snprintf(want, sizeof want, "%s/./droverd", getcwd(here, sizeof here));
	ck_assert_str_eq(self.path, want);
	ck_assert_str_eq(self.directory, here);
} END_TEST

START_TEST(a_name_is_looked_up_as_a_shell_does)
{
	char path[PATH_MAX + 16], want[PATH_MAX + 32], here[PATH_MAX];

	ck_assert_ptr_nonnull(getcwd(here, sizeof here));
	snprintf(path, sizeof path, "/nowhere::%s:/bin", here);
	ck_assert_int_eq(setenv("PATH", path, 1), 0);
	ck_assert_int_eq(symlink(own_path(), "droverd"), 0);
	init("droverd");
	snprintf(want, sizeof want, "%s/droverd", here);
	ck_assert_str_eq(self.path, want);
} END_TEST

/* The process that starts a program chooses its argv[0]. */
START_TEST(what_is_not_our_file_is_not_believed)
{
	static const char *const names[] = { "/bin/true", "true", "-droverd", "", "/nowhere/at/all" };

	init(names[_i]);
	ck_assert_str_eq(self.path, own_path());
} END_TEST

/* Executes in a child what lies at path. Returns its exit status. */
static int run(const char *path)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (self_set_path(&self, path) == 0 && chdir("/") == 0)
			self_exec(&self);
		_exit(100 + (errno == ENOENT));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void write_script(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	fprintf(f, "#!/bin/sh\n%s\n", text);
	fclose(f);
	ck_assert_int_eq(chmod(path, 0755), 0);
}

START_TEST(what_is_executed_has_our_arguments_and_our_folder)
{
	char here[PATH_MAX], path[PATH_MAX + 16];

	ck_assert_ptr_nonnull(getcwd(here, sizeof here));
	snprintf(path, sizeof path, "%s/next", here);
	write_script("next", "test $# = 1 && test \"$1\" = one && test -e ./next && exit 7");
	init("droverd");
	ck_assert_int_eq(run(path), 7);
} END_TEST

START_TEST(what_cannot_be_executed_leaves_us_where_we_are)
{
	char here[PATH_MAX], after[PATH_MAX];
	int before = unit_count_fds();

	init("droverd");
	ck_assert_int_eq(self_set_path(&self, "/nowhere"), 0);
	ck_assert_int_eq(mkdir("inside", 0755), 0);
	ck_assert_int_eq(chdir("inside"), 0);
	ck_assert_ptr_nonnull(getcwd(here, sizeof here));
	self_exec(&self);
	ck_assert_int_eq(errno, ENOENT);
	self_exec_fd(&self, -1);
	ck_assert_int_eq(errno, EBADF);
	ck_assert_str_eq(getcwd(after, sizeof after), here);
	ck_assert_int_eq(chdir(".."), 0);
	ck_assert_int_eq(unit_count_fds(), before + 1);         /* our file */
} END_TEST

static int n_seen, wanted;
static bool saw_wanted;

static bool see(void *arg, int fd)
{
	(void)arg;
	n_seen++;
	saw_wanted |= fd == wanted;
	return true;
}

static int count_inherited(void)
{
	n_seen = 0;
	self_each_inherited(&self, see, NULL);
	return n_seen;
}

START_TEST(what_came_with_us_is_known_as_long_as_it_is_the_same)
{
	int theirs, ours, before;

	init("droverd");
	before = count_inherited();
	self_fini(&self);
	theirs = open("a", O_CREAT | O_RDWR, 0644);     /* not close-on-exec: that is the point */
	ours = open("b", O_CREAT | O_RDWR | O_CLOEXEC, 0644);
	wanted = theirs;
	init("droverd");
	ck_assert_int_eq(count_inherited(), before + 1);
	ck_assert(saw_wanted);
	ck_assert_int_eq(dup2(ours, theirs), theirs);
	ck_assert_int_eq(count_inherited(), before);
	close(theirs);
	ck_assert_int_eq(count_inherited(), before);
	close(ours);
} END_TEST

int main(void)
{
	Suite *s = suite_create("self");
	TCase *tc = unit_case(s, "self", set_up, tear_down);

	tcase_add_test(tc, a_link_by_which_we_were_called_stays_one);
	tcase_add_test(tc, a_name_is_looked_up_as_a_shell_does);
	tcase_add_loop_test(tc, what_is_not_our_file_is_not_believed, 0, 5);
	tcase_add_test(tc, what_is_executed_has_our_arguments_and_our_folder);
	tcase_add_test(tc, what_cannot_be_executed_leaves_us_where_we_are);
	tcase_add_test(tc, what_came_with_us_is_known_as_long_as_it_is_the_same);
	return unit_run(s);
}
