/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The groups `metrics` and `agent`: what the status process gets of them, what is refused, and what a
 * dump says.
 */
#include <config.h>
#include "conf_harness.h"

#include <arpa/inet.h>

#include "prefix_set.h"

#define ECHO "services = { s = { listen = \"127.0.0.1:7007\"; handler = { type = \"echo\"; }; }; };"

static void tear_down(void)
{
	arena_close(&arena);
}

START_TEST(without_the_groups_nothing_listens)
{
	const struct conf *conf = load_well(ECHO);

	ck_assert_uint_eq(conf->metrics.outlet.n_listen, 0);
	ck_assert_uint_eq(conf->agent.outlet.n_listen, 0);
} END_TEST

START_TEST(a_group_with_an_address_has_all_defaults)
{
	const struct conf *conf = load_well("metrics = { listen = \"127.0.0.1:0\"; };"
	                                    "agent = { listen = [ \"[::1]:0\", \"unix:/a\" ]; };" ECHO);

	ck_assert_uint_eq(conf->metrics.outlet.n_listen, 1);
	ck_assert_int_eq(conf->metrics.outlet.listen[0].backlog, 4096);
	ck_assert_ptr_null(conf->metrics.outlet.allowed);
	ck_assert(conf->metrics.page.on && !conf->metrics.page.addresses);
	ck_assert_uint_eq(conf->agent.outlet.n_listen, 2);
	ck_assert_int_eq(conf->agent.outlet.listen[1].mode, 0660);
	ck_assert_int_eq(conf->agent.balancers, 1);
	ck_assert_int_eq(conf->agent.lame_duck, 5000);
} END_TEST

static enum prefix_verdict verdict(const struct prefix_set *set, const char *ip)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct endpoint e;

	ck_assert_int_eq(inet_pton(AF_INET, ip, &in.sin_addr), 1);
	e = endpoint_of((const struct sockaddr *)&in, sizeof in);
	return prefix_set_find(set, &e);
}

START_TEST(prefixes_say_which_clients_may_ask)
{
	const struct conf *conf = load_well("metrics = { listen = \"*:0\"; allow = \"192.0.2.0/24\"; };" ECHO);

	ck_assert_int_eq(verdict(conf->metrics.outlet.allowed, "192.0.2.9"), PREFIX_ALLOW);
	ck_assert_int_eq(verdict(conf->metrics.outlet.allowed, "192.0.3.9"), PREFIX_NONE);
} END_TEST

static const struct { const char *name, *groups, *want; } refused[] = {
	{ "no listener", "metrics = {\n};", "t.conf:1: metrics needs listen" },
	{ "no listener of the agent", "agent = { balancers = 2; };", "t.conf:1: agent needs listen" },
	{ "an empty list", "agent = { listen = [ ]; };", "agent.listen is empty (it needs an address)" },
	{ "every address", "metrics = {\nlisten = \"*:9550\"; };", "t.conf:2: metrics.listen \"*:9550\" can be"
	  " reached by other machines: say which of them may ask (as in allow = [ \"192.0.2.0/24\" ])" },
	{ "one address of this machine", "agent = { listen = [ \"127.0.0.1:1\", \"192.0.2.1:1\" ]; };",
	  "agent.listen \"192.0.2.1:1\" can be reached by other machines" },
	{ "an inherited socket", "agent = { listen = \"systemd:a\"; };", "can be reached by other machines" },
	{ "an empty list of prefixes", "metrics = { listen = \"*:9550\"; allow = [ ]; };",
	  "can be reached by other machines" },
	{ "no prefix", "metrics = { listen = \"*:9550\";\nallow = \"example\"; };",
	  "t.conf:2: metrics.allow holds a prefix that is wrong: \"example\" is not a prefix" },
	{ "the address of a service", "metrics = { listen = \"127.0.0.1:7007\"; };", "services.s.listen"
	  " \"127.0.0.1:7007\" is listened on already: \"127.0.0.1:7007\" of metrics (t.conf:1)" },
	{ "the address of the other one", "metrics = { listen = \"127.0.0.1:1\"; };\n"
	  "agent = { listen = \"127.0.0.1:1\"; };", "t.conf:2: agent.listen \"127.0.0.1:1\" is listened on"
	  " already: \"127.0.0.1:1\" of metrics (t.conf:1)" },
	{ "a key of services", "metrics = { listen = ( { address = \"127.0.0.1:1\"; nodelay = true; } ); };",
	  "nodelay is not a known key" },
	{ "a mode of an address", "metrics = { listen = ( { address = \"127.0.0.1:1\"; mode = \"0600\"; } ); };",
	  "mode means nothing for an IP address" },
	{ "no balancer", "agent = { listen = \"127.0.0.1:1\"; balancers = 0; };", "agent.balancers is out of range (1 to 1000)" },
	{ "a misspelt key", "agent = { listen = \"127.0.0.1:1\"; lameduck = 1; };", "did you mean lame_duck?" },
	{ "a string for the page", "metrics = { listen = \"127.0.0.1:1\"; page = \"yes\"; };",
	  "metrics.page must be true or false, or a group" },
	{ "a string for the group", "metrics = \"127.0.0.1:1\";", "metrics must be a group" },
};

START_TEST(what_is_wrong_is_said_with_its_line)
{
	char text[1024];

	snprintf(text, sizeof text, "%s\n%s", refused[_i].groups, ECHO);
	ck_assert_msg(!load(text), "%s: is loaded", refused[_i].name);
	unit_contains(complaints, refused[_i].want);
} END_TEST

START_TEST(a_dump_loads_and_dumps_to_itself)
{
	char *first = dump(load_well("metrics = { listen = \"127.0.0.1:0\"; page = { addresses = true; }; };"
	                             "agent = { listen = \"*:0\"; allow = \"::1\"; lame_duck = 0; };" ECHO));
	char *second = dump(load_well(first));

	ck_assert_str_eq(first, second);
	unit_contains(first, "    addresses = true;\n");
	unit_contains(first, "  lame_duck = \"0\";\n");
	free(first);
	free(second);
	first = dump(load_well(ECHO));
	ck_assert_ptr_null(strstr(first, "metrics"));
	free(first);
} END_TEST

int main(void)
{
	Suite *s = suite_create("conf_outlet");
	TCase *tc = unit_case(s, "outlets", NULL, tear_down);

	tcase_add_test(tc, without_the_groups_nothing_listens);
	tcase_add_test(tc, a_group_with_an_address_has_all_defaults);
	tcase_add_test(tc, prefixes_say_which_clients_may_ask);
	tcase_add_loop_test(tc, what_is_wrong_is_said_with_its_line, 0, ARRAY_SIZE(refused));
	tcase_add_test(tc, a_dump_loads_and_dumps_to_itself);
	return unit_run(s);
}
