/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Real programs with real clients: git and rsync, served as by inetd.
 */
#include <config.h>
#include "harness.h"

#include <unistd.h>

static struct daemon d;

static void start_git(void)
{
	process_configure_git();
	process_must("git", "init", "--quiet", files_path("repo"));
	process_must("git", "-C", files_path("repo"), "commit", "--quiet", "--allow-empty", "-m", "first");
	daemon_start(&d, SERVICES(EXEC("git", "argv = [ \"/usr/bin/git\", \"daemon\", \"--inetd\","
	             " \"--export-all\", \"--base-path=%s\" ];", "workers = 2;")), files_path(""));
}

/* A commit with a file of its own, noise that does not compress. */
static void commit(const char *name)
{
	process_must("sh", "-c", files_text("head -c 3000000 /dev/urandom >%s/%s", files_path("repo"), name));
	process_must("git", "-C", files_path("repo"), "add", name);
	process_must("git", "-C", files_path("repo"), "commit", "--quiet", "-m", name);
}

static void check_same(const char *name)
{
	process_must("cmp", files_path(files_text("repo/%s", name)),
	             files_path(files_text("clone/%s", name)));
}

START_TEST(git_clones_and_fetches)
{
	start_git();
	commit("one");
	process_must("git", "clone", "--quiet",
	             files_text("git://127.0.0.1:%s/repo", daemon_port(&d, "git", 0)), files_path("clone"));
	check_same("one");
	commit("two");
	process_must("git", "-C", files_path("clone"), "pull", "--quiet", "--ff-only");
	check_same("two");
	for (int i = 0; i < 2; i++)
		daemon_wait_for(&d, "program-end how=exit value=0");
} END_TEST

START_TEST(git_is_told_that_a_repository_is_not_there)
{
	start_git();
	ck_assert_int_ne(process_run_args("git", "clone", "--quiet",
	                                  files_text("git://127.0.0.1:%s/none", daemon_port(&d, "git", 0)),
	                                  files_path("clone")), 0);
	daemon_wait_for(&d, "program-end");
} END_TEST

START_TEST(rsync_copies_a_tree)
{
	const char *config = files_write("rsyncd.conf", "use chroot = no\n[tree]\npath = %s\n%s",
	                                 files_path("tree"),
	                                 harness_is_root() ? "uid = root\ngid = root\n" : "");

	process_must("sh", "-c", files_text("mkdir -p %1$s/a/b && head -c 5000000 /dev/urandom >%1$s/a/big &&"
	                                    " echo small >%1$s/a/b/small && ln -s b %1$s/a/link",
	                                    files_path("tree")));
	daemon_start(&d, SERVICES(EXEC("rsync", "argv = [ \"/usr/bin/rsync\", \"--daemon\","
	             " \"--config=%s\" ];", "workers = 2;")), config);
	process_must("rsync", "-a", files_text("rsync://127.0.0.1:%s/tree/", daemon_port(&d, "rsync", 0)),
	             files_path("copy"));
	process_must("diff", "-r", "--no-dereference", files_path("tree"), files_path("copy"));
	daemon_wait_for(&d, "program-end how=exit value=0");
} END_TEST

int main(void)
{
	Suite *s = suite_create("real");
	TCase *tc = harness_case(s, "real");
	bool has_git = access("/usr/bin/git", X_OK) == 0;
	bool has_rsync = access("/usr/bin/rsync", X_OK) == 0;

	harness_add_if(has_git, "git is not installed", tc, git_clones_and_fetches);
	harness_add_if(has_git, "git is not installed", tc, git_is_told_that_a_repository_is_not_there);
	harness_add_if(has_rsync, "rsync is not installed", tc, rsync_copies_a_tree);
	return harness_run(s);
}
