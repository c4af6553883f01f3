/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Configurations of several files, chroots, identities, and what needs root.
 */
#include <config.h>
#include "conf_harness.h"
#include "conf_glob.h"
#include "conf_sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define ECHO "listen = \"*:0\"; handler = { type = \"echo\"; }; "
#define UNPRIVILEGED 65534

static char folder[64];

static void make_folder(void)
{
	umask(022);             /* of files that others can write is warned */
	strcpy(folder, "/tmp/drover-conf-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf '%s'", folder);
	ck_assert_int_eq(system(command), 0);
	arena_close(&arena);
}

static const char *path_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static void make_dir(const char *name)
{
	ck_assert_int_eq(mkdir(path_of(name), 0755), 0);
}

static void write_file(const char *name, const char *text)
{
	FILE *out = fopen(path_of(name), "we");

	ck_assert_ptr_nonnull(out);
	fputs(text, out);
	ck_assert_int_eq(fclose(out), 0);
}

static struct conf *load_main(const char *text)
{
	write_file("main.conf", text);
	return load_from(path_of("main.conf"), NULL);
}

static bool complained(const char *what)
{
	return strstr(complaints, what) != NULL;
}

START_TEST(included_files_add_services_in_the_order_of_their_names)
{
	const struct conf *conf;

	make_dir("conf.d");
	write_file("conf.d/1.conf", "services = { zoo = { " ECHO " }; };");
	write_file("conf.d/2.conf", "services = { ant = { " ECHO " }; };");
	write_file("conf.d/3.conf.old", "= = =");
	conf = load_main("include = [ \"conf.d/*.conf\", \"none.d/*.conf\" ];"
	                 "services = { mid = { " ECHO " }; };");
	ck_assert_msg(conf != NULL, "%s", complaints);
	ck_assert_uint_eq(conf->n_services, 3);
	ck_assert_str_eq(conf->services[0]->name, "ant");
	ck_assert_str_eq(conf->services[1]->name, "mid");
	ck_assert_str_eq(conf->services[2]->name, "zoo");
	ck_assert_str_eq(conf->file, path_of("main.conf"));
	ck_assert_str_eq(conf->files_read[0], path_of("main.conf"));
	ck_assert_str_eq(conf->files_read[1], path_of("conf.d/1.conf"));
	ck_assert_str_eq(conf->files_read[2], path_of("conf.d/2.conf"));
	ck_assert_ptr_null(conf->files_read[3]);
	ck_assert_str_eq(conf->files_passed[0], path_of("conf.d/3.conf.old"));
	ck_assert_ptr_null(conf->files_passed[1]);
	ck_assert_str_eq(conf->services[0]->place.file, path_of("conf.d/2.conf"));
} END_TEST

START_TEST(the_main_file_is_not_included_in_itself)
{
	const struct conf *conf = load_main("include = \"*.conf\";"
	                                    "services = { s = { " ECHO " }; };");

	ck_assert_msg(conf != NULL, "%s", complaints);
	ck_assert_ptr_null(conf->files_read[1]);
	ck_assert_ptr_null(conf->files_passed[0]);
} END_TEST

START_TEST(a_folder_with_the_letters_of_patterns_is_itself)
{
	const struct conf *conf;

	make_dir("[a]*");
	write_file("[a]*/x.conf", "services = { s = { " ECHO " }; };");
	write_file("[a]*/main.conf", "include = \"x*.conf\";");
	conf = load_from(path_of("[a]*/main.conf"), NULL);
	ck_assert_msg(conf != NULL, "%s", complaints);
	ck_assert_uint_eq(conf->n_services, 1);
} END_TEST

START_TEST(a_comment_may_end_a_file_without_a_newline)
{
	const struct conf *conf = load_main("services = { s = { " ECHO " }; };\n# last words");

	ck_assert_msg(conf != NULL, "%s", complaints);
} END_TEST

START_TEST(included_files_are_held_to_their_rules)
{
	write_file("a.inc", "user = \"root\";\nservices = { one = { " ECHO " }; };");
	write_file("b.inc", "services = {\n one = { " ECHO " }; };");
	write_file("c.inc", "services = {\n\n broken");
	ck_assert_ptr_null(load_main("include = [ \"*.inc\", \"missing\" ]; nice = 1;"));
	ck_assert(complained("a.inc:1: user cannot stand in an included file"));
	ck_assert(complained("b.inc:2: services.one is defined twice (the first time at "));
	ck_assert(complained("a.inc:2)"));
	ck_assert(complained("c.inc:"));
	ck_assert(complained("syntax error"));
	ck_assert(complained("main.conf:1: cannot open "));
	ck_assert(complained("missing: No such file or directory"));
	ck_assert(complained("main.conf:1: nice is not a known key"));
} END_TEST

