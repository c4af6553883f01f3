/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Services of xinetd: what each attribute becomes, and which have no counterpart.
 */
#include <config.h>
#include "import_xinetd.h"

#include <sys/stat.h>
#include <unistd.h>

#include "import_harness.h"

/* The file alone. */
static int import_one(struct import *im, const char *path)
{
	if (import_xinetd(im, path) == -1)
		return -1;
	import_xinetd_finish(im);
	return 0;
}

/* The same behind a file that has defaults, which are empty. */
static int import_behind_defaults(struct import *im, const char *path)
{
	unit_write_file("d", "defaults\n{\n}\n");
	return import_xinetd(im, "d") == -1 ? -1 : import_one(im, path);
}

/* What stands behind the attributes of a row: those that a service needs. */
#define NEEDED "\n socket_type = stream\n wait = no\n user = mail\n server = /bin/cat\n}\n"

static const struct import_row rows[] = {
	{ "a service", "", "\n  smtp = {\n    listen = [ \"0.0.0.0:25\" ];\n    handler = { type = \"exec\";\n"
	  "                argv = [ \"/bin/cat\" ];\n                stderr = \"client\"; };\n"
	  "    workers = { min = 0; };\n    user = \"mail\";\n  };\n};\n", NULL },
	{ "an id", "id = my.smtp", "\n  my-smtp = {\n", NULL },
	{ "an id that begins with a digit", "id = 1st", "\n  service-1st = {\n", NULL },
	{ "a port", "port = 2525", "listen = [ \"0.0.0.0:2525\" ];", NULL },
	{ "a port by name", "port = http", "listen = [ \"0.0.0.0:80\" ];", NULL },
	{ "a port that services(5) lacks", "port = nowhere", "listen = [ \"0.0.0.0:nowhere\" ];", NULL },
	{ "UNLISTED", "type = UNLISTED\nport = 99", "listen = [ \"0.0.0.0:99\" ];", NULL },
	{ "UNLISTED without a port", "type = UNLISTED", "smtp: it is UNLISTED and has no port",
	  "x:1: smtp: it is UNLISTED and has no port\n" },
	{ "bind", "bind = 192.0.2.1", "listen = [ \"192.0.2.1:25\" ];", NULL },
	{ "interface", "interface = ::1", "listen = [ \"[::1]:25\" ];", NULL },
	{ "IPv6", "flags = IPv6", "listen = [ \"*:25\" ];", NULL },
	{ "IPv6 alone", "flags = IPv6\nv6only = yes", "listen = [ \"[::]:25\" ];", NULL },
	{ "harmless flags", "flags = REUSE NORETRY NODELAY KEEPALIVE NOLIBWRAP IPv4", "listen = [ \"0.0.0.0:25\" ];",
	  NULL },
	{ "IDONLY", "flags = IDONLY", "\n  smtp = {\n", "x:3: smtp: flag IDONLY has no counterpart: drover asks no ident" },
	{ "SENSOR", "flags = SENSOR", "NOT CARRIED OVER: smtp: flag SENSOR", "x:3: smtp: flag SENSOR" },
	{ "arguments", "server_args = -a  'b", "argv = [ \"/bin/cat\", \"-a\", \"'b\" ];", NULL },
	{ "values that need quotes", "server_args = a\"b\\c\001", "\"a\\\"b\\\\c\\x01\" ];", NULL },
	{ "NAMEINARGS", "flags = NAMEINARGS\nserver_args = dog -a",
	  "program = \"/bin/cat\";\n                argv = [ \"dog\", \"-a\" ];", NULL },
	{ "NAMEINARGS with the same name", "flags = NAMEINARGS\nserver_args = cat -a", "{ type = \"exec\";\n"
	  "                argv = [ \"/bin/cat\", \"-a\" ];", NULL },
	{ "tcpd", "flags = NAMEINARGS\nserver = /usr/sbin/tcpd\nserver_args = /usr/sbin/in.smtpd -l",
	  "argv = [ \"/usr/sbin/in.smtpd\", \"-l\" ];", "x:1: smtp: tcpd is left out: what hosts.allow and hosts.deny say"
	  " of in.smtpd belongs in access\n" },
	{ "env", "env = A=1 B=2\nenv += C=3\nenv -= A=1", "env = [ \"B=2\", \"C=3\" ];", NULL },
	{ "set twice", "user = root\nnice = 1\nnice = 2", "user = \"root\";\n    nice = 1;\n", NULL },
	{ "set twice is told", "USER = root", "# x:6: user is set already: xinetd takes the first value, and leaves mail out\n", NULL },
	{ "a list that is set twice", "only_from = 10.0.0.1\nonly_from = 10.0.0.2", "allow = [ \"10.0.0.2\" ]", NULL },
	{ "passenv", "passenv = TZ LANG", "pass_env = [ \"TZ\", \"LANG\" ];", NULL },
	{ "group, nice, umask", "group = adm\nnice = -5\numask = 27",
	  "group = \"adm\";\n    umask = \"0027\";\n    nice = -5;\n", NULL },
	{ "a nice that is none", "nice = 20", "\n  smtp = {\n", "x:3: smtp: nice 20 is not carried over" },
	{ "a umask that is none", "umask = 9", "\n  smtp = {\n", "x:3: smtp: umask 9 is not carried over (an octal number)" },
	{ "instances", "instances = 7", "limits = { connections = 7; overload = \"reject\"; };", NULL },
	{ "instances without a number", "instances = many", "\n  smtp = {\n",
	  "x:3: smtp: instances many is not carried over" },
	{ "no limit", "instances = UNLIMITED\nper_source = UNLIMITED", "user = \"mail\";\n  };", NULL },
	{ "per_source", "per_source = 3", "limits = { connections_per_source = 3; };", NULL },
	{ "more of a source than in all", "instances = 3\nper_source = 5", "limits = { connections = 3; overload =", NULL },
	{ "cps", "cps = 20 30", "limits = { rate = \"20/s\"; overload = \"reject\"; };", NULL },
	{ "limits of resources", "rlimit_as = 64M\nrlimit_cpu = 20\nrlimit_files = 64",
	  "rlimits = { nofile = 64; as = \"64M\"; cpu = 20; };", NULL },
	{ "no limit of resources", "rlimit_as = UNLIMITED", "user = \"mail\";\n  };", NULL },
	{ "a limit that drover lacks", "rlimit_stack = 8M", "\n  smtp = {\n",
	  "x:3: smtp: the resource limit stack 8M has no counterpart" },
	{ "a limit that is too small", "rlimit_files = 3", "\n  smtp = {\n",
	  "x:3: smtp: the resource limit files 3 is not carried over (a number from 16)" },
	{ "only_from", "only_from = 192.0.2.7 10.0.0.0 10.1.0.0 192.0.2.0 198.51.100.{1,2} 203.0. 2001:db8::/32",
	  "access = { allow = [ \"192.0.2.7\", \"10.0.0.0/8\", \"10.1.0.0/16\", \"192.0.2.0/24\", \"198.51.100.1\","
	  " \"198.51.100.2\", \"203.0.0.0/16\", \"2001:db8::/32\" ]; };", NULL },
	{ "zeros in braces", "only_from = 10.1.2.{0,5} 10.{0,7}", "allow = [ \"10.1.2.0\", \"10.1.2.5\","
	  " \"10.0.0.0/16\", \"10.7.0.0/16\" ]", NULL },
	{ "nothing in braces", "only_from = 10.1.2.{}", "deny = [ \"0.0.0.0/0\"", "x:3: smtp: \"10.1.2.{}\": drover" },
	{ "an empty item that is refused", "no_access = 10.1.2.{3,}", "smtp = {\n    enabled = false;",
	  "x:3: smtp: \"10.1.2.{3,}\": drover" },
	{ "a part that is too large", "only_from = 10.1.{256}", "deny = [ \"0.0.0.0/0\"", "x:3: smtp: \"10.1.{256}\": drover" },
	{ "five parts", "only_from = 10.1.2.3.{4}", "deny = [ \"0.0.0.0/0\"", "x:3: smtp: \"10.1.2.3.{4}\": drover" },
	{ "two braces", "only_from = 10.{1,2}.{3}", "deny = [ \"0.0.0.0/0\"", "x:3: smtp: \"10.{1,2}.{3}\": drover" },
	{ "a number that is not whole", "only_from = 192.168.1 10.1 203.0", "allow = [ \"192.168.0.1\", \"10.0.0.1\","
	  " \"203.0.0.0/8\" ]", NULL },
	{ "a number with a dot at its end", "only_from = 192.168.0. 10.", "allow = [ \"192.168.0.0/24\", \"10.0.0.0/8\" ]", NULL },
	{ "none is admitted", "no_access = 0", "access = { deny = [ \"0.0.0.0/0\", \"::/0\" ]; };", NULL },
	{ "all of IPv6", "only_from = ::", "access = { allow = [ \"::/0\" ]; };", NULL },
	{ "host bits", "only_from = 192.0.2.7/24", "allow = [ \"192.0.2.0/24\" ]", NULL },
	{ "all", "only_from = 0.0.0.0", "access = { allow = [ \"0.0.0.0/0\", \"::/0\" ]; };", NULL },
	{ "localhost", "only_from = localhost", "access = { allow = [ \"127.0.0.1\", \"::1\" ]; };", NULL },
	{ "no client", "only_from =", "access = { deny = [ \"0.0.0.0/0\", \"::/0\" ]; };", NULL },
	{ "no_access", "no_access = 192.0.2.0/25", "access = { deny = [ \"192.0.2.0/25\" ]; };", NULL },
	{ "a name that is allowed", "only_from = .example.org", "access = { deny = [ \"0.0.0.0/0\", \"::/0\" ]; };",
	  "x:3: smtp: \".example.org\": drover knows clients by address, and looks up no names (write addresses in"
	  " access.allow)\n" },
	{ "a name that is refused", "no_access = bad.example.org", "smtp = {\n    enabled = false;",
	  "x:3: smtp: \"bad.example.org\": drover knows clients" },
	{ "braces without end", "only_from = 10.1.{2,3", "deny = [ \"0.0.0.0/0\"", "x:3: smtp: \"10.1.{2,3\": drover" },
	{ "disable", "disable = yes", "smtp = {\n    enabled = false;\n", NULL },
	{ "disable, but not", "disable = no", "smtp = {\n    listen", NULL },
	{ "a disabled service loses nothing", "disable = yes\nmax_load = 3", "NOT CARRIED OVER: max_load 3", NULL },
	{ "wait", "wait = yes", "NOT CARRIED OVER: smtp: wait = yes", "x:3: smtp: wait = yes: its program accepts" },
	{ "dgram", "socket_type = dgram", "NOT CARRIED OVER: smtp: socket_type dgram", "x:3: smtp: socket_type dgram: drover" },
	{ "udp", "protocol = udp", "NOT CARRIED OVER: smtp: protocol udp", "x:3: smtp: protocol udp: drover serves" },
	{ "another protocol", "protocol = sctp", "protocol sctp is not served", "x:3: smtp: protocol sctp is not served" },
	{ "RPC", "type = RPC", "an RPC service is not served", "x:3: smtp: an RPC service is not served" },
	{ "tcpmux", "type = TCPMUXPLUS", "a service behind tcpmux", "x:3: smtp: a service behind tcpmux is not served" },
	{ "another type", "type = ODD", "\n  smtp = {\n", "x:3: smtp: type ODD is unknown\n" },
	{ "redirect", "redirect = 192.0.2.9 26", "NOT CARRIED OVER: smtp: redirect to 192.0.2.9 26",
	  "x:3: smtp: redirect to 192.0.2.9 26: drover connects to no other server (use haproxy; or argv ="
	  " [ \"/usr/bin/socat\", \"-\", \"TCP:192.0.2.9:26\" ])\n" },
	{ "access_times", "access_times = 8:00-9:00 10:00-11:00", "\n  smtp = {\n",
	  "x:3: smtp: access_times 8:00-9:00 10:00-11:00: drover does not know the time of day" },
	{ "max_load", "max_load = 3", "\n  smtp = {\n", "x:3: smtp: max_load 3: drover does not look at the load" },
	{ "a banner", "banner_fail = /etc/x", "\n  smtp = {\n", "x:3: smtp: banner_fail /etc/x: drover sends no banner" },
	{ "ident", "log_on_success = PID USERID", "\n  smtp = {\n",
	  "x:3: smtp: log_on_success USERID: drover asks no ident server\n" },
	{ "logs", "log_type = SYSLOG daemon\nlog_on_failure = HOST\ngroups = yes\nmdns = no", "\n  smtp = {\n", NULL },
	{ "libwrap", "libwrap = x", "\n  smtp = {\n", "x:3: smtp: libwrap x has no counterpart\n" },
	{ "an unknown attribute", "wiat = no", "\n  smtp = {\n", "x:3: smtp: wiat is not an attribute of xinetd" },
	{ "no attribute at all", "nonsense", "\n  smtp = {\n", "x:3: \"nonsense\" is not an attribute (NAME = VALUE)\n" },
	{ "two names", "a b = c", "\n  smtp = {\n", "x:3: \"a b = c\" is not an attribute (NAME = VALUE)\n" },
	{ "an attribute that includes", "user = mail\n}\ninclude /nonexistent/x\nservice http\n{\nserver = /bin/cat\nuser = x",
	  "\n  http = {\n", "x:5: include /nonexistent/x: No such file or directory\n" },
};

