/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sockets of systemd with Accept=yes, and their templates.
 */
#include <config.h>
#include "import_systemd.h"

#include <sys/stat.h>
#include <unistd.h>

#include "import_harness.h"
#include "import_unit.h"

#define SERVICE "[Service]\nStandardInput=socket\nUser=mail\nExecStart=/bin/cat\n"

static void enter_folder(void)
{
	unit_enter_folder();
	unit_write_file("s@.service", SERVICE);
}

/* ---- sockets ------------------------------------------------------------ */

#define SOCKET "[Unit]\nDescription=x\n[Socket]\nAccept=yes\nListenStream=25\n"

static const struct import_row sockets[] = {
	{ "a socket", "", "\n  # s.socket:1\n  s = {\n    listen = [ \"*:25\" ];\n    handler = { type = \"exec\";\n"
	  "                argv = [ \"/bin/cat\" ];\n                stderr = \"client\"; };\n"
	  "    workers = { min = 0; };\n    user = \"mail\";\n"
	  "    limits = { connections = 64; overload = \"reject\"; };\n  };\n};\n", NULL },
	{ "two addresses", "ListenStream=192.0.2.1:26\nListenStream=[::1]:27", "[ \"*:25\", \"192.0.2.1:26\", \"[::1]:27\" ]", NULL },
	{ "others instead", "ListenStream=\nListenStream=26", "listen = [ \"*:26\" ];", NULL },
	{ "every IPv6 address", "ListenStream=\nListenStream=[::]:26", "listen = [ \"*:26\" ];", NULL },
	{ "IPv6 alone", "BindIPv6Only=ipv6-only", "listen = [ \"[::]:25\" ];", NULL },
	{ "a unix socket", "ListenStream=/run/x", "{ address = \"unix:/run/x\"; mode = \"0666\"; }", NULL },
	{ "with an owner", "ListenStream=/run/x\nSocketUser=a\nSocketGroup=b\nSocketMode=0600",
	  "{ address = \"unix:/run/x\"; mode = \"0600\"; owner = \"a\"; group = \"b\"; }", NULL },
	{ "an abstract name", "ListenStream=@x", "listen = [ \"*:25\", \"unix:@x\" ];", NULL },
	{ "options", "Backlog=9\nNoDelay=yes\nFreeBind=true\nBindToDevice=eth0\nKeepAlive=yes",
	  "{ address = \"*:25\"; backlog = 9; nodelay = true; keepalive = true; freebind = true; device = \"eth0\"; }", NULL },
	{ "keep-alive", "KeepAlive=1\nKeepAliveTimeSec=1min 30s\nKeepAliveIntervalSec=5\nKeepAliveProbes=4",
	  "keepalive = { idle = \"90s\"; interval = \"5s\"; count = 4; };", NULL },
	{ "no keep-alive", "KeepAlive=no", "keepalive = false;", NULL },
	{ "limits", "MaxConnections=5\nMaxConnectionsPerSource=2",
	  "limits = { connections = 5; connections_per_source = 2; overload = \"reject\"; };", NULL },
	{ "a limit that is none", "MaxConnections=many", "limits = { connections = 64; overload",
	  "s.socket:6: s: MaxConnections many is" },
	{ "no connection at all", "MaxConnections=0", "limits = { connections = 64; overload", "s.socket:6: s: MaxConnections 0 is not" },
	{ "a rate", "TriggerLimitIntervalSec=2s\nTriggerLimitBurst=20", "rate = \"600/m\"; burst = 20; overload", NULL },
	{ "half a rate", "TriggerLimitBurst=20", "rate = \"600/m\"; burst = 20;", NULL },
	{ "no rate", "TriggerLimitBurst=0", "limits = { connections = 64; overload", NULL },
	{ "a rate that is none", "TriggerLimitIntervalSec=soon", "s = {", "s.socket:6: s: TriggerLimitIntervalSec=soon is not" },
	{ "addresses", "IPAddressDeny=any\nIPAddressAllow=localhost 192.0.2.0/24",
	  "access = { allow = [ \"127.0.0.0/8\", \"::1\", \"192.0.2.0/24\" ]; };", NULL },
	{ "some are denied", "IPAddressDeny=192.0.2.0/24 10.0.0.0/8\nIPAddressAllow=10.0.0.0/8",
	  "access = { allow = [ \"10.0.0.0/8\", \"0.0.0.0/0\", \"::/0\" ]; deny = [ \"192.0.2.0/24\" ]; };", NULL },
	{ "nothing is denied", "IPAddressAllow=10.0.0.0/8", "overload = \"reject\"; };\n  };", NULL },
	{ "names of addresses", "IPAddressDeny=link-local multicast", "deny = [ \"169.254.0.0/16\", \"fe80::/64\","
	  " \"224.0.0.0/4\", \"ff00::/8\" ]; };", NULL },
	{ "one family is denied", "IPAddressDeny=::/0\nIPAddressAllow=::1", "access = { allow = [ \"::1\", \"0.0.0.0/0\" ];"
	  " deny = [ \"::/0\" ]; };", NULL },
	{ "addresses are denied in two lines", "IPAddressDeny=10.0.0.1\nIPAddressDeny=\nIPAddressDeny=10.0.0.2\nIPAddressDeny=10.0.0.3",
	  "access = { deny = [ \"10.0.0.2\", \"10.0.0.3\" ]; };", NULL },
	{ "a name that is denied", "IPAddressDeny=lan", "s = {\n    enabled = false;", "s.socket:6: s: \"lan\": it is not an address"
	  " (write addresses in access.deny)\n" },
	{ "a name that is allowed", "IPAddressDeny=any\nIPAddressAllow=lan", "access = { deny = [ \"0.0.0.0/0\", \"::/0\" ]; };",
	  "s.socket:7: s: \"lan\": it is not an address (write addresses in access.allow)\n" },
	{ "a filter of clients", "IPIngressFilterPath=/x", "s = {\n    enabled = false;", "s.socket:6: s: \"IPIngressFilterPath=/x\":"
	  " drover knows clients by address alone (write addresses in access.deny)\n" },
	{ "interfaces", "RestrictNetworkInterfaces=eth0", "s = {\n    enabled = false;", "s.socket:6: s:"
	  " \"RestrictNetworkInterfaces=eth0\": drover knows clients by address" },
	{ "harmless settings", "FileDescriptorName=x\nRemoveOnStop=yes\nDirectoryMode=0755", "s = {", NULL },
	{ "settings without counterpart", "Priority=5\nMark=3\nPriority=6", "s = {", "s.socket:6: s: no counterpart: Priority Mark\n" },
	{ "datagrams", "ListenDatagram=25", "listen = [ \"*:25\" ];", "s.socket:6: s: ListenDatagram=25: drover serves stream" },
	{ "an address that drover lacks", "ListenStream=vsock:2:3", "s = {", "s.socket:6: s: ListenStream=vsock:2:3 is not an" },
	{ "a name", "ListenStream=host:x", "s = {", "s.socket:6: s: ListenStream=host:x is not an address" },
	{ "no address", "ListenStream=\nListenDatagram=5", "it has no ListenStream", "s.socket:1: s: it has no ListenStream" },
	{ "Accept=no", "Accept=no", "NOT CARRIED OVER: s: Accept=no", "s.socket:1: s: Accept=no: its program accepts" },
	{ "comments and lines that continue", "; x\n# y \\\nBacklog= \\\n# z\n9", "backlog = 9;", NULL },
	{ "no setting", "hello", "s = {", "s.socket:6: \"hello\" is not a setting (NAME=VALUE)\n" },
	{ "a duration that is none", "KeepAliveTimeSec=x", "s = {", "s.socket:6: s: KeepAliveTimeSec=x is not carried over\n" },
};

