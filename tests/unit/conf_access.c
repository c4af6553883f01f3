/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The key `access`: what it allows and denies, and the files with prefixes.
 */
#include <config.h>
#include "conf_harness.h"

#include <arpa/inet.h>
#include <grp.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "prefix_set.h"

#define ECHO          "listen = \"*:0\"; handler = { type = \"echo\"; }; "
#define SERVICE(rest) "services = { s = { " ECHO rest " }; };"
#define ON_UNIX(rest) "services = { s = { listen = \"unix:@x\"; handler = { type = \"echo\"; }; " rest " }; };"
#define UNPRIVILEGED  65534

static void enter_folder(void)
{
	umask(022);             /* of files that others can write is warned */
	unit_enter_folder();
}

static void leave_folder(void)
{
	arena_close(&arena);
	unit_leave_folder();
}

/* What conf_harness.h has, for a configuration that may have warnings. */
static struct conf *load_warned(const char *text)
{
	complaints[0] = '\0';
	arena_close(&arena);
	ck_assert_int_eq(arena_open(&arena, CONF_ARENA_SIZE), 0);
	return conf_load(&arena, "t.conf", text, keep_complaint, NULL);
}

/* Loads a service whose access is that text; FILE stands for the path of a file in the folder. */
static char *with_access(const char *text)
{
	static char whole[4096];
	char *at = whole;

	at += sprintf(at, "services = { s = { " ECHO "\naccess = { ");
	for (const char *part; (part = strstr(text, "FILE")); text = part + strlen("FILE"))
		at += sprintf(at, "%.*s%s/list", (int)(part - text), text, unit_folder);
	sprintf(at, "%s }; }; };", text);
	return whole;
}

static const struct conf_access *access_of(const struct conf *conf)
{
	ck_assert_msg(conf != NULL, "%s", complaints);
	return &conf->services[0]->access;
}

/* As a worker decides. */
static bool admits(const struct conf_access *a, const char *ip)
{
	struct endpoint e = { .family = strchr(ip, ':') ? AF_INET6 : AF_INET };
	enum prefix_verdict v;

	ck_assert_int_eq(inet_pton(e.family, ip, e.ip), 1);
	v = prefix_set_find(a->set, &e);
	return v == PREFIX_ALLOW || (v == PREFIX_NONE && !a->refuses_others);
}

/* ---- who is admitted ---------------------------------------------------- */

static const struct admission {
	const char *name, *text, *admitted, *refused;
} admissions[] = {
	{ "nothing is said", "", "10.0.0.1", NULL },
	{ "empty lists say nothing", "allow = [ ]; deny = [ ];", "10.0.0.1", NULL },
	{ "one is allowed: all others are not", "allow = \"10.0.0.1\";", "10.0.0.1", "10.0.0.2" },
	{ "the other family is another one", "allow = \"10.0.0.0/8\";", "10.0.0.1", "::1" },
	{ "one is denied: all others are not", "deny = [ \"10.0.0.0/8\" ];", "11.0.0.1", "10.0.0.1" },
	{ "IPv4-mapped is IPv4", "deny = [ \"::ffff:10.0.0.0/104\" ];", "11.0.0.1", "10.0.0.1" },
	{ "a part of what is denied", "deny = [ \"10.0.0.0/8\", \"::/0\" ]; allow = [ \"10.1.0.0/16\" ];",
	  "10.1.2.3", "10.2.3.4" },
	{ "a part of what is allowed", "allow = [ \"2001:db8::/32\" ]; deny = [ \"2001:db8:1::/48\" ];",
	  "2001:db8:2::1", "2001:db8:1::1" },
	{ "a file allows", "allow_file = \"FILE\";", "192.0.2.7", "192.0.3.7" },
	{ "a file denies", "deny_file = \"FILE\";", "192.0.3.7", "192.0.2.7" },
	{ "a list and a file", "deny = \"10.0.0.1\"; deny_file = \"FILE\";", "10.0.0.2", "2001:db8::9" },
	{ "a list is an exception in a file", "allow = \"192.0.2.1\"; deny_file = \"FILE\";",
	  "192.0.2.1", "192.0.2.2" },
};

