/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Listeners: from what is written to the sockets that it means, and which of
 * them cannot be had together.
 */
#include <config.h>
#include "conf_harness.h"

#define LENGTH(a) (sizeof (a) / sizeof (a)[0])

#define SERVICE(name, listen) \
	#name " = { listen = " listen "; handler = { type = \"echo\"; }; };\n"
#define ON(listen) "services = {\n" SERVICE(s, listen) "};"

/* The sockets of one service, as "127.0.0.1:80 unix:/x ". */
static const char *sockets_of(const struct conf_service *s)
{
	static char all[4096];
	char one[ADDRESS_TEXT_MAX];

	all[0] = '\0';
	for (size_t i = 0; i < s->n_listen; i++)
		strcat(strcat(all, address_format(&s->listen[i].address, one, sizeof one)), " ");
	return all;
}

START_TEST(addresses_become_sockets)
{
	static const struct { const char *listen, *want; } rows[] = {
		{ "\"127.0.0.1:80\"", "127.0.0.1:80 " },
		{ "\"127.0.0.1:http\"", "127.0.0.1:80 " },
		{ "\"[::1]:80\"", "[::1]:80 " },
		{ "\"[fe80::1%lo]:80\"", "[fe80::1%lo]:80 " },
		{ "\"[::ffff:192.0.2.1]:80\"", "192.0.2.1:80 " },
		{ "\"*:80\"", "0.0.0.0:80 [::]:80 " },
		{ "\"unix:/run/x\"", "unix:/run/x " },
		{ "\"unix:@x\"", "unix:@x " },
		{ "( \"127.0.0.1:1\", { address = \"127.0.0.1:2\"; } )",
		  "127.0.0.1:1 127.0.0.1:2 " },
		{ "[ \"127.0.0.1:0\", \"127.0.0.1:0\" ]", "127.0.0.1:0 127.0.0.1:0 " },
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		const struct conf *conf;
		char text[256];

		snprintf(text, sizeof text, "services = { s = { listen = %s;"
		         " handler = { type = \"echo\"; }; }; };", rows[i].listen);
		conf = load_well(text);
		ck_assert_str_eq(sockets_of(conf->services[0]), rows[i].want);
	}
} END_TEST

START_TEST(what_is_no_address_is_refused)
{
	static const struct { const char *listen, *want; } rows[] = {
		{ "\"80\"", "\"80\" is not an address (did you mean \"*:80\", every address?)" },
		{ "\"0:7400\"", "\"0:7400\" is not an address (did you mean \"*:7400\"" },
		{ "\":7400\"", "\":7400\" is not an address (did you mean \"*:7400\"" },
		{ "\"localhost\"", "\"localhost\" is not an address (HOST:PORT" },
		{ "80", "must be addresses such as \"*:80\"" },
		{ "\":80\"", "is not an address" },
		{ "\"\"", "is not an address" },
		{ "\"::1:80\"", "is ambiguous (an IPv6 address stands in brackets" },
		{ "\"[::1]\"", "is not an address" },
		{ "\"[127.0.0.1]:80\"", "is unknown" },
		{ "\"[fe80::1]:80\"", "lacks its interface" },
		{ "\"127.0.0.1:\"", "port \"\" is unknown" },
		{ "\"127.0.0.1:65536\"", "port \"65536\" is unknown" },
		{ "\"127.0.0.1:-1\"", "port \"-1\" is unknown" },
		{ "\"127.0.0.1:no-such\"", "port \"no-such\" is unknown" },
		{ "\"1.2.3:80\"", "1.2.3 is not an IPv4 address" },
		{ "\"unix:x\"", "must go on with an absolute path" },
		{ "\"unix:@\"", "must go on with an absolute path" },
		{ "\"systemd:\"", "is not systemd:NAME" },
		{ "[ ]", "is empty" },
		{ "{ address = \"*:80\"; }", "stand in parentheses" },
		{ "( { backlog = 5; } )", "holds a listener without an address" },
		{ "( { address = \"*:80\"; mode = \"0600\"; } )",
		  "s.listen.mode means nothing for an IP address" },
		{ "( { address = \"unix:/x\"; device = \"lo\"; } )",
		  "s.listen.device means nothing for a unix socket" },
		{ "( { address = \"unix:/x\"; freebind = true; } )",
		  "s.listen.freebind means nothing for a unix socket" },
		{ "( { address = \"unix:@x\"; owner = \"root\"; } )",
		  "s.listen.owner means nothing for an abstract name" },
		{ "( { address = \"systemd\"; mode = \"0600\"; } )",
		  "s.listen.mode means nothing for an inherited socket" },
		{ "( { address = \"unix:/x\"; owner = \"no-such-user\"; } )", "does not exist" },
		{ "( { address = \"*:80\"; device = \"sixteen-letters-\"; } )",
		  "names a device \"sixteen-letters-\" (the name of an interface has 15" },
		{ "( { address = \"*:80\"; backlog = 0; } )", "s.listen.backlog is out of range" },
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		char text[256];

		snprintf(text, sizeof text, "services = { s = { listen = %s;"
		         " handler = { type = \"echo\"; }; }; };", rows[i].listen);
		ck_assert_msg(!load(text), "%s", rows[i].listen);
		ck_assert_msg(strstr(complaints, rows[i].want) != NULL, "%s: %s", rows[i].listen,
		              complaints);
	}
} END_TEST