START_TEST(what_a_socket_becomes)
{
	check_import_row(import_systemd, "s.socket", SOCKET, "\n", &sockets[_i]);
} END_TEST

/* ---- templates ---------------------------------------------------------- */

static const struct import_row services[] = {
	{ "an error without =", "hello", "s = {", "s@.service:5: \"hello\" is not a setting (NAME=VALUE)\n" },
	{ "no user", "User=", "user = \"root\";", NULL },
	{ "place", "Group=adm\nWorkingDirectory=/srv\nRootDirectory=/jail\nUMask=027\nNice=3\nCPUAffinity=0 2-3, 5",
	  "group = \"adm\";\n    chroot = \"/jail\";\n    directory = \"/srv\";\n    umask = \"0027\";\n    nice = 3;\n"
	  "    cpus = \"0,2-3,5\";\n", NULL },
	{ "CPUs with commas", "CPUAffinity=0,1", "cpus = \"0,1\";", NULL },
	{ "CPUs with both", "CPUAffinity=0-1,3 2 ,5", "cpus = \"0-1,3,2,5\";", NULL },
	{ "CPUs in two lines", "CPUAffinity=7\nCPUAffinity=\nCPUAffinity=0\nCPUAffinity=0 2-3", "cpus = \"0,0,2-3\";", NULL },
	{ "CPUs and NUMA", "CPUAffinity=1\nCPUAffinity=numa", "cpus = \"1\";", "s@.service:6: s: CPUAffinity=numa is not carried over" },
	{ "a directory that may be missing", "WorkingDirectory=-/srv", "directory = \"/srv\";", NULL },
	{ "home", "WorkingDirectory=~", "s = {", "s@.service:5: s: WorkingDirectory=~: write the path in directory\n" },
	{ "NUMA", "CPUAffinity=numa", "s = {", "s@.service:5: s: CPUAffinity=numa is not carried over" },
	{ "limits", "LimitNOFILE=99:200\nLimitCORE=infinity\nLimitAS=1G\nLimitCPU=9\nLimitNPROC=7",
	  "rlimits = { nofile = 99; nproc = 7; as = \"1G\"; cpu = 9; };", NULL },
	{ "a limit that drover lacks", "LimitFSIZE=1", "s = {", "s@.service:5: s: the resource limit FSIZE 1 has no counterpart" },
	{ "no new privileges", "NoNewPrivileges=yes", "no_new_privs = true;", NULL },
	{ "new privileges", "NoNewPrivileges=no", "no_new_privs = false;", NULL },
	{ "a time", "RuntimeMaxSec=90min", "timeouts = { session = \"90m\"; };", NULL },
	{ "no time", "RuntimeMaxSec=infinity", "overload = \"reject\"; };\n  };", NULL },
	{ "a time that is none", "RuntimeMaxSec=5 parsecs", "s = {", "s@.service:5: s: RuntimeMaxSec=5 parsecs is not carried" },
	{ "arguments", "ExecStart=\nExecStart=-/bin/cat 'a b' \"c\\td\" \\x41 $$x 5%%",
	  "argv = [ \"/bin/cat\", \"a b\", \"c\\x09d\", \"A\", \"$x\", \"5%\" ];", NULL },
	{ "another name", "ExecStart=\nExecStart=@/bin/cat dog -u", "program = \"/bin/cat\";\n"
	  "                argv = [ \"dog\", \"-u\" ];", NULL },
	{ "a specifier", "ExecStart=\nExecStart=/bin/cat %i", "s = {", "s@.service:6: s: ExecStart has specifiers or variables" },
	{ "a specifier that is known", "ExecStart=\nExecStart=/bin/cat %p %t", "\"/bin/cat\", \"s\", \"/run\" ];", NULL },
	{ "a variable", "ExecStart=\nExecStart=/bin/cat $REMOTE_ADDR", "s = {", "s@.service:6: s: ExecStart has specifiers" },
	{ "all privileges", "ExecStart=\nExecStart=+/bin/cat", "argv = [ \"/bin/cat\" ];", "s@.service:6: s: ExecStart=+: the" },
	{ "two programs", "ExecStart=/bin/true", "argv = [ \"/bin/cat\" ];", "s@.service:4: s: a second ExecStart: drover" },
	{ "a quote without end", "ExecStart=\nExecStart=/bin/cat 'x", "it has no ExecStart", "ExecStart=/bin/cat 'x is not a command" },
	{ "no program", "ExecStart=", "it has no ExecStart", "s@.service:1: s: it has no ExecStart\n" },
	{ "descriptor 3", "StandardInput=null", "NOT CARRIED OVER: s: without StandardInput=socket",
	  "s@.service:5: s: without StandardInput=socket, the program takes the connection from descriptor 3" },
	{ "errors to the journal", "StandardError=journal", "argv = [ \"/bin/cat\" ]; };", NULL },
	{ "errors nowhere", "StandardError=null", "stderr = \"null\";", NULL },
	{ "errors to the socket", "StandardError=socket", "stderr = \"client\";", NULL },
	{ "errors to a file", "StandardError=file:/x", "argv = [ \"/bin/cat\" ]; };", "s@.service:5: s: StandardError=file:/x: it" },
	{ "output elsewhere", "StandardOutput=journal", "s = {", "s@.service:5: s: StandardOutput=journal: standard output is" },
	{ "the environment", "Environment=\"A=1 2\" B=3\nEnvironment='C=4'\nPassEnvironment=TZ LANG",
	  "pass_env = [ \"TZ\", \"LANG\" ];\n                env = [ \"A=1 2\", \"B=3\", \"C=4\" ];", NULL },
	{ "the environment anew", "Environment=A=1\nEnvironment=\nEnvironment=B=2", "env = [ \"B=2\" ];", NULL },
	{ "the environment with a specifier", "Environment=A=%i", "s = {", "s@.service:5: s: Environment=A=%i: the specifier" },
	{ "a broken environment", "Environment=\"A=1", "s = {", "s@.service:5: Environment=\"A=1 lacks a quote\n" },
	{ "files", "EnvironmentFile=-/etc/%p.env\nEnvironmentFile=/nonexistent/b",
	  "env_file = [ \"-/etc/s.env\", \"/nonexistent/b\" ];", NULL },
	{ "a pattern", "EnvironmentFile=/etc/x/*.env", "s = {", "s@.service:5: s: EnvironmentFile=/etc/x/*.env: env_file takes no" },
	{ "a user of its own", "User=\nDynamicUser=yes", "user = \"nobody\";", "s@.service:6: s: DynamicUser: a user of its own" },
	{ "addresses that the program reaches", "IPAddressDeny=any\nIPAddressAllow=10.0.0.0/8", "overload = \"reject\"; };\n  };",
	  "s@.service:5: s: IPAddressDeny in [Service] was for connections that the program opens itself, and has no" },
	{ "nothing is denied to the program", "IPAddressAllow=10.0.0.0/8", "overload = \"reject\"; };\n  };", NULL },
	{ "sandboxing", "ProtectHome=yes\nPrivateTmp=yes", "s = {", "s@.service:5: s: no counterpart: ProtectHome PrivateTmp" },
	{ "harmless", "Type=simple\nKillMode=process\nSyslogIdentifier=x", "s = {", NULL },
	{ "a specifier in a path", "RootDirectory=/srv/%i", "s = {", "s@.service:5: s: RootDirectory=/srv/%i: the specifier has no" },
};