START_TEST(what_an_attribute_becomes)
{
	check_import_row(import_behind_defaults, "x", "service smtp\n{\n", NEEDED, &rows[_i]);
} END_TEST

static const struct import_row blocks[] = {
	{ "built in", "service echo\n{\ntype = INTERNAL\nuser = root\n}\n", "handler = { type = \"echo\"; };\n"
	  "    workers = { min = 0; };\n    user = \"nobody\";\n", NULL },
	{ "built in, as another user", "service time\n{\ntype = INTERNAL\nuser = daemon\n}\n", "user = \"daemon\";", NULL },
	{ "not built into drover", "service servers\n{\ntype = INTERNAL\n}\n", "servers is built into the other superserver",
	  "x:1: servers: servers is built into the other superserver, and not into drover\n" },
	{ "no server", "service smtp\n{\nuser = x\n}\n", "smtp: it has no server", "x:1: smtp: it has no server\n" },
	{ "no user", "service smtp\n{\nserver = /bin/cat\n}\n", "\n  smtp = {\n", "x:1: smtp: it names no user (write user)\n" },
	{ "a comment, blanks, CR LF", "\t# x\r\n\r\nservice echo\r\n\t{\r\n\ttype\t=\tINTERNAL\r\n }\r\n", "type = \"echo\"",
	  NULL },
	{ "two of a name", "service echo\n{\ntype=INTERNAL\n}\nservice echo\n{\ntype=INTERNAL\nport=77\n}\n",
	  "\n  echo-2 = {\n    listen = [ \"0.0.0.0:77\" ];", NULL },
	{ "defaults", "defaults\n{\ninstances = 5\nonly_from = 10.0.0.1\n}\nservice echo\n{\ntype = INTERNAL\n"
	  "only_from += 10.0.0.2\n}\n", "limits = { connections = 5; overload = \"reject\"; };\n"
	  "    access = { allow = [ \"10.0.0.1\", \"10.0.0.2\" ]; };", NULL },
	{ "defaults that are replaced", "defaults\n{\ninstances = 5\nno_access = 10.0.0.1 10.0.0.3\n}\nservice echo\n{\n"
	  "type = INTERNAL\ninstances = 6\nno_access -= 10.0.0.1\n}\n", "limits = { connections = 6; overload = \"reject\"; };\n"
	  "    access = { deny = [ \"10.0.0.3\" ]; };", NULL },
	{ "defaults twice", "defaults\n{\nonly_from = 10.0.0.1\nonly_from = 10.0.0.2\nonly_from += 10.0.0.3\n"
	  "instances = 5\ninstances = 6\n}\nservice echo\n{\ntype = INTERNAL\n}\n", "limits = { connections = 5; overload ="
	  " \"reject\"; };\n    access = { allow = [ \"10.0.0.1\", \"10.0.0.2\", \"10.0.0.3\" ]; };", NULL },
	{ "two blocks of defaults", "defaults\n{\ninstances = 5\nno_access = 10.0.0.1\n}\ndefaults\n{\ninstances = 6\n"
	  "no_access = 10.0.0.2\n}\nservice echo\n{\ntype = INTERNAL\n}\n", "limits = { connections = 5; overload ="
	  " \"reject\"; };\n    access = { deny = [ \"10.0.0.1\", \"10.0.0.2\" ]; };", NULL },
	{ "disabled by two lines", "defaults\n{\ndisabled = echo\ndisabled = time\n}\nservice echo\n{\ntype = INTERNAL\n}\n",
	  "enabled = false;", NULL },
	{ "defaults that come last", "service echo\n{\ntype = INTERNAL\n}\ndefaults\n{\nper_source = 5\n}\n",
	  "limits = { connections_per_source = 5; };", NULL },
	{ "disabled by name", "defaults\n{\ndisabled = echo\n}\nservice echo\n{\ntype = INTERNAL\n}\n", "enabled = false;", NULL },
	{ "not enabled by name", "defaults\n{\nenabled = time\n}\nservice echo\n{\ntype = INTERNAL\n}\n", "enabled = false;",
	  NULL },
	{ "enabled by name", "defaults\n{\nenabled = echo\n}\nservice echo\n{\ntype = INTERNAL\n}\n", "echo = {\n    listen",
	  NULL },
	{ "cps of defaults is told once", "defaults\n{\ncps = 9 99\n}\nservice echo\n{\ntype = INTERNAL\n}\n",
	  "# 99\n# x:1: xinetd may", NULL },
	{ "an unknown attribute of defaults", "defaults\n{\nodd = 9 9\n}\nservice echo\n{\ntype = INTERNAL\n}\n",
	  "# x:3: NOT CARRIED OVER: odd is not", "x:3: odd is not an attribute of xinetd that is known\n" },
	{ "no brace", "service echo\ntype = INTERNAL\n", NULL, "x:2: \"type = INTERNAL\" stands where { is missing\n" },
	{ "no end", "service echo\n{\ntype = INTERNAL\n", NULL, "x:1: this block has no end" },
	{ "something else", "hello world\n", NULL, "x:1: \"hello\" cannot stand here (service NAME, defaults, include" },
	{ "a service without a name", "service\n{\n}\n", NULL, "x:1: \"service\" cannot stand here" },
	{ "a folder that is not there", "includedir /nonexistent\nservice echo\n{\ntype = INTERNAL\n}\n",
	  "# x:1: NOT CARRIED OVER: includedir /nonexistent: No such", "x:1: includedir /nonexistent: No such file or" },
	{ "an include of two", "include a b\n", NULL, "x:1: include takes one path\n" },
	{ "itself", "include x\n", NULL, "x:1: too many files include each other (at most 8)\n" },
};

