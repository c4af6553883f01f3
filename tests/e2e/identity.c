/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The identity of workers, and what they can reach. Most of it can only be tested
 * as root; the rest is what other users are refused.
 */
#include <config.h>
#include "harness.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "capabilities.h"

static struct daemon d;

#define ECHO_WITH(settings) SERVICES(SERVICE("s", "echo", "workers = 1; " settings))

static const struct passwd *nobody(void)
{
	const struct passwd *pw = getpwnam("nobody");

	ck_assert_ptr_nonnull(pw);
	return pw;
}

/* ---- As root: what the unit hides ---- */

/* As a unit of systemd does: root without the capabilities to pass any folder. */
static void enter_unit(void)
{
	if (process_give_up(CAP_DAC_OVERRIDE) == -1 || process_give_up(CAP_DAC_READ_SEARCH) == -1 ||
	    setenv("INVOCATION_ID", "0123456789abcdef0123456789abcdef", 1) == -1)
		_exit(EXIT_FAILURE);
}

/* The key that the error names, and the text before and behind the folder. */
static const char *const hidden[][3] = {
	{ "argv", "handler = { type = \"exec\"; argv = \"", "/run\"; };" },
	{ "directory", "handler = { type = \"echo\"; }; directory = \"", "/x\";" },
	{ "chroot", "handler = { type = \"echo\"; }; chroot = \"", "/x\";" },
};

static void check_hidden(const char *folder, const char *const row[3])
{
	const char *errors;

	daemon_config_as_is(&d, "user = \"root\"; services = { s = { listen = \"127.0.0.1:0\";"
	                    " %s%s%s }; };\n", row[1], folder, row[2]);
	ck_assert_int_eq(daemon_run_args(&d, "-c", d.config), 78);
	errors = daemon_errors(&d);
	ck_assert_msg(strstr(errors, row[0]) != NULL, "%s", errors);
	ck_assert_msg(strstr(errors, "ermission denied") != NULL, "%s", errors);
	ck_assert_msg(strstr(errors, "(PrivateTmp= of the systemd unit hides /tmp; the example drop-in"
	                     " tmp.conf shows it)") != NULL, "%s", errors);
}

START_TEST(what_the_unit_hides_is_refused_there_with_its_name)
{
	const char *folder = files_mkdir("hidden");

	files_mkdir("hidden/x");
	files_write("hidden/run", "#!/bin/sh\n");
	ck_assert_int_eq(chmod(files_path("hidden/run"), 0755), 0);
	ck_assert_int_eq(chmod(folder, 0), 0);
	d.before_exec = enter_unit;
	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++)
		check_hidden(folder, hidden[i]);
} END_TEST

/* ---- As root: the identity of workers ---- */

/* "1\t1\t1\t1": real, effective, saved, of the file system. */
static const char *four_times(unsigned int id)
{
	return files_text("%1$u\t%1$u\t%1$u\t%1$u", id);
}

static void check_no_capabilities(pid_t pid)
{
	static const char *const sets[] = { "CapInh", "CapPrm", "CapEff", "CapAmb" };

	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		ck_assert_msg(strspn(process_status(pid, sets[i]), "0") == 16, "%s is %s", sets[i],
		              process_status(pid, sets[i]));
}

/* More than a server should have: groups, and an ambient capability. */
static void take_much(void)
{
	const gid_t groups[] = { 1, 2, 3 };
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2];

	if (setgroups(ARRAY_SIZE(groups), groups) == -1 || syscall(SYS_capget, &header, caps) == -1)
		_exit(EXIT_FAILURE);
	caps[0].inheritable |= 1u << CAP_NET_BIND_SERVICE;
	if (syscall(SYS_capset, &header, caps) == -1 ||
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0, 0) == -1)
		_exit(EXIT_FAILURE);
}

START_TEST(a_worker_is_its_user_and_nothing_else)
{
	const struct passwd *pw = nobody();
	pid_t pid;

	d.before_exec = take_much;
	daemon_start(&d, ECHO_WITH("user = \"nobody\";"));
	pid = daemon_next_worker(&d, "s");
	ck_assert_str_eq(process_status(pid, "Uid"), four_times(pw->pw_uid));
	ck_assert_str_eq(process_status(pid, "Gid"), four_times(pw->pw_gid));
	ck_assert_int_eq(atoi(process_status(pid, "Groups")), (int)pw->pw_gid);
	ck_assert_ptr_null(strchr(process_status(pid, "Groups"), '\t'));
	ck_assert_str_eq(process_status(pid, "NoNewPrivs"), "1");
	check_no_capabilities(pid);
} END_TEST

