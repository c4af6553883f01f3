/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * drover-import and the daemon: what other superservers served is served from its output, and what
 * droverd -t refuses was told by drover-import, with the place in the input.
 */
#include <config.h>
#include "harness.h"

#include <pwd.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

static struct daemon d;

/* Runs drover-import in the test's folder; its output is in the files "out" and "said". Its exit status. */
static int import(const char *arguments)
{
	const char *script = files_write("import.sh", "cd %s && exec %s >out 2>said %s\n", files_path(""),
	                                 process_built("drover-import"), arguments);

	return process_run_args("/bin/sh", script);
}

static const char *output(void)
{
	return files_read(files_path("out"));
}

static const char *complaints(void)
{
	return files_read(files_path("said"));
}

/* Whoever runs the test: another user can be served by root only. */
static const char *our_name(void)
{
	const struct passwd *pw = getpwuid(geteuid());

	return pw ? files_text("%s", pw->pw_name) : files_text("%u", geteuid());
}

/* ---- samples ------------------------------------------------------------ */

static const struct sample {
	const char *arguments;          /* in tests/import */
	int         n_services;         /* with those that are comments */
} samples[] = {
	{ "xinetd/xinetd.conf", 11 },
	{ "xinetd/xinetd.d/rsync", 1 },
	{ "xinetd/xinetd.d", 11 },
	{ "inetd/debian.conf", 9 },
	{ "inetd/openbsd.conf", 6 },
	{ "tcpserver/smtpd/run", 1 },
	{ "tcpserver/ftp", 1 },
	{ "tcpserver/pop3/run", 1 },
	{ "systemd/greet.socket", 2 },
};

/* What the daemon says of a line of the output must have been said of a line of the input. */
static void check_error(const struct sample *s, const char *error)
{
	const char *colon = strstr(error, "out:");
	const char *text = colon ? strstr(colon, ": ") : NULL;

	ck_assert_msg(text != NULL, "%s: %s", s->arguments, error);
	if (strstr(text, "no service"))
		return;                 /* that is told of the first file */
	harness_contains(complaints(), text + 2);
}

static void check_each_error(const struct sample *s, char *all)
{
	for (char *line = strtok(all, "\n"); line; line = strtok(NULL, "\n"))
		if (!strstr(line, "warning: "))
			check_error(s, line);
}

/* FILE:LINE: before each. */
static void check_places(const char *said)
{
	char *all = strdup(said), *number;

	for (char *line = strtok(all, "\n"); line; line = strtok(NULL, "\n")) {
		number = strchr(line, ':');
		ck_assert_msg(number && strtol(number + 1, &number, 10) > 0 && *number == ':', "no place: %s", line);
	}
	free(all);
}

START_TEST(what_the_daemon_refuses_was_told)
{
	const struct sample *s = &samples[_i];
	char *all;

	ck_assert_int_eq(import(files_text("%s/tests/import/%s", getenv("top_srcdir"), s->arguments)), 1);
	check_places(complaints());
	ck_assert_uint_eq(files_count(output(), "workers = { min = 0; };"), (size_t)s->n_services);
	if (daemon_run_args(&d, "-t", "-c", files_path("out")) == 0)
		return;
	all = strdup(daemon_errors(&d));
	check_each_error(s, all);
	free(all);
} END_TEST

/* ---- a host with ten services ------------------------------------------- */

static const char host[] =
	"defaults\n{\n\tlog_type = SYSLOG daemon info\n\tinstances = 60\n\tper_source = 20\n\tcps = 100 10\n"
	"\tbind = 127.0.0.1\n}\nincludedir xinetd.d\n";

static void write_service(const char *name, const char *attributes)
{
	files_write(files_text("xinetd.d/%s", name), "service %s\n{\n\tsocket_type = stream\n\tprotocol = tcp\n"
	            "\twait = no\n\tport = 0\n\tuser = %s\n%s}\n", name, our_name(), attributes);
}