static char last_complaint[512];

static void keep_last_of_include(void *arg, enum conf_weight weight, const char *line)
{
	(void)arg, (void)weight;
	if (strstr(line, "include takes"))
		snprintf(last_complaint, sizeof last_complaint, "%s", line);
}

/* Ten links of a folder to itself: each star has ten times as many names to look at. */
START_TEST(a_pattern_looks_at_a_bounded_number_of_names)
{
	char name[16];

	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof name, "%d.d", i);
		ck_assert_int_eq(symlink(".", path_of(name)), 0);
	}
	ck_assert_ptr_null(load_main("nice = 1;\ninclude = \"*.d/*.d/*.d/*.d/*.d/*.conf\";"));
	ck_assert(complained("main.conf:1: nice is not a known key"));
	ck_assert(complained("main.conf:2: include looks at more than 100000 names, the last of them for"
	                     " \"*.d/*.d/*.d/*.d/*.d/*.conf\" (a pattern that names its folders, as in"
	                     " \"conf.d/*.conf\")"));
	ck_assert_ptr_null(strstr(complaints, "not a regular file"));
} END_TEST

START_TEST(what_is_looked_at_is_counted)
{
	size_t left = 100;
	glob_t found;

	write_file("a.inc", "");
	write_file("b.inc", "");
	ck_assert_int_eq(conf_glob(path_of("*.inc"), 0, &found, &left), 0);
	ck_assert_uint_eq(found.gl_pathc, 2);
	ck_assert_uint_eq(left, 96);            /* with . and .. */
	globfree(&found);
	left = 3;
	ck_assert_int_eq(conf_glob(path_of("*.inc"), 0, &found, &left), GLOB_ABORTED);
	ck_assert_int_eq(errno, E2BIG);
	globfree(&found);
	left = 0;
	ck_assert_int_eq(conf_glob(path_of("a.inc"), 0, &found, &left), 0);
	ck_assert_uint_eq(found.gl_pathc, 1);
	globfree(&found);
} END_TEST

/* One that is not there is a file as well: this test does not write that many. */
START_TEST(a_bounded_number_of_files_is_taken)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	const struct conf *conf;
	struct arena a;
	int status;

	fputs("include = [ \"0\"", out);
	for (int i = 1; i <= CONF_FILES_MAX; i++)
		fprintf(out, ", \"%d\"", i);
	fputs(" ];", out);
	fclose(out);
	write_file("main.conf", text);
	free(text);
	ck_assert_int_eq(arena_open(&a, CONF_ARENA_SIZE), 0);
	last_complaint[0] = '\0';
	status = conf_load_for(CONF_FOR_SHELL, &a, path_of("main.conf"), NULL, NULL, keep_last_of_include, NULL, &conf);
	ck_assert_int_eq(status, EX_CONFIG);
	unit_contains(last_complaint, "main.conf:1: include takes more than 10000 files");
	arena_close(&a);
} END_TEST

START_TEST(only_plain_text_files_are_read)
{
	FILE *out;

	ck_assert_ptr_null(load_from(path_of("none.conf"), NULL));
	ck_assert(complained("none.conf:1: cannot open "));
	ck_assert_ptr_null(load_from(folder, NULL));
	ck_assert(complained("is not a regular file"));
	ck_assert_int_eq(mkfifo(path_of("pipe"), 0600), 0);
	ck_assert_ptr_null(load_from(path_of("pipe"), NULL));
	ck_assert(complained("is not a regular file"));
	out = fopen(path_of("nul"), "we");
	fwrite("a = 1;\n\0b", 1, 9, out);
	fclose(out);
	ck_assert_ptr_null(load_from(path_of("nul"), NULL));
	ck_assert(complained("nul:2: a NUL byte"));
	write_file("big", "");
	ck_assert_int_eq(truncate(path_of("big"), CONF_FILE_MAX + 1), 0);
	ck_assert_ptr_null(load_from(path_of("big"), NULL));
	ck_assert(complained("is too large (at most 4 MB)"));
} END_TEST

START_TEST(a_relative_name_is_made_absolute)
{
	const struct conf *conf;

	write_file("main.conf", "services = { s = { " ECHO " }; };");
	ck_assert_int_eq(chdir(folder), 0);
	conf = load_from("./main.conf", NULL);
	ck_assert_ptr_nonnull(conf);
	ck_assert_str_eq(conf->file, path_of("main.conf"));
	ck_assert_int_eq(chdir("/"), 0);
} END_TEST

