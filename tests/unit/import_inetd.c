/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines of inetd.conf, in the forms of several systems.
 */
#include <config.h>
#include "import_inetd.h"

#include "import_harness.h"

#define CAT " /bin/cat cat\n"

static const struct import_row rows[] = {
	{ "a service", "smtp\tstream\ttcp\tnowait\tmail\t/bin/cat\tcat -u\n", "\n  # inetd.conf:1\n  smtp = {\n"
	  "    listen = [ \"0.0.0.0:25\" ];\n    handler = { type = \"exec\";\n"
	  "                argv = [ \"/bin/cat\", \"-u\" ];\n                stderr = \"client\"; };\n"
	  "    workers = { min = 0; };\n    user = \"mail\";\n  };\n};\n", NULL },
	{ "nothing but comments", "# smtp stream tcp nowait mail /bin/cat cat\n\n", "services = {\n};\n", NULL },
	{ "another name", "smtp stream tcp nowait mail /bin/cat dog\n", "program = \"/bin/cat\";\n"
	  "                argv = [ \"dog\" ];", NULL },
	{ "no argv", "smtp stream tcp nowait mail /bin/cat\n", "argv = [ \"/bin/cat\" ];", NULL },
	{ "tcp4", "smtp stream tcp4 nowait mail" CAT, "listen = [ \"0.0.0.0:25\" ];", NULL },
	{ "tcp6", "smtp stream tcp6 nowait mail" CAT, "listen = [ \"[::]:25\" ];", NULL },
	{ "tcp46", "smtp stream tcp46 nowait mail" CAT, "listen = [ \"*:25\" ];", NULL },
	{ "a host", "192.0.2.1:smtp stream tcp nowait mail" CAT, "  smtp = {\n    listen = [ \"192.0.2.1:25\" ];", NULL },
	{ "every host", "*:smtp stream tcp6 nowait mail" CAT, "listen = [ \"[::]:25\" ];", NULL },
	{ "an IPv6 host", "[::1]:smtp stream tcp6 nowait mail" CAT, "  smtp = {\n    listen = [ \"[::1]:25\" ];", NULL },
	{ "two hosts", "192.0.2.1,192.0.2.2:smtp stream tcp nowait mail" CAT,
	  "listen = [ \"192.0.2.1:25\", \"192.0.2.2:25\" ];", NULL },
	{ "two IPv6 hosts", "[::1],[fe80::1%lo],*:smtp stream tcp46 nowait mail" CAT,
	  "  smtp = {\n    listen = [ \"[::1]:25\", \"[fe80::1%lo]:25\", \"*:25\" ];", NULL },
	{ "IPv6 hosts for those that follow", "[::1],[::2]:\nsmtp stream tcp6 nowait mail" CAT, "[ \"[::1]:25\", \"[::2]:25\" ];", NULL },
	{ "a host for those that follow", "127.0.0.1:\nsmtp stream tcp nowait mail" CAT, "listen = [ \"127.0.0.1:25\" ];", NULL },
	{ "and back", "127.0.0.1:\n*:\nsmtp stream tcp nowait mail" CAT, "listen = [ \"0.0.0.0:25\" ];", NULL },
	{ "a number", "2525 stream tcp nowait mail" CAT, "  cat = {\n    listen = [ \"0.0.0.0:2525\" ];", NULL },
	{ "a unix socket", "/run/x.sock stream unix nowait mail" CAT, "  x-sock = {\n    listen = [ \"unix:/run/x.sock\" ];",
	  NULL },
	{ "a user and a group", "smtp stream tcp nowait mail:adm" CAT, "user = \"mail\";\n    group = \"adm\";", NULL },
	{ "with a dot", "smtp stream tcp nowait mail.adm" CAT, "user = \"mail\";\n    group = \"adm\";", NULL },
	{ "a login class", "smtp stream tcp nowait mail/daemon" CAT, "user = \"mail\";",
	  "inetd.conf:1: smtp: the login class daemon has no counterpart" },
	{ "a rate", "smtp stream tcp nowait.40 mail" CAT, "limits = { rate = \"40/m\"; burst = 40; };", NULL },
	{ "a rate with a colon", "smtp stream tcp nowait:40 mail" CAT, "limits = { rate = \"40/m\"; burst = 40; };", NULL },
	{ "no rate", "smtp stream tcp nowait.x mail" CAT, "user = \"mail\";\n  };", "inetd.conf:1: smtp: nowait x is not" },
	{ "a rate of none", "smtp stream tcp nowait.0 mail" CAT, "# inetd.conf:1: NOT CARRIED OVER: nowait 0 is not carried over (a"
	  " number from 1 to 1000000)\n  smtp = {", "inetd.conf:1: smtp: nowait 0 is not" },
	{ "a policy", "#@ in ipsec esp/transport//require\n#@\n#@ \nsmtp stream tcp nowait mail" CAT, "  smtp = {\n", "inetd.conf:1:"
	  " #@ in ipsec esp/transport//require: a policy of IPsec has no counterpart (make it one of the system)\n" },
	{ "limits of FreeBSD", "smtp stream tcp nowait/10/5/3 mail" CAT,
	  "limits = { connections = 10; connections_per_source = 3; rate_per_source = \"5/m\"; };", NULL },
	{ "some of them", "smtp stream tcp nowait/0/0/3 mail" CAT, "limits = { connections_per_source = 3; };", NULL },
	{ "something behind nowait", "smtp stream tcp nowaitx mail" CAT, "smtp = {",
	  "inetd.conf:1: smtp: \"x\" behind nowait is not understood\n" },
	{ "built in", "echo stream tcp nowait root internal\n", "handler = { type = \"echo\"; };\n"
	  "    workers = { min = 0; };\n    user = \"nobody\";", NULL },
	{ "built in under another port", "127.0.0.1:daytime stream tcp nowait root internal\n", "type = \"daytime\"", NULL },
	{ "not built into drover", "qotd stream tcp nowait root internal\n", "NOT CARRIED OVER: qotd: qotd is built into",
	  "inetd.conf:1: qotd: qotd is built into" },
	{ "tcpd", "finger stream tcp nowait nobody /usr/sbin/tcpd in.fingerd -w\n", "argv = [ \"/usr/sbin/in.fingerd\", \"-w\" ];",
	  "inetd.conf:1: finger: tcpd is left out: what hosts.allow and hosts.deny say of in.fingerd belongs in access\n" },
	{ "tcpd with a path", "finger stream tcp nowait nobody /usr/sbin/tcpd /opt/fingerd\n", "argv = [ \"/opt/fingerd\" ];",
	  "tcpd is left out" },
	{ "a program that starts setuid programs", "telnet stream tcp nowait root /usr/sbin/in.telnetd in.telnetd\n",
	  "no_new_privs = false;", NULL },
	{ "quotes", "smtp stream tcp nowait mail /bin/sh sh -c \"echo 'x y'; cat\" ''\n",
	  "argv = [ \"/bin/sh\", \"-c\", \"echo 'x y'; cat\", \"\" ];", NULL },
	{ "a line that continues", "smtp stream tcp nowait mail /bin/cat\n\tcat -u\n  -n\n# x\n",
	  "argv = [ \"/bin/cat\", \"-u\", \"-n\" ];", NULL },
	{ "a disabled line", "#<off># smtp stream tcp nowait mail" CAT, "smtp = {\n    enabled = false;", NULL },
	{ "a disabled line loses nothing", "#<off># tftp dgram udp wait root /usr/sbin/tcpd in.tftpd\n",
	  "NOT CARRIED OVER: tftp: socket type dgram", NULL },
	{ "a disabled line that is none", "#<off># hello\n", "services = {\n};\n", NULL },
	{ "UDP", "echo dgram udp wait root internal\n", "NOT CARRIED OVER: echo: socket type dgram",
	  "inetd.conf:1: echo: socket type dgram: drover serves stream sockets only" },
	{ "a stream over udp", "echo stream udp nowait root internal\n", "echo: UDP", "inetd.conf:1: echo: UDP: drover serves" },
	{ "wait", "smtp stream tcp wait mail" CAT, "NOT CARRIED OVER: smtp: wait", "inetd.conf:1: smtp: wait: its program" },
	{ "RPC", "rstatd/1-3 stream rpc/tcp nowait root" CAT, "an RPC service", "inetd.conf:1: rstatd/1-3: an RPC service" },
	{ "tcpmux", "tcpmux/who stream tcp nowait root" CAT, "behind tcpmux", "inetd.conf:1: tcpmux/who: a service behind" },
	{ "another protocol", "smtp stream sctp nowait root" CAT, "protocol sctp", "inetd.conf:1: smtp: protocol sctp is not" },
	{ "sizes of buffers", "smtp stream,sndbuf=1m tcp,rcvbuf=2m nowait mail" CAT, "smtp = {", "smtp: rcvbuf=2m: sizes of" },
	{ "no service", "echo stream tcp nowait root internal\nhello world\n", "echo = {",
	  "inetd.conf:2: \"hello world\" is not a service (SERVICE stream tcp nowait USER PROGRAM ARGV...)\n" },
	{ "a program without a path", "smtp stream tcp nowait mail nonexistent-program x -a\n",
	  "argv = [ \"/usr/bin/env\", \"nonexistent-program\", \"-a\" ];", NULL },
};

