/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A daemon behind a proxy, which the tests play: where the client appears that the proxy names, and
 * what becomes of connections whose header is wrong, late, or from an address that is not in proxy_from. Real proxies are
 * in proxy_real.c.
 */
#include <config.h>
#include "harness.h"
#include "warm_harness.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <unistd.h>

static struct daemon d;

#define FROM_US "proxy_protocol = \"any\"; proxy_from = \"127.0.0.1\"; "
#define LOGGED  "access_log = { target = \"%s\"; };"
#define ENV     "argv = \"/usr/bin/env\";"

#define V1        "PROXY TCP4 192.0.2.7 198.51.100.1 40312 443\r\n"
#define V1_IPV6   "PROXY TCP6 2001:db8::7 2001:db8::1 40312 443\r\n"
#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define LOCAL     SIGNATURE "\x20\0\0\0"
#define ENDS4     "\xc0\0\2\7" "\xc6\x33\x64\1" "\x9d\x78" "\1\xbb"     /* those of V1 */
#define NAMES     "\5\0\4id 1" "\2\0\x0b" "example.org"
#define SSL       "\x20\0\x1d" "\3\0\0\0\0" "\x21\0\7TLSv1.3" "\x23\0\3ABC" "\x22\0\5alice"
#define V2        SIGNATURE "\x21\x11\0\x0c" ENDS4
#define V2_NAMES  SIGNATURE "\x21\x11\0\x21" ENDS4 NAMES
#define V2_SSL    SIGNATURE "\x21\x11\0\x41" ENDS4 NAMES SSL
#define BYTES(literal) literal, sizeof literal - 1