START_TEST(paths_are_judged_inside_the_chroot)
{
	static const char format[] = "services = { s = { listen = \"*:0\"; chroot = \"%s\";"
		" directory = \"%s\"; handler = { type = \"exec\"; argv = \"%s\"; }; }; };";
	char text[512];

	make_dir("bin");
	write_file("bin/prog", "\177ELF\1");
	ck_assert_int_eq(chmod(path_of("bin/prog"), 0755), 0);
	/* Absolute, and so inside the chroot another file than outside. */
	ck_assert_int_eq(symlink("/bin/prog", path_of("link")), 0);
	ck_assert_int_eq(symlink("/usr/bin/env", path_of("outside")), 0);
	snprintf(text, sizeof text, format, folder, "/bin", "/link");
	load_well(text);
	snprintf(text, sizeof text, format, folder, "/usr", "/outside");
	ck_assert_ptr_null(load(text));
	ck_assert(complained("services.s.directory is /usr in /tmp/drover-conf-"));
	ck_assert(complained("cannot execute /outside in /tmp/drover-conf-"));
} END_TEST

/* What is written to the file, and a part of the complaint. */
static const struct {
	const char *text, *want;
} scripts[] = {
	{ "#!/bin/sh\r\necho\r\n", "its interpreter \"/bin/sh\\r\" does not exist (the first line ends in CR)" },
	{ "#!/no/such/python\n", "its interpreter \"/no/such/python\" does not exist" },
	{ "echo hello\n", "#! line" },
};

START_TEST(a_script_that_cannot_be_executed_is_refused)
{
	char text[512];

	write_file("script", scripts[_i].text);
	ck_assert_int_eq(chmod(path_of("script"), 0755), 0);
	snprintf(text, sizeof text, "services = { s = { listen = \"*:0\"; handler = {"
	         " type = \"exec\";\n argv = \"%s\"; }; }; };", path_of("script"));
	ck_assert_ptr_null(load(text));
	ck_assert_msg(complained("t.conf:2: services.s.handler.argv cannot execute ") &&
	              complained(scripts[_i].want), "%s", complaints);
} END_TEST

START_TEST(the_main_file_is_told_first_and_the_others_by_name)
{
	make_dir("a.d");
	write_file("a.d/2.conf", "services = { b = { " ECHO " nice = 92; }; };");
	write_file("a.d/1.conf", "services = { c = { " ECHO " nice = 91; }; };");
	ck_assert_ptr_null(load_main("include = \"a.d/*.conf\";\nservices = { d = { " ECHO " nice = 90; }; };"));
	unit_contains(complaints, "main.conf:2:");
	unit_contains(strstr(complaints, "main.conf:2:"), "1.conf:1:");
	unit_contains(strstr(complaints, "1.conf:1:"), "2.conf:1:");
} END_TEST

START_TEST(a_user_brings_group_home_and_shell)
{
	const struct conf *conf = load_well(
		"user = \"root\"; group = \"daemon\"; services = {"
		" inherits = { " ECHO " };"
		" other = { " ECHO " user = \"daemon\"; };"
		" number = { " ECHO " user = \"4000000\"; group = \"4000001\"; };"
		" regroup = { " ECHO " group = \"root\"; }; };");
	const struct conf_identity *inherits = &conf->services[0]->identity;
	const struct conf_identity *number = &conf->services[1]->identity;
	const struct conf_identity *other = &conf->services[2]->identity;
	const struct conf_identity *regroup = &conf->services[3]->identity;

	ck_assert_uint_eq(inherits->uid, 0);
	ck_assert_uint_eq(inherits->gid, getgrnam("daemon")->gr_gid);
	ck_assert_str_eq(inherits->home, "/root");
	ck_assert_ptr_null(other->group);
	ck_assert_uint_gt(other->n_groups, 0);
	ck_assert_uint_eq(other->groups[0], other->gid);
	ck_assert_uint_eq(number->uid, 4000000);
	ck_assert_uint_eq(number->gid, 4000001);
	ck_assert_ptr_null(number->home);
	ck_assert_uint_eq(number->n_groups, 0);
	ck_assert_uint_eq(regroup->uid, 0);
	ck_assert_uint_eq(regroup->gid, 0);
} END_TEST

static int load_here(enum conf_asker asker, const char *text)
{
	const struct conf *conf;
	int status;

	complaints[0] = '\0';
	arena_close(&arena);
	ck_assert_int_eq(arena_open(&arena, CONF_ARENA_SIZE), 0);
	status = conf_load_for(asker, &arena, "t.conf", text, NULL, keep_complaint, NULL, &conf);
	ck_assert((status == 0) == (conf != NULL));
	return status;
}