START_TEST(what_a_line_becomes)
{
	check_import_row(import_inetd, "inetd.conf", "", "", &rows[_i]);
} END_TEST

START_TEST(control_characters_stay_values_and_cannot_end_a_comment)
{
	const char *out = import_text(import_inetd, "inetd.conf", "a\x1b stream tcp nowait mail /bin/cat \"a\rb\x7f\"\n"
	                              "b\x1b dgram udp wait mail /bin/cat\n");

	unit_contains(out, "argv = [ \"a\\x0db\\x7f\" ];");
	unit_contains(out, "# inetd.conf:2: NOT CARRIED OVER: b\\x1b: socket");
	unit_contains(import_said, "inetd.conf:2: b\\x1b: socket");
	ck_assert_ptr_null(strchr(out, '\x1b'));
	end_import();
} END_TEST

START_TEST(each_service_is_numbered_if_its_name_is_taken)
{
	const char *out = import_text(import_inetd, "inetd.conf", "echo stream tcp nowait root internal\n"
	                              "echo stream tcp6 nowait root internal\necho stream tcp46 nowait root internal\n");

	unit_contains(out, "\n  echo-2 = {\n    listen = [ \"[::]:7\" ];");
	unit_contains(out, "\n  echo-3 = {\n    listen = [ \"*:7\" ];");
	end_import();
} END_TEST

int main(void)
{
	Suite *s = suite_create("import_inetd");
	TCase *tc = unit_case(s, "inetd", unit_enter_folder, unit_leave_folder);

	tcase_add_loop_test(tc, what_a_line_becomes, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, control_characters_stay_values_and_cannot_end_a_comment);
	tcase_add_test(tc, each_service_is_numbered_if_its_name_is_taken);
	return unit_run(s);
}
