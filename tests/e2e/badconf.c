/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Configurations that are wrong: each is refused as a whole, with the place and
 * the reason, before anything has started.
 */
#include <config.h>
#include "harness.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct daemon d;

#define GOOD "services = { s = { listen = \"127.0.0.1:0\"; handler = { type = \"echo\"; }; }; };\n"
#define SERVICE_WITH(settings) \
	"services = {\n s = {\n listen = \"127.0.0.1:0\"; handler = { type = \"echo\"; };\n " settings "\n }; };\n"
#define PROGRAM_WITH(settings) \
	"services = {\n s = {\n listen = \"127.0.0.1:0\";\n handler = { type = \"exec\"; " settings " };\n }; };\n"
#define PROGRAM_THAT(settings, more) \
	"services = {\n s = {\n listen = \"127.0.0.1:0\";\n handler = { type = \"exec\";" \
	" argv = \"/bin/cat\"; " settings " };\n " more "\n }; };\n"
#define LISTEN(address) \
	"services = {\n s = {\n listen = " address ";\n handler = { type = \"echo\"; };\n }; };\n"

static const struct {
	const char *name;
	const char *text;
	int         line;               /* that the error names; 0: any */
	const char *says;               /* part of the error */
} rows[] = {
	{ "a group without an end", "services = {\n s = {\n listen = \"127.0.0.1:0\";\n", 0, "syntax" },
	{ "a value that is a bare word", "services = {\n s = { listen = here; }; };\n", 2, "syntax" },
	{ "a string without an end", GOOD "pid_file = \"/run\n", 2, "string" },
	{ "@include", GOOD "@include \"more.conf\"\n", 2, "include" },
	{ "an unknown key at the top", "shutdown_timout = 3;\n" GOOD, 1, "shutdown_timeout" },
	{ "an unknown key of a service", SERVICE_WITH("conections = 3;"), 4, "connections" },
	{ "an unknown key of a handler", PROGRAM_WITH("argv = \"/bin/cat\"; environ = \"A=B\";"), 4, "env" },
	{ "an unknown key of time-outs", SERVICE_WITH("timeouts = { idel = 3; };"), 4, "idle" },
	{ "a key of the service in a handler",
	  PROGRAM_WITH("argv = \"/bin/cat\";\nmax_request = \"1k\";"), 5,
	  "handler.max_request is not a known key (did you mean max_requests? max_request belongs to the service)" },
	{ "time-outs in a handler", PROGRAM_WITH("argv = \"/bin/cat\";\ntimeouts = { };"), 5,
	  "handler.timeouts is not a known key (did you mean timeout? timeouts belongs to the service)" },
	{ "warm in a service", SERVICE_WITH("warm = 3;"), 4,
	  "s.warm is not a known key (it belongs to handler = { ... })" },
	{ "framing in a service", SERVICE_WITH("framing = \"line\";"), 4,
	  "s.framing is not a known key (it belongs to handler = { ... })" },
	{ "the log in a service", SERVICE_WITH("log = { };"), 4,
	  "s.log is not a known key (it belongs to the top level)" },
	{ "a listener at the top", "listen = \"127.0.0.1:0\";\n" GOOD, 1,
	  "listen is not a known key (it belongs to the service)" },
	{ "a key that looks like nothing", "zzzzzz = 1;\n" GOOD, 1, "zzzzzz" },
	{ "a key of a service that looks like nothing", SERVICE_WITH("zzzzzz = 5;"), 4, "zzzzzz" },
	{ "a service that is a number", "services = {\n s = 5;\n};\n", 2, "s" },
	{ "services that are a list", "services = (\n);\n", 1, "services" },
	{ "a number for a string", "pid_file = 5;\n" GOOD, 1, "pid_file" },
	{ "a string for a number", SERVICE_WITH("connections = \"many\";"), 4, "connections" },
	{ "a number for a truth", SERVICE_WITH("enabled = 1;"), 4, "enabled" },
	{ "a group for a number", SERVICE_WITH("connections = { };"), 4, "connections" },
	{ "no workers", SERVICE_WITH("workers = 0;"), 4, "workers" },
	{ "too many workers", SERVICE_WITH("workers = 1000000;"), 4, "workers" },
	{ "an unknown key of workers", SERVICE_WITH("workers = { mix = 1; };"), 4, "min" },
	{ "more workers at least than at most", SERVICE_WITH("workers = { min = 5; max = 4; };"), 4, "max is 4" },
	{ "more spare slots at least than at most",
	  SERVICE_WITH("workers = { spare_min = 5;\n spare_max = 4; };"), 4, "spare_max is 4" },
	{ "more spare slots than slots",
	  SERVICE_WITH("connections = 2;\n workers = { max = 2; spare_min = 5; };"), 5, "only 4 slots" },
	{ "an end by idleness of workers that always stay",
	  SERVICE_WITH("workers = { idle_exit = 5; };"), 4, "idle_exit" },
	{ "fewer accepts than none", SERVICE_WITH("max_accepts = -1;"), 4, "max_accepts" },
	{ "no connections", SERVICE_WITH("connections = 0;"), 4, "connections" },
	{ "fewer than no connections", SERVICE_WITH("connections = -1;"), 4, "connections" },
	{ "an integer beyond 32 bits", SERVICE_WITH("connections = 4294967297;"), 4, "32" },
	{ "an integer beyond 64 bits", SERVICE_WITH("connections = 99999999999999999999L;"), 4, "" },
	{ "a hexadecimal beyond 32 bits", SERVICE_WITH("connections = 0x100000001;"), 4, "32" },
	{ "a mode as a number", SERVICE_WITH("umask = 0027;"), 4, "umask" },
	{ "a mode that is not octal", SERVICE_WITH("umask = \"0089\";"), 4, "umask" },
	{ "a duration without sense", SERVICE_WITH("timeouts = { idle = \"5 parsecs\"; };"), 4, "idle" },
	{ "a duration before its time", SERVICE_WITH("timeouts = { idle = -1; };"), 4, "idle" },
	{ "a size without sense", SERVICE_WITH("rlimits = { as = \"12 elephants\"; };"), 4, "as" },
	{ "processors that are not there", SERVICE_WITH("cpus = \"0-9999\";"), 4, "cpus" },
	{ "a user that does not exist", SERVICE_WITH("user = \"no-such-user\";"), 4, "no-such-user" },
	{ "a group that does not exist", SERVICE_WITH("group = \"no-such-group\";"), 4, "no-such-group" },
	{ "a directory that is not there", SERVICE_WITH("directory = \"/no/such\";"), 4, "/no/such" },
	{ "a directory that is relative", SERVICE_WITH("directory = \"here\";"), 4, "directory" },
	{ "delays that contradict each other",
	  SERVICE_WITH("restart = { delay_min = \"9s\"; delay_max = \"1s\"; };"), 4, "delay" },
	{ "a service twice", "services = {\n s = { };\n s = { };\n};\n", 3, "" },
	{ "a service without listeners", "services = {\n s = {\n handler = { type = \"echo\"; };\n }; };\n",
	  2, "listen" },
	{ "a service without a handler", "services = {\n s = {\n listen = \"127.0.0.1:0\";\n }; };\n",
	  2, "handler" },
	{ "a handler without a type",
	  "services = {\n s = {\n listen = \"127.0.0.1:0\";\n handler = { };\n }; };\n", 4, "type" },
	{ "a handler of an unknown type",
	  "services = {\n s = {\n listen = \"127.0.0.1:0\";\n handler = { type = \"ehco\"; };\n }; };\n",
	  4, "echo" },
	{ "a program without a name", PROGRAM_WITH(""), 4, "argv" },
	{ "env that lies about the client",
	  PROGRAM_WITH("argv = \"/bin/cat\"; env = \"REMOTE_ADDR=192.0.2.1\";"), 4, "REMOTE_ADDR" },
	{ "pass_env that lies about the client",
	  PROGRAM_WITH("argv = \"/bin/cat\"; pass_env = \"PROTO\";"), 4, "PROTO" },
	{ "a program that is not there", PROGRAM_WITH("argv = [ \"/no/such/program\" ];"), 4,
	  "/no/such/program" },
	{ "a program that is a folder", PROGRAM_WITH("argv = \"/usr\";"), 4, "/usr" },
	{ "a program that is relative", PROGRAM_WITH("argv = \"cat\";"), 4, "cat" },
	{ "an environment without a name", PROGRAM_WITH("argv = \"/bin/cat\"; env = \"value\";"), 4, "value" },
	{ "a program for echo", "services = {\n s = {\n listen = \"127.0.0.1:0\";\n"
	  " handler = { type = \"echo\"; argv = \"/bin/cat\"; };\n }; };\n", 4, "argv" },
	{ "an idle time-out for a program", PROGRAM_THAT("", "timeouts = { idle = 3; };"), 5,
	  "idle means nothing for a handler of type exec without warm (leave it out)" },
	{ "an age of programs of which none waits", PROGRAM_THAT("\nwarm_max_age = \"1m\";", ""), 5,
	  "warm_max_age means nothing for a handler of type exec without warm (leave it out)" },
	{ "a peer told to a program that has it", PROGRAM_THAT("\npeer = \"proxy-v1\";", ""), 5,
	  "peer means nothing for a handler of type exec without warm (leave it out)" },
	{ "a write time-out for a warm program",
	  PROGRAM_THAT("warm = 1;", "timeouts = { write = 3; };"), 5,
	  "write means nothing for a handler of type exec (leave it out)" },
	{ "a request time-out for a warm program",
	  PROGRAM_THAT("warm = 1;", "timeouts = { request = 3; };"), 5,
	  "request means nothing for a handler of type exec (leave it out)" },
	{ "too many programs that wait", PROGRAM_THAT("warm = 1025;", ""), 4, "warm is out of range (0 to 1024)" },
	{ "a warm program without a name", PROGRAM_WITH("warm = 1;"), 4, "argv" },
	{ "an unknown key beside warm", PROGRAM_THAT("warm = 1;\nwarm_max_ago = 5;", ""), 5, "warm_max_age" },
	{ "an unknown way to tell of the peer", PROGRAM_THAT("warm = 1; peer = \"proxy-v2\";", ""), 4,
	  "\"proxy-v1\"" },
	{ "warm for echo", "services = {\n s = {\n listen = \"127.0.0.1:0\";\n"
	  " handler = { type = \"echo\"; warm = 2; };\n }; };\n", 4,
	  "warm means nothing for a handler of type echo" },
	{ "an address without a port", LISTEN("\"127.0.0.1\""), 3, "127.0.0.1" },
	{ "a port beyond 65535", LISTEN("\"127.0.0.1:65536\""), 3, "65536" },
	{ "a port name that does not exist", LISTEN("\"127.0.0.1:no-such-port\""), 3, "no-such-port" },
	{ "an address of nonsense", LISTEN("\"1.2.3.4.5:80\""), 3, "1.2.3.4.5" },
	{ "half an IPv6 address", LISTEN("\"[::1:80\""), 3, "" },
	{ "a unix socket that is relative", LISTEN("\"unix:here\""), 3, "here" },
	{ "a mode for TCP", LISTEN("( { address = \"127.0.0.1:0\"; mode = \"0600\"; } )"), 3, "mode" },
	{ "a backlog of nothing", LISTEN("( { address = \"127.0.0.1:0\"; backlog = 0; } )"), 3, "backlog" },
	{ "the same address twice", LISTEN("[ \"127.0.0.1:7\", \"127.0.0.1:7\" ]"), 3, "127.0.0.1:7" },
	{ "addresses that overlap", LISTEN("[ \"127.0.0.1:7\", \"*:7\" ]"), 3, "" },
	{ "an include that is not there", "include = [ \"missing.conf\" ];\n" GOOD, 1, "missing.conf" },
	{ "an unknown log target", "log = { target = \"paper\"; };\n" GOOD, 1, "target" },
	{ "an access log of a service without a target", SERVICE_WITH("access_log = { refused = true; };"), 4,
	  "s.access_log needs a target" },
	{ "an access log of a service to nowhere", SERVICE_WITH("access_log = { target = \"no\"; };"), 4,
	  "or \"none\"" },
	{ "a log to none", "log = { target = \"none\"; };\n" GOOD, 1, "log.target must be" },
	{ "a template with an unknown field",
	  SERVICE_WITH("access_log = { target = \"stderr\"; format = \"{per} {how}\"; };"), 4,
	  "has no field {per} (did you mean {peer}?)" },
	{ "a template without an end",
	  "access_log = { target = \"stderr\"; format = \"{peer\"; };\n" GOOD, 1, "{ without its }" },
	{ "an unknown log level", "log = { level = \"loud\"; };\n" GOOD, 1, "level" },
};

