/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Run scripts with tcpserver: its options, what stands around it, and the rules of tcprules.
 */
#include <config.h>
#include "import_tcpserver.h"

#include <sys/stat.h>

#include "import_harness.h"
#include "import_tcprules.h"

#define RUN "#!/bin/sh\nexec tcpserver -RH "
#define END " 0 25 /bin/cat -u"

static const struct import_row options[] = {
	{ "a service", "-umail" END, "\n  # web/run:2\n  web = {\n    listen = [ \"0.0.0.0:25\" ];\n"
	  "    handler = { type = \"exec\";\n                argv = [ \"/bin/cat\", \"-u\" ]; };\n"
	  "    workers = { min = 0; };\n    user = \"mail\";\n    limits = { connections = 40; };\n  };\n};\n", NULL },
	{ "no user", END, "web/run:2: the script names no user: the program ran as root\n  web = {", NULL },
	{ "root, then", END, "user = \"root\";", NULL },
	{ "a host and a name of a port", "-u mail 127.0.0.1 smtp /bin/cat", "listen = [ \"127.0.0.1:25\" ];", NULL },
	{ "IPv6", "-6 -u mail" END, "listen = [ \"*:25\" ];", NULL },
	{ "an IPv6 address", "-u mail ::1 25 /bin/cat", "listen = [ \"[::1]:25\" ];", NULL },
	{ "options together", "-vDu mail -g adm -c 7 -b50" END,
	  "listen = ( { address = \"0.0.0.0:25\"; backlog = 50; nodelay = true; } );", NULL },
	{ "a group and a limit", "-vDu mail -g adm -c 7 -b50" END, "group = \"adm\";\n    limits = { connections = 7; };", NULL },
	{ "delay", "-d -u 1000" END, "nodelay = false;", NULL },
	{ "a local name", "-l mail.example.org -u mail" END, "env = [ \"TCPLOCALHOST=mail.example.org\" ];", NULL },
	{ "harmless options", "-q -Q -v -P -R -H -o -O -X -t 5 -u mail" END, "web = {", NULL },
	{ "the end of options", "-u mail -- 0 25 /bin/cat", "listen = [ \"0.0.0.0:25\" ];", NULL },
	{ "the port is printed", "-1 -u mail" END, "-1: droverctl services shows the port", NULL },
	{ "a banner", "-B '220 hello' -u mail" END, "web = {", "web/run:2: web: -B 220 hello: drover sends no banner" },
	{ "names", "-h -u mail" END, "web = {", "web/run:2: web: -h: drover looks up no names, and TCPREMOTEHOST is not" },
	{ "paranoid names", "-p -u mail" END, "web = {", "web/run:2: web: -p: drover looks up no names" },
	{ "ident", "-r -u mail" END, "web = {", "web/run:2: web: -r: drover asks no ident server, and TCPREMOTEINFO" },
	{ "an interface", "-I eth0 -u mail" END, "web = {", "web/run:2: web: -I eth0 has no counterpart" },
	{ "an unknown option", "-Z -u mail" END, "web = {", "web/run:2: web: the option -Z is unknown\n" },
	{ "a limit that is none", "-c x -u mail" END, "web = {", "web/run:2: web: -c x is not carried over" },
	{ "only the shell knows it", "-c $MAX -u mail" END, "limits = { connections = 40; };",
	  "web/run:2: web: -c $MAX: only a shell knows the value\n" },
	{ "an argument that only the shell knows", "-u mail 0 25 /bin/cat $1", "argv = [ \"/bin/cat\", \"$1\" ];",
	  "web/run:2: web: $1: only a shell knows the value (write it in argv)\n" },
	{ "-U without a user", "-U" END, "user = \"root\";", "web/run:2: web: -U: who sets UID and GID is not known" },
	{ "rules that are not there", "-x /nonexistent/rules.cdb -u mail" END, "web = {\n    enabled = false;",
	  "web/run:2: web: -x /nonexistent/rules.cdb: the text that tcprules made it from is not in /nonexistent/rules" },
	{ "too little", "-u mail 0 25", "tcpserver needs a host, a port and a program",
	  "web/run:2: web: tcpserver needs a host, a port and a program\n" },
	{ "wrappers alone", "-u mail 0 25 env A=1", "there is no program behind the port",
	  "web/run:2: web: there is no program behind the port\n" },
	{ "wrappers behind the port", "0 25 setuidgid mail softlimit -o 64 nice -n 5 env A=1 /bin/cat",
	  "argv = [ \"/bin/cat\" ];\n                env = [ \"A=1\" ]; };\n    workers = { min = 0; };\n"
	  "    user = \"mail\";\n    nice = 5;\n    rlimits = { nofile = 64; };", NULL },
	{ "envuidgid behind the port", "-u mail 0 25 envuidgid x /bin/cat", "user = \"mail\";",
	  "web/run:2: web: envuidgid x behind the port: UID and GID are not set" },
	{ "redirections and what follows", "-u mail 0 25 /bin/cat -u 2>&1 >/dev/null | logger -t x & wait",
	  "argv = [ \"/bin/cat\", \"-u\" ]; };", NULL },
	{ "a comment", "-u mail 0 25 /bin/cat # -x", "argv = [ \"/bin/cat\" ]; };", NULL },
	{ "a program that is nowhere", "-u mail 0 25 nonexistent-program a", "argv = [ \"/usr/bin/env\", \"nonexistent-program\","
	  " \"a\" ];", NULL },
};

