/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Headers of the PROXY protocol that are read: each valid kind, cut at each byte and followed by
 * other bytes, and each way to be invalid that the specification names.
 */
#include <config.h>
#include "proxy_header.h"

#include "crc32c.h"
#include "proxy_protocol.h"
#include "unit.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define BYTES(literal) literal, sizeof literal - 1

/* The address blocks of version 2: 10.0.0.1:4660 to 10.0.0.2:80, fd00::1 to fd00::2, two paths. */
#define ENDS4 "\x0a\0\0\1" "\x0a\0\0\2" "\x12\x34" "\0\x50"
#define ENDS6 "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1" "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2" "\x12\x34" "\0\x50"
#define MAPPED "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\1" "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\2" \
               "\x12\x34" "\0\x50"
#define ZEROS18 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define ZEROS108 ZEROS18 ZEROS18 ZEROS18 ZEROS18 ZEROS18 ZEROS18
#define PATHS ZEROS108 ZEROS108

/* ---- valid -------------------------------------------------------------- */

/* `from` and `to` as endpoint_format has them; NULL: the header names no client. */
static const struct { const char *name, *bytes; size_t len; const char *from, *to; } valid[] = {
	{ "1: IPv4", BYTES("PROXY TCP4 10.0.0.1 10.0.0.2 4660 80\r\n"), "10.0.0.1:4660", "10.0.0.2:80" },
	{ "1: IPv6", BYTES("PROXY TCP6 fd00::1 fd00::2 4660 80\r\n"), "[fd00::1]:4660", "[fd00::2]:80" },
	{ "1: lowest", BYTES("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n"), "0.0.0.0:0", "0.0.0.0:0" },
	{ "1: the longest of IPv4", BYTES("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
	  "255.255.255.255:65535", "255.255.255.255:65535" },
	{ "1: the longest of IPv6", BYTES("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
	  " ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
	  "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535" },
	{ "1: IPv6 in capitals", BYTES("PROXY TCP6 FD00::ABCD FD00::2 1 2\r\n"), "[fd00::abcd]:1", "[fd00::2]:2" },
	{ "1: IPv6 with zeros", BYTES("PROXY TCP6 0000:0000::0001 :: 1 2\r\n"), "[::1]:1", "[::]:2" },
	{ "1: IPv4-mapped", BYTES("PROXY TCP6 ::ffff:10.0.0.1 ::ffff:0a00:0002 1 2\r\n"),
	  "10.0.0.1:1", "10.0.0.2:2" },
	{ "1: unknown", BYTES("PROXY UNKNOWN\r\n"), NULL, NULL },
	{ "1: unknown, with the longest rest", BYTES("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
	  " ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"), NULL, NULL },
	{ "1: unknown, with any rest", BYTES("PROXY UNKNOWN \r  \n\0\xff PROXY\n\r\r\n"), NULL, NULL },
	{ "2: IPv4", BYTES(SIGNATURE "\x21\x11\0\x0c" ENDS4), "10.0.0.1:4660", "10.0.0.2:80" },
	{ "2: IPv6", BYTES(SIGNATURE "\x21\x21\0\x24" ENDS6), "[fd00::1]:4660", "[fd00::2]:80" },
	{ "2: IPv4-mapped", BYTES(SIGNATURE "\x21\x21\0\x24" MAPPED), "10.0.0.1:4660", "10.0.0.2:80" },
	{ "2: unix", BYTES(SIGNATURE "\x21\x31\0\xd8" PATHS), "unix", "unix" },
	{ "2: UDP over IPv4", BYTES(SIGNATURE "\x21\x12\0\x0c" ENDS4), NULL, NULL },
	{ "2: UDP over IPv6", BYTES(SIGNATURE "\x21\x22\0\x24" ENDS6), NULL, NULL },
	{ "2: unix datagrams", BYTES(SIGNATURE "\x21\x32\0\xd8" PATHS), NULL, NULL },
	{ "2: unspecified", BYTES(SIGNATURE "\x21\0\0\0"), NULL, NULL },
	{ "2: unspecified, with something", BYTES(SIGNATURE "\x21\0\0\x05" "\xff\xff\xff\xff\xff"), NULL, NULL },
	{ "2: local", BYTES(SIGNATURE "\x20\0\0\0"), NULL, NULL },
	{ "2: local, with something", BYTES(SIGNATURE "\x20\0\0\x05" "\xff\xff\xff\xff\xff"), NULL, NULL },
	{ "2: local, with addresses", BYTES(SIGNATURE "\x20\x11\0\x0c" ENDS4), NULL, NULL },
	{ "2: local, of a family that is none", BYTES(SIGNATURE "\x20\xf9\0\0"), NULL, NULL },
	{ "2: TLVs that are skipped", BYTES(SIGNATURE "\x21\x11\0\x18" ENDS4 "\x04\0\0" "\x01\0\2h2" "\xe0\0\1x"),
	  "10.0.0.1:4660", "10.0.0.2:80" },
};

static void check_valid(size_t i, const struct proxy_header *h)
{
	char from[ADDRESS_TEXT_MAX], to[ADDRESS_TEXT_MAX];

	unit_require(h->len == valid[i].len);
	unit_require(h->names_client == (valid[i].from != NULL));
	if (!h->names_client)
		return;
	endpoint_format(&h->from, from, sizeof from);
	endpoint_format(&h->to, to, sizeof to);
	unit_require(strcmp(from, valid[i].from) == 0 && strcmp(to, valid[i].to) == 0);
}

static enum proxy_header_status read_exactly(const char *bytes, size_t len, struct proxy_header *h)
{
	char *copy = malloc(len ? len : 1);     /* so that a sanitizer sees a read behind its end */
	enum proxy_header_status status;

	memcpy(copy, bytes, len);
	status = proxy_header_read(PROXY_ANY, copy, len, h);
	free(copy);
	return status;
}

START_TEST(a_valid_header_is_read)
{
	struct proxy_header h;

	ck_assert_msg(read_exactly(valid[_i].bytes, valid[_i].len, &h) == PROXY_HEADER_OK, "%s: %s",
	              valid[_i].name, h.why);
	check_valid((size_t)_i, &h);
} END_TEST

START_TEST(a_valid_header_is_incomplete_wherever_it_is_cut)
{
	struct proxy_header h;

	for (size_t len = 0; len < valid[_i].len; len++)
		ck_assert_msg(read_exactly(valid[_i].bytes, len, &h) == PROXY_HEADER_MORE,
		              "%s, cut after %zu bytes", valid[_i].name, len);
} END_TEST

static const struct { const char *bytes; size_t len; } payloads[] = {
	{ BYTES("\r\n") }, { BYTES("GET / HTTP/1.0\r\n\r\n") }, { BYTES("\0") }, { BYTES("\n") },
	{ BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n") },            /* a second header is payload */
	{ BYTES(SIGNATURE "\x21\x11\0\x0c" ENDS4) },
};

START_TEST(what_follows_a_header_is_not_part_of_it)
{
	struct proxy_header h;
	char bytes[1024];

	memcpy(bytes, valid[_i].bytes, valid[_i].len);
	for (size_t p = 0; p < ARRAY_SIZE(payloads); p++) {
		memcpy(bytes + valid[_i].len, payloads[p].bytes, payloads[p].len);
		ck_assert_msg(read_exactly(bytes, valid[_i].len + payloads[p].len, &h) == PROXY_HEADER_OK,
		              "%s, and payload %zu", valid[_i].name, p);
		check_valid((size_t)_i, &h);
	}
} END_TEST

/* ---- invalid ------------------------------------------------------------ */

#define NO_LINE "its line has not two addresses and two ports, with one blank before each"
#define NO_IPV4 "its line has an address that is not IPv4"
#define NO_IPV6 "its line has an address that is not IPv6"
#define NO_PORT "its line has a port that is no number from 0 to 65535"
#define NO_END  "its line has CR or LF alone, where it must end with CR LF"
#define NO_WORD "its line says neither TCP4, TCP6 nor UNKNOWN"
#define NO_HEADER "the connection does not begin with one"
#define NO_FAMILY "its address family or its transport is not in the specification"
#define TOO_SHORT "it is too short for its addresses"
#define NO_TLV  "a TLV in it is longer than the header"

static const struct { const char *bytes; size_t len; const char *why; } invalid[] = {
	/* no header at all */
	{ BYTES("GET / HTTP/1.0\r\n\r\n"), NO_HEADER },
	{ BYTES("\x16\x03\x01\x02\0\x01"), NO_HEADER },         /* TLS */
	{ BYTES("PROXZ TCP4 10.0.0.1 10.0.0.2 1 2\r\n"), NO_HEADER },
	{ BYTES("proxy TCP4 10.0.0.1 10.0.0.2 1 2\r\n"), NO_HEADER },
	{ BYTES(" PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n"), NO_HEADER },
	{ BYTES("PROXY\tTCP4 10.0.0.1 10.0.0.2 1 2\r\n"), NO_HEADER },
	{ BYTES("PROXY\r\n"), NO_HEADER },
	{ BYTES("\r\n"
	        "PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n"), NO_HEADER },
	/* version 1: the protocol */
	{ BYTES("PROXY TCP5 10.0.0.1 10.0.0.2 1 2\r\n"), NO_WORD },
	{ BYTES("PROXY tcp4 10.0.0.1 10.0.0.2 1 2\r\n"), NO_WORD },
	{ BYTES("PROXY UDP4 10.0.0.1 10.0.0.2 1 2\r\n"), NO_WORD },
	{ BYTES("PROXY TCP 10.0.0.1 10.0.0.2 1 2\r\n"), NO_WORD },
	{ BYTES("PROXY TCP44 10.0.0.1 10.0.0.2 1 2\r\n"), NO_WORD },
	{ BYTES("PROXY UNKNOWNS\r\n"), NO_WORD },
	{ BYTES("PROXY unknown\r\n"), NO_WORD },
	{ BYTES("PROXY \r\n"), NO_WORD },
	{ BYTES("PROXY  TCP4 10.0.0.1 10.0.0.2 1 2\r\n"), NO_WORD },
	{ BYTES("PROXY  UNKNOWN\r\n"), NO_WORD },
	/* version 1: the number of fields, and the blanks between them */
	{ BYTES("PROXY TCP4\r\n"), NO_LINE },
	{ BYTES("PROXY TCP4 10.0.0.1 10.0.0.2 1\r\n"), NO_LINE },
	{ BYTES("PROXY TCP4 10.0.0.1 10.0.0.2 1 2 3\r\n"), NO_LINE },
	{ BYTES("PROXY TCP4 10.0.0.1 10.0.0.2 1 2 \r\n"), NO_LINE },
	{ BYTES("PROXY TCP4  10.0.0.1 10.0.0.2 1 2\r\n"), NO_LINE },
	{ BYTES("PROXY TCP4 10.0.0.1 10.0.0.2  1 2\r\n"), NO_LINE },
	{ BYTES("PROXY TCP4 10.0.0.1\t10.0.0.2 1 2\r\n"), NO_LINE },
	{ BYTES("PROXY TCP4 10.0.0.1 10.0.0.2 \r\n"), NO_LINE },
	{ BYTES("PROXY TCP4 10.0.0.1  1 2\r\n"), NO_IPV4 },
	/* version 1: addresses */
	{ BYTES("PROXY TCP4 256.0.0.1 10.0.0.2 1 2\r\n"), NO_IPV4 },
	{ BYTES("PROXY TCP4 10.0.0.1 10.0.0.256 1 2\r\n"), NO_IPV4 },
	{ BYTES("PROXY TCP4 010.0.0.1 10.0.0.2 1 2\r\n"), NO_IPV4 },
	{ BYTES("PROXY TCP4 10.0.0.01 10.0.0.2 1 2\r\n"), NO_IPV4 },
	{ BYTES("PROXY TCP4 10.0.0.00 10.0.0.2 1 2\r\n"), NO_IPV4 },
	{ BYTES("PROXY TCP4 0x0a.0.0.1 10.0.0.2 1 2\r\n"), NO_IPV4 },
	{ BYTES("PROXY TCP4 10.0.1 10.0.0.2 1 2\r\n"), NO_IPV4 },
	{ BYTES("PROXY TCP4 10.0.0.1. 10.0.0.2 1 2\r\n"), NO_IPV4 },
	{ BYTES("PROXY TCP4 10..0.1 10.0.0.2 1 2\r\n"), NO_IPV4 },
	{ BYTES("PROXY TCP4 10.0.0.0.1 10.0.0.2 1 2\r\n"), NO_IPV4 },
	{ BYTES("PROXY TCP4 -1.0.0.1 10.0.0.2 1 2\r\n"), NO_IPV4 },
	{ BYTES("PROXY TCP4 localhost 10.0.0.2 1 2\r\n"), NO_IPV4 },
	{ BYTES("PROXY TCP4 fd00::1 fd00::2 1 2\r\n"), NO_IPV4 },
	{ BYTES("PROXY TCP4 10.0.0.1\0 10.0.0.2 1 2\r\n"), NO_IPV4 },
	{ BYTES("PROXY TCP4 10.0.0.1 10.0.0.2\0.evil 1 2\r\n"), NO_IPV4 },
	{ BYTES("PROXY TCP6 10.0.0.1 10.0.0.2 1 2\r\n"), NO_IPV6 },
	{ BYTES("PROXY TCP6 fd00::1 10.0.0.2 1 2\r\n"), NO_IPV6 },
	{ BYTES("PROXY TCP6 fd00::1::2 fd00::2 1 2\r\n"), NO_IPV6 },
	{ BYTES("PROXY TCP6 fd00:1 fd00::2 1 2\r\n"), NO_IPV6 },
	{ BYTES("PROXY TCP6 1:2:3:4:5:6:7:8:9 fd00::2 1 2\r\n"), NO_IPV6 },
	{ BYTES("PROXY TCP6 1:2:3:4:5:6:7::8: fd00::2 1 2\r\n"), NO_IPV6 },
	{ BYTES("PROXY TCP6 :::1 fd00::2 1 2\r\n"), NO_IPV6 },
	{ BYTES("PROXY TCP6 fd00::12345 fd00::2 1 2\r\n"), NO_IPV6 },
	{ BYTES("PROXY TCP6 fd00::g fd00::2 1 2\r\n"), NO_IPV6 },
	{ BYTES("PROXY TCP6 [fd00::1] fd00::2 1 2\r\n"), NO_IPV6 },
	{ BYTES("PROXY TCP6 fe80::1%eth0 fd00::2 1 2\r\n"), NO_IPV6 },
	{ BYTES("PROXY TCP6 fd00::1/64 fd00::2 1 2\r\n"), NO_IPV6 },
	/* version 1: ports */
	{ BYTES("PROXY TCP4 10.0.0.1 10.0.0.2 65536 2\r\n"), NO_PORT },
	{ BYTES("PROXY TCP4 10.0.0.1 10.0.0.2 1 65536\r\n"), NO_PORT },
	{ BYTES("PROXY TCP4 10.0.0.1 10.0.0.2 100000 2\r\n"), NO_PORT },
	{ BYTES("PROXY TCP4 10.0.0.1 10.0.0.2 4294967297 2\r\n"), NO_PORT },
	{ BYTES("PROXY TCP4 10.0.0.1 10.0.0.2 01 2\r\n"), NO_PORT },
	{ BYTES("PROXY TCP4 10.0.0.1 10.0.0.2 1 00\r\n"), NO_PORT },
	{ BYTES("PROXY TCP4 10.0.0.1 10.0.0.2 -1 2\r\n"), NO_PORT },
	{ BYTES("PROXY TCP4 10.0.0.1 10.0.0.2 +1 2\r\n"), NO_PORT },
	{ BYTES("PROXY TCP4 10.0.0.1 10.0.0.2 1 0x2\r\n"), NO_PORT },
	{ BYTES("PROXY TCP4 10.0.0.1 10.0.0.2 http 2\r\n"), NO_PORT },
	{ BYTES("PROXY TCP4 10.0.0.1 10.0.0.2 1 2;\r\n"), NO_PORT },
	{ BYTES("PROXY TCP4 10.0.0.1 10.0.0.2 1 2\0\r\n"), NO_PORT },
	{ BYTES("PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\r\n"), NO_PORT },
	/* version 1: the end of the line */
	{ BYTES("PROXY TCP4 10.0.0.1 10.0.0.2 1 2\n"), NO_END },
	{ BYTES("PROXY TCP4 10.0.0.1 10.0.0.2 1 2\n\r\n"), NO_END },
	{ BYTES("PROXY TCP4 10.0.0.1 10.0.0.2 1 2\rG"), NO_END },
	{ BYTES("PROXY TCP4 10.0.0.1\r10.0.0.2 1 2\r\n"), NO_END },
	{ BYTES("PROXY TCP4 10.0.0.1 10.0.0.2 1 2\nGET / HTTP/1.0\r\n"), NO_END },
	/* version 2: the first 16 bytes */
	{ BYTES("\r\n\r\n\0\r\nQUIT\r"), NO_HEADER },
	{ BYTES("\r\n\r\n\r\n"), NO_HEADER },
	{ BYTES(SIGNATURE "\x11\x11\0\x0c" ENDS4), "its version is neither 1 nor 2" },
	{ BYTES(SIGNATURE "\x31\x11\0\x0c" ENDS4), "its version is neither 1 nor 2" },
	{ BYTES(SIGNATURE "\x01"), "its version is neither 1 nor 2" },
	{ BYTES(SIGNATURE "\x22\x11\0\x0c" ENDS4), "its command is neither LOCAL nor PROXY" },
	{ BYTES(SIGNATURE "\x2f"), "its command is neither LOCAL nor PROXY" },
	{ BYTES(SIGNATURE "\x21\x41\0\x0c" ENDS4), NO_FAMILY },
	{ BYTES(SIGNATURE "\x21\xf1"), NO_FAMILY },
	{ BYTES(SIGNATURE "\x21\x13\0\x0c" ENDS4), NO_FAMILY },
	{ BYTES(SIGNATURE "\x21\x1f"), NO_FAMILY },
	{ BYTES(SIGNATURE "\x21\x01\0\0"), NO_FAMILY },
	{ BYTES(SIGNATURE "\x21\x10\0\x0c" ENDS4), NO_FAMILY },
	/* version 2: a length that lies */
	{ BYTES(SIGNATURE "\x21\x11\0\0" ENDS4), TOO_SHORT },
	{ BYTES(SIGNATURE "\x21\x11\0\x0b" ENDS4), TOO_SHORT },
	{ BYTES(SIGNATURE "\x21\x12\0\x0b" ENDS4), TOO_SHORT },
	{ BYTES(SIGNATURE "\x21\x21\0\x0c" ENDS4), TOO_SHORT },
	{ BYTES(SIGNATURE "\x21\x21\0\x23" ENDS6), TOO_SHORT },
	{ BYTES(SIGNATURE "\x21\x31\0\xd7" PATHS), TOO_SHORT },
	{ BYTES(SIGNATURE "\x21\x11\x10\x01"), "it is longer than 4112 bytes" },
	{ BYTES(SIGNATURE "\x21\x11\xff\xff" ENDS4), "it is longer than 4112 bytes" },
	{ BYTES(SIGNATURE "\x20\0\xff\xff"), "it is longer than 4112 bytes" },
	/* version 2: TLVs */
	{ BYTES(SIGNATURE "\x21\x11\0\x0d" ENDS4 "\x04"), NO_TLV },
	{ BYTES(SIGNATURE "\x21\x11\0\x0e" ENDS4 "\x04\0"), NO_TLV },
	{ BYTES(SIGNATURE "\x21\x11\0\x0f" ENDS4 "\x04\0\1" "x"), NO_TLV },
	{ BYTES(SIGNATURE "\x21\x11\0\x10" ENDS4 "\x04\0\2" "xy"), NO_TLV },
	{ BYTES(SIGNATURE "\x21\x11\0\x10" ENDS4 "\x04\xff\xff" "x"), NO_TLV },
	{ BYTES(SIGNATURE "\x21\x12\0\x0d" ENDS4 "\x04"), NO_TLV },
	{ BYTES(SIGNATURE "\x21\x11\0\x0f" ENDS4 "\x20\0\0"), "its SSL information is too short" },
	{ BYTES(SIGNATURE "\x21\x11\0\x13" ENDS4 "\x20\0\4" "\1\0\0\0"), "its SSL information is too short" },
	{ BYTES(SIGNATURE "\x21\x11\0\x16" ENDS4 "\x20\0\7" "\1\0\0\0\0" "\x21\0"),
	  "a TLV of its SSL information is longer than that information" },
	{ BYTES(SIGNATURE "\x21\x11\0\x1a" ENDS4 "\x20\0\x08" "\1\0\0\0\0" "\x21\0\3" "abc"),
	  "a TLV of its SSL information is longer than that information" },
	{ BYTES(SIGNATURE "\x21\x11\0\x0f" ENDS4 "\x03\0\0"), "its checksum has not 4 bytes" },
	{ BYTES(SIGNATURE "\x21\x11\0\x14" ENDS4 "\x03\0\5" "12345"), "its checksum has not 4 bytes" },
	{ BYTES(SIGNATURE "\x21\x11\0\x13" ENDS4 "\x03\0\4" "\0\0\0\0"), "its checksum is wrong" },
};

START_TEST(an_invalid_header_is_refused_for_a_reason)
{
	struct proxy_header h;

	ck_assert_msg(read_exactly(invalid[_i].bytes, invalid[_i].len, &h) == PROXY_HEADER_BAD, "row %d", _i);
	ck_assert_str_eq(h.why, invalid[_i].why);
} END_TEST

/* Cut anywhere, it is incomplete or invalid, and what has become invalid stays so. */
START_TEST(an_invalid_header_is_never_valid_when_it_is_cut)
{
	enum proxy_header_status status, last = PROXY_HEADER_MORE;
	struct proxy_header h;

	for (size_t len = 0; len <= invalid[_i].len; len++) {
		status = read_exactly(invalid[_i].bytes, len, &h);
		ck_assert_msg(status == PROXY_HEADER_BAD || status == last, "row %d, cut after %zu", _i, len);
		last = status;
	}
} END_TEST

START_TEST(a_line_has_107_bytes_at_most)
{
	char line[PROXY_HEADER_V1_MAX + 1];
	struct proxy_header h;

	memset(line, 'x', sizeof line);
	memcpy(line, "PROXY UNKNOWN ", 14);
	ck_assert_int_eq(read_exactly(line, sizeof line - 2, &h), PROXY_HEADER_MORE);
	ck_assert_int_eq(read_exactly(line, sizeof line - 1, &h), PROXY_HEADER_BAD);
	ck_assert_str_eq(h.why, "its line does not end with CR LF within 107 bytes");
	memcpy(line + sizeof line - 2, "\r\n", 2);              /* 108 bytes */
	ck_assert_int_eq(read_exactly(line, sizeof line, &h), PROXY_HEADER_BAD);
	memcpy(line + sizeof line - 3, "\r\n", 2);              /* 107 */
	ck_assert_int_eq(read_exactly(line, sizeof line, &h), PROXY_HEADER_OK);
	ck_assert_uint_eq(h.len, PROXY_HEADER_V1_MAX);
} END_TEST

START_TEST(a_header_of_version_2_has_4112_bytes_at_most)
{
	static char bytes[PROXY_HEADER_V2_MAX] = SIGNATURE "\x20\0\x10";
	struct proxy_header h;

	ck_assert_int_eq(read_exactly(bytes, sizeof bytes - 1, &h), PROXY_HEADER_MORE);
	ck_assert_int_eq(read_exactly(bytes, sizeof bytes, &h), PROXY_HEADER_OK);
	ck_assert_uint_eq(h.len, sizeof bytes);
} END_TEST

/* ---- which versions ----------------------------------------------------- */

#define LINE "PROXY UNKNOWN\r\n"
#define LOCAL SIGNATURE "\x20\0\0\0"

static const struct {
	enum proxy_versions versions;
	const char *bytes;
	size_t      len;
	const char *why;                /* NULL: it is accepted */
} versions[] = {
	{ PROXY_V1,  BYTES(LINE),  NULL },
	{ PROXY_V2,  BYTES(LOCAL), NULL },
	{ PROXY_ANY, BYTES(LINE),  NULL },
	{ PROXY_ANY, BYTES(LOCAL), NULL },
	{ PROXY_V1,  BYTES(LOCAL), "it begins as version 2, and only version 1 is accepted" },
	{ PROXY_V2,  BYTES(LINE),  "it begins as version 1, and only version 2 is accepted" },
	{ PROXY_V1,  BYTES("x"),   NO_HEADER },
	{ PROXY_V2,  BYTES("x"),   NO_HEADER },
};

START_TEST(only_the_versions_that_are_wanted_are_accepted)
{
	struct proxy_header h;
	const enum proxy_header_status status =
		proxy_header_read(versions[_i].versions, versions[_i].bytes, versions[_i].len, &h);

	ck_assert_int_eq(status, versions[_i].why ? PROXY_HEADER_BAD : PROXY_HEADER_OK);
	if (versions[_i].why)
		ck_assert_str_eq(h.why, versions[_i].why);
} END_TEST

/* ---- TLVs --------------------------------------------------------------- */

/* A header of version 2 that is put together. */
static char made[PROXY_HEADER_V2_MAX];
static size_t made_len;

static void make(void)
{
	memcpy(made, BYTES(SIGNATURE "\x21\x11\0\x0c" ENDS4));
	made_len = 28;
}

static void add(const char *bytes, size_t len)
{
	memcpy(made + made_len, bytes, len);
	made_len += len;
	made[14] = (char)((made_len - 16) >> 8);
	made[15] = (char)(made_len - 16);
}

static void add_tlv(uint8_t type, const char *value, size_t len)
{
	const char head[3] = { (char)type, (char)(len >> 8), (char)len };

	add(head, sizeof head);
	add(value, len);
}

/* That of all that has been added, in place of four zeros at that byte. */
static void put_checksum(size_t at)
{
	const uint32_t crc = crc32c(0, made, made_len);

	for (size_t i = 0; i < 4; i++)
		made[at + i] = (char)(crc >> (24 - 8 * i));
}

static void add_checksum(void)
{
	add_tlv(3, "\0\0\0\0", 4);
	put_checksum(made_len - 4);
}

static struct proxy_header read_made(enum proxy_header_status expected)
{
	struct proxy_header h;

	ck_assert_int_eq(proxy_header_read(PROXY_ANY, made, made_len, &h), expected);
	return h;
}

static void check_text(struct proxy_text text, const char *expected)
{
	if (!expected) {
		ck_assert_ptr_null(text.bytes);
		return;
	}
	ck_assert_uint_eq(text.len, strlen(expected));
	ck_assert_mem_eq(text.bytes, expected, text.len);
}

START_TEST(an_id_and_a_name_are_found_among_others)
{
	struct proxy_header h;

	make();
	add_tlv(1, "h2", 2);
	add_tlv(5, "id-1", 4);
	add_tlv(4, "", 0);
	add_tlv(2, "www.example.org", 15);
	add_tlv(5, "id-2", 4);                  /* the first counts */
	add_tlv(2, "other", 5);
	add_tlv(0x30, "blue", 4);
	add_tlv(0xff, "", 0);
	h = read_made(PROXY_HEADER_OK);
	check_text(h.tlvs.unique_id, "id-1");
	check_text(h.tlvs.authority, "www.example.org");
	ck_assert(!h.tlvs.ssl.used);
} END_TEST

START_TEST(a_unique_id_has_128_bytes_at_most)
{
	static const char id[129];

	make();
	add_tlv(5, id, 128);
	ck_assert_uint_eq(read_made(PROXY_HEADER_OK).tlvs.unique_id.len, 128);
	make();
	add_tlv(5, id, 129);
	ck_assert_str_eq(read_made(PROXY_HEADER_BAD).why, "its unique id has more than 128 bytes");
} END_TEST

START_TEST(a_checksum_must_be_right)
{
	make();
	add_tlv(5, "id", 2);
	add_checksum();
	for (size_t i = 16; i < made_len; i++) {
		if (i == made_len - 7)
			continue;       /* of another type, it is not a checksum */
		check_text(read_made(PROXY_HEADER_OK).tlvs.unique_id, "id");
		made[i] ^= 0x10;
		read_made(PROXY_HEADER_BAD);
		made[i] ^= 0x10;
	}
	add_checksum();
	ck_assert_str_eq(read_made(PROXY_HEADER_BAD).why, "its checksum is wrong");     /* of the first one */
} END_TEST

START_TEST(a_checksum_may_stand_before_other_tlvs)
{
	make();
	add_tlv(3, "\0\0\0\0", 4);
	add_tlv(5, "id", 2);
	put_checksum(31);
	check_text(read_made(PROXY_HEADER_OK).tlvs.unique_id, "id");
	made[made_len - 1] = 'e';
	ck_assert_str_eq(read_made(PROXY_HEADER_BAD).why, "its checksum is wrong");
} END_TEST

START_TEST(there_is_one_checksum_at_most)
{
	make();
	add_tlv(3, "\0\0\0\0", 4);
	add_tlv(3, "\1\2\3\4", 4);
	put_checksum(31);
	ck_assert_str_eq(read_made(PROXY_HEADER_BAD).why, "it has two checksums");
} END_TEST

#define INNER "\x21\0\7TLSv1.3" "\x23\0\3ABC" "\x22\0\5alice" "\x24\0\2xx"

static const struct {
	const char *name, *value;
	size_t      len;
	bool        used, has_certificate;
	uint32_t    verify;
	const char *version, *cipher, *common_name;
} ssl[] = {
	{ "a verified client", BYTES("\3\0\0\0\0" INNER), true, true, 0, "TLSv1.3", "ABC", "alice" },
	{ "of an earlier connection", BYTES("\5\0\0\0\0" INNER), true, true, 0, "TLSv1.3", "ABC", "alice" },
	{ "one that failed", BYTES("\3\0\0\0\x12" INNER), true, true, 18, "TLSv1.3", "ABC", "alice" },
	{ "no certificate", BYTES("\1\0\0\0\0" "\x21\0\7TLSv1.2"), true, false, 0, "TLSv1.2", NULL, NULL },
	{ "nothing inside", BYTES("\1\xff\0\0\0"), true, false, 0xff000000, NULL, NULL, NULL },
	{ "no TLS", BYTES("\0\0\0\0\0" INNER), false, false, 0, NULL, NULL, NULL },
};

START_TEST(what_tls_the_client_used_is_found)
{
	const struct proxy_ssl *s;
	struct proxy_header h;

	make();
	add_tlv(0x20, ssl[_i].value, ssl[_i].len);
	add_tlv(5, "id", 2);
	h = read_made(PROXY_HEADER_OK);
	s = &h.tlvs.ssl;
	ck_assert_msg(s->used == ssl[_i].used && s->has_certificate == ssl[_i].has_certificate &&
	              s->verify == ssl[_i].verify, "%s", ssl[_i].name);
	check_text(s->version, ssl[_i].version);
	check_text(s->cipher, ssl[_i].cipher);
	check_text(s->common_name, ssl[_i].common_name);
	check_text(h.tlvs.unique_id, "id");
} END_TEST

/* It stands for a protocol that we do not serve: all that it says is ignored. */
START_TEST(of_datagrams_nothing_is_kept)
{
	struct proxy_header h;

	make();
	made[13] = 0x12;
	add_tlv(5, "id", 2);
	h = read_made(PROXY_HEADER_OK);
	ck_assert(!h.names_client);
	check_text(h.tlvs.unique_id, NULL);
} END_TEST

/* ---- the other direction ------------------------------------------------ */

START_TEST(what_we_write_we_read)
{
	const struct endpoint from = { .family = AF_INET, .port = 1, .ip = { 192, 0, 2, 1 } };
	const struct endpoint to = { .family = AF_INET, .port = 2, .ip = { 192, 0, 2, 2 } };
	char v1[PROXY_PROTOCOL_MAX], v2[PROXY_PROTOCOL_MAX];
	size_t v1_len = proxy_protocol_v1(v1, &from, &to), v2_len = proxy_protocol_v2(v2, &from, &to);
	struct proxy_header h;

	ck_assert_int_eq(read_exactly(v1, v1_len, &h), PROXY_HEADER_OK);
	ck_assert_mem_eq(&h.from, &from, sizeof from);
	ck_assert_mem_eq(&h.to, &to, sizeof to);
	ck_assert_int_eq(read_exactly(v2, v2_len, &h), PROXY_HEADER_OK);
	ck_assert_mem_eq(&h.from, &from, sizeof from);
	ck_assert_mem_eq(&h.to, &to, sizeof to);
} END_TEST

int main(void)
{
	Suite *s = suite_create("proxy_header");
	TCase *tc = unit_case(s, "valid", NULL, NULL);

	tcase_add_loop_test(tc, a_valid_header_is_read, 0, ARRAY_SIZE(valid));
	tcase_add_loop_test(tc, a_valid_header_is_incomplete_wherever_it_is_cut, 0, ARRAY_SIZE(valid));
	tcase_add_loop_test(tc, what_follows_a_header_is_not_part_of_it, 0, ARRAY_SIZE(valid));
	tcase_add_test(tc, what_we_write_we_read);
	tc = unit_case(s, "invalid", NULL, NULL);
	tcase_add_loop_test(tc, an_invalid_header_is_refused_for_a_reason, 0, ARRAY_SIZE(invalid));
	tcase_add_loop_test(tc, an_invalid_header_is_never_valid_when_it_is_cut, 0, ARRAY_SIZE(invalid));
	tcase_add_test(tc, a_line_has_107_bytes_at_most);
	tcase_add_test(tc, a_header_of_version_2_has_4112_bytes_at_most);
	tcase_add_loop_test(tc, only_the_versions_that_are_wanted_are_accepted, 0, ARRAY_SIZE(versions));
	tc = unit_case(s, "TLVs", NULL, NULL);
	tcase_add_test(tc, an_id_and_a_name_are_found_among_others);
	tcase_add_test(tc, a_unique_id_has_128_bytes_at_most);
	tcase_add_test(tc, a_checksum_must_be_right);
	tcase_add_test(tc, a_checksum_may_stand_before_other_tlvs);
	tcase_add_test(tc, there_is_one_checksum_at_most);
	tcase_add_loop_test(tc, what_tls_the_client_used_is_found, 0, ARRAY_SIZE(ssl));
	tcase_add_test(tc, of_datagrams_nothing_is_kept);
	return unit_run(s);
}