/* Refused, with that place in that file, and nothing was started. */
static void check_refused(const char *file, int line, const char *says)
{
	const char *place = line ? files_text("%s:%d: ", file, line) : files_text("%s:", file);
	const char *errors;

	ck_assert_int_eq(daemon_run_args(&d, "-c", d.config), 78);
	errors = daemon_errors(&d);
	ck_assert_msg(strstr(errors, place), "no %s in:\n%s", place, errors);
	ck_assert_msg(strstr(strstr(errors, place), says), "no %s in:\n%s", says, errors);
	ck_assert_uint_eq(daemon_saw(&d, "listening"), 0);
	ck_assert_uint_eq(daemon_saw(&d, "worker-start"), 0);
	ck_assert_int_eq(daemon_run_args(&d, "-t", "-c", d.config), 78);
	harness_contains(daemon_errors(&d), place);
}

START_TEST(it_is_refused_with_file_line_and_reason)
{
	int before = daemon_config_lines_before();

	files_write("row", "%s\n", rows[_i].name);
	daemon_config(&d, "%s", rows[_i].text);
	check_refused(d.config, rows[_i].line ? rows[_i].line + before : 0, rows[_i].says);
} END_TEST

START_TEST(all_errors_of_meaning_are_told_in_one_run)
{
	daemon_config(&d, "shutdown_timeout = \"soon\";\n"
	              SERVICE_WITH("connections = 0;\n workers = \"some\";\n user = \"no-such-user\";"));
	check_refused(d.config, daemon_config_lines_before() + 1, "shutdown_timeout");
	ck_assert_uint_eq(files_count(daemon_errors(&d), files_text("%s:", d.config)), 4);
	ck_assert_int_eq(daemon_run_args(&d, "-t", "-c", d.config), 78);
	ck_assert_str_eq(daemon_output(&d), "");        /* no file is named as read after its errors */
} END_TEST