START_TEST(what_an_option_becomes)
{
	ck_assert_int_eq(mkdir("web", 0777), 0);
	check_import_row(import_tcpserver, "web/run", RUN, "\n", &options[_i]);
} END_TEST

#define SERVER " tcpserver -HR 0 25 /bin/cat\n"

static const struct import_row scripts[] = {
	{ "lines that continue", "exec \\\n tcpserver -HR \\\n -u mail \\\n 0 25 /bin/cat\n", "  # web/run:1\n", NULL },
	{ "a path of tcpserver", "/usr/local/bin/tcpserver -HR -u mail 0 25 /bin/cat\n", "user = \"mail\";", NULL },
	{ "names without -HR are said to be unset", "tcpserver -u mail 0 25 /bin/cat\n",
	  "web/run:1: TCPREMOTEHOST and TCPREMOTEINFO are not set", NULL },
	{ "setuidgid", "exec setuidgid mail" SERVER, "user = \"mail\";", NULL },
	{ "envuidgid and -U", "exec envuidgid mail tcpserver -HRU 0 25 /bin/cat\n", "user = \"mail\";", NULL },
	{ "softlimit", "softlimit -m 2000000 -o64 -p 5 -t 3 -c 0 setuidgid mail" SERVER,
	  "rlimits = { nofile = 64; nproc = 5; core = \"0\"; as = \"2000000\"; cpu = 3; };", NULL },
	{ "a hard limit", "softlimit -a= setuidgid mail" SERVER, "user = \"mail\";\n    limits", NULL },
	{ "a limit that drover lacks", "softlimit -s 5 setuidgid mail" SERVER, "user", "web/run:1: web: the resource limit stack 5" },
	{ "nice", "nice setuidgid mail" SERVER, "nice = 10;", NULL },
	{ "nice with a number", "nice -7 setuidgid mail" SERVER, "nice = 7;", NULL },
	{ "nice -n", "nice -n -7 setuidgid mail" SERVER, "nice = -7;", NULL },
	{ "env", "env - PATH=/bin A='b c' setuidgid mail" SERVER, "env = [ \"PATH=/bin\", \"A=b c\" ];", NULL },
	{ "env of the shell", "env A=$B setuidgid mail" SERVER, "user", "web/run:1: web: A=$B: only a shell knows the value" },
	{ "envdir", "envdir ./env setuidgid mail" SERVER, "user", "web/run:1: web: envdir ./env: drover reads no folder" },
	{ "setlock", "setlock -nx ./lock setuidgid mail" SERVER, "setlock ./lock is not needed", NULL },
	{ "chpst", "chpst -u mail:adm -n 3 -o 99 -/ /srv -v" SERVER,
	  "user = \"mail\";\n    group = \"adm\";\n    chroot = \"/srv\";\n    nice = 3;\n    rlimits = { nofile = 99; };", NULL },
	{ "chpst with a path that is not absolute", "chpst -u mail -/ jail" SERVER, "user",
	  "web/run:1: web: -/ jail is not carried over: the" },
	{ "chpst in a folder that is not absolute", "chpst -u mail -C x" SERVER, "user",
	  "web/run:1: web: -C x is not carried over: the" },
	{ "chpst with numbers", "chpst -u:8:9" SERVER, "user = \"8\";\n    group = \"9\";", NULL },
	{ "chpst with groups", "chpst -u mail:adm:lp" SERVER, "group = \"adm\";", "web/run:1: web: more groups than one" },
	{ "chpst -e", "chpst -u mail -e ./env" SERVER, "user", "web/run:1: web: -e ./env has no counterpart\n" },
	{ "an unknown wrapper", "frob setuidgid mail tcpserver -HR -u mail 0 25 /bin/cat\n", "user = \"mail\"",
	  "web/run:1: web: frob before tcpserver is not understood\n" },
	{ "variables", "U=mail\nA='1 2'\nexec tcpserver -HR -u \"$U\" 0 25 /bin/cat \"${A}3\" $A\n",
	  "argv = [ \"/bin/cat\", \"1 23\", \"1\", \"2\" ];", NULL },
	{ "a variable that is set again", "U=a\nU=mail; exec tcpserver -HR -u $U 0 25 /bin/cat\n", "user = \"mail\";", NULL },
	{ "id -u", "U=`id -u mail`\nG=$(/usr/bin/id -g adm)\ntcpserver -HR -u $U -g $G 0 25 /bin/cat\n",
	  "user = \"mail\";\n    group = \"adm\";", NULL },
	{ "another command", "C=`cat max`\ntcpserver -HR -u mail -c $C 0 25 /bin/cat\n", "user", "web/run:2: web: -c $C: only a" },
	{ "escapes", "tcpserver -HR -u mail 0 25 /bin/cat a\\ b \"c\\\"d\\$e\" ''\n", "\"a b\", \"c\\\"d$e\", \"\" ];",
	  "c\"d$e: only a shell knows the value" },
	{ "export", "export A=1\ntcpserver -HR -u mail 0 25 /bin/cat\n", "env = [ \"A=1\" ];", NULL },
	{ "cd", "cd /srv\ntcpserver -HR -u mail 0 25 ./x y\n", "argv = [ \"/srv/x\", \"y\" ]; };\n    workers = { min = 0; };\n"
	  "    user = \"mail\";\n    directory = \"/srv\";", NULL },
	{ "export of a variable", "A='b c'; B=2\nexport A\nexport B C PATH\nB=3\ntcpserver -HR -u mail 0 25 /bin/cat\n",
	  "env = [ \"A=b c\", \"B=3\" ];", NULL },
	{ "export of what only the shell knows", "export A=1\nA=`date`\ntcpserver -HR -u mail 0 25 /bin/cat\n",
	  "argv = [ \"/bin/cat\" ]; };",
	  "web/run:3: web: A: only a shell knows the value (write it in env)\n" },
	{ "a variable that is not known any more", "U=root\nU=$(cat user)\ntcpserver -HR -u \"$U\" 0 25 /bin/cat\n", "user = \"nobody\"",
	  "web/run:3: web: -u $U: only a shell knows the value (write user; until then it is nobody)\n" },
	{ "PATH", "PATH=/bin:/x\ntcpserver -HR -u mail 0 25 /bin/cat\n", "env = [ \"PATH=/bin:/x\" ];", NULL },
	{ "a longer PATH", "PATH=/x:$PATH\nexport PATH\ntcpserver -HR -u mail 0 25 /bin/cat\n",
	  "web/run:3: PATH: only a shell knows the", NULL },
	{ "an empty variable", "O=\ntcpserver $O -HR -u mail $O 0 25 /bin/cat $O \"$O\" a$O\n",
	  "argv = [ \"/bin/cat\", \"\", \"a\" ];", NULL },
	{ "a variable of several words", "O='-HR -c 7 '\ntcpserver $O -u mail 0 25 /bin/cat x$O\n", "\"x-HR\", \"-c\", \"7\" ]; };\n"
	  "    workers = { min = 0; };\n    user = \"mail\";\n    limits = { connections = 7; };", NULL },
	{ "a variable in another one", "A='b c'\nexport B=$A\ntcpserver -HR -u mail 0 25 /bin/cat\n", "env = [ \"B=b c\" ];", NULL },
	{ "umask", "umask 022\nif [ -d /x ]; then umask 077; fi\ntcpserver -HR -u mail 0 25 /bin/cat\n", "umask = \"0077\";", NULL },
	{ "a umask that is none", "umask u=rwx\ntcpserver -HR -u mail 0 25 /bin/cat\n", "user",
	  "web/run:1: web: umask u=rwx is not carried" },
	{ "ulimit", "ulimit -n 64 -v 50000\nulimit -Ht 9; ulimit -S -u 5 -c 0\ntcpserver -HR -u mail 0 25 /bin/cat\n",
	  "rlimits = { nofile = 64; nproc = 5; core = \"0\"; as = \"50000k\"; cpu = 9; };", NULL },
	{ "no ulimit", "ulimit -n unlimited\ntcpserver -HR -u mail 0 25 /bin/cat\n", "user = \"mail\";\n    limits", NULL },
	{ "ulimit that drover lacks", "ulimit -s 8192\ntcpserver -HR -u mail 0 25 /bin/cat\n", "user",
	  "web/run:1: web: the resource limit stack" },
	{ "ulimit without an option", "ulimit 8\ntcpserver -HR -u mail 0 25 /bin/cat\n", "user",
	  "web/run:1: web: the resource limit fsize 8" },
	{ "ulimit of blocks", "ulimit -c 8\ntcpserver -HR -u mail 0 25 /bin/cat\n", "user",
	  "web/run:1: web: ulimit -c 8 is not carried over" },
	{ "an unknown ulimit", "ulimit -Z 8\ntcpserver -HR -u mail 0 25 /bin/cat\n", "user",
	  "web/run:1: web: ulimit -Z 8 is not carried over" },
	{ "a command before it", "mkdir -p /x && sleep 1\ntcpserver -HR -u mail 0 25 /bin/cat\n", "user",
	  "web/run:1: web: \"mkdir -p /x\" before tcpserver is not carried over: drover executes nothing before it serves (a drop-in of"
	  " drover.service can, by ExecStartPre)\nweb/run:1: web: \"sleep 1\" before" },
	{ "a command in a condition", "if ! frob x; then frobnicate; fi\ntcpserver -HR -u mail 0 25 /bin/cat\n", "user",
	  "web/run:1: web: \"frob x\" before" },
	{ "commands that do nothing to it", "exec 2>&1\nset -e\nif [ -f /x ]; then echo x; else test -f y; fi\n"
	  "echo z | logger\ntcpserver -HR -u mail 0 25 /bin/cat | multilog & tcpserver -HR -u mail 0 26 /bin/cat\n", "user", NULL },
	{ "two of them", "tcpserver -HR -u mail 0 25 /bin/cat & tcpserver -HR -u mail 0 26 /bin/cat\n",
	  "listen = [ \"0.0.0.0:26\" ];", NULL },
	{ "one that is only named", "echo starting tcpserver\nthen exec tcpserver -HR -u mail 0 25 /bin/cat\n", "  # web/run:2\n", NULL },
	{ "none", "exec httpd\n", "services = {\n};", "web/run:1: there is no command tcpserver in it\n" },
};

