/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cuts the space of addresses into ranges, each with the verdict of the longest prefix around it.
 * Ranges begin where the one before ends, so that only the first address of each is kept, in
 * order, and an address is found by bisection. A prefix adds two ranges at most.
 */
#include <config.h>
#include "prefix_set.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* An address as a number of 128 bits; one of IPv4 is in the uppermost 32. */
struct number {
	uint64_t high, low;
};

struct prefix_set {
	size_t          n_ipv4, n_ipv6; /* ranges; 0: no prefix of that family */
	const uint32_t *ipv4;           /* their first addresses: ipv4[0] is 0 */
	const struct number *ipv6;
	const uint8_t  *ipv4_verdicts, *ipv6_verdicts;
};

#define PREFIX_BITS_MAX 128

/* ---- numbers ------------------------------------------------------------ */

static uint64_t read_64(const uint8_t *bytes)
{
	uint64_t n = 0;

	for (int i = 0; i < 8; i++)
		n = n << 8 | bytes[i];
	return n;
}

static uint32_t read_32(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static struct number number_of(const uint8_t ip[16])
{
	return (struct number){ .high = read_64(ip), .low = read_64(ip + 8) };
}

static bool is_below(struct number a, struct number b)
{
	return a.high != b.high ? a.high < b.high : a.low < b.low;
}

/* The first number behind the prefix; 0 if there is none. */
static struct number end_of(const struct cidr *c)
{
	struct number n = number_of(c->ip);

	if (c->len == 0)
		return (struct number){ 0 };
	if (c->len <= 64) {
		n.high += UINT64_C(1) << (64 - c->len);
	} else {
		n.low += UINT64_C(1) << (128 - c->len);
		n.high += n.low == 0;
	}
	return n;
}

/* ---- building ----------------------------------------------------------- */

/* By family and address; a longer prefix comes behind the shorter one around it. */
static int compare_entries(const void *one, const void *other)
{
	const struct prefix_entry *a = one, *b = other;
	int diff = (int)a->cidr.family - (int)b->cidr.family;

	if (!diff)
		diff = memcmp(a->cidr.ip, b->cidr.ip, sizeof a->cidr.ip);
	if (!diff)
		diff = (int)a->cidr.len - (int)b->cidr.len;
	return diff ? diff : (int)a->verdict - (int)b->verdict;
}

/* The ranges of one family, while they are counted or written. */
struct ranges {
	size_t              n;
	uint32_t           *ipv4;       /* where to write, one of both; or NULL: only count */
	struct number      *ipv6;
	uint8_t            *verdicts;
	struct number       start;      /* of the range that begins last, and may still change */
	enum prefix_verdict verdict;    /* the same */
	enum prefix_verdict before;     /* of the last range that was written */
};

/* Adjacent ranges with one verdict are one range. */
static void write_range(struct ranges *r)
{
	if (r->n > 0 && r->verdict == r->before)
		return;
	if (r->ipv4)
		r->ipv4[r->n] = (uint32_t)(r->start.high >> 32);
	else if (r->ipv6)
		r->ipv6[r->n] = r->start;
	if (r->verdicts)
		r->verdicts[r->n] = (uint8_t)r->verdict;
	r->before = r->verdict;
	r->n++;
}

/* From there on, this is the verdict. */
static void begin_range(struct ranges *r, struct number start, enum prefix_verdict verdict)
{
	if (is_below(r->start, start))
		write_range(r);
	r->start = start;
	r->verdict = verdict;
}

/* The prefixes around the current address, from the longest, which is the last, to the shortest. */
struct nest {
	int                 n;
	struct number       ends[PREFIX_BITS_MAX + 1];
	enum prefix_verdict verdicts[PREFIX_BITS_MAX + 1];
};

/* Leaves the innermost prefix. One that has no end, 0, is never left. */
static void leave_prefix(struct nest *in, struct ranges *r)
{
	const struct number end = in->ends[--in->n];

	begin_range(r, end, in->n > 0 ? in->verdicts[in->n - 1] : PREFIX_NONE);
}

static bool has_end(struct number end)
{
	return end.high != 0 || end.low != 0;
}

static bool ends_by(const struct nest *in, struct number at)
{
	return in->n > 0 && has_end(in->ends[in->n - 1]) && !is_below(at, in->ends[in->n - 1]);
}

static void enter_prefix(struct nest *in, struct ranges *r, const struct prefix_entry *e)
{
	const struct number start = number_of(e->cidr.ip);

	while (ends_by(in, start))
		leave_prefix(in, r);
	begin_range(r, start, e->verdict);
	assert(in->n <= PREFIX_BITS_MAX);
	in->ends[in->n] = end_of(&e->cidr);
	in->verdicts[in->n++] = e->verdict;
}

/* Fills r with the ranges of n sorted entries of one family. */
static void make_ranges(struct ranges *r, const struct prefix_entry *entries, size_t n)
{
	struct nest in = { .n = 0 };

	for (size_t i = 0; i < n; i++)
		/* Of the same prefixes the last one counts: the one that is denied. */
		if (i + 1 == n || !cidr_equal(&entries[i].cidr, &entries[i + 1].cidr))
			enter_prefix(&in, r, &entries[i]);
	while (in.n > 0 && has_end(in.ends[in.n - 1]))
		leave_prefix(&in, r);
	if (n > 0)
		write_range(r);
}

static size_t count_ranges(const struct prefix_entry *entries, size_t n)
{
	struct ranges r = { .n = 0 };

	make_ranges(&r, entries, n);
	return r.n;
}

static bool build_ipv4(struct arena *a, struct prefix_set *set, const struct prefix_entry *entries,
                       size_t n)
{
	struct ranges r = { .n = 0 };

	set->n_ipv4 = count_ranges(entries, n);
	r.ipv4 = arena_alloc(a, set->n_ipv4 * sizeof *r.ipv4);
	r.verdicts = arena_alloc(a, set->n_ipv4);
	if (!r.ipv4 || !r.verdicts)
		return false;
	make_ranges(&r, entries, n);
	set->ipv4 = r.ipv4;
	set->ipv4_verdicts = r.verdicts;
	return true;
}

static bool build_ipv6(struct arena *a, struct prefix_set *set, const struct prefix_entry *entries,
                       size_t n)
{
	struct ranges r = { .n = 0 };

	set->n_ipv6 = count_ranges(entries, n);
	r.ipv6 = arena_alloc(a, set->n_ipv6 * sizeof *r.ipv6);
	r.verdicts = arena_alloc(a, set->n_ipv6);
	if (!r.ipv6 || !r.verdicts)
		return false;
	make_ranges(&r, entries, n);
	set->ipv6 = r.ipv6;
	set->ipv6_verdicts = r.verdicts;
	return true;
}

const struct prefix_set *prefix_set_build(struct arena *a, struct prefix_entry *entries, size_t n)
{
	struct prefix_set *set = arena_alloc(a, sizeof *set);
	size_t n_ipv4 = 0;

	if (n == 0)
		return set;             /* there may be no array, either */
	qsort(entries, n, sizeof *entries, compare_entries);
	/* AF_INET is less than AF_INET6. */
	while (n_ipv4 < n && entries[n_ipv4].cidr.family == AF_INET)
		n_ipv4++;
	if (!set || !build_ipv4(a, set, entries, n_ipv4) ||
	    !build_ipv6(a, set, entries + n_ipv4, n - n_ipv4))
		return NULL;
	return set;
}

/* ---- finding ------------------------------------------------------------ */

/* The last of n numbers that is not above ip; the first one never is. */
static size_t find_ipv4(const uint32_t *starts, size_t n, uint32_t ip)
{
	size_t at = 0;

	while (n > 1) {
		const size_t half = n / 2;

		at += starts[at + half] <= ip ? half : 0;
		n -= half;
	}
	return at;
}

static size_t find_ipv6(const struct number *starts, size_t n, struct number ip)
{
	size_t at = 0;

	while (n > 1) {
		const size_t half = n / 2;

		at += is_below(ip, starts[at + half]) ? 0 : half;
		n -= half;
	}
	return at;
}

enum prefix_verdict prefix_set_find(const struct prefix_set *set, const struct endpoint *e)
{
	if (!set)
		return PREFIX_NONE;
	if (e->family == AF_INET && set->n_ipv4 > 0)
		return set->ipv4_verdicts[find_ipv4(set->ipv4, set->n_ipv4, read_32(e->ip))];
	if (e->family == AF_INET6 && set->n_ipv6 > 0)
		return set->ipv6_verdicts[find_ipv6(set->ipv6, set->n_ipv6, number_of(e->ip))];
	return PREFIX_NONE;
}