START_TEST(what_a_file_becomes)
{
	check_import_row(import_behind_defaults, "x", "", "", &blocks[_i]);
} END_TEST

START_TEST(braces_that_are_wrong_make_all_senseless)
{
	import_text(import_one, "x", "service echo\n{\ntype = INTERNAL\n}\nservice time\ntype = INTERNAL\n");
	ck_assert(imported.senseless);
	end_import();
	import_text(import_one, "x", "service echo\n{\ntype = INTERNAL\nfoo\n}\n");
	ck_assert(!imported.senseless);
	end_import();
} END_TEST

START_TEST(a_folder_is_included_in_order_of_names)
{
	const char *out, *echo, *time;

	ck_assert_int_eq(mkdir("x.d", 0777), 0);
	unit_write_file("x.d/b", "service time\n{\ntype = INTERNAL\n}\n");
	unit_write_file("x.d/a", "service echo\n{\ntype = INTERNAL\n}\n");
	unit_write_file("x.d/c.old", "nonsense\n");
	unit_write_file("x.d/c~", "nonsense\n");
	out = import_text(import_one, "x", "includedir x.d\n");
	echo = strstr(out, "  # x.d/a:1\n  echo = {\n");
	time = strstr(out, "  # x.d/b:1\n  time = {\n");
	ck_assert_msg(echo && time && echo < time, "%s", out);
	ck_assert_str_eq(import_said, "");
	end_import();
	begin_import();
	ck_assert_int_eq(import_one(&imported, "x.d"), 0);
	unit_contains(finish_import(), "  time = {\n");
	end_import();
} END_TEST

