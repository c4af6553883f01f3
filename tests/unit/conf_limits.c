/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The key `limits`: what workers get of it, what is refused, and what a dump says.
 */
#include <config.h>
#include "conf_harness.h"

#include <arpa/inet.h>

#include "prefix_set.h"
#include "sources.h"

#define ECHO    "listen = \"*:0\"; handler = { type = \"echo\"; }; workers = { min = 1; max = 4; }; "
#define S       INT64_C(1000000000)

static void tear_down(void)
{
	arena_close(&arena);
}

/* A service with these limits, and perhaps with others in `defaults`. */
static char *with_limits(const char *defaults, const char *own)
{
	static char text[8192];

	snprintf(text, sizeof text, "%s%s%s\nservices = { s = { " ECHO "\nlimits = { %s }; }; };",
	         defaults ? "defaults = { limits = { " : "", defaults ? defaults : "",
	         defaults ? " }; };" : "", own);
	return text;
}

static const struct conf_limits *limits_of(const struct conf *conf)
{
	return &conf->services[0]->limits;
}

static const struct conf_limits *limits(const char *own)
{
	return limits_of(load_well(with_limits(NULL, own)));
}

/* ---- what workers get --------------------------------------------------- */

START_TEST(without_the_group_there_is_no_limit)
{
	const struct conf_limits *l =
		limits_of(load_well("services = { s = { " ECHO " }; };"));

	ck_assert_int_eq(l->connections, 0);
	ck_assert_int_eq(l->connections_per_source, 0);
	ck_assert_int_eq(l->rate.interval_ns, 0);
	ck_assert_int_eq(l->rate_per_source.interval_ns, 0);
	ck_assert_int_eq(l->source_prefix.ipv4, 32);
	ck_assert_int_eq(l->source_prefix.ipv6, 64);
	ck_assert_uint_eq(l->n_sources, 65536);
	ck_assert_ptr_null(l->exempt);
	ck_assert_int_eq(l->overload, OVERLOAD_QUEUE);
	ck_assert_ptr_null(l->reject_message);
	ck_assert(!l->dry_run);
} END_TEST

START_TEST(all_keys)
{
	const struct conf_limits *l = limits(
		"connections = 200; connections_per_source = 10; rate = \"100/s\"; rate_per_source = \"30/m\";"
		"burst = 50; burst_per_source = 5; source_prefix = { ipv4 = 24; ipv6 = 48; }; sources = 1000;"
		"exempt = [ \"10.0.0.0/8\", \"::1\" ]; overload = \"reject\"; reject_message = \"busy\\r\\n\";"
		"dry_run = true;");
	struct endpoint e = { .family = AF_INET, .ip = { 10, 1, 2, 3 } };

	ck_assert_int_eq(l->connections, 200);
	ck_assert_int_eq(l->connections_per_source, 10);
	ck_assert_int_eq(l->rate.interval_ns, S / 100);
	ck_assert_int_eq(l->rate.depth_ns, S / 2);
	ck_assert_int_eq(l->rate_per_source.interval_ns, 2 * S);
	ck_assert_int_eq(l->rate_per_source.depth_ns, 10 * S);
	ck_assert_int_eq(l->source_prefix.ipv4, 24);
	ck_assert_int_eq(l->source_prefix.ipv6, 48);
	ck_assert_int_eq(prefix_set_find(l->exempt, &e), PREFIX_ALLOW);
	e.ip[0] = 11;
	ck_assert_int_eq(prefix_set_find(l->exempt, &e), PREFIX_NONE);
	ck_assert_int_eq(l->overload, OVERLOAD_REJECT);
	ck_assert_str_eq(l->reject_message, "busy\r\n");
	ck_assert(l->dry_run);
} END_TEST

/* A burst that is not written is one second of its rate; at least one connection. */
static const struct {
	const char *text;
	int64_t     interval_ns;
	int         burst;
} rates[] = {
	{ "rate = \"100/s\";",             S / 100,       100 },
	{ "rate = \"100\";",               S / 100,       100 },
	{ "rate = 100;",                   S / 100,       100 },
	{ "rate = \"1/s\";",               S,             1 },
	{ "rate = \"30/m\";",              2 * S,         1 },
	{ "rate = \"90/m\";",              666666667,     1 },
	{ "rate = \"120/m\";",             S / 2,         2 },
	{ "rate = \"5/h\";",               720 * S,       1 },
	{ "rate = \"1/d\";",               86400 * S,     1 },
	{ "rate = \"3/s\";",               333333334,     3 },
	{ "rate = \"1000000/s\";",         1000,          1000000 },
	{ "rate = \"60000000/m\";",        1000,          1000000 },
	{ "rate = \"10/s\"; burst = 1;",   S / 10,        1 },
	{ "rate = \"1/d\"; burst = 365;",  86400 * S,     365 },
};