START_TEST(the_most_specific_prefix_decides)
{
	const struct admission *row = &admissions[_i];
	const struct conf_access *a;

	unit_write_file("list", "192.0.2.0/24\n2001:db8::/32\n");
	a = access_of(load(with_access(row->text)));
	ck_assert_msg(admits(a, row->admitted), "%s", row->name);
	ck_assert_msg(!row->refused || !admits(a, row->refused), "%s", row->name);
} END_TEST

START_TEST(prefixes_are_counted_with_those_of_files)
{
	const struct conf *conf;

	unit_write_file("list", "192.0.2.0/24\n2001:db8::/32\n");
	conf = load(with_access("allow = \"::1\"; deny = [ \"10.0.0.0/8\", \"10.0.0.1\" ]; deny_file = \"FILE\";"));
	ck_assert_uint_eq(access_of(conf)->n_allow, 1);
	ck_assert_uint_eq(access_of(conf)->n_deny, 4);
	ck_assert_uint_eq(conf->n_prefix_lists, 1);
	unit_contains(conf->prefix_lists[0].path, "/list");
	ck_assert_uint_eq(conf->prefix_lists[0].n, 2);
} END_TEST

START_TEST(a_prefix_in_both_lists_is_denied_with_a_warning)
{
	const struct conf *conf = load_warned(with_access("allow = [ \"10.0.0.0/8\", \"::1\" ];"
	                                                  "deny = [ \"::2\", \"10.0.0.0/8\" ];"));

	ck_assert_str_eq(complaints, "t.conf:2: warning: services.s.access allows and denies 10.0.0.0/8"
	                             " (it is denied)\n");
	ck_assert(!admits(access_of(conf), "10.0.0.1"));
	load_warned(with_access("allow = [ \"10.0.0.0/8\", \"10.0.0.0/8\", \"::1\", \"::3\" ];"
	                        "deny = [ \"::3\", \"10.0.0.0/8\", \"::1\" ];"));
	ck_assert_str_eq(complaints, "t.conf:2: warning: services.s.access allows and denies 10.0.0.0/8,"
	                             " and 2 more prefixes (they are denied)\n");
} END_TEST

/* ---- defaults, and what is printed -------------------------------------- */

START_TEST(lists_replace_those_of_defaults_and_files_stay)
{
	const struct conf_access *a;
	char text[512];

	unit_write_file("list", "192.0.2.0/24\n");
	snprintf(text, sizeof text, "defaults = { access = { allow = \"10.0.0.0/8\"; deny_file = \"%s/list\"; }; };"
	         "services = { s = { " ECHO "access = { allow = [ \"192.0.2.1\" ]; }; };"
	         " t = { " ECHO " access = { allow = [ ]; }; }; u = { " ECHO " }; };", unit_folder);
	a = access_of(load_well(text));
	ck_assert(admits(a, "192.0.2.1"));
	ck_assert(!admits(a, "10.0.0.1"));
	ck_assert(!admits(a, "192.0.2.2"));
	a = &((struct conf *)arena.base)->services[1]->access;
	ck_assert(admits(a, "10.0.0.1"));
	ck_assert(!admits(a, "192.0.2.1"));
	a = &((struct conf *)arena.base)->services[2]->access;
	ck_assert(admits(a, "10.0.0.1"));
	ck_assert(!admits(a, "11.0.0.1"));
	ck_assert_uint_eq(((struct conf *)arena.base)->n_prefix_lists, 1);
} END_TEST

START_TEST(what_is_printed_loads_to_the_same)
{
	char *first, *second;

	unit_write_file("list", "192.0.2.0/24\n");
	first = dump(load_well(with_access("allow = [ \"10.0.0.0/8\", \"2001:DB8::/32\" ]; deny = \"10.1.0.0/16\";"
	                                   "allow_file = \"FILE\";")));
	unit_contains(first, "allow = [ \"10.0.0.0/8\", \"2001:DB8::/32\" ];");
	unit_contains(first, "deny = [ \"10.1.0.0/16\" ];");
	unit_contains(first, "/list\";");
	second = dump(load_well(first));
	ck_assert_str_eq(first, second);
	free(first);
	free(second);
} END_TEST