START_TEST(a_group_of_its_own_replaces_that_of_the_user)
{
	pid_t pid;

	daemon_start(&d, ECHO_WITH("user = \"nobody\"; group = \"daemon\";"));
	pid = daemon_next_worker(&d, "s");
	ck_assert_str_eq(process_status(pid, "Uid"), four_times(nobody()->pw_uid));
	ck_assert_str_eq(process_status(pid, "Gid"), four_times(getgrnam("daemon")->gr_gid));
} END_TEST

/* A user with a supplementary group; NULL if there is none here. */
static const char *member_of_a_group(gid_t *gid)
{
	static char user[64];
	struct group *gr;

	user[0] = '\0';
	setgrent();
	while (!user[0] && (gr = getgrent())) {
		const struct passwd *pw = gr->gr_mem[0] ? getpwnam(gr->gr_mem[0]) : NULL;

		if (pw && pw->pw_gid != gr->gr_gid) {
			snprintf(user, sizeof user, "%s", gr->gr_mem[0]);
			*gid = gr->gr_gid;
		}
	}
	endgrent();
	return user[0] ? user : NULL;
}

START_TEST(a_worker_is_in_the_groups_of_its_user)
{
	gid_t gid;
	const char *user = member_of_a_group(&gid);
	const char *groups;

	daemon_start(&d, ECHO_WITH("user = \"%s\";"), user);
	groups = files_text(" %s ", process_status(daemon_next_worker(&d, "s"), "Groups"));
	ck_assert_msg(strstr(groups, files_text(" %u ", gid)), "%s is not in %u, but in%s", user, gid,
	              groups);
} END_TEST

START_TEST(services_have_users_of_their_own)
{
	daemon_start(&d, SERVICES(SERVICE("a", "echo", "workers = 1; user = \"nobody\";")
	                          SERVICE("b", "echo", "workers = 1; user = \"daemon\";")));
	ck_assert_str_eq(process_status(daemon_next_worker(&d, "a"), "Uid"),
	                 four_times(nobody()->pw_uid));
	ck_assert_str_eq(process_status(daemon_next_worker(&d, "b"), "Uid"),
	                 four_times(getpwnam("daemon")->pw_uid));
} END_TEST

START_TEST(a_program_is_the_user_of_its_service)
{
	const char *status;

	daemon_start(&d, SERVICES(EXEC("s", "argv = [ \"/bin/cat\", \"/proc/self/status\" ];",
	                               "workers = 1; user = \"nobody\";")));
	status = client_ask(daemon_address(&d, "s", 0));
	ck_assert_str_eq(process_field(status, "Uid"), four_times(nobody()->pw_uid));
	ck_assert_str_eq(process_field(status, "CapEff"), "0000000000000000");
} END_TEST

/* Services by the capabilities that their programs can gain; none: they can gain nothing. */
static const struct {
	const char *name, *type, *settings;
	bool none;
} bounds[] = {
	{ "builtin",  "echo", "user = \"nobody\";", true },
	{ "lax",      "echo", "user = \"nobody\"; no_new_privs = false;", true },
	{ "rooted",   "echo", "user = \"root\";", true },
	{ "program",  "exec", "user = \"nobody\";", true },
	{ "sudo",     "exec", "user = \"nobody\"; no_new_privs = false;", false },
	{ "admin",    "exec", "user = \"root\";", false },
};

#define BOUNDS_TEXT 64

static void bounds_of(pid_t pid, char text[static BOUNDS_TEXT])
{
	snprintf(text, BOUNDS_TEXT, "%s", process_status(pid, "CapBnd"));
}

static void start_all_bounds(void)
{
	static char config[4096];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(bounds); i++)
		n += (size_t)snprintf(config + n, sizeof config - n, " %s = { listen = \"127.0.0.1:0\";"
		                      " workers = 1; handler = { type = \"%s\";%s }; %s };",
		                      bounds[i].name, bounds[i].type, strcmp(bounds[i].type, "exec") == 0
		                      ? " argv = [ \"/bin/cat\", \"/proc/self/status\" ];" : "",
		                      bounds[i].settings);
	daemon_start(&d, SERVICES("%s"), config);
}