START_TEST(rates_and_bursts)
{
	const struct conf_limits *l = limits(rates[_i].text);

	ck_assert_int_eq(l->rate.interval_ns, rates[_i].interval_ns);
	ck_assert_int_eq(l->burst, rates[_i].burst);
	ck_assert_int_eq(l->rate.depth_ns, rates[_i].burst * rates[_i].interval_ns);
} END_TEST

START_TEST(the_default_burst_of_a_source_is_not_above_that_of_all)
{
	const struct conf_limits *l =
		limits("rate = \"100/s\"; burst = 5; rate_per_source = \"20/s\";");

	ck_assert_int_eq(l->burst_per_source, 5);
	ck_assert_int_eq(l->rate_per_source.depth_ns, 5 * S / 20);
} END_TEST

/* A power of two, and room for twice the slots of all workers that there can be. */
static const struct { const char *text; size_t want; } tables[] = {
	{ "limits = { sources = 16; }; connections = 1;",             32 },
	{ "limits = { sources = 17; }; connections = 1;",             32 },
	{ "limits = { sources = 1000; }; connections = 1;",           1024 },
	{ "limits = { sources = 4194304; };",                         4194304 },
	{ "limits = { sources = 16; }; connections = 100;",           4096 },
	{ "connections = 8192;",                                      262144 },
	{ "connections = 8193;",                                      524288 },
	{ "connections = 100000;",                                    SOURCES_MAX },
};

START_TEST(the_table_of_sources_is_large_enough)
{
	char text[512];

	snprintf(text, sizeof text, "services = { s = { listen = \"*:0\"; handler = { type = \"echo\"; };"
	         " workers = { min = 1; max = %d; }; %s }; };", _i == 7 ? 1000 : 16, tables[_i].text);
	ck_assert_uint_eq(limits_of(load_well(text))->n_sources, tables[_i].want);
} END_TEST

/* ---- defaults ----------------------------------------------------------- */

START_TEST(defaults_are_merged_key_by_key)
{
	const struct conf_limits *l = limits_of(load_well(with_limits(
		"connections = 100; rate = \"5/s\"; source_prefix = { ipv4 = 24; ipv6 = 48; };"
		"exempt = [ \"10.0.0.0/8\" ];",
		"connections_per_source = 7; source_prefix = { ipv6 = 56; }; exempt = [ ];")));

	ck_assert_int_eq(l->connections, 100);
	ck_assert_int_eq(l->connections_per_source, 7);
	ck_assert_int_eq(l->rate.interval_ns, S / 5);
	ck_assert_int_eq(l->source_prefix.ipv4, 24);
	ck_assert_int_eq(l->source_prefix.ipv6, 56);
	ck_assert_ptr_null(l->exempt);
} END_TEST

/* What a service does without is not an error in `defaults`. */
START_TEST(defaults_are_for_services_that_need_them)
{
	const char *const defaults = "burst = 5; burst_per_source = 2; overload = \"reject\";"
	                             "reject_message = \"later\";";
	const struct conf_limits *l = limits_of(load_well(with_limits(defaults, "")));

	ck_assert_int_eq(l->burst, 0);
	ck_assert_int_eq(l->overload, OVERLOAD_QUEUE);
	ck_assert_ptr_null(l->reject_message);
	l = limits_of(load_well(with_limits(defaults, "rate = 10; overload = \"queue\";")));
	ck_assert_int_eq(l->burst, 5);
	ck_assert_ptr_null(l->reject_message);
	l = limits_of(load_well(with_limits(defaults, "rate = 10;")));
	ck_assert_int_eq(l->overload, OVERLOAD_REJECT);
	ck_assert_str_eq(l->reject_message, "later");
} END_TEST

/* ---- what is refused ---------------------------------------------------- */

