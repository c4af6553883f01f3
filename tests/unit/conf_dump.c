/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Configurations with all that is in force, as they are printed.
 */
#include <config.h>
#include "conf_harness.h"
#include "conf_texts.h"
#include "control_path.h"

START_TEST(a_dump_tells_the_default_control_socket_from_others)
{
	char *text = dump(load_well(WITH("")));

	unit_contains(text, control_path_default());
	ck_assert_ptr_null(strstr(text, "socket = "));
	ck_assert(load_well(text)->control.is_default);
	free(text);
	text = dump(load_well(TOP("control = { socket = \"none\"; };")));
	unit_contains(text, "socket = \"none\";");
	ck_assert_ptr_null(load_well(text)->control.socket);
	free(text);
} END_TEST

START_TEST(a_dump_loads_and_dumps_to_itself)
{
	char *first, *second;

	first = dump(load_well(
		"user = \"root\"; pid_file = \"/run/x.pid\"; shutdown_timeout = 1.5;"
		"access_log = { target = \"/a\\\"b\\\\c\\x07\"; format = \"\\\"{peer}\\\"\\t{{{how}\"; };"
		"control = { socket = \"/c\"; mode = \"0660\"; group = \"4242\"; };"
		"defaults = { timeouts = { idle = \"90s\"; }; };"
		"services = { a = { listen = ( \"*:0\","
		" { address = \"unix:/x\"; mode = \"0600\"; },"
		" \"unix:@y\", { address = \"127.0.0.1:1\"; device = \"lo\"; freebind = true; backlog = 5; },"
		" \"systemd:z\" );"
		" handler = { type = \"exec\"; argv = [ \"/bin/sh\", \"\", \"\\n\" ]; };"
		" nice = -1; umask = \"27\"; cpus = \"0\"; rlimits = { core = 0; as = \"3G\";"
		" cpu = 5000000000L; }; }; b = { " ECHO " poison = true;"
		" access_log = { target = \"none\"; }; };"
		" c = { listen = \"*:0\"; max_request = \"2M\"; handler = { type = \"filter\"; argv = \"/bin/cat\";"
		" framing = \"fixed:1M\"; share = \"connection\"; prefix = \"peer\"; pty = true; }; };"
		" d = { listen = \"*:0\"; handler = { type = \"exec\"; argv = \"/bin/cat\"; warm = 5;"
		" warm_max_age = 0; peer = \"proxy-v1\"; }; };"
		" e = { listen = \"*:0\"; handler = { type = \"filter\"; argv = \"/bin/cat\";"
		" framing = \"raw\"; }; }; };"));
	second = dump(load_well(first));
	ck_assert_str_eq(first, second);
	unit_contains(first, "idle = \"90s\";");
	unit_contains(first, "cpu = 5000000000L;");
	unit_contains(first, "freebind = true;");
	unit_contains(first, "  mode = \"0660\";\n  group = \"4242\";\n};");
	unit_contains(first, "target = \"/a\\\"b\\\\c\\x07\";");
	unit_contains(first, "\n  format = \"\\\"{peer}\\\"\\x09{{{how}\";\n");
	unit_contains(first, "    access_log = {\n      target = \"none\";\n");
	free(first);
	free(second);
} END_TEST

/* Parts of a dump, and parts of those of other handlers. */
static const struct {
	const char *name, *text;
	const char *has[6], *lacks[8];
} dumps[] = {
	{ "echo", WITH(""), { "idle = \"5m\";", "write = \"1m\";" },
	  { "warm", "peer", "argv", "program", "request", "framing" } },
	{ "a program", PROGRAM("", ""), { "warm = 0;", "session = \"0\";" },
	  { "warm_max_age", "peer", "\n      idle", "write", "request", "crash_capture", "framing" } },
	{ "a program, which is argv[0]", PROGRAM("", ""), { "program = \"/bin/cat\";", "stderr_rate = \"64k\";" }, { NULL } },
	{ "a program with another argv[0]", PROGRAM("program = \"/bin/sh\";", ""),
	  { "program = \"/bin/sh\";", "argv = [ \"/bin/cat\" ];" }, { NULL } },
	{ "a warm program", PROGRAM("warm = 2;", ""),
	  { "warm = 2;", "warm_max_age = \"1h\";", "peer = \"none\";", "idle = \"5m\";", "session = \"0\";" },
	  { "write", "request", "crash_capture", "framing" } },
	{ "no access log", WITH(""), { NULL }, { "access_log" } },
	{ "an access log", WITH("access_log = { target = \"syslog\"; };"),
	  { "    access_log = {\n      target = \"syslog\";\n      format = \"text\";\n"
	    "      refused = false;\n    };\n" },
	  { "\naccess_log" } },
	{ "no poison", WITH(""), { "poison = false;" }, { "crashes", "block" } },
	{ "poison", WITH("poison = { within = \"2m\"; };"),
	  { "    poison = {\n      crashes = 3;\n      within = \"2m\";\n      block = \"90s\";\n"
	    "      block_max = \"1h\";\n    };\n" }, { "poison = false" } },
	{ "a raw filter", FILTER("framing = \"raw\";"),
	  { "framing = \"raw\";", "filter_framing = \"length32\";" }, { "warm" } },
	{ "a filter", FILTER("framing = \"line\";"),
	  { "idle = \"5m\";", "request = \"0\";", "write = \"1m\";" }, { "warm", "peer" } },
};

START_TEST(a_dump_has_what_means_something_for_the_handler)
{
	char *text = dump(load_well(dumps[_i].text));

	for (size_t i = 0; i < LENGTH(dumps[_i].has) && dumps[_i].has[i]; i++)
		ck_assert_msg(strstr(text, dumps[_i].has[i]) != NULL, "%s: no %s in\n%s",
		              dumps[_i].name, dumps[_i].has[i], text);
	for (size_t i = 0; i < LENGTH(dumps[_i].lacks) && dumps[_i].lacks[i]; i++)
		ck_assert_msg(strstr(text, dumps[_i].lacks[i]) == NULL, "%s: %s in\n%s",
		              dumps[_i].name, dumps[_i].lacks[i], text);
	free(text);
} END_TEST

int main(void)
{
	Suite *suite = suite_create("conf_dump");
	TCase *tc = tcase_create("conf_dump");

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, a_dump_tells_the_default_control_socket_from_others);
	tcase_add_test(tc, a_dump_loads_and_dumps_to_itself);
	tcase_add_loop_test(tc, a_dump_has_what_means_something_for_the_handler, 0, LENGTH(dumps));
	return run_tap(suite);
}
