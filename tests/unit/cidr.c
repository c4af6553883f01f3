/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Prefixes as text, what they contain, and the prefix around an address.
 */
#include <config.h>
#include "cidr.h"

#include <arpa/inet.h>

#include "unit.h"

static struct endpoint endpoint(const char *ip)
{
	struct endpoint e = { .family = strchr(ip, ':') ? AF_INET6 : AF_INET, .port = 7 };

	ck_assert_int_eq(inet_pton(e.family, ip, e.ip), 1);
	return e;
}

static struct cidr cidr(const char *text)
{
	struct cidr c;

	ck_assert_msg(cidr_parse(text, &c) == CIDR_OK, "%s", text);
	return c;
}

START_TEST(a_prefix_is_printed_as_it_was_written)
{
	static const struct { const char *text, *want; } rows[] = {
		{ "10.0.0.0/8", "10.0.0.0/8" },
		{ "0.0.0.0/0", "0.0.0.0/0" },
		{ "192.0.2.128/25", "192.0.2.128/25" },
		{ "192.0.2.254/31", "192.0.2.254/31" },
		{ "255.255.255.255/32", "255.255.255.255/32" },
		{ "2001:db8::/32", "2001:db8::/32" },
		{ "::/0", "::/0" },
		{ "fe80::/10", "fe80::/10" },
		{ "2001:db8::1/128", "2001:db8::1/128" },
		{ "2001:0DB8:0:0::/64", "2001:db8::/64" },
		{ "1111:2222:3333:4444:5555:6666:7777:8888/128", "1111:2222:3333:4444:5555:6666:7777:8888/128" },
		/* An address alone. */
		{ "192.0.2.1", "192.0.2.1/32" },
		{ "::1", "::1/128" },
		/* IPv4-mapped addresses are IPv4, if the prefix has nothing else. */
		{ "::ffff:192.0.2.1", "192.0.2.1/32" },
		{ "::ffff:192.0.2.0/120", "192.0.2.0/24" },
		{ "::ffff:0:0/96", "0.0.0.0/0" },
		{ "::fffe:0:0/95", "::fffe:0:0/95" },
	};
	char buf[CIDR_TEXT_MAX];
	struct cidr c;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		ck_assert_msg(cidr_parse(rows[i].text, &c) == CIDR_OK, "%s", rows[i].text);
		ck_assert_str_eq(cidr_format(&c, buf, sizeof buf), rows[i].want);
	}
} END_TEST