START_TEST(what_cannot_be_read_in_a_folder_is_told)
{
	const char *out;

	ck_assert_int_eq(mkdir("x.d", 0777) | mkdir("x.d/sub", 0777), 0);
	unit_write_file("x.d/sub/time", "service time\n{\ntype = INTERNAL\n}\n");
	unit_write_file("x.d/echo", "service echo\n{\ntype = INTERNAL\n}\n");
	ck_assert_int_eq(symlink("nowhere", "x.d/dangling"), 0);
	unit_write_file("x.d/zero", "a");
	unit_write_file("x.d/large", "a");
	ck_assert_int_eq(truncate("x.d/zero", 2) | truncate("x.d/large", 4194305), 0);
	out = import_text(import_one, "xinetd.conf", "includedir x.d\n");
	unit_contains(out, "  echo = {\n");
	unit_contains(out, "# x.d/sub:1: it is left out, because it is not a regular file\n");
	unit_contains(out, "# x.d/zero:1: NOT CARRIED OVER: it is not read: it has NUL bytes, and is not a text\n");
	ck_assert_str_eq(import_said, "x.d/dangling:1: it is not read: No such file or directory\n"
	                 "x.d/large:1: it is not read: it is too large (at most 4 MB)\n"
	                 "x.d/zero:1: it is not read: it has NUL bytes, and is not a text\n");
	ck_assert_uint_eq(imported.n_lost, 3);
	ck_assert_ptr_null(imported.services->next);
	end_import();
	import_text(import_one, "xinetd.conf", "include x.d/zero\n");
	ck_assert_str_eq(import_said, "xinetd.conf:1: include x.d/zero: it has NUL bytes, and is not a text\n");
	end_import();
} END_TEST