/* ---- errors in lists ---------------------------------------------------- */

static const struct { const char *text, *want; } refusals[] = {
	{ SERVICE("access = { allow = [ \"::1\",\n\"10.1.2.3/8\" ]; };"),
	  "t.conf:2: services.s.access.allow holds a prefix that is wrong: 10.1.2.3/8 has host bits"
	  " (did you mean 10.0.0.0/8?)\n" },
	{ SERVICE("access = {\ndeny = \"2001:db8::/200\"; };"),
	  "t.conf:2: services.s.access.deny holds a prefix that is wrong: 2001:db8::/200 has a length that"
	  " cannot be (0 to 128)\n" },
	{ SERVICE("access = { deny = [ \"localhost\" ]; };"),
	  "t.conf:1: services.s.access.deny holds a prefix that is wrong: \"localhost\" is not a prefix" },
	{ SERVICE("access = { deny = 10; };"), "services.s.access.deny must be a list of strings, not an integer\n" },
	{ SERVICE("access = \"10.0.0.0/8\";"), "services.s.access must be a group" },
	{ SERVICE("access = { allowed = \"10.0.0.0/8\"; };"), "allowed is not a known key (did you mean allow?)" },
	{ SERVICE("access = { deny_file = \"list\"; };"), "services.s.access.deny_file must be an absolute path\n" },
	{ SERVICE("access = {\n deny_file = \"/no/such/list\"; };"),
	  "t.conf:2: cannot open /no/such/list: No such file or directory\n" },
	{ SERVICE("access = { allow_file = \"/dev/null\"; };"), "t.conf:1: /dev/null is not a regular file\n" },
	{ SERVICE("access = { allow_file = \"/\"; };"), "t.conf:1: / is not a regular file\n" },
	/* Of a service that is not enabled, too. */
	{ SERVICE("enabled = false; access = { deny = \"::1/64\"; };"), "did you mean ::/64?" },
	{ "defaults = {\n access = { deny = \"::1/64\"; }; };" SERVICE(""),
	  "t.conf:2: defaults.access.deny holds a prefix that is wrong" },
	/* Clients without addresses. */
	{ ON_UNIX("\naccess = { deny = \"::1\"; };"),
	  "t.conf:2: services.s.access means nothing for clients of unix:@x, which have no address" },
	{ "defaults = { access = { deny = \"::1\"; }; };\n"
	  "services = { s = { listen = [ \"*:0\", \"unix:@x\" ]; handler = { type = \"echo\"; }; }; };",
	  "t.conf:1: defaults.access means nothing for clients of unix:@x, which have no address" },
};

START_TEST(what_is_wrong_is_refused_with_its_line)
{
	ck_assert_ptr_null(load(refusals[_i].text));
	unit_contains(complaints, refusals[_i].want);
} END_TEST

START_TEST(empty_lists_mean_nothing_to_clients_without_addresses)
{
	load_well(ON_UNIX("access = { allow = [ ]; deny = [ ]; };"));
} END_TEST

START_TEST(a_proxy_names_the_addresses_of_clients_of_a_unix_socket)
{
	ck_assert_ptr_nonnull(access_of(load("services = { s = { listen = \"unix:/run/x.sock\"; handler ="
	                                     " { type = \"echo\"; }; proxy_protocol = \"v2\";"
	                                     " access = { deny = \"::1\"; }; }; };"))->set);
} END_TEST

START_TEST(defaults_do_not_count_where_no_client_has_an_address)
{
	const struct conf_access *a =
		access_of(load("defaults = { access = { allow = \"10.0.0.0/8\"; }; };" ON_UNIX("")));

	ck_assert_ptr_null(a->set);
	ck_assert_ptr_null(a->allow[0]);
	ck_assert(!a->refuses_others);
} END_TEST

/* ---- files -------------------------------------------------------------- */