static int import_template(struct import *im, const char *path)
{
	(void)path;
	unit_write_file("s.socket", "[Socket]\nAccept=yes\nListenStream=25\n");
	return import_systemd(im, "s.socket");
}

START_TEST(what_a_template_becomes)
{
	check_import_row(import_template, "s@.service", SERVICE, "\n", &services[_i]);
} END_TEST

/* ---- files -------------------------------------------------------------- */

static const char *import_again(const char *path)
{
	begin_import();
	ck_assert_msg(import_systemd(&imported, path) == 0, "%s: %m", path);
	return finish_import();
}

START_TEST(drop_ins_come_last)
{
	const char *out;

	ck_assert_int_eq(mkdir("s.socket.d", 0777) | mkdir("s@.service.d", 0777), 0);
	unit_write_file("s.socket", "[Socket]\nAccept=yes\nListenStream=25\nBacklog=5\n");
	unit_write_file("s.socket.d/2.conf", "[Socket]\nBacklog=7\n");
	unit_write_file("s.socket.d/1.conf", "[Socket]\nBacklog=6\n");
	unit_write_file("s.socket.d/3.old", "[Socket]\nBacklog=8\n");
	unit_write_file("s@.service.d/1.conf", "[Service]\nUser=adm\nodd\n");
	out = import_again("s.socket");
	unit_contains(out, "backlog = 7;");
	unit_contains(out, "user = \"adm\";");
	unit_contains(out, " of s.socket, s.socket.d/1.conf, s.socket.d/2.conf, s@.service,");
	ck_assert_str_eq(import_said, "s@.service.d/1.conf:3: \"odd\" is not a setting (NAME=VALUE)\n");
	end_import();
} END_TEST

