/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sets of prefixes, compared with a search that looks at every prefix of the set.
 */
#include <config.h>
#include "prefix_set.h"

#include <arpa/inet.h>

#include "unit.h"

#define ARENA_SIZE (16u << 20)

static struct arena arena;
static uint64_t seed;

static void open_arena(void)
{
	ck_assert_int_eq(arena_open(&arena, ARENA_SIZE), 0);
	seed = 20240229;
}

static void close_arena(void)
{
	arena_close(&arena);
}

/* xorshift64: the same numbers in each run. */
static uint32_t any(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % below;
}

static struct endpoint endpoint(const char *ip)
{
	struct endpoint e = { .family = strchr(ip, ':') ? AF_INET6 : AF_INET };

	ck_assert_int_eq(inet_pton(e.family, ip, e.ip), 1);
	return e;
}

static enum prefix_verdict find(const struct prefix_set *set, const char *ip)
{
	const struct endpoint e = endpoint(ip);

	return prefix_set_find(set, &e);
}

/* What the set must say: the longest prefix, and of two the one that is denied. */
static enum prefix_verdict search(const struct prefix_entry *entries, size_t n,
                                  const struct endpoint *e)
{
	enum prefix_verdict found = PREFIX_NONE;
	int longest = -1;

	for (size_t i = 0; i < n; i++) {
		const int len = entries[i].cidr.len;

		if (len < longest || !cidr_contains(&entries[i].cidr, e))
			continue;
		if (len > longest || entries[i].verdict == PREFIX_DENY)
			found = entries[i].verdict;
		longest = len;
	}
	return found;
}

/* ---- a few prefixes ----------------------------------------------------- */

struct line {
	enum prefix_verdict verdict;
	const char         *prefix;
};

static const struct prefix_set *set_of(const struct line *lines, size_t n)
{
	struct prefix_entry entries[16];

	ck_assert_uint_le(n, ARRAY_SIZE(entries));
	for (size_t i = 0; i < n; i++) {
		entries[i].verdict = lines[i].verdict;
		ck_assert_int_eq(cidr_parse(lines[i].prefix, &entries[i].cidr), CIDR_OK);
	}
	return prefix_set_build(&arena, entries, n);
}

START_TEST(the_longest_prefix_decides)
{
	static const struct line lines[] = {
		{ PREFIX_DENY, "10.1.2.3" }, { PREFIX_ALLOW, "10.1.0.0/16" }, { PREFIX_DENY, "10.0.0.0/8" },
		{ PREFIX_ALLOW, "2001:db8::/32" }, { PREFIX_DENY, "2001:db8:0:1::/64" },
		{ PREFIX_ALLOW, "255.255.255.255" }, { PREFIX_DENY, "ffff::/16" },
		{ PREFIX_ALLOW, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	};
	static const struct { const char *ip; enum prefix_verdict want; } rows[] = {
		{ "0.0.0.0", PREFIX_NONE },
		{ "9.255.255.255", PREFIX_NONE },
		{ "10.0.0.0", PREFIX_DENY },
		{ "10.0.255.255", PREFIX_DENY },
		{ "10.1.0.0", PREFIX_ALLOW },
		{ "10.1.2.2", PREFIX_ALLOW },
		{ "10.1.2.3", PREFIX_DENY },
		{ "10.1.2.4", PREFIX_ALLOW },
		{ "10.2.0.0", PREFIX_DENY },
		{ "11.0.0.0", PREFIX_NONE },
		{ "255.255.255.254", PREFIX_NONE },
		{ "255.255.255.255", PREFIX_ALLOW },
		{ "::", PREFIX_NONE },
		{ "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", PREFIX_NONE },
		{ "2001:db8::", PREFIX_ALLOW },
		{ "2001:db8:0:0:ffff:ffff:ffff:ffff", PREFIX_ALLOW },
		{ "2001:db8:0:1::", PREFIX_DENY },
		{ "2001:db8:0:1:ffff:ffff:ffff:ffff", PREFIX_DENY },
		{ "2001:db8:0:2::", PREFIX_ALLOW },
		{ "2001:db9::", PREFIX_NONE },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", PREFIX_DENY },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", PREFIX_ALLOW },
	};
	const struct prefix_set *set = set_of(lines, ARRAY_SIZE(lines));

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		ck_assert_msg(find(set, rows[i].ip) == rows[i].want, "%s", rows[i].ip);
} END_TEST