static void write_programs(void)
{
	write_service("cat", "\tserver = /bin/cat\n\tonly_from = 127.0.0.2\n");
	write_service("variables", "\tserver = /usr/bin/env\n\tenv = COLOUR=green\n\tenv += SHAPE=round\n\tumask = 027\n");
	write_service("words", files_text("\tserver = /usr/bin/printf\n\tserver_args = [%%s] a\"b c\\d $e 'f%c\n", 1));
	write_service("greet", files_text("\tserver = %s\n", files_script("greet", "read -r name; echo \"Hello $name from"
	                                  " $TCPREMOTEIP\"\n")));
}

static void write_real_programs(void)
{
	const char *config = files_write("rsyncd.conf", "use chroot = no\n[tree]\npath = %s\n%s", files_path("tree"),
	                                 harness_is_root() ? "uid = root\ngid = root\n" : "");

	process_configure_git();
	process_must("git", "init", "--quiet", files_path("repo"));
	process_must("git", "-C", files_path("repo"), "commit", "--quiet", "--allow-empty", "-m", "first");
	process_must("sh", "-c", files_text("mkdir %1$s && echo small >%1$s/small", files_path("tree")));
	write_service("git", files_text("\tserver = /usr/bin/git\n\tserver_args = daemon --inetd --export-all --base-path=%s\n",
	                                files_path("")));
	write_service("rsync", files_text("\tserver = /usr/bin/rsync\n\tserver_args = --daemon --config=%s\n", config));
}

static void serve_host(void)
{
	static const char *const builtins[] = { "echo", "daytime", "time", "chargen" };

	files_mkdir("xinetd.d");
	files_write("xinetd.conf", "%s", host);
	for (size_t i = 0; i < ARRAY_SIZE(builtins); i++)
		write_service(builtins[i], "\ttype = INTERNAL\n");
	write_programs();
	write_real_programs();
	ck_assert_msg(import("xinetd.conf") == 0, "%s", complaints());
	ck_assert_str_eq(complaints(), "");
	daemon_start(&d, "%s", output());
}

static const char *ask(const char *service)
{
	return client_ask(daemon_address(&d, service, 0));
}

static void check_builtins(void)
{
	char seconds[4], line[75] = "";
	int fd;

	client_check_echo(daemon_address(&d, "echo", 0));
	harness_contains(ask("daytime"), "\r\n");
	fd = daemon_connect(&d, "time");
	client_receive(fd, seconds, sizeof seconds);
	client_expect_end(fd);
	fd = daemon_connect(&d, "chargen");
	client_receive(fd, line, 74);
	harness_contains(line, " !\"#$%&'()*+");
	client_reset(fd);
}

static void check_programs(void)
{
	int fd = client_connect_from("127.0.0.2", daemon_address(&d, "cat", 0));

	client_echo(fd);
	close(fd);
	client_expect_gone(daemon_connect(&d, "cat"));
	harness_contains(ask("variables"), "COLOUR=green\n");
	harness_contains(ask("variables"), "SHAPE=round\n");
	ck_assert_str_eq(ask("words"), "[a\"b][c\\d][$e]['f\001]");
	fd = daemon_connect(&d, "greet");
	client_say(fd, "World\n");
	client_expect(fd, "Hello World from 127.0.0.1\n");
	client_expect_end(fd);
}

START_TEST(a_host_with_ten_services_moves_to_drover)
{
	serve_host();
	check_builtins();
	check_programs();
	process_must("git", "clone", "--quiet", files_text("git://127.0.0.1:%s/repo", daemon_port(&d, "git", 0)),
	             files_path("clone"));
	process_must("rsync", "-a", files_text("rsync://127.0.0.1:%s/tree/", daemon_port(&d, "rsync", 0)),
	             files_path("copy"));
	process_must("diff", "-r", files_path("tree"), files_path("copy"));
} END_TEST

/* ---- the other superservers --------------------------------------------- */