START_TEST(a_missing_file_is_told)
{
	d.config = files_path("missing.conf");
	ck_assert_int_eq(daemon_run_args(&d, "-c", d.config), 78);
	harness_contains(daemon_errors(&d), d.config);
	ck_assert_int_eq(daemon_run_args(&d, "-t", "-c", d.config), 78);
} END_TEST

START_TEST(only_a_regular_file_is_a_configuration)
{
	d.config = _i ? files_mkfifo("drover.conf") : files_mkdir("drover.conf");
	ck_assert_int_eq(daemon_run_args(&d, "-c", d.config), 78);
	harness_contains(daemon_errors(&d), d.config);
} END_TEST

START_TEST(a_file_of_a_hundred_megabytes_is_refused)
{
	daemon_config(&d, GOOD);
	ck_assert_int_eq(truncate(d.config, 100 << 20), 0);
	ck_assert_int_eq(daemon_run_args(&d, "-c", d.config), 78);
	harness_contains(daemon_errors(&d), d.config);
} END_TEST

START_TEST(a_nul_byte_is_refused_with_its_line)
{
	int fd;

	daemon_config(&d, GOOD "\n");
	fd = open(d.config, O_WRONLY | O_APPEND | O_CLOEXEC);
	ck_assert_int_eq(write(fd, "\0", 1), 1);
	close(fd);
	check_refused(d.config, daemon_config_lines_before() + 3, "NUL");
} END_TEST