static const struct { const char *text, *want; } refused[] = {
	{ "rate = 0;", "limits.rate is 0 (leave the key out for no limit)" },
	{ "rate = \"0/s\";", "limits.rate is 0 (leave the key out for no limit)" },
	{ "rate_per_source = \"0\";", "limits.rate_per_source is 0 (leave the key out for no limit)" },
	{ "rate = -1;", "limits.rate is out of range (1/d to 1000000/s)" },
	{ "rate = \"1000001/s\";", "limits.rate is out of range (1/d to 1000000/s)" },
	{ "rate = 1000001;", "limits.rate is out of range (1/d to 1000000/s)" },
	{ "rate = \"60000001/m\";", "limits.rate is out of range (1/d to 1000000/s)" },
	{ "rate = \"99999999999999999999/s\";", "limits.rate is out of range (1/d to 1000000/s)" },
	{ "rate = \"ten\";", "limits.rate is malformed (a rate: a number a second, or such as \"100/s\"" },
	{ "rate = \"10/w\";", "limits.rate is malformed" },
	{ "rate = \"-1/s\";", "limits.rate is malformed" },
	{ "rate = \"\";", "limits.rate is malformed" },
	{ "rate = 1.5;", "limits.rate must be a rate: a number a second" },
	{ "rate = true;", "limits.rate must be a rate" },
	{ "burst = 5;", "limits.burst needs rate (as in rate = \"10/s\")" },
	{ "rate = 9; burst_per_source = 5;", "limits.burst_per_source needs rate_per_source" },
	{ "rate = 9; burst = 0;", "limits.burst is out of range (1 to 1000000)" },
	{ "rate = \"1/d\"; burst = 366;", "limits.burst is 366, but at a rate of 1/d that takes longer than a year" },
	{ "rate = \"1/d\"; burst = 1000000;", "takes longer than a year to come back" },
	{ "rate = \"10/s\"; rate_per_source = \"601/m\";",
	  "limits.rate_per_source is 601/m, but rate is 10/s" },
	{ "rate = \"10/s\"; rate_per_source = \"1/s\"; burst_per_source = 11;",
	  "limits.burst_per_source is 11, but burst is 10" },
	{ "connections = 0;", "limits.connections is out of range (1 to 100000000)" },
	{ "connections_per_source = 0;", "limits.connections_per_source is out of range (1 to 65535)" },
	{ "connections_per_source = 65536;", "limits.connections_per_source is out of range (1 to 65535)" },
	{ "connections = 10; connections_per_source = 11;",
	  "limits.connections_per_source is 11, but connections is 10" },
	{ "source_prefix = { ipv4 = 33; };", "limits.source_prefix.ipv4 is out of range (1 to 32)" },
	{ "source_prefix = { ipv4 = 0; };", "limits.source_prefix.ipv4 is out of range (1 to 32)" },
	{ "source_prefix = { ipv6 = 129; };", "limits.source_prefix.ipv6 is out of range (1 to 128)" },
	{ "source_prefix = { ipv5 = 1; };", "did you mean ipv4" },
	{ "source_prefix = 24;", "limits.source_prefix must be a group" },
	{ "sources = 15;", "limits.sources is out of range (16 to 4194304)" },
	{ "sources = 4194305;", "limits.sources is out of range (16 to 4194304)" },
	{ "exempt = \"10.1.0.0/8\";", "10.1.0.0/8 has host bits (did you mean 10.0.0.0/8?)" },
	{ "exempt = [ \"localhost\" ];", "limits.exempt" },
	{ "connections = 9; overload = \"drop\";", "limits.overload cannot be \"drop\"" },
	{ "overload = \"reject\";", "limits.overload means nothing without connections or rate" },
	{ "connections = 9; reject_message = \"no\";", "limits.reject_message needs overload = \"reject\"" },
	{ "connections = 9; overload = \"queue\"; reject_message = \"no\";",
	  "limits.reject_message needs overload = \"reject\"" },
	{ "conections = 9;", "did you mean connections" },
};

START_TEST(what_is_wrong_is_said_with_its_line)
{
	ck_assert_ptr_null(load(with_limits(NULL, refused[_i].text)));
	unit_contains(complaints, refused[_i].want);
	ck_assert_int_eq(strncmp(complaints, "t.conf:3: services.s.limits", 27), 0);
} END_TEST