#define ECHO "service echo\n{\ntype = INTERNAL\n}\n"
#define UNKNOWN "echo:1: the defaults of xinetd.conf are not known here; import xinetd.conf, which includes this\n"

START_TEST(defaults_hold_for_all_files)
{
	const char *out;

	unit_write_file("x", "defaults\n{\nonly_from = 10.0.0.1\n}\n");
	unit_write_file("echo", ECHO);
	begin_import();
	ck_assert_int_eq(import_xinetd(&imported, "echo"), 0);
	ck_assert_int_eq(import_xinetd(&imported, "x"), 0);
	import_xinetd_finish(&imported);
	out = finish_import();
	unit_contains(out, "access = { allow = [ \"10.0.0.1\" ]; };");
	ck_assert_str_eq(import_said, "");
	end_import();
} END_TEST

START_TEST(defaults_that_are_not_known_are_lost)
{
	unit_contains(import_text(import_one, "echo", ECHO), "  echo = {\n");
	ck_assert_str_eq(import_said, UNKNOWN);
	ck_assert_uint_eq(imported.n_lost, 1);
	end_import();
	import_text(import_one, "xinetd.conf", ECHO);
	ck_assert_str_eq(import_said, "");
	end_import();
	import_text(import_one, "x", "# no service\n");
	ck_assert_str_eq(import_said, "");
	end_import();
} END_TEST