START_TEST(what_is_no_prefix_is_refused_with_what_would_be_right)
{
	static const struct { const char *text; enum cidr_error error; const char *complaint; } rows[] = {
		{ "10.1.2.3/8", CIDR_HOST_BITS, "10.1.2.3/8 has host bits (did you mean 10.0.0.0/8?)" },
		{ "0.0.0.1/0", CIDR_HOST_BITS, "0.0.0.1/0 has host bits (did you mean 0.0.0.0/0?)" },
		{ "192.0.2.1/31", CIDR_HOST_BITS, "192.0.2.1/31 has host bits (did you mean 192.0.2.0/31?)" },
		{ "2001:db8::1/127", CIDR_HOST_BITS,
		  "2001:db8::1/127 has host bits (did you mean 2001:db8::/127?)" },
		{ "::ffff:10.1.2.3/104", CIDR_HOST_BITS,
		  "::ffff:10.1.2.3/104 has host bits (did you mean 10.0.0.0/8?)" },
		{ "10.0.0.0/33", CIDR_LENGTH, "10.0.0.0/33 has a length that cannot be (0 to 32)" },
		{ "::/129", CIDR_LENGTH, "::/129 has a length that cannot be (0 to 128)" },
		{ "::ffff:10.0.0.0/129", CIDR_LENGTH,
		  "::ffff:10.0.0.0/129 has a length that cannot be (0 to 128)" },
		{ "10.0.0.0/", CIDR_LENGTH, "10.0.0.0/ has a length that cannot be (0 to 32)" },
		{ "10.0.0.0/-1", CIDR_LENGTH, NULL },
		{ "10.0.0.0/+8", CIDR_LENGTH, NULL },
		{ "10.0.0.0/ 8", CIDR_LENGTH, NULL },
		{ "10.0.0.0/8 ", CIDR_LENGTH, NULL },
		{ "10.0.0.0/8/8", CIDR_LENGTH, NULL },
		{ "10.0.0.0/0008", CIDR_LENGTH, NULL },
		{ "10.0.0.0/4294967304", CIDR_LENGTH, NULL },
		{ "10.0.0.0/255.0.0.0", CIDR_LENGTH, NULL },
		{ "", CIDR_MALFORMED, "\"\" is not a prefix (an address, or ADDRESS/LENGTH, as in"
		                      " 192.0.2.0/24 or 2001:db8::/32)" },
		{ "/8", CIDR_MALFORMED, NULL },
		{ "10/8", CIDR_MALFORMED, NULL },
		{ "10.0.0/8", CIDR_MALFORMED, NULL },
		{ "10.0.0.256", CIDR_MALFORMED, NULL },
		{ "10.0.0.08", CIDR_MALFORMED, NULL },
		{ " 10.0.0.0", CIDR_MALFORMED, NULL },
		{ "10.0.0.0-10.0.0.9", CIDR_MALFORMED, NULL },
		{ "localhost", CIDR_MALFORMED, NULL },
		{ "[::1]", CIDR_MALFORMED, NULL },
		{ "fe80::1%lo", CIDR_MALFORMED, NULL },
		{ "1:2:3:4:5:6:7:8:9", CIDR_MALFORMED, NULL },
		{ ":::/0", CIDR_MALFORMED, NULL },
	};
	char buf[CIDR_COMPLAINT_MAX];
	struct cidr c;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		ck_assert_msg(cidr_parse(rows[i].text, &c) == rows[i].error, "%s", rows[i].text);
		cidr_complaint(rows[i].error, rows[i].text, &c, buf);
		if (rows[i].complaint)
			ck_assert_str_eq(buf, rows[i].complaint);
		else
			unit_contains(buf, rows[i].text);
	}
} END_TEST

START_TEST(a_text_of_any_length_is_refused_and_its_complaint_is_bounded)
{
	static char text[100000];
	char buf[CIDR_COMPLAINT_MAX];
	struct cidr c;

	memset(text, '1', sizeof text - 1);
	ck_assert_int_eq(cidr_parse(text, &c), CIDR_MALFORMED);
	ck_assert_int_eq(c.family, 0);
	unit_contains(cidr_complaint(CIDR_MALFORMED, text, &c, buf), "111\" is not a prefix (an address");
	memcpy(text, "10.0.0.0/", strlen("10.0.0.0/"));
	ck_assert_int_eq(cidr_parse(text, &c), CIDR_LENGTH);
	unit_contains(cidr_complaint(CIDR_LENGTH, text, &c, buf), "1 has a length that cannot be (0 to 32)");
} END_TEST