START_TEST(the_deepest_nesting_is_refused_and_crashes_nothing)
{
	static char deep[1 << 20];

	memset(deep, '(', sizeof deep - 1);
	daemon_config(&d, "services = %s", deep);
	ck_assert_int_eq(daemon_run_args(&d, "-c", d.config), 78);
} END_TEST

/* ---- Included files ---- */

START_TEST(an_error_in_an_included_file_is_told_with_its_name)
{
	files_mkdir("conf.d");

	const char *included = files_write("conf.d/a.conf", "services = {\n a = { lisen = 1; };\n};\n");

	daemon_config(&d, "include = [ \"conf.d/*.conf\" ];\n" GOOD);
	check_refused(included, 2, "listen");
} END_TEST

START_TEST(included_files_hold_services_only)
{
	const char *included = files_write("more.conf", "pid_file = \"/run/x\";\n");

	daemon_config(&d, "include = [ \"more.conf\" ];\n" GOOD);
	check_refused(included, 1, "pid_file");
} END_TEST

START_TEST(a_service_may_not_come_from_two_files)
{
	const char *included = files_write("more.conf", "\n" GOOD);

	daemon_config(&d, "include = [ \"more.conf\" ];\n" GOOD);
	check_refused(included, 2, "s");
} END_TEST