START_TEST(the_bounding_set_is_empty_where_no_program_needs_it)
{
	char of_master[BOUNDS_TEXT], of_worker[BOUNDS_TEXT];

	start_all_bounds();
	bounds_of(d.pid, of_master);
	ck_assert_str_ne(of_master, "0000000000000000");
	for (size_t i = 0; i < ARRAY_SIZE(bounds); i++) {
		const char *want = bounds[i].none ? "0000000000000000" : of_master;

		bounds_of(daemon_next_worker(&d, bounds[i].name), of_worker);
		ck_assert_msg(strcmp(of_worker, want) == 0, "%s has %s", bounds[i].name, of_worker);
		if (strcmp(bounds[i].type, "exec") == 0)
			ck_assert_str_eq(process_field(client_ask(daemon_address(&d, bounds[i].name, 0)),
			                               "CapBnd"), want);
	}
} END_TEST

static void lack_setpcap(void)
{
	if (process_give_up(CAP_SETPCAP) == -1)
		_exit(EXIT_FAILURE);
}

START_TEST(without_setpcap_the_bounding_set_stays_and_all_is_served)
{
	char of_master[BOUNDS_TEXT], of_worker[BOUNDS_TEXT];

	d.before_exec = lack_setpcap;
	daemon_start(&d, ECHO_WITH("user = \"nobody\";"));
	bounds_of(d.pid, of_master);
	bounds_of(daemon_next_worker(&d, "s"), of_worker);
	ck_assert_str_eq(of_worker, of_master);
	daemon_check_echo(&d, "s");
} END_TEST

START_TEST(a_worker_is_confined_to_its_chroot)
{
	const char *jail = files_mkdir("jail");
	pid_t pid;

	files_mkdir("jail/inside");
	daemon_start(&d, ECHO_WITH("user = \"nobody\"; chroot = \"%s\"; directory = \"/inside\";"), jail);
	pid = daemon_next_worker(&d, "s");
	ck_assert_str_eq(process_link(pid, "root"), jail);
	ck_assert_str_eq(process_link(pid, "cwd"), files_text("%s/inside", jail));
	daemon_check_echo(&d, "s");
} END_TEST

static void check_nice(int value)
{
	const char *group;
	pid_t pid;

	daemon_start(&d, ECHO_WITH("user = \"nobody\"; nice = %d;"), value);
	pid = daemon_next_worker(&d, "s");
	ck_assert_int_eq(getpriority(PRIO_PROCESS, (id_t)pid), value);
	/* Where sessions are scheduled as groups: "/autogroup-12 nice 7". */
	group = strstr(process_file(files_text("/proc/%d/autogroup", pid)), " nice ");
	if (group && capabilities_have(CAP_SYS_ADMIN))   /* else a second one in 100 ms is refused */
		ck_assert_int_eq(strtol(group + strlen(" nice "), NULL, 10), value);
}

START_TEST(a_worker_may_be_nicer)
{
	check_nice(7);
} END_TEST

START_TEST(a_worker_may_be_less_nice)
{
	check_nice(-7);
} END_TEST

START_TEST(a_unix_socket_has_the_owner_that_was_asked_for)
{
	const char *path = files_path("s.sock");
	struct stat st;

	daemon_start(&d, SERVICES(SERVICE_AT("s", "( { address = \"unix:%s\"; owner = \"nobody\";"
	             " group = \"daemon\"; mode = \"0640\"; } )", "echo", "workers = 1;")), path);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_uid, nobody()->pw_uid);
	ck_assert_uint_eq(st.st_gid, getgrnam("daemon")->gr_gid);
	ck_assert_uint_eq(st.st_mode & 0777, 0640);
} END_TEST