/* Each byte as a segment of its own, as far as the kernel does not hold them back. */
static void send_in_pieces(int fd, const char *bytes, size_t len)
{
	const int on = 1;

	ck_assert_int_eq(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
	for (size_t i = 0; i < len; i++)
		client_send(fd, bytes + i, 1);
}

/* How a connection ended of which the daemon knows no more than the number. */
static const char *how_ended(void)
{
	return event_word(daemon_wait_for(&d, "connection-end"), "how");
}

static void start_echo(const char *rest)
{
	daemon_start(&d, SERVICES(SERVICE("s", "echo", "workers = 1; " FROM_US "%s")), rest);
}

/* ---- the client that the proxy names ------------------------------------ */

static const struct { const char *name, *header; size_t len; const char *peer, *local, *more; } headers[] = {
	{ "version 1",         BYTES(V1),       "192.0.2.7:40312",      "198.51.100.1:443",  "" },
	{ "version 1, IPv6",   BYTES(V1_IPV6),  "[2001:db8::7]:40312",  "[2001:db8::1]:443", "" },
	{ "version 2",         BYTES(V2),       "192.0.2.7:40312",      "198.51.100.1:443",  "" },
	{ "version 2 and TLVs", BYTES(V2_NAMES), "192.0.2.7:40312",      "198.51.100.1:443",
	  " unique_id=id\\x201 authority=example.org" },
};

START_TEST(the_logs_show_the_client_and_its_proxy)
{
	const char *path = files_path("access.log"), *ours;
	const struct event *open;
	int fd;

	daemon_start(&d, LOGGED SERVICES(SERVICE("s", "echo", FROM_US)), path);
	fd = daemon_connect(&d, "s");
	ours = client_name(fd);
	client_send(fd, headers[_i].header, headers[_i].len);
	client_echo(fd);
	open = daemon_wait_for(&d, "connection-open peer=%s via=%s", headers[_i].peer, ours);
	client_end(fd);
	daemon_ended(&d, open);
	daemon_settle_logs(&d);
	harness_contains(files_read(path), files_text(" peer=%s via=%s local=%s%s duration=", headers[_i].peer,
	                                              ours, headers[_i].local, headers[_i].more));
	close(fd);
} END_TEST

START_TEST(the_access_log_can_be_json)
{
	const char *path = files_path("access.log");
	int fd;

	daemon_start(&d, "access_log = { target = \"%s\"; format = \"json\"; };"
	             SERVICES(SERVICE("s", "echo", FROM_US)), path);
	fd = daemon_connect(&d, "s");
	client_send(fd, BYTES(V2_NAMES));
	client_end(fd);
	client_expect_end(fd);
	daemon_wait_for(&d, "connection-end");
	daemon_settle_logs(&d);
	harness_contains(files_read(path), files_text("\"peer\":\"192.0.2.7:40312\",\"via\":\"%s\",",
	                                              client_name(fd)));
	harness_contains(files_read(path), ",\"unique_id\":\"id\\\\x201\",\"authority\":\"example.org\",");
	close(fd);
} END_TEST

static void check_environment(const char *expected)
{
	int fd = daemon_connect(&d, "s");
	const char *all;

	client_send(fd, BYTES(V2_SSL));
	all = files_text("%s%sDROVER_CONNECTION=%s\n", harness_environment(), expected,
	                 event_word(daemon_wait_for(&d, "connection-open"), "id"));
	ck_assert_str_eq(files_sorted(client_read_all(fd)), files_sorted(all));
	close(fd);
}

START_TEST(the_environment_of_programs_is_exactly_this)
{
	daemon_start(&d, SERVICES(EXEC("s", ENV, "workers = 1; " FROM_US)));
	check_environment("PROTO=SSL\nTCPREMOTEIP=192.0.2.7\nTCPREMOTEPORT=40312\nTCPLOCALIP=198.51.100.1\n"
	                  "TCPLOCALPORT=443\nREMOTE_ADDR=192.0.2.7\nREMOTE_PORT=40312\n"
	                  "DROVER_UNIQUE_ID=id\\x201\nSSL_TLS_SNI=example.org\nSSL_PROTOCOL=TLSv1.3\n"
	                  "SSL_CIPHER=ABC\nSSL_CLIENT_VERIFY=SUCCESS\nSSL_CLIENT_S_DN=CN=alice\n");
} END_TEST

START_TEST(an_ipv6_client_of_an_ipv4_proxy_has_the_variables_of_ipv6)
{
	const char *all;
	int fd;

	daemon_start(&d, SERVICES(EXEC("s", ENV, FROM_US)));
	fd = daemon_connect(&d, "s");
	client_say(fd, V1_IPV6);
	all = client_read_all(fd);
	harness_contains(all, "PROTO=TCP6\n");
	harness_contains(all, "TCP6REMOTEIP=2001:db8::7\n");
	harness_contains(all, "TCP6LOCALPORT=443\n");
	ck_assert_ptr_null(strstr(all, "SSL_"));
	close(fd);
} END_TEST

START_TEST(a_filter_is_told_of_the_client)
{
	const char *script = files_script("answer", "while read -r ip port id && read -r line; do\n"
	                                  "echo \"$line from $ip $port\"; done");
	int fd;

	daemon_start(&d, SERVICES(" s = { listen = \"127.0.0.1:0\"; handler = { type = \"filter\"; argv = \"%s\";"
	             " framing = \"line\"; prefix = \"peer\"; }; " FROM_US " };"), script);
	fd = daemon_connect(&d, "s");
	client_say(fd, V1 "hello\n");
	client_expect(fd, "hello from 192.0.2.7 40312\n");
	close(fd);
} END_TEST

START_TEST(a_warm_program_is_told_of_the_client)
{
	int fd;

	warm_start(&d, WARM_CAT, 1, "peer = \"proxy-v1\";", FROM_US);
	fd = daemon_connect(&d, "s");
	client_send(fd, BYTES(V2));
	client_expect(fd, V1);
	client_say(fd, "hello");
	client_expect(fd, "hello");
	close(fd);
} END_TEST

static const struct { const char *name, *header; size_t len; } nameless[] = {
	{ "UNKNOWN",      BYTES("PROXY UNKNOWN\r\n") },
	{ "UNKNOWN, with addresses", BYTES("PROXY UNKNOWN 192.0.2.7 198.51.100.1 40312 443\r\n") },
	{ "LOCAL",        BYTES(LOCAL) },
	{ "LOCAL, with addresses", BYTES(SIGNATURE "\x20\x11\0\x0c" ENDS4) },
	{ "UNSPEC",       BYTES(SIGNATURE "\x21\0\0\0") },
	{ "datagrams",    BYTES(SIGNATURE "\x21\x12\0\x0c" ENDS4) },
};

START_TEST(a_header_without_a_client_stands_for_the_proxy)
{
	const char *all;
	int fd;

	daemon_start(&d, SERVICES(EXEC("s", ENV, FROM_US)));
	fd = daemon_connect(&d, "s");
	client_send(fd, nameless[_i].header, nameless[_i].len);
	all = client_read_all(fd);
	harness_contains(all, files_text("TCPREMOTEIP=127.0.0.1\nTCPREMOTEPORT=%s\n", client_port(fd)));
	harness_contains(all, files_text("TCPLOCALPORT=%s\n", daemon_port(&d, "s", 0)));
	ck_assert_uint_eq(daemon_saw(&d, "connection-open peer=%s", client_name(fd)), 1);
	close(fd);
} END_TEST

/* ---- bytes -------------------------------------------------------------- */

static const char *const kinds[] = {
	"type = \"echo\";", "type = \"exec\"; argv = \"/bin/cat\";",
	"type = \"exec\"; argv = \"/bin/cat\"; warm = 1;",
};

static void start_kind(int i, const char *rest)
{
	daemon_start(&d, SERVICES(" s = { listen = \"127.0.0.1:0\"; handler = { %s }; workers = 1; " FROM_US
	             " %s };"), kinds[i], rest);
}

/* All of it comes back to the client but the header, and not a byte more or less. */
static void check_rest(int fd, const char *rest)
{
	client_end(fd);
	ck_assert_str_eq(client_read_all(fd), rest);
	close(fd);
}

START_TEST(exactly_the_header_is_taken)
{
	int fd;

	start_kind(_i, "");
	fd = daemon_connect(&d, "s");
	client_say(fd, V1 "hello");
	check_rest(fd, "hello");
	fd = daemon_connect(&d, "s");
	client_send(fd, BYTES(V2 "hello"));
	check_rest(fd, "hello");
} END_TEST

START_TEST(a_second_header_belongs_to_the_client)
{
	int fd;

	start_kind(_i, "");
	fd = daemon_connect(&d, "s");
	client_send(fd, BYTES(V2 V1_IPV6));
	check_rest(fd, V1_IPV6);
	ck_assert_uint_eq(daemon_saw(&d, "connection-open peer=192.0.2.7:40312"), 1);
} END_TEST

START_TEST(a_header_may_come_byte_by_byte)
{
	int fd;

	start_kind(_i, "");
	fd = daemon_connect(&d, "s");
	send_in_pieces(fd, BYTES(V2_NAMES "hello"));
	check_rest(fd, "hello");
	ck_assert_uint_eq(daemon_saw(&d, "connection-open peer=192.0.2.7:40312"), 1);
} END_TEST

/* A program that speaks first would speak to the proxy, and one that is started costs something. */
START_TEST(no_program_starts_before_the_header)
{
	int fd, other;

	daemon_start(&d, SERVICES(EXEC("s", "argv = [ \"/bin/echo\", \"220 ready\" ];",
	                               "workers = 1; " FROM_US)));
	fd = daemon_connect(&d, "s");
	client_say(fd, "PROXY TCP4 192.0.2.7 198.51.1");
	other = daemon_connect(&d, "s");
	client_say(other, V1);
	ck_assert_str_eq(client_read_all(other), "220 ready\n");
	daemon_wait_for(&d, "program-start");
	ck_assert_uint_eq(daemon_saw(&d, "program-start"), 1);
	client_say(fd, "00.1 40312 443\r\n");
	ck_assert_str_eq(client_read_all(fd), "220 ready\n");
	close(fd);
	close(other);
} END_TEST

/* ---- who is believed ---------------------------------------------------- */

START_TEST(a_header_from_another_address_is_not_read)
{
	int fd, other;

	start_echo("");
	fd = client_connect_from("127.0.0.2", daemon_address(&d, "s", 0));
	client_expect_gone(fd);                 /* without a byte from it */
	daemon_wait_for(&d, "refused reason=proxy peer=%s", client_name(fd));
	other = client_connect_from("127.0.0.2", daemon_address(&d, "s", 0));
	client_expect_gone(other);
	close(fd);
	close(other);
	fd = daemon_connect(&d, "s");
	client_say(fd, V1);
	client_echo(fd);
	close(fd);
	daemon_wait_for(&d, "connection-end");
	ck_assert_uint_eq(daemon_saw(&d, "connection-open"), 1);
} END_TEST

START_TEST(a_listener_can_have_its_own_proxies)
{
	int fd;

	daemon_start(&d, SERVICES(" s = { listen = ( { address = \"127.0.0.1:0\"; proxy_protocol = \"v1\"; },"
	             " { address = \"127.0.0.1:0\"; proxy_protocol = \"v2\"; proxy_from = \"127.0.0.2\"; },"
	             " \"127.0.0.1:0\" ); proxy_from = \"127.0.0.1\"; handler = { type = \"echo\"; }; };"));
	fd = client_connect(daemon_address(&d, "s", 0));
	client_say(fd, V1);
	client_echo(fd);
	close(fd);
	fd = client_connect(daemon_address(&d, "s", 1));
	client_expect_gone(fd);
	close(fd);
	fd = client_connect_from("127.0.0.2", daemon_address(&d, "s", 1));
	client_send(fd, BYTES(V2));
	client_echo(fd);
	close(fd);
	client_check_echo(daemon_address(&d, "s", 2));          /* without a header */
} END_TEST

START_TEST(over_a_unix_socket_every_peer_is_believed)
{
	int fd;

	daemon_start(&d, SERVICES(" s = { listen = \"unix:%s\"; proxy_protocol = \"v1\";"
	             " handler = { type = \"echo\"; }; };"), files_path("s"));
	fd = daemon_connect(&d, "s");
	client_say(fd, V1);
	client_echo(fd);
	daemon_wait_for(&d, "connection-open peer=192.0.2.7:40312 via=unix");
	close(fd);
} END_TEST

START_TEST(a_reload_changes_what_is_expected)
{
	int before, fd;

	daemon_start(&d, SERVICES(SERVICE("s", "echo", "workers = 1;")));
	before = daemon_connect_echo(&d, "s");
	daemon_reload(&d, SERVICES(SERVICE("s", "echo", "workers = 1; " FROM_US)));
	for (int i = 0; i < 2; i++)
		client_echo(before);            /* then its worker has turned its loop: it accepts no more */
	fd = daemon_connect(&d, "s");
	client_say(fd, V1);
	client_echo(fd);
	close(fd);
	close(before);
} END_TEST

/* ---- wrong, cut off and late -------------------------------------------- */

static const struct { const char *bytes; size_t len; const char *why; } wrong[] = {
	{ BYTES("GET / HTTP/1.0\r\n\r\n"), "the connection does not begin with one" },
	{ BYTES("PROXY TCP4 192.0.2.07 198.51.100.1 1 2\r\n"), "its line has an address that is not IPv4" },
	{ BYTES("PROXY TCP4 192.0.2.7 198.51.100.1 1 65536\r\n"), "its line has a port that is no number" },
	{ BYTES("PROXY TCP4 192.0.2.7 198.51.100.1 1 2\n"), "its line has CR or LF alone" },
	{ BYTES("PROXY UNKNOWN xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	        "xxxxxxxxxxxxxx"), "its line does not end with CR LF within 107 bytes" },
	{ BYTES(SIGNATURE "\x31\x11\0\x0c" ENDS4), "its version is neither 1 nor 2" },
	{ BYTES(SIGNATURE "\x22\x11\0\x0c" ENDS4), "its command is neither LOCAL nor PROXY" },
	{ BYTES(SIGNATURE "\x21\x41\0\x0c" ENDS4), "its address family" },
	{ BYTES(SIGNATURE "\x21\x21\0\x0c" ENDS4), "it is too short for its addresses" },
	{ BYTES(SIGNATURE "\x21\x11\xff\xff" ENDS4), "it is longer than 4112 bytes" },
	{ BYTES(SIGNATURE "\x21\x11\0\x10" ENDS4 "\4\0\2x"), "a TLV in it is longer than the header" },
	{ BYTES(SIGNATURE "\x21\x11\0\x13" ENDS4 "\3\0\4\1\2\3\4"), "its checksum is wrong" },
};

START_TEST(what_is_no_header_is_closed_at_once)
{
	int fd;

	start_echo("");
	fd = daemon_connect(&d, "s");
	client_send(fd, wrong[_i].bytes, wrong[_i].len);
	client_expect_gone(fd);
	ck_assert_str_eq(how_ended(), "proxy");
	ck_assert_uint_eq(daemon_saw(&d, "connection-open"), 0);
	ck_assert_uint_eq(daemon_saw(&d, "refused reason=proxy peer=%s", client_name(fd)), 1);
	harness_contains(daemon_errors(&d), files_text("no PROXY header from %s: %s", client_name(fd),
	                                               wrong[_i].why));
	close(fd);
} END_TEST

START_TEST(another_version_is_closed_at_once)
{
	int fd;

	daemon_start(&d, SERVICES(SERVICE("s", "echo", "proxy_protocol = \"%s\"; proxy_from = \"127.0.0.1\";")),
	             _i ? "v2" : "v1");
	fd = daemon_connect(&d, "s");
	if (_i)
		client_say(fd, V1);
	else
		client_send(fd, BYTES(V2));
	client_expect_gone(fd);
	ck_assert_str_eq(how_ended(), "proxy");
	close(fd);
} END_TEST

START_TEST(a_connection_that_ends_within_its_header_is_closed)
{
	int fd;

	start_kind(_i, "");
	fd = daemon_connect(&d, "s");
	client_send(fd, V2, 20);
	client_end(fd);
	client_expect_gone(fd);
	ck_assert_str_eq(how_ended(), "proxy");
	close(fd);
} END_TEST

/* As a balancer does that only looks whether the port is open. */
START_TEST(a_connection_without_a_byte_is_no_error)
{
	int fd;

	start_kind(_i, "");
	fd = daemon_connect(&d, "s");
	client_end(fd);
	client_expect_end(fd);
	ck_assert_str_eq(how_ended(), "closed");
	ck_assert_ptr_null(strstr(daemon_errors(&d), "PROXY"));
	close(fd);
} END_TEST

static const struct { const char *name; size_t sent; } cuts[] = {
	{ "nothing is sent", 0 }, { "a part of the header is sent", 20 },
	{ "all but one byte is sent", sizeof V2 - 2 },
};

START_TEST(a_header_that_does_not_come_is_waited_for_in_vain_for_a_time)
{
	int fd;

	start_echo("timeouts = { handshake = \"200ms\"; };");
	fd = daemon_connect(&d, "s");
	client_send(fd, V2, cuts[_i].sent);
	client_expect_gone(fd);
	ck_assert_str_eq(how_ended(), "handshake");
	close(fd);
} END_TEST

/* It holds a slot for no longer than that, whatever it sends. */
START_TEST(a_client_that_waits_gets_the_slot_of_one_without_a_header)
{
	int silent, fd;

	daemon_start(&d, SERVICES(SERVICE("s", "echo", "workers = 1; connections = 1; " FROM_US
	             "timeouts = { handshake = \"200ms\"; };")));
	silent = daemon_connect(&d, "s");
	client_send(silent, V2, 20);
	daemon_wait_for(&d, "full");
	fd = daemon_connect(&d, "s");
	client_say(fd, V1);
	client_echo(fd);
	client_expect_gone(silent);
	close(silent);
	close(fd);
} END_TEST

/* ---- the end of a worker ------------------------------------------------ */

START_TEST(a_worker_that_drains_waits_for_a_header)
{
	int fd;

	start_echo("");
	fd = daemon_connect(&d, "s");
	client_send(fd, V2, 20);
	daemon_settle_worker(&d, daemon_next_worker(&d, "s"));
	daemon_signal(&d, SIGTERM);
	daemon_wait_for(&d, "worker-drain");
	client_send(fd, V2 + 20, sizeof V2 - 1 - 20);
	client_echo(fd);
	close(fd);
	ck_assert_int_eq(daemon_join(&d), 0);
} END_TEST

int main(void)
{
	Suite *s = suite_create("proxy_protocol");
	TCase *tc = harness_case(s, "clients");

	tcase_add_loop_test(tc, the_logs_show_the_client_and_its_proxy, 0, ARRAY_SIZE(headers));
	tcase_add_test(tc, the_access_log_can_be_json);
	tcase_add_test(tc, the_environment_of_programs_is_exactly_this);
	tcase_add_test(tc, an_ipv6_client_of_an_ipv4_proxy_has_the_variables_of_ipv6);
	tcase_add_test(tc, a_filter_is_told_of_the_client);
	tcase_add_test(tc, a_warm_program_is_told_of_the_client);
	tcase_add_loop_test(tc, a_header_without_a_client_stands_for_the_proxy, 0, ARRAY_SIZE(nameless));
	tc = harness_case(s, "bytes");
	tcase_add_loop_test(tc, exactly_the_header_is_taken, 0, ARRAY_SIZE(kinds));
	tcase_add_loop_test(tc, a_second_header_belongs_to_the_client, 0, ARRAY_SIZE(kinds));
	tcase_add_loop_test(tc, a_header_may_come_byte_by_byte, 0, ARRAY_SIZE(kinds));
	tcase_add_test(tc, no_program_starts_before_the_header);
	tc = harness_case(s, "believed");
	tcase_add_test(tc, a_header_from_another_address_is_not_read);
	tcase_add_test(tc, a_listener_can_have_its_own_proxies);
	tcase_add_test(tc, over_a_unix_socket_every_peer_is_believed);
	tcase_add_test(tc, a_reload_changes_what_is_expected);
	tc = harness_case(s, "wrong");
	tcase_add_loop_test(tc, what_is_no_header_is_closed_at_once, 0, ARRAY_SIZE(wrong));
	tcase_add_loop_test(tc, another_version_is_closed_at_once, 0, 2);
	tcase_add_loop_test(tc, a_connection_that_ends_within_its_header_is_closed, 0, ARRAY_SIZE(kinds));
	tcase_add_loop_test(tc, a_connection_without_a_byte_is_no_error, 0, ARRAY_SIZE(kinds));
	tcase_add_loop_test(tc, a_header_that_does_not_come_is_waited_for_in_vain_for_a_time, 0, ARRAY_SIZE(cuts));
	tcase_add_test(tc, a_client_that_waits_gets_the_slot_of_one_without_a_header);
	tcase_add_test(tc, a_worker_that_drains_waits_for_a_header);
	return harness_run(s);
}