START_TEST(an_included_file_that_cannot_be_read_is_told)
{
	daemon_config(&d, "include = [ \"more.conf\" ];\n" GOOD);
	files_mkdir("more.conf");       /* not even by root */
	ck_assert_int_eq(daemon_run_args(&d, "-c", d.config), 78);
	harness_contains(daemon_errors(&d), "more.conf");
} END_TEST

START_TEST(included_files_are_served_and_a_pattern_may_match_nothing)
{
	files_mkdir("conf.d");
	files_write("conf.d/b.conf", SERVICES(SERVICE("b", "echo", "workers = 1;")));
	daemon_start(&d, "include = [ \"conf.d/*.conf\", \"none.d/*.conf\" ];\n"
	             SERVICES(SERVICE("a", "echo", "workers = 1;")));
	daemon_check_echo(&d, "b");
	close(daemon_connect(&d, "a"));
} END_TEST

int main(void)
{
	Suite *s = suite_create("badconf");
	TCase *tc = harness_case(s, "table");

	tcase_add_loop_test(tc, it_is_refused_with_file_line_and_reason, 0, ARRAY_SIZE(rows));

	tc = harness_case(s, "files");
	tcase_add_test(tc, all_errors_of_meaning_are_told_in_one_run);
	tcase_add_test(tc, a_missing_file_is_told);
	tcase_add_loop_test(tc, only_a_regular_file_is_a_configuration, 0, 2);
	tcase_add_test(tc, a_file_of_a_hundred_megabytes_is_refused);
	tcase_add_test(tc, a_nul_byte_is_refused_with_its_line);
	tcase_add_test(tc, the_deepest_nesting_is_refused_and_crashes_nothing);

	tc = harness_case(s, "include");
	tcase_add_test(tc, an_error_in_an_included_file_is_told_with_its_name);
	tcase_add_test(tc, included_files_hold_services_only);
	tcase_add_test(tc, a_service_may_not_come_from_two_files);
	tcase_add_test(tc, an_included_file_that_cannot_be_read_is_told);
	tcase_add_test(tc, included_files_are_served_and_a_pattern_may_match_nothing);
	return harness_run(s);
}