START_TEST(a_worker_cannot_remember_the_secrets_of_another_service)
{
	const char *const config = SERVICES(
		EXEC("keeper", "argv = \"/bin/cat\"; env = [ \"KEY=%s\" ];", "workers = 1; user = \"nobody\";")
		SERVICE("other", "echo", "workers = 1; user = \"nobody\";"));
	const char *secret = files_text("swordfish-%d-in-the-sea", getpid());

	daemon_start(&d, config, secret);
	ck_assert(process_remembers(daemon_next_worker(&d, "keeper"), secret));
	ck_assert(!process_remembers(daemon_next_worker(&d, "other"), secret));
	daemon_reload(&d, config, secret);
	ck_assert(process_remembers(daemon_next_worker(&d, "keeper"), secret));
	ck_assert(!process_remembers(daemon_next_worker(&d, "other"), secret));
} END_TEST

START_TEST(root_must_name_the_user_of_its_workers)
{
	daemon_config_as_is(&d, ECHO_WITH(""));
	ck_assert_int_eq(daemon_run_args(&d, "-c", d.config), 78);
	harness_contains(daemon_errors(&d), files_text("%s:1:", d.config));
	harness_contains(daemon_errors(&d), "service s needs a user (set user = \"...\" in the"
	                 " service or at the top level; user = \"root\" to run as root on"
	                 " purpose)");
} END_TEST

START_TEST(without_a_file_root_serves_as_nobody)
{
	const struct passwd *nobody = getpwnam("nobody");

	ck_assert_ptr_nonnull(nobody);
	daemon_spawn_with(&d, (const char *const[]){
		"--listen", "127.0.0.1:0", "--name", "s", "--workers", "1", "--", "id", "-u", NULL });
	daemon_wait_ready(&d);
	ck_assert_str_eq(client_ask(daemon_address(&d, "s", 0)), files_text("%u\n", nobody->pw_uid));
	ck_assert_uint_eq(files_count(daemon_errors(&d), "the service runs as nobody"), 1);
} END_TEST

START_TEST(without_a_file_root_may_name_a_user)
{
	daemon_spawn_with(&d, (const char *const[]){
		"--listen", "127.0.0.1:0", "--name", "s", "--workers", "1", "--user", "root", "--", "id", "-u",
		NULL });
	daemon_wait_ready(&d);
	ck_assert_str_eq(client_ask(daemon_address(&d, "s", 0)), "0\n");
	ck_assert_ptr_null(strstr(daemon_errors(&d), "nobody"));
} END_TEST

/* ---- As any user ---- */

START_TEST(a_worker_has_the_umask_of_its_service)
{
	daemon_start(&d, ECHO_WITH("umask = \"037\";"));
	ck_assert_str_eq(process_status(daemon_next_worker(&d, "s"), "Umask"), "0037");
} END_TEST

START_TEST(a_worker_runs_on_the_processors_of_its_service)
{
	daemon_start(&d, ECHO_WITH("cpus = \"0\";"));
	ck_assert_str_eq(process_status(daemon_next_worker(&d, "s"), "Cpus_allowed_list"), "0");
} END_TEST

START_TEST(a_worker_has_the_limits_of_its_service)
{
	const char *limits;

	daemon_start(&d, ECHO_WITH("connections = 10; rlimits = { nofile = 64; core = 0; };"));
	limits = files_read(files_text("/proc/%d/limits", daemon_next_worker(&d, "s")));
	harness_contains(limits, "Max open files            64                   64 ");
	harness_contains(limits, "Max core file size        0                    0 ");
} END_TEST

/* ---- As an ordinary user ---- */

static void become_nobody(void)
{
	const struct passwd *pw = getpwnam("nobody");

	if (geteuid() != 0)
		return;         /* ordinary already */
	if (setgroups(0, NULL) == -1 || setgid(pw->pw_gid) == -1 || setuid(pw->pw_uid) == -1)
		_exit(EXIT_FAILURE);
}

static const char *const privileged[] = {
	"user = \"root\";",
	"group = \"root\";",
	"chroot = \"/\";",
	"nice = -20;",
	"rlimits = { nofile = 2000000000; };",
};

START_TEST(what_needs_root_is_refused_to_an_ordinary_user)
{
	d.before_exec = become_nobody;
	daemon_config_as_is(&d, "\n" ECHO_WITH("%s"), privileged[_i]);
	ck_assert_int_eq(daemon_run_args(&d, "-c", d.config), 77);
	ck_assert_msg(strstr(daemon_errors(&d), files_text("%s:2:", d.config)), "for %s it says:\n%s",
	              privileged[_i], daemon_errors(&d));
	ck_assert_uint_eq(daemon_saw(&d, "worker-start"), 0);
} END_TEST