START_TEST(a_prefix_contains_addresses_that_begin_with_it)
{
	static const struct { const char *prefix, *ip; bool want; } rows[] = {
		{ "10.0.0.0/8", "10.0.0.0", true },
		{ "10.0.0.0/8", "10.255.255.255", true },
		{ "10.0.0.0/8", "11.0.0.0", false },
		{ "10.0.0.0/8", "9.255.255.255", false },
		{ "192.0.2.128/25", "192.0.2.127", false },
		{ "192.0.2.128/25", "192.0.2.128", true },
		{ "192.0.2.1/32", "192.0.2.1", true },
		{ "192.0.2.1/32", "192.0.2.0", false },
		{ "0.0.0.0/0", "255.255.255.255", true },
		{ "0.0.0.0/0", "::", false },
		{ "::/0", "0.0.0.0", false },
		{ "::/0", "ffff::", true },
		{ "2001:db8::/32", "2001:db8:ffff::1", true },
		{ "2001:db8::/32", "2001:db9::", false },
		{ "2001:db8::/33", "2001:db8:8000::", false },
		{ "::1/128", "::1", true },
		{ "::1/128", "::2", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct cidr c = cidr(rows[i].prefix);
		const struct endpoint e = endpoint(rows[i].ip);

		ck_assert_msg(cidr_contains(&c, &e) == rows[i].want, "%s, %s", rows[i].prefix, rows[i].ip);
	}
} END_TEST

START_TEST(only_ip_addresses_are_contained)
{
	const struct cidr all4 = cidr("0.0.0.0/0"), all6 = cidr("::/0"), none = { 0 };
	const struct endpoint local = { .family = AF_UNIX }, unknown = { 0 }, here = endpoint("127.0.0.1");

	ck_assert(!cidr_contains(&all4, &local));
	ck_assert(!cidr_contains(&all6, &local));
	ck_assert(!cidr_contains(&all4, &unknown));
	ck_assert(!cidr_contains(&none, &unknown));
	ck_assert(!cidr_contains(&none, &here));
} END_TEST

START_TEST(the_prefix_around_an_address_has_the_length_for_its_family)
{
	static const struct { const char *ip; int ipv4, ipv6; const char *want; } rows[] = {
		{ "192.0.2.77", 32, 64, "192.0.2.77/32" },
		{ "192.0.2.77", 24, 64, "192.0.2.0/24" },
		{ "192.0.2.77", 0, 64, "0.0.0.0/0" },
		{ "2001:db8:1:2:3:4:5:6", 32, 64, "2001:db8:1:2::/64" },
		{ "2001:db8:1:2:3:4:5:6", 32, 57, "2001:db8:1::/57" },
		{ "2001:db8:1:2:3:4:5:6", 32, 128, "2001:db8:1:2:3:4:5:6/128" },
	};
	const struct endpoint local = { .family = AF_UNIX };
	char buf[CIDR_TEXT_MAX];
	struct cidr c;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct endpoint e = endpoint(rows[i].ip);

		c = cidr_of(&e, rows[i].ipv4, rows[i].ipv6);
		ck_assert_str_eq(cidr_format(&c, buf, sizeof buf), rows[i].want);
		ck_assert(cidr_contains(&c, &e));
	}
	c = cidr_of(&local, 32, 64);
	ck_assert_str_eq(cidr_format(&c, buf, sizeof buf), "none");
} END_TEST

/* A mask, or a hash, must not see what is left of another address. */
START_TEST(bytes_that_do_not_count_are_zero)
{
	struct endpoint e = endpoint("192.0.2.77");
	const struct cidr want = cidr("192.0.2.0/24");
	struct cidr c;

	memset(e.ip + 4, 0xaa, sizeof e.ip - 4);
	c = cidr_of(&e, 24, 64);
	ck_assert_mem_eq(c.ip, want.ip, sizeof c.ip);
	ck_assert_int_eq(cidr_parse("::ffff:192.0.2.0/120", &c), CIDR_OK);
	ck_assert_mem_eq(c.ip, want.ip, sizeof c.ip);
} END_TEST

int main(void)
{
	Suite *s = suite_create("cidr");
	TCase *tc = unit_case(s, "text", NULL, NULL);

	tcase_add_test(tc, a_prefix_is_printed_as_it_was_written);
	tcase_add_test(tc, what_is_no_prefix_is_refused_with_what_would_be_right);
	tcase_add_test(tc, a_text_of_any_length_is_refused_and_its_complaint_is_bounded);
	tc = unit_case(s, "addresses", NULL, NULL);
	tcase_add_test(tc, a_prefix_contains_addresses_that_begin_with_it);
	tcase_add_test(tc, only_ip_addresses_are_contained);
	tcase_add_test(tc, the_prefix_around_an_address_has_the_length_for_its_family);
	tcase_add_test(tc, bytes_that_do_not_count_are_zero);
	return unit_run(s);
}