START_TEST(a_name_may_have_dots)
{
	unit_write_file("com.example.greet@.service", SERVICE "Environment=A=%p\n");
	unit_write_file("com.example.greet.socket", "[Socket]\nAccept=yes\nListenStream=25\n");
	unit_contains(import_again("com.example.greet.socket"), "A=com.example.greet");
	ck_assert_str_eq(import_said, "");
	end_import();
	unit_contains(import_again("com.example.greet@.service"), "  com-example-greet = {\n");
	end_import();
} END_TEST

START_TEST(drop_ins_elsewhere_are_told)
{
	char said[400];

	ck_assert_int_eq(mkdir("etc", 0777) | mkdir("etc/s.socket.d", 0777) | mkdir("etc/s@.service.d", 0777), 0);
	unit_write_file("s.socket", "[Socket]\nAccept=yes\nListenStream=25\n");
	unit_write_file("etc/s.socket.d/1.conf", "[Socket]\nBacklog=6\n");
	unit_write_file("etc/s@.service.d/1.conf", "[Service]\nUser=adm\n");
	ck_assert_int_eq(symlink("etc", "lib"), 0);
	snprintf(said, sizeof said, "%1$s/nothing:%1$s/etc:%1$s/lib", unit_folder);
	ck_assert_int_eq(setenv("SYSTEMD_UNIT_PATH", said, 1), 0);
	unit_contains(import_again("s.socket"), "user = \"mail\";");
	snprintf(said, sizeof said, "s.socket:1: s: the drop-ins in %s/etc/s.socket.d are not read (copy them to s.socket.d)\n"
	         "s@.service:1: s: the drop-ins in %s/etc/s@.service.d are not read (copy them to s@.service.d)\n", unit_folder,
	         unit_folder);
	ck_assert_str_eq(import_said, said);
	end_import();
	unit_write_file("etc/s.socket", "[Socket]\nAccept=yes\nListenStream=25\n");
	unit_write_file("etc/s@.service", SERVICE);
	unit_contains(import_again("etc/s.socket"), "user = \"adm\";");
	ck_assert_str_eq(import_said, "");
	end_import();
} END_TEST

