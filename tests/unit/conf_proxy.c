/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The keys proxy_protocol and proxy_from, for a service and for single listeners.
 */
#include <config.h>
#include "conf_harness.h"

#include <arpa/inet.h>

#include "prefix_set.h"

#define SERVICE(listen, rest) \
	"services = { s = { listen = " listen "; handler = { type = \"echo\"; };\n" rest " }; };"
#define TCP  "\"127.0.0.1:0\""
#define FILE_SOCKET "\"unix:/tmp/drover-test.sock\""

static void close_arena(void)
{
	arena_close(&arena);
}

/* What conf_harness.h has, for a configuration that may have warnings. */
static struct conf *load_warned(const char *text)
{
	complaints[0] = '\0';
	arena_close(&arena);
	ck_assert_int_eq(arena_open(&arena, CONF_ARENA_SIZE), 0);
	return conf_load(&arena, "t.conf", text, keep_complaint, NULL);
}

static bool is_believed(const struct conf_listen *l, const char *ip)
{
	struct endpoint e = { .family = strchr(ip, ':') ? AF_INET6 : AF_INET };

	ck_assert_int_eq(inet_pton(e.family, ip, e.ip), 1);
	return prefix_set_find(l->proxies, &e) == PREFIX_ALLOW;
}

/* ---- what listeners get ------------------------------------------------- */

/* For the first and the last socket: what it expects; whom it believes and whom not (NULL: no matter). */
static const struct {
	const char *name, *text;
	enum proxy_versions first, last;
	const char *first_believes, *first_not, *last_believes;
} rows[] = {
	{ "nothing is said", SERVICE(TCP, ""), PROXY_OFF, PROXY_OFF, NULL, "127.0.0.1", NULL },
	{ "for the service", SERVICE("[ " TCP ", \"[::1]:0\" ]",
	                             "proxy_protocol = \"v2\"; proxy_from = \"10.0.0.1\";"),
	  PROXY_V2, PROXY_V2, "10.0.0.1", "10.0.0.2", "10.0.0.1" },
	{ "for both sockets of an address", SERVICE("\"*:0\"", "proxy_protocol = \"any\";"
	                                            "proxy_from = \"10.0.0.0/8\";"),
	  PROXY_ANY, PROXY_ANY, "10.0.0.1", "11.0.0.1", "10.0.0.1" },
	{ "for one listener, with the service's list", SERVICE("( " TCP ", { address = \"127.0.0.2:0\";"
	  " proxy_protocol = \"v1\"; } )", "proxy_from = [ \"::1\", \"10.0.0.1\" ];"),
	  PROXY_OFF, PROXY_V1, NULL, "10.0.0.1", "::1" },
	{ "for all but one", SERVICE("( { address = " TCP "; proxy_protocol = \"off\"; }, \"127.0.0.2:0\" )",
	  "proxy_protocol = \"v1\"; proxy_from = \"::1\";"), PROXY_OFF, PROXY_V1, NULL, "::1", "::1" },
	{ "a listener has its own list", SERVICE("( " TCP ", { address = \"127.0.0.2:0\"; proxy_from = \"::2\"; } )",
	  "proxy_protocol = \"v1\"; proxy_from = \"::1\";"), PROXY_V1, PROXY_V1, "::1", "::2", "::2" },
	{ "a socket file needs no list", SERVICE(FILE_SOCKET, "proxy_protocol = \"v2\";"),
	  PROXY_V2, PROXY_V2, NULL, NULL, NULL },
	{ "a socket file beside TCP", SERVICE("[ " TCP ", " FILE_SOCKET " ]",
	                                      "proxy_protocol = \"v2\"; proxy_from = \"::1\";"),
	  PROXY_V2, PROXY_V2, "::1", NULL, NULL },
	{ "from defaults", "defaults = { proxy_protocol = \"v1\"; proxy_from = \"::1\"; };" SERVICE(TCP, ""),
	  PROXY_V1, PROXY_V1, "::1", NULL, NULL },
	{ "not as in defaults", "defaults = { proxy_protocol = \"v1\"; proxy_from = \"::1\"; };"
	  SERVICE(TCP, "proxy_protocol = \"off\";"), PROXY_OFF, PROXY_OFF, NULL, "::1", NULL },
	{ "a list in defaults that is not needed", "defaults = { proxy_from = \"::1\"; };" SERVICE(TCP, ""),
	  PROXY_OFF, PROXY_OFF, NULL, "::1", NULL },
	{ "inherited sockets", SERVICE("\"systemd:x\"", "proxy_protocol = \"v1\"; proxy_from = \"::1\";"),
	  PROXY_V1, PROXY_V1, "::1", "::2", NULL },
};

START_TEST(each_listener_expects_what_it_or_its_service_says)
{
	const struct conf_service *s = load_well(rows[_i].text)->services[0];
	const struct conf_listen *first = &s->listen[0], *last = &s->listen[s->n_listen - 1];

	ck_assert_msg(first->proxy == (int)rows[_i].first && last->proxy == (int)rows[_i].last, "%s: %d, %d",
	              rows[_i].name, first->proxy, last->proxy);
	ck_assert(!rows[_i].first_believes || is_believed(first, rows[_i].first_believes));
	ck_assert(!rows[_i].first_not || !is_believed(first, rows[_i].first_not));
	ck_assert(!rows[_i].last_believes || is_believed(last, rows[_i].last_believes));
} END_TEST

START_TEST(what_is_printed_loads_to_the_same)
{
	char *first = dump(load_well(rows[_i].text)), *second = dump(load_well(first));

	ck_assert_str_eq(first, second);
	free(first);
	free(second);
} END_TEST