START_TEST(a_file_has_a_prefix_a_line_and_comments)
{
	const struct conf_access *a;

	unit_write_file("list", "\xef\xbb\xbf# a list\r\n\r\n10.0.0.0/8\r\n\t 11.0.0.1\t# one host\n"
	                        "12.0.0.0/8;like those of DROP\n;\n \t \n#13.0.0.0/8\n::1 # # ;\n2001:db8::/32");
	a = access_of(load(with_access("deny_file = \"FILE\";")));
	ck_assert_uint_eq(a->n_deny, 5);
	ck_assert(!admits(a, "10.1.1.1"));
	ck_assert(!admits(a, "11.0.0.1"));
	ck_assert(admits(a, "11.0.0.2"));
	ck_assert(!admits(a, "12.0.0.1"));
	ck_assert(admits(a, "13.0.0.1"));
	ck_assert(!admits(a, "::1"));
	ck_assert(!admits(a, "2001:db8::1"));
} END_TEST

START_TEST(an_empty_file_allows_nobody)
{
	unit_write_file("list", "# nobody\n");
	ck_assert(!admits(access_of(load(with_access("allow_file = \"FILE\";"))), "127.0.0.1"));
	ck_assert(admits(access_of(load(with_access("deny_file = \"FILE\";"))), "127.0.0.1"));
} END_TEST

START_TEST(errors_in_a_file_have_its_name_and_line)
{
	char want[2048];

	unit_write_file("list", "\xef\xbb\xbf" "10.1.2.3/8\r\n10.0.0.0/8\n\n10.0.0.0/33\nhost\n::1 ::2\n\x01\n");
	ck_assert_ptr_null(load(with_access("deny_file = \"FILE\";")));
	snprintf(want, sizeof want,
	         "%1$s/list:1: 10.1.2.3/8 has host bits (did you mean 10.0.0.0/8?)\n"
	         "%1$s/list:4: 10.0.0.0/33 has a length that cannot be (0 to 32)\n"
	         "%1$s/list:5: \"host\" is not a prefix (an address, or ADDRESS/LENGTH, as in 192.0.2.0/24 or"
	         " 2001:db8::/32)\n"
	         "%1$s/list:6: \"::1 ::2\" is more than one prefix (each has a line of its own; a comment"
	         " begins with #)\n"
	         "%1$s/list:7: \"\\x01\" is not a prefix", unit_folder);
	unit_contains(complaints, want);
} END_TEST

/* As many lines as text says, each of them that. */
static void write_lines(const char *line, int n)
{
	FILE *f = fopen("list", "we");

	ck_assert_ptr_nonnull(f);
	for (int i = 0; i < n; i++)
		fputs(line, f);
	ck_assert_int_eq(fclose(f), 0);
}

START_TEST(the_errors_of_a_file_are_bounded)
{
	write_lines("x\n", 100);
	ck_assert_ptr_null(load(with_access("deny_file = \"FILE\";")));
	unit_contains(complaints, "/list:100: \"x\" is not a prefix");
	ck_assert_ptr_null(strstr(complaints, "too many errors"));
	write_lines("x\n", 1000);
	ck_assert_ptr_null(load(with_access("deny_file = \"FILE\"; allow_file = \"FILE\";")));
	unit_contains(complaints, "/list:100: \"x\" is not a prefix");
	unit_contains(complaints, "/list:100: too many errors (the rest of the file was not read)\n");
	ck_assert_ptr_null(strstr(complaints, "/list:101:"));
} END_TEST

START_TEST(what_is_no_text_is_refused)
{
	FILE *f = fopen("list", "we");

	ck_assert(f && fwrite("::1\n\0\n", 1, 6, f) == 6 && fclose(f) == 0);
	ck_assert_ptr_null(load(with_access("deny_file = \"FILE\";")));
	unit_contains(complaints, "/list:2: a NUL byte");
	ck_assert_int_eq(truncate("list", CONF_PREFIX_FILE_MAX + 1), 0);
	ck_assert_ptr_null(load(with_access("\ndeny_file = \"FILE\";")));
	unit_contains(complaints, "t.conf:3: ");
	unit_contains(complaints, "/list is too large (at most 16 MB)\n");
} END_TEST

START_TEST(a_file_that_others_can_change_is_warned_of)
{
	unit_write_file("list", "::1\n");
	ck_assert_int_eq(chmod("list", 0646), 0);
	ck_assert_ptr_nonnull(load_warned(with_access("deny_file = \"FILE\";")));
	unit_contains(complaints, "/list:1: warning: others can change this file: ");
} END_TEST