START_TEST(a_unix_path_fills_its_room_and_no_more)
{
	char path[109], text[256];

	memset(path, 'x', sizeof path);
	path[0] = '/';
	path[107] = '\0';
	snprintf(text, sizeof text, ON("\"unix:%s\""), path);
	load_well(text);
	path[107] = 'x';
	path[108] = '\0';
	snprintf(text, sizeof text, ON("\"unix:%s\""), path);
	ck_assert_ptr_null(load(text));
	unit_contains(complaints, "is too long (the name has 107 bytes at most)");
} END_TEST

START_TEST(every_address_with_a_free_port_takes_one_port)
{
	const struct conf *conf = load_well(ON("[ \"127.0.0.1:0\", \"*:0\" ]"));
	const struct conf_listen *l = conf->services[0]->listen;

	ck_assert_uint_eq(conf->services[0]->n_listen, 3);
	ck_assert_int_eq(l[0].same_port_as, -1);
	ck_assert_int_eq(l[1].same_port_as, -1);
	ck_assert_int_eq(l[2].same_port_as, 1);
	ck_assert(!l[0].optional && l[1].optional && l[2].optional);
	ck_assert_ptr_eq(l[1].text, l[2].text);
} END_TEST

START_TEST(inherited_sockets_have_names_or_are_all)
{
	const struct conf *conf = load_well(ON("\"systemd:web\""));

	ck_assert_int_eq(conf->services[0]->listen[0].kind, LISTEN_SYSTEMD);
	ck_assert_str_eq(conf->services[0]->listen[0].systemd_name, "web");
	conf = load_well(ON("\"systemd\""));
	ck_assert_ptr_null(conf->services[0]->listen[0].systemd_name);
} END_TEST

START_TEST(a_unix_socket_has_a_mode_and_an_owner)
{
	const struct conf *conf = load_well(
		ON("( { address = \"unix:/x\"; mode = \"0600\"; owner = \"root\"; group = \"0\"; },"
		   " \"unix:/y\" )"));
	const struct conf_listen *l = conf->services[0]->listen;

	ck_assert_int_eq(l[0].mode, 0600);
	ck_assert_uint_eq(l[0].owner, 0);
	ck_assert_uint_eq(l[0].group, 0);
	ck_assert_int_eq(l[1].mode, 0660);
	ck_assert_uint_eq(l[1].owner, (uid_t)CONF_KEEP);
} END_TEST

START_TEST(sockets_beyond_the_limit_are_refused)
{
	char text[4096] = "services = { s = { handler = { type = \"echo\"; }; listen = [ \"*:0\"";

	for (int i = 1; i < CONF_LISTEN_MAX / 2; i++)
		strcat(text, ", \"*:0\"");
	strcat(text, " ]; }; };");
	ck_assert_uint_eq(load_well(text)->services[0]->n_listen, CONF_LISTEN_MAX);
	strcpy(strrchr(text, ']'), ", \"*:0\", \"*:0\" ]; }; };");
	ck_assert_ptr_null(load(text));
	ck_assert_str_eq(complaints, "t.conf:1: services.s.listen has too many sockets"
	                 " (at most 64)\n");
} END_TEST