START_TEST(what_a_script_becomes)
{
	ck_assert_int_eq(mkdir("web", 0777), 0);
	check_import_row(import_tcpserver, "web/run", "", "", &scripts[_i]);
} END_TEST

START_TEST(a_service_directory_stands_for_its_script)
{
	char want[512];

	ck_assert_int_eq(mkdir("pop", 0777), 0);
	unit_write_file("pop/run", "tcpserver -HR -u mail 0 110 ./popd\n");
	begin_import();
	ck_assert_int_eq(import_tcpserver(&imported, "pop"), 0);
	snprintf(want, sizeof want, "  pop = {\n    listen = [ \"0.0.0.0:110\" ];\n    handler = { type = \"exec\";\n"
	         "                argv = [ \"%1$s/pop/popd\" ]; };\n    workers = { min = 0; };\n    user = \"mail\";\n"
	         "    directory = \"%1$s/pop\";\n", unit_folder);
	unit_contains(finish_import(), want);
	end_import();
} END_TEST

/* ---- rules -------------------------------------------------------------- */

static int import_rules(struct import *im, const char *path)
{
	struct import_service *svc = import_add_service(im, (struct import_place){ "run", 1 }, "s");

	svc->builtin = "echo";
	return import_tcprules(im, svc, path);
}