START_TEST(a_hundred_thousand_prefixes_are_taken)
{
	FILE *f = fopen("list", "we");
	const struct conf_access *a;

	ck_assert_ptr_nonnull(f);
	for (int i = 0; i < 100000; i++)
		fprintf(f, "%d.%d.%d.0/24\n", 1 + i / 65536, i / 256 % 256, i % 256);
	ck_assert_int_eq(fclose(f), 0);
	a = access_of(load(with_access("deny_file = \"FILE\";")));
	ck_assert_uint_eq(a->n_deny, 100000);
	ck_assert(!admits(a, "1.0.0.1"));
	ck_assert(!admits(a, "2.134.159.255"));
	ck_assert(admits(a, "2.134.160.0"));
} END_TEST

/* ---- privileges --------------------------------------------------------- */

static void become_nobody(void)
{
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(chown(".", UNPRIVILEGED, UNPRIVILEGED), 0);
	ck_assert_int_eq(chown("list", UNPRIVILEGED, UNPRIVILEGED), 0);
	ck_assert_int_eq(setgroups(0, NULL), 0);
	ck_assert_int_eq(setregid(UNPRIVILEGED, UNPRIVILEGED), 0);
	ck_assert_int_eq(setreuid(UNPRIVILEGED, UNPRIVILEGED), 0);
}

START_TEST(a_check_needs_no_privilege_to_read_a_file_and_a_daemon_does)
{
	const struct conf *conf;

	unit_write_file("list", "::1\n");
	ck_assert_int_eq(chmod("list", 0), 0);
	become_nobody();
	conf = load_warned(with_access("deny_file = \"FILE\";"));
	ck_assert_ptr_nonnull(conf);
	unit_contains(complaints, "t.conf:2: warning: services.s.access.deny_file names /");
	unit_contains(complaints, "/list, which could not be read (Permission denied)\n");
	ck_assert_int_eq(conf_check_privileges(conf, keep_complaint, NULL), EX_NOPERM);
	unit_contains(complaints, "t.conf:1: service s: access: /");
	unit_contains(complaints, "/list: Permission denied\n");
} END_TEST

int main(void)
{
	Suite *s = suite_create("conf_access");
	TCase *tc = unit_case(s, "admission", enter_folder, leave_folder);

	tcase_add_loop_test(tc, the_most_specific_prefix_decides, 0, ARRAY_SIZE(admissions));
	tcase_add_test(tc, prefixes_are_counted_with_those_of_files);
	tcase_add_test(tc, a_prefix_in_both_lists_is_denied_with_a_warning);
	tc = unit_case(s, "defaults", enter_folder, leave_folder);
	tcase_add_test(tc, lists_replace_those_of_defaults_and_files_stay);
	tcase_add_test(tc, what_is_printed_loads_to_the_same);
	tc = unit_case(s, "lists", enter_folder, leave_folder);
	tcase_add_loop_test(tc, what_is_wrong_is_refused_with_its_line, 0, ARRAY_SIZE(refusals));
	tcase_add_test(tc, empty_lists_mean_nothing_to_clients_without_addresses);
	tcase_add_test(tc, a_proxy_names_the_addresses_of_clients_of_a_unix_socket);
	tcase_add_test(tc, defaults_do_not_count_where_no_client_has_an_address);
	tc = unit_case(s, "files", enter_folder, leave_folder);
	tcase_add_test(tc, a_file_has_a_prefix_a_line_and_comments);
	tcase_add_test(tc, an_empty_file_allows_nobody);
	tcase_add_test(tc, errors_in_a_file_have_its_name_and_line);
	tcase_add_test(tc, the_errors_of_a_file_are_bounded);
	tcase_add_test(tc, what_is_no_text_is_refused);
	tcase_add_test(tc, a_file_that_others_can_change_is_warned_of);
	tcase_add_test(tc, a_hundred_thousand_prefixes_are_taken);
	tc = unit_case(s, "privileges", enter_folder, leave_folder);
	tcase_add_test(tc, a_check_needs_no_privilege_to_read_a_file_and_a_daemon_does);
	return unit_run(s);
}
