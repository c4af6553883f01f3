/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is handed over holds the whole configuration, and so does the program that
 * writes it down or reads it; a worker that it starts afterwards knows only its own.
 */
#include <config.h>
#include "upgrade_harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static struct daemon d;
static const char *secret;

static const char *const config =
	SERVICES(EXEC("keeper", "argv = \"/bin/cat\"; env = [ \"KEY=%s\" ];", "workers = 1;")
	         SERVICE("other", "echo", "workers = 1;"));

/* The newest worker of each. */
static void check(const char *when)
{
	ck_assert_msg(process_remembers(daemon_next_worker(&d, "keeper"), secret), "%s: its own", when);
	ck_assert_msg(!process_remembers(daemon_next_worker(&d, "other"), secret),
	              "%s: a worker has the secret of another service", when);
}

START_TEST(no_worker_has_the_secrets_of_another_service)
{
	secret = files_text("swordfish-%d-in-the-sea", getpid());
	daemon_start(&d, config, secret);
	check("start");
	daemon_reload(&d, config, secret);
	check("reload");
	upgrade_to_next(&d);
	check("upgrade");
	daemon_reload(&d, config, secret);
	check("reload after an upgrade");
	upgrade_to(&d, upgrade_original(), PACKAGE_VERSION);
	check("another upgrade");
} END_TEST

/* It wrote down all of it for nothing, and starts workers again. */
START_TEST(nor_after_an_upgrade_that_failed)
{
	secret = files_text("swordfish-%d-in-the-sea", getpid());
	daemon_start(&d, config, secret);
	check("start");
	upgrade_install_script("exit 0\n");
	daemon_signal(&d, SIGUSR2);
	daemon_wait_for(&d, "upgrade-failed reason=check");
	daemon_reload(&d, config, secret);
	check("reload");
} END_TEST

/* Whether the memory of a child can be read. */
static bool can_trace(void)
{
	const pid_t child = fork();
	char path[64];
	int fd;

	if (child == 0) {
		pause();
		_exit(0);
	}
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
	Suite *s = suite_create("upgrade_secrets");
	TCase *tc = upgrade_case(s, "secrets");
	const bool can = can_trace();

	harness_add_if(can, "the memory of a process cannot be read here", tc,
	               no_worker_has_the_secrets_of_another_service);
	harness_add_if(can, "the memory of a process cannot be read here", tc,
	               nor_after_an_upgrade_that_failed);
	return harness_run(s);
}