START_TEST(users_are_judged_in_the_same_run_as_everything_else)
{
	ck_assert_int_eq(load_here(CONF_FOR_DAEMON, "uzer = 1;\nservices = { a = { " ECHO " };\n"
	                           "b = { " ECHO " user = \"no-such-user\"; };\n"
	                           "c = { " ECHO " nice = 77; };\n};"), EX_CONFIG);
	ck_assert(complained("t.conf:1: uzer"));
	ck_assert(complained("t.conf:3: user \"no-such-user\" does not exist"));
	ck_assert(!complained("service b needs"));
	ck_assert(complained("t.conf:4: services.c.nice"));
	if (geteuid() == 0)
		ck_assert(complained("t.conf:2: service a needs a user"));
} END_TEST

/* Every kind of path, each hidden but those of services that end in "seen". */
#define HIDDEN \
	"user = \"root\"; pid_file = \"/tmp/p\";\n" \
	"log = { target = \"/home/l\"; };\n" \
	"access_log = { target = \"/var/tmp/l\"; };\n" \
	"control = { socket = \"/root/c\"; };\n" \
	"services = {\n" \
	"a = { listen = \"unix:/tmp/a\"; handler = { type = \"echo\"; }; };\n" \
	"b = { " ECHO " directory = \"/tmp\"; };\n" \
	"c = { " ECHO " chroot = \"/tmp\"; };\n" \
	"d = { listen = \"*:0\"; handler = { type = \"exec\"; argv = \"%s\"; }; };\n" \
	"seen = { listen = \"unix:@tmp\"; directory = \"/var\"; handler = { type = \"exec\"; argv = \"/bin/sh\"; }; };\n" \
	"};\n"

START_TEST(paths_that_the_unit_hides_are_a_warning)
{
	struct conf_errors report = { .complain = keep_complaint };
	const struct conf *conf;
	char text[1024];

	write_file("run", "#!/bin/sh\n");
	ck_assert_int_eq(chmod(path_of("run"), 0755), 0);
	snprintf(text, sizeof text, HIDDEN, path_of("run"));
	conf = load_well(text);
	conf_sandbox_warn(&report, conf);
	ck_assert_uint_eq(report.count, 0);
	conf_errors_flush(&report);
	ck_assert(complained(": warning: pid_file: the daemon under systemd cannot see /tmp/p"
	                     " (PrivateTmp= of the systemd unit hides /tmp; the example drop-in"
	                     " tmp.conf shows it)"));
	ck_assert(complained("t.conf:2: warning: log: the daemon under systemd cannot see /home/l"
	                     " (ProtectHome= of the systemd unit hides /home; the example drop-in"
	                     " home.conf shows it)"));
	ck_assert(complained("t.conf:3: warning: access_log: "));
	ck_assert(complained("t.conf:4: warning: control: "));
	ck_assert(complained("t.conf:6: warning: service a: listen: "));
	ck_assert(complained("t.conf:7: warning: service b: directory: "));
	ck_assert(complained("t.conf:8: warning: service c: chroot: "));
	ck_assert(complained("t.conf:9: warning: service d: argv: "));
	ck_assert(!complained("seen"));
} END_TEST

START_TEST(a_link_into_a_hidden_folder_is_a_warning)
{
	struct conf_errors report = { .complain = keep_complaint };
	struct conf_service svc = { .name = "s", .place = { "t.conf", 7 }, .directory = "/dev/fd/9" };
	struct conf_service *services[] = { &svc };
	const struct conf conf = { .services = services, .n_services = 1 };
	int fd = open(folder, O_PATH | O_CLOEXEC);

	complaints[0] = '\0';
	ck_assert_int_eq(dup2(fd, 9), 9);
	conf_sandbox_warn(&report, &conf);
	conf_errors_flush(&report);
	close(fd), close(9);
	ck_assert_msg(complained("t.conf:7: warning: service s: directory: the daemon under systemd cannot"
	                         " see /dev/fd/9 (PrivateTmp="), "%s", complaints);
} END_TEST