static void check_served(const char *service)
{
	daemon_start(&d, "%s", output());
	client_check_echo(daemon_address(&d, service, 0));
}

START_TEST(a_line_of_inetd_is_served)
{
	files_write("inetd.conf", "127.0.0.1:0\tstream\ttcp\tnowait\t%s\t/bin/cat\tcat\n", our_name());
	ck_assert_msg(import("inetd.conf") == 0, "%s", complaints());
	check_served("cat");
} END_TEST

START_TEST(a_run_script_of_tcpserver_is_served)
{
	files_mkdir("copy");
	files_write("copy/run", "#!/bin/sh\nexec tcpserver -RH -u %s 127.0.0.1 0 cat -u\n", our_name());
	ck_assert_msg(import("copy") == 0, "%s", complaints());
	check_served("copy");
} END_TEST

START_TEST(a_socket_of_systemd_is_served_with_its_environment)
{
	files_write("env", "COLOUR='light green'\n");
	files_write("hue.socket", "[Socket]\nAccept=yes\nListenStream=127.0.0.1:0\n");
	files_write("hue@.service", "[Service]\nStandardInput=socket\nUser=%s\nExecStart=/bin/sh -c 'echo \"$$COLOUR\"'\n"
	            "EnvironmentFile=%s\n", our_name(), files_path("env"));
	ck_assert_msg(import("hue.socket") == 0, "%s", complaints());
	daemon_start(&d, "%s", output());
	ck_assert_str_eq(ask("hue"), "light green\n");
} END_TEST

/* ---- the command line --------------------------------------------------- */

#define ECHO "echo stream tcp nowait nobody internal\n"

static const struct {
	const char *name, *arguments, *text;    /* of the file "f" */
	int         status;
	const char *said;                       /* part of it; NULL: nothing */
} rows[] = {
	{ "all is carried over", "--inetd f", ECHO, 0, NULL },
	{ "recognised by its content", "f", ECHO, 0, NULL },
	{ "something is not", "f", ECHO "echo dgram udp wait root internal\n", 1, "f:2: echo: socket type dgram" },
	{ "a line makes no sense", "f", ECHO "hello\n", 1, "f:2: \"hello\" is not a service" },
	{ "no line makes sense", "--inetd f", "hello\n", EX_DATAERR, "f:1: \"hello\" is not a service" },
	{ "braces that do not fit", "--xinetd f", "service echo\n{\ntype = INTERNAL\n", EX_DATAERR, "f:1: this block has no" },
	{ "no command", "--tcpserver f", "exec httpd\n", EX_DATAERR, "f:1: there is no command tcpserver in it\n" },
	{ "no socket", "--systemd f", "[Unit]\n", EX_DATAERR, "f:1: it has no section [Socket]" },
	{ "recognised by nothing", "f", "hello\n", EX_USAGE, "f:1: it is not known what this is; say --xinetd, --inetd," },
	{ "recognised twice", "f", ECHO "[Socket]\n", EX_USAGE, "drover-import: f could be of more than one kind; say" },
	{ "a NUL byte", "f zero", "service echo\n{\ntype=INTERNAL\nuser=nobody\n}\n", EX_USAGE, "zero:1: it is not known" },
	{ "a NUL byte in what it should be", "--inetd zero", "", EX_DATAERR, "zero:1: it has NUL bytes, and is not a text\n" },
	{ "a file that is too large", "--inetd large", "", EX_DATAERR, "large:1: it is too large (at most 4 MB)\n" },
	{ "nothing is served", "--inetd f", "# nothing\n", 0, "f:1: nothing to serve: there are no services\n" },
	{ "nothing is enabled", "--inetd f", "#<off># " ECHO, 0, "f:1: nothing to serve: no service is enabled\n" },
	{ "a disabled program that is not there", "--inetd f", ECHO "#<off># smtp stream tcp nowait nobody /nonexistent x\n", 0,
	  NULL },
	{ "a program that is not there", "--inetd f", "smtp stream tcp nowait nobody /nonexistent x\n", 1,
	  "f:1: smtp: droverd refuses this here: services.smtp.handler.program cannot execute /nonexistent: No such file" },
	{ "two services at one address", "--inetd f", ECHO ECHO, 1, "f:2: echo: droverd refuses this here: " },
	{ "no such file", "none", "", EX_NOINPUT, "drover-import: none: No such file or directory\n" },
	{ "no such file of a kind", "--inetd none", "", EX_NOINPUT, "drover-import: none: No such file or directory\n" },
	{ "a folder", "--inetd .", "", EX_NOINPUT, "drover-import: .: Is a directory\n" },
	{ "a folder of nothing", ".", "", EX_USAGE, ".:1: it is not known what this is" },
	{ "no file", "--inetd", "", EX_USAGE, "drover-import: which file?; see drover-import --help\n" },
	{ "two kinds", "--inetd --xinetd f", "", EX_USAGE, "drover-import: one kind of files at a time, not both --inetd; see" },
	{ "the same kind twice", "--inetd --inetd f", ECHO, 0, NULL },
	{ "an unknown option", "--intd f", "", EX_USAGE, "drover-import: there is no option --intd; did you mean --inetd?\n" },
	{ "an unknown letter", "-x f", "", EX_USAGE, "drover-import: there is no option -x; see drover-import --help\n" },
	{ "the version", "-V", "", 0, NULL },
	{ "help", "--help", "", 0, NULL },
	{ "a closed output", "f >/dev/full", ECHO, EX_IOERR, "drover-import: standard output: No space left on device\n" },
};