START_TEST(a_listener_is_printed_with_what_it_has)
{
	char *text = dump(load_well(SERVICE("( " TCP ", { address = \"127.0.0.2:0\"; proxy_protocol = \"any\"; } )",
	                                    "proxy_from = [ \"10.0.0.0/8\" ]; timeouts = { handshake = 3; };")));

	unit_contains(text, "address = \"127.0.0.1:0\"; backlog = 4096;");
	unit_contains(text, "proxy_protocol = \"off\"; proxy_from = [ ];");
	unit_contains(text, "proxy_protocol = \"any\"; proxy_from = [ \"10.0.0.0/8\" ];");
	unit_contains(text, "    proxy_from = [ \"10.0.0.0/8\" ];\n");
	unit_contains(text, "      handshake = \"3s\";\n");
	free(text);
} END_TEST

/* ---- what is refused ---------------------------------------------------- */

static const struct { const char *text, *complaint; } refusals[] = {
	{ SERVICE(TCP, "proxy_protocol = \"v3\";"),
	  "t.conf:2: services.s.proxy_protocol cannot be \"v3\" (did you mean \"v1\"?)" },
	{ SERVICE(TCP, "proxy_protocol = true;"), "t.conf:2: services.s.proxy_protocol must be a string" },
	{ SERVICE(TCP, "proxy_protocol = \"v1\";"),
	  "t.conf:2: services.s.proxy_protocol needs proxy_from (the addresses from which a header is believed" },
	{ SERVICE(TCP, "proxy_protocol = \"v1\"; proxy_from = [ ];"),
	  "t.conf:2: services.s.proxy_protocol needs proxy_from" },
	{ SERVICE("( { address = " TCP ";\n proxy_protocol = \"v1\"; } )", ""),
	  "t.conf:2: services.s.listen.proxy_protocol needs proxy_from" },
	{ SERVICE("( { address = " TCP ";\n proxy_from = [ ]; } )",
	          "proxy_protocol = \"v1\"; proxy_from = \"::1\";"),
	  "t.conf:2: services.s.listen.proxy_from is empty" },
	{ SERVICE("\"systemd:x\"", "proxy_protocol = \"v1\";"),
	  "t.conf:2: services.s.proxy_protocol needs proxy_from" },
	{ "defaults = { proxy_protocol = \"v1\"; };\n" SERVICE(TCP, ""),
	  "t.conf:1: defaults.proxy_protocol needs proxy_from" },
	{ SERVICE(TCP, "proxy_from = \"10.1.2.3/8\"; proxy_protocol = \"v1\";"),
	  "t.conf:2: services.s.proxy_from holds a prefix that is wrong: 10.1.2.3/8 has host bits"
	  " (did you mean 10.0.0.0/8?)" },
	{ SERVICE("( { address = " TCP ";\n proxy_protocol = \"v1\"; proxy_from = [ \"::1\",\n \"localhost\" ]; } )",
	          ""),
	  "t.conf:3: services.s.listen.proxy_from holds a prefix that is wrong: \"localhost\" is not a prefix" },
	{ SERVICE(TCP, "proxy_from = \"::1\";"),
	  "t.conf:2: services.s.proxy_from means nothing without a listener for TCP that has proxy_protocol" },
	{ SERVICE(FILE_SOCKET, "proxy_from = \"::1\"; proxy_protocol = \"v1\";"),
	  "t.conf:2: services.s.proxy_from means nothing without a listener for TCP that has proxy_protocol" },
	{ SERVICE("( { address = " TCP ";\n proxy_from = \"::1\"; } )", ""),
	  "t.conf:2: services.s.listen.proxy_from means nothing without proxy_protocol" },
	{ SERVICE("( { address = " FILE_SOCKET ";\n proxy_from = \"::1\"; } )", "proxy_protocol = \"v1\";"),
	  "t.conf:2: services.s.listen.proxy_from means nothing for a unix socket (leave it out)" },
	{ SERVICE("\"unix:@x\"", "proxy_protocol = \"v1\";"),
	  "t.conf:2: services.s.proxy_protocol cannot be used on unix:@x, to which every local user can connect"
	  " (use a path, whose mode says who can)" },
	{ SERVICE("( { address = \"unix:@x\";\n proxy_protocol = \"v1\"; } )", ""),
	  "t.conf:2: services.s.listen.proxy_protocol cannot be used on unix:@x" },
	{ SERVICE(TCP, "proxy = \"v1\";"), "services.s.proxy is not a known key" },
};

START_TEST(contradictions_and_missing_things_are_refused)
{
	ck_assert_ptr_null(load(refusals[_i].text));
	unit_contains(complaints, refusals[_i].complaint);
} END_TEST

START_TEST(to_believe_everybody_is_warned_of)
{
	ck_assert_ptr_nonnull(load_warned(SERVICE("\"*:0\"", "proxy_protocol = \"v1\";"
	                                          "proxy_from = [ \"::/0\" ];")));
	ck_assert_str_eq(complaints, "t.conf:2: warning: services.s.proxy_from believes every address (so any"
	                 " client that reaches the listener can claim any address)\n");
} END_TEST

int main(void)
{
	Suite *s = suite_create("conf_proxy");
	TCase *tc = unit_case(s, "listeners", NULL, close_arena);

	tcase_add_loop_test(tc, each_listener_expects_what_it_or_its_service_says, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, what_is_printed_loads_to_the_same, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, a_listener_is_printed_with_what_it_has);
	tc = unit_case(s, "refused", NULL, close_arena);
	tcase_add_loop_test(tc, contradictions_and_missing_things_are_refused, 0, ARRAY_SIZE(refusals));
	tcase_add_test(tc, to_believe_everybody_is_warned_of);
	return unit_run(s);
}
