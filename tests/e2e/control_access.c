/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which users may look, which may change something, and which may not even connect.
 */
#include <config.h>
#include "control_harness.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "address.h"

static struct daemon d;

#define LOOKERS "4242"
#define ADMINS  "4343"
#define SHARED  "control = { socket = \"%s\"; mode = \"0666\"; group = \"" LOOKERS "\";" \
                " admin_group = \"" ADMINS "\"; };\n"

struct who {
	uid_t  uid;
	gid_t  gid;
	size_t n_groups;
	gid_t  first_group;             /* the others are above it */
};

static void become(const struct who *who)
{
	gid_t groups[300];

	for (size_t i = 0; i < who->n_groups; i++)
		groups[i] = who->first_group + (gid_t)i;
	if (setgroups(who->n_groups, groups) == -1 || setgid(who->gid) == -1 || setuid(who->uid) == -1)
		_exit(EXIT_FAILURE);
}

static void become_nobody(void)
{
	become(&(struct who){ .uid = 65534, .gid = 65534 });
}

/* A connection that was made by another process, which is gone. */
static int control_as(const struct who *who)
{
	struct address to;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), status;
	pid_t pid;

	ck_assert_int_eq(address_set_path(&to, control_path()), 0);
	pid = fork();
	if (pid == 0) {
		become(who);
		_exit(connect(fd, &to.u.sa, to.len) == -1 ? errno : 0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) == 0)
		return fd;
	close(fd);
	errno = WEXITSTATUS(status);
	return -1;
}

static const struct {
	const char *name;
	struct who  who;
	bool        may_look, may_change;
} rights[] = {
	{ "root",                         { 0, 0, 0, 0 },          true,  true },
	{ "root in strange groups",       { 0, 77, 1, 78 },        true,  true },
	{ "a stranger",                   { 7777, 77, 1, 78 },     false, false },
	{ "one without groups",           { 7777, 77, 0, 0 },      false, false },
	{ "one with root's group",        { 7777, 0, 0, 0 },       false, false },
	{ "a looker by first group",      { 7777, 4242, 0, 0 },    true,  false },
	{ "a looker by another group",    { 7777, 77, 1, 4242 },   true,  false },
	{ "a looker among many groups",   { 7777, 77, 300, 4000 }, true,  false },
	{ "an admin by first group",      { 7777, 4343, 0, 0 },    true,  true },
	{ "an admin by another group",    { 7777, 77, 1, 4343 },   true,  true },
	{ "an admin among many groups",   { 7777, 77, 300, 4100 }, true,  true },
};

START_TEST(groups_decide_what_a_client_may_do)
{
	static const char *const looking[] = {
		"status", "services", "workers", "connections", "blocked", "certificates", "check", "version",
	};
	static const char *const changing[] = {
		"{\"command\":\"reopen-logs\"}",
		"{\"command\":\"scale\",\"service\":\"s\",\"to\":\"2\"}",
		"{\"command\":\"drain\",\"service\":\"s\"}",
		"{\"command\":\"resume\",\"service\":\"s\"}",
		"{\"command\":\"kick\",\"connection\":\"1-1\"}",
		"{\"command\":\"unblock\",\"prefix\":\"192.0.2.7\"}",
		"{\"command\":\"reload\"}",
		"{\"command\":\"stop\"}",
	};
	const char *denied = "\"not-permitted\"";
	int fd;

	daemon_start(&d, SHARED SERVICES(SERVICE("s", "echo", "workers = 2;")), control_path());
	d.may_end = rights[_i].may_change;
	fd = control_as(&rights[_i].who);
	ck_assert_int_ne(fd, -1);
	for (size_t i = 0; i < ARRAY_SIZE(looking); i++) {
		control_say(fd, files_text("{\"command\":\"%s\"}", looking[i]));
		control_expect(fd, rights[_i].may_look ? "\"ok\":true" : denied);
	}
	control_say(fd, "nonsense");
	control_expect(fd, rights[_i].may_look ? "bad-request" : denied);
	for (size_t i = 0; i < ARRAY_SIZE(changing); i++) {
		control_say(fd, changing[i]);
		if (rights[_i].may_change)
			ck_assert_ptr_null(strstr(client_read_line(fd), denied));
		else
			control_expect(fd, denied);
	}
	close(fd);
	if (rights[_i].may_change)
		ck_assert_int_eq(daemon_join(&d), 0);
} END_TEST