START_TEST(but_anybody_may_check_a_configuration_that_needs_root)
{
	d.before_exec = become_nobody;
	daemon_config_as_is(&d, ECHO_WITH("%s"), privileged[_i]);
	ck_assert_int_eq(daemon_run_args(&d, "-t", "-c", d.config), 0);
} END_TEST

START_TEST(an_ordinary_user_may_name_itself)
{
	const char *name = harness_is_root() ? "nobody" : getpwuid(geteuid())->pw_name;

	d.before_exec = become_nobody;
	daemon_config_as_is(&d, ECHO_WITH("user = \"%s\";"), name);
	daemon_spawn(&d);
	daemon_wait_ready(&d);
	daemon_check_echo(&d, "s");
} END_TEST

START_TEST(without_a_user_programs_are_not_told_of_one)
{
	const char *answer;

	d.before_exec = become_nobody;
	daemon_config_as_is(&d, SERVICES(EXEC("s", "argv = \"/usr/bin/env\";", "workers = 1;")));
	daemon_spawn(&d);
	daemon_wait_ready(&d);
	answer = client_ask(daemon_address(&d, "s", 0));
	harness_contains(answer, "PATH=");
	ck_assert_ptr_null(strstr(answer, "HOME="));
	ck_assert_ptr_null(strstr(answer, "USER="));
} END_TEST

/* Root as it is outside of containers that take this away. */
static bool has_setpcap(void)
{
	return harness_is_root() && prctl(PR_CAPBSET_READ, CAP_SETPCAP, 0, 0, 0) == 1;
}

int main(void)
{
	Suite *s = suite_create("identity");
	TCase *tc = harness_case(s, "root");
	gid_t gid;

	harness_add_for_root(tc, what_the_unit_hides_is_refused_there_with_its_name);
	harness_add_for_root(tc, a_worker_is_its_user_and_nothing_else);
	harness_add_for_root(tc, a_group_of_its_own_replaces_that_of_the_user);
	harness_add_if(harness_is_root() && member_of_a_group(&gid),
	               "wants root, and a user with a supplementary group", tc,
	               a_worker_is_in_the_groups_of_its_user);
	harness_add_for_root(tc, services_have_users_of_their_own);
	harness_add_for_root(tc, a_program_is_the_user_of_its_service);
	harness_add_if(has_setpcap(), "wants root with the capability SETPCAP", tc,
	               the_bounding_set_is_empty_where_no_program_needs_it);
	harness_add_if(has_setpcap(), "wants root with the capability SETPCAP", tc,
	               without_setpcap_the_bounding_set_stays_and_all_is_served);
	harness_add_for_root(tc, a_worker_is_confined_to_its_chroot);
	harness_add_for_root(tc, a_unix_socket_has_the_owner_that_was_asked_for);
	harness_add_for_root(tc, a_worker_cannot_remember_the_secrets_of_another_service);
	harness_add_for_root(tc, root_must_name_the_user_of_its_workers);
	harness_add_if(harness_is_root() && getpwnam("nobody"), "wants root, and a user nobody", tc,
	               without_a_file_root_serves_as_nobody);
	harness_add_for_root(tc, without_a_file_root_may_name_a_user);
	harness_add_for_root(tc, a_worker_may_be_nicer);
	harness_add_for_root(tc, a_worker_may_be_less_nice);

	tc = harness_case(s, "everybody");
	tcase_add_test(tc, a_worker_has_the_umask_of_its_service);
	tcase_add_test(tc, a_worker_runs_on_the_processors_of_its_service);
	tcase_add_test(tc, a_worker_has_the_limits_of_its_service);

	tc = harness_case(s, "ordinary");
	tcase_add_loop_test(tc, what_needs_root_is_refused_to_an_ordinary_user, 0,
	                    ARRAY_SIZE(privileged));
	tcase_add_loop_test(tc, but_anybody_may_check_a_configuration_that_needs_root, 0,
	                    ARRAY_SIZE(privileged));
	tcase_add_test(tc, an_ordinary_user_may_name_itself);
	tcase_add_test(tc, without_a_user_programs_are_not_told_of_one);
	return harness_run(s);
}