START_TEST(a_prefix_that_is_allowed_and_denied_is_denied)
{
	static const struct line orders[][4] = {
		{ { PREFIX_ALLOW, "10.0.0.0/8" }, { PREFIX_DENY, "10.0.0.0/8" },
		  { PREFIX_ALLOW, "::1" }, { PREFIX_DENY, "::1" } },
		{ { PREFIX_DENY, "10.0.0.0/8" }, { PREFIX_ALLOW, "10.0.0.0/8" },
		  { PREFIX_DENY, "::1" }, { PREFIX_ALLOW, "::1" } },
		{ { PREFIX_DENY, "10.0.0.0/8" }, { PREFIX_ALLOW, "10.0.0.0/8" },
		  { PREFIX_DENY, "::1" }, { PREFIX_DENY, "::1" } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		const struct prefix_set *set = set_of(orders[i], ARRAY_SIZE(orders[i]));

		ck_assert_int_eq(find(set, "10.2.3.4"), PREFIX_DENY);
		ck_assert_int_eq(find(set, "11.2.3.4"), PREFIX_NONE);
		ck_assert_int_eq(find(set, "::1"), PREFIX_DENY);
		ck_assert_int_eq(find(set, "::"), PREFIX_NONE);
	}
} END_TEST

START_TEST(a_prefix_of_length_0_is_for_one_family)
{
	static const struct line lines[] = {
		{ PREFIX_DENY, "0.0.0.0/0" }, { PREFIX_ALLOW, "128.0.0.0/1" }, { PREFIX_DENY, "192.0.0.0/2" },
	};
	const struct prefix_set *set = set_of(lines, ARRAY_SIZE(lines));

	ck_assert_int_eq(find(set, "0.0.0.0"), PREFIX_DENY);
	ck_assert_int_eq(find(set, "127.255.255.255"), PREFIX_DENY);
	ck_assert_int_eq(find(set, "128.0.0.0"), PREFIX_ALLOW);
	ck_assert_int_eq(find(set, "191.255.255.255"), PREFIX_ALLOW);
	ck_assert_int_eq(find(set, "192.0.0.0"), PREFIX_DENY);
	ck_assert_int_eq(find(set, "255.255.255.255"), PREFIX_DENY);
	ck_assert_int_eq(find(set, "::"), PREFIX_NONE);
	ck_assert_int_eq(find(set, "ffff::"), PREFIX_NONE);
} END_TEST

START_TEST(nothing_is_found_where_there_is_nothing)
{
	static const struct line lines[] = { { PREFIX_ALLOW, "0.0.0.0/0" }, { PREFIX_ALLOW, "::/0" } };
	const struct prefix_set *all = set_of(lines, ARRAY_SIZE(lines));
	const struct prefix_set *empty = prefix_set_build(&arena, NULL, 0);
	const struct endpoint local = { .family = AF_UNIX }, unknown = { 0 };

	ck_assert_ptr_nonnull(empty);
	ck_assert_int_eq(find(NULL, "127.0.0.1"), PREFIX_NONE);
	ck_assert_int_eq(find(empty, "127.0.0.1"), PREFIX_NONE);
	ck_assert_int_eq(find(empty, "::1"), PREFIX_NONE);
	ck_assert_int_eq(prefix_set_find(all, &local), PREFIX_NONE);
	ck_assert_int_eq(prefix_set_find(all, &unknown), PREFIX_NONE);
} END_TEST

START_TEST(a_full_arena_is_an_error)
{
	static const struct line lines[] = { { PREFIX_ALLOW, "10.0.0.0/8" } };

	ck_assert_ptr_nonnull(arena_alloc(&arena, ARENA_SIZE));
	errno = 0;
	ck_assert_ptr_null(set_of(lines, ARRAY_SIZE(lines)));
	ck_assert_int_eq(errno, ENOMEM);
} END_TEST

/* ---- random prefixes ---------------------------------------------------- */

/* An address in which few bits differ from others, so that prefixes nest and addresses meet them. */
static void make_address(uint8_t ip[16], sa_family_t family)
{
	const int bytes = family == AF_INET ? 4 : 16;

	memset(ip, 0, 16);
	for (int i = 0; i < bytes; i++)
		ip[i] = any(2) ? 0 : any(2) ? 0xff : (uint8_t)any(256);
}

static struct prefix_entry make_entry(sa_family_t family)
{
	struct endpoint e = { .family = family };

	make_address(e.ip, family);
	return (struct prefix_entry){
		.cidr = cidr_of(&e, (int)any(33), (int)any(129)),
		.verdict = any(2) ? PREFIX_ALLOW : PREFIX_DENY,
	};
}

/* An address at the edge of a prefix: its first or last one, or the one before or behind it. */
static struct endpoint at_edge(const struct cidr *c)
{
	const int bytes = c->family == AF_INET ? 4 : 16;
	struct endpoint e = { .family = c->family };
	const bool last = any(2), beyond = any(2);

	memcpy(e.ip, c->ip, sizeof e.ip);
	for (int bit = c->len; last && bit < 8 * bytes; bit++)
		e.ip[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	for (int i = bytes - 1; beyond && i >= 0; i--) {
		e.ip[i] = (uint8_t)(e.ip[i] + (last ? 1 : -1));
		if (e.ip[i] != (last ? 0 : 0xff))
			break;
	}
	return e;
}

static struct endpoint make_endpoint(const struct prefix_entry *entries, size_t n)
{
	struct endpoint e = { .family = any(2) ? AF_INET : AF_INET6 };

	if (n > 0 && any(4) > 0)
		return at_edge(&entries[any((uint32_t)n)].cidr);
	make_address(e.ip, e.family);
	return e;
}

START_TEST(random_sets_say_what_a_search_says)
{
	struct prefix_entry entries[64], sorted[64];

	for (int round = 0; round < 2000; round++) {
		const size_t n = any(ARRAY_SIZE(entries) + 1);
		const struct prefix_set *set;

		for (size_t i = 0; i < n; i++)
			sorted[i] = entries[i] = make_entry(any(2) ? AF_INET : AF_INET6);
		set = prefix_set_build(&arena, sorted, n);
		unit_require(set);
		for (int i = 0; i < 50; i++) {
			const struct endpoint e = make_endpoint(entries, n);

			unit_require(prefix_set_find(set, &e) == search(entries, n, &e));
		}
		arena_rewind(&arena, arena.base);
	}
} END_TEST

START_TEST(prefixes_of_all_lengths_nest)
{
	const struct endpoint one = endpoint("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	struct prefix_entry entries[129], sorted[129];
	const struct prefix_set *set;

	for (int len = 0; len <= 128; len++)
		sorted[len] = entries[len] = (struct prefix_entry){
			.cidr = cidr_of(&one, 32, len), .verdict = len % 2 ? PREFIX_ALLOW : PREFIX_DENY,
		};
	set = prefix_set_build(&arena, sorted, ARRAY_SIZE(sorted));
	for (int i = 0; i < 1000; i++) {
		const struct endpoint e = at_edge(&entries[any(129)].cidr);

		unit_require(prefix_set_find(set, &e) == search(entries, ARRAY_SIZE(entries), &e));
	}
} END_TEST

/* ---- many prefixes ------------------------------------------------------ */

#define MANY 100000

/* As lists of networks are: most prefixes are long, few nest. */
static void make_many(struct prefix_entry *entries, sa_family_t family)
{
	for (size_t i = 0; i < MANY; i++) {
		struct endpoint e = { .family = family };

		for (int j = 0; j < 16; j++)
			e.ip[j] = (uint8_t)any(256);
		entries[i].cidr = cidr_of(&e, 16 + (int)any(17), 32 + (int)any(33));
		entries[i].verdict = any(4) ? PREFIX_DENY : PREFIX_ALLOW;
	}
}

static void check_many(sa_family_t family, size_t bytes_max)
{
	struct prefix_entry *entries = calloc(MANY, sizeof *entries), *sorted = calloc(MANY, sizeof *sorted);
	const size_t before = arena.used;
	const struct prefix_set *set;

	unit_require(entries && sorted);
	make_many(entries, family);
	memcpy(sorted, entries, MANY * sizeof *sorted);
	set = prefix_set_build(&arena, sorted, MANY);
	ck_assert_ptr_nonnull(set);
	ck_assert_uint_le(arena.used - before, bytes_max);
	for (int i = 0; i < 50; i++) {
		const struct endpoint e = make_endpoint(entries, MANY);

		unit_require(prefix_set_find(set, &e) == search(entries, MANY, &e));
	}
	free(entries);
	free(sorted);
}

START_TEST(a_hundred_thousand_prefixes_take_little_memory)
{
	check_many(AF_INET, MANY * 10 + 256);
	check_many(AF_INET6, MANY * 34 + 256);
} END_TEST

int main(void)
{
	Suite *s = suite_create("prefix_set");
	TCase *tc = unit_case(s, "few", open_arena, close_arena);

	tcase_add_test(tc, the_longest_prefix_decides);
	tcase_add_test(tc, a_prefix_that_is_allowed_and_denied_is_denied);
	tcase_add_test(tc, a_prefix_of_length_0_is_for_one_family);
	tcase_add_test(tc, nothing_is_found_where_there_is_nothing);
	tcase_add_test(tc, a_full_arena_is_an_error);
	tc = unit_case(s, "random", open_arena, close_arena);
	tcase_add_test(tc, random_sets_say_what_a_search_says);
	tcase_add_test(tc, prefixes_of_all_lengths_nest);
	tc = unit_case(s, "many", open_arena, close_arena);
	tcase_add_test(tc, a_hundred_thousand_prefixes_take_little_memory);
	return unit_run(s);
}
