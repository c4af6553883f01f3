/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Headers of the PROXY protocol, byte by byte.
 */
#include <config.h>
#include "proxy_protocol.h"

#include <arpa/inet.h>

#include "unit.h"

/* A unix socket if ip is NULL. */
static struct endpoint end_at(const char *ip, in_port_t port)
{
	struct endpoint e = { .family = AF_UNIX };

	if (!ip)
		return e;
	e.family = strchr(ip, ':') ? AF_INET6 : AF_INET;
	e.port = port;
	ck_assert_int_eq(inet_pton(e.family, ip, e.ip), 1);
	return e;
}

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define LOCAL     SIGNATURE "\x20\0\0\0"
#define ONES      "\x11\x11\x11\x11"
#define TWOS      "\x22\x22\x22\x22"
#define BYTES(literal) literal, sizeof literal - 1

static const struct {
	const char *name, *from, *to;
	in_port_t   from_port, to_port;
	const char *v1, *v2;
	size_t      v2_len;
} rows[] = {
	{ "IPv4", "10.0.0.1", "10.0.0.2", 0x1234, 80, "PROXY TCP4 10.0.0.1 10.0.0.2 4660 80\r\n",
	  BYTES(SIGNATURE "\x21\x11\0\x0c" "\x0a\0\0\1" "\x0a\0\0\2" "\x12\x34" "\0\x50") },
	{ "IPv6", "fd00::1", "fd00::2", 0x1234, 80, "PROXY TCP6 fd00::1 fd00::2 4660 80\r\n",
	  BYTES(SIGNATURE "\x21\x21\0\x24" "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"
	        "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2" "\x12\x34" "\0\x50") },
	{ "the longest", "1111:1111:1111:1111:1111:1111:1111:1111",
	  "2222:2222:2222:2222:2222:2222:2222:2222", 65535, 65535,
	  "PROXY TCP6 1111:1111:1111:1111:1111:1111:1111:1111"
	  " 2222:2222:2222:2222:2222:2222:2222:2222 65535 65535\r\n",
	  BYTES(SIGNATURE "\x21\x21\0\x24" ONES ONES ONES ONES TWOS TWOS TWOS TWOS "\xff\xff" "\xff\xff") },
	{ "unix sockets", NULL, NULL, 0, 0, "PROXY UNKNOWN\r\n", BYTES(LOCAL) },
	{ "from a unix socket", NULL, "10.0.0.2", 0, 80, "PROXY UNKNOWN\r\n", BYTES(LOCAL) },
	{ "to a unix socket", "10.0.0.1", NULL, 80, 0, "PROXY UNKNOWN\r\n", BYTES(LOCAL) },
	{ "two families", "10.0.0.1", "fd00::2", 80, 80, "PROXY UNKNOWN\r\n", BYTES(LOCAL) },
};

START_TEST(a_header_names_both_ends)
{
	const struct endpoint from = end_at(rows[_i].from, rows[_i].from_port);
	const struct endpoint to = end_at(rows[_i].to, rows[_i].to_port);
	char buf[PROXY_PROTOCOL_MAX];
	size_t len = proxy_protocol_v1(buf, &from, &to);

	ck_assert_msg(len == strlen(rows[_i].v1) && memcmp(buf, rows[_i].v1, len) == 0,
	              "%s: version 1: %.*s", rows[_i].name, (int)len, buf);
	len = proxy_protocol_v2(buf, &from, &to);
	ck_assert_msg(len == rows[_i].v2_len && memcmp(buf, rows[_i].v2, len) == 0,
	              "%s: version 2: %zu bytes", rows[_i].name, len);
} END_TEST

START_TEST(a_zone_is_left_out)
{
	struct endpoint from = end_at("fe80::1", 1), to = end_at("fe80::2", 2);
	char buf[PROXY_PROTOCOL_MAX];

	from.scope = to.scope = 1;
	ck_assert_uint_eq(proxy_protocol_v1(buf, &from, &to), strlen("PROXY TCP6 fe80::1 fe80::2 1 2\r\n"));
	ck_assert_str_eq(buf, "PROXY TCP6 fe80::1 fe80::2 1 2\r\n");
} END_TEST

int main(void)
{
	Suite *s = suite_create("proxy_protocol");
	TCase *tc = unit_case(s, "headers", NULL, NULL);

	tcase_add_loop_test(tc, a_header_names_both_ends, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, a_zone_is_left_out);
	return unit_run(s);
}