START_TEST(the_mode_decides_which_client_may_connect_at_all)
{
	const struct who looker = { 7777, 4242, 0, 0 }, stranger = { 7777, 77, 0, 0 };
	struct stat st;

	daemon_start(&d, "control = { socket = \"%s\"; mode = \"0660\"; group = \"" LOOKERS "\"; };\n"
	             SERVICES(SERVICE("s", "echo", "")), control_path());
	ck_assert_int_eq(stat(control_path(), &st), 0);
	ck_assert_uint_eq(st.st_gid, 4242);
	close(control_as(&looker));
	ck_assert_int_eq(control_as(&stranger), -1);
	ck_assert_int_eq(errno, EACCES);
	daemon_reload(&d, ECHO(""), control_path());
	ck_assert_int_eq(stat(control_path(), &st), 0);
	ck_assert_uint_eq(st.st_gid, 0);
	ck_assert_int_eq(control_as(&looker), -1);
	ck_assert_int_eq(errno, EACCES);
} END_TEST

START_TEST(rights_that_a_reload_takes_away_are_gone)
{
	const struct who looker = { 7777, 4242, 0, 0 };
	int fd;

	daemon_start(&d, SHARED SERVICES(SERVICE("s", "echo", "")), control_path());
	fd = control_as(&looker);
	control_say(fd, "{\"command\":\"version\"}");
	control_expect(fd, "\"ok\":true");
	daemon_reload(&d, ECHO(""), control_path());
	control_say(fd, "{\"command\":\"version\"}");
	control_expect(fd, "\"not-permitted\"");
	close(fd);
} END_TEST

START_TEST(lookers_cannot_keep_an_admin_out)
{
	const struct who looker = { 7777, 4242, 0, 0 };
	int fds[64];

	daemon_start(&d, SHARED SERVICES(SERVICE("s", "echo", "workers = 2;")), control_path());
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = control_as(&looker);
		client_say(fds[i], "{\"command\":\"version\"}\n{");
		control_expect(fds[i], "\"ok\":true");
	}
	daemon_barrier(&d);
	control_check_health(&d);
	control_expect(fds[0], "\"too-many-clients\"");
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
} END_TEST

START_TEST(an_ordinary_user_controls_its_own_daemon)
{
	const struct who owner = { 65534, 65534, 0, 0 }, looker = { 7777, 77, 0, 0 };
	const char *folder = files_mkdir("run");
	int fd;

	ck_assert_int_eq(chmod(folder, 0777), 0);
	d.before_exec = become_nobody;
	daemon_config_as_is(&d, "control = { socket = \"%s\"; mode = \"0666\"; };\n"
	                    SERVICES(SERVICE("s", "echo", "")), files_path("run/c.sock"));
	daemon_spawn(&d);
	daemon_wait_ready(&d);
	ck_assert_int_eq(symlink("run/c.sock", control_path()), 0);
	fd = control_as(&owner);
	control_say(fd, "{\"command\":\"reload\"}");
	control_expect(fd, "\"generation\":2");
	close(fd);
	fd = control_as(&looker);
	control_say(fd, "{\"command\":\"version\"}");
	control_expect(fd, "\"not-permitted\"");
	close(fd);
} END_TEST

START_TEST(a_group_that_is_not_ours_needs_root)
{
	d.before_exec = become_nobody;
	daemon_config_as_is(&d, "\ncontrol = { socket = \"%s\"; group = \"" LOOKERS "\"; };\n"
	                    SERVICES(SERVICE("s", "echo", "")), control_path());
	ck_assert_int_eq(daemon_run_args(&d, "-c", d.config), 77);
	harness_contains(daemon_errors(&d), files_text("%s:2: control: group " LOOKERS
	                                               " of the socket needs root", d.config));
} END_TEST

int main(void)
{
	Suite *s = suite_create("control_access");
	TCase *tc = harness_case(s, "access");

	if (harness_is_root())
		tcase_add_loop_test(tc, groups_decide_what_a_client_may_do, 0, ARRAY_SIZE(rights));
	else
		harness_skip("groups_decide_what_a_client_may_do", "only root can become any user");
	harness_add_for_root(tc, the_mode_decides_which_client_may_connect_at_all);
	harness_add_for_root(tc, rights_that_a_reload_takes_away_are_gone);
	harness_add_for_root(tc, lookers_cannot_keep_an_admin_out);
	harness_add_for_root(tc, an_ordinary_user_controls_its_own_daemon);
	harness_add_for_root(tc, a_group_that_is_not_ours_needs_root);
	return harness_run(s);
}