START_TEST(a_template_is_found_where_systemd_looks)
{
	ck_assert_int_eq(mkdir("etc", 0777), 0);
	unit_write_file("etc/far@.service", SERVICE);
	unit_write_file("far.socket", "[Socket]\nAccept=yes\nListenStream=25\n");
	ck_assert_int_eq(setenv("SYSTEMD_UNIT_PATH", "etc:", 1), 0);
	unit_contains(import_again("far.socket"), " of far.socket, etc/far@.service\n");
	ck_assert_str_eq(import_said, "");
	end_import();
} END_TEST

START_TEST(a_template_stands_for_its_socket_once)
{
	unit_write_file("s.socket", "[Socket]\nAccept=yes\nListenStream=25\n");
	begin_import();
	ck_assert_int_eq(import_systemd(&imported, "s.socket"), 0);
	ck_assert_int_eq(import_systemd(&imported, "s@.service"), 0);
	finish_import();
	ck_assert_ptr_nonnull(imported.services);
	ck_assert_ptr_null(imported.services->next);
	end_import();
	unit_contains(import_again("s@.service"), "  s = {\n");
	end_import();
} END_TEST

START_TEST(a_socket_without_its_template_is_not_served)
{
	unit_write_file("alone.socket", "[Socket]\nAccept=yes\nListenStream=25\n");
	unit_contains(import_again("alone.socket"), "NOT CARRIED OVER: alone: there is no alone@.service beside it");
	ck_assert_str_eq(import_said, "alone.socket:1: alone: there is no alone@.service beside it\n");
	end_import();
} END_TEST

START_TEST(a_template_that_cannot_be_read_is_told)
{
	unit_write_file("dir.socket", "[Socket]\nAccept=yes\nListenStream=25\n");
	ck_assert_int_eq(mkdir("dir@.service", 0777), 0);
	import_again("dir.socket");
	ck_assert_str_eq(import_said, "dir.socket:1: dir: dir@.service: Is a directory\n");
	end_import();
} END_TEST

