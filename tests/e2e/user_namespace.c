/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A user namespace that has root and no other user, as in a container that an ordinary user starts:
 * what drover would do as another user there is done as root without capabilities, and a service of
 * another user says why it cannot start.
 */
#include <config.h>
#include "control_harness.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../certificates.h"
#include "http.h"
#include "tls_client.h"

static struct daemon d;

static bool write_to(const char *path, const char *text)
{
	const int fd = open(path, O_WRONLY | O_CLOEXEC);
	const bool written = fd != -1 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	close(fd);
	return written;
}

/* Our own user is root there. */
static bool enter_namespace(void)
{
	char users[32], groups[32];

	snprintf(users, sizeof users, "0 %u 1", geteuid());
	snprintf(groups, sizeof groups, "0 %u 1", getegid());
	return unshare(CLONE_NEWUSER) == 0 && write_to("/proc/self/setgroups", "deny") &&
	       write_to("/proc/self/uid_map", users) && write_to("/proc/self/gid_map", groups);
}

static void alone(void)
{
	if (!enter_namespace())
		_exit(EXIT_FAILURE);
}

static bool can_enter_namespace(void)
{
	const pid_t child = fork();
	int status = -1;

	if (child == 0)
		_exit(enter_namespace() ? EXIT_SUCCESS : EXIT_FAILURE);
	return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

#define METRICS "metrics = { listen = \"unix:%s\"; };\n"
#define TLS "tls = { chain = \"%s\"; key = \"%s\"; };"

/* A line of /proc/PID/status. */
static const char *status_of(pid_t pid, const char *name)
{
	FILE *f = fopen(files_text("/proc/%d/status", (int)pid), "re");
	char line[256];

	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof line, f))
		if (strncmp(line, name, strlen(name)) == 0)
			break;
	ck_assert_msg(!feof(f), "no %s", name);
	fclose(f);
	return files_text("%s", line);
}

START_TEST(keys_and_figures_are_served_by_root_without_capabilities)
{
	const char *site = files_path("site");
	pid_t keys;
	SSL *ssl;

	certificate_issue(files_path("c"), &(struct certificate_wish){ .names = "DNS:a.example" });
	d.before_exec = alone;
	daemon_config_as_is(&d, "user = \"root\";\n" METRICS "control = { socket = \"none\"; };\n"
	                    SERVICES(SERVICE("s", "echo", TLS " workers = 1;")), site,
	                    files_path("c.pem"), files_path("c.key"));
	daemon_spawn(&d);
	daemon_wait_ready(&d);
	keys = (pid_t)event_number(daemon_wait_for(&d, "key-process-ready"), "pid");
	ssl = tls_client_new(daemon_connect(&d, "s"), &(struct tls_client_wish){ 0 });
	ck_assert(tls_client_shake_hands(ssl));
	tls_client_say(ssl, "hello");
	tls_client_expect(ssl, "hello");
	tls_client_close(ssl);
	http_expect(files_text("unix:%s", site), "/ready", 200, "ready");
	ck_assert_ptr_nonnull(strstr(status_of(keys, "CapEff:"), "0000000000000000"));
	ck_assert_ptr_nonnull(strstr(status_of(keys, "CapPrm:"), "0000000000000000"));
} END_TEST

static const char *const foreign = "control = { socket = \"none\"; };\n"
	SERVICES(SERVICE("s", "echo", "user = \"4711\"; group = \"4712\"; workers = 1;")
	         SERVICE("t", "echo", "user = \"root\"; workers = 1;"));

#define LACKS "service s: this user namespace does not have its user or its group, and its workers cannot start"

START_TEST(the_check_warns_of_a_user_that_is_not_there)
{
	d.before_exec = alone;
	daemon_config_as_is(&d, "%s", foreign);
	ck_assert_int_eq(daemon_run_args(&d, "-t", "-c", d.config), 0);
	ck_assert_msg(strstr(daemon_errors(&d), LACKS), "%s", daemon_errors(&d));
} END_TEST

START_TEST(the_others_are_served)
{
	d.before_exec = alone;
	daemon_config_as_is(&d, "%s", foreign);
	daemon_spawn(&d);
	daemon_wait_ready(&d);
	daemon_check_echo(&d, "t");
	ck_assert_msg(strstr(daemon_errors(&d), LACKS), "%s", daemon_errors(&d));
	ck_assert_msg(strstr(daemon_errors(&d), "set groups: "), "%s", daemon_errors(&d));
} END_TEST

int main(void)
{
	Suite *s = suite_create("user_namespace");
	TCase *tc = harness_case(s, "root alone");
	const bool can = can_enter_namespace();
	const char *why = "a user namespace cannot be made here";

	harness_add_if(can, why, tc, keys_and_figures_are_served_by_root_without_capabilities);
	harness_add_if(can, why, tc, the_check_warns_of_a_user_that_is_not_there);
	harness_add_if(can, why, tc, the_others_are_served);
	return harness_run(s);
}