START_TEST(what_cannot_be_seen_is_a_warning)
{
	char text[512];

	if (geteuid() == 0) {
		ck_assert_int_eq(chown(folder, UNPRIVILEGED, UNPRIVILEGED), 0);
		ck_assert_int_eq(setgroups(0, NULL), 0);
		ck_assert_int_eq(setregid(UNPRIVILEGED, UNPRIVILEGED), 0);
		ck_assert_int_eq(setreuid(UNPRIVILEGED, UNPRIVILEGED), 0);
	}
	make_dir("closed");
	ck_assert_int_eq(chmod(path_of("closed"), 0), 0);
	snprintf(text, sizeof text, "services = { s = { listen = \"*:0\"; directory = \"%s/closed/x\";\n"
	         "handler = { type = \"exec\"; argv = \"%s/closed/run\"; }; }; };", folder, folder);
	ck_assert_int_eq(load_here(CONF_FOR_SHELL, text), 0);
	ck_assert(complained("t.conf:1: warning: services.s.directory names /tmp/drover-conf-"));
	ck_assert(complained("closed/run, which could not be judged (Permission denied)"));
} END_TEST

static int check_privileges(const char *text)
{
	const struct conf *conf = load_well(text);

	return conf_check_privileges(conf, keep_complaint, NULL);
}

START_TEST(root_needs_a_user_for_each_service)
{
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(check_privileges("services = { s = { " ECHO " }; };"), EX_CONFIG);
	ck_assert(complained("t.conf:1: service s needs a user"));
	ck_assert_int_eq(check_privileges("user = \"root\"; services = { s = { " ECHO " }; };"), 0);
	ck_assert_int_eq(check_privileges("group = \"root\"; services = { s = { " ECHO " }; };"),
	                 EX_CONFIG);
} END_TEST

START_TEST(others_need_root_for_what_is_not_theirs)
{
	if (geteuid() == 0) {
		ck_assert_int_eq(setgroups(0, NULL), 0);
		ck_assert_int_eq(setregid(UNPRIVILEGED, UNPRIVILEGED), 0);
		ck_assert_int_eq(setreuid(UNPRIVILEGED, UNPRIVILEGED), 0);
	}
	ck_assert_int_eq(check_privileges("services = { s = { " ECHO " }; };"), 0);
	ck_assert_int_eq(check_privileges(
		"services = { a = { listen = ( { address = \"unix:/x\"; owner = \"root\"; group ="
		" \"root\"; } ); handler = { type = \"echo\"; }; chroot = \"/\"; nice = -20; };\n"
		"b = { " ECHO " user = \"root\"; };\n"
		"c = { " ECHO " rlimits = { nofile = 1000000000000L; }; };\n"
		"d = { " ECHO " group = \"root\"; }; };"), EX_NOPERM);
	ck_assert(complained("service a: owner root of a socket needs root"));
	ck_assert(complained("service a: group root of a socket needs root"));
	ck_assert(complained("service a: chroot needs root"));
	ck_assert(complained("service a: nice -20 needs root"));
	ck_assert(complained("t.conf:2: service b: user root needs root"));
	ck_assert(complained("t.conf:3: service c: rlimits.nofile beyond the hard limit of"));
	ck_assert(complained("t.conf:4: service d: group root needs root"));
} END_TEST

int main(void)
{
	Suite *suite = suite_create("conf_files");
	TCase *tc = tcase_create("conf_files");

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_test(tc, included_files_add_services_in_the_order_of_their_names);
	tcase_add_test(tc, the_main_file_is_not_included_in_itself);
	tcase_add_test(tc, a_folder_with_the_letters_of_patterns_is_itself);
	tcase_add_test(tc, a_comment_may_end_a_file_without_a_newline);
	tcase_add_test(tc, included_files_are_held_to_their_rules);
	tcase_add_test(tc, a_pattern_looks_at_a_bounded_number_of_names);
	tcase_add_test(tc, what_is_looked_at_is_counted);
	tcase_add_test(tc, a_bounded_number_of_files_is_taken);
	tcase_add_test(tc, only_plain_text_files_are_read);
	tcase_add_test(tc, a_relative_name_is_made_absolute);
	tcase_add_test(tc, paths_are_judged_inside_the_chroot);
	tcase_add_loop_test(tc, a_script_that_cannot_be_executed_is_refused, 0, 3);
	tcase_add_test(tc, the_main_file_is_told_first_and_the_others_by_name);
	tcase_add_test(tc, a_user_brings_group_home_and_shell);
	tcase_add_test(tc, users_are_judged_in_the_same_run_as_everything_else);
	tcase_add_test(tc, paths_that_the_unit_hides_are_a_warning);
	tcase_add_test(tc, a_link_into_a_hidden_folder_is_a_warning);
	tcase_add_test(tc, what_cannot_be_seen_is_a_warning);
	tcase_add_test(tc, root_needs_a_user_for_each_service);
	suite_add_tcase(suite, tc = tcase_create("unprivileged"));
	tcase_add_test(tc, others_need_root_for_what_is_not_theirs);
	return run_tap(suite);
}