START_TEST(overlapping_listeners_are_refused_with_both_places)
{
	static const struct { const char *a, *b; bool clash; } rows[] = {
		{ "\"127.0.0.1:80\"", "\"127.0.0.1:80\"", true },
		{ "\"127.0.0.1:80\"", "\"127.0.0.1:http\"", true },
		{ "\"*:80\"", "\"127.0.0.1:80\"", true },
		{ "\"*:80\"", "\"[::1]:80\"", true },
		{ "\"0.0.0.0:80\"", "\"[::]:80\"", false },
		{ "\"0.0.0.0:80\"", "\"0.0.0.0:81\"", false },
		{ "\"127.0.0.1:80\"", "\"127.0.0.2:80\"", false },
		{ "\"*:0\"", "\"*:0\"", false },
		{ "\"unix:/x\"", "\"unix:/x\"", true },
		{ "\"unix:/x\"", "\"unix:@x\"", false },
		{ "\"unix:@x\"", "\"unix:@x\"", true },
		{ "\"systemd:a\"", "\"systemd:b\"", false },
		{ "\"systemd:a\"", "\"systemd:a\"", true },
		{ "\"systemd\"", "\"systemd:a\"", true },
		{ "( { address = \"*:1\"; device = \"a\"; } )",
		  "( { address = \"*:1\"; device = \"b\"; } )", false },
		{ "( { address = \"*:1\"; device = \"a\"; } )", "\"127.0.0.1:1\"", true },
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		const struct conf *conf;
		char text[512];

		snprintf(text, sizeof text, "defaults = { handler = { type = \"echo\"; }; };"
		         " services = {\na = { listen = %s; };\nb = { listen = %s; }; };",
		         rows[i].a, rows[i].b);
		conf = load(text);
		ck_assert_msg(!conf == rows[i].clash, "row %zu: %s", i, complaints);
		if (conf)
			continue;
		ck_assert_ptr_eq(strstr(complaints, "t.conf:3: services.b.listen"), complaints);
		unit_contains(complaints, "of service a (t.conf:2)");
	}
} END_TEST

START_TEST(a_listener_is_complained_of_once_however_many_it_overlaps_with)
{
	ck_assert_ptr_null(load(
		"defaults = { handler = { type = \"echo\"; }; }; services = {\n"
		"a = { listen = \"127.0.0.1:80\"; };\nb = { listen = \"127.0.0.2:80\"; };\n"
		"c = { listen = \"127.0.0.3:80\"; };\nd = { listen = \"0.0.0.0:80\"; };\n"
		"e = { listen = \"127.0.0.2:80\"; }; };"));
	ck_assert_str_eq(complaints,
		"t.conf:5: services.d.listen \"0.0.0.0:80\" overlaps with \"127.0.0.1:80\" of service"
		" a (t.conf:2) and 2 more before it\n"
		"t.conf:6: services.e.listen \"127.0.0.2:80\" is listened on already: \"127.0.0.2:80\""
		" of service b (t.conf:3) and 1 more before it\n");
} END_TEST

static size_t n_ports;                  /* address_port() calls: each comparison once needed two */

in_port_t __real_address_port(const struct address *a);
in_port_t __wrap_address_port(const struct address *a);

in_port_t __wrap_address_port(const struct address *a)
{
	n_ports++;
	return __real_address_port(a);
}

/* All on one port, so that the port alone does not tell them apart. */
START_TEST(listeners_are_not_each_compared_with_each)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	const int n = 40;

	fputs("defaults = { handler = { type = \"echo\"; }; }; services = {", out);
	for (int i = 0; i < n; i++) {
		fprintf(out, " s%d = { listen = [ \"127.0.%d.1:80\"", i, i);
		for (int j = 2; j <= CONF_LISTEN_MAX; j++)
			fprintf(out, ", \"127.0.%d.%d:80\"", i, j);
		fputs(" ]; };", out);
	}
	fputs(" };", out);
	fclose(out);
	n_ports = 0;
	load_well(text);
	ck_assert_uint_lt(n_ports, (size_t)n * CONF_LISTEN_MAX * 20);
	free(text);
} END_TEST

START_TEST(disabled_services_claim_nothing)
{
	const struct conf *conf = load_well(
		"defaults = { handler = { type = \"echo\"; }; }; services = {"
		" a = { listen = \"*:80\"; }; b = { listen = \"*:80\"; enabled = false; }; };");

	ck_assert_uint_eq(conf->n_services, 1);
	ck_assert_uint_eq(conf->n_disabled, 1);
} END_TEST

int main(void)
{
	Suite *suite = suite_create("conf_address");
	TCase *tc = tcase_create("conf_address");

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, addresses_become_sockets);
	tcase_add_test(tc, what_is_no_address_is_refused);
	tcase_add_test(tc, a_unix_path_fills_its_room_and_no_more);
	tcase_add_test(tc, every_address_with_a_free_port_takes_one_port);
	tcase_add_test(tc, inherited_sockets_have_names_or_are_all);
	tcase_add_test(tc, a_unix_socket_has_a_mode_and_an_owner);
	tcase_add_test(tc, sockets_beyond_the_limit_are_refused);
	tcase_add_test(tc, overlapping_listeners_are_refused_with_both_places);
	tcase_add_test(tc, a_listener_is_complained_of_once_however_many_it_overlaps_with);
	tcase_add_test(tc, listeners_are_not_each_compared_with_each);
	tcase_add_test(tc, disabled_services_claim_nothing);
	return run_tap(suite);
}