START_TEST(a_path_is_relative_to_the_file_that_includes_it)
{
	ck_assert_int_eq(mkdir("etc", 0777), 0);
	unit_write_file("etc/more", "service echo\n{\ntype = INTERNAL\n}\n");
	unit_contains(import_text(import_one, "etc/x", "include more\n"), "  # etc/more:1\n  echo = {\n");
	end_import();
} END_TEST

START_TEST(what_is_not_there_is_an_error)
{
	begin_import();
	ck_assert_int_eq(import_one(&imported, "nothing"), -1);
	ck_assert_int_eq(errno, ENOENT);
	finish_import();
	end_import();
} END_TEST

START_TEST(a_long_name_is_cut_and_stays_unique)
{
	char text[800], name[201];

	memset(name, 'n', 200);
	name[200] = '\0';
	snprintf(text, sizeof text, "service echo\n{\nid=%1$s1\ntype=INTERNAL\n}\nservice time\n{\nid=%1$s2\ntype=INTERNAL\n}\n",
	         name);
	import_text(import_one, "x", text);
	ck_assert_uint_eq(strlen(imported.services->name), 56);
	ck_assert_uint_eq(strlen(imported.services->next->name), 58);
	end_import();
} END_TEST

int main(void)
{
	Suite *s = suite_create("import_xinetd");
	TCase *tc = unit_case(s, "xinetd", unit_enter_folder, unit_leave_folder);

	tcase_add_loop_test(tc, what_an_attribute_becomes, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, what_a_file_becomes, 0, ARRAY_SIZE(blocks));
	tcase_add_test(tc, braces_that_are_wrong_make_all_senseless);
	tcase_add_test(tc, a_folder_is_included_in_order_of_names);
	tcase_add_test(tc, what_cannot_be_read_in_a_folder_is_told);
	tcase_add_test(tc, defaults_hold_for_all_files);
	tcase_add_test(tc, defaults_that_are_not_known_are_lost);
	tcase_add_test(tc, a_path_is_relative_to_the_file_that_includes_it);
	tcase_add_test(tc, what_is_not_there_is_an_error);
	tcase_add_test(tc, a_long_name_is_cut_and_stays_unique);
	return unit_run(s);
}