static int n_lines(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

/* What follows from a value that was refused is not complained of. */
static const char *const once[] = {
	"rate = 0; burst = 5;", "rate = \"x\"; burst = 5; overload = \"reject\"; reject_message = \"no\";",
	"connections = 0; overload = \"reject\";", "connections = 9; overload = \"r\"; reject_message = \"no\";",
	"overload = \"reject\"; reject_message = \"no\";",
	"rate = \"10/s\"; rate_per_source = \"20/s\";", "connections = 70000; connections_per_source = 65536;",
};

START_TEST(one_mistake_is_one_complaint)
{
	ck_assert_ptr_null(load(with_limits(NULL, once[_i])));
	ck_assert_msg(n_lines(complaints) == (_i == 6 ? 2 : 1), "%s", complaints);
} END_TEST

START_TEST(a_message_has_a_length)
{
	char text[2048] = "connections = 9; overload = \"reject\"; reject_message = \"";
	const size_t begin = strlen(text);

	memset(text + begin, 'x', 1024);
	strcpy(text + begin + 1024, "\";");
	ck_assert_uint_eq(strlen(limits(text)->reject_message), 1024);
	strcpy(text + begin + 1024, "y\";");
	ck_assert_ptr_null(load(with_limits(NULL, text)));
	unit_contains(complaints, "limits.reject_message is too long (at most 1024 bytes)");
} END_TEST

static const struct { const char *workers, *want; } too_few[] = {
	{ "{ min = 1; max = 4; }", "401, but 4 workers with 100 connections each have only 400 slots\n" },
	{ "3", "401, but 3 workers with 100 connections each have only 300 slots\n" },
	{ "5", "" },
};

START_TEST(more_connections_than_slots_are_a_warning)
{
	char text[512];

	complaints[0] = '\0';
	arena_close(&arena);
	ck_assert_int_eq(arena_open(&arena, CONF_ARENA_SIZE), 0);
	snprintf(text, sizeof text, "services = { s = { listen = \"*:0\"; handler = { type = \"echo\"; };\n"
	         "workers = %s; connections = 100;\nlimits = { connections = 401; }; }; };",
	         too_few[_i].workers);
	ck_assert_ptr_nonnull(conf_load(&arena, "t.conf", text, keep_complaint, NULL));
	snprintf(text, sizeof text, "%s%s", too_few[_i].want[0] ?
	         "t.conf:3: warning: services.s.limits.connections is " : "", too_few[_i].want);
	ck_assert_str_eq(complaints, text);
} END_TEST

START_TEST(a_contradiction_with_defaults_is_an_error_where_it_is)
{
	ck_assert_ptr_null(load(with_limits("connections_per_source = 20;", "connections = 10;")));
	ck_assert_str_eq(complaints, "t.conf:1: defaults.limits.connections_per_source is 20, but connections"
	                 " is 10\n");
} END_TEST

/* ---- the dump ----------------------------------------------------------- */

static const struct { const char *text, *want; } dumps[] = {
	{ "", "    limits = {\n"
	      "      sources = 65536;\n"
	      "      exempt = [ ];\n"
	      "      overload = \"queue\";\n"
	      "      dry_run = false;\n"
	      "      source_prefix = {\n"
	      "        ipv4 = 32;\n"
	      "        ipv6 = 64;\n"
	      "      };\n"
	      "    };\n" },
	{ "connections = 200; connections_per_source = 10; rate = \"100/s\"; rate_per_source = \"30/m\";"
	  "burst = 50; sources = 9000; exempt = \"::1\"; overload = \"reject\"; reject_message = \"no\\r\\n\";"
	  "dry_run = true; source_prefix = { ipv4 = 24; };",
	      "    limits = {\n"
	      "      connections = 200;\n"
	      "      connections_per_source = 10;\n"
	      "      rate = \"100/s\";\n"
	      "      rate_per_source = \"30/m\";\n"
	      "      burst = 50;\n"
	      "      burst_per_source = 1;\n"
	      "      sources = 16384;\n"
	      "      exempt = [ \"::1\" ];\n"
	      "      overload = \"reject\";\n"
	      "      reject_message = \"no\\x0d\\x0a\";\n"
	      "      dry_run = true;\n"
	      "      source_prefix = {\n"
	      "        ipv4 = 24;\n"
	      "        ipv6 = 64;\n"
	      "      };\n"
	      "    };\n" },
};

START_TEST(a_dump_says_all_and_loads_again)
{
	char *first, *second;

	first = dump(load_well(with_limits(NULL, dumps[_i].text)));
	unit_contains(first, dumps[_i].want);
	second = dump(load_well(first));
	ck_assert_str_eq(second, first);
	free(first);
	free(second);
} END_TEST

int main(void)
{
	Suite *s = suite_create("conf_limits");
	TCase *tc = unit_case(s, "limits", NULL, tear_down);

	tcase_add_test(tc, without_the_group_there_is_no_limit);
	tcase_add_test(tc, all_keys);
	tcase_add_loop_test(tc, rates_and_bursts, 0, ARRAY_SIZE(rates));
	tcase_add_test(tc, the_default_burst_of_a_source_is_not_above_that_of_all);
	tcase_add_loop_test(tc, the_table_of_sources_is_large_enough, 0, ARRAY_SIZE(tables));
	tcase_add_test(tc, defaults_are_merged_key_by_key);
	tcase_add_test(tc, defaults_are_for_services_that_need_them);
	tcase_add_loop_test(tc, what_is_wrong_is_said_with_its_line, 0, ARRAY_SIZE(refused));
	tcase_add_loop_test(tc, one_mistake_is_one_complaint, 0, ARRAY_SIZE(once));
	tcase_add_test(tc, a_message_has_a_length);
	tcase_add_loop_test(tc, more_connections_than_slots_are_a_warning, 0, ARRAY_SIZE(too_few));
	tcase_add_test(tc, a_contradiction_with_defaults_is_an_error_where_it_is);
	tcase_add_loop_test(tc, a_dump_says_all_and_loads_again, 0, ARRAY_SIZE(dumps));
	return unit_run(s);
}
