/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Copies, installed as a package does it.
 */
#include <config.h>
#include "upgrade_harness.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "operator.h"

/* ---- Programs ---- */

static const char *original;

const char *upgrade_original(void)
{
	return original;
}

const char *upgrade_built(const char *name)
{
	const char *self = process_link(getpid(), "exe");

	return files_text("%.*s%s", (int)(strrchr(self, '/') + 1 - self), self, name);
}

static void copy(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	ssize_t n;

	ck_assert_msg(in != -1 && out != -1, "%s, %s: %m", from, to);
	/* copy_file_range(2) would not go from one file system to another. */
	while ((n = sendfile(out, in, NULL, INT_MAX)) > 0)
		;
	ck_assert_msg(n == 0, "%s: %m", from);
	close(in);
	close(out);
}

const char *upgrade_program(void)
{
	return files_path("droverd");
}

/* Under another name first, and then renamed. */
void upgrade_install(const char *path)
{
	copy(path, files_path("droverd.new"));
	ck_assert_int_eq(rename(files_path("droverd.new"), upgrade_program()), 0);
}

void upgrade_install_script(const char *text)
{
	files_script("droverd.new", "%s", text);
	ck_assert_int_eq(rename(files_path("droverd.new"), upgrade_program()), 0);
}

static const char *absolute(const char *path)
{
	char found[PATH_MAX];

	ck_assert_msg(realpath(path, found), "%s: %m", path);
	return files_text("%s", found);
}

static void use_copy(void)
{
	original = absolute(getenv("DROVERD"));
	ck_assert_int_eq(symlink(absolute(operator_program()), files_path("droverctl")), 0);
	upgrade_install(original);
	ck_assert_int_eq(setenv("DROVERD", upgrade_program(), 1), 0);
}

TCase *upgrade_case(Suite *s, const char *name)
{
	TCase *tc = harness_case(s, name);

	tcase_add_checked_fixture(tc, use_copy, NULL);
	return tc;
}

/* ---- What happens ---- */

void upgrade_wait(struct daemon *d, const char *version)
{
	daemon_wait_for(d, "upgrade-done version=%s", version);
}

void upgrade_to(struct daemon *d, const char *path, const char *version)
{
	upgrade_install(path);
	daemon_signal(d, SIGUSR2);
	upgrade_wait(d, version);
}

void upgrade_to_next(struct daemon *d)
{
	upgrade_to(d, upgrade_built("next_droverd"), NEXT);
}

const char *upgrade_version(void)
{
	ck_assert_int_eq(operator_run_args(control_path(), "version"), 0);
	return operator_output();
}

