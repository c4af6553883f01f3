/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Claims, against the same questions asked of each pair.
 */
#include <config.h>
#include "claims.h"

#include <arpa/inet.h>

#include "unit.h"

#define MANY 4096

static struct claims claims;
static struct address addresses[MANY];
static struct claim all[MANY];

static size_t n_comparisons;

int __real_address_compare(const struct address *a, const struct address *b);
int __wrap_address_compare(const struct address *a, const struct address *b);

int __wrap_address_compare(const struct address *a, const struct address *b)
{
	n_comparisons++;
	return __real_address_compare(a, b);
}

static struct address inet4(uint32_t ip, in_port_t port)
{
	return (struct address){
		.len = sizeof (struct sockaddr_in),
		.u.in = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(ip) },
	};
}

static struct address inet6(uint8_t last, in_port_t port)
{
	struct address a = { .len = sizeof a.u.in6 };

	a.u.in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(port) };
	a.u.in6.sin6_addr.s6_addr[15] = last;
	return a;
}

/* What differs little, and is often the same. */
static void fill(size_t n)
{
	static const char *const devices[] = { NULL, "eth0", "eth1" };

	for (size_t i = 0; i < n; i++) {
		const unsigned r = (unsigned)(i * 2654435761u >> 7);
		const in_port_t port = (in_port_t)(80 + r / 8 % 2);

		addresses[i] = r / 16 % 2 ? inet4(r % 4 ? 0x7f000000 + r % 4 : 0, port) :
		               inet6((uint8_t)(r % 4), port);
		all[i] = claim_of_address(LISTEN_INET, &addresses[i], devices[r / 32 % 3]);
	}
}

static bool overlap(const struct claim *a, const struct claim *b)
{
	const struct address *x = a->address, *y = b->address;

	if (x->u.sa.sa_family != y->u.sa.sa_family || address_port(x) != address_port(y) ||
	    (a->device && b->device && strcmp(a->device, b->device) != 0))
		return false;
	return address_is_wildcard(x) || address_is_wildcard(y) || address_equal(x, y);
}

/* Whether claims says the same of c as a look at each of the first n that is among them. */
static void check(const struct claim *c, size_t n, const bool *gone)
{
	const struct claim *first = NULL;
	size_t want = 0, have;

	for (size_t i = 0; i < n; i++)
		if (!gone[i] && overlap(&all[i], c)) {
			first = first ? first : &all[i];
			want++;
		}
	unit_require(claims_find_overlap(&claims, c, &have) == first);
	unit_require(have == want);
}

START_TEST(what_overlaps_is_found_the_first_first)
{
	static bool gone[200];
	const size_t n = sizeof gone / sizeof *gone;

	fill(n);
	for (size_t i = 0; i < n; i++) {
		check(&all[i], i, gone);
		ck_assert_int_eq(claims_add(&claims, &all[i]), 0);
	}
	for (size_t i = 0; i < n; i += 3) {
		claims_remove(&claims, &all[i]);
		claims_remove(&claims, &all[i]);        /* of one that is not there: nothing */
		gone[i] = true;
		for (size_t j = 0; j < n; j++)
			check(&all[j], n, gone);
	}
	for (size_t i = 0; i < n; i++)
		claims_remove(&claims, &all[i]);
	ck_assert_ptr_null(claims.root);
} END_TEST

START_TEST(the_same_is_the_same_in_all_that_is_claimed)
{
	const struct address a = inet4(0x7f000001, 0);
	struct claim list[4], wanted;

	for (int i = 0; i < 4; i++) {
		list[i] = claim_of_address(LISTEN_INET, &a, i == 2 ? "eth0" : NULL);
		list[i].name = "web";
		list[i].number = i == 1 ? 7 : 0;
		ck_assert_int_eq(claims_add(&claims, &list[i]), 0);
	}
	wanted = list[0];
	ck_assert_ptr_eq(claims_next_same(&claims, &wanted, NULL), &list[0]);
	ck_assert_ptr_eq(claims_next_same(&claims, &wanted, &list[0]), &list[3]);
	ck_assert_ptr_null(claims_next_same(&claims, &wanted, &list[3]));
	wanted.name = "other";
	ck_assert_ptr_null(claims_next_same(&claims, &wanted, NULL));
} END_TEST

START_TEST(inherited_sockets_are_told_apart_by_name)
{
	struct claim a = claim_of_inherited("a"), b = claim_of_inherited("b"), every = claim_of_inherited(NULL);
	size_t n;

	ck_assert_int_eq(claims_add(&claims, &a), 0);
	ck_assert_ptr_null(claims_find_overlap(&claims, &b, NULL));
	ck_assert_int_eq(claims_add(&claims, &b), 0);
	ck_assert_ptr_eq(claims_find_overlap(&claims, &every, &n), &a);
	ck_assert_uint_eq(n, 2);
	ck_assert_ptr_eq(claims_find_overlap(&claims, &b, &n), &b);
	ck_assert_uint_eq(n, 1);
} END_TEST

/* A hundred comparisons each: each with each would be twenty times as many. */
START_TEST(many_on_one_port_cost_little_each)
{
	n_comparisons = 0;
	for (uint32_t i = 0; i < MANY; i++) {
		addresses[i] = inet4(0x7f000001 + i, 80);
		all[i] = claim_of_address(LISTEN_INET, &addresses[i], i % 2 ? "eth0" : NULL);
		unit_require(!claims_find_overlap(&claims, &all[i], NULL));
		unit_require(claims_add(&claims, &all[i]) == 0);
	}
	ck_assert_uint_lt(n_comparisons, MANY * 100);
	for (uint32_t i = 0; i < MANY; i++)
		claims_remove(&claims, &all[i]);
} END_TEST

int main(void)
{
	Suite *s = suite_create("claims");
	TCase *tc = unit_case(s, "claims", NULL, NULL);

	tcase_add_test(tc, what_overlaps_is_found_the_first_first);
	tcase_add_test(tc, the_same_is_the_same_in_all_that_is_claimed);
	tcase_add_test(tc, inherited_sockets_are_told_apart_by_name);
	tcase_add_test(tc, many_on_one_port_cost_little_each);
	return unit_run(s);
}