START_TEST(the_exit_status_says_what_has_come_of_it)
{
	files_write("f", "%s", rows[_i].text);
	process_must("sh", "-c", files_text("printf 'a\\0b' >%1$s/zero; head -c 4194305 /dev/zero | tr '\\0' x >%1$s/large",
	                                    files_path("")));
	ck_assert_msg(import(rows[_i].arguments) == rows[_i].status, "%s: %s", rows[_i].name, complaints());
	if (rows[_i].said)
		harness_contains(complaints(), rows[_i].said);
	else
		ck_assert_msg(*complaints() == '\0', "%s: %s", rows[_i].name, complaints());
	if (rows[_i].status >= EX_USAGE)
		ck_assert_str_eq(output(), "");
} END_TEST

START_TEST(version_and_help_are_printed)
{
	import("-V");
	ck_assert_str_eq(output(), "drover-import " PACKAGE_VERSION "\n");
	import("-h");
	harness_contains(output(), "Usage: drover-import [--xinetd | --inetd | --tcpserver | --systemd] FILE ...\n");
} END_TEST

START_TEST(a_pipe_can_be_read)
{
	files_write("f", "%s", ECHO);
	ck_assert_int_eq(import("--inetd /dev/stdin <f"), 0);
	harness_contains(output(), "# /dev/stdin:1\n  echo = {\n");
} END_TEST

int main(void)
{
	Suite *s = suite_create("import");
	TCase *tc = harness_case(s, "import");
	const bool has_both = access("/usr/bin/git", X_OK) == 0 && access("/usr/bin/rsync", X_OK) == 0;

	tcase_add_loop_test(tc, what_the_daemon_refuses_was_told, 0, ARRAY_SIZE(samples));
	harness_add_if(has_both, "git or rsync is not installed", tc, a_host_with_ten_services_moves_to_drover);
	tcase_add_test(tc, a_line_of_inetd_is_served);
	tcase_add_test(tc, a_run_script_of_tcpserver_is_served);
	tcase_add_test(tc, a_socket_of_systemd_is_served_with_its_environment);
	tcase_add_loop_test(tc, the_exit_status_says_what_has_come_of_it, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, version_and_help_are_printed);
	tcase_add_test(tc, a_pipe_can_be_read);
	return harness_run(s);
}