static const struct import_row rules[] = {
	{ "allow and deny", "10.1.2.3:allow\n10.:allow\n10.9.:deny\n:deny\n", "access = { allow = [ \"10.1.2.3\", \"10.0.0.0/8\" ];"
	  " deny = [ \"10.9.0.0/16\" ]; };", NULL },
	{ "all that is not denied", "10.1.2.:deny\n", "access = { deny = [ \"10.1.2.0/24\" ]; };", NULL },
	{ "exceptions", "10.1.2.:deny\n10.1.2.3:allow\n:allow\n",
	  "access = { allow = [ \"10.1.2.3\", \"0.0.0.0/0\", \"::/0\" ]; deny = [ \"10.1.2.0/24\" ]; };", NULL },
	{ "nothing is denied", "10.:allow\n:allow\n", "type = \"echo\"; };\n    workers = { min = 0; };\n  };", NULL },
	{ "a range", "10.1.2.37-53:deny\n", "deny = [ \"10.1.2.37\", \"10.1.2.38/31\", \"10.1.2.40/29\", \"10.1.2.48/30\","
	  " \"10.1.2.52/31\" ]; };", NULL },
	{ "a range of networks", "10.16-31.:deny\n", "deny = [ \"10.16.0.0/12\" ]; };", NULL },
	{ "a whole range", "10.1.2.0-255:deny\n", "deny = [ \"10.1.2.0/24\" ]; };", NULL },
	{ "IPv6", "2001:db8::/32:deny\n::1:deny\n", "deny = [ \"2001:db8::/32\", \"::1\" ]; };", NULL },
	{ "comments", "# x\n\n10.:deny\n", "deny = [ \"10.0.0.0/8\" ]; };", NULL },
	{ "variables", "10.:allow,RELAYCLIENT=\"\"\n", "s = {", "rules:1: s: RELAYCLIENT=\"\": variables for the clients of a rule" },
	{ "a name", "=.example.org:allow\n:deny\n", "s = {", "rules:1: s: \"=.example.org\": drover knows clients by address" },
	{ "ident", "joe@10.1.2.3:allow\n:deny\n", "s = {", "rules:1: s: \"joe@10.1.2.3\": drover asks no ident server" },
	{ "no address", "10.1.2:allow\n:deny\n", "s = {", "rules:1: s: \"10.1.2\": it is not an address" },
	{ "too large", "10.1.2.300:deny\n", "s = {", "rules:1: s: \"10.1.2.300\": it is not an address" },
	{ "no rule", "10.1.2.3\n", "s = {", "rules:1: \"10.1.2.3\" is not a rule (ADDRESS:allow or ADDRESS:deny)\n" },
};