START_TEST(a_service_has_a_bounded_number_of_listeners)
{
	char text[2000] = "[Socket]\nAccept=yes\n";

	for (int i = 0; i < 33; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "ListenStream=%d\n", 1000 + i);
	unit_write_file("s.socket", text);
	unit_contains(import_again("s.socket"), "\"*:1030\", \"*:1031\" ];");
	ck_assert_str_eq(import_said, "s.socket:35: s: it does not listen at *:1032: a service has at most 32 listeners here"
	                 " (write another service)\n");
	end_import();
} END_TEST

START_TEST(what_is_no_socket_makes_no_sense)
{
	unit_write_file("x.socket", "[Service]\nExecStart=/bin/cat\n");
	import_again("x.socket");
	ck_assert_str_eq(import_said, "x.socket:1: it has no section [Socket] with ListenStream or Accept\n");
	ck_assert_uint_eq(imported.n_broken, 1);
	end_import();
	unit_write_file("x.socket", "ListenStream=5\n");
	import_again("x.socket");
	unit_contains(import_said, "x.socket:1: \"ListenStream=5\" stands before the first section, such as [Socket]\n");
	end_import();
	begin_import();
	ck_assert_int_eq(import_systemd(&imported, "none.socket"), -1);
	finish_import();
	end_import();
} END_TEST

START_TEST(unix_sockets_of_a_service_with_access_are_another_one)
{
	const char *out;

	unit_write_file("s.socket", "[Socket]\nAccept=yes\nIPAddressDeny=10.0.0.0/8\nListenStream=25\nListenStream=/run/x\n");
	out = import_again("s.socket");
	unit_contains(out, "  s = {\n    listen = [ \"*:25\" ];");
	unit_contains(out, "  s-unix = {\n    listen = ( { address = \"unix:/run/x\"; mode = \"0666\"; } );");
	unit_contains(out, "connections = 64; overload = \"reject\"; };\n    access = { deny = [ \"10.0.0.0/8\" ]; };\n  };\n");
	unit_contains(out, "connections = 64; overload = \"reject\"; };\n  };\n};\n");
	ck_assert_str_eq(import_said, "");
	end_import();
	unit_write_file("s.socket", "[Socket]\nAccept=yes\nIPAddressDeny=10.0.0.0/8\nListenStream=/run/x\n");
	unit_contains(import_again("s.socket"), "connections = 64; overload = \"reject\"; };\n  };\n};\n");
	end_import();
} END_TEST

START_TEST(a_variable_of_both_is_told)
{
	char text[400], want[400];

	unit_write_file("env", "A=file\nB=file\n");
	snprintf(text, sizeof text, SERVICE "Environment=A=1 C=2\nEnvironmentFile=%s/env\n", unit_folder);
	unit_write_file("s@.service", text);
	unit_write_file("s.socket", "[Socket]\nAccept=yes\nListenStream=25\n");
	import_again("s.socket");
	snprintf(want, sizeof want, "s@.service:6: s: A is in Environment and in %s/env: the file won there, and env wins in"
	         " drover (remove it from env)\n", unit_folder);
	ck_assert_str_eq(import_said, want);
	end_import();
} END_TEST

int main(void)
{
	Suite *s = suite_create("import_systemd");
	TCase *tc = unit_case(s, "systemd", enter_folder, unit_leave_folder);

	tcase_add_loop_test(tc, what_a_socket_becomes, 0, ARRAY_SIZE(sockets));
	tcase_add_loop_test(tc, what_a_template_becomes, 0, ARRAY_SIZE(services));
	tcase_add_test(tc, drop_ins_come_last);
	tcase_add_test(tc, a_name_may_have_dots);
	tcase_add_test(tc, drop_ins_elsewhere_are_told);
	tcase_add_test(tc, a_template_is_found_where_systemd_looks);
	tcase_add_test(tc, a_template_stands_for_its_socket_once);
	tcase_add_test(tc, a_socket_without_its_template_is_not_served);
	tcase_add_test(tc, a_template_that_cannot_be_read_is_told);
	tcase_add_test(tc, a_service_has_a_bounded_number_of_listeners);
	tcase_add_test(tc, what_is_no_socket_makes_no_sense);
	tcase_add_test(tc, unix_sockets_of_a_service_with_access_are_another_one);
	tcase_add_test(tc, a_variable_of_both_is_told);
	return unit_run(s);
}