START_TEST(what_a_rule_becomes)
{
	check_import_row(import_rules, "rules", "", "", &rules[_i]);
} END_TEST

START_TEST(rules_are_found_beside_the_script)
{
	ck_assert_int_eq(mkdir("web", 0777), 0);
	unit_write_file("web/rules", ":deny\n10.:allow\n");
	unit_contains(import_text(import_tcpserver, "web/run", "tcpserver -HR -u mail -x rules.cdb 0 25 /bin/cat\n"),
	              "access = { allow = [ \"10.0.0.0/8\" ]; };");
	ck_assert_str_eq(import_said, "");
	end_import();
	unit_write_file("web/rules", "=spam.example.org:deny\n");
	unit_contains(import_text(import_tcpserver, "web/run", "tcpserver -HR -u mail -x rules.cdb 0 25 /bin/cat\n"),
	              "web = {\n    enabled = false;\n");
	end_import();
	unit_write_file("web/rules", ":Deny\n");
	unit_contains(import_text(import_tcpserver, "web/run", "tcpserver -HR -u mail -x rules.cdb 0 25 /bin/cat\n"),
	              "web = {\n    enabled = false;\n");
	unit_contains(import_said, "web/rules:1: \":Deny\" is not a rule (ADDRESS:allow or ADDRESS:deny)\n");
	end_import();
	unit_write_file("web/rules", ":deny\n");
	unit_contains(import_text(import_tcpserver, "web/run", "tcpserver -HR -u mail -x rules.cdb 0 25 /bin/cat\n"),
	              "access = { deny = [ \"0.0.0.0/0\", \"::/0\" ]; };");
	end_import();
} END_TEST

int main(void)
{
	Suite *s = suite_create("import_tcpserver");
	TCase *tc = unit_case(s, "tcpserver", unit_enter_folder, unit_leave_folder);

	tcase_add_loop_test(tc, what_an_option_becomes, 0, ARRAY_SIZE(options));
	tcase_add_loop_test(tc, what_a_script_becomes, 0, ARRAY_SIZE(scripts));
	tcase_add_test(tc, a_service_directory_stands_for_its_script);
	tcase_add_loop_test(tc, what_a_rule_becomes, 0, ARRAY_SIZE(rules));
	tcase_add_test(tc, rules_are_found_beside_the_script);
	return unit_run(s);
}
